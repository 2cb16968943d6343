"""The enum FileType."""

from enum import StrEnum
from typing import Final


class FileType(StrEnum):
    """What kind of file it is. The workflow's form says which kinds it takes; `custom` is for those that are listed by
    extension.
    """

    __module__ = "dify_workflow.models"

    DOCUMENT = "document"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    CUSTOM = "custom"


FILE_TYPE_MEMBERS: Final[dict[str, FileType]] = {member.value: member for member in FileType}
