"""A spec is text from outside: none of it is run, and all of it that is kept stays what it was."""

from __future__ import annotations

import ast
import json
import re
import string
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from generator import text
from generator.problems import GenerationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi import names
from support.generated_packages import document, files_of, imported, operation

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = [
    '"',
    "'",
    '""',
    '"""',
    "'''",
    '""""""',
    '"quoted"',
    '"""quoted"""',
    "\\",
    "\\\\",
    "ends with a backslash\\",
    'ends with both\\"',
    '\\"""',
    '"\\""',
    "\\N{BULLET} \\x41 \\u0041 \\U00000041 \\101 \\n",
    "{",
    "}",
    "{}",
    "{0}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{% endraw %}",
    "{# comment #}",
    "{{ config.__class__ }}",
    "%s %d %(x)s",
    "${x} `x` $(x)",
    "# comment",
    "#}",
    "one\ntwo",
    "one\r\ntwo\rthree",
    "\n\nbegins with lines",
    "   begins with spaces",
    "tab\there",
    "nul\x00here",
    "bell\x07 escape\x1b[31m delete\x7f next line\x85",
    "line\u2028paragraph\u2029",
    "rtl \u202e override \u202c isolate \u2066 end \u2069",
    "\ufeffbyte order mark, zero\u200bwidth, soft\xadhyphen, no-break\xa0space",
    "中文，日本語、한국어 é ü 😀 \U000e0041 \ue000",
    "ﬁ ligature, ſ long s, K kelvin",
    "*/ // -- <!-- --> <script>",
    "coding: utf-7",
    "-*- coding: rot13 -*-",
    "noqa type: ignore pyright: off",
    "Args:\n    x: y\n\nRaises:\n    z",
    "- a list\n- of items\n\n    and code\n",
    "x" * 300,
    "word " * 100,
    "\\" * 200,
    '"' * 200,
]
CANARY = "open('canary', 'w')"
INJECTIONS = [
    f'"""\n{CANARY}\n"""',
    f'""" + str({CANARY}) + """',
    f"'''\n{CANARY}\n'''",
    f'"\n{CANARY}\nx = "',
    f"'\n{CANARY}\nx = '",
    f'\\"""\n{CANARY}\n"""',
    f'\\\\"""\n{CANARY}\n"""',
    f'x")\n{CANARY}\n("',
    f"{{{{ self.__init__.__globals__.__builtins__.{CANARY} }}}}",
    "{{ cycler.__init__.__globals__.os.system('touch canary') }}",
    f"{{% set x = {CANARY} %}}",
    f"{{{CANARY}}}",
    f"\r{CANARY}\r",
    f"\u2028{CANARY}\u2028",
    f"\x0c{CANARY}\x0c",
    f"\n    {CANARY}\n",
    f"]\n{CANARY}\n[",
    f"x: int = {CANARY}",
    f"#\n{CANARY}",
    "__import__('os').system('touch canary')",
]


def words(value: str) -> str:
    """The text without regard for how it is broken into lines."""
    return " ".join(value.replace("\r\n", " ").replace("\r", " ").replace("\n", " ").split(" ")).strip(" \t")


def visible(code: str) -> bool:
    """Whether the code has nothing in it that an editor would not show where it is."""
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    hidden = {"Cc", "Zl", "Zp", "Cs", "Co"}
    return not any(unicodedata.category(one) in hidden or unicodedata.bidirectional(one) in turning for one in code)


def squeezed(value: str) -> str:
    return " ".join(part for part in words(value).replace("\t", " ").split(" ") if part)  # Python 3.13 expands tabs


# --- literals --------------------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters() | st.sampled_from("\"'\\{}%\n\r\t \x00\u2028\u202e#")) | st.sampled_from(
    [*HOSTILE, *INJECTIONS]
)


@given(ANY_TEXT)
@settings(max_examples=500)
def test_a_literal_is_the_text(value: str):
    code = text.literal(value)
    assert ast.literal_eval(code) == value
    assert visible(code)
    code.encode()
    assert isinstance(ast.parse(f"x = {code}").body[0], ast.Assign)


