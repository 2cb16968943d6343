"""A new operation as a method of its resource, which is made where there is none yet."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING, Any

import facade_coverage
from openapi.references import followed

from writing.keywords import Keyword, check_of, described, keyword_of
from writing.source import WIDTH, Source, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from facade_coverage import Operation

    from writing.keywords import Package

_TIMEOUT = "timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given."
_VERBS = {"GET": "get", "POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}


def write(package: Package, spec: dict[str, Any], operation: Operation, tests: Path) -> str:
    """Writes the method of an operation; what was written, in words.

    Args:
        package: The SDK's modules.
        spec: The compiled spec.
        operation: The operation.
        tests: The module that lists the methods of each operation.

    Raises:
        UnwritableError: It cannot be written so.
    """
    if operation.method not in _VERBS:
        raise UnwritableError(f"the method {operation.method} is not supported")
    path = package.root / "_async" / "resources" / f"{operation.tag}.py"
    cls = _class_of(operation.tag)
    is_new = not path.exists() and path not in package.sources
    if is_new and not operation.responses and not _streams(spec, operation):  # `_returned` refuses a stream
        raise UnwritableError("without a body in its response, it can only join a resource that there is")
    if is_new:
        package.sources[path] = Source(path, _module(operation.tag, cls))
        _add_property(package.source(package.root / "_async" / "client.py"), operation.tag, cls)
        _export(package.source(package.root / "types.py"), operation.tag, cls)
    source = package.source(path)
    name = _name(source, cls, operation)
    text, imports = _method(spec, operation, name)
    found = next((one for one in source.tree.body if isinstance(one, ast.ClassDef) and one.name == cls), None)
    if found is None:
        raise UnwritableError(f"{path.name} has no class {cls}")
    assert found.end_lineno is not None  # noqa: S101 - for the type checker
    source.insert_lines(found.end_lineno + 1, f"\n{text}")
    for module, word, for_types in imports:
        source.add_import(module, word, for_types=for_types)
    _list(package.source(tests), operation.name, f"{operation.tag}.{name}")
    return f"client.{operation.tag}.{name} is new: it calls {operation.key}"


def _streams(spec: dict[str, Any], operation: Operation) -> bool:
    return any("text/event-stream" in content for content in _contents(spec, operation))


def _contents(spec: dict[str, Any], operation: Operation) -> list[dict[str, Any]]:
    """What each successful response can hold, by its media type."""
    responses = spec["paths"][operation.path][operation.method.lower()]["responses"]
    return [followed(spec, one).get("content", {}) for status, one in responses.items() if status[0] == "2"]


def _class_of(tag: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", tag):
        raise UnwritableError(f"the tag {tag!r} is no name for a resource")
    return "Async" + "".join(word.capitalize() for word in tag.split("_"))


def _module(tag: str, cls: str) -> str:
    words, raw = tag.replace("_", " "), _raw(cls)
    return (
        f'"""The operations on {words}."""\n\nfrom __future__ import annotations\n\n'
        "from typing import TYPE_CHECKING\n\nfrom . import AsyncResource\n\n"
        "if TYPE_CHECKING:\n    from ..._http.config import TimeoutOption\n"
        f"    from .raw_resources import {raw}\n\n\n"
        f'class {cls}(AsyncResource):\n    """The operations on {words}."""\n\n'
        '    __module__ = "dify_workflow.types"\n    __slots__ = ()\n\n'
        f"    @property\n    def with_raw_response(self) -> {raw}:\n"
        '        """The same methods, which return the response: its status, its headers, and `.parse()` for the '
        'result."""\n'
        f"        from .raw_resources import {raw}  # noqa: PLC0415 - loaded when needed\n\n"
        f"        return {raw}(self._base_client)\n"
    )


def _raw(cls: str) -> str:
    return f"AsyncRaw{cls.removeprefix('Async')}"


def _export(types: Source, tag: str, cls: str) -> None:
    """Makes both classes of a resource public types."""
    homes = {cls: f"._async.resources.{tag}", _raw(cls): "._async.resources.raw_resources"}
    homes |= {name.removeprefix("Async"): home.replace("_async", "_sync") for name, home in homes.items()}
    for name, home in homes.items():
        types.add_import(home, name, for_types=True)
    for node in types.tree.body:
        if isinstance(node, ast.Assign) and _target(node) == "__all__" and isinstance(node.value, ast.List):
            for name in homes:
                _insert(types, node.value.elts, name, f'"{name}"')
        if isinstance(node, ast.Assign) and _target(node) == "_HOME" and isinstance(node.value, ast.Dict):
            for name, home in homes.items():
                if not name.startswith("Async"):
                    _insert(types, node.value.keys, name, f'"{name}": "{home}"', node.value.values)


def _insert(
    source: Source, keys: Sequence[ast.expr | None], key: str, text: str, values: Sequence[ast.expr] | None = None
) -> None:
    """Inserts an item into a list or a mapping whose keys are sorted texts."""
    known = [one for one in keys if isinstance(one, ast.Constant)]
    following = next((one for one in known if str(one.value) > key), None)
    if following is not None:
        source.insert_before(following, f"{text},\n    ")
    else:
        source.insert_after((values or known)[-1], f",\n    {text}")


