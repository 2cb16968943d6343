"""Why a package cannot be generated."""

from __future__ import annotations


class GenerationError(Exception):
    """The package cannot be generated; nothing was written.

    The text names the place in the spec, and what to do about it where that is known.
    """
