"""How long an outage is waited out, decided without a clock."""

from __future__ import annotations

import pytest

from dify_workflow import APIConnectionError, APIStatusError, APITimeoutError, DifyError
from dify_workflow._errors import class_of_status
from dify_workflow._http.library import httpx
from dify_workflow._http.outages import Outages, Request, is_outage

REQUEST = httpx.Request("GET", "http://dify.test/v1/workflows/logs")
REFUSED = APIConnectionError("refused", request=REQUEST)


def status(code: int, *, retry_after: float | None = None) -> APIStatusError:
    error = class_of_status(code)(
        "x", status_code=code, code=None, message="x", headers=httpx.Headers(), body=None, request=REQUEST
    )
    error.retry_after = retry_after
    return error


def begun(patience: float) -> Outages:
    outages = Outages(patience)
    outages.succeeded(Request())
    return outages


@pytest.mark.parametrize(
    "error", [REFUSED, APITimeoutError("t", request=REQUEST), *map(status, (408, 429, 500, 503, 522))]
)
def test_what_may_pass_is_an_outage(error: DifyError):
    assert is_outage(error)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 501, 505])
def test_refusals_are_no_outages(code: int):
    assert not is_outage(status(code))
    assert begun(300).pause(Request(), status(code), 0) is None


def test_the_first_request_is_not_waited_for():
    outages = Outages(300)
    assert outages.pause(Request(), REFUSED, 0) is None
    assert not outages.has_given_up


@pytest.mark.parametrize("patience", [0.5, 20, 300, 86_400])
@pytest.mark.parametrize("workers", [1, 8])
def test_all_workers_together_wait_as_long_as_the_patience(patience: float, workers: int):
    outages = begun(patience)
    requests = [Request() for _ in range(workers)]
    now, tries = 100.0, 0
    while (pauses := [outages.pause(request, REFUSED, now) for request in requests])[0] is not None:
        assert all(pause is not None and 0 < pause <= min(patience, 30) for pause in pauses)
        now += pauses[0]
        tries += 1
    assert now - 100 == pytest.approx(patience)
    assert 5 <= tries <= 10 + patience / 30
    assert outages.has_given_up


def test_a_success_ends_the_outage():
    outages = begun(10)
    request = Request()
    assert outages.pause(request, REFUSED, 0) is not None
    outages.succeeded(Request())
    assert outages.pause(request, REFUSED, 50) is not None


def test_an_asked_pause_is_obeyed_unless_it_is_too_long():
    outages = begun(300)
    assert outages.pause(Request(), status(429, retry_after=120), 0) == 120
    assert outages.pause(Request(), status(429, retry_after=290), 10) == 290
    assert outages.pause(Request(), status(503, retry_after=299), 10) is None
    assert outages.has_given_up


@pytest.mark.parametrize(("patience", "first"), [(10, 0.5), (20, 1.0), (300, 1.0)])
def test_the_first_pause_is_short_where_patience_is(patience: float, first: float):
    for error in (REFUSED, status(503), status(503, retry_after=0)):
        assert begun(patience).pause(Request(), error, 0) == first


def test_without_patience_nothing_is_waited_for():
    outages = begun(0)
    assert outages.pause(Request(), REFUSED, 0) is None
    assert not outages.has_given_up


def success_of_another(outages: Outages) -> None:
    another = Request()
    outages.begin(another)
    outages.succeeded(another)


@pytest.mark.parametrize("may_be_its_own", [True, False, None])
def test_a_run_that_fails_alone_is_not_waited_for(may_be_its_own: bool | None):
    outages = begun(300)
    request = Request()
    pauses = []
    for now in range(4):
        outages.begin(request)
        options = {} if may_be_its_own is None else {"may_be_its_own": may_be_its_own}
        pauses.append(outages.pause(request, status(500), now, **options))
        success_of_another(outages)
    assert [pause is None for pause in pauses] == [False, False, bool(may_be_its_own), bool(may_be_its_own)]
    assert not outages.has_given_up


def test_responses_to_older_requests_do_not_show_a_server_is_up():
    outages = begun(300)
    older = [Request() for _ in range(20)]
    for one in older:
        outages.begin(one)
    request = Request()
    for now, one in enumerate(older):
        outages.begin(request)
        assert outages.pause(request, status(503), now, may_be_its_own=True) is not None
        outages.succeeded(one)  # it was under way when the outage began
        assert outages.needs_probe(request)
    success_of_another(outages)
    assert not outages.needs_probe(request)
    assert outages.pause(request, status(503), 30) is not None
    assert outages.needs_probe(request)
