"""The Markdown of the commands: each with its arguments and options, as `dify-workflow help -o json` lists them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from .entries import table


def commands() -> dict[str, Any]:
    """All that the program says about its commands."""
    command = [sys.executable, "-m", "dify_workflow", "help", "-o", "json"]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    )
    return found


def page() -> str:
    """All commands, each below a heading, and the exit codes."""
    described = commands()
    parts = [section(one) for one in described["commands"]]
    rows = [(f"`{code}`", meaning) for code, meaning in described["exit_codes"].items()]
    return "\n".join([*parts, f"## Exit codes\n\n{table(('Code', 'Meaning'), rows)}"])


def section(command: dict[str, Any]) -> str:
    """One command."""
    name = command["name"]
    words = [f"dify-workflow {name}", *(argument_text(one) for one in command["arguments"])]
    words += ["[OPTIONS]"] if command["options"] else []
    effect = "It only reads." if command["effect"] == "read" else "It changes the server or the configuration."
    parts = [f"## `{name}`", f"```text\n{' '.join(words)}\n```", command["description"], effect]
    rows = [(", ".join(f"`{flag}`" for flag in one["flags"]), kind(one), meaning(one)) for one in command["options"]]
    parts.append(table(("Option", "Value", "Meaning"), rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def argument_text(argument: dict[str, Any]) -> str:
    """An argument as usage lines have it."""
    text = argument["name"].upper().replace("-", "_") + ("..." if argument.get("multiple") else "")
    return text if argument["required"] else f"[{text}]"


def kind(option: dict[str, Any]) -> str:
    """The type of an option's value; nothing for one that has none."""
    if choices := option.get("choices"):
        return ", ".join(f"`{choice}`" for choice in choices)
    return "" if option["type"] == "flag" else str(option["type"]).removesuffix(" range")


def meaning(option: dict[str, Any]) -> str:
    """What an option does, and how it is given."""
    text = escaped(option["description"])
    text += " Required." if option["required"] else ""
    return text + (" It can be given several times." if option["multiple"] else "")


def escaped(text: str) -> str:
    """A text of the program, which is no Markdown."""
    return text.replace("<", "\\<").replace("*", "\\*").replace("_", "\\_")
