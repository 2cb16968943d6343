"""A range of the logs, as `logs.ranges` returns it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from .filters import TIME_FILTERS, filters_from
from .times import to_utc_text

VERSION: Final = 1
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogRange:
    """A part of the logs, made by `logs.ranges` and read by `logs.iter(range=...)`; it can be pickled.

    Attributes:
        created_at__after: its first second, inclusive; None is no bound.
        created_at__before: its last second, inclusive; None is no bound.
        expected: about how many logs it held when it was made.
    """

    __module__ = "dify_workflow.types"

    created_at__after: datetime | None
    created_at__before: datetime | None
    expected: int
    _texts: tuple[tuple[str, Any], ...] = ()

    @property
    def filters(self) -> dict[str, Any]:
        """The other filters that were given to `ranges`, by name."""
        return dict(self._texts)

    def to_dict(self) -> dict[str, Any]:
        """The range as a JSON object."""
        from .keywords import Verbatim  # noqa: PLC0415 - loaded when needed

        return {
            "version": VERSION,
            "created_at__after": _text(self.created_at__after),
            "created_at__before": _text(self.created_at__before),
            "filters": {name: str(text) if isinstance(text, str) else text for name, text in self._texts},
            "verbatim": [name for name, text in self._texts if isinstance(text, Verbatim)],
            "expected": self.expected,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The range of such an object.

        Raises:
            ValueError: it is none.
        """
        try:
            if value["version"] != VERSION:
                raise ValueError(f"the range has version {value['version']!r}; this SDK reads version {VERSION}")
            texts = filters_from(value["filters"], value["verbatim"])
            after, before = moment_of(value["created_at__after"]), moment_of(value["created_at__before"])
            expected: object = value["expected"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the to_dict() of a LogRange: {error!r}") from error
        if type(expected) is not int or not TIME_FILTERS.isdisjoint(texts):
            raise ValueError("not the to_dict() of a LogRange")
        return cls(after, before, expected, tuple(sorted(texts.items())))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_utc_text("created_at", moment)


def moment_of(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
