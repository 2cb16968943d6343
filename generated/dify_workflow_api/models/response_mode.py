"""The enum ResponseMode."""

from enum import StrEnum
from typing import Final


class ResponseMode(StrEnum):
    """How a run's response is sent: `blocking` once, as JSON, when the run has ended; `streaming` event by event while
    it runs.
    """

    __module__ = "dify_workflow.models"

    BLOCKING = "blocking"
    STREAMING = "streaming"


RESPONSE_MODE_MEMBERS: Final[dict[str, ResponseMode]] = {member.value: member for member in ResponseMode}
