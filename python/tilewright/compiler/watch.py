"""Whether what kernels found outside is still there, in less time than a call takes.

A call of a compiled kernel reads nothing. But a name that its lowering found may have another
value since: a setting of a module, or what a notebook's cell defines that was run again. So the
values are kept, and asked for together.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Iterable
from operator import is_, itemgetter

from .outside import OpaqueError, Path, found_at, token

# What may change and stay the same object.
_CONTAINERS = (list, dict, set)


class Watch:
    """Names outside of functions, with the values that they had when they were added."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[dict | types.CellType, dict[str, object]]] = {}
        self._containers: list[tuple[object, str]] = []
        # What gives the values of a namespace's names, and what it gave.
        self._parts: list[tuple[Callable[[], tuple], tuple]] = []
        self._lock = threading.Lock()

    def add(self, function: types.FunctionType, paths: Iterable[Path]) -> None:
        """Watch what a lowering of `function` has found."""
        with self._lock:
            for path, place, value in found_at(function, paths):
                if place is not None:
                    _, names = self._known.setdefault(id(place), (place, {}))
                    names.setdefault(path[-1], value)
                    if isinstance(value, _CONTAINERS):
                        self._add_contents(value)
            self._parts = [
                (_reader(place, names), tuple(names.values()))
                for place, names in self._known.values()
            ]

    def _add_contents(self, container: object) -> None:
        try:
            self._containers.append((container, token(container)))
        except OpaqueError:
            pass  # it holds objects that no text stands for

    def holds(self) -> bool:
        """Whether all names have the values that they had."""
        try:
            for read, values in self._parts:
                if not all(map(is_, read(), values)):
                    return self._settle()
            return not self._containers or all(token(x) == t for x, t in self._containers)
        except (KeyError, ValueError, OpaqueError):  # a name is gone, or has no value
            return False

    def _settle(self) -> bool:
        """The same where names are bound anew, maybe to what they were bound to."""
        parts = [(read, values, read()) for read, values in self._parts]
        for _, values, now in parts:
            if not all(a is b or token(a) == token(b) for a, b in zip(now, values)):
                return False
        self._parts = [(read, now) for read, _, now in parts]
        return not self._containers


def _reader(place: dict | types.CellType, names: dict) -> Callable[[], tuple]:
    """What gives the values of all names."""
    if isinstance(place, types.CellType):
        return lambda: (place.cell_contents,)
    get = itemgetter(*names)
    return functools.partial(get, place) if len(names) > 1 else lambda: (get(place),)