@given(ANY_TEXT, st.sampled_from([0, 4, 8]))
@settings(max_examples=500)
def test_a_docstring_is_the_text(value: str, indent: int):
    code = text.docstring(value, indent)
    if not squeezed(value):
        assert code == ""
        return
    body = f"{' ' * indent}{code}\n"
    tree = ast.parse(f"if 1:\n{body}" if indent else body)
    statement = tree.body[0].body[0] if isinstance(tree.body[0], ast.If) else tree.body[0]
    assert isinstance(statement, ast.Expr)
    assert squeezed(ast.literal_eval(statement.value)) == squeezed(value)
    for line in code.splitlines():
        assert line == line.rstrip(" ")
        assert visible(line)


@given(st.text(string.ascii_letters + " -\n", max_size=400), st.sampled_from([0, 4, 8]))
def test_a_docstring_of_plain_words_fits_its_line(value: str, indent: int):
    for line in text.docstring(value, indent).split("\n"):
        longest = max((len(word) for word in line.split()), default=0)
        assert len(line) <= max(120, longest + indent + 30)


@given(st.text())
@settings(max_examples=300)
def test_names_are_identifiers_that_hide_nothing(value: str):
    for name in (names.field_name(value), names.argument_name(value)):
        ast.parse(f"def f(*, {name}=1): pass\nclass C:\n    {name} = 1")
        assert name.isascii()
        assert not name.startswith("_")
    assert names.field_name(value) not in {"to_dict", "from_dict", "additional_properties", "self", "property", "str"}


@given(st.lists(st.text(), unique=True, min_size=1, max_size=8))
def test_members_of_enums_have_distinct_names(values: list[str]):
    found = names.member_names(values)
    assert len(set(found)) == len(values)
    for name in found:
        ast.parse(f"{name} = 1")
        assert name.isascii()
        assert not name.startswith("_")


@pytest.mark.parametrize("name", ["created_at__before", "id", "type", "a_", "x2", "format", "list"])
def test_a_name_that_python_can_use_stays_as_it_is(name: str):
    assert names.argument_name(name) == name


# --- whole packages --------------------------------------------------------------------------------------------------


VALUES = [*HOSTILE, *INJECTIONS]


def hostile_spec(values: list[str]) -> dict[str, Any]:
    """A spec with the texts wherever a spec has text: of each, schemas and an operation of its number."""
    spec = document()
    for number, value in enumerate(values):
        kind = {"$ref": f"#/components/schemas/Kind{number}"}
        described = {"title": value, "description": value, "example": value, "examples": [value], "default": value}
        ignored = {"$comment": value, "externalDocs": {"url": value, "description": value}, "xml": {"name": value}}
        inline = {"type": "object", **described, **ignored, "properties": {"x": {"type": "string", **described}}}
        thing = {
            "type": "object",
            **described,
            **ignored,
            "properties": {
                f"field {value}": {"type": "string", **described, "format": value, "pattern": value},
                "referring": {**kind, "description": value},
                "kind_at": {"type": "integer", **described},
                "listed": {"type": "array", **described, "items": inline},
                "constant": {"const": value, **described},
                "inline": {"type": "string", "enum": [value, "other"], "x-enum-varnames": [value, value], **described},
                "either": {"anyOf": [kind, {"type": "string", **described}], **described},
                "mapped": {"type": "object", "additionalProperties": inline, **described},
            },
            "required": [f"field {value}", value],
            "discriminator": {"propertyName": value, "mapping": {value: value}},
            f"x-{value}": value,
        }
        parameters = [
            {"name": f"name {value}", "in": "query", "description": value, "schema": {"type": "string", **described}},
            {"name": "kind", "in": "query", "schema": kind},
            {"name": "closed", "in": "query", "schema": {"type": "string", "enum": [value], **described}},
            {"name": "part", "in": "path", "required": True, "description": value, "schema": {"type": "string"}},
        ]
        schema = {"$ref": f"#/components/schemas/Thing{number}"}
        post = operation(
            operationId=f"read_{number}",
            summary=value,
            description=value,
            tags=["things", value],
            parameters=parameters,
            requestBody={"description": value, "content": {"application/json": {"schema": inline, "example": value}}},
            responses={"200": {"description": value, "content": {"application/json": {"schema": schema}}}},
            servers=[{"url": value}],
            **{"x-code": value},
        )
        form = {
            f"name {value}": {"type": "string", "description": value},
            f"file {value}": {"format": "binary", **described},
        }
        events = {"mapping": {value: f"Thing{number}"}, "x-our-default": f"Thing{number}"}
        stream = {"oneOf": [schema], "discriminator": events, **described}
        upload = operation(
            operationId=f"read_it_{number}",
            description=value,
            requestBody={"description": value, "content": {"multipart/form-data": {"schema": {"properties": form}}}},
            responses={"200": {"description": value, "content": {"text/event-stream": {"schema": stream}}}},
        )
        spec["paths"][f"/{number}/upload"] = {"post": upload}
        path = f"/{number} " + value.replace("{", "(").replace("}", ")") + "/{part}"
        spec["components"]["schemas"] |= {
            f"Thing{number}": thing,
            f"Kind{number}": {"type": "string", "enum": ["plain", value], **described},
        }
        spec["paths"][path] = {"post": post, "summary": value, "description": value}
        spec["tags"] = [*spec.get("tags", []), {"name": value, "description": value}]
        spec["info"] = {"title": value, "version": value, "description": value}
    return spec


