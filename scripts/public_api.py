"""Write tests/contract/public_api.txt: all that a user's code can see of the package, so that a change of it shows.

Usage: public_api.py [--check]

With --check nothing is written: exit status 1, and the difference, when the text is not what the code gives. The code
is read and not imported, so the text is the same on every Python and machine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import griffe
import outputs
from project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = ROOT / "tests" / "contract" / "public_api.txt"
PUBLIC: Final = (
    "dify_workflow",
    "dify_workflow.models",
    "dify_workflow.results",
    "dify_workflow.stats",
    "dify_workflow.types",
    "dify_workflow.testing",
    "dify_workflow.records",
    "dify_workflow.export",
    "dify_workflow.spark",
    "dify_workflow.dlt",
)
NOT_CONSTRUCTED: Final = "dify_workflow.types"
"""The public module of classes that methods return: users do not call them."""
MODELS: Final = "dify_workflow_api.models"
RENEW: Final = "make public-api"

# What Python or attrs calls by itself, and no user does.
UNSEEN: Final = frozenset({"__attrs_post_init__", "__init_subclass__", "__module__", "__slots__", "__all__"})
# What is another one with each release, which is no change of the interface.
WITHOUT_VALUE: Final = frozenset({"__version__", "ABSENT", "API_SPEC"})

HEAD: Final = f"""\
# The public API. A line that goes or changes may break a user's program; see CONTRIBUTING.md.
# Made from the code by `{RENEW}`; a test fails where the two differ.
"""


def main(argv: list[str] | None = None) -> int:
    """Write the text, or compare it; the exit status."""
    return outputs.main(argv, TARGET, render, RENEW)


def render(root: Path = ROOT) -> str:
    """The public API of the code below a folder, as text.

    Args:
        root: a copy of the project; `src` and `generated` in it are read.
    """
    interface = Interface(root)
    sections = [f"\n## {name}\n\n" + "\n".join(interface.lines_of(name)) for name in PUBLIC]
    return HEAD + "\n".join(sections) + "\n\n## reached through these\n\n" + "\n".join(interface.reached()) + "\n"


class Packages:
    """The code below a folder, read and not imported."""

    def __init__(self, root: Path) -> None:
        self._loader = griffe.GriffeLoader(search_paths=[str(root / "generated"), str(root / "src")])
        for package in ("dify_workflow_api", "dify_workflow"):
            self._loader.load(package)
        self._loader.resolve_aliases(external=False)

    def at(self, path: str) -> Any:  # noqa: ANN401 - griffe's objects and aliases have no common type
        """What is defined at a path of the code; None where it is not ours."""
        try:
            found = self._loader.modules_collection[path]
            found = found.final_target if found.is_alias else found
        except (KeyError, griffe.AliasResolutionError, griffe.CyclicAliasError):
            return None
        return found

    def names(self, module: str) -> list[str]:
        """The public names of a module.

        Raises:
            LookupError: there is no such module.
        """
        found = self.at(module)
        if found is None:
            raise LookupError(f"there is no module {module}")
        exports = found.exports or self.at(MODELS).exports  # `dify_workflow.models` has what the generated one has
        return sorted(set(map(str, exports)))


class Interface(Packages):
    """What is public, and what that leads to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._shown: set[str] = set()
        self._waiting: set[str] = set()

    def lines_of(self, module: str) -> Iterator[str]:
        """The lines of the names of a public module."""
        for name in self.names(module):
            target = self.at(f"{module}.{name}") or self.at(f"{MODELS}.{name}")
            if target is None:
                raise LookupError(f"{module} has no {name}, which its __all__ names")
            if target.is_module:
                yield f"module {name}"
            elif target.path in self._shown:
                yield f"{name}: see above"
            else:
                yield from self._lines(target, name, has_init=module != NOT_CONSTRUCTED)

    def reached(self) -> Iterator[str]:
        """The lines of what the public names lead to: the types of arguments, results and bases.

        These are known by their names alone: in which private module they are may change.
        """
        found_lines: dict[tuple[str, str], list[str]] = {}
        while waiting := sorted(self._waiting - self._shown):
            for path in waiting:
                found = self.at(path)
                self._waiting.discard(path)
                is_method = found is not None and found.is_function and found.parent.is_class
                if found is not None and found.path not in self._shown and not found.is_module and not is_method:
                    found_lines[found.name, found.path] = list(self._lines(found, found.name, has_init=False))
                self._shown.add(path)
        for _, lines in sorted(found_lines.items()):
            yield from lines

    def private_types(self) -> list[str]:
        """The classes and type aliases that public signatures name and no public module has."""
        for module in PUBLIC:
            list(self.lines_of(module))
        list(self.reached())
        found = {path: self.at(path) for path in self._shown - self._importable() if "._" in path}
        return sorted(path for path, one in found.items() if one is not None and (one.is_class or is_alias(one)))

    def _importable(self) -> set[str]:
        """The paths of what can be imported from public modules."""
        found = (self.at(f"{module}.{name}") for module in PUBLIC for name in self.names(module))
        return {one.path for one in found if one is not None}

    def _lines(self, found: Any, name: str, *, has_init: bool) -> Iterator[str]:  # noqa: ANN401 - as above
        self._shown.add(found.path)
        if found.is_class:
            yield from self._class(found, name, has_init=has_init)
        elif found.is_function:
            yield from self._function(found, name)
        else:
            yield self._attribute(found, name)

    def _class(self, found: Any, name: str, *, has_init: bool) -> Iterator[str]:  # noqa: ANN401 - as above
        bases = ", ".join(self._text(base) for base in found.bases)
        yield f"class {name}({bases})" if bases else f"class {name}"
        in_order = bases == "NamedTuple"  # whose order is a part of it
        for member_name, member in found.members.items() if in_order else sorted(found.members.items()):
            if not _is_seen(member_name) or member.is_alias or (member_name == "__init__" and not has_init):
                continue
            if member.is_function:
                yield from (f"    {line}" for line in self._function(member, member_name))
            elif member.is_attribute:
                yield f"    {self._attribute(member, member_name)}"

    def _function(self, found: Any, name: str) -> Iterator[str]:  # noqa: ANN401 - as above
        for one in found.overloads or [found]:
            marks = [mark for mark in ("classmethod", "staticmethod") if mark in one.labels]
            marks += ["overload"] if found.overloads else []
            marks += ["async"] if "async" in one.labels else []
            returns = f" -> {self._text(one.returns)}" if one.returns is not None else ""
            yield " ".join([*marks, f"def {name}({', '.join(self._parameters(one))}){returns}"])

    def _parameters(self, function: Any) -> Iterator[str]:  # noqa: ANN401 - as above
        kinds = [parameter.kind for parameter in function.parameters]
        kind = griffe.ParameterKind
        for index, parameter in enumerate(function.parameters):
            after = kinds[index - 1] if index else None
            if parameter.kind is kind.keyword_only and after not in {kind.keyword_only, kind.var_positional}:
                yield "*"
            if after is kind.positional_only and parameter.kind is not kind.positional_only:
                yield "/"
            stars = {kind.var_positional: "*", kind.var_keyword: "**"}.get(parameter.kind, "")
            text = stars + parameter.name
            text += f": {self._text(parameter.annotation)}" if parameter.annotation is not None else ""
            if parameter.default is not None and not stars:
                text += f" = {self._text(parameter.default)}" if ": " in text else f"={self._text(parameter.default)}"
            yield text
            if parameter.kind is kind.positional_only and index == len(kinds) - 1:
                yield "/"

    def _attribute(self, found: Any, name: str) -> str:  # noqa: ANN401 - as above
        if "property" in found.labels:
            text = f"property {name}: {self._text(found.annotation)}"
            return text + (", settable" if "writable" in found.labels else "")
        text = f"{name}: {self._text(found.annotation)}" if found.annotation is not None else name
        is_fixed = "instance-attribute" not in found.labels or "class-attribute" in found.labels
        if found.value is not None and is_fixed and found.name not in WITHOUT_VALUE:
            text += f" = {self._text(found.value)}"
        return text

    def _text(self, expression: Any) -> str:  # noqa: ANN401 - as above
        """An expression as it is written, on one line; what it names of ours is shown too."""
        if isinstance(expression, griffe.Expr):
            for part in expression.iterate(flat=True):
                path = part.canonical_path if isinstance(part, griffe.ExprName) else ""
                if path.startswith(("dify_workflow.", "dify_workflow_api.")):
                    target = self.at(path) or self.at(path.replace("dify_workflow.models", MODELS))
                    if target is not None:
                        self._waiting.add(target.path)
        return " ".join(str(expression).split())


def is_alias(found: Any) -> bool:  # noqa: ANN401 - as above
    """Whether an object is a type that was given a name: no constant and no type variable."""
    is_named = bool(found.is_attribute) and found.name[0].isupper() and not found.name.isupper()
    return is_named and not str(found.value).startswith(("TypeVar", "ParamSpec"))


def _is_seen(name: str) -> bool:
    is_special = name.startswith("__") and name.endswith("__")
    return name not in UNSEEN and (is_special or not name.startswith("_"))


if __name__ == "__main__":
    sys.exit(main())
