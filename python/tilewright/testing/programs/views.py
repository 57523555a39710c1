# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""T.view and T.reshape: another shape or element type over the same memory."""

from __future__ import annotations

import math

from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.memory import Bits
from tilewright.testing.programs.movement import show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import ALL, NARROW, PAIR, bits_of, long_name
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn


@drawn(3)
@node
class View(Statement):
    """A name for the memory of another: T.reshape, or T.view with a dtype and maybe a shape."""

    name: str
    source: str
    shape: tuple
    dtype: str | None
    shaped: bool

    def lines(self) -> list[str]:
        shape = f"({', '.join(map(str, self.shape))}{',' * (len(self.shape) == 1)})"
        if self.dtype is None:
            return [f"{self.name} = T.reshape({self.source}, {shape})"]
        given = f"{shape}, " if self.shaped else ""
        return [f'{self.name} = T.view({self.source}, {given}dtype="{long_name(self.dtype)}")']

    def run(self, machine: Machine) -> None:
        source = machine.memories[self.source]
        if self.dtype in (None, source.dtype):
            machine.memories[self.name] = source.reshaped(self.name, self.shape)
        else:
            machine.memories[self.name] = Bits(self.name, self.dtype, self.shape, source)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        gaps = {t.name for t in scope.draft.tensors if t.padding or any(t.symbols)}
        source = scope.find(
            lambda t: t.base not in gaps and math.prod(t.shape) > 0 and t.dtype != PAIR
        )
        if source is None:
            return None
        dtype = source.dtype
        summed = dtype in NARROW and source.base in scope.draft.accumulators
        changes = dtype != "bool" and not summed and scope.chance(2)
        if changes:
            scope.draft.seen_as_bits.add(source.base)
            skewed = {t.name for t in scope.draft.tensors if t.skew}
            dtype = scope.pick(_fitting(source, source.base in skewed))
        count = math.prod(source.shape) * bits_of(source.dtype) // bits_of(dtype)
        last = source.shape[-1] * bits_of(source.dtype)
        shaped = not changes or last % bits_of(dtype) != 0 or scope.chance(2)
        if shaped:
            shape = _factors(scope, count)
        else:
            shape = (*source.shape[:-1], last // bits_of(dtype))
        name, bound = scope.fresh("t"), None if changes else source.bound
        show(scope, Tile(name, dtype, shape, source.space, bound, source.base))
        return (cls(name, source.name, shape, dtype if changes else None, shaped),)


def _fitting(source: Tile, skewed: bool) -> list[str]:
    """Types of which a whole number lies in the memory, and which its alignment allows."""
    width = bits_of(source.dtype)
    bits = math.prod(source.shape) * width
    most = width if skewed else 64
    return [
        d for d in ALL
        if d not in ("bool", PAIR) and bits % bits_of(d) == 0 and bits_of(d) <= most
    ]  # fmt: skip


def _factors(scope: Scope, count: int) -> tuple[int, ...]:
    """A shape of so many elements."""
    shape: tuple[int, ...] = ()
    for _ in range(scope.integer(0, 2)):
        first = scope.pick([d for d in range(1, count + 1) if count % d == 0])
        shape, count = (*shape, first), count // first
    return (*shape, count)
