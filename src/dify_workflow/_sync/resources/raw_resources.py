"""The methods of `with_raw_response`, by resource. Made by `make generate`. Do not edit it here."""

from .app import App
from .end_users import EndUsers
from .files import Files
from .forms import Forms
from .logs import Logs
from .raw import RawMethod, RawResource
from .runs import Runs


class RawApp(RawResource):
    """The methods of `App`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    info = RawMethod(App.info)
    parameters = RawMethod(App.parameters)
    meta = RawMethod(App.meta)
    site = RawMethod(App.site)


class RawEndUsers(RawResource):
    """The methods of `EndUsers`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    get = RawMethod(EndUsers.get)


class RawFiles(RawResource):
    """The methods of `Files`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    upload = RawMethod(Files.upload)


class RawForms(RawResource):
    """The methods of `Forms`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    get = RawMethod(Forms.get)
    submit = RawMethod(Forms.submit)


class RawLogs(RawResource):
    """The methods of `Logs`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    list = RawMethod(Logs.list)


class RawRuns(RawResource):
    """The methods of `Runs`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    run = RawMethod(Runs.run)
    get = RawMethod(Runs.get)
    stop = RawMethod(Runs.stop)
