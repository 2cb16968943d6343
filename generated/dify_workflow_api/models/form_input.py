"""The model FormInput."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .file_transfer_method import FILE_TRANSFER_METHOD_MEMBERS, FileTransferMethod
from .file_type import FILE_TYPE_MEMBERS, FileType
from .form_input_default import FormInputDefault
from .form_option_source import FormOptionSource


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class FormInput(Model):
    """A field of a form."""

    __module__ = "dify_workflow.models"

    _names: ClassVar[dict[str, str]] = {
        "type": "type",
        "output_variable_name": "output_variable_name",
        "default": "default",
        "option_source": "option_source",
        "allowed_file_types": "allowed_file_types",
        "allowed_file_extensions": "allowed_file_extensions",
        "allowed_file_upload_methods": "allowed_file_upload_methods",
        "number_limits": "number_limits",
    }

    type: str = ABSENT
    """The field's type, such as `paragraph` or `select`."""

    output_variable_name: str = ABSENT
    """The field's name: its key in `inputs` when the form is submitted."""

    default: FormInputDefault | None = ABSENT
    """What the field holds at first; null for nothing."""

    option_source: FormOptionSource | None = ABSENT
    """What the field lets one choose from; only fields of that kind have it."""

    allowed_file_types: list[FileType | str] | None = ABSENT
    """The kinds of files that the field takes."""

    allowed_file_extensions: list[str] | None = ABSENT
    """The extensions of the files that the field takes."""

    allowed_file_upload_methods: list[FileTransferMethod | str] | None = ABSENT
    """Where the field takes files from."""

    number_limits: int | None = ABSENT
    """How many files the field takes at most."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = FormInput) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 8:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.type = src["type"]
        self.output_variable_name = src["output_variable_name"]
        self.default = _decode_form_input_default(_value) if isinstance(_value := src["default"], dict) else _value
        self.option_source = (
            _decode_form_option_source(_value) if isinstance(_value := src["option_source"], dict) else _value
        )
        self.allowed_file_types = (
            [_file_type(_item, _item) if isinstance(_item, str) else _item for _item in _value]
            if isinstance(_value := src["allowed_file_types"], list)
            else _value
        )
        self.allowed_file_extensions = src["allowed_file_extensions"]
        self.allowed_file_upload_methods = (
            [_file_transfer_method(_item, _item) if isinstance(_item, str) else _item for _item in _value]
            if isinstance(_value := src["allowed_file_upload_methods"], list)
            else _value
        )
        self.number_limits = src["number_limits"]
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


_file_transfer_method = FILE_TRANSFER_METHOD_MEMBERS.get
_file_type = FILE_TYPE_MEMBERS.get
from .form_input_default import decode as _decode_form_input_default
from .form_option_source import decode as _decode_form_option_source
