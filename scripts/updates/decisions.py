"""What an update cannot decide by itself, and how a person decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comparison.acknowledged import FILE, reason_for
from specification.nodes import LinedMap

from updates import meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from comparison.acknowledged import Acknowledged
    from comparison.changes import Change

    from updates.corrections import Judgement
    from updates.meanings import Told


def agreed(changes: Iterable[Change], ours_before: Iterable[Change], ours_after: Iterable[Change]) -> list[Change]:
    """The changes with which the vendor came to say what our corrections say.

    Args:
        changes: What the vendor changed.
        ours_before: Where the compiled spec differed from the vendor's structure before.
        ours_after: Where the compiled spec, as it was, differs from the vendor's structure now.
    """
    before = {(change.where, change.what) for change in ours_before if change.severity != "wording"}
    after = {(change.where, change.what) for change in ours_after if change.severity != "wording"}
    settled, arisen = {where for where, _ in before - after}, {where for where, _ in after - before}
    return [change for change in changes if change.where in settled - arisen]


def needed(
    vendors: Sequence[Change],
    told: Sequence[Told],
    judgements: Iterable[Judgement],
    acknowledged: Sequence[Acknowledged],
    known: dict[str, list[str]],
    file: str,
) -> list[str]:
    """The decisions, one line each: what is broken, for which method, where, and what decides it.

    Args:
        vendors: What the vendor changed, without that in which it came to agree with us.
        told: What changed in the compiled spec.
        judgements: What became of the overlay actions.
        acknowledged: The breaks that are decided.
        known: The methods of the facade by the operations that they call.
        file: The name of the vendor's document.
    """
    found: dict[tuple[str, str], str] = {}
    by_place = {(one.change.where, one.change.kind): one for one in told}
    for change in [*vendors, *(one.change for one in told)]:
        if change.severity != "breaking" or reason_for(change, acknowledged):
            continue
        one = by_place.get((change.where, change.kind))
        methods = meanings.methods_of(change, known)
        concerned = " and ".join(methods) if methods else "client.request alone"
        kept = "" if one else "; the corrections in spec/overlays keep it as it was for users"
        places = [*_lines(change, file), *(one.places if one else ())]
        at = f" See {', '.join(dict.fromkeys(places))}." if places else ""
        found.setdefault(
            (change.where, change.kind),
            f"{change.where}: {change.what}. It concerns {concerned}{kept}.{at} To accept it, add to spec/{FILE}, "
            f"under `breaks:`: {{id: {change.kind}, place: '{change.where}', reason: ...}}",
        )
    dangling = [f"{one.correction.place}: {one.text}" for one in judgements if one.is_wrong]
    return [*found.values(), *dangling]


def _lines(change: Change, file: str) -> list[str]:
    return [f"{file}:{node.line}" for node in change.new if isinstance(node, LinedMap)][:1]
