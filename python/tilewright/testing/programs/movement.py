# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Making tiles and moving data: allocation, T.copy, T.fill, T.clear, T.gather."""

from __future__ import annotations

from tilewright.testing.programs import operators
from tilewright.testing.programs.expressions import Literal
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.memory import Memory
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import (
    NARROW,
    SCALE,
    broadcast,
    cast,
    is_float,
    long_name,
)
from tilewright.testing.programs.regions import Region, draw_region, whole
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn


@node
class Alloc(Statement):
    """A tile, undefined at first."""

    name: str
    dtype: str
    shape: tuple
    space: str

    def lines(self) -> list[str]:
        extents = ", ".join(map(str, self.shape)) + "," * (len(self.shape) == 1)
        return [f'{self.name} = T.alloc_{self.space}(({extents}), "{long_name(self.dtype)}")']

    def run(self, machine: Machine) -> None:
        wide = self.name in machine.wide and self.dtype in NARROW
        machine.memories[self.name] = Memory(self.name, self.dtype, self.shape, False, wide)


def new_tile(
    scope: Scope, dtype: str, shape: tuple[int, ...], space: str | None = None
) -> tuple[Alloc, Tile]:
    """The allocation of a tile, which is in sight once its first writer is drawn."""
    space = space or scope.pick(("shared", "fragment", "shared", "fragment", "local"))
    name = scope.fresh("t")
    return Alloc(name, dtype, shape, space), Tile(name, dtype, shape, space)


def show(scope: Scope, tile: Tile) -> None:
    """Bring a tile into sight."""
    scope.tiles.append(tile)


@drawn(4)
@node
class Copy(Statement):
    """T.copy between regions of one shape, extents of 1 apart."""

    source: Region
    target: Region

    def lines(self) -> list[str]:
        return [f"T.copy({self.source.text()}, {self.target.text()})"]

    def run(self, machine: Machine) -> None:
        numbers = self.source.read(machine)
        self.target.write(machine, cast(numbers, machine.memories[self.target.memory].dtype))

    def writes(self):
        return (self.target.memory,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.chance(4):
            return cls._draw_within(scope)
        return load_tile(scope)

    @classmethod
    def _draw_within(cls, scope: Scope) -> tuple | None:
        """Between two tiles, or a tensor and part of a tile that is there."""
        target = scope.tile()
        if target is None:
            return None
        extents = tuple(scope.integer(1, e) for e in target.shape)
        region = draw_region(scope, target, extents, False)
        source = scope.find(
            lambda t: t.base != target.base and (t.dtype == "bool") == (target.dtype == "bool")
            and len(t.shape) >= len(extents)
        )  # fmt: skip
        if source is None or region is None:
            return None
        taken = draw_region(scope, source, extents, True)
        return None if taken is None else (cls(taken, region),)


def load_tile(
    scope: Scope,
    dtype: str | None = None,
    shape: tuple[int, ...] | None = None,
    space: str | None = None,
    data: str | None = None,
) -> tuple:
    """A new tile, filled from a tensor by T.copy."""
    shape = shape or scope.shape()
    dtype = dtype or scope.dtype()
    alloc, tile = new_tile(scope, dtype, shape, space)
    if data is not None:
        source = scope.tensor(tuple(scope.near_size(e) for e in shape), dtype, "input", data)
        scope.reveal(source)
    else:
        converts = dtype != "bool" and scope.chance(4)
        source = scope.input(len(shape), scope.dtype("number") if converts else dtype, shape)
    region = draw_region(scope, source, shape, True)
    bound = source.bound if source.dtype == dtype else None
    show(scope, Tile(tile.name, dtype, shape, tile.space, bound))
    return (alloc, Copy(region, whole(tile)))


def cleared(tile: Tile) -> Fill:
    """T.clear of a new tile; of e8m0, which has no zero, a fill with ones."""
    return Fill(whole(tile), Literal(1.0) if tile.dtype == SCALE else None)


def literal_of(scope: Scope, dtype: str) -> Literal:
    """A number that a dtype holds."""
    if dtype == "bool":
        return Literal(scope.chance(2))
    if dtype == SCALE:
        return Literal(scope.pick((1.0, 2.0, 0.5, 8.0)))
    if is_float(dtype):
        return Literal(scope.pick((0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 6.0)))
    return Literal(scope.pick((0, 1, 2, 3, 7) + ((-1, -5) if dtype[0] == "i" else ())))


@drawn(1)
@node
class Fill(Statement):
    """T.fill of a tile or a part of it; T.clear where the value is None."""

    target: Region
    value: object

    def lines(self) -> list[str]:
        if self.value is None:
            return [f"T.clear({self.target.text()})"]
        return [f"T.fill({self.target.text()}, {self.value.text()})"]

    def run(self, machine: Machine) -> None:
        dtype = machine.memories[self.target.memory].dtype
        value = 0 if self.value is None else self.value.value(machine)
        self.target.write(machine, broadcast(operators.typed(value, dtype), self.target.sizes))

    def writes(self):
        return (self.target.memory,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        former = scope.tile() if scope.chance(2) else None
        if former is not None:
            extents = tuple(scope.integer(1, e) for e in former.shape)
            region = draw_region(scope, former, extents, False)
            return (cls(region, cls._value(scope, former.dtype)),)
        alloc, tile = new_tile(scope, scope.dtype(), scope.shape())
        show(scope, tile)
        return (alloc, cls(whole(tile), cls._value(scope, tile.dtype)))

    @staticmethod
    def _value(scope: Scope, dtype: str) -> object:
        return literal_of(scope, dtype) if dtype == SCALE or scope.chance(2) else None
