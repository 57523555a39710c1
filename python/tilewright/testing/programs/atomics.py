# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""T.atomic_<op>: on elements, whose former values may be asked for, and on regions."""

from __future__ import annotations

import numpy as np

from tilewright.testing.programs import operators
from tilewright.testing.programs.control import If
from tilewright.testing.programs.elementwise import Parallel, Store, lanes
from tilewright.testing.programs.expressions import Literal, Name, places, plus
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.movement import new_tile, show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import PAIR, SCALE, is_float
from tilewright.testing.programs.regions import Region
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn
from tilewright.testing.programs.values import condition, draw_indices, draw_value


@node
class Atomic(Statement):
    """T.atomic_<op> on an element; order between iterations and blocks is not specified.

    With `former` that name is bound to what the element held. It is known where no other
    iteration updates the element.
    """

    op: str
    memory: str
    indices: tuple
    a: object
    former: str | None = None

    def lines(self) -> list[str]:
        element = f"{self.memory}[{', '.join(i.text() for i in self.indices)}]"
        call = f"T.atomic_{self.op}({element}, {self.a.text()}"
        return [f"{self.former} = {call}, return_prev=True)" if self.former else call + ")"]

    def run(self, machine: Machine) -> None:
        memory = machine.memories[self.memory]
        numbers = operators.typed(self.a.value(machine), memory.dtype)
        at = places(machine, self.indices)
        if self.former:
            machine.names[self.former] = memory.former(at, machine.mask)
        memory.combine(self.op, at, machine.doubted(numbers), machine.mask)
        if self.former:
            memory.settle()

    def combines(self):
        return (self.memory,)


ATOMICS = ("add", "max", "min", "or", "and", "xor")


def draw_atomic(scope: Scope, target: Tile) -> Parallel:
    """A loop whose iterations combine values into elements of a tensor or shared tile."""
    extents = scope.shape(scope.pick((1, 2)))
    inner, values = lanes(scope, extents)
    inner.busy = inner.busy | {target.base}
    op = scope.pick(ATOMICS if not is_float(target.dtype) else ("add", "max", "min"))
    made, _ = draw_value(inner, 1)
    body: tuple = (Atomic(op, target.name, draw_indices(inner, target), made),)
    if scope.chance(3):
        body = (If(condition(inner, 1), body, ()),)
    return Parallel(tuple(v.name for v in values), extents, body)


@node
class AtomicTile(Statement):
    """T.atomic_<op> of a tile into a region of one shape."""

    op: str
    target: Region
    source: str

    def lines(self) -> list[str]:
        return [f"T.atomic_{self.op}({self.target.text()}, {self.source})"]

    def run(self, machine: Machine) -> None:
        memory = machine.memories[self.target.memory]
        numbers = operators.typed(machine.whole(self.source), memory.dtype)
        starts = [int(v) for v in places(machine, self.target.starts)]
        shape = numbers.value.shape
        at = [s + g for s, g in zip(starts, machine.grid_of(shape))]
        memory.combine(self.op, at, numbers, np.ones(shape, bool))

    def combines(self):
        return (self.target.memory,)


def draw_former(scope: Scope, target: Tile, starts: tuple, extents: tuple) -> tuple:
    """Each element of the block's own region is updated once, and what it held is kept."""
    alloc, tile = new_tile(scope, target.dtype, extents)
    inner, values = lanes(scope, extents)
    inner.busy = inner.busy | {target.base}
    op = scope.pick(ATOMICS if not is_float(target.dtype) else ("add", "max", "min"))
    made, _ = draw_value(inner, 1)
    name, lane = scope.fresh("s"), tuple(Name(v.name) for v in values)
    indices = tuple(plus(s, i) for s, i in zip(starts, lane))
    body = (Atomic(op, target.name, indices, made, name), Store(tile.name, lane, Name(name)))
    show(scope, tile)
    return (alloc, Parallel(tuple(v.name for v in values), extents, body))


@drawn(2)
class AtomicUpdate(Statement):
    """T.atomic_<op> on a shared tile, or where blocks have windows of their own, on those."""

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.windows and scope.chance(2):
            region, dtype = scope.pick(scope.windows)
            if dtype not in _NO_ATOMICS:
                window = Tile(region.memory, dtype, region.shape, "global")
                return draw_former(scope, window, region.starts, region.shape)
        tile = scope.tile(lambda t: t.space == "shared" and t.dtype not in ("bool", SCALE))
        if tile is None:
            return None
        if scope.chance(2):
            starts = (Literal(0),) * len(tile.shape)
            return draw_former(scope, tile, starts, tile.shape)
        return (draw_atomic(scope, tile),)


_NO_ATOMICS = ("bool", SCALE, PAIR)  # a tensor of pairs has no elements that stand alone
