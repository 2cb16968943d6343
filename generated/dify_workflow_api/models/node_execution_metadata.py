"""The model NodeExecutionMetadata."""

# What JSON holds has no types before it is looked at.
# pyright: standard

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import attrs

from ..types import ABSENT, Model


@attrs.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class NodeExecutionMetadata(Model):
    """What a node's execution cost, and more that depends on the node's type."""

    _names: ClassVar[dict[str, str]] = {
        "total_tokens": "total_tokens",
        "total_price": "total_price",
        "currency": "currency",
    }

    total_tokens: int | None = ABSENT
    """How many model tokens the node used."""

    total_price: float | str | None = ABSENT
    """What those tokens cost, in `currency`; a number, or text that holds one."""

    currency: str | None = ABSENT
    """The currency of `total_price`, such as `USD`."""

    _extra: dict[str, Any] | None = attrs.field(default=None, alias="additional_properties")

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object; see `Model.from_dict`."""
        size = len(src)
        if size < 3:
            return cls._of_part(src)
        self = cls.__new__(cls)
        try:
            self.total_tokens = src["total_tokens"]
            self.total_price = src["total_price"]
            self.currency = src["currency"]
        except KeyError:
            return cls._of_part(src)
        self._extra = None
        if size > 3:
            self._take_extra(src)
        return self
