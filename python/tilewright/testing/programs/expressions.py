# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar expressions: each class prints itself and computes its value.

`text()` is the Python source, fully parenthesised; `value(machine)` the `Numbers` of all
iterations at once, or a Python number where the expression is a literal.
"""

from __future__ import annotations

import math

from tilewright.testing.programs import functions, operators
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import Numbers, long_name
from tilewright.testing.programs.operators import Operand


class Expression:
    """A scalar expression."""

    def text(self) -> str:
        """Python source."""
        raise NotImplementedError

    def value(self, machine: Machine) -> Operand:
        """What it computes in the active iterations."""
        raise NotImplementedError

    def numbers(self, machine: Machine) -> Numbers:
        """As `value`; a Python number takes the type it has alone."""
        return operators.alone(self.value(machine))


@node
class Literal(Expression):
    """A Python number."""

    number: bool | int | float

    def text(self) -> str:
        if isinstance(self.number, float) and not math.isfinite(self.number):
            return f'float("{self.number}")'
        return repr(self.number)

    def value(self, machine: Machine) -> Operand:
        return self.number


@node
class Name(Expression):
    """A loop variable, block coordinate, scalar parameter, or named value."""

    name: str

    def text(self) -> str:
        return self.name

    def value(self, machine: Machine) -> Operand:
        return machine.names[self.name]


@node
class Element(Expression):
    """An element of a tile or tensor."""

    memory: str
    indices: tuple

    def text(self) -> str:
        return f"{self.memory}[{', '.join(i.text() for i in self.indices)}]"

    def value(self, machine: Machine) -> Operand:
        return machine.memories[self.memory].load(places(machine, self.indices), machine.mask)


@node
class Binary(Expression):
    """An operator between two values, or T.min or T.max."""

    op: str
    a: object
    b: object

    def text(self) -> str:
        if self.op in ("min", "max"):
            return f"T.{self.op}({self.a.text()}, {self.b.text()})"
        return f"({self.a.text()} {self.op} {self.b.text()})"

    def value(self, machine: Machine) -> Operand:
        a, b = self.a.value(machine), self.b.value(machine)
        if not isinstance(a, Numbers) and not isinstance(b, Numbers):
            a = operators.alone(a)
        if self.op in ("+", "-", "*", "/", "//", "%"):
            return operators.arithmetic(self.op, a, b)
        if self.op in ("&", "|", "^"):
            return operators.bitwise(self.op, a, b)
        if self.op in ("<<", ">>"):
            return operators.shift(self.op, a, b)
        if self.op in ("min", "max"):
            return operators.extremum(self.op, a, b)
        return operators.compare(self.op, a, b)


@node
class Logic(Expression):
    """`a and b`, `a or b`: the later operand is read only where it decides."""

    op: str
    a: object
    b: object

    def text(self) -> str:
        return f"({self.a.text()} {self.op} {self.b.text()})"

    def value(self, machine: Machine) -> Operand:
        a = operators.truth(self.a.value(machine))
        with machine.where(a if self.op == "and" else operators.invert(a)):
            b = operators.truth(self.b.value(machine))
        return operators.logic(self.op, a, b)


@node
class Unary(Expression):
    """-a, ~a, `not a`, T.abs, T.isnan, T.isinf, rounding and maths functions."""

    op: str
    a: object

    def text(self) -> str:
        if self.op in ("-", "~", "not "):
            return f"({self.op}{self.a.text()})"
        return f"T.{self.op}({self.a.text()})"

    def value(self, machine: Machine) -> Operand:
        a = self.a.numbers(machine)
        if self.op == "-":
            return operators.negate(a)
        if self.op == "~":
            return operators.invert(a)
        if self.op == "not ":
            return operators.invert(operators.truth(a))
        if self.op == "abs":
            return operators.magnitude(a)
        if self.op in ("isnan", "isinf"):
            return operators.predicate(self.op, a)
        if self.op in ("floor", "ceil", "round", "trunc"):
            return operators.rounding(self.op, a)
        return functions.function(self.op, a)


@node
class Cast(Expression):
    """T.cast, or T.reinterpret where `bits`."""

    dtype: str
    a: object
    bits: bool = False

    def text(self) -> str:
        name = "reinterpret" if self.bits else "cast"
        return f'T.{name}({self.a.text()}, "{long_name(self.dtype)}")'

    def value(self, machine: Machine) -> Operand:
        if self.bits:
            return operators.reinterpret(self.a.numbers(machine), self.dtype)
        return operators.typed(self.a.value(machine), self.dtype)


@node
class Choose(Expression):
    """`a if c else b`, or T.if_then_else(c, a, b): the other side is not read."""

    condition: object
    a: object
    b: object
    call: bool = False

    def text(self) -> str:
        c, a, b = self.condition.text(), self.a.text(), self.b.text()
        return f"T.if_then_else({c}, {a}, {b})" if self.call else f"({a} if {c} else {b})"

    def value(self, machine: Machine) -> Operand:
        condition = operators.truth(self.condition.value(machine))
        with machine.where(condition):
            a = self.a.value(machine)
        with machine.where(operators.invert(condition)):
            b = self.b.value(machine)
        return operators.select(condition, a, b)


@node
class Ternary(Expression):
    """T.fma(a, b, c) and T.clamp(x, lo, hi)."""

    op: str
    a: object
    b: object
    c: object

    def text(self) -> str:
        return f"T.{self.op}({self.a.text()}, {self.b.text()}, {self.c.text()})"

    def value(self, machine: Machine) -> Operand:
        a, b, c = (x.value(machine) for x in (self.a, self.b, self.c))
        if self.op == "fma":
            return operators.fma(a, b, c)
        return operators.extremum("max", operators.extremum("min", a, c), b)


def plus(start: Expression, index: Expression) -> Expression:
    """start + index, without adding a literal zero."""
    return index if start == Literal(0) else Binary("+", start, index)


def places(machine: Machine, indices: tuple) -> list:
    """The values of indices in every iteration."""
    return [machine.certain(index.numbers(machine)) for index in indices]


@node
class Ceildiv(Expression):
    """T.ceildiv of a size by a number."""

    a: object
    by: int

    def text(self) -> str:
        return f"T.ceildiv({self.a.text()}, {self.by})"

    def value(self, machine: Machine) -> Operand:
        a = self.a.numbers(machine)
        return Numbers(a.dtype, -(-a.value // self.by), a.error)
