"""The API's models: a class for each schema, loaded when it is first used."""

# `typing.TYPE_CHECKING` would import typing for nothing else; type checkers know the bare name as well. Declared as a
# bool, and not known to be False: Jedi reads the names below for its completions.
TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from .account import Account
    from .agent_log_data import AgentLogData
    from .agent_log_event import AgentLogEvent
    from .app_info import AppInfo
    from .app_meta import AppMeta
    from .app_parameters import AppParameters
    from .app_site import AppSite
    from .end_user import EndUser
    from .end_user_detail import EndUserDetail
    from .error_event import ErrorEvent
    from .error_response import ErrorResponse
    from .feature_toggle import FeatureToggle
    from .file_transfer_method import FileTransferMethod
    from .file_type import FileType
    from .file_upload import FileUpload
    from .form_action import FormAction
    from .form_definition import FormDefinition
    from .form_input import FormInput
    from .form_input_default import FormInputDefault
    from .form_option_source import FormOptionSource
    from .form_submission import FormSubmission
    from .human_input_form_filled_data import HumanInputFormFilledData
    from .human_input_form_filled_event import HumanInputFormFilledEvent
    from .human_input_form_timeout_data import HumanInputFormTimeoutData
    from .human_input_form_timeout_event import HumanInputFormTimeoutEvent
    from .human_input_required_data import HumanInputRequiredData
    from .human_input_required_event import HumanInputRequiredEvent
    from .image_upload import ImageUpload
    from .input_file import InputFile
    from .iteration_completed_data import IterationCompletedData
    from .iteration_completed_event import IterationCompletedEvent
    from .iteration_next_data import IterationNextData
    from .iteration_next_event import IterationNextEvent
    from .iteration_started_data import IterationStartedData
    from .iteration_started_event import IterationStartedEvent
    from .loop_completed_data import LoopCompletedData
    from .loop_completed_event import LoopCompletedEvent
    from .loop_next_data import LoopNextData
    from .loop_next_event import LoopNextEvent
    from .loop_started_data import LoopStartedData
    from .loop_started_event import LoopStartedEvent
    from .message_file_event import MessageFileEvent
    from .node_execution_metadata import NodeExecutionMetadata
    from .node_finished_data import NodeFinishedData
    from .node_finished_event import NodeFinishedEvent
    from .node_retry_data import NodeRetryData
    from .node_retry_event import NodeRetryEvent
    from .node_started_data import NodeStartedData
    from .node_started_event import NodeStartedEvent
    from .node_status import NodeStatus
    from .pause_reason import PauseReason
    from .reasoning_chunk_data import ReasoningChunkData
    from .reasoning_chunk_event import ReasoningChunkEvent
    from .response_mode import ResponseMode
    from .stop_request import StopRequest
    from .stop_response import StopResponse
    from .system_parameters import SystemParameters
    from .text_chunk_data import TextChunkData
    from .text_chunk_event import TextChunkEvent
    from .text_replace_data import TextReplaceData
    from .text_replace_event import TextReplaceEvent
    from .text_to_speech import TextToSpeech
    from .tool_icon import ToolIcon
    from .tts_message_end_event import TtsMessageEndEvent
    from .tts_message_event import TtsMessageEvent
    from .uploaded_file import UploadedFile
    from .workflow_event import WorkflowEvent
    from .workflow_finished_data import WorkflowFinishedData
    from .workflow_finished_event import WorkflowFinishedEvent
    from .workflow_log import WorkflowLog
    from .workflow_log_page import WorkflowLogPage
    from .workflow_paused_data import WorkflowPausedData
    from .workflow_paused_event import WorkflowPausedEvent
    from .workflow_run import WorkflowRun
    from .workflow_run_creator import WorkflowRunCreator
    from .workflow_run_outcome import WorkflowRunOutcome
    from .workflow_run_request import WorkflowRunRequest
    from .workflow_run_response import WorkflowRunResponse
    from .workflow_run_status import WorkflowRunStatus
    from .workflow_run_summary import WorkflowRunSummary
    from .workflow_started_data import WorkflowStartedData
    from .workflow_started_event import WorkflowStartedEvent

__all__ = [
    "Account",
    "AgentLogData",
    "AgentLogEvent",
    "AppInfo",
    "AppMeta",
    "AppParameters",
    "AppSite",
    "EndUser",
    "EndUserDetail",
    "ErrorEvent",
    "ErrorResponse",
    "FeatureToggle",
    "FileTransferMethod",
    "FileType",
    "FileUpload",
    "FormAction",
    "FormDefinition",
    "FormInput",
    "FormInputDefault",
    "FormOptionSource",
    "FormSubmission",
    "HumanInputFormFilledData",
    "HumanInputFormFilledEvent",
    "HumanInputFormTimeoutData",
    "HumanInputFormTimeoutEvent",
    "HumanInputRequiredData",
    "HumanInputRequiredEvent",
    "ImageUpload",
    "InputFile",
    "IterationCompletedData",
    "IterationCompletedEvent",
    "IterationNextData",
    "IterationNextEvent",
    "IterationStartedData",
    "IterationStartedEvent",
    "LoopCompletedData",
    "LoopCompletedEvent",
    "LoopNextData",
    "LoopNextEvent",
    "LoopStartedData",
    "LoopStartedEvent",
    "MessageFileEvent",
    "NodeExecutionMetadata",
    "NodeFinishedData",
    "NodeFinishedEvent",
    "NodeRetryData",
    "NodeRetryEvent",
    "NodeStartedData",
    "NodeStartedEvent",
    "NodeStatus",
    "PauseReason",
    "ReasoningChunkData",
    "ReasoningChunkEvent",
    "ResponseMode",
    "StopRequest",
    "StopResponse",
    "SystemParameters",
    "TextChunkData",
    "TextChunkEvent",
    "TextReplaceData",
    "TextReplaceEvent",
    "TextToSpeech",
    "ToolIcon",
    "TtsMessageEndEvent",
    "TtsMessageEvent",
    "UploadedFile",
    "WorkflowEvent",
    "WorkflowFinishedData",
    "WorkflowFinishedEvent",
    "WorkflowLog",
    "WorkflowLogPage",
    "WorkflowPausedData",
    "WorkflowPausedEvent",
    "WorkflowRun",
    "WorkflowRunCreator",
    "WorkflowRunOutcome",
    "WorkflowRunRequest",
    "WorkflowRunResponse",
    "WorkflowRunStatus",
    "WorkflowRunSummary",
    "WorkflowStartedData",
    "WorkflowStartedEvent",
]

