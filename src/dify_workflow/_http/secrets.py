"""The API key: shown nowhere, and removed from what a server echoes."""

from __future__ import annotations

from typing import Any, cast

from .secret_spellings import REPLACEMENT, spellings


class Secret:
    """A string that no repr, log or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('...')"

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def is_in(self, text: str) -> bool:
        """Whether a string contains the secret, in one of its `spellings`."""
        if len(text) < len(self._text):
            return False
        return spellings(self._text).search(text) is not None

    def redact(self, text: str) -> str:
        """A string without the secret, which a server may echo, in any of its `spellings`."""
        if len(text) < len(self._text):
            return text
        return spellings(self._text).sub(REPLACEMENT, text)

    def redact_bytes(self, data: bytes) -> bytes:
        """The same for bytes."""
        return self.redact(data.decode("latin-1")).encode("latin-1")

    def redact_value(self, value: object) -> Any:  # noqa: ANN401 - JSON is anything
        """The same for a JSON value: for every string in it, names included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list):
            return [self.redact_value(item) for item in cast("list[object]", value)]
        if isinstance(value, dict):
            fields = cast("dict[str, object]", value)
            return {self.redact(name): self.redact_value(item) for name, item in fields.items()}
        return value
