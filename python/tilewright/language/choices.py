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

    def __init__(self, taken: dict[str, int] | None = None) -> None:
        self.taken = dict(taken or {})
        self.lists: dict[str, list] = {}

    def take(self, name: str, entries: list) -> object:
        known = self.lists.setdefault(name, entries)
        if known != entries:
            raise CompileError.here(f"T.choose({name!r}) is asked with two lists",
                                    hint="give each choice a name of its own")
        return entries[self.taken.setdefault(name, 0)]

    def next(self) -> "Choices | None":
        """The following combination, the last choice varying first; None after the last."""
        taken = {name: self.taken[name] for name in self.lists}
        for name in reversed(self.lists):
            if taken[name] + 1 < len(self.lists[name]):
                taken[name] += 1
                return Choices(taken)
            taken[name] = 0
        return None

    def values(self) -> dict[str, object]:
        """The entry taken for each name."""
        return {name: entries[self.taken[name]] for name, entries in self.lists.items()}

    def __enter__(self) -> "Choices":
        self._outer = getattr(_state, "current", None)
        _state.current = self
        return self

    def __exit__(self, *error: object) -> None:
        _state.current = self._outer


def _choose(name: str, entries: object) -> object:
    if not isinstance(name, str) or not isinstance(entries, (list, tuple)) or not entries:
        raise CompileError.here("T.choose takes a name and a list of entries",
                                hint='BN = T.choose("BN", [64, 32, 16])')
    current = getattr(_state, "current", None)
    if current is None:
        raise CompileError.here(
            f"T.choose({name!r}) outside a kernel that is being compiled",
            rule="the compiler takes the first entry whose memory plan fits the target, and "
                 "runs the code again for the next",
            hint="call it in the body of a @tilewright.jit function")
    return current.take(name, list(entries))


@operation(python=_choose)
def choose(k, name: Static, entries: Static):
    """`BN = T.choose("BN", [64, 32, 16])`: the first entry that fits the target's memory."""
    return _choose(name, entries)
