# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The elements of a tile in order: T.topk, T.sort."""

from __future__ import annotations

from tilewright.testing.programs import sums
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.memory import Memory
from tilewright.testing.programs.movement import show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import Numbers
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn
from tilewright.testing.programs.tiles import source_tile


@drawn(2)
@node
class TopK(Statement):
    """T.topk: two new fragments, of values and of positions."""

    source: str
    values: str
    positions: str
    k: int
    dim: int
    largest: bool

    def lines(self) -> list[str]:
        smallest = "" if self.largest else ", largest=False"
        return [
            f"{self.values}, {self.positions} = T.topk({self.source}, {self.k}, "
            f"dim={self.dim}{smallest})"
        ]

    def run(self, machine: Machine) -> None:
        terms = machine.whole(self.source)
        _give(machine, self, sums.selection(terms, self.k, self.dim, self.largest))

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: t.dtype != "bool")
        dim = scope.integer(0, len(source.shape) - 1)
        k = scope.integer(1, source.shape[dim])
        shape = source.shape[:dim] + (k,) + source.shape[dim + 1 :]
        values, positions = _bring(scope, source, shape)
        return (*made, cls(source.name, values, positions, k, dim, not scope.chance(3)))


def _bring(scope: Scope, source: Tile, shape: tuple[int, ...]) -> tuple[str, str]:
    """Names of the fragments that a selection makes, which are in sight from here on."""
    values, positions = scope.fresh("v"), scope.fresh("p")
    show(scope, Tile(values, source.dtype, shape, "fragment"))
    show(scope, Tile(positions, "i32", shape, "fragment", max(source.shape)))
    return values, positions


def _give(machine: Machine, node: TopK | Sort, found: tuple[Numbers, Numbers]) -> None:
    """The fragments of values and positions."""
    for name, numbers in zip((node.values, node.positions), found):
        memory = Memory(name, numbers.dtype, numbers.value.shape, False)
        machine.memories[name] = memory
        memory.give(numbers)


@drawn(2)
@node
class Sort(Statement):
    """T.sort: two new fragments, of values and of positions."""

    source: str
    values: str
    positions: str
    dim: int
    descending: bool

    def lines(self) -> list[str]:
        order = ", descending=True" if self.descending else ""
        return [
            f"{self.values}, {self.positions} = T.sort({self.source}, dim={self.dim}{order})"
        ]

    def run(self, machine: Machine) -> None:
        terms = machine.whole(self.source)
        count = terms.value.shape[self.dim]
        _give(machine, self, sums.selection(terms, count, self.dim, self.descending))

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: True)
        dim = scope.integer(0, len(source.shape) - 1)
        written = dim - len(source.shape) if scope.chance(3) else dim
        values, positions = _bring(scope, source, source.shape)
        return (*made, cls(source.name, values, positions, written, scope.chance(2)))
