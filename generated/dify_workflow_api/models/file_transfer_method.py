"""The enum FileTransferMethod."""

from enum import StrEnum
from typing import Final


class FileTransferMethod(StrEnum):
    """Where the server gets a file from: `remote_url` from the web, `local_file` from an earlier upload."""

    __module__ = "dify_workflow.models"

    REMOTE_URL = "remote_url"
    LOCAL_FILE = "local_file"


FILE_TRANSFER_METHOD_MEMBERS: Final[dict[str, FileTransferMethod]] = {
    member.value: member for member in FileTransferMethod
}
