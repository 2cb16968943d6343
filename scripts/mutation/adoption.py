"""Give the modules that are loaded what a changed source says: functions, defaults and constants, in place.

What other modules and tests have taken from a module stays what they have, with other code in it.
"""

from __future__ import annotations

import re
import sys
from enum import EnumType
from types import FunctionType, ModuleType
from typing import Any


def adopt(name: str, source: str) -> None:
    """Let a loaded module be what a source says.

    Raises:
        Exception: whatever the source raises when it is run.
    """
    live = sys.modules[name]
    fresh = run(live, source)
    changed = _constants(live, fresh)
    _take_over(vars(live), vars(fresh), name)
    if changed:
        _spread(name, changed)


def run(live: ModuleType, source: str) -> ModuleType:
    """A module of the same name, place and package as a loaded one, made from a source; nobody imports it."""
    fresh = ModuleType(live.__name__)
    fresh.__file__, fresh.__package__ = live.__file__, live.__package__
    if hasattr(live, "__path__"):
        fresh.__path__ = live.__path__
    exec(compile(source, str(live.__file__), "exec"), vars(fresh))  # noqa: S102 - it is the project's own code
    return fresh


def _constants(live: ModuleType, fresh: ModuleType) -> dict[str, tuple[Any, Any]]:
    """The names whose values differ, with the old and the new one."""
    return {
        name: (vars(live).get(name), value)
        for name, value in vars(fresh).items()
        if not name.startswith("__") and _differs(vars(live).get(name), value)
    }


def _differs(old: object, new: object) -> bool:
    """Whether a value is another one, as far as its text tells; functions and classes are looked into instead."""
    if isinstance(new, EnumType) and isinstance(old, EnumType):
        return repr(list(old)) != repr(list(new))
    if isinstance(new, type | ModuleType | property) or callable(new):
        return False
    return " at 0x" not in repr(new) and (type(old).__name__, repr(old)) != (type(new).__name__, repr(new))


def _take_over(live: dict[str, Any], fresh: dict[str, Any], module: str) -> None:
    for name, new in list(fresh.items()):
        old = live.get(name)
        if not name.startswith("__") and _differs(old, new):
            live[name] = new
        elif isinstance(new, type) and isinstance(old, type) and _is_of(new, module):
            _take_over_class(old, new, module)
        elif not _take_over_function(old, new):
            live[name] = new


def _take_over_class(old: type[Any], new: type[Any], module: str) -> None:
    for name, value in list(vars(new).items()):
        before = vars(old).get(name)
        if not name.startswith("__") and _differs(before, value):
            setattr(old, name, value)
        elif isinstance(value, type) and isinstance(before, type) and _is_of(value, module):
            _take_over_class(before, value, module)
        elif isinstance(value, property) and isinstance(before, property):
            if not _take_over_function(before.fget, value.fget):
                setattr(old, name, value)
        elif not _take_over_function(before, value):
            setattr(old, name, value)


def _is_of(cls: type[Any], module: str) -> bool:
    """Whether a class is written in a module; a public class says that it is of another one."""
    methods = {value.__module__ for value in vars(cls).values() if isinstance(value, FunctionType)}
    return module in methods or cls.__module__ == module


def _take_over_function(old: Any, new: Any) -> bool:  # noqa: ANN401 - whatever a namespace holds
    """Put the code and the defaults of one function into another, through what may be around them.

    Returns:
        False where it cannot be done, as the new code closes over something else: `new` must take the place of `old`.
    """
    while hasattr(old, "__wrapped__") and hasattr(new, "__wrapped__"):
        if hasattr(old, "cache_clear"):
            old.cache_clear()
        old, new = old.__wrapped__, new.__wrapped__
    old, new = getattr(old, "__func__", old), getattr(new, "__func__", new)
    if not isinstance(old, FunctionType) or not isinstance(new, FunctionType) or old.__module__ != new.__module__:
        return True
    if len(old.__code__.co_freevars) != len(new.__code__.co_freevars):
        return False
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    return True


def _spread(changed: str, constants: dict[str, tuple[Any, Any]]) -> None:
    """Give a module's constants to those that have imported them, and to the defaults that were made of them."""
    package = changed.partition(".")[0]
    others = {
        name: module
        for name, module in sys.modules.items()
        if name.startswith(f"{package}.") and name != changed and str(getattr(module, "__file__", "")).endswith(".py")
    }
    for module in others.values():
        for constant, (old, new) in constants.items():
            if constant in vars(module) and vars(module)[constant] is old:
                vars(module)[constant] = new
    for name, module in others.items():
        source = _source(module)
        if any(re.search(rf"\b{constant}\b", source) for constant in constants):
            _take_over_defaults(vars(module), vars(run(module, source)), name)


def _source(module: ModuleType) -> str:
    with open(str(module.__file__), encoding="utf-8") as file:  # noqa: PTH123 - no path is made of it
        return file.read()


def _take_over_defaults(live: Any, fresh: Any, module: str) -> None:  # noqa: ANN401 - a module's namespace or a class's
    for name, new in list(fresh.items()):
        old = live.get(name)
        if isinstance(new, type) and isinstance(old, type) and _is_of(new, module):
            _take_over_defaults(vars(old), vars(new), module)
            continue
        before, after = getattr(old, "__func__", old), getattr(new, "__func__", new)
        if isinstance(before, FunctionType) and isinstance(after, FunctionType) and after.__module__ == module:
            before.__defaults__, before.__kwdefaults__ = after.__defaults__, after.__kwdefaults__
