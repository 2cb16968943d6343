"""What an update cannot decide by itself, and how a person decides it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diff.acknowledged import FILE, reason_for
from openapi.tree import LinedMap

from updates import impact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diff.acknowledged import Acknowledged
    from diff.changes import Change

    from updates.impact import ReportedChange
    from updates.overlay_status import Judgement


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
    reported: Sequence[ReportedChange],
    judgements: Iterable[Judgement],
    acknowledged: Sequence[Acknowledged],
    known: dict[str, list[str]],
    file: str,
    gone: Sequence[str] = (),
) -> list[str]:
    """The decisions, one line each: what is broken, for which method, where, and what decides it.

    Args:
        vendors: What the vendor changed, without that in which it came to agree with us.
        reported: What changed in the compiled spec.
        judgements: What became of the overlay actions.
        acknowledged: The breaks that are decided.
        known: The methods of the facade by the operations that they call.
        file: The name of the vendor's document.
        gone: The names of the paths and schemas that are no longer there.
    """
    found: dict[tuple[str, str], str] = {}
    by_place = {(one.change.where, one.change.kind): one for one in reported}
    for change in [*vendors, *(one.change for one in reported)]:
        if change.severity != "breaking" or reason_for(change, acknowledged):
            continue
        one = by_place.get((change.where, change.kind))
        methods = impact.methods_of(change, known)
        concerned = " and ".join(methods) if methods else "client.request alone"
        kept = "" if one else "; the corrections in spec/overlays keep it as it was for users"
        places = [*_lines(change, file), *(one.places if one else ())]
        at = f" See {', '.join(dict.fromkeys(places))}." if places else ""
        found.setdefault(
            (change.where, change.kind),
            f"{change.where}: {change.what}. It concerns {concerned}{kept}.{at} To accept it, add to spec/{FILE}, "
            f"under `breaks:`: {{id: {change.kind}, place: '{change.where}', reason: ...}}",
        )
    return [*found.values(), *_dangling([one for one in judgements if one.is_wrong], gone)]


def _dangling(judgements: Sequence[Judgement], gone: Sequence[str]) -> list[str]:
    """The overlay actions that do not fit, those that are about one thing that is gone on one line."""
    lines: dict[str, list[Judgement]] = {}
    for one in judgements:
        name = next((name for name in gone if _is_about(one, name)), "")
        lines.setdefault(name or one.correction.place, []).append(one)
    return [_dangling_line(name, members) for name, members in lines.items()]


def _dangling_line(name: str, members: Sequence[Judgement]) -> str:
    first = members[0]
    if len(members) == 1:
        return f"{first.correction.place}: {first.text}"
    return (
        f"{len(members)} overlay actions are about {name}, which is gone: {', '.join(_places(members))}. Drop them, or "
        "change their targets when it has moved"
    )


def _is_about(judgement: Judgement, name: str) -> bool:
    target = judgement.correction.target
    return judgement.finding == "matches nothing" and (
        f"'{name}'" in target or f'"{name}"' in target or re.search(rf"\.{re.escape(name)}(?![\w])", target) is not None
    )


def _places(judgements: Sequence[Judgement]) -> list[str]:
    found: dict[str, list[int]] = {}
    for one in judgements:
        found.setdefault(one.correction.file, []).append(one.correction.line)
    return [f"spec/overlays/{file}:{','.join(map(str, lines))}" for file, lines in found.items()]


def _lines(change: Change, file: str) -> list[str]:
    return [f"{file}:{node.line}" for node in change.new if isinstance(node, LinedMap)][:1]
