"""Small changes of a module's code, each of which a test should notice.

Left alone: docstrings, annotations, the wording of errors and of what is logged, what only type checkers read, and
what decides how a value looks in a debugger. A change there breaks no promise, or one that no program can hold.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = tuple[str, int | None]
"""From a node to one below: its field, and the index where that is a list."""


class Mutant(NamedTuple):
    """One change of a module.

    Attributes:
        line: where it is.
        function: the function or method that it is in, `Class.method`; empty in the module's or a class's own code.
        what: what is changed into what.
        path: how to get from the module to the node that is replaced.
        choice: which of the node's replacements it is.
    """

    line: int
    function: str
    what: str
    path: tuple[Step, ...]
    choice: int


SWAPPED: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}

UNSEEN: Final = frozenset({"annotation", "returns", "type_comment", "type_params", "format_spec"})
"""Fields of nodes that hold nothing that runs, or only how something looks."""


def mutants(source: str) -> list[Mutant]:
    """Every change of a module, in the order of its code."""
    return list(_Walk().inside(ast.parse(source), (), ()))


def mutated(source: str, mutant: Mutant) -> str:
    """The module with one change."""
    tree = ast.parse(source)
    parent: ast.AST = tree
    *steps, (field, index) = mutant.path
    for step in steps:
        parent = _at(parent, step)
    replacement = _replacements(_at(parent, (field, index)))[mutant.choice][1]
    if index is None:
        setattr(parent, field, replacement)
    else:
        getattr(parent, field)[index] = replacement
    return ast.unparse(ast.fix_missing_locations(tree))


def _at(node: ast.AST, step: Step) -> ast.AST:
    field, index = step
    found: ast.AST = getattr(node, field) if index is None else getattr(node, field)[index]
    return found


class _Walk:
    """Goes down a tree and says in which outermost function it is."""

    def __init__(self) -> None:
        self._function = ""

    def inside(self, node: ast.AST, path: tuple[Step, ...], scope: tuple[str, ...]) -> Iterator[Mutant]:
        """The changes below a node, which is in these classes."""
        for field, value in ast.iter_fields(node):
            if field in UNSEEN:
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not _is_left_alone(child, node):
                    yield from self._at(child, node, (*path, (field, index)), scope)

    def _at(self, node: ast.AST, parent: ast.AST, path: tuple[Step, ...], scope: tuple[str, ...]) -> Iterator[Mutant]:
        before = self._function
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and not self._function:
            self._function = ".".join((*scope, parent.name)) if path[-1][0] in {"body", "args"} else ""
        if isinstance(parent, ast.ClassDef) and path[-1][0] == "body":
            scope = (*scope, parent.name)
        for choice, (what, _) in enumerate(_replacements(node)):
            yield Mutant(_line(node), self._function, what, path, choice)
        yield from self.inside(node, path, scope)
        self._function = before


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)


def _is_left_alone(node: ast.AST, parent: ast.AST) -> bool:  # noqa: PLR0911 - one case for each kind of node
    match node:
        case ast.FunctionDef(name="__repr__") | ast.ImportFrom() | ast.Import() | ast.Raise():
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.JoinedStr() | ast.Subscript(value=ast.Name(id="Literal")):  # a text for people, a type
            return True
        case (
            ast.Call(func=ast.Name(id="cast" | "TypeVar")) | ast.Call(func=ast.Attribute(value=ast.Name(id="_logging")))
        ):
            return True
        case ast.FunctionDef(decorator_list=marks) | ast.AsyncFunctionDef(decorator_list=marks):
            return any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in marks)
    return isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node in parent.decorator_list


def _replacements(node: ast.AST) -> list[tuple[str, ast.AST]]:  # noqa: C901, PLR0911 - one case for each kind of node
    """What a node can become, each with words for it."""
    match node:
        case ast.AugAssign():
            return [*_with_operator_swapped(node, node.op), ("left out", ast.Pass())]
        case ast.Compare(ops=[op, *_]) | ast.BoolOp(op=op) | ast.BinOp(op=op):
            return _with_operator_swapped(node, op)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [("not taken away", operand)]
        case ast.If() | ast.While() | ast.IfExp() | ast.comprehension(ifs=[_, *_]):
            return _with_test_turned(node)
        case ast.Constant(value=bool() as value):
            return [(f"{value} to {not value}", ast.Constant(not value))]
        case ast.Constant(value=int() | float() as number):
            return [(f"{number} to {number + 1}", ast.Constant(number + 1))]
        case ast.Constant(value=str() as text):
            return [(f"{text!r} changed", ast.Constant(f"{text}XX"))]
        case ast.Return(value=value) if value is not None and not _is_false(value):
            return [("None returned", ast.Return(ast.Constant(None)))]
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.Assign(targets=[ast.Attribute()]):
            return [("left out", ast.Pass())]
        case ast.Break():
            return [("break to continue", ast.Continue())]
        case ast.Continue():
            return [("continue to break", ast.Break())]
    return []


def _with_operator_swapped(node: ast.AST, operator: ast.AST) -> list[tuple[str, ast.AST]]:
    other = SWAPPED.get(type(operator))
    if other is None:
        return []
    changed = copy.deepcopy(node)
    if isinstance(changed, ast.Compare):
        changed.ops[0] = other()  # type: ignore[call-overload]  # SWAPPED gives a comparison for a comparison
    else:
        changed.op = other()  # type: ignore[attr-defined]  # the others have one
    return [(f"{type(operator).__name__} to {other.__name__}", changed)]


def _with_test_turned(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """A condition that is no comparison and no `not`, which are changed by themselves, becomes its opposite."""
    test = node.ifs[0] if isinstance(node, ast.comprehension) else getattr(node, "test")  # noqa: B009 - three kinds of it
    if isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        return []
    changed = copy.deepcopy(node)
    turned = ast.UnaryOp(ast.Not(), copy.deepcopy(test))
    if isinstance(changed, ast.comprehension):
        changed.ifs[0] = turned
    else:
        changed.test = turned  # type: ignore[attr-defined]  # they have one
    return [("condition turned", changed)]


def _is_false(node: ast.AST) -> bool:
    """Whether it is false already, as None is: a False is changed into True by itself."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)
