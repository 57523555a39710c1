# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawing a whole program: kernels, and how each publishes what its blocks computed.

Valid by construction: a tile is in sight only once it has been written whole; blocks write
windows of a tensor that do not meet; what several blocks share is updated by atomics alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tilewright.testing.programs.atomics import ATOMICS, AtomicTile, draw_atomic
from tilewright.testing.programs.elementwise import Parallel, draw_body, lanes
from tilewright.testing.programs.expressions import (
    Binary,
    Ceildiv,
    Expression,
    Literal,
    Name,
    plus,
)
from tilewright.testing.programs.indexed import draw_scatter
from tilewright.testing.programs.movement import Copy, Fill, literal_of, load_tile
from tilewright.testing.programs.nodes import walk
from tilewright.testing.programs.numbers import PAIR
from tilewright.testing.programs.patterns import Window  # noqa: F401  (these draw themselves)
from tilewright.testing.programs.program import Kernel, Program, Scalar, Tensor
from tilewright.testing.programs.regions import Region, draw_region, whole
from tilewright.testing.programs.scans import ScanBy  # noqa: F401
from tilewright.testing.programs.scope import Draft, Scope, Tile, Value
from tilewright.testing.programs.selections import Sort  # noqa: F401
from tilewright.testing.programs.statements import Statement, draw_statement
from tilewright.testing.programs.views import View  # noqa: F401


def draw_program(integer: Callable[[int, int], int]) -> Program:
    """A program, from a source of integers: `integer(low, high)` gives one, ends included."""
    draft = Draft()
    scope = Scope(integer, draft)
    kernels = []
    for _ in range(scope.pick((1, 1, 1, 2))):
        kernels.append(_draw_kernel(scope))
    tensors = tuple(
        Tensor(t.name, t.dtype, t.shape, t.symbols, t.role, t.data, t.padding, t.skew)
        for t in draft.tensors
    )
    scalars = tuple(Scalar(*s) for s in draft.scalars)
    seed, eager = scope.integer(0, 1 << 16), scope.pick(("", "", "", "dynamic", "const"))
    arrays = [t for t in tensors if t.role in ("input", "inout")]
    sizes = {s for t in arrays for s in t.symbols}
    used = {n.name for n in walk(kernels) if isinstance(n, Name)}
    if not arrays or used & {s for t in tensors for s in t.symbols if s not in sizes}:
        eager = ""  # the arrays that are given tell what outputs are, and all sizes
    return Program(tensors, scalars, tuple(kernels), seed, eager)


def _draw_kernel(outer: Scope) -> Kernel:
    """A kernel; the tensors that it wrote whole are in sight of the ones after it."""
    scope = outer.child()
    scope.depth = 0
    extents, counts = _grid(scope)
    names = tuple(scope.fresh("b") for _ in extents)
    scope.values += [Value(n, "index", 0, max(c - 1, 0)) for n, c in zip(names, counts)]
    if scope.chance(3):
        scope.windows = [_draw_window(scope, list(zip(names, counts)))]
    body: tuple = ()
    for _ in range(scope.pick((1, 2, 1, 3))):
        body += draw_statement(scope)
    for _ in range(scope.pick((1, 1, 1, 2))):
        body += _publish(scope, outer, list(zip(names, counts)))
    return Kernel(tuple(extents), names, body)


