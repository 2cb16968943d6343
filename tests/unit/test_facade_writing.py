"""What is written into the facade for a new parameter, field or operation, and that nothing else changes."""

from __future__ import annotations

import ast
import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import facade
import facade_coverage
import pytest
from support.spec import SPEC
from writing.sandbox import example
from writing.source import WIDTH, Source, UnwritableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dify_workflow"
Spec = dict[str, Any]
KEYS = {operation.key: operation for operation in facade_coverage.operations(SPEC)}
BODIES = ("WorkflowRunRequest", "StopRequest", "FormSubmission")


def changed(change: Callable[[Spec], object]) -> tuple[list[str], list[str], dict[str, str]]:
    """What is written and refused after a change of the spec, and the new texts of files by their names."""
    spec = copy.deepcopy(SPEC)
    change(spec)
    written, refused, files = facade.changes(spec, ROOT)
    for path, text in files.items():
        assert {*unknown_imports(path, text, {*files})} == set()
    return written, refused, {path.relative_to(ROOT).as_posix(): text for path, text in files.items()}


def unknown_imports(path: Path, text: str, made: set[Path]) -> Iterator[str]:
    """The modules of the SDK that a module imports from and that are not there."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            parts = node.module.replace("_sync", "_async").split(".")  # the sync client is made afterwards
            found = path.parents[node.level - 1].joinpath(*parts)
            if found.with_suffix(".py") not in made and not (found.is_dir() or found.with_suffix(".py").is_file()):
                yield node.module


def operation(spec: Spec, key: str) -> Spec:
    method, _, path = key.partition(" ")
    found: Spec = spec["paths"][path][method.lower()]
    return found


def add_parameter(spec: Spec, key: str, **schema: Any) -> None:
    new = {"name": "newLimit", "in": "query", "description": "Only so many.", "schema": {"type": "integer", **schema}}
    operation(spec, key).setdefault("parameters", []).append(new)


def add_field(spec: Spec, name: str, **schema: Any) -> None:
    schema = {"description": 'Why """it\\" is so.', **schema}
    spec["components"]["schemas"][name]["properties"]["newReason"] = schema


def async_modules(files: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in files.items() if "/_async/" in name}


def functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


