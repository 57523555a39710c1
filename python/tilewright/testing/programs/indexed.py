# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows that an index tile names: T.gather reads them, T.scatter writes them."""

from __future__ import annotations

import numpy as np

from tilewright.testing.programs import operators
from tilewright.testing.programs.expressions import Literal, places
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.movement import literal_of, load_tile, new_tile, show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import Numbers, cast
from tilewright.testing.programs.regions import Region, whole
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn


def draw_rows(scope: Scope, count: int) -> tuple[tuple, Tile]:
    """An index tile that names so many rows, and the statements that load it."""
    types = ("i32", "i64", "i16", "i8", "u64")
    ids = scope.tile(
        lambda t: len(t.shape) == 1 and t.dtype in types and t.shape[0] >= count
        and t.bound is not None
    )  # fmt: skip
    if ids is not None:
        return (), ids
    data = scope.pick(("small", "small", "counts", "wide"))
    made = load_tile(scope, scope.pick(types), (count,), data=data)
    return made, scope.tiles[-1]


@drawn(2)
@node
class Gather(Statement):
    """T.gather of rows that an index tile names."""

    source: Region
    indices: str
    target: Region
    axis: int
    fill: object

    def lines(self) -> list[str]:
        return [
            f"T.gather({self.source.text()}, {self.indices}, {self.target.text()}, "
            f"axis={self.axis}, fill={self.fill.text()})"
        ]

    def run(self, machine: Machine) -> None:
        source = machine.memories[self.source.memory]
        dtype = machine.memories[self.target.memory].dtype
        rows = machine.whole(self.indices)
        count = self.source.sizes[self.axis]
        chosen = machine.certain_of(rows)[:count]
        starts = [int(v) for v in places(machine, self.source.starts)]
        at = [s + g for s, g in zip(starts, machine.grid_of(self.source.sizes))]
        shape = [1] * len(at)
        shape[self.axis] = count
        at[self.axis] = (chosen + starts[self.axis]).reshape(shape)
        there = np.broadcast_to((chosen >= 0).reshape(shape), self.source.sizes)
        for place, extent in zip(at, source.shape):
            there = there & (place >= 0) & (place < extent)
        numbers = cast(source.load(at, there), dtype)
        fill = operators.typed(self.fill.value(machine), dtype)
        chosen_numbers = Numbers(
            dtype,
            np.where(there, numbers.value, fill.value),
            np.where(there, numbers.error, fill.error),
        )
        self.target.write(machine, chosen_numbers)

    def writes(self):
        return (self.target.memory,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        shape = scope.shape(scope.pick((2, 1, 2, 3)))
        axis = scope.integer(0, len(shape) - 1)
        made, ids = draw_rows(scope, shape[axis])
        source = scope.find(lambda t: t.is_global and len(t.shape) == len(shape))
        if source is None or scope.chance(2):
            size = tuple(scope.near_size(e) for e in shape)
            source = scope.tensor(size, scope.dtype(), "input")
            scope.reveal(source)
        dtype = source.dtype
        alloc, tile = new_tile(scope, dtype, shape)
        starts = tuple(
            Literal(0) if d == axis else scope.offset(source.shape[d], shape[d], False, False)
            for d in range(len(shape))
        )
        region = Region(source.name, starts, shape, (True,) * len(shape), "start")
        show(scope, tile)
        fill = literal_of(scope, dtype)
        return (*made, alloc, cls(region, ids.name, whole(tile), axis, fill))


@drawn(2)
@node
class Scatter(Statement):
    """T.scatter: rows of a tile stored, or with `atomic` added, where an index tile says."""

    source: str
    indices: str
    target: Region
    axis: int
    atomic: bool

    def lines(self) -> list[str]:
        atomic = ", atomic=True" if self.atomic else ""
        return [
            f"T.scatter({self.source}, {self.indices}, {self.target.text()}, "
            f"axis={self.axis}{atomic})"
        ]

    def run(self, machine: Machine) -> None:
        target = machine.memories[self.target.memory]
        rows = cast(machine.whole(self.source), target.dtype)
        numbers = machine.certain_of(machine.whole(self.indices))
        starts = [int(v) for v in places(machine, self.target.starts)]
        for i, number in enumerate(numbers[: self.target.sizes[self.axis]]):
            if number < 0:
                continue
            row = Numbers(
                rows.dtype,
                rows.value.take([i], self.axis),
                rows.error.take([i], self.axis),
            )
            at = [s + g for s, g in zip(starts, machine.grid_of(row.value.shape))]
            at[self.axis] = np.full_like(at[self.axis], number + starts[self.axis])
            there = np.ones(row.value.shape, bool)
            for place, extent in zip(at, target.shape):
                there = there & (place >= 0) & (place < extent)
            if self.atomic:
                target.combine("add", at, row, there)
            else:
                target.store(at, row, there)
        if not target.is_global:
            target.settle()

    def writes(self):
        return () if self.atomic else (self.target.memory,)

    def combines(self):
        return (self.target.memory,) if self.atomic else ()

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        target = scope.tile(lambda t: t.space == "shared")
        if target is None:
            return None
        axis = scope.integer(0, len(target.shape) - 1)
        sizes = [scope.integer(1, e) for e in target.shape]
        sizes[axis] = scope.pick((4, 1, 3, 8, 17))
        starts = tuple(
            Literal(0) if d == axis else scope.offset(e, s, True, False)
            for d, (e, s) in enumerate(zip(target.shape, sizes))
        )
        return draw_scatter(scope, target, starts, tuple(sizes), axis, None)


def draw_scatter(
    scope: Scope,
    target: Tile,
    starts: tuple,
    sizes: tuple[int, ...],
    axis: int,
    atomic: bool | None,
) -> tuple:
    """Rows for a target, their places, and the scatter; `atomic` is drawn where it is None."""
    truth = target.dtype == "bool"
    source = scope.tile(
        lambda t: t.shape == sizes and (t.dtype == "bool") == truth and t.base != target.base
    )
    made: tuple = ()
    if source is None:
        made = load_tile(scope, "bool" if truth else scope.dtype("number"), sizes)
        source = scope.tiles[-1]
    busy, scope.busy = scope.busy, scope.busy | {target.base}
    rows, ids = draw_rows(scope, sizes[axis])
    scope.busy = busy
    if atomic is None:
        atomic = not truth and scope.chance(3)
    form = (
        "whole" if sizes == target.shape and all(s == Literal(0) for s in starts) else "start"
    )
    region = Region(target.name, starts, sizes, (True,) * len(sizes), form)
    return (*made, *rows, Scatter(source.name, ids.name, region, axis, atomic))
