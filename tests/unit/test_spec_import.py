"""A vendor document is stored byte for byte, or refused on the line that is wrong with nothing changed."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import import_document
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer.documents import MAX_BYTES, read_document
from importer.merging import merged
from lint.checks import vendor_notes
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from openapi.structure import operations
from openapi.tree import plain
from support.page_exports import newer_page, older_page

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = ROOT / "tests" / "documents"
SEED = DOCUMENTS / "get-workflows-logs.zh.md"
WIDGETS = plain(read_yaml((DOCUMENTS / "plain-3.0.yaml").read_text()))
OPERATIONS = [(method, path) for path, method, _ in operations(WIDGETS)]


class Desk:
    """A folder of documents like the project's, and the command that imports into it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.inbox = folder / "inbox"
        self.upstream = folder / "upstream"
        self.inbox.mkdir()
        self.upstream.mkdir()
        self.capsys = capsys
        (self.upstream / SEED.name).write_bytes(SEED.read_bytes())

    def stored(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.upstream.iterdir()}

    def bring(self, name: str, data: bytes | str) -> tuple[int, str, str]:
        path = self.inbox / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return self.call(str(path))

    def call(self, *arguments: str) -> tuple[int, str, str]:
        code = import_document.main([*arguments, "--upstream", str(self.upstream)])
        out, err = self.capsys.readouterr()
        return code, out, err.replace(f"{self.inbox}{os.sep}", "")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


PASTED = "".join(older_page(WIDGETS, method, path, closed=False) for method, path in OPERATIONS)
ACCEPTED: dict[str, tuple[bytes, str]] = {
    "older.md": (older_page(WIDGETS, *OPERATIONS[0]).encode(), "1 page of the older export"),
    "newer.md": (newer_page(WIDGETS, *OPERATIONS[0]).encode(), "1 page of the newer export"),
    "pasted.md": (PASTED.encode(), "2 pages of the older export"),
    "windows.md": (b"\xef\xbb\xbf" + PASTED.replace("\n", "\r\n").encode(), "2 pages of the older export"),
    "plain.yaml": ((DOCUMENTS / "plain-3.0.yaml").read_bytes(), "OpenAPI in YAML"),
    "plain.json": ((DOCUMENTS / "plain-3.1.json").read_bytes(), "OpenAPI in JSON"),
    "misnamed.txt": ((DOCUMENTS / "plain-3.1.json").read_bytes(), "OpenAPI in JSON"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_document_of_every_kind_is_stored_byte_for_byte(desk: Desk, name: str) -> None:
    data, kind = ACCEPTED[name]
    before = desk.stored()
    code, out, _ = desk.bring(name, data)
    assert (code, desk.stored()) == (0, before | {name: data})
    assert out.startswith(f"{name} ({kind}) is stored:\n  ")


def test_importing_the_same_document_again_changes_nothing(desk: Desk) -> None:
    data = ACCEPTED["plain.yaml"][0]
    assert desk.bring("plain.yaml", data)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in desk.upstream.iterdir()}
    code, out, _ = desk.bring("plain.yaml", data)
    assert (code, "was stored already" in out) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in desk.upstream.iterdir()} == before


def test_the_stored_file_itself_can_be_imported(desk: Desk) -> None:
    assert desk.call(str(desk.upstream / SEED.name))[0] == 0


def test_what_an_overlay_should_fix_is_noted_and_no_obstacle(desk: Desk) -> None:
    text = (DOCUMENTS / "plain-3.0.yaml").read_text().replace("value: []", "value: [5]")
    line = text[: text.index("value: [5]")].count("\n") + 1
    code, _, err = desk.bring("plain.yaml", text)
    assert code == 0
    assert err.startswith(f"note: plain.yaml:{line}: ")
    assert "does not fit its schema" in err


MINIMAL = """\
openapi: 3.0.3
info:
  title: t
  version: '1'
paths:
  /a/{b}:
    get:
      parameters:
        - name: b
          in: path
          required: true
          schema:
            type: string
      responses:
        '200':
          description: d
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/A'
components:
  schemas:
    A:
      type: object
      properties:
        c:
          type: string
          enum: [d]
"""


