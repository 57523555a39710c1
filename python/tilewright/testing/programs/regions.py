# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Parts of memories: a slice, a start index, or all of it."""

from __future__ import annotations

from tilewright.testing.programs.expressions import Literal, places
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import Numbers
from tilewright.testing.programs.scope import Scope, Tile


@node
class Region:
    """A part of a memory.

    `starts` holds an expression and `sizes` an extent for each dimension of the memory.
    `kept` marks dimensions that are sliced; the others are indexed, with extent 1. `form`
    is how it is written: "slice", "start" (a start index: the other side of a copy gives
    the extents) or "whole".
    """

    memory: str
    starts: tuple
    sizes: tuple
    kept: tuple
    form: str = "slice"

    def text(self) -> str:
        """Python source."""
        if self.form == "whole":
            return self.memory
        items = []
        for start, size, kept in zip(self.starts, self.sizes, self.kept):
            if self.form == "start" or not kept:
                items.append(start.text())
            elif isinstance(start, Literal):
                items.append(f"{start.number}:{start.number + size}")
            else:
                items.append(f"{start.text()}:{start.text()} + {size}")
        return f"{self.memory}[{', '.join(items)}]"

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents that are not indexed away."""
        return tuple(s for s, kept in zip(self.sizes, self.kept) if kept)

    def _starts(self, machine: Machine) -> list[int]:
        return [int(v) for v in places(machine, self.starts)]

    def read(self, machine: Machine) -> Numbers:
        """Its numbers, in the shape of `sizes`."""
        return machine.read(self.memory, self._starts(machine), self.sizes)

    def matrix(self, machine: Machine) -> Numbers:
        """Its numbers, in the shape of what is sliced."""
        numbers = self.read(machine)
        shape = self.shape
        return Numbers(
            numbers.dtype, numbers.value.reshape(shape), numbers.error.reshape(shape)
        )

    def write(self, machine: Machine, numbers: Numbers) -> None:
        """Write numbers that have the shape of `sizes`, extents of 1 apart."""
        shaped = Numbers(
            numbers.dtype, numbers.value.reshape(self.sizes), numbers.error.reshape(self.sizes)
        )
        machine.write(self.memory, self._starts(machine), shaped)


def whole(tile: Tile) -> Region:
    """All of a tile."""
    rank = len(tile.shape)
    return Region(tile.name, (Literal(0),) * rank, tile.shape, (True,) * rank, "whole")


def draw_part(scope: Scope, tile: Tile) -> Region:
    """All of a tile, or of a shared one a part: what operations on whole tiles take."""
    rank = len(tile.shape)
    if tile.space != "shared" or not scope.chance(4):
        return whole(tile)
    kept = [True] * rank
    if rank > 1 and scope.chance(3):
        kept[scope.integer(0, rank - 1)] = False
    sizes = tuple(scope.integer(1, e) if k else 1 for k, e in zip(kept, tile.shape))
    starts = tuple(scope.offset(e, s, True, True) for e, s in zip(tile.shape, sizes))
    return Region(tile.name, starts, sizes, tuple(kept))


def draw_region(
    scope: Scope, memory: Tile, extents: tuple[int, ...], start_form: bool
) -> Region | None:
    """A part of a memory with these extents along its last, or other, dimensions.

    None where the memory is a tile too small to hold it.
    """
    rank, count = len(memory.shape), len(extents)
    if count > rank:
        return None
    if start_form and count == rank and scope.chance(2):
        form = "start"
    else:
        form = "slice"
    dims = list(range(rank - count, rank))
    if form == "slice" and count < rank and scope.chance(3):
        first = scope.integer(0, rank - count)
        dims = list(range(first, first + count))
    sizes, kept = [1] * rank, [False] * rank
    for d, extent in zip(dims, extents):
        sizes[d], kept[d] = extent, True
    if not memory.is_global and any(s > m for s, m in zip(sizes, memory.shape)):
        return None
    if not memory.is_global and tuple(sizes) == memory.shape and all(kept) and scope.chance(2):
        return whole(memory)
    starts = tuple(
        scope.offset(memory.shape[d], sizes[d], not memory.is_global,
                     kept[d] and form == "slice")
        for d in range(rank)
    )  # fmt: skip
    return Region(memory.name, starts, tuple(sizes), tuple(kept), form)
