"""What both facades send, for every operation of the spec: each parameter with each value, and nothing else.

The expectations are derived from the spec here; openapi-core judges each request as well.
"""

from __future__ import annotations

import email.policy
import functools
import inspect
import json
import math
import platform
import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote

import facade_coverage
import pytest
from dify_workflow_api.types import Request
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openapi.names import argument_name
from support.clients import DRIVERS, EACH_DRIVER, Driver, SyncDriver
from support.fault_server import KEY
from support.operation_calls import BASE_URL, DOORS, Call, Outcome, outcomes
from support.spec import (
    EVENTS,
    OPERATIONS,
    SPEC,
    UUID,
    Sample,
    Samples,
    alternatives,
    json_body,
    refused,
    resolved,
    response_of,
    samples,
    variants,
)
from support.spec_validator import validator
from support.strategies import any_value

from dify_workflow import DifyError, DifyWorkflow, __version__, models
from dify_workflow._http import requests
from dify_workflow._http.library import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPERATION_OF = {operation.key: operation for operation in facade_coverage.operations(SPEC)}
WALKS = {name for name, door in DOORS.items() if "GET /workflows/logs" in door.keys} - {"logs.list"}
LATER = {"logs.follow", "logs.changes"}  # they look at every status: a log is seen before it has the one asked for

# Where the facade takes less than the spec says: what it refuses is an error, or no use, on every server.
USER = {"type": "string", "minLength": 1, "maxLength": 255}
STATUS = {"$ref": "#/components/schemas/WorkflowRunStatus"}
NARROWER = {
    "keyword": {"type": "string", "minLength": 1},
    "status": STATUS,
    "created_by_end_user_session_id": {"type": "string", "minLength": 1},
    "created_by_account": {"type": "string", "minLength": 1},
    "user": USER,
    "action": {"type": "string", "minLength": 1},
    "end_user_id": {"type": "string", "format": "uuid"},
}
NOT_BLANK = {"keyword", "created_by_end_user_session_id", "created_by_account"}
NOT_WITH_KEYWORD = "created_by_end_user_session_id"  # the server responds to both with 500
CHOOSES = {"workflow_id"}  # which operation it is: without it, it is another one
NAMED_FILE = {"filename": "näme 1.txt", "content_type": "text/x-walk"}


class Way(NamedTuple):
    """An operation, by one of the methods that call it."""

    method: str
    key: str

    @property
    def operation(self) -> facade_coverage.Operation:
        return OPERATION_OF[self.key]

    @property
    def streams(self) -> bool:
        return self.method in {"runs.stream", "runs.events"}


WAYS = [Way(name, key) for name, door in DOORS.items() for key in door.keys if name not in WALKS]


def shown(way: Way) -> str:
    return f"{way.method}-{way.operation.name}"


EACH_WAY = pytest.mark.parametrize("way", WAYS, ids=shown)


# --- what is given ---------------------------------------------------------------------------------------------------


def taken(way: Way) -> list[facade_coverage.Parameter]:
    """The parameters of an operation that its method has keywords for."""
    left_out = facade_coverage.LEFT_OUT.get(way.method, {})
    return [one for one in way.operation.parameters if one.name not in left_out]


def schema_of(parameter: facade_coverage.Parameter) -> dict[str, Any]:
    return NARROWER.get(parameter.name, parameter.schema)


def facade_samples(parameter: facade_coverage.Parameter, number: int) -> Iterator[Sample]:
    """Values that a keyword takes, with what is then on the wire; the first is like none of another parameter."""
    for sample in _facade_samples(parameter, number):
        if can_be_meant(parameter.name, sample.value):
            is_json = parameter.where == "body" and parameter.name not in facade_coverage.TAKEN_AS
            wire = getattr(sample.value, "value", sample.value) if is_json else sample.wire
            yield sample._replace(wire=wire_of_text(parameter.name, wire))


def can_be_meant(name: str, value: Any) -> bool:
    """Whether the facade takes a value that its type and length allow."""
    if name in NOT_BLANK and not value.strip():
        return False
    if name == "created_by_account":
        return value == value.strip()
    return name != "keyword" or len(wire_of_text(name, value)) <= 30


