"""The API's models, as the server sends them: one class per schema of the spec.

Each is loaded when it is first used. The list is that of the generated package.
"""

TYPE_CHECKING: bool = False  # declared as a bool, for Jedi: see `dify_workflow`
if TYPE_CHECKING:
    from dify_workflow_api.models import *  # noqa: F403 - whatever the spec has
    from dify_workflow_api.models import __all__ as __all__  # noqa: PLC0414 - re-exported
else:
    from dify_workflow_api import models

    __all__ = models.__all__

    def __getattr__(name: str) -> object:
        return getattr(models, name)

    def __dir__() -> list[str]:
        return sorted(__all__)
