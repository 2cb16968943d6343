"""The clients that are compared: how a user of each reads a page of logs.

Each function makes what reads: `read(page, limit)`, or for the asynchronous ones `await read(page, limit)`. All that a
client needs is imported in there, as each is measured in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from loopback import KEY, LIMIT, RawConnection

Read: TypeAlias = Callable[[int, int], Any]
AsyncRead: TypeAlias = Callable[[int, int], Awaitable[Any]]

HTTPX: Final = "httpx"
OURS: Final = "dify-workflow-sdk"
OURS_FAST: Final = "dify-workflow-sdk[speed]"
STOCK: Final = "openapi-python-client"
DIFY_PYTHON_SDK: Final = "dify-python-sdk"
DIFY_OAPI2: Final = "dify-oapi2"
HTTPX_SSE: Final = "httpx-sse + json.loads"
MODULES: Final = {
    HTTPX_SSE: "httpx_sse",
    DIFY_PYTHON_SDK: "dify_client",
    DIFY_OAPI2: "dify_oapi",
    STOCK: "dify_stock",
}
"""What has to be installed for some of them."""

REFUSES: Final = (
    "loses the page: its models refuse `installed-app`, `paused`, and an account that is an object; measured on a page "
    "without these"
)
EMPTY_FILTERS: Final = "sends its unused filters empty, `status=` among them, to which a Dify server responds with 400"


def without_orjson() -> None:
    """Let this process do as if the extra `speed` were not installed."""
    if "dify_workflow" in sys.modules:
        raise RuntimeError("too late: the SDK has been imported")
    sys.modules["orjson"] = None  # type: ignore[assignment] # what makes an import of it fail


def is_here(name: str) -> bool:
    """Whether what a client needs is installed."""
    return name not in MODULES or find_spec(MODULES[name]) is not None


def httpx_page(address: str) -> Read:
    """Plain httpx: the response's JSON values."""
    import httpx

    client = httpx.Client(headers={"Authorization": f"Bearer {KEY}"})
    return lambda page, limit: client.get(f"{address}/workflows/logs?page={page}&limit={limit}").json()


def httpx_page_async(address: str) -> AsyncRead:
    """Plain httpx: the response's JSON values."""
    import httpx

    client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"})

    async def read(page: int, limit: int) -> Any:  # noqa: ANN401 - JSON is anything
        return (await client.get(f"{address}/workflows/logs?page={page}&limit={limit}")).json()

    return read


def sdk_page(address: str) -> Read:
    """This SDK, without any extra."""
    without_orjson()
    return sdk_page_fast(address)


def sdk_page_fast(address: str) -> Read:
    """This SDK, with the extra `speed`."""
    from dify_workflow import DifyWorkflow

    client = DifyWorkflow(api_key=KEY, base_url=address)
    return lambda page, limit: client.logs.list(page=page, limit=limit)


def sdk_page_async(address: str) -> AsyncRead:
    """This SDK, without any extra."""
    without_orjson()
    return sdk_page_async_fast(address)


def sdk_page_async_fast(address: str) -> AsyncRead:
    """This SDK, with the extra `speed`."""
    from dify_workflow import AsyncDifyWorkflow

    client = AsyncDifyWorkflow(api_key=KEY, base_url=address)
    return lambda page, limit: client.logs.list(page=page, limit=limit)


def raw_page(address: str) -> Read:
    """The least that a client could do: its JSON values, read by orjson from a socket."""
    import orjson

    connections: dict[tuple[int, int], RawConnection] = {}

    def read(page: int, limit: int) -> Any:  # noqa: ANN401 - JSON is anything
        if (page, limit) not in connections:
            connections[page, limit] = RawConnection(address, f"/workflows/logs?page={page}&limit={limit}")
        return orjson.loads(connections[page, limit].respond())

    return read


def stock_page(address: str) -> Read:
    """What openapi-python-client makes of the same spec, as it comes."""
    from dify_stock import AuthenticatedClient
    from dify_stock.api.logs import list_workflow_logs

    client = AuthenticatedClient(base_url=address, token=KEY)
    return lambda page, limit: list_workflow_logs.sync(client=client, page=page, limit=limit)


def stock_page_async(address: str) -> AsyncRead:
    """What openapi-python-client makes of the same spec, as it comes."""
    from dify_stock import AuthenticatedClient
    from dify_stock.api.logs import list_workflow_logs

    client = AuthenticatedClient(base_url=address, token=KEY)
    return lambda page, limit: list_workflow_logs.asyncio(client=client, page=page, limit=limit)


def dify_python_sdk_page(address: str) -> Read:
    """The SDK that Dify publishes, whose calls give an httpx response: its JSON values."""
    from dify_client import WorkflowClient

    client = WorkflowClient(KEY, base_url=address)
    return lambda page, limit: client.get_workflow_logs(page=page, limit=limit).json()


