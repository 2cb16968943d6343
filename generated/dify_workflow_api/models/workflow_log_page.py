"""The model WorkflowLogPage."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, html_table, new, shape_of
from .workflow_log import WorkflowLog


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class WorkflowLogPage(Model):
    """One page of workflow logs, newest first."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("data",)
    _names: ClassVar[dict[str, str]] = {
        "page": "page",
        "limit": "limit",
        "total": "total",
        "has_more": "has_more",
        "data": "data",
    }

    page: int = ABSENT
    """The number of this page, as requested."""

    limit: int = ABSENT
    """The most logs a page holds, as requested."""

    total: int = ABSENT
    """How many logs match the filters, on all pages together."""

    has_more: bool = ABSENT
    """Whether `total` is greater than `page` times `limit`."""

    data: list[WorkflowLog] = ABSENT
    """The logs of this page; empty past the last one."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    def __len__(self) -> int:
        return len(self.data or ())

    def __iter__(self) -> Iterator[WorkflowLog]:
        return iter(self.data or ())

    def __bool__(self) -> bool:
        return True  # also an empty page is a page

    def _repr_html_(self) -> str:
        return html_table(self, self.data)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The logs of this page as an Arrow stream, for libraries that take one. Needs the extra `arrow` of the SDK."""
        from dify_workflow._logs.arrow import reader_of  # the SDK that this package belongs to, and loads

        return reader_of(self.data or (), details=False).__arrow_c_stream__(requested_schema)

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = WorkflowLogPage) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 5:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.page = src["page"]
        self.limit = src["limit"]
        self.total = src["total"]
        self.has_more = src["has_more"]
        self.data = _decode_each_workflow_log(_value) if isinstance(_value := src["data"], list) else _value
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .workflow_log import decode_each as _decode_each_workflow_log