def wire_of_text(name: str, text: Any) -> Any:
    """A keyword is sent as the server stores text; everything else as it is."""
    return json.dumps(text)[1:-1] if name == "keyword" else text


def _facade_samples(parameter: facade_coverage.Parameter, number: int) -> Iterator[Sample]:
    schema = schema_of(parameter)
    plain = resolved(alternatives(schema)[0])
    if parameter.name in facade_coverage.TAKEN_AS:
        yield from times(number)
    elif plain.get("format") == "binary":
        yield from (Sample(content, content) for content in (f"bytes {number}".encode(), b"", b"\x00\xff\r\n--"))
    elif plain.get("type") == "object":
        values: list[Any] = [{f"key {number}": f"text {number} é中", "deep": [None, True, 1.5, {"a": {}}]}, {}]
        yield from (Sample(value, value) for value in values)
    elif plain.get("type") == "array":
        full = Samples().of(schema)
        values = [full, *(one.value for one in variants(schema, full) if isinstance(one.value, list))]
        yield from (Sample(value, value) for value in values)
    else:
        as_parameter = {"name": parameter.name, "in": parameter.where, "schema": schema}
        yield from (one for one in samples(as_parameter, number) if len(one.wire) >= plain.get("minLength", 0))
        for one in alternatives(schema):
            if "$ref" in one:
                members = getattr(models, one["$ref"].rpartition("/")[2])
                yield from (Sample(member, member.value) for member in members)
        if "maxLength" in plain:
            yield Sample("é" * plain["maxLength"], "é" * plain["maxLength"])


def times(number: int) -> Iterator[Sample]:
    moment = datetime(2026, 10, 25, 1, 48, number, tzinfo=UTC)
    text = f"2026-10-25T01:48:{number:02}Z"
    yield Sample(text, text)
    yield Sample(moment, text)
    yield Sample(moment.replace(tzinfo=None), text)
    yield Sample(moment.astimezone(timezone(timedelta(hours=8))), text)
    yield Sample(f"2026-10-25T09:48:{number:02}+08:00", text)
    yield Sample(date(2026, 10, 25), "2026-10-25T00:00:00Z")
    yield Sample("2026-10-25", "2026-10-25T00:00:00Z")
    yield Sample(moment + timedelta(microseconds=5), text.replace("Z", ".000005Z"))


def refused_by(parameter: facade_coverage.Parameter) -> Iterator[Any]:
    schema = schema_of(parameter)
    plain = resolved(alternatives(schema)[0])
    if parameter.name in facade_coverage.TAKEN_AS:
        yield from ("", "yesterday", "1795384466", "2026-13-01", 1795384466, 1.5, True, [], {}, b"2026-10-25", object())
    elif plain.get("format") == "binary":
        yield from (5, [], {}, object(), True)
    elif plain.get("type") == "object":
        yield from ("text", 5, [1], True, {1: 2}, {"a": object()}, {"a": math.nan}, {"a": "\ud800"})
    elif plain.get("type") == "array":
        yield from ("text", 5, {}, True, ["text"], [5], [object()], [{"a": math.inf}])
    else:
        yield from refused({"name": parameter.name, "in": parameter.where, "schema": schema})
        if "minLength" in plain:
            yield ""
        if "maxLength" in plain:
            yield "x" * (plain["maxLength"] + 1)


def needed(way: Way) -> dict[str, Any]:
    """The least that a method has to be given for an operation, with values that are all unlike each other."""
    found = {
        argument_name(one.name): next(facade_samples(one, number)).value
        for number, one in enumerate(taken(way), start=30)
        if one.required or (way.method, one.name) in facade_coverage.INSISTED_ON
    }
    return found | (NAMED_FILE if "file" in found else {})


def together(way: Way) -> dict[str, Sample]:
    """A value for each parameter that can be given with the others, no two of them alike; the first time is later."""
    given = [one for one in taken(way) if one.name != NOT_WITH_KEYWORD]
    return {one.name: next(facade_samples(one, 30 - number)) for number, one in enumerate(given)}