class WithoutKeyword(ast.NodeTransformer):
    """Takes a keyword out of signatures, calls, and docstrings again."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        pairs = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        kept = [(argument, default) for argument, default in pairs if argument.arg not in self.names]
        node.kwonlyargs, node.kw_defaults = [one for one, _ in kept], [one for _, one in kept]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords = [one for one in node.keywords if one.arg not in self.names]
        return node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if ast.unparse(node.test).startswith(f"{self.names[0]} is not None and "):
            return None
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            entry = rf"^ +(?:{'|'.join(self.names)}): .*\n(?: {{16}}.*\n)*"
            node.value = re.sub(entry, "", node.value, flags=re.MULTILINE)
        return node


def undone(text: str, *names: str) -> str:
    return ast.dump(WithoutKeyword(*names).visit(ast.parse(text)))


@pytest.mark.parametrize("key", KEYS)
def test_a_new_parameter_becomes_a_keyword_of_every_method(key: str) -> None:
    written, refused, files = changed(lambda spec: add_parameter(spec, key, minimum=1, default=5))
    assert refused == []
    methods = {door.name for door in facade_coverage.doors() if key in door.keys}
    assert {line.split(" ")[0].removeprefix("client.") for line in written} == methods
    additions = files["src/dify_workflow/sandbox/additions.py"]
    table = ast.literal_eval(re.search(r"^FIELDS[^=]*= (\{.*?\n?\})\n\"", additions, re.MULTILINE | re.DOTALL)[1])  # type: ignore[index]
    assert table == {key: [{"name": "newLimit", "where": "query", "minimum": 1, "kinds": ["integer"]}]}
    modules = {name: text for name, text in files.items() if not name.endswith("additions.py")}
    texts = "".join(modules.values())
    assert texts.count("new_limit: only so many; at least 1; the server's own default is 5.") == len(methods)
    assert "new_limit=new_limit" in texts
    for name, text in modules.items():
        before = (ROOT / name).read_text("utf-8")
        assert undone(text, "new_limit") == undone(before, "new_limit")
        resource = name.partition("_async/resources/")[2].removesuffix(".py")
        wanted = {method.partition(".")[2] for method in methods if method.startswith(f"{resource}.")}
        assert wanted <= {one.name for one in functions(text) if "new_limit" in {a.arg for a in one.args.kwonlyargs}}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("schema", "annotation", "check"),
    [
        ({"type": "string", "maxLength": 9}, "str | None", '"text", longest=9'),
        ({"type": ["integer", "null"], "minimum": 0, "default": 3}, "int | None", '"integer", minimum=0'),
        ({"type": "array", "items": {"type": "string"}}, "Iterable[Any] | None", '"array", items="text"'),
        (
            {"anyOf": [{"$ref": "#/components/schemas/NodeStatus"}, {"type": "string"}]},
            "NodeStatus | str | None",
            '"text"',
        ),
    ],
)
def test_a_new_field_of_a_body_is_checked_and_sent(name: str, schema: Spec, annotation: str, check: str) -> None:
    written, refused, files = changed(lambda spec: add_field(spec, name, **schema))
    assert (bool(written), refused) == (True, [])
    for file, text in async_modules(files).items():
        called = re.sub(r"\s+", " ", text)
        assert f'newReason=checked_field("new_reason", new_reason, {check})' in called
        assert f"new_reason: {annotation} = None" in called
        assert "new_reason: why '''it\\\\\" is so" in text
        ast.parse(text)
        if "NodeStatus" in annotation:
            assert re.search(r"^    from \.\.\.models import .*\bNodeStatus\b", text, re.MULTILINE), file


def test_what_only_one_of_two_operations_has_excludes_the_other() -> None:
    for key, condition in (
        ("POST /workflows/run", "if new_limit is not None and workflow_id is not None:"),
        ("POST /workflows/{workflow_id}/run", "if new_limit is not None and workflow_id is None:"),
    ):
        _, refused, files = changed(lambda spec, key=key: add_parameter(spec, key, default=5))
        text = files["src/dify_workflow/_async/resources/runs.py"]
        assert refused == []
        assert max(map(len, text.splitlines())) <= WIDTH
        for function in functions(text):
            if function.name in {"run", "stream"}:
                assert "new_limit: int | None=None" in ast.unparse(function)
                assert isinstance(function.body[1], ast.If)
                assert ast.unparse(function.body[1]).startswith(condition)
                assert "raise ValueError" in ast.unparse(function.body[1])
        [helper] = [one for one in functions(text) if one.name == "_start"]
        assert ast.unparse(helper).count("new_limit=new_limit") == 1


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"in": "header", "schema": {"type": "string"}}, "in the header is not supported"),
        ({"in": "query", "schema": {"type": "array", "items": {"type": "string"}}}, "a form of its own"),
        ({"in": "query", "required": True, "schema": {"type": "string"}}, "which no caller does yet"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(parameter: Spec, reason: str) -> None:
    new = {"name": "newLimit", **parameter}
    written, refused, files = changed(lambda spec: operation(spec, "GET /info").update(parameters=[new]))
    assert (written, files) == ([], {})
    assert refused[0].startswith("client.app.info cannot be given `")
    assert reason in refused[0]


def new_operation(spec: Spec, key: str, name: str, tag: str, **more: Any) -> None:
    method, _, path = key.partition(" ")
    response = {
        "description": "x",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AppInfo"}}},
    }
    spec["paths"][path] = {method.lower(): {"operationId": name, "tags": [tag], "responses": {"200": response}, **more}}


def test_a_new_operation_becomes_a_method_of_a_new_resource() -> None:
    flag = {"name": "deep", "in": "query", "schema": {"type": "boolean", "default": False}}
    written, refused, files = changed(
        lambda spec: new_operation(spec, "GET /health", "get_health", "health", parameters=[flag], summary="It's up.")
    )
    assert (written, refused) == (["client.health.get is new: it calls GET /health"], [])
    module = files["src/dify_workflow/_async/resources/health.py"]
    assert "    async def get(self, *, deep: bool = False, timeout: TimeoutOption = None) -> AppInfo:" in module
    assert '        """It\'s up: `GET /health`.\n' in module
    assert "        return await self._base_client.call(get_health.build_request(deep=deep), timeout)" in module
    client = files["src/dify_workflow/_async/client.py"]
    assert "    def health(self) -> AsyncHealth:" in client
    assert "    from .resources.health import AsyncHealth\n" in client
    types = files["src/dify_workflow/types.py"]
    for line in (
        "from ._sync.resources.health import Health",
        '"AsyncHealth",',
        '"AsyncRawHealth",',
        '"Health": "._sync.resources.health",',
        '"RawHealth": "._sync.resources.raw_resources",',
    ):
        assert f"    {line}\n" in types
    assert '    "get_health": ["health.get"],\n' in files["tests/contract/test_completeness.py"]
    stubs = ast.literal_eval(
        files["src/dify_workflow/sandbox/additions.py"].partition("STUBS")[2].partition("= ")[2].partition('\n"""')[0]
    )
    assert stubs["GET /health"][0] == 200
    assert stubs["GET /health"][1].keys() == {*SPEC["components"]["schemas"]["AppInfo"]["required"]}


