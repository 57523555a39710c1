"""`T.choose`: a compile-time value taken from an ordered list.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import threading

from ..compiler.errors import CompileError
from .registry import Static, operation

_state = threading.local()


class Choices:
    """The choices of one attempt to compile a kernel.

    `taken` maps each name to the position of its entry; `lists` keeps the entries in the
    order in which the kernel asked for them.
    """

    def __init__(
        self,
        taken: dict[str, int] | None = None,
        before: dict[str, list] | None = None,
        in_turn: bool = False,
    ) -> None:
        """`before` are the lists of the attempt before this one. With `in_turn`, one list is
        gone through after the other, as lists need that depend on choices."""
        self.taken = dict(taken or {})
        self.lists: dict[str, list] = {}
        self._before, self._in_turn, self._depend = before or {}, in_turn, False

    def take(self, name: str, entries: list) -> object:
        known = self.lists.setdefault(name, entries)
        if known != entries:
            raise CompileError.here(
                f"T.choose({name!r}) is asked with two lists",
                hint="give each choice a name of its own",
            )
        self._depend |= self._before.get(name, entries) != entries
        self.taken[name] = min(self.taken.get(name, 0), len(entries) - 1)
        return entries[self.taken[name]]

    def next(self) -> Choices | None:
        """The following combination; None after the last.

        First come those whose entries stand nearest to the beginning of their lists in all:
        no list is gone through to its end while another is still at its first entry. Of
        equally near ones the last choice varies first. Where a list turns out to depend on
        an earlier choice, all begins anew, and the last choice varies first throughout.
        """
        if self._depend and not self._in_turn:
            return Choices(in_turn=True)
        most = [len(entries) - 1 for entries in self.lists.values()]
        taken = [self.taken[name] for name in self.lists]
        if self._in_turn:
            grown = [at for at, room in enumerate(most) if taken[at] < room]
            if not grown:
                return None
            following = taken[: grown[-1] + 1] + [0] * (len(taken) - grown[-1] - 1)
            following[grown[-1]] += 1
            return self._after(following)
        for at in reversed(range(len(taken))):
            behind = sum(taken[at + 1 :])
            if behind and taken[at] < most[at]:  # one step of those behind moves here
                following = [*taken[:at], taken[at] + 1, *_latest(behind - 1, most[at + 1 :])]
                return self._after(following)
        if sum(taken) == sum(most):
            return None
        return self._after(_latest(sum(taken) + 1, most))

    def _after(self, taken: list[int]) -> Choices:
        return Choices(dict(zip(self.lists, taken)), self.lists, self._in_turn)

    def values(self) -> dict[str, object]:
        """The entry taken for each name."""
        return {name: entries[self.taken[name]] for name, entries in self.lists.items()}

    def __enter__(self) -> Choices:
        self._outer = current()
        _state.current = self
        return self

    def __exit__(self, *error: object) -> None:
        _state.current = self._outer


def _latest(steps: int, most: list[int]) -> list[int]:
    """So many steps in all, as late in the lists as they go; each takes at most `most`."""
    found = []
    for room in reversed(most):
        found.insert(0, min(steps, room))
        steps -= found[0]
    return found


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