def as_arguments(given: dict[str, Sample]) -> dict[str, Any]:
    found = {argument_name(name): sample.value for name, sample in given.items()}
    return found | (NAMED_FILE if "file" in found else {})


# --- what is sent ----------------------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """A request, taken apart."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    form: dict[str, Any]


def sent(outcome: Outcome) -> Sent:
    request = outcome.request
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    query = parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(request.url.query))
    kind = request.headers.get("Content-Type", "")
    body = json.loads(request.content) if kind == "application/json" else None
    form = form_of(request) if kind.startswith("multipart/form-data; boundary=") else {}
    assert bool(request.content) == bool(kind)
    return Sent(request.method, path, query, body, form)


def form_of(request: httpx.Request) -> dict[str, Any]:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.content)
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        assert name not in found
        file = part.get_filename()
        found[str(name)] = content.decode() if file is None else (file, content, part.get_content_type())
    return found


def expected(way: Way, given: dict[str, Any]) -> Sent:
    """What a request has, by the spec: `given` are the wire's forms of what was given, by parameter."""
    signature = inspect.signature(DOORS[way.method].function).parameters
    path, query, body, form = way.operation.path, [], {}, {}
    for parameter in way.operation.parameters:
        name = parameter.name
        keyword = signature.get(argument_name(name))
        if name in facade_coverage.LEFT_OUT.get(way.method, {}):
            body[name] = "streaming" if way.streams else "blocking"
        elif name in given:
            if parameter.where == "path":
                path = path.replace(f"{{{name}}}", quote(given[name], safe=""))
            elif parameter.where == "query":
                query.append((name, given[name]))
            elif parameter.where == "body":
                body[name] = given[name]
            elif parameter.schema.get("format") == "binary":
                form[name] = (NAMED_FILE["filename"], given[name], NAMED_FILE["content_type"])
            else:
                form[name] = given[name]
        elif keyword is not None and keyword.default is not None and parameter.where == "query":
            query.append((name, text_of(keyword.default)))
    has_body = json_body(way.operation.name) is not None
    return Sent(way.operation.method, httpx.URL(BASE_URL).path + path, query, body if has_body else None, form)


def valid_response(way: Way) -> Callable[[httpx.Request], httpx.Response]:
    """A transport's response that the method can read."""
    operation = OPERATIONS[way.operation.name][2]
    [status] = [int(status) for status in operation["responses"] if status.startswith("2")]
    if way.streams:
        event = json.dumps(Samples().of({"$ref": f"#/{EVENTS['workflow_finished']}"}))
        return lambda _: httpx.Response(status, text=f"data: {event}\n\n", headers={"Content-Type": STREAM})
    if "application/json" not in response_of(way.operation.name):
        return lambda _: httpx.Response(status)
    value = Samples().of(response_of(way.operation.name)["application/json"]["schema"])
    return lambda _: httpx.Response(status, json=value)


STREAM = "text/event-stream"


def assert_sent(way: Way, outcome: Outcome, given: dict[str, Any]) -> None:
    found, wanted = sent(outcome), expected(way, given)
    assert found._replace(query=sorted(found.query)) == wanted._replace(query=sorted(wanted.query))
    assert json.dumps(found.body, sort_keys=True) == json.dumps(wanted.body, sort_keys=True)  # True is no 1
    assert validator().objections(outcome.request, base_url=BASE_URL) == []


def wire_of(way: Way, arguments: dict[str, Any]) -> dict[str, Any]:
    """What `needed` has on the wire, by parameter."""
    known = {argument_name(one.name): one.name for one in way.operation.parameters}
    return {known[name]: value for name, value in arguments.items() if name in known}


# --- tests -----------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@EACH_WAY
def test_the_least_that_is_given_is_all_that_is_sent(driver: Driver, way: Way):
    least = needed(way)
    optional = [argument_name(one.name) for one in taken(way) if argument_name(one.name) not in least]
    absent = {
        name: None
        for name in optional
        if inspect.signature(DOORS[way.method].function).parameters[name].default is None
    }
    calls = [Call(way.method, least), Call(way.method, {**least, **absent}), Call(way.method, {**least, "timeout": 5})]
    for outcome in outcomes(driver, valid_response(way), calls):
        assert_sent(way, outcome, wire_of(way, least))