def test_the_minimal_document_is_fine(desk: Desk) -> None:
    assert desk.bring("a.yaml", MINIMAL)[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("openapi: 3.0.3", "openapi: 2.0.0", 1, "version '2.0.0' is not supported; 3.0.x and 3.1.x are"),
        ("openapi: 3.0.3", "openapi: 3.1", 1, "version 3.1 is not supported"),
        ("openapi: 3.0.3", "swagger: '2.0'", 1, "neither a docs-page export"),
        ("  version: '1'", "  version: 1", 4, "not valid OpenAPI"),
        ("      responses:", "      reponses:", 14, "not valid OpenAPI"),
        ("          in: path", "          in: nowhere", 10, "not valid OpenAPI"),
        ("          description: d\n", "", 15, "not valid OpenAPI"),
        ("schemas/A'", "schemas/B'", 20, "leads to nothing"),
        ("'#/components/schemas/A'", "'https://a.example/b.yaml#/A'", 20, "leads out of the document"),
        ("'#/components/schemas/A'", "'../b.yaml'", 20, "leads out of the document"),
        ("'#/components/schemas/A'", "'#/components/schemas/A'\n              schema: {}", 21, "given twice"),
        ("    A:\n", "    A:\n      allOf:\n        - $ref: '#/components/schemas/A'\n", 23, "made of itself"),
        ("    A:\n", "    '../x': {}\n    A:\n", 23, "the name '../x' is not allowed"),
        ("    A:\n", '    "a\\nb": {}\n    A:\n', 23, r"the name 'a\nb' is not allowed"),
        ("    A:\n", '    "a\\x07b": {}\n    A:\n', 23, "U+0007 is not allowed"),
        ("    A:\n", "    𝐀: {}\n    A:\n", 23, "is not allowed"),
        ("  /a/{b}:", "  /a/../{b}:", 6, "is not allowed"),
        ("  /a/{b}:", "  /a/{c}:", 7, "there is no path parameter of that name"),
        ("    get:\n", "    get:\n      security: [{Key: []}]\n", 8, "the security scheme 'Key' is not defined"),
        ("enum: [d]", "enum: [5]", 28, "5 is not of type 'string'"),
        ("          enum: [d]", "          enum: [d]\n          default: e", 29, "does not fit its schema"),
        ("    get:\n", "    get:\n\t", 8, "not YAML"),
        ("components:", "x: &x [*x]\ncomponents:", 21, "stands for nothing before it"),
        ("components:", "x: !!python/name:os.system ''\ncomponents:", 21, "the tag"),
        ("components:", "webhooks: {}\ncomponents:", 21, "not valid OpenAPI"),
        ("components:", "\x00\ncomponents:", 21, "U+0000 is not allowed"),
        (MINIMAL[MINIMAL.index("paths:") :], "paths: {}\n", 1, "describes no operation"),
    ],
)
def test_a_document_that_is_wrong_is_refused_on_its_line(desk: Desk, old: str, new: str, line: int, said: str) -> None:
    assert old in MINIMAL
    before = desk.stored()
    code, out, err = desk.bring("a.yaml", MINIMAL.replace(old, new, 1))
    assert (code, out, desk.stored()) == (1, "", before)
    first = err.splitlines()[0]
    assert first.startswith(f"a.yaml:{line}: "), err
    assert said in err
    assert err.endswith("a.yaml was not imported; nothing has changed\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_in_pasted_pages_the_line_is_that_of_the_whole_file(desk: Desk, newline: str) -> None:
    text = PASTED.replace("type: enum<string>", "type: enumeration")
    line = text[: text.index("type: enumeration")].count("\n") + 1
    assert desk.bring("pasted.md", text.replace("\n", newline))[2].startswith(f"pasted.md:{line}: unknown type")


@pytest.mark.parametrize(
    ("name", "data", "line", "said"),
    [
        ("latin.yaml", MINIMAL.replace("title: t", "title: Café").encode("latin-1"), 3, "byte 0xe9 is not UTF-8"),
        ("wide.yaml", MINIMAL.encode("utf-16"), 1, "is not UTF-8"),
        ("mac.yaml", MINIMAL.replace("\n", "\r").encode(), 1, "U+000D is not allowed"),
        ("empty.yaml", b"", 1, "neither a docs-page export"),
        ("list.yaml", b"- a\n", 1, "neither a docs-page export"),
        ("broken.json", b'{"openapi": "3.1.0",\n "info": }', 2, "not JSON"),
        ("twice.json", b'{"openapi": "3.1.0",\n\n "openapi": "3.1.0"}', 3, "given twice"),
        ("prose.md", b"# A page\n\nwithout a fence\n", 1, "neither a docs-page export"),
        ("large.yaml", b"#" * (MAX_BYTES + 1), 1, "8,000,000 are allowed"),
        ("deep.json", b"{" + b'"a":{' * 100 + b"}" * 101, 1, "64 levels"),
        (".hidden.yaml", MINIMAL.encode(), 1, "the file's name"),
        ("a b.yaml", MINIMAL.encode(), 1, "the file's name"),
        ("-rf.yaml", MINIMAL.encode(), 1, "the file's name"),
        ("GET-workflows-logs.zh.md", SEED.read_bytes(), 1, "take the two names for one"),
        (SEED.name, SEED.read_bytes() + b"\n", 1, "another document is stored as get-workflows-logs.zh.md"),
        ("again.md", SEED.read_bytes(), 9, "GET /workflows/logs is already described by get-workflows-logs.zh.md"),
    ],
)
def test_a_file_that_is_no_document_or_in_the_way_is_refused(
    desk: Desk, name: str, data: bytes, line: int, said: str
) -> None:
    before = desk.stored()
    code, out, err = desk.bring(name, data)
    assert (code, out, desk.stored()) == (1, "", before)
    assert err.startswith(f"{name}:{line}: "), err
    assert said in err


def test_a_schema_with_other_content_is_a_collision_on_its_line(desk: Desk) -> None:
    assert desk.bring("one.yaml", MINIMAL)[0] == 0
    other = MINIMAL.replace("/a/{b}", "/other/{b}").replace("enum: [d]", "enum: [e]")
    code, _, err = desk.bring("two.yaml", other)
    assert (code, sorted(desk.stored())) == (1, [SEED.name, "one.yaml"])
    assert err.startswith("two.yaml:23: #/components/schemas/A: ")
    assert "by one.yaml" in err


def test_a_schema_with_the_same_content_is_no_obstacle(desk: Desk) -> None:
    assert desk.bring("one.yaml", MINIMAL)[0] == 0
    assert desk.bring("two.yaml", MINIMAL.replace("/a/{b}", "/other/{b}"))[0] == 0


def test_a_wrong_stored_document_is_named_and_nothing_is_added(desk: Desk) -> None:
    (desk.upstream / "wrong.yaml").write_text("a: [")
    code, _, err = desk.bring("one.yaml", MINIMAL)
    assert (code, sorted(desk.stored())) == (1, [SEED.name, "wrong.yaml"])
    assert err.startswith("wrong.yaml:1: ")


def test_only_the_name_of_a_path_is_used(desk: Desk) -> None:
    (desk.inbox / "a.yaml").write_text(MINIMAL)
    (desk.inbox / "deeper").mkdir()
    assert desk.call(str(desk.inbox / "deeper" / ".." / "a.yaml"))[0] == 0
    assert sorted(desk.stored()) == ["a.yaml", SEED.name]


def test_a_folder_or_a_pipe_is_refused(desk: Desk) -> None:
    os.mkfifo(desk.inbox / "pipe.yaml")
    for path in (desk.inbox / "pipe.yaml", desk.inbox):
        code, _, err = desk.call(str(path))
        assert (code, "not a regular file" in err) == (1, True)


def test_terminal_codes_in_a_name_are_shown_not_sent(desk: Desk) -> None:
    code, _, err = desk.bring("a\x1b[31m.yaml", MINIMAL)
    assert code == 1
    assert "\x1b" not in err
    assert "a\\x1b[31m.yaml" in err


def test_at_most_twenty_findings_are_listed(desk: Desk) -> None:
    more = "".join(f"    '{number}/x': {{}}\n" for number in range(30))
    _, _, err = desk.bring("a.yaml", MINIMAL.replace("    A:\n", more + "    A:\n"))
    assert len(err.splitlines()) == 22
    assert err.splitlines()[20] == "... and 10 more"


@pytest.mark.parametrize("arguments", [[], ["a.yaml", "b.yaml"], ["--wrong"], [""], ["there-is-no-such-file.yaml"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "import_document.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: import_document.py" in done.stderr


BASES = [data for data, _ in ACCEPTED.values()] + [SEED.read_bytes(), MINIMAL.encode()]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A document with a piece cut out, doubled or replaced."""
    data = draw(st.sampled_from(BASES))
    begin = draw(st.integers(0, len(data)))
    end = min(begin + draw(st.integers(0, 40)), len(data))
    words = [*b"\n{}[]:-#*&|>'\"`!%\t\0\x85".replace(b" ", b"").split(), b"$ref", b"allOf", b"\xff", b"null", b"[]"]
    middle = draw(st.sampled_from([b"", data[begin:end] * 2, *words, *(bytes([char]) for char in b"{}[]:-#*&|>'`\t")]))
    return data[:begin] + middle + data[end:]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode()), damaged()))
def test_any_bytes_are_read_or_refused_with_a_line(data: bytes) -> None:
    try:
        document = read_document("any", data)
    except SpecError as error:
        found = [finding.line for finding in error.findings]
    else:
        found = [1] if document.parts else []
    assert found
    assert all(1 <= line <= data.count(b"\n") + 1 for line in found)


KEYS = [
    *("nullable", "enum", "allOf", "$ref", "properties", "items", "required", "requiredProperties", "refIdentifier"),
    *("type", "default", "examples", "example", "schemaArray", "schema", "parameters", "security", "servers", "title"),
    *("responses", "tags", "content", "discriminator", "exclusiveMinimum", "components", "paths", "not", "const"),
]
PIECES = [
    *(
        None,
        5,
        1.5,
        True,
        "x",
        "",
        [],
        {},
        [1],
        [{}],
        [None],
        {"a": 1},
        ["string", "null"],
        "null",
        "file",
        "enum<string>",
    ),
    *({"$ref": "#/components/schemas/Part"}, {"$ref": "#/paths"}, {"type": "object"}, "#/components/schemas/Kind"),
]


def places(node: Any) -> list[tuple[Any, Any]]:
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_the_structure_a_document_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["older.md", "plain.yaml", "plain.json"]))
    text = ACCEPTED[name][0].decode()
    before, fence, body = text.partition("/widgets\n") if name == "older.md" else ("", "", text)
    body = body.partition("\n````")[0]
    tree = json.loads(body) if name == "plain.json" else plain(read_yaml(body))
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(tree)))
        if data.draw(st.booleans()):
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(PIECES)))
        elif isinstance(holder[key], dict):
            holder[key][data.draw(st.sampled_from(KEYS))] = copy.deepcopy(data.draw(st.sampled_from(PIECES)))
        else:
            del holder[key]
    try:
        document = read_document("any", f"{before}{fence}{json.dumps(tree)}\n".encode())
    except SpecError as error:
        findings = error.findings
    else:
        findings = [finding for part in document.parts for finding in vendor_notes(part)]
        merged([document, document])
    assert all(finding.text for finding in findings)


def test_a_document_that_claims_our_name_gains_nothing(desk: Desk) -> None:
    marks: Any = "    A:\n      x-our-rebuilt: true\n      x-our-name: B\n"
    assert desk.bring("a.yaml", MINIMAL.replace("    A:\n", marks))[0] == 0
