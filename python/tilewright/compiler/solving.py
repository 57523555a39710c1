"""Sizes that an argument gives through an expression: n where a tensor has n + 1 elements.

The expression becomes a size of the signature, and what it holds is computed from that:
offsets of batches have one element more than there are batches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import NamedTuple

from ..language.dtypes import index
from ..language.symbols import Dim, SizeExpr
from ..language.values import Value


class Solved(NamedTuple):
    """A size, and the `value` that a name has where an expression of it is that size."""

    size: Dim
    value: SizeExpr


class Solving:
    """Part of the emitter. See the module's docstring."""

    def dim(self, dim: Dim) -> Value:
        """A dynamic size as an index."""
        source = self.symbols.get(dim.name)
        solved = None if source else self.solve(dim.name)
        if solved:
            ssa = self.size(solved.value).ssa
        elif source is None:
            self.fail(
                f"the size {dim.name} follows from no size of a parameter of this kernel",
                hint="it must be a size of a tensor, by itself or in a form such as n + 1 or "
                "2 * n, or a scalar parameter",
            )
        else:
            memory, axis = source
            if axis is None:  # a scalar parameter that is the size
                ssa = self.cast(memory, index).ssa
            else:
                ssa = self.builder.size(memory.ssa, memory.type, axis, dim.name)
        self.made_of[ssa] = dim
        return Value(ssa, index, None, nonneg=True, dim=dim)

    def solve(self, name: str) -> Solved | None:
        """How a tensor gives the size `name`, or None where no expression does."""
        if name not in self.solved:
            for p in self.parameters:
                shape = p.memory.shape if p.memory and not p.output else ()
                for axis, expression in enumerate(shape):
                    found = isinstance(expression, SizeExpr) and self._inverse(name, expression)
                    if found:
                        self.solved[name] = Solved(*found)
                        self.symbols[found[0].name] = (p.memory, axis)
                        return self.solved[name]
        return self.solved.get(name)

    def _inverse(self, name: str, expression: SizeExpr) -> tuple[Dim, SizeExpr] | None:
        """A size for `expression`, and `name` of it; None unless every value has one."""
        form = _linear(expression) if expression.names() == {name} else None
        scale, offset = form or (0, 0)
        facts = self.facts[name]
        # A size has a least and a greatest value and a divisor, which must say what is
        # checked: that the expression has this form, and the facts of the name.
        if scale < 1 or (offset and (scale > 1 or offset % facts.multiple_of)):
            return None
        most = None if facts.maximum is None else facts.maximum * scale + offset
        least = max(0, facts.minimum * scale + offset)
        size = Dim(plain(expression), least, most, facts.multiple_of * scale)
        value: SizeExpr = size
        if offset:
            value = size - offset if offset > 0 else size + -offset
        return size, value // scale if scale > 1 else value

    def signature_facts(self) -> list[Dim]:
        """The sizes that arguments give, with what is known of them."""
        given = [dim for name, dim in self.facts.items() if name not in self.solved]
        return list(dict.fromkeys([*given, *(s.size for s in self.solved.values())]))

    def in_terms_of_arguments(self, size: object) -> object:
        """A size or stride without the names that are solved for."""
        if isinstance(size, Dim):
            return self.solved[size.name].value if size.name in self.solved else size
        if not isinstance(size, SizeExpr):
            return size
        for solved in self.solved.values():
            if plain(size) == solved.size.name:
                return solved.size
        return SizeExpr(size.operator, *map(self.in_terms_of_arguments, size.operands))


def _linear(size: int | SizeExpr) -> tuple[int, int] | None:
    """(a, b) where `size`, of one name n, is a n + b."""
    if isinstance(size, int):
        return 0, size
    if isinstance(size, Dim):
        return 1, 0
    if size.operator not in ("add", "sub", "mul"):
        return None
    parts = [_linear(operand) for operand in size.operands]
    if None in parts:
        return None
    (a, b), (c, d) = parts
    if size.operator == "add":
        return a + c, b + d
    if size.operator == "sub":
        return a - c, b - d
    return (a * d + b * c, b * d) if a == 0 or c == 0 else None


def plain(size: SizeExpr) -> str:
    """An expression without parentheses around all of it."""
    text = str(size)
    return text[1:-1] if text[0] == "(" else text