@EACH_DRIVER
@EACH_WAY
def test_each_value_of_each_parameter_is_sent_in_its_exact_form(driver: Driver, way: Way):
    least, wires = needed(way), []
    calls = []
    for number, parameter in enumerate(taken(way), start=2):
        for sample in facade_samples(parameter, number):
            calls.append(Call(way.method, {**least, argument_name(parameter.name): sample.value}))
            wires.append({**wire_of(way, least), parameter.name: sample.wire})
    for outcome, wire in zip(outcomes(driver, valid_response(way), calls), wires, strict=True):
        assert_sent(way, outcome, wire)


@EACH_DRIVER
@EACH_WAY
def test_all_parameters_together_keep_their_values_apart(driver: Driver, way: Way):
    given = together(way)
    texts = [json.dumps(sample.wire, default=repr) for sample in given.values() if not isinstance(sample.value, bool)]
    assert len(set(texts)) == len(texts)
    [outcome] = outcomes(driver, valid_response(way), [Call(way.method, as_arguments(given))])
    assert_sent(way, outcome, {name: sample.wire for name, sample in given.items()})


@EACH_DRIVER
@EACH_WAY
def test_the_headers_are_those_of_the_operation(driver: Driver, way: Way):
    assert OPERATIONS[way.operation.name][2]["security"] == [{"ApiKeyAuth": []}]
    scheme = SPEC["components"]["securitySchemes"]["ApiKeyAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    [outcome] = outcomes(driver, valid_response(way), [Call(way.method, needed(way))])
    headers = outcome.request.headers
    assert headers.get_list("Authorization") == [f"Bearer {KEY}"]
    assert headers.get_list("Accept") == [STREAM if way.streams else "application/json"]
    assert headers["Host"] == "dify.test"
    python = ".".join(platform.python_version_tuple()[:2])
    product = f"dify-workflow-sdk/{__version__} python/{python} httpx/{httpx.__version__}"
    assert headers.get_list("User-Agent") == [product]
    kinds = list(OPERATIONS[way.operation.name][2].get("requestBody", {}).get("content", {}))
    assert [kind.partition(";")[0] for kind in headers.get_list("Content-Type")] == kinds
    assert KEY not in str(outcome.request.url)


@EACH_DRIVER
@EACH_WAY
def test_disallowed_arguments_are_named_and_nothing_is_sent(driver: Driver, way: Way):
    least, refusals = needed(way), []
    for parameter in taken(way):
        name = argument_name(parameter.name)
        values = [*refused_by(parameter), *([None] if name in least and name not in CHOOSES else [])]
        refusals += [(parameter.name, Call(way.method, {**least, name: value})) for value in values]
    made = outcomes(driver, valid_response(way), [call for _, call in refusals])
    for (name, call), outcome in zip(refusals, made, strict=True):
        assert type(outcome.error) is ValueError, call
        assert re.match(rf"{name}\b.* must be ", str(outcome.error)), (call, outcome.error)
        assert outcome.requests == []


@EACH_DRIVER
@EACH_WAY
def test_what_is_required_cannot_be_left_out(driver: Driver, way: Way):
    least = needed(way)
    required = [one.name for one in taken(way) if argument_name(one.name) in least]
    names = [argument_name(name) for name in required if name not in CHOOSES]
    calls = [Call(way.method, {other: least[other] for other in least if other != name}) for name in names]
    for name, outcome in zip(names, outcomes(driver, valid_response(way), calls), strict=True):
        assert isinstance(outcome.error, TypeError)
        assert f"'{name}'" in str(outcome.error)
        assert outcome.requests == []


@EACH_DRIVER
@EACH_WAY
def test_only_safe_requests_are_repeated_after_being_read(driver: Driver, way: Way):
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("unreachable", request=request)

    safe = 3 if way.operation.method == "GET" else 1
    faults: list[tuple[Callable[[httpx.Request], httpx.Response], int]] = [(cut, safe), (late, safe), (unreachable, 3)]
    for status, times_sent in {400: 1, 401: 1, 404: 1, 408: safe, 429: 3, 500: safe, 502: safe, 503: safe}.items():
        faults.append((lambda _, status=status: httpx.Response(status, json={"code": "c"}), times_sent))
    for fault, times_sent in faults:
        [outcome] = outcomes(driver, fault, [Call(way.method, needed(way))], max_retries=2)
        assert isinstance(outcome.error, DifyError)
        assert len(outcome.requests) == times_sent
        first = [(one.method, one.url) for one in outcome.requests[:1]]
        assert [(one.method, one.url) for one in outcome.requests] == first * times_sent


@EACH_DRIVER
@pytest.mark.parametrize("method", sorted(WALKS))
def test_a_walk_sends_the_filters_that_a_page_has(driver: Driver, method: str):
    way = Way(method, "GET /workflows/logs")
    filterable = {"status": "failed"}
    for together in ({"keyword"}, {"created_by_end_user_session_id"}):
        given = {
            one.name: Sample(filterable[one.name], filterable[one.name])
            if one.name in filterable
            else next(facade_samples(one, 30 - number))  # the first time is the later one
            for number, one in enumerate(taken(way))
            if one.name in together or one.name not in {"keyword", "created_by_end_user_session_id"}
        }
        parts = {"parts": 2} if method == "logs.ranges" else {}
        first = first_request(driver, method, {name: sample.value for name, sample in given.items()} | parts)
        query = dict(parse_qsl(first.url.query.decode("ascii"), keep_blank_values=True))
        there = {name: one.wire for name, one in given.items() if method not in LATER or name != "status"}
        assert {name: text for name, text in query.items() if name in given} == there
        assert validator().objections(first, base_url=BASE_URL) == []


def first_request(driver: Driver, method: str, arguments: dict[str, Any]) -> httpx.Request:
    """The first request of a walk, which then ends over its response."""
    seen: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401, json={"code": "unauthorized", "message": "no", "status": 401})

    [outcome] = outcomes(driver, refuse, [Call(method, arguments)])
    assert isinstance(outcome.error, DifyError)
    return seen[0]


