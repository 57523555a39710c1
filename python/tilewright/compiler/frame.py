"""Names while a function's body is read: scopes, lets, and what went out of scope.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .outside import MISSING, Asked
from .source import Source


class Scope:
    """The names bound in one region: a function's body, or that of a run-time loop or branch.

    `what` says which for messages; `runtime` is False for regions that the front end itself
    repeats or folds, where Python's own rules hold.
    """

    __slots__ = ("names", "what", "line")

    def __init__(self, what: str, line: int) -> None:
        self.names: dict[str, object] = {}
        self.what, self.line = what, line


class Frame:
    """One function being read: the kernel, or a macro or helper that is inlined.

    Attributes:
        source: its text.
        asked: where what it finds outside is noted.
        caller: the frame and node of the call, or None.
        scopes: innermost last.
        gone: names whose region has ended, with that region, for messages.
        plain: whether this is an ordinary function, which may hold scalar code only.
        depth: how many run-time regions were open when it was entered.
    """

    def __init__(
        self,
        source: Source,
        asked: Asked,
        caller: tuple[Frame, object] | None = None,
        plain: bool = False,
        depth: int = 0,
    ) -> None:
        self.source, self.asked, self.caller = source, asked, caller
        self.plain, self.depth = plain, depth
        self.scopes = [Scope("the function", source.tree.lineno)]
        self.gone: dict[str, Scope] = {}
        self.locations: dict[tuple[int, int], str] = {}  # of nodes, as the IR writes them

    def find(self, name: str) -> tuple[object, Scope | None]:
        """The value of a name and its scope (None outside the function), or MISSING."""
        for scope in reversed(self.scopes):
            if name in scope.names:
                return scope.names[name], scope
        return self.asked.name(self.source.function, name), None

    def local(self, name: str) -> tuple[object, Scope | None]:
        """As `find`, among the function's own names only."""
        for scope in reversed(self.scopes):
            if name in scope.names:
                return scope.names[name], scope
        return MISSING, None

    def known(self) -> list[str]:
        """The names that can be used here: those of the function first."""
        own = [name for scope in reversed(self.scopes) for name in scope.names]
        code = self.source.function.__code__
        return [*own, *code.co_freevars, *self.source.function.__globals__]

    def bind(self, name: str, value: object) -> None:
        self.scopes[-1].names[name] = value
        self.gone.pop(name, None)

    def leave(self) -> None:
        """End the innermost scope."""
        scope = self.scopes.pop()
        for name in scope.names:
            if self.local(name)[0] is MISSING:
                self.gone[name] = scope

    def chain(self) -> list[tuple[Frame, object]]:
        """The calls that lead here, innermost first."""
        calls, frame = [], self
        while frame.caller is not None:
            calls.append(frame.caller)
            frame = frame.caller[0]
        return calls