def test_a_new_operation_joins_the_resource_that_there_is() -> None:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/StopRequest"}}}}
    identity = {"name": "file_id", "in": "path", "required": True, "schema": {"type": "string"}}
    written, refused, files = changed(
        lambda spec: new_operation(
            spec, "POST /files/{file_id}/x", "post_x", "files", parameters=[identity], requestBody=body
        )
    )
    assert (written, refused) == (["client.files.create is new: it calls POST /files/{file_id}/x"], [])
    text = files["src/dify_workflow/_async/resources/files.py"]
    before = (PACKAGE / "_async" / "resources" / "files.py").read_text("utf-8")
    assert "    async def create(self, file_id: str, *, user: str, timeout: TimeoutOption = None) -> AppInfo:" in text
    assert "body=fields_body(user=checked_user(user))" in text
    assert [one.name for one in functions(text)] == [*(one.name for one in functions(before)), "create"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"responses": {"200": {"description": "", "content": {"text/event-stream": {"schema": {}}}}}}, "event-stream"),
        ({"tags": ["Not a name"]}, "no name for a resource"),
        (
            {
                "requestBody": {
                    "content": {"multipart/form-data": {"schema": {"properties": {"a": {"type": "string"}}}}}
                }
            },
            "a form needs a method of its own",
        ),
    ],
)
def test_an_operation_that_cannot_be_written_is_refused(more: Spec, reason: str) -> None:
    written, refused, files = changed(
        lambda spec: (new_operation(spec, "GET /x", "get_x", "x"), operation(spec, "GET /x").update(more))
    )
    assert (written, files) == ([], {})
    assert refused[0].startswith("GET /x (get_x) cannot be made a method: ")
    assert reason in refused[0]


def test_a_way_to_the_request_is_followed_through_functions(tmp_path: Path) -> None:
    text = (
        "from x import op\n\nclass A:\n    def get(self, *, old=None, timeout=None):\n"
        '        """One.\n\n        Args:\n            old: it.\n        """\n        return way(old=old)\n\n'
        "def way(*, old):\n    return op.build_request(old=old)\n"
    )
    path = tmp_path / "a.py"
    path.write_text(text, "utf-8")
    source = Source(path)
    [function] = source.functions("A.get")
    source.add_keyword(function, "new=None", "old")
    source.add_description(function, "            new: it.\n", "old")
    assert source.text == text.replace("old=None, ", "old=None, new=None, ").replace(
        "old: it.\n", "old: it.\n            new: it.\n"
    )
    with pytest.raises(UnwritableError, match="takes no keywords"):
        source.add_keyword(next(functions("def f(a): ...")), "new=None", None)


def test_an_example_is_what_its_schema_allows() -> None:
    schema: Spec = {
        "type": "object",
        "required": ["id", "at", "n", "list", "kind", "maybe", "inner"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": ["string", "null"]},
            "n": {"type": "integer", "minimum": 3},
            "list": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "kind": {"enum": ["a", "b"]},
            "maybe": {"anyOf": [{"$ref": "#/components/schemas/AppInfo"}, {"type": "null"}]},
            "inner": {"allOf": [{"type": "object", "required": ["x"], "properties": {"x": {"const": 1}}}]},
        },
    }
    found = example(SPEC, schema)
    assert found.pop("id").count("-") == 4
    assert found == {"at": None, "n": 3, "list": [""], "kind": "a", "maybe": None, "inner": {"x": 1}}
    with pytest.raises(UnwritableError, match="requires itself"):
        example({"a": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/a"}}}}, {"$ref": "#/a"})
