"""What the sandbox takes and refuses when a run is started or a file uploaded, beyond the recorded exchanges."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_http import client_of

from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox

RUN = "/workflows/run"
NO_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
BAD_REQUEST = (
    '{"code": "bad_request", "message": "The browser (or proxy) sent a request that this server could not understand.",'
    ' "status": 400}\n'
)
UNKNOWN = '{"message": "Internal Server Error", "code": "unknown", "status": 500}\n'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as http:
        yield http


@pytest.fixture(autouse=True)
def forget(sandbox: Sandbox) -> None:
    sandbox.clear_requests()


def run(http: httpx.Client, user: object = "u", **inputs: object) -> httpx.Response:
    return http.post(RUN, json={"inputs": {"query": "x", **inputs}, "user": user})


def message(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_param"
    return response.json()["message"]


# Order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [RUN, f"/workflows/{NO_ID}/run", "/workflows/tasks/x/stop", "/files/upload"])
def test_the_key_is_checked_before_anything_else(path: str, http: httpx.Client) -> None:
    response = http.post(
        path, content=b"{", headers={"Authorization": "Bearer app-wrong", "Content-Type": "text/plain"}
    )
    assert response.status_code == 401


@pytest.mark.parametrize("app", ["chat", "advanced-chat", "agent-chat", "completion"])
@pytest.mark.parametrize("path", [RUN, f"/workflows/{NO_ID}/run", "/workflows/tasks/x/stop"])
def test_body_and_user_are_checked_before_mode_and_the_rest(
    path: str, app: str, sandbox: Sandbox, http: httpx.Client
) -> None:
    key = {"Authorization": f"Bearer {sandbox.keys[app]}"}
    assert http.post(path, content=b"{", headers=key | JSON).text == BAD_REQUEST
    assert message(http.post(path, json={}, headers=key)) == "Arg user must be provided."
    response = http.post(path, json={"inputs": 1, "user": "u"}, headers=key)
    assert (response.status_code, response.json()["code"]) == (400, "not_workflow_app")


def test_types_are_checked_before_workflow_id_and_inputs(http: httpx.Client) -> None:
    assert "validation error" in message(http.post("/workflows/no-uuid/run", json={"inputs": 1, "user": "u"}))
    response = http.post("/workflows/no-uuid/run", json={"inputs": {}, "user": "u"})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_publication_is_checked_before_the_inputs(sandbox: Sandbox, http: httpx.Client) -> None:
    key = {"Authorization": f"Bearer {sandbox.keys['unpublished']}"}
    assert message(http.post(RUN, json={"inputs": {}, "user": "u"}, headers=key)) == "Workflow not published"


@pytest.mark.parametrize(
    "path", ["/workflows/logs", "/info", "/parameters", "/meta", "/site", f"/workflows/run/{NO_ID}"]
)
def test_what_only_reads_has_head_and_options(path: str, http: httpx.Client) -> None:
    get, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.content))
    options = http.options(path, headers={"Authorization": ""})
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", [RUN, "/workflows/x/run", "/workflows/tasks/x/stop", "/files/upload"])
def test_what_changes_things_has_post_and_options_alone(path: str, http: httpx.Client) -> None:
    assert set(http.options(path).headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        response = http.request(method, path)
        assert response.status_code == 405
        assert "Allow" not in response.headers


# Bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"{'user': 'u'}", b'{"user": "u",}', b"\xff\xfe"),
        *(b'{"inputs": {"query": NaN}}', b'{"inputs": 1e999}', b'{"user": "half a pair \\ud83d"}'),
        pytest.param(b"[" * 3000 + b"]" * 3000, id="3,000 nested arrays"),
        pytest.param(b"[" * 100_000, id="100,000 nested arrays"),
    ],
)
@pytest.mark.parametrize("path", [RUN, "/workflows/tasks/x/stop"])
def test_what_is_not_json_is_a_bad_request(path: str, content: bytes, http: httpx.Client) -> None:
    response = http.post(path, content=content, headers=JSON)
    assert (response.status_code, response.text) == (400, BAD_REQUEST)


@pytest.mark.parametrize("content", [b"null", b"[]", b'"text"', b"7", b"true", b"[" * 900 + b"]" * 900])
@pytest.mark.parametrize("path", [RUN, "/workflows/tasks/x/stop"])
def test_json_that_is_no_object_is_a_500(path: str, content: bytes, http: httpx.Client) -> None:
    response = http.post(path, content=content, headers=JSON)
    assert (response.status_code, response.text) == (500, UNKNOWN)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/vnd.api+json", 200),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_the_content_type_has_to_be_one_of_json(content_type: str, status: int, http: httpx.Client) -> None:
    content = b'{"inputs": {"query": "x"}, "user": "u"}'
    response = http.post(RUN, content=content, headers={"Content-Type": content_type})
    assert response.status_code == status
    if status != 200:
        assert response.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(("encoding", "status"), [("utf-8", 200), ("utf-8-sig", 400), ("utf-16", 400), ("utf-32", 400)])
def test_json_is_read_as_utf_8_without_a_byte_order_mark(encoding: str, status: int, http: httpx.Client) -> None:
    body = {"inputs": {"query": "[{\U0001f600"}, "user": "u"}
    content = json.dumps(body, ensure_ascii=False).encode(encoding)
    response = http.post(RUN, content=content, headers=JSON)
    assert response.status_code == status
    if status == 200:
        assert response.json()["data"]["outputs"]["answer"] == "[{\U0001f600"
        assert http.post(RUN, content=json.dumps(body), headers=JSON).json()["data"]["status"] == "succeeded"


NO_DICTIONARY = "Input should be a valid dictionary [type=dict_type,"


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"inputs": []}, {"inputs": f"{NO_DICTIONARY} input_value=[], input_type=list]"}),
        (
            {"inputs": {}, "files": "x"},
            {"files": "Input should be a valid list [type=list_type, input_value='x', input_type=str]"},
        ),
        (
            {"inputs": {}, "files": [{}, 1, None]},
            {
                "files.1": f"{NO_DICTIONARY} input_value=1, input_type=int]",
                "files.2": f"{NO_DICTIONARY} input_value=None, input_type=NoneType]",
            },
        ),
        (
            {"inputs": 1.5, "response_mode": 0},
            {
                "inputs": f"{NO_DICTIONARY} input_value=1.5, input_type=float]",
                "response_mode": (
                    "Input should be 'blocking' or 'streaming' [type=literal_error, input_value=0, input_type=int]"
                ),
            },
        ),
    ],
)
def test_wrong_types_are_listed_in_pydantics_words(
    body: dict[str, Any], problems: dict[str, str], http: httpx.Client
) -> None:
    text = message(http.post(RUN, json={**body, "user": "u"}))
    lines = [line for line in text.split("\n") if "https://errors.pydantic.dev/2.11/v/" not in line]
    plural = "s" if len(problems) > 1 else ""
    assert lines[0] == f"{len(problems)} validation error{plural} for WorkflowRunPayload"
    assert dict(zip(lines[1::2], lines[2::2], strict=True)) == {name: f"  {words}" for name, words in problems.items()}
    assert text.count("\n") == 3 * len(problems)


@pytest.mark.parametrize("mode", [None, "blocking"])
def test_without_a_mode_a_run_is_blocking(mode: str | None, http: httpx.Client) -> None:
    body = {"inputs": {"query": "x"}, "user": "u", "response_mode": mode, "files": None}
    assert http.post(RUN, json=body).json()["data"]["status"] == "succeeded"


# Users -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "text"),
    [(7, "7"), (1.5, "1.5"), (True, "True"), (["a"], "['a']"), ({"a": None}, "{'a': None}"), (" ", " ")],
)
def test_a_user_that_is_no_text_becomes_one(user: object, text: str, sandbox: Sandbox, http: httpx.Client) -> None:
    assert run(http, user=user).status_code == 200
    assert sandbox.started_runs[0].user == text
    log = http.get("/workflows/logs", params={"limit": 1, "created_by_end_user_session_id": text}).json()
    assert log["data"][0]["created_by_end_user"]["session_id"] == text


@pytest.mark.parametrize("user", ["", None, 0, False, [], {}])
def test_an_empty_user_is_none(user: object, http: httpx.Client) -> None:
    assert message(run(http, user=user)) == "Arg user must be provided."
    assert message(http.post("/workflows/tasks/x/stop", json={"user": user})) == "Arg user must be provided."


def test_a_user_of_more_than_255_characters_is_a_500(sandbox: Sandbox, http: httpx.Client) -> None:
    assert run(http, user="中" * 255).status_code == 200
    for response in (
        run(http, user="中" * 256),
        http.post("/workflows/tasks/x/stop", json={"user": "u" * 256}),
        http.post("/files/upload", data={"user": "u" * 256}, files={"file": ("a.txt", b"", "text/plain")}),
    ):
        assert (response.status_code, response.text) == (500, UNKNOWN)
    assert len(sandbox.started_runs) == 1


@pytest.mark.parametrize("user", ["a\0b", "\0"])
def test_a_user_that_a_database_cannot_hold_is_refused(user: str, http: httpx.Client) -> None:
    body = json.dumps({"inputs": {"query": "x"}, "user": user})
    assert message(http.post(RUN, content=body, headers=JSON))


# Inputs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"query": None}, "query is required in input form"),
        ({"query": 7}, "(type 'text-input') query in input form must be a string"),
        ({"query": "x" * 257}, "query in input form must be less than 256 characters"),
        ({"seconds": "soon"}, "seconds in input form must be a valid number"),
        ({"seconds": "1.x"}, "seconds in input form must be a valid number"),
        ({"seconds": -1}, "seconds in input form must be from 0 to 3600"),
        ({"seconds": 3601}, "seconds in input form must be from 0 to 3600"),
        ({"chunks": 0}, "chunks in input form must be from 1 to 10000"),
        ({"document": []}, "document in input form must be a file"),
        ({"documents": {}}, "documents in input form must be a list of files"),
        ({"documents": ["x"]}, "documents in input form must be a list of files"),
        ({"documents": [{}] * 6}, "documents in input form must be less than 5 files"),
    ],
)
def test_an_input_that_breaks_the_forms_rules_is_refused_by_name(
    inputs: dict[str, Any], complaint: str, sandbox: Sandbox, http: httpx.Client
) -> None:
    assert message(run(http, **inputs)) == complaint
    assert sandbox.started_runs == ()


@pytest.mark.parametrize(
    "inputs",
    [
        {"query": ""},
        {"query": "x" * 256},
        {"seconds": "0.01"},
        {"seconds": " "},
        {"chunks": "3"},
        {"chunks": None, "fail": ""},
        {"chunks": True},
        {"unknown": {"a": 1}, "pause": "not on this server"},
        {"documents": []},
    ],
)
def test_other_inputs_are_taken(inputs: dict[str, Any], http: httpx.Client) -> None:
    assert run(http, **inputs).json()["data"]["status"] == "succeeded"


def test_text_loses_its_nul_characters(http: httpx.Client) -> None:
    assert run(http, query="a\0b").json()["data"]["outputs"]["answer"] == "ab"


@pytest.mark.parametrize("number", [[1], {"a": 1}])
def test_a_list_or_an_object_as_a_number_is_a_500(number: object, http: httpx.Client) -> None:
    response = run(http, seconds=number)
    assert (response.status_code, response.json()["code"]) == (500, "internal_server_error")


# Files in inputs -------------------------------------------------------------------------------------------------


def upload(
    http: httpx.Client, name: str = "a.txt", content: bytes = b"hello", kind: str = "text/plain"
) -> httpx.Response:
    return http.post("/files/upload", data={"user": "u"}, files={"file": (name, content, kind)})


def local(id_: object) -> dict[str, object]:
    return {"type": "document", "transfer_method": "local_file", "upload_file_id": id_}


WRONG_TYPE = "Detected file type does not match the specified type. Please verify the file."
REMOTE = {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/chart.png"}


def test_an_uploaded_file_and_a_remote_one_can_be_inputs(sandbox: Sandbox, http: httpx.Client) -> None:
    file = upload(http).json()
    response = run(http, document=local(file["id"]), documents=[REMOTE, local(file["id"])])
    outputs = response.json()["data"]["outputs"]
    assert outputs["document"]["related_id"] == file["id"]
    assert (outputs["document"]["filename"], outputs["document"]["size"]) == ("a.txt", 5)
    assert [document["remote_url"] for document in outputs["documents"]] == [REMOTE["url"], ""]
    assert len(sandbox.started_runs) == 1


def test_files_of_the_request_are_the_runs_system_files(http: httpx.Client) -> None:
    file = upload(http).json()
    body = {"inputs": {"query": "x"}, "user": "u", "files": [local(file["id"])]}
    run_id = http.post(RUN, json=body).json()["workflow_run_id"]
    inputs = json.loads(http.get(f"/workflows/run/{run_id}").json()["inputs"])
    assert [file["filename"] for file in inputs["sys.files"]] == ["a.txt"]


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        (local(NO_ID), "Invalid upload file"),
        (local(None), "Invalid upload file id"),
        (local(""), "Invalid upload file id"),
        (local("no-uuid"), "Invalid upload file id format"),
        (local(7), "Invalid upload file id format"),
        ({**REMOTE, "url": ""}, "Invalid file url"),
        ({**REMOTE, "transfer_method": "pigeon"}, "No matching enum found for value 'pigeon'"),
        ({"type": "image"}, "transfer_method is required in file mapping"),
        ({**REMOTE, "type": "hologram"}, WRONG_TYPE),
        ({**REMOTE, "type": "document"}, WRONG_TYPE),
        ({}, "transfer_method is required in file mapping"),
    ],
)
def test_a_file_that_is_incomplete_or_unknown_is_refused(
    file: dict[str, object], complaint: str, sandbox: Sandbox, http: httpx.Client
) -> None:
    assert message(run(http, document=file)) == complaint
    assert sandbox.started_runs == ()
    # In a list, what names no file at all is left out.
    response = http.post(RUN, json={"inputs": {"query": "x"}, "user": "u", "files": [file]})
    if complaint in {"Invalid file url", "transfer_method is required in file mapping"}:
        assert response.json()["data"]["status"] == "succeeded"
    else:
        assert message(response) == complaint


# Names and content types as the real server distinguished them.
TYPES = {
    "image": [("a.png", "text/plain"), ("a.SVG", ""), ("a.bin", "image/x-icon")],
    "audio": [("a.mp3", "x/y"), ("a.xyz", "audio/flac")],
    "video": [("a.mov", "x/y"), ("a", "video/x-matroska")],
    "document": [("a.md", "x/y"), ("a.PDF", "x/y"), ("a.csv", "x/y"), ("a.py", "text/x-python"), ("a.tsv", "text/tab")],
    "custom": [("a.pptx", "application/vnd.ms"), ("a.xml", "application/xml"), ("a", "application/octet-stream")],
}


@pytest.mark.parametrize(("kind", "files"), TYPES.items())
def test_a_file_has_to_have_the_type_that_its_name_tells(
    kind: str, files: list[tuple[str, str]], http: httpx.Client
) -> None:
    for name, content_type in files:
        id_ = upload(http, name, kind=content_type or "x/y").json()["id"]
        for stated in TYPES:
            response = run(http, document={**local(id_.upper()), "type": stated})
            assert response.status_code == (200 if stated == kind else 400), (name, stated)
            if stated != kind:
                assert message(response) == WRONG_TYPE
        without = {"transfer_method": "local_file", "upload_file_id": id_}
        assert run(http, document=without).status_code == (200 if kind == "custom" else 400)


def test_a_remote_file_must_have_the_type_of_its_address(http: httpx.Client) -> None:
    for url, kind in (("https://x.test/a.pdf?b=.png", "document"), ("https://x.test/a.webp", "image")):
        file = {"transfer_method": "remote_url", "url": url}
        for stated in TYPES:
            assert run(http, document={**file, "type": stated}).status_code == (200 if stated == kind else 400)
        assert run(http, document=file).status_code == 200
    unknown = {"transfer_method": "remote_url", "url": "https://x.test/", "type": "audio"}
    assert run(http, document=unknown).status_code == 200  # it could be one


def test_the_forms_own_lists_of_files_are_checked() -> None:
    lists = {"allowed_file_types": ["document", "custom"], "allowed_file_extensions": [".PPTX", "zip"]}
    form: list[dict[str, Any]] = [
        {"file": {"variable": "doc", **lists, "allowed_file_upload_methods": ["local_file"]}},
        {"file-list": {"variable": "docs", **lists}},
    ]
    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        sandbox.set_workflow(dict, form=form)

        def post(file: dict[str, object]) -> httpx.Response:
            one, several = (
                http.post(RUN, json={"inputs": inputs, "user": "u"}) for inputs in ({"doc": file}, {"docs": [file]})
            )
            assert one.status_code == several.status_code or "url" in file
            return one

        for name, content_type, stated, status in (
            ("a.txt", "text/plain", "document", 200),
            ("a.pptx", "x/y", "custom", 200),
            ("a.png", "image/png", "image", 400),
            ("a.exe", "x/y", "custom", 400),
        ):
            response = post({**local(upload(http, name, kind=content_type).json()["id"]), "type": stated})
            assert response.status_code == status
            if status == 400:
                assert message(response) == f"File validation failed for file: {name}"
        remote = {**REMOTE, "url": "https://x.test/a.txt", "type": "document"}
        assert message(post(remote)) == "File validation failed for file: a.txt"


def test_an_uploaded_file_can_be_fetched_by_its_signed_url(http: httpx.Client) -> None:
    content = bytes(range(256)) * 8000  # more than is kept in memory while it arrives
    for name, kind, data in (("a.bin", "application/octet-stream", content), ("é.txt", "text/plain", b"")):
        file = upload(http, name, data, kind).json()
        run_id = run(http, document={**local(file["id"]), "type": "custom" if name == "a.bin" else "document"}).json()[
            "workflow_run_id"
        ]
        outputs = json.loads(http.get(f"/workflows/run/{run_id}").json()["outputs"])
        for url in (file["source_url"], outputs["document"]["url"]):
            response = httpx.get(url)
            assert (response.status_code, response.content) == (200, data)
            assert response.headers["Content-Type"] == kind
        attached = httpx.get(f"{file['source_url']}&as_attachment=true")
        assert attached.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
        assert httpx.get(file["source_url"].replace("sign=", "sign=0")).status_code == 404
        assert httpx.get(file["source_url"].partition("?")[0]).json()["code"] == "not_found"


def test_the_contents_of_uploads_are_gone_with_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(rows=0) as sandbox, client_of(sandbox) as http:
        assert list(tmp_path.iterdir()) == []
        upload(http)
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_app_is_unknown(sandbox: Sandbox, http: httpx.Client) -> None:
    key = {"Authorization": f"Bearer {sandbox.keys['empty']}"}
    file = http.post("/files/upload", headers=key, files={"file": ("a.txt", b"", "text/plain")}).json()
    assert message(run(http, document=local(file["id"]))) == "Invalid upload file"


# Uploads ---------------------------------------------------------------------------------------------------------


def test_an_upload_is_noted_with_the_hash_of_what_arrived(sandbox: Sandbox, http: httpx.Client) -> None:
    content = bytes(range(256)) * 5000
    response = upload(http, "Café 中.PNG", content, "image/png")
    assert response.status_code == 201
    file = sandbox.uploads[-1]
    assert (file.id, file.name, file.size) == (response.json()["id"], "Café 中.PNG", 1_280_000)
    assert (file.extension, file.mime_type) == ("png", "image/png")
    assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_without_a_user_all_uploads_belong_to_one(http: httpx.Client) -> None:
    def created_by(**fields: str) -> str:
        return http.post("/files/upload", data=fields, files={"file": ("a.txt", b"", "text/plain")}).json()[
            "created_by"
        ]

    assert created_by() == created_by(user="") == created_by(user="DEFAULT-USER") != created_by(user="u")


MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(("name", "limit"), [("a.txt", 15), ("noext", 15), ("a.jpg", 10), ("a.MP3", 50)])
def test_a_file_has_the_limit_of_its_kind(name: str, limit: int, sandbox: Sandbox, http: httpx.Client) -> None:
    content = bytes(limit * MEGABYTE + 1)
    refused = upload(http, name, content)
    assert refused.status_code == 413
    assert refused.json() == {"code": "file_too_large", "message": "File size exceeded. {message}", "status": 413}
    assert upload(http, name, content[:-1]).json()["size"] == limit * MEGABYTE
    assert sandbox.uploads[-1].size == limit * MEGABYTE


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([("user", "u")], 400, "no_file_uploaded"),
        ([("file", "text")], 400, "no_file_uploaded"),
        ([("document", ("a.txt", b"", "text/plain"))], 400, "no_file_uploaded"),
        ([("file", ("a.txt", b"", "text/plain")), ("more", ("b.txt", b"", "text/plain"))], 400, "too_many_files"),
    ],
)
def test_a_form_without_its_one_file_is_refused(
    parts: list[tuple[str, Any]], status: int, code: str, http: httpx.Client
) -> None:
    files = [(name, (None, value) if isinstance(value, str) else value) for name, value in parts]
    response = http.post("/files/upload", files=files)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_of_two_files_of_one_name_the_first_counts(http: httpx.Client) -> None:
    files = [("file", ("a.txt", b"first", "text/plain")), ("file", ("b.txt", b"second", "text/plain"))]
    assert http.post("/files/upload", files=files).json()["name"] == "a.txt"


def form(headers: str, content: str = "x") -> dict[str, Any]:
    text = f"--edge\r\n{headers}\r\n\r\n{content}\r\n--edge--\r\n"
    return {"content": text.encode(), "headers": {"Content-Type": "multipart/form-data; boundary=edge"}}


FILE = 'Content-Disposition: form-data; name="file"; filename='


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (f'{FILE}"a.txt"', 415, "unsupported_file_type"),
        (f'{FILE}""\r\nContent-Type: text/plain', 400, "filename_not_exists_error"),
        (f'{FILE}"a/b.txt"\r\nContent-Type: text/plain', 400, "invalid_param"),
        (f'{FILE}"a%22b.txt"\r\nContent-Type: text/plain', 400, "invalid_param"),
        ('Content-Disposition: form-data; name="file"', 400, "no_file_uploaded"),
    ],
)
def test_a_file_part_needs_a_type_and_a_plain_name(headers: str, status: int, code: str, http: httpx.Client) -> None:
    response = http.post("/files/upload", **form(headers))
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("given", "name", "extension"),
    [
        ("a.tar.GZ", "a.tar.GZ", "gz"),
        (".profile", ".profile", ""),
        ("x" * 250 + ".txt", "x" * 200 + ".txt", "txt"),
    ],
)
def test_a_name_is_kept_and_cut_when_it_is_too_long(given: str, name: str, extension: str, http: httpx.Client) -> None:
    response = upload(http, given).json()
    assert (response["name"], response["extension"]) == (name, extension)


@pytest.mark.parametrize(
    "request_of",
    [
        {"content": b""},
        {"json": {"file": "x"}},
        {"content": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=edge"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"--edge\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=edge"}},
    ],
)
def test_what_is_no_form_has_no_file(request_of: dict[str, Any], http: httpx.Client) -> None:
    response = http.post("/files/upload", **request_of)
    assert (response.status_code, response.json()["code"]) == (400, "no_file_uploaded")


# The app ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["main", "unpublished", "chat", "completion"])
def test_an_app_of_any_mode_says_what_it_is(app: str, sandbox: Sandbox, http: httpx.Client) -> None:
    key = {"Authorization": f"Bearer {sandbox.keys[app]}"}
    info = http.get("/info", headers=key).json()
    assert (info["name"], info["mode"]) == (app, sandbox.app(app).mode)
    assert http.get("/site", headers=key).json()["title"] == app
    assert http.get("/meta", headers=key).json() == {"tool_icons": {}}


def test_the_form_of_a_new_sandbox_matches_its_runs(http: httpx.Client) -> None:
    items = http.get("/parameters").json()["user_input_form"]
    fields = {field["variable"]: (kind, field["required"]) for item in items for kind, field in item.items()}
    assert fields == {
        "query": ("text-input", True),
        "seconds": ("number", False),
        "chunks": ("number", False),
        "fail": ("paragraph", False),
        "error_event": ("paragraph", False),
        "document": ("file", False),
        "documents": ("file-list", False),
    }


# Run details -----------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_every_spelling_of_its_id(http: httpx.Client) -> None:
    run_id = run(http).json()["workflow_run_id"]
    for spelling in (run_id.upper(), run_id.replace("-", ""), "{" + run_id + "}"):
        assert http.get(f"/workflows/run/{spelling}").json()["id"] == run_id
    for other in (run_id[:-1], run_id + "0", "{" + run_id, f"urn:uuid:{run_id}", "x"):
        response = http.get(f"/workflows/run/{other}")
        assert (response.status_code, response.text) == (500, UNKNOWN)


def test_every_generated_run_has_a_detail() -> None:
    with Sandbox(rows=150) as filled, client_of(filled) as http:
        seen = set()
        for log in http.get("/workflows/logs?limit=100").json()["data"]:
            if log["workflow_run"] is None:
                continue
            detail = http.get(f"/workflows/run/{log['workflow_run']['id']}").json()
            for name in ("id", "status", "error", "total_tokens", "total_steps", "created_at", "finished_at"):
                assert detail[name] == log["workflow_run"][name]
            assert json.loads(detail["inputs"])["query"]
            seen.add((detail["status"], detail["outputs"] is None))
    assert {("failed", True), ("running", False), ("succeeded", False), ("stopped", False)} <= seen
    assert not {("failed", False), ("running", True), ("succeeded", True)} & seen
