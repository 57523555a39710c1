# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Macros: statements, or an expression, that stand in a `@T.macro` and are called.

What is drawn is drawn where the call stands; the names that it uses become parameters. So a
macro means its body, and the interpreter needs no notion of calls.
"""

from __future__ import annotations

import re

from tilewright.testing.programs.control import Assign, Var
from tilewright.testing.programs.expressions import Expression
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.nodes import node, walk
from tilewright.testing.programs.operators import Operand
from tilewright.testing.programs.scope import Scope
from tilewright.testing.programs.statements import (
    Statement,
    draw_statement,
    drawn,
    indented,
    run_all,
)

# Names that programs give end in a number; what is quoted or follows a dot is none of them.
_NAME = re.compile(r'(?<![\w."])[A-Za-z]+\d+\b')
_BOUND = re.compile(r"^\s*(?:for )?([A-Za-z]+\d+(?:, [A-Za-z]+\d+)*) (?:=|in) ", re.MULTILINE)
_FUNCTION = re.compile(r"(?:macro|combine)\d+")


def _names(text: str) -> list[str]:
    """The names of values and memories in a text, each once, in order."""
    return [n for n in dict.fromkeys(_NAME.findall(text)) if not _FUNCTION.fullmatch(n)]


def _with_parameters(text: str, parameters: tuple) -> str:
    """The text of a body with its parameters' own names, which differ from the caller's."""
    return _NAME.sub(lambda m: f"{m[0]}_" if m[0] in parameters else m[0], text)


@drawn(3)
@node
class MacroCall(Statement):
    """Calls of a macro, one after the other. It assigns variables of the caller by T.Ref."""

    name: str
    parameters: tuple
    assigned: tuple
    body: tuple
    times: int

    def lines(self) -> list[str]:
        return [f"{self.name}({', '.join(self.parameters)})"] * self.times

    def definition(self) -> list[str]:
        """What stands in front of the kernel."""
        named = [f"{p}_: T.Ref" if p in self.assigned else f"{p}_" for p in self.parameters]
        body = _with_parameters("\n".join(indented(self.body)), self.parameters)
        return ["@T.macro", f"def {self.name}({', '.join(named)}):", *body.split("\n")]

    def run(self, machine: Machine) -> None:
        for _ in range(self.times):
            run_all(self.body, machine)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.depth > 2:
            return None
        before = Var.draw(scope) if not scope.variables and scope.chance(3) else ()
        inner = scope.child()
        body: tuple = Assign.draw(inner) or () if scope.chance(3) else ()
        for _ in range(scope.pick((1, 2))):
            body += draw_statement(inner)
        if not body:
            return before or None
        text = "\n".join(indented(body))
        variables = {v.name for v in scope.variables}
        bound = {n for names in _BOUND.findall(text) for n in names.split(", ")}
        calls = [n for n in walk(body) if isinstance(n, MacroCall)]
        stored = (bound | {name for c in calls for name in c.assigned}) & variables
        assigned = tuple(n for n in _names(text) if n in stored)
        parameters = tuple(n for n in _names(text) if n not in bound - variables)
        name, times = scope.fresh("macro"), scope.pick((1, 1, 2))
        return (
            *before,
            cls(name, parameters, assigned, body, times),
        )


@node
class MacroValue(Expression):
    """A call of a macro that returns an expression."""

    name: str
    parameters: tuple
    body: object

    def text(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    def definition(self) -> list[str]:
        """What stands in front of the kernel."""
        named = ", ".join(f"{p}_" for p in self.parameters)
        body = _with_parameters(self.body.text(), self.parameters)
        return ["@T.macro", f"def {self.name}({named}):", f"    return {body}"]

    def value(self, machine: Machine) -> Operand:
        return self.body.value(machine)


def macro_of(scope: Scope, body: Expression) -> MacroValue:
    """A macro that returns an expression, called."""
    return MacroValue(scope.fresh("macro"), tuple(_names(body.text())), body)
