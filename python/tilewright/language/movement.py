"""Moving data: copy, fill, clear.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..compiler.access import text_of
from ..compiler.scalars import difference
from .registry import Ref, Static, operation
from .values import Memory, Region, Value


@operation
def copy(
    k,
    src: Ref,
    dst: Ref,
    *,
    coalesced_width: Static = None,
    disable_tma: Static = None,
    eviction_policy: Static = None,
    loop_layout: Static = None,
    prefer_instruction: Static = None,
    annotations: Static = None,
):
    """Copy a region to another of the same shape, converting element types.

    A side is a tile, a tensor, a slice, or a start index that takes the other side's shape.
    Outside a global tensor reads give zero and writes do nothing. The hints are accepted and
    not needed.
    """
    k.refuse_in_parallel("T.copy")
    source, target = sides(k, "T.copy", src, dst)
    k.check_writable(target.memory)
    check_kinds(k, "T.copy", source, target)
    if source.is_element and target.is_element:
        k.store(target.memory, target.offsets, k.load(source.memory, source.offsets))
        return
    if any(meet(source, target) or ()):
        refuse_overlap(k, "T.copy", source.memory)
    mark_copied(k, source.memory, target.memory)
    k.builder.op(
        f"tile.copy {text_of(source)} to {text_of(target)}{unsigned_of(source, target)} : "
        f"{source.memory.type} to {target.memory.type}"
    )


@operation(also={"buffer": "dst"})
def fill(k, dst: Ref, value, *, annotations: Static = None):
    """Set every element of a tile, tensor, variable or slice."""
    if isinstance(dst, Memory) and dst.variable:
        k.store(dst, [0], value)
        return
    k.refuse_in_parallel("T.fill")
    region = k.region(dst, "T.fill: dst")
    k.check_writable(region.memory)
    if isinstance(dst, Memory) or k.whole(region):
        ssa = k.element_value(value, region.dtype)
        region.memory.written = True
        k.builder.effects += 1
        k.builder.op(f"tile.fill {region.memory.ssa}, {ssa} : {region.memory.type}")
        return
    region = static_region(k, "T.fill", region, None)
    scalar = k.cast(k.scalar(value, k.store_type(value, region.dtype)), region.dtype)
    k.for_each(region, lambda element: k.store(region.memory, element, scalar))


@operation
def transpose(k, src: Ref, dst: Ref, *, annotations: Static = None):
    """Copy a matrix turned over: dst[j, i] = src[i, j]."""
    k.refuse_in_parallel("T.transpose")
    source = static_region(k, "T.transpose", k.region(src, "T.transpose: src"), None)
    target = static_region(k, "T.transpose", k.region(dst, "T.transpose: dst"), None)
    rows, columns = _dense_axes(source), _dense_axes(target)
    if len(rows) != 2 or len(columns) != 2 or _dense(source) != _dense(target)[::-1]:
        k.fail(
            f"T.transpose: src is {_shape_text(source)} and dst is {_shape_text(target)}",
            rule="src is (M, N) and dst (N, M)",
            hint="slice the larger side; index in T.Parallel for other shapes",
        )
    if source.memory.base is target.memory.base:
        refuse_overlap(k, "T.transpose", source.memory)

    def element(position: list) -> None:
        there, here = list(target.offsets), list(source.offsets)
        for at, row, column in zip(position, rows[::-1], columns):
            here[row] = k.plus(here[row], at)
            there[column] = k.plus(there[column], at)
        k.store(target.memory, there, k.load(source.memory, here))

    k.parallel_over(_dense(target), element)


def _dense_axes(region: Region) -> list[int]:
    return [axis for axis, size in enumerate(region.sizes) if size != 1]


@operation(also={"buffer": "dst"})
def clear(k, dst: Ref, *, annotations: Static = None):
    """Set every element to zero."""
    if not isinstance(dst, (Memory, Region)):
        k.fail("T.clear: its argument is no tile or tensor", hint="give a tile")
    fill.emit(k, dst, 0)


def check_kinds(k, what: str, source: Region, target: Region) -> None:
    """Refuse what a copy of elements does not convert."""
    if (source.dtype.kind == "b") != (target.dtype.kind == "b"):
        k.fail(
            f"{what} from {source.dtype} to {target.dtype}",
            rule="a copy converts numbers; bool is not one",
            hint="write a T.Parallel loop: dst[i] = src[i] != 0",
        )


def meet(a: Region, b: Region, axis: int | None = None) -> list[int] | None:
    """How far apart two regions of one memory start, where they surely share elements.

    Along `axis` a region may reach anywhere.
    """
    if a.memory is not b.memory or len(a.sizes) != len(b.sizes):
        return None
    steps = []
    for dim, (p, q, m, n) in enumerate(zip(a.offsets, b.offsets, a.sizes, b.sizes)):
        step = 0 if dim == axis else difference(p, q)
        if step is None or not -m < step < n:
            return None
        steps.append(step)
    return steps


def refuse_overlap(k, what: str, memory: Memory) -> None:
    """Refuse a source that is partly overwritten: its elements move in no order."""
    k.fail(
        f"{what}: src and dst are parts of {memory.name} that share elements",
        rule="what is read is not written by the same operation",
        hint="copy into a tile of its own first, and from there",
    )


def mark_copied(k, source: Memory, target: Memory) -> None:
    """Note that a kernel reads one memory and writes another."""
    source.read = target.written = True
    k.builder.effects += 1


def unsigned_of(source: Region, target: Region) -> str:
    """The flag of a conversion whose integers, on either side of it, are unsigned."""
    integers = target.dtype if source.dtype.is_float else source.dtype
    return " unsigned" if integers.kind == "u" else ""


def sides(k, what: str, src, dst) -> tuple[Region, Region]:
    """Both sides as regions of one shape, extents of 1 apart."""
    for side, name in ((src, "src"), (dst, "dst")):
        if isinstance(side, Value) or not isinstance(side, (Memory, Region)):
            k.fail(
                f"{what}: {name} is no tile or tensor",
                hint="give a tile, a tensor, a slice or a start index; T.fill sets one value",
            )
    source, target = k.region(src, what), k.region(dst, what)
    if source.is_element and not target.is_element:
        source = from_start(k, what, source, static_region(k, what, target, None))
    elif target.is_element and not source.is_element:
        target = from_start(k, what, target, static_region(k, what, source, None))
    if None in source.sizes:
        source = static_region(k, what, source, target)
    if None in target.sizes:
        target = static_region(k, what, target, source)
    if _dense(source) != _dense(target):
        k.fail(
            f"{what}: src is {_shape_text(source)} and dst is {_shape_text(target)}",
            rule="both sides have one shape, extents of 1 apart",
            hint="slice the larger side, or give a start index and let the tile's shape decide",
        )
    return source, target


def _dense(region: Region) -> list[int]:
    return [s for s in region.sizes if s != 1]


def _shape_text(region: Region) -> str:
    shape = region.shape or (1,)
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def from_start(k, what: str, start: Region, other: Region, axis: int | None = None) -> Region:
    """A start index with the other side's shape, aligned at the last dimension.

    Along `axis` indices say where, so there it may be longer than the memory.
    """
    shape, rank = list(other.shape), len(start.offsets)
    while len(shape) > rank and shape[0] == 1:
        shape.pop(0)
    if len(shape) > rank:
        k.fail(
            f"{what}: a start index in {start.memory.name}, of {rank} dimensions, cannot "
            f"take the shape {_shape_text(other)}",
            hint="give the tile the rank of what it is copied from",
        )
    sizes = [1] * (rank - len(shape)) + shape
    made = Region(start.memory, start.offsets, sizes, tuple(range(rank)))
    return _checked(k, made, axis)


def static_region(k, what: str, region: Region, other: Region | None) -> Region:
    """The region with every extent known: open ones are taken from the other side."""
    if None not in region.sizes:
        return region
    memory = region.memory
    if other is None or None in other.sizes:
        k.fail(
            f"{what}: the extent of {memory.name} is known only at run time",
            rule="the extents of a region are known at compile time",
            hint="slice it, x[start:start + 64], or give a start index",
        )
    # Both sides agree once extents of 1 are dropped, so the open extents follow in order.
    known = [s for s in region.sizes if s is not None and s != 1]
    rest = _dense(other)
    opened = region.sizes.count(None)
    if opened == len(rest) - len(known):
        sizes, follow = [], iter(rest)
        for size in region.sizes:
            given = 1 if size == 1 else next(follow)
            sizes.append(given if size is None else size)
        return Region(memory, region.offsets, sizes, region.kept)
    if opened == 1 and len(rest) == len(known):  # the open extent is 1 on the other side
        sizes = [1 if s is None else s for s in region.sizes]
        return Region(memory, region.offsets, sizes, region.kept)
    k.fail(
        f"{what}: the extents of {memory.name} do not follow from {other.memory.name}",
        hint="give both bounds of each slice",
    )


def _checked(k, region: Region, free: int | None = None) -> Region:
    for axis, (offset, size) in enumerate(zip(region.offsets, region.sizes)):
        if isinstance(offset, int) and axis != free:
            k.check_constant_index(region.memory, axis, offset, size)
    return region