@EACH_WAY
def test_a_client_with_its_own_httpx_client_sends_the_same_bytes(way: Way):
    given = together(way)
    [outcome] = outcomes(SyncDriver(), valid_response(way), [Call(way.method, as_arguments(given))])
    request = outcome.request
    wanted = expected(way, {name: sample.wire for name, sample in given.items()})
    configuration = DifyWorkflow(api_key=KEY, base_url=BASE_URL)._base_client.configuration
    files = tuple((name, part) for name, part in wanted.form.items() if isinstance(part, tuple))
    call: Request[Any] = Request(
        operation=way.operation.name,
        method=wanted.method,
        path=wanted.path.removeprefix(httpx.URL(BASE_URL).path),
        load_response=lambda: object,
        params=tuple(wanted.query),
        json=wanted.body,
        fields=tuple((name, text) for name, text in wanted.form.items() if isinstance(text, str)),
        files=files,
    )
    alone = requests.build_request(
        call,
        base_url=configuration.base_url,
        headers=requests.prepared_headers(configuration),
        accept=STREAM if way.streams else None,
        timeouts={},
        http=None,
    )
    assert (alone.method, alone.url.host, alone.url.path) == (request.method, request.url.host, request.url.path)
    assert sorted(parse_qsl(alone.url.query.decode())) == sorted(parse_qsl(request.url.query.decode()))
    alone.read()
    assert sent(Outcome(None, None, [alone])) == sent(outcome)._replace(query=sent(Outcome(None, None, [alone])).query)
    mine, others = dict(alone.headers), dict(request.headers)
    for name in ("content-type", "content-length"):
        mine.pop(name, None)
        others.pop(name, None)
    assert mine == others


# --- properties ------------------------------------------------------------------------------------------------------


