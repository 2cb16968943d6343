"""Generated logs that look like those of an app in production.

The same seed gives the same logs, moved along with `now`. Traffic comes in bursts of up to 21 runs in one second, and
one second is crowded: it holds more rows than the largest page. Every status, every source, runs and creators that
are gone, long and multi-line errors, and text of many scripts turn up within the first hundred or so rows.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from .records import FINISHED_STATUSES, AccountRow, EndUserRow, LogRow, RunRow, json_text

__all__ = ["ACCOUNTS", "generate_logs"]

ACCOUNTS: Final = (
    AccountRow.of("mina.okafor@example.com", "Mina Okafor"),
    AccountRow.of("ops+night@example.com", "Zoë 王"),  # the plus sign has to be percent-encoded in a query
    AccountRow.of("idle@example.com", "Never Runs"),  # known, but without a single run
)

_STATUSES: Final = ("running", "scheduled", "succeeded", "failed", "partial-succeeded", "stopped", "paused")
_STATUS_WEIGHTS: Final = (4, 1, 73, 12, 5, 4, 1)

# Sizes of bursts and how often they come; so weighted, page borders cut through as many ties as on a real server.
_BURSTS: Final = ((1, 1), (2, 5), (6, 12), (13, 21))
_BURST_WEIGHTS: Final = (50, 32, 15, 3)

_SHARE_OF_MEMBERS: Final = 0.06

_QUERIES: Final = (
    "Where is order {n}?",
    "Summarise ticket {n} in two sentences",
    "Übersetze Absatz {n} ins Englische",
    "请总结第{n}号订单的中文反馈",
    "顧客 {n} への返信を書いてください",
    "Write a cheerful reply 😀 to review {n}",
    'She said "refund {n}", then hung up',
    r"Read C:\exports\batch_{n}.csv",
    "Discount of 100%_off for basket {n}",
    "First line {n}\nsecond line\n\ttabbed",
)
_ANSWERS: Final = (
    "Order {n} left the warehouse this morning.",
    "反馈 {n}：整体满意，物流偏慢。",
    "Done ✅ ({n})",
    'The café replied: "no" to {n}',
    "",
)
_ERRORS: Final = (
    "[Errno 111] Connection refused",
    "",
    'Run failed: node "LLM 2" gave up\n  caused by: 调用超时 after 30 s\n  hint: é is not the problem',
    "Output is too long: " + "lorem " * 400,
    "HTTP 429 from the model provider",
)


def generate_logs(count: int, *, seed: int = 1, now: int, days: float = 30.0, crowd: int = 120) -> Iterator[LogRow]:
    """Generate logs, newest first.

    Args:
        count: How many.
        seed: The same number gives the same logs.
        now: Epoch seconds; no log is younger.
        days: How far the oldest log may lie back. Half of all logs are from the youngest third of that time.
        crowd: Rows of the crowded second. There is none when they would be more than half of all rows.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible rows, no secrets
    people = _end_users(rng)
    published = datetime.fromtimestamp(now - days * 86_400, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    for position, second in enumerate(_seconds(rng, count, now, days, crowd)):
        yield _log(rng, position, second, published, people)


def _seconds(rng: random.Random, count: int, now: int, days: float, crowd: int) -> list[int]:
    span = days * 86_400

    def moment() -> int:
        return now - int(span * rng.random() ** 1.585)

    seconds: list[int] = []
    if 0 < crowd <= count // 2:
        seconds += [now - int(span * 0.25)] * crowd
    while len(seconds) < count:
        low, high = rng.choices(_BURSTS, _BURST_WEIGHTS)[0]
        seconds += [moment()] * rng.randint(low, high)
    del seconds[count:]
    return sorted(seconds, reverse=True)


def _end_users(rng: random.Random) -> list[EndUserRow]:
    people = [EndUserRow.of(f"user-{number:04}", rng.choice(("service-api", "mcp", "trigger"))) for number in range(40)]
    people += [EndUserRow.of(str(_uuid(rng)), "browser") for _ in range(8)]
    people += [EndUserRow.of("DEFAULT-USER"), EndUserRow.of("用户-七"), EndUserRow.of("zoë@example.com")]
    return people


def _log(rng: random.Random, position: int, second: int, published: str, people: list[EndUserRow]) -> LogRow:
    creator: AccountRow | EndUserRow = (
        rng.choice(ACCOUNTS[:2]) if rng.random() < _SHARE_OF_MEMBERS else rng.choice(people)
    )
    if isinstance(creator, AccountRow):
        source, role = "installed-app", "account"
    else:
        source, role = ("web-app" if creator.type == "browser" else "service-api"), "end_user"
    status = _STATUSES[position] if position < len(_STATUSES) else rng.choices(_STATUSES, _STATUS_WEIGHTS)[0]
    run = _run(rng, position, second, status, published, creator)
    return LogRow(
        id=_uuid(rng),
        created_at=second,
        run=None if _one_in(500, position) else run,
        created_from=source,
        created_by_role=role,
        creator=None if _one_in(150, position) else creator,
    )


def _run(
    rng: random.Random, position: int, second: int, status: str, published: str, creator: AccountRow | EndUserRow
) -> RunRow:
    # A log's time is rounded to the second and written after the run's.
    started = second - rng.randint(0, 1)
    finished = status in FINISHED_STATUSES
    elapsed = round(rng.lognormvariate(2.5, 1.2), 6) if finished else 0.0
    number = rng.randint(1, 99_999)
    error = {"failed": rng.choice(_ERRORS), "stopped": "Stopped by user."}.get(status)
    answer = rng.choice(_ANSWERS).replace("{n}", str(number))
    session = creator.session_id if isinstance(creator, EndUserRow) else creator.id
    return RunRow(
        id=_uuid(rng),
        version=published,
        status=status,
        created_at=started,
        finished_at=started + int(elapsed) if finished else None,
        inputs=json_text(
            {
                "query": rng.choice(_QUERIES).replace("{n}", str(number)),
                "sys.files": [],
                "sys.user_id": session,
            }
        ),
        outputs=json_text({"answer": answer}) if status in {"succeeded", "partial-succeeded"} else None,
        error=error,
        elapsed_time=elapsed,
        total_tokens=5_000_000_000 if _one_in(400, position) else rng.randint(0, 9000),  # more than 32 bits hold
        total_steps=None if _one_in(90, position) else rng.randint(1, 22),
        exceptions_count=None if _one_in(90, position) else {"failed": 1, "partial-succeeded": 2}.get(status, 0),
    )


def _one_in(count: int, position: int) -> bool:
    return position % count == count // 7


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
