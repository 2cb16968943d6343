"""Give the modules that are loaded what a changed source says: functions, defaults and constants, in place.

What other modules and tests have taken from a module stays what they have, with other code in it.
"""

from __future__ import annotations

import re
import sys
from types import FunctionType, ModuleType
from typing import Any, Final

PLAIN: Final = (int, float, str, bytes, tuple, frozenset, dict, list, set, re.Pattern, type(None))


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
        _spread(name.partition(".")[0], changed)


def run(live: ModuleType, source: str) -> ModuleType:
    """A module of the same name, place and package as a loaded one, made from a source; nobody imports it."""
    fresh = ModuleType(live.__name__)
    fresh.__file__, fresh.__package__ = live.__file__, live.__package__
    if hasattr(live, "__path__"):
        fresh.__path__ = live.__path__
    exec(compile(source, str(live.__file__), "exec"), vars(fresh))  # noqa: S102 - it is the project's own code
    return fresh


def _constants(live: ModuleType, fresh: ModuleType) -> dict[str, tuple[Any, Any]]:
    """The names whose plain values differ, with the old and the new one."""
    return {
        name: (vars(live)[name], value)
        for name, value in vars(fresh).items()
        if isinstance(value, PLAIN) and not name.startswith("__") and _differs(vars(live).get(name), value)
    }


def _differs(old: object, new: object) -> bool:
    return isinstance(old, PLAIN) and (type(old), repr(old)) != (type(new), repr(new))


def _take_over(live: dict[str, Any], fresh: dict[str, Any], module: str) -> None:
    for name, new in list(fresh.items()):
        old = live.get(name)
        if isinstance(new, type) and isinstance(old, type) and new.__module__ == module:
            _take_over_class(old, new, module)
        elif isinstance(new, PLAIN) and not name.startswith("__") and _differs(old, new):
            live[name] = new
        else:
            _take_over_function(old, new)


def _take_over_class(old: type[Any], new: type[Any], module: str) -> None:
    for name, value in list(vars(new).items()):
        before = vars(old).get(name)
        if isinstance(value, type) and isinstance(before, type) and value.__module__ == module:
            _take_over_class(before, value, module)
        elif isinstance(value, PLAIN) and not name.startswith("__") and _differs(before, value):
            setattr(old, name, value)
        elif isinstance(value, property) and isinstance(before, property):
            _take_over_function(before.fget, value.fget)
        else:
            _take_over_function(before, value)


def _take_over_function(old: Any, new: Any) -> None:  # noqa: ANN401 - whatever a namespace holds
    """Put the code and the defaults of one function into another, through what may be around them."""
    while hasattr(old, "__wrapped__") and hasattr(new, "__wrapped__"):
        if hasattr(old, "cache_clear"):
            old.cache_clear()
        old, new = old.__wrapped__, new.__wrapped__
    old, new = getattr(old, "__func__", old), getattr(new, "__func__", new)
    if not isinstance(old, FunctionType) or not isinstance(new, FunctionType) or old.__module__ != new.__module__:
        return
    if len(old.__code__.co_freevars) == len(new.__code__.co_freevars):
        old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


def _spread(package: str, changed: dict[str, tuple[Any, Any]]) -> None:
    """Give constants to the modules that have imported them, and to the defaults that were made of them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != package or not getattr(module, "__file__", None):
            continue
        for constant, (old, new) in changed.items():
            if vars(module).get(constant) is old:
                vars(module)[constant] = new
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != package or not str(getattr(module, "__file__", "")).endswith(".py"):
            continue
        source = _source(module)
        if any(re.search(rf"\b{constant}\b", source) for constant in changed) and "." in name:
            _take_over_defaults(vars(module), vars(run(module, source)), name)


def _source(module: ModuleType) -> str:
    with open(str(module.__file__), encoding="utf-8") as file:  # noqa: PTH123 - no path is made of it
        return file.read()


def _take_over_defaults(live: Any, fresh: Any, module: str) -> None:  # noqa: ANN401 - a module's namespace or a class's
    for name, new in list(fresh.items()):
        old = live.get(name)
        if isinstance(new, type) and isinstance(old, type) and new.__module__ == module:
            _take_over_defaults(vars(old), vars(new), module)
            continue
        before, after = getattr(old, "__func__", old), getattr(new, "__func__", new)
        if isinstance(before, FunctionType) and isinstance(after, FunctionType) and after.__module__ == module:
            before.__defaults__, before.__kwdefaults__ = after.__defaults__, after.__kwdefaults__