@functools.cache
def whatever_is_allowed(way: Way, name: str) -> st.SearchStrategy[Sample]:
    """Any value of a keyword, with what is then on the wire; made once: making it costs more than drawing."""
    [parameter] = [one for one in taken(way) if one.name == name]
    schema = schema_of(parameter)
    plain = resolved(alternatives(schema)[0])
    if parameter.name in facade_coverage.TAKEN_AS:
        return st.datetimes(timezones=st.just(UTC)).map(
            lambda moment: Sample(moment, moment.replace(tzinfo=None).isoformat() + "Z")
        )
    values: st.SearchStrategy[Any]
    if plain.get("format") == "binary":
        values = st.binary(max_size=200)
    elif plain.get("format") == "uuid":
        values = st.uuids().map(str)
    else:
        values = any_value({key: one for key, one in schema.items() if key != "anyOf"} | {"type": plain["type"]})
        values = values.filter(lambda value: parameter.where != "path" or value not in {"", ".", ".."})
    in_body = parameter.where == "body" or plain.get("format") == "binary"
    values = values.filter(functools.partial(can_be_meant, name))
    return values.map(lambda value: Sample(value, wire_of_text(name, value if in_body else text_of(value))))


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@EACH_WAY
@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_spec_allows_is_sent_as_it_is(way: Way, data: st.DataObject):
    required = {name for name, value in needed(way).items() if value is not None}
    drawn = {
        one.name: data.draw(whatever_is_allowed(way, one.name), one.name)
        for one in taken(way)
        if argument_name(one.name) in required or data.draw(st.booleans(), f"{one.name} is given")
    }
    if "keyword" in drawn:
        drawn.pop(NOT_WITH_KEYWORD, None)
    times = [drawn[name] for name in facade_coverage.TAKEN_AS if name in drawn]
    assume(times == sorted(times, key=lambda time: time.value, reverse=True))
    for driver in DRIVERS:
        [outcome] = outcomes(driver, valid_response(way), [Call(way.method, as_arguments(drawn))])
        assert_sent(way, outcome, {name: sample.wire for name, sample in drawn.items()})


# --- the validator of the whole suite ---------------------------------------------------------------------------------


def test_every_request_of_the_suite_is_judged(request_objections: Callable[[], list[str]]):
    with DifyWorkflow(api_key=KEY, base_url=BASE_URL) as client:
        configuration = client._base_client.configuration
    for name, params in (("list_workflow_logs", (("serach", "x"),)), ("request", (("anything", "x"),))):
        call: Request[Any] = Request(
            operation=name, method="GET", path="/workflows/logs", load_response=lambda: object, params=params
        )
        requests.build_request(
            call,
            base_url=BASE_URL,
            headers=requests.prepared_headers(configuration),
            accept=None,
            timeouts={},
            http=None,
        )
    [objection] = request_objections()
    assert objection.endswith("the query parameter 'serach' is not declared")


@pytest.mark.parametrize(
    ("method", "url", "options", "said"),
    [
        ("GET", "/workflows/logs?page=0", {}, "Invalid query parameter: page"),
        ("GET", "/workflows/logs?limit=101", {}, "Invalid query parameter: limit"),
        ("GET", "/workflows/logs?Keyword=x", {}, "'Keyword' is not declared"),
        ("GET", "/workflows/logs", {"headers": {"Authorization": "app-key"}}, "Security not found"),
        ("POST", "/workflows/logs", {}, "Operation post not found"),
        ("GET", "/workflows/log", {}, "Path not found"),
        ("GET", "/workflows/run/1", {}, "Invalid path parameter: workflow_run_id"),
        ("POST", "/workflows/run", {}, "Missing required request body"),
        ("POST", "/workflows/run", {"json": {"inputs": {}}}, "'user' is a required property"),
        ("POST", "/workflows/run", {"json": {"inputs": [], "user": "u"}}, "[] is not of type 'object'"),
        ("GET", f"/workflow/{UUID}/events", {}, "Missing required query parameter: user"),
    ],
)
def test_the_judge_sees_what_is_wrong_with_a_request(method: str, url: str, options: dict[str, Any], said: str):
    given_to_it = {"headers": {"Authorization": f"Bearer {KEY}"}, **options}
    [objection] = validator().objections(httpx.Request(method, BASE_URL + url, **given_to_it), base_url=BASE_URL)
    assert said in objection