def _grid(scope: Scope) -> tuple[list[Expression], list[int]]:
    """Extents of a grid, and their values."""
    extents: list[Expression] = []
    counts: list[int] = []
    for _ in range(scope.pick((1, 2, 1, 3))):
        count = scope.pick((2, 1, 3))
        sizes = [
            (s, n) for t in scope.draft.tensors for s, n in zip(t.symbols, t.shape)
            if s and t.role != "workspace"
        ]  # fmt: skip
        if sizes and scope.chance(4):
            symbol, size = scope.pick(sizes)
            by = max(-(-size // 3), 1)
            count = -(-size // by)
            call = Ceildiv(Name(symbol), by)
            extents.append(call)
        elif scope.chance(8):
            count, name = scope.pick((2, 1, 3, 0)), scope.fresh("blocks")
            scope.draft.scalars.append((name, "i32", count))
            extents.append(Name(name))
        else:
            extents.append(Literal(count))
        counts.append(count)
        if math.prod(counts) > 3:
            break
    return extents, counts


def _draw_window(scope: Scope, grid: list[tuple[str, int]]) -> tuple[Region, str]:
    """Each block's part of a new tensor that the kernel may read and write."""
    extents, dtype = scope.shape(), scope.dtype()
    starts, shape = _windows(scope, extents, grid, False)
    target = scope.tensor(shape, dtype, "inout")
    return Region(target.name, starts, extents, (True,) * len(extents)), dtype


def _publish(scope: Scope, outer: Scope, grid: list[tuple[str, int]]) -> tuple:
    """Statements that write something of the block into a tensor."""
    made: tuple = ()
    if scope.chance(6):
        return _publish_atomic(scope, grid)
    if scope.chance(8):
        return _publish_rows(scope, grid)
    tile = scope.tile(lambda t: t.space != "local" or len(t.shape) < 4)
    if tile is None:
        made = load_tile(scope)
        tile = scope.tiles[-1]
    role = scope.pick(("output", "output", "inout", "workspace"))
    role = "output" if tile.dtype == PAIR else role  # a workspace has no halves of bytes
    covers = all(count for _, count in grid) and (role == "workspace" or scope.chance(2))
    dtype = tile.dtype
    if dtype != "bool" and role != "workspace" and scope.chance(4):
        dtype = scope.dtype("number")
    starts, shape = _windows(scope, tile.shape, grid, covers)
    target = scope.tensor(shape, dtype, role)
    covers = covers and target.shape == shape
    if covers:
        outer.tiles.append(Tile(target.name, dtype, shape, "global"))
    if scope.chance(12):
        return (
            *made,
            _fill_or_copy(scope, target, starts, tile.shape),
        )
    if scope.chance(2):
        return (*made, _store(scope, tile, target, starts, role == "inout"))
    form = "start" if scope.chance(2) else "slice"
    kept = (True,) * len(shape)
    return (*made, Copy(whole(tile), Region(target.name, starts, tile.shape, kept, form)))


def _fill_or_copy(scope: Scope, target: Tile, starts: tuple, extents: tuple) -> Statement:
    """A block's window of a tensor, filled or copied from another tensor."""
    window = Region(target.name, starts, extents, (True,) * len(extents))
    if target.dtype == "bool" or scope.chance(2):
        return Fill(window, literal_of(scope, target.dtype))
    source = scope.input(len(extents), scope.dtype("number"), extents)
    return Copy(draw_region(scope, source, extents, False), window)


def _publish_rows(scope: Scope, grid: list[tuple[str, int]]) -> tuple:
    """Rows of a tensor that an index tile names: of a part that is the block's, or added."""
    shape = scope.shape(scope.pick((2, 3)))
    axis, atomic = scope.integer(0, len(shape) - 1), scope.chance(3)
    dtype = scope.pick(_ADDED) if atomic else scope.dtype()
    dtype = "u8" if dtype == PAIR else dtype  # whose tensors have no bytes to write
    starts, size = _windows(scope, shape, grid, False, axis)
    size = (*size[:axis], scope.near_size(shape[axis]), *size[axis + 1 :])
    target = scope.tensor(size, dtype, "inout" if atomic or scope.chance(2) else "output")
    if atomic:  # every block may write anywhere
        starts = tuple(scope.offset(s, e, False, False) for s, e in zip(size, shape))
    return draw_scatter(scope, target, starts, shape, axis, atomic)


def _windows(
    scope: Scope,
    extents: tuple[int, ...],
    grid: list[tuple[str, int]],
    covers: bool,
    but: int | None = None,
) -> tuple[tuple[Expression, ...], tuple[int, ...]]:
    """Where each block's window starts, and the shape of a tensor for all of them.

    Blocks lie side by side along any dimension `but` one.
    """
    rank = len(extents)
    dims = [d for d in range(rank) if d != but]
    starts: list[Expression | None] = [None] * rank
    counts = [1] * rank
    for name, count in grid:
        d = scope.pick(dims)
        term: Expression = Name(name)
        if counts[d] > 1:
            term = Binary("*", term, Literal(counts[d]))
        starts[d] = term if starts[d] is None else Binary("+", starts[d], term)
        counts[d] *= max(count, 1)
    shape, made = [], []
    for start, count, extent in zip(starts, counts, extents):
        stride, base, more = extent, 0, 0
        if not covers:
            stride += scope.pick((0, 0, 1, 3))
            base = scope.pick((0, 0, 2, -1, -3))
            more = scope.pick((0, -1, 2, -3, 1, -8))
        size = max((count - 1) * stride + extent + base + more, 0)
        shape.append(size)
        if start is None:
            made.append(Literal(max(base, 0)))
            continue
        place = Binary("*", start, Literal(stride)) if stride != 1 else start
        if base:
            place = Binary("+" if base > 0 else "-", place, Literal(abs(base)))
        made.append(place)
    return tuple(made), tuple(shape)


def _store(scope: Scope, tile: Tile, target: Tile, starts: tuple, reads: bool) -> Parallel:
    """A T.Parallel that computes the elements of the block's window."""
    inner, values = lanes(scope, tile.shape)
    inner.busy = inner.busy | {target.base}
    indices = tuple(plus(s, Name(v.name)) for s, v in zip(starts, values))
    body = draw_body(inner, target, indices, reads)
    return Parallel(tuple(v.name for v in values), tile.shape, body)


_ADDED = ("i32", "f32", "u32", "i64", "f64", "u8", "f16", "bf16", "i16", "u64")


def _publish_atomic(scope: Scope, grid: list[tuple[str, int]]) -> tuple:
    """An update by atomics of a tensor that all blocks share."""
    shape = scope.shape(scope.pick((1, 2)))
    dtype = scope.pick(_ADDED)
    data = "small" if dtype[0] in "iu" else scope.pick(("small", "normal"))
    op = scope.pick(ATOMICS if dtype[0] in "iu" else ("add", "max", "min"))
    tile = scope.tile(lambda t: t.dtype != "bool" and t.space != "local")
    if tile is not None and scope.chance(3):  # a tile into a region that blocks may share
        shape = tuple(scope.near_size(e) for e in tile.shape)
        target = scope.tensor(shape, dtype, "inout", data)
        return (AtomicTile(op, draw_region(scope, target, tile.shape, True), tile.name),)
    return (draw_atomic(scope, scope.tensor(shape, dtype, "inout", data)),)