def dify_python_sdk_page_async(address: str) -> AsyncRead:
    """The SDK that Dify publishes, whose calls give an httpx response: its JSON values."""
    from dify_client import AsyncWorkflowClient

    client = AsyncWorkflowClient(KEY, base_url=address)

    async def read(page: int, limit: int) -> Any:  # noqa: ANN401 - JSON is anything
        return (await client.get_workflow_logs(page=page, limit=limit)).json()

    return read


def dify_oapi2_page(address: str) -> Read:
    """The typed SDK with builders."""
    from dify_oapi.api.workflow.v1.model.get_workflow_logs_request import GetWorkflowLogsRequest
    from dify_oapi.client import Client
    from dify_oapi.core.model.request_option import RequestOption

    client = Client.builder().domain(address.removesuffix("/v1")).build()
    option = RequestOption.builder().api_key(KEY).build()

    def read(page: int, limit: int) -> Any:  # noqa: ANN401 - its model of a page
        request = GetWorkflowLogsRequest.builder().page(page).limit(limit).build()
        return client.workflow.v1.workflow.logs(request, option)

    return read


def dify_oapi2_page_async(address: str) -> AsyncRead:
    """The typed SDK with builders."""
    from dify_oapi.api.workflow.v1.model.get_workflow_logs_request import GetWorkflowLogsRequest
    from dify_oapi.client import Client
    from dify_oapi.core.model.request_option import RequestOption

    client = Client.builder().domain(address.removesuffix("/v1")).build()
    option = RequestOption.builder().api_key(KEY).build()

    async def read(page: int, limit: int) -> Any:  # noqa: ANN401 - its model of a page
        request = GetWorkflowLogsRequest.builder().page(page).limit(limit).build()
        return await client.workflow.v1.workflow.alogs(request, option)

    return read


READ: Final[dict[str, Callable[[str], Read]]] = {
    HTTPX: httpx_page,
    OURS: sdk_page,
    OURS_FAST: sdk_page_fast,
    DIFY_PYTHON_SDK: dify_python_sdk_page,
    DIFY_OAPI2: dify_oapi2_page,
    STOCK: stock_page,
    LIMIT: raw_page,
}
"""What makes the reader of pages of each client."""

READ_ASYNC: Final[dict[str, Callable[[str], AsyncRead]]] = {
    HTTPX: httpx_page_async,
    OURS: sdk_page_async,
    OURS_FAST: sdk_page_async_fast,
    DIFY_PYTHON_SDK: dify_python_sdk_page_async,
    DIFY_OAPI2: dify_oapi2_page_async,
    STOCK: stock_page_async,
}
"""What makes the asynchronous reader of pages of each client."""

IMPORTS: Final = {
    HTTPX: "import httpx",
    OURS: "import sys\nsys.modules['orjson'] = None\nfrom dify_workflow import DifyWorkflow",
    OURS_FAST: "from dify_workflow import DifyWorkflow",
    DIFY_PYTHON_SDK: "from dify_client import WorkflowClient",
    DIFY_OAPI2: (
        "from dify_oapi.api.workflow.v1.model.get_workflow_logs_request import GetWorkflowLogsRequest\n"
        "from dify_oapi.client import Client\n"
        "from dify_oapi.core.model.request_option import RequestOption"
    ),
    STOCK: "from dify_stock import AuthenticatedClient\nfrom dify_stock.api.logs import list_workflow_logs",
}
"""What a program of each begins with."""

CLIENTS: Final = {
    HTTPX: "client = httpx.Client(headers={{'Authorization': 'Bearer {key}'}})",
    OURS: "client = DifyWorkflow(api_key='{key}', base_url='{address}')",
    OURS_FAST: "client = DifyWorkflow(api_key='{key}', base_url='{address}')",
    DIFY_PYTHON_SDK: "client = WorkflowClient('{key}', base_url='{address}')",
    DIFY_OAPI2: (
        "client = Client.builder().domain('{domain}').build()\n"
        "option = RequestOption.builder().api_key('{key}').build()"
    ),
    STOCK: "client = AuthenticatedClient(base_url='{address}', token='{key}')",
}
"""How each makes a client."""

CALLS: Final = {
    HTTPX: "client.get('{address}/workflows/logs?limit=20').json()['data'][0]",
    OURS: "client.logs.list(limit=20).data[0]",
    OURS_FAST: "client.logs.list(limit=20).data[0]",
    DIFY_PYTHON_SDK: "client.get_workflow_logs(limit=20).json()['data'][0]",
    DIFY_OAPI2: (
        "client.workflow.v1.workflow.logs(GetWorkflowLogsRequest.builder().limit(20).build(), option).data[0]"
    ),
    STOCK: "list_workflow_logs.sync(client=client, limit=20).data[0]",
}
"""How each makes its first call."""


def ids(page: Any) -> Iterable[str]:  # noqa: ANN401 - a page of any client
    """The ids of a page's rows."""
    return [row["id"] for row in page["data"]] if isinstance(page, dict) else [str(row.id) for row in page.data]


def has_more(page: Any) -> bool:  # noqa: ANN401 - a page of any client
    """Whether a page says that there is another."""
    return bool(page["has_more"] if isinstance(page, dict) else page.has_more)