if not TYPE_CHECKING:  # a type checker would take this for a module that has every name
    _MODULES = {
        "Account": ".account",
        "AgentLogData": ".agent_log_data",
        "AgentLogEvent": ".agent_log_event",
        "AppInfo": ".app_info",
        "AppMeta": ".app_meta",
        "AppParameters": ".app_parameters",
        "AppSite": ".app_site",
        "EndUser": ".end_user",
        "EndUserDetail": ".end_user_detail",
        "ErrorEvent": ".error_event",
        "ErrorResponse": ".error_response",
        "FeatureToggle": ".feature_toggle",
        "FileTransferMethod": ".file_transfer_method",
        "FileType": ".file_type",
        "FileUpload": ".file_upload",
        "FormAction": ".form_action",
        "FormDefinition": ".form_definition",
        "FormInput": ".form_input",
        "FormInputDefault": ".form_input_default",
        "FormOptionSource": ".form_option_source",
        "FormSubmission": ".form_submission",
        "HumanInputFormFilledData": ".human_input_form_filled_data",
        "HumanInputFormFilledEvent": ".human_input_form_filled_event",
        "HumanInputFormTimeoutData": ".human_input_form_timeout_data",
        "HumanInputFormTimeoutEvent": ".human_input_form_timeout_event",
        "HumanInputRequiredData": ".human_input_required_data",
        "HumanInputRequiredEvent": ".human_input_required_event",
        "ImageUpload": ".image_upload",
        "InputFile": ".input_file",
        "IterationCompletedData": ".iteration_completed_data",
        "IterationCompletedEvent": ".iteration_completed_event",
        "IterationNextData": ".iteration_next_data",
        "IterationNextEvent": ".iteration_next_event",
        "IterationStartedData": ".iteration_started_data",
        "IterationStartedEvent": ".iteration_started_event",
        "LoopCompletedData": ".loop_completed_data",
        "LoopCompletedEvent": ".loop_completed_event",
        "LoopNextData": ".loop_next_data",
        "LoopNextEvent": ".loop_next_event",
        "LoopStartedData": ".loop_started_data",
        "LoopStartedEvent": ".loop_started_event",
        "MessageFileEvent": ".message_file_event",
        "NodeExecutionMetadata": ".node_execution_metadata",
        "NodeFinishedData": ".node_finished_data",
        "NodeFinishedEvent": ".node_finished_event",
        "NodeRetryData": ".node_retry_data",
        "NodeRetryEvent": ".node_retry_event",
        "NodeStartedData": ".node_started_data",
        "NodeStartedEvent": ".node_started_event",
        "NodeStatus": ".node_status",
        "PauseReason": ".pause_reason",
        "ReasoningChunkData": ".reasoning_chunk_data",
        "ReasoningChunkEvent": ".reasoning_chunk_event",
        "ResponseMode": ".response_mode",
        "StopRequest": ".stop_request",
        "StopResponse": ".stop_response",
        "SystemParameters": ".system_parameters",
        "TextChunkData": ".text_chunk_data",
        "TextChunkEvent": ".text_chunk_event",
        "TextReplaceData": ".text_replace_data",
        "TextReplaceEvent": ".text_replace_event",
        "TextToSpeech": ".text_to_speech",
        "ToolIcon": ".tool_icon",
        "TtsMessageEndEvent": ".tts_message_end_event",
        "TtsMessageEvent": ".tts_message_event",
        "UploadedFile": ".uploaded_file",
        "WorkflowEvent": ".workflow_event",
        "WorkflowFinishedData": ".workflow_finished_data",
        "WorkflowFinishedEvent": ".workflow_finished_event",
        "WorkflowLog": ".workflow_log",
        "WorkflowLogPage": ".workflow_log_page",
        "WorkflowPausedData": ".workflow_paused_data",
        "WorkflowPausedEvent": ".workflow_paused_event",
        "WorkflowRun": ".workflow_run",
        "WorkflowRunCreator": ".workflow_run_creator",
        "WorkflowRunOutcome": ".workflow_run_outcome",
        "WorkflowRunRequest": ".workflow_run_request",
        "WorkflowRunResponse": ".workflow_run_response",
        "WorkflowRunStatus": ".workflow_run_status",
        "WorkflowRunSummary": ".workflow_run_summary",
        "WorkflowStartedData": ".workflow_started_data",
        "WorkflowStartedEvent": ".workflow_started_event",
    }

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_MODULES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
