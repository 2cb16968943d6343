"""The methods of `with_raw_response`, by resource. Made by `make generate`. Do not edit it here."""

from .app import AsyncApp
from .end_users import AsyncEndUsers
from .files import AsyncFiles
from .forms import AsyncForms
from .logs import AsyncLogs
from .raw import AsyncRawMethod, AsyncRawResource
from .runs import AsyncRuns


class AsyncRawApp(AsyncRawResource):
    """The methods of `AsyncApp`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    info = AsyncRawMethod(AsyncApp.info)
    parameters = AsyncRawMethod(AsyncApp.parameters)
    meta = AsyncRawMethod(AsyncApp.meta)
    site = AsyncRawMethod(AsyncApp.site)


class AsyncRawEndUsers(AsyncRawResource):
    """The methods of `AsyncEndUsers`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    get = AsyncRawMethod(AsyncEndUsers.get)


class AsyncRawFiles(AsyncRawResource):
    """The methods of `AsyncFiles`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    upload = AsyncRawMethod(AsyncFiles.upload)


class AsyncRawForms(AsyncRawResource):
    """The methods of `AsyncForms`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    get = AsyncRawMethod(AsyncForms.get)
    submit = AsyncRawMethod(AsyncForms.submit)


class AsyncRawLogs(AsyncRawResource):
    """The methods of `AsyncLogs`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    list = AsyncRawMethod(AsyncLogs.list)


class AsyncRawRuns(AsyncRawResource):
    """The methods of `AsyncRuns`, which return the response."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    run = AsyncRawMethod(AsyncRuns.run)
    get = AsyncRawMethod(AsyncRuns.get)
    stop = AsyncRawMethod(AsyncRuns.stop)