def files_for(files: dict[str, str], number: int) -> dict[str, str]:
    """The modules for the text of a number: those of its two schemas, of its operations, and of what is in them."""
    return {name: code for name, code in files.items() if re.search(rf"/(thing|kind|read_?(it_)?){number}[_.]", name)}


def docstrings(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def shape(code: str) -> list[str]:
    """What the code consists of, apart from its texts."""
    return sorted(
        type(node).__name__ for node in ast.walk(ast.parse(code)) if not isinstance(node, ast.Expr | ast.Constant)
    )


def check(files: dict[str, str], value: str, harmless: dict[str, str]) -> None:
    """Checks that the text is in the modules wherever it belongs, and has not become anything but text."""
    assert [shape(code) for code in files.values()] == [shape(code) for code in harmless.values()]
    constants = {
        node.value
        for code in files.values()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {value, f"name {value}", f"field {value}"} <= constants
    kept = squeezed(value)
    if kept:
        counts = {name: sum(kept in squeezed(doc) for doc in docstrings(code)) for name, code in files.items()}
        assert all(counts.values())
        assert max(counts.values()) >= 9  # the class of the thing, and each of its fields


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files_for(files_of(hostile_spec(["harmless"]), tmp_path_factory.mktemp("harmless")), 0)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files_of(hostile_spec(VALUES), tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_hostile_text_is_kept_and_makes_no_code(number: int, hostile: dict[str, str], harmless: dict[str, str]):
    check(files_for(hostile, number), VALUES[number], harmless)


def test_hostile_text_makes_no_file_of_its_own(hostile: dict[str, str], harmless: dict[str, str]):
    of_texts = [files_for(hostile, number) for number in range(len(VALUES))]
    assert {len(files) for files in of_texts} == {len(harmless)}
    others = set(hostile).difference(*of_texts)
    assert others == {
        *("__init__.py", "parameters.py", "py.typed", "specification.py", "types.py"),
        *("models/__init__.py", "api/__init__.py", "api/things/__init__.py"),
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANY_TEXT.filter(lambda value: not any("\ud800" <= character <= "\udfff" for character in value)))
def test_any_text_is_kept_and_makes_no_code(value: str, tmp_path: Path, harmless: dict[str, str]):
    check(files_for(files_of(hostile_spec([value]), tmp_path), 0), value, harmless)


def test_hostile_text_is_not_run_and_is_there_at_run_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with imported(hostile_spec(VALUES), tmp_path / "made") as package:
        for number, value in enumerate(VALUES):
            thing_class, kind = getattr(package.models, f"Thing{number}"), getattr(package.models, f"Kind{number}")
            build = getattr(package.api.things, f"read_{number}").build_request
            source = {f"field {value}": 1, "inline": value, "either": value}
            thing = thing_class.from_dict(source)
            assert thing.to_dict() == source
            assert thing.either is kind(value)
            assert thing.inline.value == value
            assert thing.additional_properties == {}
            name = names.argument_name(f"name {value}")
            request = build(part="p", **{name: "x"}, kind=kind(value), closed=value)
            assert request.params == ((f"name {value}", "x"), ("kind", value), ("closed", value))
            upload = getattr(package.api.things, f"read_it_{number}")
            form = {names.argument_name(f"{part} {value}"): "x" for part in ("name", "file")}
            request = upload.build_request(**form)
            assert request.fields == ((f"name {value}", "x"),)
            assert request.files == ((f"file {value}", "x"),)
            events = upload.EVENTS
            assert events == {value: f"Thing{number}"}
            assert upload.load_event(value) is upload.load_event(f"not {value}") is thing_class
            assert request.path.isascii()
            assert repr(thing)
            assert squeezed(value) in squeezed(thing_class.__doc__)
            assert squeezed(value) in squeezed(build.__doc__)
    assert not list(tmp_path.rglob("canary"))


def test_hostile_text_passes_the_type_checkers(tmp_path: Path):
    with imported(hostile_spec([" | ".join(VALUES)]), tmp_path) as package:
        folder = Path(package.__file__).parent
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"include": [folder.name]}), encoding="utf-8")
    for tool, *arguments in (
        ["mypy", "--strict", "--cache-dir=cache", "--config-file=", folder.name],
        ["pyright", "--pythonpath", sys.executable, "-p", "."],
    ):
        done = subprocess.run(
            [Path(sys.executable).with_name(tool), *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr


A = {"type": "object", "properties": {"id": {"type": "string"}}}


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "../../../etc/passwd", "/srv/x", "a/b", "..", ".", "C:\\x", "~/x", "x\x00"),
        *("__init__", "None", "True", "Any", "Model", "types", "models", "class", "import", "self", "object", "list"),
        *("con", "nul", "x;y", "x\ny", "{{ x }}", "日志", "", "A" * 200, "Type", "Self", "Foo.Bar", "foo-bar", "2"),
    ],
)
def test_a_schema_of_any_name_stays_in_its_folder_or_is_refused(name: str, tmp_path: Path):
    spec = document(
        schemas={name: A, "User": {"type": "object", "properties": {"it": {"$ref": f"#/components/schemas/{name}"}}}}
    )
    folder = tmp_path / "inside"
    try:
        with imported(spec, folder) as package:
            made = [one for one in package.models.__all__ if one != "User"]
            assert len(made) == 1
            cls = getattr(package.models, made[0])
            assert type(package.models.User.from_dict({"it": {"id": "1"}}).it) is cls
            files = {path.name for path in (Path(package.__file__).parent / "models").iterdir() if path.is_file()}
            assert len(files) == 3
    except GenerationError as error:
        assert f"#/components/schemas/{name}" in str(error) or f"'{name}'" in str(error)  # noqa: PT017 - as above
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert not [path for path in folder.iterdir() if path.name.startswith("x")]


@pytest.mark.parametrize("place", ["operationId", "tag"])
@pytest.mark.parametrize(
    "name", ["../x", "..", "/x", "a/b", "__init__", "class", "a b", "a.b", "x\n", "{{ x }}", "", "日"]
)
def test_an_operation_or_a_tag_that_is_no_module_is_refused(place: str, name: str, tmp_path: Path):
    parts: dict[str, Any] = {"operationId": name} if place == "operationId" else {"tags": [name]}
    with pytest.raises(GenerationError, match=r"GET /a: its (operationId|first tag) is "):
        files_of(document(paths={"/a": {"get": operation(**parts)}}), tmp_path)
