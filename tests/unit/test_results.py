"""What runs and uploads give: values that can be used at once, and nothing lost of what was received."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import ANYTHING

from dify_workflow import WorkflowRunError, models, remote_file
from dify_workflow._http import decode
from dify_workflow._runs.arguments import run_body
from dify_workflow.results import DetailedLog, Upload, WorkflowRunDetail, WorkflowRunResult

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICE = "application/vnd.openxmlformats-officedocument"
RUN = "916618be-4488-4448-bdaf-677f56287f43"
INPUTS = '{"query": "hello \\u4e2d\\u6587", "sys.files": [], "n": 1.50}'
DETAIL: dict[str, Any] = {
    "id": RUN,
    "workflow_id": "8cc5e2c0-5323-44b6-a08a-3332f17414f6",
    "status": "succeeded",
    "inputs": INPUTS,
    "outputs": '{"answer": "hello \\u4e2d\\u6587", "note": null}',
    "error": None,
    "total_steps": 3,
    "total_tokens": 0,
    "created_at": 1795384741,
    "finished_at": 1795384741,
    "elapsed_time": 0.046627,
}


def detail(**changes: Any) -> WorkflowRunDetail:
    return WorkflowRunDetail.from_dict(DETAIL | changes)


def copies(value: Any) -> list[Any]:
    """The value, copied in every way that there is."""
    pickled = [
        pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - its own pickle
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    return [copy.copy(value), copy.deepcopy(value), *pickled]


# --- inputs and outputs -----------------------------------------------------------------------------------------------

DEEP = "[" * 200_000

# What came in `inputs`, what is given, and what is given as the text.
RECEIVED: list[tuple[Any, Any, str | None]] = [
    (INPUTS, {"query": "hello 中文", "sys.files": [], "n": 1.5}, INPUTS),
    ("{}", {}, "{}"),
    ("null", None, "null"),
    ("[1, 2]", [1, 2], "[1, 2]"),
    ('"text"', "text", '"text"'),
    ("7", 7, "7"),
    ("true", True, "true"),
    (' {"a": 1}\n', {"a": 1}, ' {"a": 1}\n'),
    ('{"a": 1, "a": 2}', {"a": 2}, '{"a": 1, "a": 2}'),
    ('{"a": 1e400, "b": 1E2}', {"a": float("inf"), "b": 100.0}, '{"a": 1e400, "b": 1E2}'),
    ('{"z": "\\ud800", "a": "\\/"}', {"z": "\ud800", "a": "/"}, '{"z": "\\ud800", "a": "\\/"}'),
    ("plain text", "plain text", "plain text"),
    ("{'a': 1}", "{'a': 1}", "{'a': 1}"),
    ('{"cut": ', '{"cut": ', '{"cut": '),
    ("", "", ""),
    (DEEP, DEEP, DEEP),
    ({"a": [1, None]}, {"a": [1, None]}, None),
    ([], [], None),
    (None, None, None),
    (7, 7, None),
    (False, False, None),
]


@pytest.mark.parametrize("name", ["inputs", "outputs"])
@pytest.mark.parametrize(("received", "given_as", "text"), RECEIVED, ids=lambda value: repr(value)[:20])
def test_json_text_becomes_its_value_and_nothing_is_lost(name: str, received: Any, given_as: Any, text: Any):
    body = DETAIL | {name: received}
    found = WorkflowRunDetail.from_dict(body)
    for one in [found, *copies(found)]:
        assert getattr(one, name) == given_as
        assert type(getattr(one, name)) is type(given_as)
        assert getattr(one, f"{name}_text") == text
        assert one.to_dict() == body
        assert list(one.to_dict()) == list(body)
        assert one == found


def test_not_a_number_inside_the_text_is_kept_as_it_came():
    found = detail(outputs='{"score": NaN}')
    assert found.outputs["score"] != found.outputs["score"]
    for one in [found, *copies(found)]:
        assert one.to_dict()["outputs"] == '{"score": NaN}'


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda value: value.update(a=True), {"a": True, "b": [1]}),
        (lambda value: value.update(a=1.0), {"a": 1.0, "b": [1]}),
        (lambda value: value["b"].append(2), {"a": 1, "b": [1, 2]}),
        (lambda value: value.clear(), {}),
        (lambda value: value.update(a=1), '{"a": 1, "b": [1]}'),
    ],
    ids=["to True", "to 1.0", "inside", "emptied", "to the same"],
)
def test_what_was_changed_in_the_value_is_what_to_dict_gives(change: Any, expected: Any):
    found = detail(inputs='{"a": 1, "b": [1]}')
    change(found.inputs)
    for one in [found, *copies(found)]:
        assert json.dumps(one.to_dict()["inputs"]) == json.dumps(expected)
        assert one == found
    assert found.to_dict()["outputs"] == DETAIL["outputs"]


def test_another_value_takes_the_place_of_the_text():
    found = detail()
    found.inputs, found.outputs = {"new": 1}, None
    assert found.to_dict() == DETAIL | {"inputs": {"new": 1}, "outputs": None}


@pytest.mark.parametrize("value", [{1, 2}, float, b"bytes"], ids=repr)
def test_any_decoded_value_replaces_the_text(value: Any):
    found = detail()
    found.inputs = value
    assert found.to_dict()["inputs"] == value


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": RUN},
        {"inputs": INPUTS},
        {"outputs": "{}", "id": RUN},
        DETAIL | {"created_by": {"id": "x"}, "inputs_truncated": False},
        {"new": 1} | DETAIL,
        dict(reversed(DETAIL.items())),
        dict.fromkeys(DETAIL),
        DETAIL | {"status": "dreaming"},
        DETAIL | {"status": ["odd"], "created_at": "yesterday", "id": 7},
    ],
    ids=lambda body: repr(body)[:20],
)
def test_objects_with_fewer_more_or_odd_fields_are_kept(body: dict[str, Any]):
    found = WorkflowRunDetail.from_dict(body)
    for one in [found, *copies(found)]:
        assert one.to_dict() == body
        assert one == found


def test_equal_details_read_the_same_whether_text_or_object_came():
    assert detail(inputs='{"a": 1}') == detail(inputs={"a": 1}) == detail(inputs='{ "a" :1}')
    assert detail(inputs='{"a": 1}') != detail(inputs='{"a": 2}')
    assert detail() != models.WorkflowRun.from_dict(DETAIL)


def test_copies_do_not_share_what_they_hold():
    found = detail(inputs='{"a": [1]}')
    for one in copies(found):
        one.inputs["a"].append(2)
        assert found.inputs == {"a": [1]}


def test_a_detail_made_by_hand_has_no_texts():
    made = WorkflowRunDetail(id=RUN, inputs={"a": 1})
    assert (made.inputs_text, made.outputs_text) == (None, None)
    assert made.to_dict() == {"id": RUN, "inputs": {"a": 1}}
    assert all(one == made for one in copies(made))


def test_what_the_server_says_of_a_run_stays_what_the_model_says():
    found = detail()
    assert isinstance(found, models.WorkflowRun)
    assert found.created_at_utc == found.finished_at_utc
    assert found.status is models.WorkflowRunStatus.SUCCEEDED
    assert RUN in repr(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.one_of(JSON.map(json.dumps), st.builds(json.dumps, JSON, indent=st.just(1)), st.text(max_size=10))


@given(st.one_of(TEXTS, JSON), st.dictionaries(st.sampled_from([*DETAIL, "new"]), JSON, max_size=4))
def test_anything_in_any_field_comes_back(outputs: Any, others: dict[str, Any]):
    body = others | {"outputs": outputs}
    found = WorkflowRunDetail.from_dict(body)
    for one in (found, copy.copy(found), copy.deepcopy(found)):
        assert json.dumps(one.to_dict()) == json.dumps(body)


# --- raise_for_status -------------------------------------------------------------------------------------------------

ENDS = [(status, status in {"failed", "stopped"}) for status in models.WorkflowRunStatus]
ODD_ENDS = [(odd, False) for odd in ("dreaming", "FAILED", None, 7, ["failed"], {"failed": 1})]


def result(status: Any, error: Any = None) -> WorkflowRunResult:
    return WorkflowRunResult.from_dict(
        {"task_id": "t", "workflow_run_id": RUN, "data": {"status": status, "error": error}}
    )


@pytest.mark.parametrize(("status", "is_raised"), [*ENDS, *ODD_ENDS], ids=repr)
@pytest.mark.parametrize("make", [result, lambda status: detail(status=status)], ids=["result", "detail"])
def test_only_a_run_that_failed_or_was_stopped_is_raised(make: Any, status: Any, is_raised: bool):
    run = make(str(status) if isinstance(status, str) else status)
    if not is_raised:
        assert run.raise_for_status() is run
        return
    with pytest.raises(WorkflowRunError) as caught:
        run.raise_for_status()
    assert (caught.value.status, caught.value.error, caught.value.workflow_run_id) == (status, None, RUN)
    assert str(caught.value).endswith(": (no error text)")


@pytest.mark.parametrize(
    ("status", "says"), [("failed", f"the run {RUN} failed: boom"), ("stopped", f"the run {RUN} was stopped: boom")]
)
def test_the_error_of_a_run_names_its_cause_and_can_be_pickled(status: str, says: str):
    for run in (result(status, "boom"), detail(status=status, error="boom")):
        with pytest.raises(WorkflowRunError) as caught:
            run.raise_for_status()
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - its own pickle
            assert str(error) == says
            assert (error.status, error.error, error.workflow_run_id) == (status, "boom", RUN)


# --- results of blocking runs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [None, [], "x", 7, {}], ids=repr)
def test_a_result_without_its_data_is_still_a_result(data: Any):
    body = {"task_id": "t", "workflow_run_id": RUN, "data": data}
    found = WorkflowRunResult.from_dict(body)
    assert (found.status, found.outputs, found.error) == (None, None, None)
    assert found.raise_for_status() is found
    assert found.to_dict() == body


def test_a_result_is_its_operations_model_and_can_be_copied():
    found = result("partial-succeeded", "one node failed")
    assert isinstance(found, models.WorkflowRunResponse)
    assert found.status is models.WorkflowRunStatus.PARTIAL_SUCCEEDED
    for one in copies(found):
        assert type(one) is WorkflowRunResult
        assert one == found
        assert one.to_dict() == found.to_dict()


# --- uploads ----------------------------------------------------------------------------------------------------------


def upload(**fields: Any) -> Upload:
    return Upload.from_dict({"id": "u-1", "name": "a.bin", "mime_type": "application/octet-stream"} | fields)


@pytest.mark.parametrize(
    ("name", "mime_type", "kind"),
    [
        ("a.pdf", "application/pdf", "document"),
        ("a.TXT", "text/plain", "document"),
        ("a.docx", None, "document"),
        ("a.csv", "application/octet-stream", "document"),
        ("a.md", "text/markdown", "document"),
        ("a.png", "image/png", "image"),
        ("a.webp", "application/octet-stream", "image"),
        ("a.svg", "image/svg+xml", "image"),
        ("a.bmp", "image/bmp", "image"),
        ("a.mp3", "audio/mpeg", "audio"),
        ("a.mpga", None, "audio"),
        ("a.ogg", "audio/ogg", "audio"),
        ("a.mp4", "video/mp4", "video"),
        ("a.webm", "audio/webm", "video"),
        ("a.mkv", "video/x-matroska", "video"),
        ("photo", "image/jpeg", "image"),
        ("pdf", "application/pdf", "document"),
        (".pdf", "application/zip", "custom"),
        *[(f"a.{ending}", None, "custom") for ending in ["pptx", "doc", "xml", "epub", "eml", "msg", "ppt"]],
        ("a.pptx", f"{OFFICE}.presentationml.presentation", "custom"),
        ("a.eml", "message/rfc822", "custom"),
        ("a.xml", "application/xml", "custom"),
        ("a.py", "text/x-python", "document"),
        ("a.tsv", "text/tab-separated-values", "document"),
        ("a.odt", "application/vnd.oasis.opendocument.text", "document"),
        ("a.odi", "application/vnd.oasis.opendocument.image", "image"),
        ("a.zip", "application/zip", "custom"),
        ("a.exe", "document/x", "custom"),
        ("", "", "custom"),
        (None, None, "custom"),
        (7, ["image/png"], "custom"),
    ],
)
def test_an_upload_is_an_input_of_the_servers_kind(name: Any, mime_type: Any, kind: str):
    found = upload(name=name, mime_type=mime_type)
    assert found.as_input() == {"type": kind, "transfer_method": "local_file", "upload_file_id": "u-1"}


@pytest.mark.parametrize("kind", ["document", "image", "audio", "video", "custom"])
def test_another_kind_can_be_asked_for(kind: Any):
    assert upload().as_input(kind)["type"] == kind
    assert upload().as_input(type=kind)["type"] == kind


@pytest.mark.parametrize("kind", ["pdf", "", "Image", 7, ["image"], {}], ids=repr)
def test_a_kind_that_there_is_not_is_refused(kind: Any):
    with pytest.raises(ValueError, match=r"^type must be one of 'document', 'image', 'audio', 'video', 'custom', got "):
        upload().as_input(kind)
    with pytest.raises(ValueError, match=r"^type must be one of 'document', 'image', 'audio', 'video', 'custom', got "):
        remote_file("https://example.com/a", kind)


@pytest.mark.parametrize("missing", [None, "", 7], ids=repr)
def test_an_upload_without_an_id_is_no_input(missing: Any):
    with pytest.raises(ValueError, match=r"^this upload has no id, and cannot be used$"):
        upload(id=missing).as_input()


@pytest.mark.parametrize("url", ["http://x/a.png", "https://x/a?b=c#d", "HTTPS://X/é"])
def test_a_remote_file_is_an_address_that_the_server_fetches(url: str):
    assert remote_file(url, "image") == {"type": "image", "transfer_method": "remote_url", "url": url}


@pytest.mark.parametrize(
    "url", ["", "a.png", "/a.png", "ftp://x/a", "file:///etc/passwd", None, b"https://x", 7], ids=repr
)
def test_what_is_no_address_is_no_remote_file(url: Any):
    with pytest.raises(ValueError, match=r"^url must begin with 'http://' or 'https://'"):
        remote_file(url, "image")


# --- inputs to run again ---------------------------------------------------------------------------------------------

FILE_ID = "368794bd-ef9f-4d64-a808-5adc7bd2085d"
STORED = {
    "dify_model_identity": "__dify__file__",
    "id": None,
    "type": "document",
    "transfer_method": "local_file",
    "remote_url": "",
    "filename": "a.txt",
    "extension": ".txt",
    "mime_type": "text/plain",
    "size": 10,
    "related_id": FILE_ID,
    "url": f"http://dify.test/files/{FILE_ID}/file-preview?sign=signature",
}
SENT = {"type": "document", "transfer_method": "local_file", "upload_file_id": FILE_ID}
REMOTE = STORED | {"transfer_method": "remote_url", "remote_url": "https://example.com/a.png", "related_id": None}
REMOTE |= {"type": "image"}
SENT_REMOTE = {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"}


UNRELATED = {name: value for name, value in REMOTE.items() if name != "related_id"}


def run_with(inputs: Any) -> WorkflowRunDetail:
    """A run whose inputs were received as JSON text, as every measured server sends them."""
    return WorkflowRunDetail.from_dict({"id": RUN, "inputs": json.dumps(inputs)})


def test_stored_files_become_references_at_any_depth():
    found = run_with(
        {
            "query": "hi",
            "doc": STORED,
            "docs": [STORED, REMOTE, "text", UNRELATED],
            "deep": {"list": [{"file": STORED}], "number": 1.5, "null": None},
            "sys.files": [STORED, REMOTE],
            "sys.user_id": "u-1",
            "sys.timestamp": 1,
        }
    )
    before = found.to_dict()
    assert found.inputs_for_rerun() == {
        "query": "hi",
        "doc": SENT,
        "docs": [SENT, SENT_REMOTE, "text", SENT_REMOTE],
        "deep": {"list": [{"file": SENT}], "number": 1.5, "null": None},
    }
    assert found.files_for_rerun() == [SENT, SENT_REMOTE]
    assert found.to_dict() == before
    assert run_body(
        found.inputs_for_rerun(), user="u", files=found.files_for_rerun(), trace_session_id=None, mode="blocking"
    )


@given(st.dictionaries(st.text().filter(lambda name: not name.startswith("sys.")), ANYTHING, max_size=4))
def test_inputs_without_files_are_sent_again_as_they_are(inputs: dict[str, Any]):
    assert run_with(inputs | {"sys.query": 1}).inputs_for_rerun() == inputs


@pytest.mark.parametrize("inputs", [{}, {"sys.files": []}, {"sys.files": None}, None], ids=repr)
def test_a_run_without_inputs_has_none_to_send_again(inputs: Any):
    assert WorkflowRunDetail.from_dict({"id": RUN, "inputs": inputs}).inputs_for_rerun() == {}
    assert WorkflowRunDetail.from_dict({"id": RUN, "inputs": inputs}).files_for_rerun() is None


def test_a_file_of_a_tool_is_sent_again_by_the_tools_id():
    [found] = run_with({"a": STORED | {"transfer_method": "tool_file"}}).inputs_for_rerun().values()
    assert found == {"type": "document", "transfer_method": "tool_file", "tool_file_id": FILE_ID}


@pytest.mark.parametrize("broken", [STORED | {"related_id": None}, REMOTE | {"remote_url": "", "url": None}])
def test_a_stored_file_without_a_reference_is_refused(broken: dict[str, Any]):
    with pytest.raises(ValueError, match=r"^inputs\['a'\]\[1\]\['b'\] is a stored file without"):
        run_with({"a": [1, {"b": broken}]}).inputs_for_rerun()


@pytest.mark.parametrize("inputs", ["no JSON", [], 7], ids=repr)
def test_inputs_that_are_no_object_are_refused(inputs: Any):
    with pytest.raises(ValueError, match="are not a JSON object"):
        WorkflowRunDetail.from_dict({"id": RUN, "inputs": inputs}).inputs_for_rerun()


def test_an_upload_is_its_operations_model_and_can_be_copied():
    found = upload(size=7, new={"a": 1})
    assert isinstance(found, models.UploadedFile)
    for one in copies(found):
        assert type(one) is Upload
        assert one == found
        assert one.to_dict() == found.to_dict()


# --- rows with their runs ---------------------------------------------------------------------------------------------


def test_a_log_with_its_run_can_be_unpacked_copied_and_pickled():
    row = DetailedLog(models.WorkflowLog.from_dict({"id": "l-1"}), detail(), None)
    for one in copies(row):
        log, run, error = one
        assert (log, run, error) == (row.log, row.run, None)
        assert run.to_dict() == DETAIL


@pytest.mark.parametrize("loads", [decode.loads, json.loads], ids=["as installed", "json"])
@pytest.mark.parametrize(
    "number",
    [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**18, 10**19, 10**40, 0.1, 1e300],
)
def test_a_number_is_read_as_it_was_written_however_long(loads: Callable[[bytes], Any], number: float):
    read = loads(json.dumps({"outputs": {"n": number}, "text": str(number)}).encode())
    assert read == {"outputs": {"n": number}, "text": str(number)}
    assert type(read["outputs"]["n"]) is type(number)
