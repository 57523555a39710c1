# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Statements: the base class, and the list of those that are drawn.

A statement prints itself (`lines`), runs itself on the interpreter's state (`run`), and
draws itself (`draw`): an operation that is added to the language is one class, here or in
a module beside, under `@drawn`.
"""

from __future__ import annotations

from collections.abc import Iterable

from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.scope import Scope


class Statement:
    """A statement of a kernel."""

    def lines(self) -> list[str]:
        """Python source, one line each, without indentation."""
        raise NotImplementedError

    def run(self, machine: Machine) -> None:
        """Its effect, at block level or in the iterations of a T.Parallel."""
        raise NotImplementedError

    def writes(self) -> Iterable[str]:
        """Names of the memories that it itself stores to."""
        return ()

    def combines(self) -> Iterable[str]:
        """Names of the memories that it updates by atomics."""
        return ()

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        """Statements that hold one of this kind, or None where it has no place here."""
        raise NotImplementedError


# (class, weight) of every statement that is drawn at block level.
DRAWN: list[tuple[type[Statement], int]] = []


def drawn(weight: int):
    """Let programs have statements of a class, so much more often than one of weight 1."""

    def add(cls: type[Statement]) -> type[Statement]:
        DRAWN.append((cls, weight))
        return cls

    return add


def indented(statements: Iterable[Statement]) -> list[str]:
    """The lines of a body."""
    found = [f"    {line}" for s in statements for line in s.lines()]
    return found or ["    pass"]


def run_all(statements: Iterable[Statement], machine: Machine) -> None:
    """Run a body."""
    for statement in statements:
        statement.run(machine)


def draw_statement(scope: Scope) -> tuple:
    """Some statement that has a place here."""
    table = [cls for cls, weight in DRAWN for _ in range(weight)]
    for _ in range(4):
        made = scope.pick(table).draw(scope)
        if made is not None:
            return made
    return ()
