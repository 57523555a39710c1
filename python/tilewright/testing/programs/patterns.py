# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What kernels are made of and chance alone seldom makes: loops of products, hazards.

These draw statements of the other modules in arrangements that passes look for.
"""

from __future__ import annotations

from tilewright.testing.programs.control import For, trip_count
from tilewright.testing.programs.elementwise import Parallel, Store, lanes
from tilewright.testing.programs.expressions import (
    Binary,
    Element,
    Expression,
    Literal,
    Name,
    plus,
)
from tilewright.testing.programs.indexed import Gather
from tilewright.testing.programs.movement import (
    Copy,
    cleared,
    load_tile,
    new_tile,
    show,
)
from tilewright.testing.programs.numbers import is_float
from tilewright.testing.programs.regions import Region, draw_region, whole
from tilewright.testing.programs.scope import Scope, Tile, Value
from tilewright.testing.programs.statements import Statement, draw_statement, drawn
from tilewright.testing.programs.tiles import Gemm, Reduce
from tilewright.testing.programs.values import draw_value


@drawn(3)
class ProductLoop(Statement):
    """An accumulator to which a loop over K adds products of tiles that it loads."""

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if scope.loops >= 2 or scope.depth > 2:
            return None
        m, n, k = (scope.pick((4, 8, 16, 3, 17, 24, 33, 1)) for _ in range(3))
        dtype = scope.pick(("f32", "bf16", "f16", "i8", "u8", "f64", "f8e4m3fn", "f8e5m2"))
        result = "i32" if not is_float(dtype) else "f64" if dtype == "f64" else (
            scope.pick(("f32", "f32", "bf16", "f16"))
        )  # fmt: skip
        ta, tb = scope.chance(3), scope.chance(3)
        a_shape, b_shape = (k, m) if ta else (m, k), (n, k) if tb else (k, n)
        alloc, c = new_tile(scope, result, (m, n), scope.pick(("fragment", "shared")))
        scope.draft.accumulators.add(c.name)
        stop, most = trip_count(scope)
        name = scope.fresh("k")
        inner = scope.child()
        inner.loops += 1
        inner.values.append(Value(name, "index", 0, max(most - 1, 0)))
        before: list[Statement] = [alloc, cleared(c)]
        body: list[Statement] = []
        operands = []
        for shape, along in ((a_shape, 0 if ta else 1), (b_shape, 1 if tb else 0)):
            place, tile = new_tile(scope, dtype, shape, scope.pick(("shared", "fragment")))
            (before if scope.chance(2) else body).append(place)
            body += cls._load(inner, tile, along, name, k, most)
            operands.append(tile)
        if scope.chance(4):
            inner.tiles += operands
            body += draw_statement(inner)
        a, b = operands
        body.append(Gemm(whole(a), whole(b), c.name, ta, tb, False))
        if scope.chance(4):
            inner.tiles.append(c)
            body += cls._rescale(inner, c)
        show(scope, c)
        kind = scope.pick(("Pipelined", "serial"))
        stages = scope.integer(0, 4)
        return (*before, For(kind, name, Literal(0), stop, 1, stages, tuple(body)))

    @staticmethod
    def _load(
        scope: Scope, tile: Tile, along: int, name: str, step: int, most: int
    ) -> list[Statement]:
        """Fill an operand from a tensor, the block's part of it, or rows that it names."""
        other = 1 - along
        sizes = [0, 0]
        sizes[along] = max(most * step + scope.pick((0, -1, 3, -step)), 1)
        sizes[other] = max(2 * tile.shape[other] + scope.pick((0, -1, 1)), 1)
        source = scope.tensor(
            tuple(sizes), tile.dtype, "input", scope.pick(("small", "normal", "halves"))
            if is_float(tile.dtype) else "small",
        )  # fmt: skip
        starts: list[Expression] = [Literal(0), Literal(0)]
        starts[along] = Binary("*", Name(name), Literal(step))
        made: list[Statement] = []
        if scope.chance(4):  # the rows are named by a tile that is loaded in this iteration
            axis = scope.integer(0, 1)
            made += load_tile(scope, "i32", (tile.shape[axis],), data="small")
            ids = scope.tiles[-1]
            starts[axis] = Literal(0)
            region = Region(source.name, tuple(starts), tile.shape, (True, True), "start")
            return [*made, Gather(region, ids.name, whole(tile), axis, Literal(0))]
        block = scope.steady(lambda v: v.name != name)
        if block is not None:
            starts[other] = Binary("*", Name(block.name), Literal(tile.shape[other]))
        form = scope.pick(("start", "slice"))
        region = Region(source.name, tuple(starts), tile.shape, (True, True), form)
        return [Copy(region, whole(tile))]

    @staticmethod
    def _rescale(scope: Scope, c: Tile) -> list[Statement]:
        """What an online softmax does to its accumulator."""
        if scope.chance(2) and is_float(c.dtype):
            alloc, row = new_tile(scope, c.dtype, (c.shape[0],), "fragment")
            kind = scope.pick(("max", "sum", "absmax"))
            made: list[Statement] = [alloc, Reduce(kind, whole(c), row.name, 1, True)]
        else:
            made, row = [], None
        inner, (i, j) = lanes(scope, c.shape)
        at = (Name(i.name), Name(j.name))
        if row is not None:
            factor = Element(row.name, (Name(i.name),))
            value: Expression = Binary("-", Element(c.name, at), factor)
        else:
            value = Binary("*", Element(c.name, at), Literal(2))
        made.append(Parallel((i.name, j.name), c.shape, (Store(c.name, at, value),)))
        return made


@drawn(2)
class Overwrite(Statement):
    """A tile that is in sight is loaded anew, whole: in a loop, what the last turn left."""

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        tile = scope.tile()
        if tile is None:
            return None
        source = scope.input(len(tile.shape), tile.dtype, tile.shape)
        return (Copy(draw_region(scope, source, tile.shape, True), whole(tile)),)


@drawn(2)
class Window(Statement):
    """The block's own part of a tensor that the kernel reads and writes: loaded or stored.

    A load keeps what was there when a later store changes it.
    """

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        if not scope.windows:
            return None
        region, dtype = scope.pick(scope.windows)
        if scope.chance(2):
            tile = scope.tile(
                lambda t: t.shape == region.shape and (t.dtype == "bool") == (dtype == "bool")
            )
            if tile is not None:
                return (Copy(whole(tile), region),)
        if scope.chance(3):
            inner, values = lanes(scope, region.shape)
            at = tuple(plus(s, Name(v.name)) for s, v in zip(region.starts, values))
            made, _ = draw_value(inner, 1)
            if dtype != "bool":
                made = Binary("+", Element(region.memory, at), made)
            names = tuple(v.name for v in values)
            return (Parallel(names, region.shape, (Store(region.memory, at, made),)),)
        alloc, tile = new_tile(scope, dtype, region.shape)
        show(scope, tile)
        return (alloc, Copy(region, whole(tile)))
