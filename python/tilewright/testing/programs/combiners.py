# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Combiners of a program's own, which T.reduce and T.scan take.

A combiner is an expression of x and y. All that are drawn are associative without any
rounding, but for the sum of floats, whose bound is that of every sum.
"""

from __future__ import annotations

import numpy as np

from tilewright.testing.programs import sums
from tilewright.testing.programs.expressions import Binary, Choose, Expression, Literal, Name
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import (
    NARROW,
    Numbers,
    broadcast,
    cast,
    held_as,
    is_float,
)
from tilewright.testing.programs.operators import typed
from tilewright.testing.programs.scope import Scope

X, Y = Name("x"), Name("y")


@node
class Combiner:
    """A function of x and y, and the number that it leaves others unchanged with.

    `form` is how it is written: "lambda", "macro", "function", or "operation", where the body
    is one of the language's own, such as T.max.
    """

    name: str
    body: object
    identity: object
    form: str

    def text(self) -> str:
        """The argument that names it."""
        if self.form == "operation":
            return f"T.{self.body.op}"
        return f"lambda x, y: {self.body.text()}" if self.form == "lambda" else self.name

    def definition(self) -> list[str]:
        """What stands in front of the kernel."""
        if self.form not in ("macro", "function"):
            return []
        lines = [f"def {self.name}(x, y):", f"    return {self.body.text()}"]
        return ["@T.macro", *lines] if self.form == "macro" else lines

    def total(
        self, machine: Machine, terms: Numbers, axis: int, reverse: bool = False
    ) -> Numbers:
        """The combination along an axis; floats below f32 meet in it, rounded once."""
        wide = cast(terms, "f32") if terms.dtype in NARROW else terms
        if is_float(wide.dtype) and self.body == Binary("+", X, Y):
            return cast(sums.total(wide, axis), terms.dtype)
        shape = wide.value.shape[:axis] + wide.value.shape[axis + 1 :]
        with machine.over(shape):
            first = typed(self.identity.value(machine), wide.dtype)
            result = broadcast(Numbers(first.dtype, first.value, first.error), shape)
            order = range(wide.value.shape[axis])
            for i in reversed(order) if reverse else order:
                taken = Numbers(wide.dtype, wide.value.take(i, axis), wide.error.take(i, axis))
                result = self._combined(machine, result, taken)
        return cast(result, terms.dtype)

    def _combined(self, machine: Machine, x: Numbers, y: Numbers) -> Numbers:
        machine.names |= {"x": x, "y": y}
        made = self.body.numbers(machine)
        # Without the 64 bits of an index: a combination is an element.
        return Numbers(made.dtype, made.value, made.error)


def draw_combiner(scope: Scope, dtype: str, commutes: bool) -> Combiner:
    """A combiner of elements of a type; one that commutes for reductions."""
    if dtype == "bool":
        table = _TRUTHS
    elif is_float(dtype):
        table = _FLOATS
    else:
        table = _whole(dtype)
        if not commutes:
            table = (*table, *_ORDERED)
    body, identity = scope.pick(table)
    if dtype[0] in "iu" and scope.chance(6):  # with a value of the program, not of the tile
        name = scope.fresh("p")
        scope.draft.scalars.append((name, dtype, scope.pick((1, 0, 3, 100))))
        body = Binary("^", Binary("^", X, Y), Name(name))
        return Combiner("", body, Name(name), "lambda")
    forms = ["lambda", "macro", "function"]
    if isinstance(body, Binary) and body.op in ("max", "min"):
        forms.append("operation")
    return Combiner(scope.fresh("combine"), body, Literal(identity), scope.pick(forms))


_SUM, _PRODUCT = Binary("+", X, Y), Binary("*", X, Y)
_MAX, _MIN = Binary("max", X, Y), Binary("min", X, Y)
_TRUTHS: tuple[tuple[Expression, bool], ...] = (
    (Binary("!=", X, Y), False),
    (Binary("|", X, Y), False),
    (Binary("&", X, Y), True),
    (Binary("==", X, Y), True),
)
_FLOATS = ((_MAX, -np.inf), (_SUM, 0.0), (_MIN, np.inf))
# The first, or last, that is not zero: which side comes first matters.
_ORDERED = (
    (Choose(Binary("!=", Y, Literal(0)), Y, X, True), 0),
    (Choose(Binary("!=", X, Literal(0)), X, Y, True), 0),
)


def _whole(dtype: str) -> tuple[tuple[Expression, int], ...]:
    """Combiners of integers, which wrap."""
    limits = np.iinfo(held_as(dtype))
    least, most = int(limits.min), int(limits.max)
    return (
        (_SUM, 0),
        (_MAX, least),
        (_MIN, most),
        (_PRODUCT, 1),
        (Binary("&", X, Y), most if least == 0 else -1),
        (Binary("|", X, Y), 0),
        (Binary("^", X, Y), 0),
        (Binary("+", _SUM, _PRODUCT), 0),
        (Choose(Binary("<", X, Y), X, Y, True), most),
    )
