"""Twenty faults by which a client breaks its contract with the server, and how `pytest tests/contract` judges them.

Each is put into a copy of the project, where the tests that walk the spec must notice it. Those that only compare
texts, of the public API and of the generated package, are not used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import unasync
from project import ROOT

FACADE: Final = "src/dify_workflow"
GENERATED: Final = "generated/dify_workflow_api"
COPIED: Final = (FACADE, GENERATED, "tests", "spec", "scripts")
TESTS: Final = (
    "tests/contract/test_completeness.py",
    "tests/contract/test_contract_requests.py",
    "tests/contract/test_contract_responses.py",
    "tests/contract/test_generated.py",
)


class Fault(NamedTuple):
    """A fault: in a file, one text instead of another."""

    name: str
    file: str
    before: str
    after: str


LOGS: Final = f"{GENERATED}/api/logs/list_workflow_logs.py"
STATUS: Final = f"{GENERATED}/models/workflow_run_status.py"
SUMMARY: Final = f"{GENERATED}/models/workflow_run_summary.py"

FAULTS: Final = (
    Fault("a wrong query name", LOGS, '("created_at__before", _types', '("created_at_before", _types'),
    Fault(
        "page and limit swapped",
        f"{FACADE}/_async/resources/logs.py",
        "**sent, page=page, limit=limit)",
        "**sent, page=limit, limit=page)",
    ),
    Fault(
        "a dropped parameter",
        f"{FACADE}/_async/resources/logs.py",
        "            created_by_account=created_by_account,\n            version=",
        "            created_by_account=None,\n            version=",
    ),
    Fault("a changed default", f"{FACADE}/_async/resources/logs.py", "limit: int = 20,", "limit: int = 25,"),
    Fault("a lost enum member", STATUS, '    PAUSED = "paused"\n', ""),
    Fault("a mistyped response key", SUMMARY, '"total_tokens"', '"total_token"'),
    Fault(
        "a lost nullable",
        f"{GENERATED}/models/workflow_log.py",
        '_decode_account(_value) if isinstance(_value := src["created_by_account"], dict) else _value',
        '_decode_account(src["created_by_account"])',
    ),
    Fault("a wrong path", f"{GENERATED}/api/app/get_app_meta.py", 'path="/meta"', 'path="/metadata"'),
    Fault("a wrong method", f"{GENERATED}/api/runs/stop_workflow_run.py", 'method="POST"', 'method="PUT"'),
    Fault("a wrong auth scheme", f"{FACADE}/_http/requests.py", 'f"Bearer {', 'f"Token {'),
    Fault("a bound off by one", LOGS, "minimum=1, maximum=100)", "minimum=1, maximum=101)"),
    Fault(
        "a boolean sent as Python writes it",
        f"{GENERATED}/types.py",
        'return "true" if value else "false"',
        "return str(value)",
    ),
    Fault(
        "a None sent",
        f"{GENERATED}/types.py",
        "    if value is None:\n        return _left_out(name, required)\n    found = value.value",
        '    if value is None:\n        return "None"\n    found = value.value',
    ),
    Fault(
        "a time sent unconverted",
        f"{FACADE}/_logs/page_filters.py",
        "sent |= {name: times.to_utc_text(name, moment) for",
        "sent |= {name: str(moment) for",
    ),
    Fault("a lost field of a body", f"{FACADE}/_runs/arguments.py", '"action": _json_value("action", action), ', ""),
    Fault(
        "a wrong response model",
        f"{GENERATED}/api/app/get_app_site.py",
        "    return AppSite\n",
        "    from ...models.app_info import AppInfo\n\n    return AppInfo\n",
    ),
    Fault("a POST sent again", f"{FACADE}/_http/retry.py", '{"GET", "HEAD"', '{"POST", "GET", "HEAD"'),
    Fault("a wrong user agent", f"{FACADE}/_http/requests.py", "dify-workflow-sdk/", "python-httpx/"),
    Fault(
        "a lost error code",
        f"{FACADE}/_http/response_errors.py",
        "        code=code,\n        message=message,\n        headers",
        "        code=None,\n        message=message,\n        headers",
    ),
    Fault(
        "an event read as another",
        f"{GENERATED}/api/runs/run_workflow.py",
        '"node_retry": "NodeRetryEvent"',
        '"node_retry": "NodeFinishedEvent"',
    ),
)


class Verdict(NamedTuple):
    """Whether a fault was noticed, and what the tests said."""

    fault: Fault | None
    is_caught: bool
    text: str


def copied(place: Path) -> Path:
    """A copy of what the contract tests need, in a folder that is made."""
    for name in COPIED:
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def judged(place: Path, fault: Fault | None) -> Verdict:
    """Put a fault into a copy, run the tests, and take it out again; without a fault, the tests must pass.

    Raises:
        LookupError: what the fault is put in place of is not there, so it must be written again.
        RuntimeError: the tests could not be run at all, which proves nothing.
    """
    before = {} if fault is None else _seeded(place, fault)
    try:
        ran = _run(place)
    finally:
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")
    failed = [line.partition(" - ")[0] for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    if ran.returncode != (1 if failed else 0):
        raise RuntimeError(f"{fault.name if fault else 'the copy'}: the tests did not run:\n{ran.stdout[-2000:]}")
    return Verdict(fault, bool(failed), failed[0] if failed else "nothing failed")


def _seeded(place: Path, fault: Fault) -> dict[Path, str]:
    """Write a fault into a copy; the texts of the files before that."""
    path = place / fault.file
    text = path.read_text("utf-8")
    if fault.before not in text:
        raise LookupError(f"{fault.name}: {fault.file} does not hold {fault.before!r} any more")
    before = {path: text}
    path.write_text(text.replace(fault.before, fault.after), encoding="utf-8")
    if "_async" in Path(fault.file).parts:  # the sync client is made from it
        twin = place / fault.file.replace("/_async/", "/_sync/")
        before[twin] = twin.read_text("utf-8")
        twin.write_text(unasync.without_async(path.read_text("utf-8")), encoding="utf-8")
    return before


def _run(place: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(place / folder) for folder in ("src", "generated", "scripts", "tests")]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:dify_workflow"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *TESTS],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
    )
