"""The repr of what belongs to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._http.config import Configuration


def described(value: object, configuration: Configuration | None, state: Mapping[str, object]) -> str:
    """The name of an object's class, its client's base URL, and its state. The API key is redacted wherever it stands.

    Args:
        value: the object.
        configuration: the options of its client; None where it has none (in tests).
        state: names and values to show.
    """
    parts = dict(state) if configuration is None else {"base_url": configuration.base_url, **state}
    text = f"{type(value).__name__}({', '.join(f'{name}={part!r}' for name, part in parts.items())})"
    return text if configuration is None else configuration.api_key.redact(text)
