"""A variable of the environment, for errors that name it."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import ConfigurationError


class Variable(NamedTuple):
    """A variable of the environment."""

    name: str
    value: str

    def unusable(self, reason: str) -> ConfigurationError:
        """The error for its value. The reason shows no part of it that may be a password."""
        return ConfigurationError(f"the environment variable {self.name} cannot be used: {reason}")
