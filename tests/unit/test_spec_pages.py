"""Pages of both export generations come back as the OpenAPI they were made from."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importer.documents import read_document
from importer.legacy_docs_pages import REBUILT
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from openapi.structure import operations, schemas
from openapi.tree import line_of, plain
from openapi.upgrade import upgraded
from support.page_exports import filtered, newer_page, older_page

DOCUMENTS = Path(__file__).parent.parent / "documents"
WIDGETS = plain(read_yaml((DOCUMENTS / "plain-3.0.yaml").read_text()))
OPERATIONS = [(method, path) for path, method, _ in operations(WIDGETS)]
SEED = DOCUMENTS / "get-workflows-logs.zh.md"


def read(text: str) -> list[dict[str, Any]]:
    return [plain(part) for part in read_document("page.md", text.encode()).parts]


def as_an_older_page_leaves_it(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The source of a page without what the older format drops."""
    document = copy.deepcopy(filtered(document, method, path))
    operation = document["paths"][path][method]
    del operation["operationId"], operation["tags"]
    for key in ("security", "tags", "info"):
        document.pop(key, None)
    operation["servers"] = document.pop("servers")
    for parameter in operation.get("parameters", []):
        parameter["schema"].pop("format", None)
    return document


def without_marks(document: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    document.pop("info")
    document.pop("openapi")
    for part in schemas(document):
        part.node.pop(REBUILT, None)
    return document


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_older_page_gives_back_its_operation(method: str, path: str) -> None:
    [converted] = read(older_page(WIDGETS, method, path))
    expected = plain(upgraded({"openapi": "3.0.3", **as_an_older_page_leaves_it(WIDGETS, method, path)}))
    expected.pop("openapi")
    used = converted["components"]["securitySchemes"]
    expected["components"]["securitySchemes"] = {name: expected["components"]["securitySchemes"][name] for name in used}
    assert without_marks(converted) == expected


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_newer_page_gives_back_its_document(method: str, path: str) -> None:
    [converted] = read(newer_page(WIDGETS, method, path))
    assert converted == plain(upgraded(filtered(WIDGETS, method, path)))


@pytest.mark.parametrize("closed", [True, False], ids=["fences closed", "fences missing"])
@pytest.mark.parametrize("make", [older_page, newer_page])
def test_pages_pasted_together_are_read_like_pages_alone(make: Any, closed: bool) -> None:
    alone = [make(WIDGETS, method, path) for method, path in OPERATIONS]
    together = "".join(make(WIDGETS, method, path, closed=closed) for method, path in OPERATIONS)
    assert read(together) == [part for page in alone for part in read(page)]


def test_pages_of_both_generations_may_share_a_file() -> None:
    (one, first), (two, second) = OPERATIONS
    document = read_document(
        "both.md", (older_page(WIDGETS, one, first, closed=False) + newer_page(WIDGETS, two, second)).encode()
    )
    assert document.kind == "1 page of the older export and 1 page of the newer export"
    assert [list(part["paths"]) for part in document.parts] == [[first], [second]]


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(change: Any) -> None:
    text = older_page(WIDGETS, *OPERATIONS[0])
    assert read(change(text)) == read(text)


def test_a_schema_used_twice_by_anchor_and_alias_is_two_schemas() -> None:
    text = older_page(WIDGETS, *OPERATIONS[1])
    body = read(text)[0]["paths"][OPERATIONS[1][1]]["post"]["requestBody"]["content"]
    assert "&id" in text
    assert body["application/json"] is not body["multipart/form-data"]


@pytest.mark.parametrize("end", ["```\n", "```\n\n## More\n", ""], ids=["closed", "with text behind it", "not closed"])
def test_a_code_sample_before_the_page_is_skipped(end: str) -> None:
    text = older_page(WIDGETS, *OPERATIONS[0])
    heading, fence, page = text.partition("````yaml")
    sample = f"```bash\n# not a heading\ncurl https://example.com\n{end}"
    assert read(heading + sample + fence + page) == read(text)


def test_the_seed_becomes_openapi() -> None:
    [document] = read(SEED.read_text())
    operation = document["paths"]["/workflows/logs"]["get"]
    assert operation["summary"] == "获取 workflow 日志"
    assert operation["description"] == "倒序返回 workflow 日志。"
    assert operation["security"] == [{"ApiKeyAuth": []}]
    assert operation["servers"][0]["variables"]["api_base_url"] == {
        "description": "实际的 API 基础 URL",
        "default": "https://api.dify.ai/v1",
    }
    assert [(p["name"], p["in"], p["schema"]["type"]) for p in operation["parameters"]] == [
        ("keyword", "query", "string"),
        ("status", "query", "string"),
        ("page", "query", "integer"),
        ("limit", "query", "integer"),
    ]
    assert operation["parameters"][1]["schema"]["enum"] == ["succeeded", "failed", "stopped", "running"]
    assert [p["schema"].get("default") for p in operation["parameters"]] == [None, None, 1, 20]
    assert list(operation["responses"]) == ["200"]
    content = operation["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/WorkflowLogsResponseCn"}
    components = document["components"]
    assert components["securitySchemes"]["ApiKeyAuth"]["scheme"] == "bearer"
    assert list(components["schemas"]) == [
        "WorkflowLogItemCn",
        "WorkflowRunSummaryCn",
        "EndUserSummaryCn",
        "WorkflowLogsResponseCn",
    ]
    page = components["schemas"]["WorkflowLogsResponseCn"]["properties"]
    assert page["data"]["items"] == {"$ref": "#/components/schemas/WorkflowLogItemCn"}
    log = components["schemas"]["WorkflowLogItemCn"]["properties"]
    assert log["created_by_account"] == {"type": ["string", "null"], "format": "uuid", "description": "（可选）帐号。"}
    assert log["workflow_run"]["$ref"] == "#/components/schemas/WorkflowRunSummaryCn"


def test_what_is_converted_knows_the_lines_of_the_page() -> None:
    [document] = read_document("seed.md", SEED.read_bytes()).parts
    lines = SEED.read_text().split("\n")
    operation = ("paths", "/workflows/logs", "get")
    for where, text in [
        ((*operation, "parameters", 2, "schema", "default"), "default: 1"),
        ((*operation, "parameters", 1), "status:"),
        ((*operation, "responses", "200"), "'200':"),
        (("components", "schemas", "EndUserSummaryCn", "properties", "is_anonymous"), "is_anonymous:"),
    ]:
        assert lines[line_of(document, where) - 1].strip() == text


PAGE = """\
# Title

````yaml openapi.json get /things
paths:
  path: /things
  method: get
  servers: []
  request:
    security: []
    parameters:
      path: {}
      query:
        size:
          schema:
            - type: string
      header: {}
      cookie: {}
    body: {}
  response:
    '200':
      application/json:
        schemaArray:
          - type: object
            properties:
              a:
                allOf:
                  - type: string
        description: Fine.
  deprecated: false
  type: path
components:
  schemas: {}
````
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("get /things", "get /other", 5, "names '/other'"),
        ("yaml openapi.json get /things", "yaml openapi.json", 3, "yaml FILE METHOD PATH"),
        ("yaml openapi.json get", "yaml openapi.json webhook", 3, "a page about a webhook is not supported"),
        ("type: path", "type: webhook", 30, "only `path` is"),
        ("method: get", "method: put", 6, "`method` is 'put'"),
        ("  deprecated: false", "  depricated: false", 29, "unknown key 'depricated' in `paths`"),
        ("- type: string\n      header", "- type: text\n      header", 15, "unknown type 'text'"),
        ("- type: string\n      header", "- type: enum<string>\n      header", 15, "needs a list `enum`"),
        ("- type: string\n      header", "- {}\n      header", None, ""),
        ("- type: string\n      header", "- {required: [a]}\n      header", 15, "`required` must be true or false"),
        ("- type: object", "- refIdentifier: Thing", 23, "refIdentifier 'Thing' must be"),
        ("        schemaArray:\n", "        schemas:\n", 22, "unknown key 'schemas' in a content type"),
        ("    body: {}", "    body: []", 18, "`body` must be a mapping"),
        ("    security: []", "    security: [{title: A}]", 9, "`parameters` is missing"),
        ("  schemas: {}", "  schemas: {}\n  links: {}", 33, "unknown key 'links' in `components`"),
        ("components:", "# a comment\ncomponents:", 32, "line 31 ended it"),
        ("paths:\n", "", 30, "not YAML"),
    ],
)
def test_an_older_page_of_another_format_is_refused_on_its_line(
    old: str, new: str, line: int | None, said: str
) -> None:
    assert old in PAGE
    text = PAGE.replace(old, new, 1)
    if line is None:
        assert read(text)[0]["paths"]["/things"]["get"]["parameters"][0]["schema"] == {}
        return
    with pytest.raises(SpecError) as caught:
        read(text)
    assert [finding.line for finding in caught.value.findings] == [line]
    assert said in caught.value.findings[0].text


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ("[]", ([], {})),
        ("[{title: '', parameters: {query: {}, header: {}, cookie: {}}}]", ([{}], {})),
        (
            "[{title: Key, parameters: {query: {key: {type: apiKey}}}}]",
            ([{"Key": []}], {"Key": {"type": "apiKey", "in": "query", "name": "key"}}),
        ),
        ("[{title: Key, parameters: {header: {Authorization: {type: oauth2}}}}]", "'oauth2' is not supported"),
        ("[{title: Key, parameters: {header: {Authorization: {type: http}}}}]", "needs its `scheme`"),
        ("[{title: A, parameters: {header: {a: {type: apiKey}, b: {type: apiKey}}}}]", "2 parameters, but the title"),
    ],
)
def test_security_is_converted_or_refused(security: str, expected: Any) -> None:
    text = PAGE.replace("security: []", f"security: {security}")
    if isinstance(expected, str):
        with pytest.raises(SpecError, match=expected):
            read(text)
        return
    [document] = read(text)
    schemes = document.get("components", {}).get("securitySchemes", {})
    assert (document["paths"]["/things"]["get"]["security"], schemes) == expected


def test_a_response_without_content_has_none() -> None:
    placeholder = "_mintlify/placeholder"
    [document] = read(PAGE.replace("application/json", placeholder).replace("- type: object", "- type: any"))
    assert document["paths"]["/things"]["get"]["responses"] == {"200": {"description": "Fine."}}


# Schemas below the top level are kept as they are, so it is the top level that has to vary.
TEXT = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=5)
SCALARS = st.one_of(
    st.builds(lambda text: {"type": "string", "description": text}, TEXT),
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(0, 9)),
    st.just({"type": "string", "format": "binary"}),
    st.just({"type": "number", "maximum": 2.5, "nullable": True}),
    st.lists(TEXT, min_size=1, unique=True).map(lambda values: {"type": "string", "enum": values}),
    st.lists(st.integers(), min_size=1, unique=True).map(lambda values: {"type": "integer", "enum": values}),
    st.just({"type": "boolean", "nullable": True}),
    st.just({"$ref": "#/components/schemas/Widget"}),
    st.just({"$ref": "#/components/schemas/Kind"}),
    st.just({}),
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items}),
        st.dictionaries(TEXT, inner, max_size=3).map(lambda fields: {"type": "object", "properties": fields}),
        st.dictionaries(TEXT, inner, min_size=1, max_size=3).map(
            lambda fields: {"type": "object", "required": sorted(fields), "properties": fields}
        ),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: {"type": "array", "items": {"allOf": some}}),
    ),
    max_leaves=6,
)
NOT_A_UNION = NESTED.filter(lambda schema: not schema.get("nullable"))
UNIONS = st.builds(
    lambda some, takes_null: {"anyOf": some, **({"nullable": True} if takes_null else {})},
    st.lists(NOT_A_UNION, min_size=2, max_size=3),
    st.booleans(),
)


@settings(deadline=None, max_examples=40)
@given(st.one_of(NESTED, UNIONS), st.booleans())
def test_any_schema_survives_the_older_page(schema: dict[str, Any], required: bool) -> None:
    document = copy.deepcopy(WIDGETS)
    operation = document["paths"]["/widgets"]["get"]
    operation["responses"]["200"]["content"]["application/json"] = {"schema": schema}
    operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    operation["parameters"] = [{"name": "p", "in": "query", "schema": schema}]
    if required:
        operation["requestBody"]["required"] = operation["parameters"][0]["required"] = True
    [converted] = read(older_page(document, "get", "/widgets"))
    wanted = plain(upgraded(document))["paths"]["/widgets"]["get"]
    got = converted["paths"]["/widgets"]["get"]
    for key in ("parameters", "requestBody", "responses"):
        assert got[key] == wanted[key]
