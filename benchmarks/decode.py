"""What typed models cost, beside the bare JSON values they are made from: time to decode a page, memory to keep rows.

Usage: decode.py [--quick]
"""

from __future__ import annotations

import gc
import json
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from figures import Figure
from measure import alone, cpu, in_turn
from pages import body, page
from report import command
from rivals import OURS, OURS_FAST, STOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from measure import Repeat, Setup

JSON: Final = "json.loads"
ORJSON: Final = "orjson.loads"
PYDANTIC: Final = "pydantic"
MSGSPEC: Final = "msgspec"
ROWS_KEPT: Final = 10_000
MEGABYTES_PROMISED: Final = 13


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure time and memory."""
    recorded = body()
    starts = 1 if quick else 5
    progress("decoding a page of 100")
    found = timed("decoding a page of 100 rows", recorded, list(DECODERS), {OURS: 1.5}, starts)
    for name, odd in (("a field more", with_a_field_more()), ("a field less", with_a_field_less())):
        progress(f"decoding, {name}")
        found += timed(f"decoding a page of 100 rows, each with {name}", odd, [JSON, OURS, OURS_FAST], {}, starts)
    progress(f"keeping {ROWS_KEPT:,} rows")
    for name in DECODERS:
        megabytes = alone(partial(kept, name, recorded))
        promise = MEGABYTES_PROMISED if name in (OURS, OURS_FAST) else None
        found.append(Figure(f"{ROWS_KEPT:,} rows kept", name, (megabytes,), "MB", promise=promise))
    return found


def timed(section: str, content: bytes, names: list[str], promises: dict[str, float], starts: int) -> list[Figure]:
    """Measure decoders of one body."""
    ways: dict[str, Setup] = {name: partial(way, name, content) for name in names}
    return [
        Figure(section, name, cpu(taken), "cpu s", JSON, promises.get(name))
        for name, taken in in_turn(ways, rounds=8, repeats=40, starts=starts).items()
    ]


def way(name: str, content: bytes) -> Repeat:
    """What decodes a body again and again, in this process."""
    decode = DECODERS[name]()

    def repeat(repeats: int) -> None:
        for _ in range(repeats):
            decode(content)

    return repeat


def kept(name: str, content: bytes) -> float:
    """Megabytes that it takes to keep many rows, each page of them from a body of its own, in this process."""
    decode = DECODERS[name]()
    rows_in(decode(content))  # what is made once only is not counted
    gc.collect()
    tracemalloc.start()
    rows: list[Any] = []
    while len(rows) < ROWS_KEPT:
        rows += rows_in(decode(content))
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


def rows_in(decoded: Any) -> list[Any]:  # noqa: ANN401 - a page of any kind
    """The rows of a page."""
    rows: list[Any] = decoded["data"] if isinstance(decoded, dict) else decoded.data
    return rows


def with_a_field_more() -> bytes:
    """The page with a field that the spec does not know in each row and each run."""
    value = page()
    for row in value["data"]:
        for item in (row, row["workflow_run"]):
            item["new"] = "unknown to the spec"
    return json.dumps(value).encode()


def with_a_field_less() -> bytes:
    """The page without the last field of each row and each run."""
    value = page()
    for row in value["data"]:
        for item in (row, row["workflow_run"]):
            item.popitem()
    return json.dumps(value).encode()


# Each of these makes a decoder; all that it needs is imported in there. ---------------------------------------------


def json_values() -> Callable[[bytes], Any]:
    """Plain JSON values, by the standard library."""
    return json.loads


def orjson_values() -> Callable[[bytes], Any]:
    """Plain JSON values, by orjson."""
    import orjson

    return orjson.loads


def sdk_models() -> Callable[[bytes], Any]:
    """This SDK's models."""
    from dify_workflow.models import WorkflowLogPage

    return lambda content: WorkflowLogPage.from_dict(json.loads(content))


def sdk_models_fast() -> Callable[[bytes], Any]:
    """This SDK's models, from what orjson gives."""
    import orjson

    from dify_workflow.models import WorkflowLogPage

    return lambda content: WorkflowLogPage.from_dict(orjson.loads(content))


def stock_models() -> Callable[[bytes], Any]:
    """What openapi-python-client makes of the same spec."""
    from dify_stock.models import WorkflowLogPage

    return lambda content: WorkflowLogPage.from_dict(json.loads(content))


def pydantic_models() -> Callable[[bytes], Any]:
    """Models of pydantic, straight from the bytes."""
    from pydantic_models import WorkflowLogPage

    return WorkflowLogPage.model_validate_json


def msgspec_structs() -> Callable[[bytes], Any]:
    """Structs of msgspec, straight from the bytes."""
    from msgspec.json import Decoder
    from msgspec_structs import WorkflowLogPage

    decode: Callable[[bytes], Any] = Decoder(WorkflowLogPage).decode
    return decode


DECODERS: Final[dict[str, Callable[[], Callable[[bytes], Any]]]] = {
    JSON: json_values,
    OURS: sdk_models,
    ORJSON: orjson_values,
    OURS_FAST: sdk_models_fast,
    STOCK: stock_models,
    PYDANTIC: pydantic_models,
    MSGSPEC: msgspec_structs,
}
"""What makes each decoder."""


if __name__ == "__main__":
    command(figures, "Measure models: time to decode, memory to keep.")
