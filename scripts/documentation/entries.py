"""The Markdown of what the reference says about a class, a function or another public name.

There are two forms of it. That for Sphinx has directives of the Python domain, by which names are found and linked. The
plain form is what other readers of Markdown understand, and stands beside the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import griffe

from .interface import docstring, interface, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .interface import Docstring


LONGEST: Final = 80
"""Characters that the parameters of a function may have to stay on one line."""


UNSEEN: Final = frozenset({"", "Resource", "Model"})
"""Bases that need not be named with each class: an empty string stands for those that cannot be imported."""


class Form:
    """How a part of the reference is written: as Markdown that every reader understands."""

    breaks_lines: ClassVar[bool] = True
    """Whether long signatures are broken here; Sphinx breaks them itself."""

    def block(self, kind: str, path: str, signature: str, body: str, *, depth: int = 0) -> str:
        """What is said about one name, below its signature."""
        word = "class " if kind in {"class", "exception"} else ""
        title = f"#### `{path.rpartition('.')[2]}`\n\n" if depth else ""
        return f"{title}```python\n{word}{signature}\n```\n\n{body}"

    def type(self, annotation: Any) -> str:  # noqa: ANN401 - as above
        """A type inside a sentence or a table."""
        return _code(interface().type_text(annotation))

    def signature_type(self, annotation: Any) -> str:  # noqa: ANN401 - as above
        """A type inside a signature."""
        return interface().type_text(annotation)

    def name(self, text: str, *paths: str) -> str:
        """A name that is explained where it stands, and all the paths that mean it."""
        del paths
        return _code(text)

    def link(self, path: str) -> str:
        """A name that is explained elsewhere."""
        return _code(path.rpartition(".")[2])

    def fields(self, function: Any, said: Docstring) -> str:  # noqa: ANN401 - as above
        """The parameters, the result and the exceptions of a function."""
        lines = []
        types = {parameter.name: self.signature_type(parameter.annotation) for parameter in function.parameters}
        if said.parameters:
            lines += ["Parameters:", ""]
            lines += [f"- `{name}` ({_code(types.get(name, ''))}): {text}" for name, text in said.parameters.items()]
        if said.returns:
            lines += ["", f"Returns: {said.returns}"]
        if said.raises:
            lines += ["", "Raises:", "", *(f"- `{name}`: {text}" for name, text in said.raises)]
        return "\n".join(lines).strip()


class SphinxForm(Form):
    """Markdown for MyST."""

    breaks_lines = False
    deepest: ClassVar[int] = 6

    def block(self, kind: str, path: str, signature: str, body: str, *, depth: int = 0) -> str:
        """A directive of the Python domain."""
        module = _module_of(path)
        fence = ":" * (self.deepest - depth)
        options = f":module: {module}\n:no-contents-entry:\n:no-index-entry:"
        return f"{fence}{{py:{kind}}} {signature}\n{options}\n\n{body}\n{fence}"

    def type(self, annotation: Any) -> str:  # noqa: ANN401 - as above
        """Code, with links to the pages of the types that have one."""
        parts = interface().type_parts(annotation)
        if not any(path for _, path in parts):
            return _code(interface().type_text(annotation))
        runs: list[str] = []
        for text, path in parts:
            if path:
                runs.append(f"{{py:obj}}`~{path}`")
            elif runs and runs[-1].startswith("`"):
                runs[-1] += text
            else:
                runs.append(f"`{text}")
        return " ".join(run if run.startswith("{") else _code(one_line(run[1:])) for run in runs if run.strip("` "))

    def signature_type(self, annotation: Any) -> str:  # noqa: ANN401 - as above
        """With whole paths, which Sphinx makes links of, and shortens."""
        return interface().type_text(annotation, qualified=True)

    def name(self, text: str, *paths: str) -> str:
        """A name that can be searched for and linked to."""
        return f"{{documented}}`{text} <{' '.join(paths)}>`"

    def link(self, path: str) -> str:
        """A cross-reference."""
        return f"{{py:obj}}`~{path}`"

    def fields(self, function: Any, said: Docstring) -> str:  # noqa: ANN401 - as above
        """A list of fields."""
        lines = []
        for parameter in function.parameters:
            if text := said.parameters.get(parameter.name.lstrip("*")) or said.parameters.get(parameter.name):
                lines += [f":param {parameter.name}: {text}"]
                if kind := interface().type_text(parameter.annotation, qualified=True):
                    lines += [f":type {parameter.name}: {kind}"]
        lines += [f":returns: {said.returns}"] if said.returns else []
        lines += [f":raises {name}: {text}" for name, text in said.raises]
        return "\n".join(lines)


def entry(path: str, form: Form, *, called: str = "") -> str:
    """What the reference says about a public name, below a heading.

    Args:
        path: by which it is imported.
        form: how it is written.
        called: how users reach it, `client` or such as `client.logs`: each of its methods then has a heading.

    Raises:
        LookupError: there is no such name.
    """
    found = interface().find(path)
    title = f"## `{called if '.' in called else path.rpartition('.')[2]}`\n"
    if found.is_class and called:
        return "\n".join([title, *resource(found, path, form, called)])
    if found.is_class:
        return f"{title}\n{class_block(found, path, form)}\n"
    if found.is_function:
        return f"{title}\n{function_block(found, path, form)}\n"
    said = docstring(found)
    value = "" if found.value is None or not _is_short(found) else f"\n\n{form.type(found.value)}"
    return f"{title}\n{form.block('data', path, found.name, said.text + value)}\n"


def resource(cls: Any, path: str, form: Form, called: str) -> Iterator[str]:  # noqa: ANN401 - griffe's objects
    """The methods of a client or a resource, each with a heading."""
    members = list(interface().members(cls))
    yield class_block(cls, path, form, methods=False) + "\n"
    for member in members:
        if member.is_function:
            name = f"{called}.{member.name}"
            yield f"### `{name}`\n\n{function_block(member, f'{path}.{member.name}', form, called=name)}\n"


def class_block(cls: Any, path: str, form: Form, *, methods: bool = True) -> str:  # noqa: ANN401 - as above
    """A class: what it is, its attributes, and its methods unless these have headings of their own."""
    said = docstring(cls)
    is_error = any(str(base) in {"Exception", "OSError"} or str(base).endswith("Error") for base in cls.bases)
    parts = [said.text]
    parts.append(class_facts(cls, path, form))
    if said.parameters or said.raises:
        parts.append(form.fields(cls, said))
    parts.append(attribute_table(cls, path, form, said))
    if methods:
        parts += [
            function_block(member, f"{path}.{member.name}", form, depth=1)
            for member in interface().members(cls)
            if member.is_function
        ]
    name = path.removeprefix(_module_of(path) + ".")
    signature = name + (parameters_text(cls, form) if is_constructed(path) else "")
    kind = "exception" if is_error else "class"
    return form.block(kind, path, signature, "\n\n".join(part for part in parts if part))


def class_facts(cls: Any, path: str, form: Form) -> str:  # noqa: ANN401 - as above
    """Bases, what its objects can be used with, and the async class."""
    facts = []
    if bases := [base for base in (interface().at(_path(one)) for one in cls.bases) if base is not None]:
        known = [
            form.link(interface().path_of(base))
            for base in bases
            if interface().path_of(base).rpartition(".")[2] not in UNSEEN
        ]
        facts += [f"Derived from {_listed(known)}."] if known else []
    if used := interface().supports(cls):
        facts.append(f"Used with {_listed(used)}.")
    inherited = [pair for pair in interface().inherited(cls) if not pair[1].endswith(".Model")]
    if attributes := [f"`{name}`" for name, base in inherited if base.endswith("Error")]:
        facts.append(f"It has the attributes {_listed(attributes)}.")
    if others := [f"`{name}` of {form.link(base)}" for name, base in inherited if not base.endswith("Error")]:
        facts.append(f"Also has {_listed(others)}.")
    other = interface().async_form_of(cls)
    if other is not None and (name := interface().path_of(other)):
        differences = _differences(cls, other, form) if is_constructed(path) else ""
        facts.append(f"The async class is {form.name(name.rpartition('.')[2], name)}{differences}.")
    return " ".join(facts)


def function_block(function: Any, path: str, form: Form, *, depth: int = 0, called: str = "") -> str:  # noqa: ANN401 - as above
    """A function or method: what it does, its parameters, and the exceptions."""
    said = docstring(function)
    parts = [said.text]
    other = interface().async_form_of(function)
    if other is not None:
        parts.append(async_form(function, other, form, called))
    parts.append(form.fields(function, said))
    name = path.removeprefix(_module_of(path) + ".")
    returns = form.signature_type(function.returns)
    signature = name + parameters_text(function, form) + (f" -> {returns}" if returns else "")
    is_method = function.parent.is_class
    kind = "classmethod" if "classmethod" in function.labels else "method" if is_method else "function"
    body = "\n\n".join(part for part in parts if part)
    return form.block(kind, path, signature.partition(".")[2] if depth else signature, body, depth=depth)


def async_form(function: Any, other: Any, form: Form, called: str) -> str:  # noqa: ANN401 - as above
    """How the async form of a method is used."""
    owner = interface().path_of(other.parent)
    name = form.name(f"{owner.rpartition('.')[2]}.{other.name}", f"{owner}.{other.name}")
    how = "without `await`"
    if "async" in other.labels:
        how = f"awaited: `await {called}(...)`" if called else "awaited"
    return f"Async: {name}, {how}{_differences(function, other, form)}."


def _differences(one: Any, other: Any, form: Form) -> str:  # noqa: ANN401 - as above
    """What the async form takes or returns, where that is another type than the async class of the same."""
    theirs = {parameter.name: parameter.annotation for parameter in other.parameters}
    found = [
        f"takes `{parameter.name}` as {form.type(theirs[parameter.name])}"
        for parameter in one.parameters
        if parameter.name in theirs and not _is_same(parameter.annotation, theirs[parameter.name])
    ]
    if one.is_function and not _is_same(one.returns, other.returns):
        found.append(f"returns {form.type(other.returns)}")
    return f", and {_listed(found)}" if found else ""


def _is_same(one: Any, other: Any) -> bool:  # noqa: ANN401 - as above
    """Whether the types of the two clients differ by the client alone."""
    return interface().type_text(one) == interface().type_text(other).replace("Async", "")


def attribute_table(cls: Any, path: str, form: Form, said: Docstring) -> str:  # noqa: ANN401 - as above
    """The attributes and properties of a class."""
    rows = []
    for member in interface().members(cls):
        if not member.is_attribute:
            continue
        own = docstring(member)
        meaning = capitalized(said.attributes.get(member.name) or one_line(own.text))
        meaning = " ".join([meaning, *(f"Raises `{name}`: {text}" for name, text in own.raises)])
        kind = form.type(member.annotation) if member.annotation is not None else ""
        paths = [f"{path}.{member.name}"]
        if (other := interface().async_form_of(member)) is not None:
            paths.append(f"{interface().path_of(other.parent)}.{member.name}")
        rows.append((form.name(member.name, *paths), kind, meaning))
    return table(("Attribute", "Type", "Meaning"), rows)


def capitalized(text: str) -> str:
    """A text with a capital letter at its beginning, where that is a letter."""
    return text[:1].upper() + text[1:]


def table(head: Iterable[str], rows: Sequence[tuple[str, ...]]) -> str:
    """A table; an empty string where it has no rows."""
    if not rows:
        return ""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def parameters_text(function: Any, form: Form) -> str:  # noqa: ANN401 - as above
    """The parameters of a function or a class, in brackets."""
    texts = []
    kinds = griffe.ParameterKind
    before = None
    for parameter in function.parameters:
        if parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is kinds.keyword_only and before not in {kinds.keyword_only, kinds.var_positional}:
            texts.append("*")
        stars = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(parameter.kind, "")
        text = stars + parameter.name.lstrip("*")
        text += f": {form.signature_type(parameter.annotation)}" if parameter.annotation is not None else ""
        if parameter.default is not None and not stars:
            text += f" = {interface().default(parameter)}"
        texts.append(text)
        before = parameter.kind
    if form.breaks_lines and sum(map(len, texts)) > LONGEST:
        return "(\n    " + ",\n    ".join(texts) + ",\n)"
    return f"({', '.join(texts)})"


def is_constructed(path: str) -> bool:
    """Whether users construct objects of a class, so that its parameters are a part of the interface."""
    return path.split(".")[1] in {"DifyWorkflow", "testing"} or path == "dify_workflow.stats.Stats"


def _module_of(path: str) -> str:
    """The module of a public path: all before the first name that is no module."""
    parts = path.split(".")
    return ".".join(parts[: 2 if len(parts) > 2 and parts[1].islower() and parts[1] != "remote_file" else 1])  # noqa: PLR2004


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _path(base: Any) -> str:  # noqa: ANN401 - as above
    """The path of the definition of a base."""
    name = base.left if isinstance(base, griffe.ExprSubscript) else base
    return str(getattr(name, "canonical_path", name))


def _is_short(found: Any) -> bool:  # noqa: ANN401 - as above
    return found.name not in {"COLUMNS", "DETAIL_COLUMNS", "API_SPEC", "__version__"}


def _listed(texts: list[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
