"""The model AppParameters."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ..types import ABSENT, Model, attrs, new, shape_of
from .feature_toggle import FeatureToggle
from .file_upload import FileUpload
from .system_parameters import SystemParameters
from .text_to_speech import TextToSpeech


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class AppParameters(Model):
    """What the app takes and how it is set up. Much of it is for chat apps, and off or empty for a workflow."""

    __module__ = "dify_workflow.models"

    array_fields: ClassVar[tuple[str, ...]] = ("user_input_form",)
    _names: ClassVar[dict[str, str]] = {
        "opening_statement": "opening_statement",
        "suggested_questions": "suggested_questions",
        "suggested_questions_after_answer": "suggested_questions_after_answer",
        "speech_to_text": "speech_to_text",
        "text_to_speech": "text_to_speech",
        "retriever_resource": "retriever_resource",
        "annotation_reply": "annotation_reply",
        "more_like_this": "more_like_this",
        "user_input_form": "user_input_form",
        "sensitive_word_avoidance": "sensitive_word_avoidance",
        "file_upload": "file_upload",
        "system_parameters": "system_parameters",
    }

    opening_statement: str | None = ABSENT
    """The first words of a chat; empty for a workflow."""

    suggested_questions: list[str] | None = ABSENT
    """Questions to begin a chat with; empty for a workflow."""

    suggested_questions_after_answer: FeatureToggle | None = ABSENT
    """Whether questions are suggested after an answer."""

    speech_to_text: FeatureToggle | None = ABSENT
    """Whether speech is taken."""

    text_to_speech: TextToSpeech | None = ABSENT
    """Whether and how the output is spoken."""

    retriever_resource: FeatureToggle | None = ABSENT
    """Whether the sources of an answer are given."""

    annotation_reply: FeatureToggle | None = ABSENT
    """Whether annotated answers are used."""

    more_like_this: FeatureToggle | None = ABSENT
    """Whether more answers of the kind can be asked for."""

    user_input_form: list[dict[str, Any]] = ABSENT
    """The workflow's input variables in order. Each is an object with one key, the type of its field (such as
    `text-input`, `paragraph`, `select`, `number`, `file`, `file-list`), and under it what the field is: `variable` is
    the name in `inputs`; `label`, `required`, `max_length`, `options`, `default` and the `allowed_file_*` lists say
    what it takes. More types exist than are written down, so each is left as it comes.
    """

    sensitive_word_avoidance: FeatureToggle | None = ABSENT
    """Whether words are moderated."""

    file_upload: FileUpload | None = ABSENT
    """Whether and how files can be given to a run as a whole."""

    system_parameters: SystemParameters | None = ABSENT
    """The server's limits for uploads."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        self: Self = decode(src, cls)
        return self


def decode(src: Mapping[str, Any], cls: Any = AppParameters) -> Any:
    """What `from_dict` of a class gives; other modules call this function, which is faster than the method."""
    _shape = None
    if len(src) != 12:
        _shape = shape_of(cls, tuple(src))
        if _shape[1]:
            src = {**src, **_shape[1]}
    self = new(cls)
    try:
        self.opening_statement = src["opening_statement"]
        self.suggested_questions = src["suggested_questions"]
        self.suggested_questions_after_answer = (
            _decode_feature_toggle(_value)
            if isinstance(_value := src["suggested_questions_after_answer"], dict)
            else _value
        )
        self.speech_to_text = (
            _decode_feature_toggle(_value) if isinstance(_value := src["speech_to_text"], dict) else _value
        )
        self.text_to_speech = (
            _decode_text_to_speech(_value) if isinstance(_value := src["text_to_speech"], dict) else _value
        )
        self.retriever_resource = (
            _decode_feature_toggle(_value) if isinstance(_value := src["retriever_resource"], dict) else _value
        )
        self.annotation_reply = (
            _decode_feature_toggle(_value) if isinstance(_value := src["annotation_reply"], dict) else _value
        )
        self.more_like_this = (
            _decode_feature_toggle(_value) if isinstance(_value := src["more_like_this"], dict) else _value
        )
        self.user_input_form = src["user_input_form"]
        self.sensitive_word_avoidance = (
            _decode_feature_toggle(_value) if isinstance(_value := src["sensitive_word_avoidance"], dict) else _value
        )
        self.file_upload = _decode_file_upload(_value) if isinstance(_value := src["file_upload"], dict) else _value
        self.system_parameters = (
            _decode_system_parameters(_value) if isinstance(_value := src["system_parameters"], dict) else _value
        )
    except KeyError:  # as many keys as fields, but others
        return cls._of_part(src)
    if _shape is None:
        self._extra = None
    else:
        self._keys = _shape[0]
        self._extra = {key: src[key] for key in _shape[2]} if _shape[2] else None
    return self


from .feature_toggle import decode as _decode_feature_toggle
from .file_upload import decode as _decode_file_upload
from .system_parameters import decode as _decode_system_parameters
from .text_to_speech import decode as _decode_text_to_speech
