"""openapi-core as the validator of requests: whether the stored spec allows them."""

from __future__ import annotations

import copy
import functools
import gc
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from support.spec import OPERATIONS, SPEC, parameters

if TYPE_CHECKING:
    from dify_workflow._http.library import httpx

HOST = "http://judged.test"


class ValidatedRequest:
    """An httpx request, as openapi-core looks at it."""

    host_url = HOST

    def __init__(self, request: httpx.Request, path: str, *, reads_body: bool) -> None:
        self.method = request.method.lower()
        self.path = path
        self.content_type = request.headers.get("Content-Type", "")
        self.body = request.read() if reads_body else None
        # openapi-core takes no empty text in a query, where to this API it is the same as none: that is left out.
        query = parse_qsl(request.url.query.decode("ascii"))
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(query), header=Headers(list(request.headers.items()))
        )


class SpecValidator:
    """Finds what a request has that the spec does not allow.

    Args:
        spec: the document; its one server, which is a variable, cannot be matched by openapi-core, so another stands
            in for it.
    """

    def __init__(self, spec: dict[str, Any] = SPEC) -> None:
        config = Config(extra_format_validators={"uuid": is_uuid})
        self._api = OpenAPI.from_dict({**copy.deepcopy(spec), "servers": [{"url": HOST}]}, config=config)

    def objections(self, request: httpx.Request, *, base_url: str) -> list[str]:
        """What the spec has against a request to a server with this base URL; nothing is the good response."""
        before = re.match(r"https?://[^/]*(.*)", base_url.rstrip("/"))
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        if before is None or not path.startswith(before[1] + "/"):
            return [f"{path} is not below {base_url}"]
        path = path.removeprefix(before[1])
        found = undeclared(request, path)
        # A file is read as it is sent, and only once: what its form has is compared byte by byte in the walk.
        reads_body = not request.headers.get("Content-Type", "").startswith("multipart/")
        try:
            self._api.validate_request(ValidatedRequest(request, path, reads_body=reads_body))
        except OpenAPIError as error:
            if reads_body or "body" not in type(error).__name__.lower():
                found.append(_text(error))
        return found


@functools.cache
def validator() -> SpecValidator:
    """The validator of the stored spec, made when the first request is validated: it takes half a second."""
    made = SpecValidator()
    gc.freeze()  # the garbage collector would go through all of it often
    return made


def is_uuid(value: object) -> bool:
    """Whether it is a UUID as the API takes them: with dashes or, other than JSON Schema's format, without."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"[0-9a-fA-F]{8}(-?)([0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}", value) is not None
    )


def undeclared(request: httpx.Request, path: str) -> list[str]:
    """The query parameters that the operation does not have: openapi-core lets them pass."""
    for name, (method, template, _) in OPERATIONS.items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if method.upper() == request.method and re.fullmatch(pattern, unquote(path)):
            declared = {parameter["name"] for parameter in parameters(name) if parameter["in"] == "query"}
            sent = parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)
            return [f"the query parameter {key!r} is not declared" for key, _ in sent if key not in declared]
    return []


def _text(error: BaseException) -> str:
    texts = [f"{type(error).__name__}: {error}"]
    cause = error.__cause__
    texts += [_text(cause)] if cause is not None else []
    texts += [str(one) for one in getattr(error, "schema_errors", ())]
    return "; ".join(texts)