def _add_property(client: Source, tag: str, cls: str) -> None:
    base_url = next(iter(client.functions("AsyncDifyWorkflow.base_url")), None)
    if base_url is None or client.functions(f"AsyncDifyWorkflow.{tag}"):
        raise UnwritableError(f"the property {tag} of the client is taken, or its place is not found")
    line = min([base_url.lineno, *(one.lineno for one in base_url.decorator_list)])
    client.insert_lines(
        line,
        f"    @property\n    def {tag}(self) -> {cls}:\n"
        f'        """The operations on {tag.replace("_", " ")}."""\n'
        f"        from .resources.{tag} import {cls}  # noqa: PLC0415 - loaded when needed\n\n"
        f"        return {cls}(self._base_client)\n\n",
    )
    client.add_import(f"._async.resources.{tag}", cls, for_types=True)


def _name(source: Source, cls: str, operation: Operation) -> str:
    words = operation.name.split("_")
    verb = words[0] if words[0] in {"list", "search", "submit", "stop", "start"} else _VERBS[operation.method]
    for name in (verb, operation.name):
        if not source.functions(f"{cls}.{name}") and not source.has_inserted(f"def {name}("):
            return name
    raise UnwritableError(f"{cls} has a method {operation.name} already")


# --- the method ------------------------------------------------------------------------------------------------------


def _method(spec: dict[str, Any], operation: Operation, name: str) -> tuple[str, list[tuple[str, str, bool]]]:
    imports: list[tuple[str, str, bool]] = [
        (f"dify_workflow_api.api.{operation.tag}", operation.name, False),
        ("._http.config", "TimeoutOption", True),
    ]
    signature, entries, given, fields = ["self"], [], [], []
    keywords = ["*"]
    for parameter in operation.parameters:
        is_body = parameter.where == "body"
        keyword = keyword_of(spec, parameter, facade_coverage.annotation(spec, parameter), is_beside=is_body)
        imports += [one for one in keyword.imports if one[1] != "checked_field"]
        entries.append(described(parameter, keyword.name))
        if parameter.where == "path":
            signature.append(f"{keyword.name}: str")
        else:
            keywords.append(keyword.written if keyword.default else f"{keyword.name}: {keyword.annotation}")
        if parameter.where == "form":
            raise UnwritableError("a form needs a method of its own")
        if is_body:
            fields.append(f"{parameter.name}={_field(spec, parameter, keyword, imports)}")
        else:
            given.append(f"{keyword.name}={keyword.name}")
    if fields:
        given.append(f"body=fields_body({', '.join(fields)})")
        imports.append(("._runs.arguments", "fields_body", False))
    returned, read = _returned(spec, operation, imports)
    call = f"{operation.name}.build_request({', '.join(given)})"
    result = f"await self._base_client.{read.format(call=call)}"
    arguments = ", ".join([*signature, *keywords, "timeout: TimeoutOption = None"])
    text = (
        f"    async def {name}({arguments}) -> {returned}:\n"
        f'        """{_summary(spec, operation)}\n\n        Args:\n{"".join(entries)}            {_TIMEOUT}\n\n'
        "        Raises:\n            ValueError: an argument that cannot be sent; nothing was sent.\n"
        "            DifyError: no usable response came, or one with an error status.\n"
        f'        """\n        return {result}\n'
    )
    return text, imports


def _field(
    spec: dict[str, Any], parameter: facade_coverage.Parameter, keyword: Keyword, imports: list[tuple[str, str, bool]]
) -> str:
    if parameter.name == "user" and parameter.required:
        imports.append(("._runs.arguments", "checked_user", False))
        return "checked_user(user)"
    imports.append(("._runs.arguments", "checked_field", False))
    kind, bounds = check_of(spec, parameter)
    more = {**({"required": True} if parameter.required else {}), **bounds}
    return f"checked_field({', '.join([repr(keyword.name), keyword.name, repr(kind), *_options(more)])})"


def _options(values: dict[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in values.items()]


def _returned(spec: dict[str, Any], operation: Operation, imports: list[tuple[str, str, bool]]) -> tuple[str, str]:
    """The type that the method gives, and how the call is made."""
    contents = _contents(spec, operation)
    kinds = {kind for content in contents for kind in content}
    if not kinds:
        imports.append(("._http", "decode", False))
        return "None", "send({call}, decode.nothing, timeout)"
    if kinds == {"application/json"} and len(operation.responses) == 1:
        name = operation.responses[0].get("$ref", "").rpartition("/")[2]
        if name and "properties" in spec["components"]["schemas"][name]:
            imports.append((".models", name, True))
            return name, "call({call}, timeout)"
        if followed(spec, operation.responses[0]).get("type") == "object":
            imports += [("._http", "decode", False), ("typing", "Any", True)]
            return "Any", 'send({call}, decode.reader("json"), timeout)'
    raise UnwritableError(f"a response of {', '.join(sorted(kinds))} of this form needs a method of its own")


def _summary(spec: dict[str, Any], operation: Operation) -> str:
    text = str(spec["paths"][operation.path][operation.method.lower()].get("summary", ""))
    text = "".join(c if c.isprintable() else " " for c in text).replace("`", "'").replace("\\", "/").replace('"', "'")
    text = " ".join(text.split()).rstrip(".")
    if not text or text == operation.key:
        text = "Call the operation"
    lines = textwrap.wrap(f"{text}: `{operation.key}`.", WIDTH - 12, break_on_hyphens=False)
    return "\n        ".join(lines)


def _list(tests: Source, operation: str, method: str) -> None:
    """Lists the method among those of its operation, in alphabetical order."""
    for node in tests.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and _target(node) == "METHODS_OF":
            _insert(tests, node.value.keys, operation, f'"{operation}": ["{method}"]', node.value.values)
            return
    raise UnwritableError(f"{tests.path.name} has no METHODS_OF")


def _target(node: ast.Assign) -> str:
    return ast.unparse(node.targets[0])
