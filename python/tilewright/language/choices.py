"""`T.choose`: a compile-time value taken from an ordered list.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import threading

from ..compiler.errors import CompileError
from .registry import Static, operation

_state = threading.local()


class Choices:
    """The choices of one attempt to compile a kernel.

    `taken` maps each name to the position of its entry; `lists` keeps the entries in the
    order in which the kernel asked for them.
    """

    def __init__(self, taken: dict[str, int] | None = None) -> None:
        self.taken = dict(taken or {})
        self.lists: dict[str, list] = {}

    def take(self, name: str, entries: list) -> object:
        known = self.lists.setdefault(name, entries)
        if known != entries:
            raise CompileError.here(
                f"T.choose({name!r}) is asked with two lists",
                hint="give each choice a name of its own",
            )
        return entries[self.taken.setdefault(name, 0)]

    def next(self) -> Choices | None:
        """The following combination; None after the last.

        First come those whose entries stand nearest to the beginning of their lists in all:
        no list is gone through to its end while another is still at its first entry. Of
        equally near ones the last choice varies first.
        """
        taken = tuple(self.taken[name] for name in self.lists)
        places = itertools.product(*(range(len(entries)) for entries in self.lists.values()))
        ordered = sorted(places, key=lambda place: (sum(place), place))
        following = ordered[ordered.index(taken) + 1 :]
        return Choices(dict(zip(self.lists, following[0]))) if following else None

    def values(self) -> dict[str, object]:
        """The entry taken for each name."""
        return {name: entries[self.taken[name]] for name, entries in self.lists.items()}

    def __enter__(self) -> Choices:
        self._outer = current()
        _state.current = self
        return self

    def __exit__(self, *error: object) -> None:
        _state.current = self._outer


class Choice:
    """A choice made outside the code that is compiled anew for each entry.

    Inside a kernel its name stands for the entry. Outside it has no value, so nothing that
    was computed from one entry can meet another.
    """

    def __init__(self, name: str, entries: list) -> None:
        self.name, self.entries = name, entries

    def take(self) -> object:
        """The entry taken in the compilation that is going on."""
        return current().take(self.name, self.entries)

    def _refuse(self, *_: object) -> object:
        raise CompileError.here(
            f"the choice {self.name} has no value outside a kernel",
            rule="the compiler takes the first entry whose memory plan fits the target",
            hint="compute with it inside the kernel, or make the function around it a "
            "@tilewright.jit",
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __mod__ = __rmod__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __bool__ = __index__ = __int__ = _refuse
    __float__ = __getitem__ = __iter__ = _refuse

    def __repr__(self) -> str:
        return f"T.choose({self.name!r}, {self.entries})"


def current() -> Choices | None:
    """The choices of the attempt that is going on in this thread."""
    return getattr(_state, "current", None)


def _choose(name: str, entries: object) -> object:
    if not isinstance(name, str) or not isinstance(entries, (list, tuple)) or not entries:
        raise CompileError.here(
            "T.choose takes a name and a list of entries",
            hint='BN = T.choose("BN", [64, 32, 16])',
        )
    attempt = current()
    if attempt is None:
        return Choice(name, list(entries))
    return attempt.take(name, list(entries))


@operation(python=_choose)
def choose(k, name: Static, entries: Static) -> object:
    """`BN = T.choose("BN", [64, 32, 16])`: the first entry that fits the target's memory.

    Of several choices in a kernel those are taken that stand nearest to the first entries in
    all, so that none is small where another could give way.
    """
    return _choose(name, entries)
