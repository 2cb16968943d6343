"""The model WorkflowLog."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of, utc
from .account import Account
from .end_user import EndUser
from .workflow_run_status import WORKFLOW_RUN_STATUS_MEMBERS
from .workflow_run_summary import WorkflowRunSummary


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowLog(Model):
    """The log of one run of the workflow."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "id": "id",
        "workflow_run": "workflow_run",
        "details": "details",
        "created_from": "created_from",
        "created_by_role": "created_by_role",
        "created_by_account": "created_by_account",
        "created_by_end_user": "created_by_end_user",
        "created_at": "created_at",
    }

    id: str = ABSENT
    """The log's own id. It is not the run's, which is in `workflow_run`, and no other operation takes it."""

    workflow_run: WorkflowRunSummary | None = ABSENT
    """The run; null when it was deleted and only its log is left."""

    details: Any = ABSENT
    """Always null on server version 1.11.2."""

    created_from: str = ABSENT
    """What started the run, such as `service-api`, `web-app` or `installed-app`."""

    created_by_role: str = ABSENT
    """Who started the run: `account` or `end_user`. The one is then in `created_by_account`, the other in
    `created_by_end_user`.
    """

    created_by_account: Account | None = ABSENT
    """The account that started the run; null when an end user did, or when the account was deleted."""

    created_by_end_user: EndUser | None = ABSENT
    """The end user who started the run; null when an account did, or when the end user was deleted."""

    created_at: int = ABSENT
    """When the log was written, in epoch seconds. It is rounded to the second, so it can be up to one second later than
    the run's own `created_at`. The filters and the order go by this one.
    """

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @property
    def created_at_utc(self) -> datetime | None:
        """`created_at` as an aware datetime in UTC; None when it is no time."""
        return utc(self.created_at)

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowLog) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 8:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.id = src["id"]
        self.workflow_run = (
            _decode_workflow_run_summary(_value) if isinstance(_value := src["workflow_run"], dict) else _value
        )
        self.details = src["details"]
        self.created_from = src["created_from"]
        self.created_by_role = src["created_by_role"]
        self.created_by_account = (
            _decode_account(_value) if isinstance(_value := src["created_by_account"], dict) else _value
        )
        self.created_by_end_user = (
            _decode_end_user(_value) if isinstance(_value := src["created_by_end_user"], dict) else _value
        )
        self.created_at = src["created_at"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


def decode_each(items: list[Any]) -> list[Any]:
    """A list with each object in it decoded; small objects inside them are decoded here, which saves calls."""
    decoded: list[Any] = []
    # The keys of the last object that had other fields than the model, and its shape, which most likely is the next's.
    _keys: Any = None
    _shape: Any = None
    _keys_1: Any = None
    _shape_1: Any = None
    _keys_2: Any = None
    _shape_2: Any = None
    _keys_3: Any = None
    _shape_3: Any = None
    for received in items:
        if not isinstance(received, dict):
            decoded.append(received)
            continue
        src = received
        if _differs := len(src) != 8:
            if (_found := tuple(src)) != _keys:
                _shape = shape_of(WorkflowLog, _keys := _found)
            if _shape[1]:
                src = {**src, **_shape[1]}
        self = new(WorkflowLog)
        try:
            self.id = src["id"]
            _part = src["workflow_run"]
            if isinstance(_part, dict):
                if _differs_inside := len(_part) != 11:
                    if (_found := tuple(_part)) != _keys_1:
                        _shape_1 = shape_of(WorkflowRunSummary, _keys_1 := _found)
                    if _shape_1[1]:
                        _part = {**_part, **_shape_1[1]}
                _model = new(WorkflowRunSummary)
                _model.id = _part["id"]
                _model.version = _part["version"]
                _model.status = (
                    _workflow_run_status(_value, _value) if isinstance(_value := _part["status"], str) else _value
                )
                _model.triggered_from = _part["triggered_from"]
                _model.error = _part["error"]
                _model.elapsed_time = _part["elapsed_time"]
                _model.total_tokens = _part["total_tokens"]
                _model.total_steps = _part["total_steps"]
                _model.created_at = _part["created_at"]
                _model.finished_at = _part["finished_at"]
                _model.exceptions_count = _part["exceptions_count"]
                _model._extra = None
                if _differs_inside:
                    _model._keys = _shape_1[0]
                    if _shape_1[2]:
                        _model._extra = _extra = {}
                        for _key in _shape_1[2]:
                            _extra[_key] = _part[_key]
                _part = _model
            self.workflow_run = _part
            self.details = src["details"]
            self.created_from = src["created_from"]
            self.created_by_role = src["created_by_role"]
            _part = src["created_by_account"]
            if isinstance(_part, dict):
                if _differs_inside := len(_part) != 3:
                    if (_found := tuple(_part)) != _keys_2:
                        _shape_2 = shape_of(Account, _keys_2 := _found)
                    if _shape_2[1]:
                        _part = {**_part, **_shape_2[1]}
                _model = new(Account)
                _model.id = _part["id"]
                _model.name = _part["name"]
                _model.email = _part["email"]
                _model._extra = None
                if _differs_inside:
                    _model._keys = _shape_2[0]
                    if _shape_2[2]:
                        _model._extra = _extra = {}
                        for _key in _shape_2[2]:
                            _extra[_key] = _part[_key]
                _part = _model
            self.created_by_account = _part
            _part = src["created_by_end_user"]
            if isinstance(_part, dict):
                if _differs_inside := len(_part) != 4:
                    if (_found := tuple(_part)) != _keys_3:
                        _shape_3 = shape_of(EndUser, _keys_3 := _found)
                    if _shape_3[1]:
                        _part = {**_part, **_shape_3[1]}
                _model = new(EndUser)
                _model.id = _part["id"]
                _model.type = _part["type"]
                _model.is_anonymous = _part["is_anonymous"]
                _model.session_id = _part["session_id"]
                _model._extra = None
                if _differs_inside:
                    _model._keys = _shape_3[0]
                    if _shape_3[2]:
                        _model._extra = _extra = {}
                        for _key in _shape_3[2]:
                            _extra[_key] = _part[_key]
                _part = _model
            self.created_by_end_user = _part
            self.created_at = src["created_at"]
        except KeyError:  # as many keys as fields, but others, here or in one of these
            decoded.append(decode(received))
            continue
        self._extra = None
        if _differs:
            self._keys = _shape[0]
            if _shape[2]:
                self._extra = _extra = {}
                for _key in _shape[2]:
                    _extra[_key] = src[_key]
        decoded.append(self)
    return decoded


_workflow_run_status = WORKFLOW_RUN_STATUS_MEMBERS.get
from .account import decode as _decode_account
from .end_user import decode as _decode_end_user
from .workflow_run_summary import decode as _decode_workflow_run_summary
