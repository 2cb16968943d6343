"""The public interface as the reference shows it: names, types and docstrings, read from the code, not imported."""

from __future__ import annotations

import functools
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import griffe
from project import ROOT
from public_api import MODELS, PUBLIC, Packages, is_alias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES: Final = ("._sync.", "._async.")
SUPPORTED: Final = {
    "__enter__": "`with`",
    "__aenter__": "`async with`",
    "__iter__": "`for`",
    "__aiter__": "`async for`",
    "__add__": "`+`",
    "__arrow_c_stream__": "the Arrow PyCapsule interface",
}
"""What an object can be used with, by the method that Python or another library calls."""


class Docstring(NamedTuple):
    """A docstring in parts.

    Attributes:
        text: what it says, as Markdown.
        parameters: the arguments.
        raises: the exceptions.
        attributes: the attributes of a class.
        returns: what is returned, where the text does not say it.
    """

    text: str
    parameters: dict[str, str]
    raises: list[tuple[str, str]]
    attributes: dict[str, str]
    returns: str


class Interface(Packages):
    """All that users can import, by the path by which they do: `dify_workflow.types.LogWalk`."""

    def __init__(self, root: Path = ROOT) -> None:
        super().__init__(root)
        self._public: dict[str, str] = {}  # by the path of the definition
        for module in sorted(PUBLIC, key=lambda name: name == "dify_workflow.results"):  # `types` has these, too
            for name in self.names(module):
                found = self.find(f"{module}.{name}")
                home = _assigned_module(found) or module
                self._public.setdefault(found.path, f"{home if found.is_class else module}.{name}")

    def all_names(self) -> Iterator[str]:
        """The path of each public name that is no module, once, in the order of the modules."""
        yield from dict.fromkeys(self._public[path] for path in self._public if not self._is_module(path))

    def _is_module(self, path: str) -> bool:
        return bool(self._loader.modules_collection[path].is_module)

    def find(self, path: str) -> Any:  # noqa: ANN401 - griffe's objects have no common type
        """The definition of a public name.

        Raises:
            LookupError: there is none.
        """
        module, _, name = path.rpartition(".")
        for place in (module, MODELS):
            if (found := self.at(f"{place}.{name}")) is not None:
                return found
        raise LookupError(f"there is no {path}")

    def path_of(self, definition: Any) -> str:  # noqa: ANN401 - as above
        """The path by which a definition is imported; an empty string where it cannot be."""
        return self._public.get(definition.path, "")

    def async_form_of(self, definition: Any) -> Any:  # noqa: ANN401 - as above
        """The async form of a class of the sync client, or of a member of one; None where there is one for both."""
        if PACKAGES[0] not in definition.path:
            return None
        owner = definition if definition.is_class else definition.parent
        other = self.at(owner.path.replace(*PACKAGES).replace(f".{owner.name}", f".Async{owner.name}"))
        return other.members.get(definition.name) if other is not None and not definition.is_class else other

    def type_parts(self, annotation: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - as above
        """A type in parts: each with its text and the public path that it stands for, which most do not.

        An alias that cannot be imported, such as one for a `Literal`, is replaced by what it stands for.
        """
        if annotation is None:
            return []
        if not isinstance(annotation, griffe.Expr):
            return [(str(annotation), "")]
        parts: list[tuple[str, str]] = []
        for part in annotation.iterate(flat=True):
            if not isinstance(part, griffe.ExprName):
                parts.append((str(part), ""))
                continue
            found = self.at(part.canonical_path) or self.at(part.canonical_path.replace("dify_workflow.models", MODELS))
            path = self.path_of(found) if found is not None else ""
            if found is not None and not path and is_alias(found):
                parts += self.type_parts(found.value)
            else:
                parts.append((part.name, path))
        return parts

    def type_text(self, annotation: Any, *, qualified: bool = False) -> str:  # noqa: ANN401 - as above
        """A type as it is written, on one line.

        Args:
            annotation: griffe's expression of it.
            qualified: with the whole path of each public name.
        """
        text = "".join(path if qualified and path else name for name, path in self.type_parts(annotation))
        # Without its module, Sphinx takes the type `list` for a method of that name.
        text = re.sub(r"(?<![\w.])list\b", "builtins.list", text) if qualified else text.replace("builtins.", "")
        return re.sub(r"'([A-Z]\w+)'", r"\1", one_line(text.replace("typing.", "")))

    def default(self, parameter: Any) -> str:  # noqa: ANN401 - as above
        """The default of a parameter: constants of ours by their values."""
        value = parameter.default
        for _ in range(3):
            path = getattr(value, "canonical_path", "") if isinstance(value, griffe.Expr) else ""
            found = self.at(path) if path.startswith("dify_workflow") else None
            if found is None or not found.is_attribute or found.value is None:
                break
            value = found.value
        return " ".join(str(value).split())

    def members(self, cls: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
        """The public members of a class that it defines itself, in the order in which they are written."""
        for name, member in cls.members.items():
            if not name.startswith("_") and not member.is_alias:
                yield member

    def inherited(self, cls: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - as above
        """The public members that a class has from others of ours, with the public paths of these."""
        own = {member.name for member in self.members(cls)}
        found: dict[str, str] = {}
        for base in cls.mro():
            for member in self.members(base):
                if member.name not in own and self.path_of(base):
                    found.setdefault(member.name, self.path_of(base))
        return sorted(found.items(), key=lambda pair: pair[1])

    def supports(self, cls: Any) -> list[str]:  # noqa: ANN401 - as above
        """What the objects of a class can be used with."""
        names = {name for one in (cls, *cls.mro()) for name in one.members}
        return [text for name, text in SUPPORTED.items() if name in names]


def docstring(definition: Any) -> Docstring:  # noqa: ANN401 - griffe's objects have no common type
    """The parts of a definition's docstring."""
    texts: list[str] = []
    parts = Docstring("", {}, [], {}, "")
    returns = ""
    for section in definition.docstring.parse("google", warnings=False) if definition.docstring else ():
        if section.kind is griffe.DocstringSectionKind.text:
            texts.append(section.value)
        elif section.kind is griffe.DocstringSectionKind.parameters:
            parts.parameters.update({one.name: one_line(one.description) for one in section.value})
        elif section.kind is griffe.DocstringSectionKind.attributes:
            parts.attributes.update({one.name: one_line(one.description) for one in section.value})
        elif section.kind is griffe.DocstringSectionKind.raises:
            parts.raises.extend((str(one.annotation), one_line(one.description)) for one in section.value)
        elif section.kind is griffe.DocstringSectionKind.returns:
            returns = one_line(" ".join(one.description for one in section.value))
        else:
            sys.exit(f"{definition.path}: the reference does not know a section {section.kind.value!r} of a docstring")
    return parts._replace(text=with_code_blocks("\n\n".join(texts)), returns=returns)


def one_line(text: str) -> str:
    """A text on one line."""
    return " ".join(text.split())


def with_code_blocks(text: str) -> str:
    """A text with its examples, which begin with `>>>`, as blocks of code."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(f"```pycon\n{one}\n```" if one.startswith(">>> ") else one for one in paragraphs)


def _assigned_module(definition: Any) -> str:  # noqa: ANN401 - as above
    """The module that a class says it is from, by `__module__`; an empty string where it says none."""
    said = definition.members.get("__module__") if definition.is_class else None
    value = str(said.value).strip("'\"") if said is not None and said.is_attribute else ""
    return value if value in PUBLIC else ""


@functools.cache
def interface() -> Interface:
    """The interface of this project, which is read once."""
    return Interface()
