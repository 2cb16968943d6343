"""The entry point of `dify-workflow` and of `python -m dify_workflow`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL_HINT = "the command line needs click and rich: python -m pip install 'dify-workflow-sdk[cli]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process unless given, and return its exit code."""
    try:
        from .program import run

        return run(sys.argv[1:] if arguments is None else arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"click", "rich"}:
            raise
        print(f"dify-workflow: {INSTALL_HINT}", file=sys.stderr)
        return 1
