"""Moving data: copy, gather, fill, clear.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..compiler.access import operand, text_of
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
    source, target = _sides(k, "T.copy", src, dst)
    k.check_writable(target.memory)
    if (source.dtype.kind == "b") != (target.dtype.kind == "b"):
        k.fail(
            f"T.copy from {source.dtype} to {target.dtype}",
            rule="a copy converts numbers; bool is not one",
            hint="write a T.Parallel loop: dst[i] = src[i] != 0",
        )
    if source.is_element and target.is_element:
        k.store(target.memory, target.offsets, k.load(source.memory, source.offsets))
        return
    _mark(k, source.memory, target.memory)
    k.builder.op(
        f"tile.copy {text_of(source)} to {text_of(target)}{_unsigned(source, target)} : "
        f"{source.memory.type} to {target.memory.type}"
    )


@operation
def gather(k, src: Ref, indices: Ref, dst: Ref, axis: Static = 0, fill=0):
    """Copy rows of `src` that an index tile names: dst[i, j] = src[indices[i], j].

    `axis` is the dimension of `src` that the indices count along. `src` may be a start index
    or a slice whose other dimensions say what of a row is taken. A negative index, or one
    past the end, gives `fill`.
    """
    k.refuse_in_parallel("T.gather")
    ids = k.region(indices, "T.gather: indices")
    if len(ids.kept) > 1 or not ids.dtype.is_integer or ids.memory.is_global:
        k.fail(
            "T.gather: the indices are no one-dimensional integer tile",
            rule="indices are a tile of rank 1 with integer elements",
            hint='copy them into a T.alloc_shared((n,), "int32") first',
        )
    if ids.dtype.kind == "u" and ids.dtype.bits < 64:  # the compiler reads them as signed
        k.fail(
            f"T.gather: the indices are {ids.dtype}",
            rule="indices are signed",
            hint='copy them into a T.alloc_shared((n,), "int64")',
        )
    target = k.region(dst, "T.gather: dst")
    k.check_writable(target.memory)
    source = k.region(src, "T.gather: src")
    rank = len(source.offsets)
    if not isinstance(axis, int) or not -rank <= axis < rank:
        k.fail(
            f"T.gather: axis {axis} of a tensor with {rank} dimensions",
            hint=f"axis is 0 to {rank - 1}",
        )
    axis %= rank
    start = source.offsets[axis]
    if not isinstance(start, int) or start != 0:
        begins = start if isinstance(start, int) else "a run-time index"
        k.fail(
            f"T.gather: src starts at {begins} along dimension {axis}",
            rule="the index tile alone says which rows are taken",
            hint=f"start at 0 along dimension {axis}, and add to the indices",
        )
    target = _static(k, "T.gather", target, None)
    source = _gather_source(k, source, target, axis)
    if len(ids.memory.shape) == 1:
        at, count = ids.offsets[0], source.sizes[axis]
        if ids.kept and ids.sizes[0] is not None and ids.sizes[0] < count:
            k.fail(
                f"T.gather: {ids.sizes[0]} indices for {count} rows",
                hint="give an index for each row of dst",
            )
    else:
        k.fail(
            "T.gather: indices are a row of a larger tile", hint="keep them in a tile of rank 1"
        )
    value = k.element_value(fill, target.dtype)
    _mark(k, source.memory, target.memory)
    ids.memory.read = True
    k.builder.op(
        f"tile.gather {text_of(source)} axis {axis} by {ids.memory.ssa}[{operand(at)}] to "
        f"{text_of(target)} fill {value}{_unsigned(source, target)} : {source.memory.type}, "
        f"{ids.memory.type} to {target.memory.type}"
    )


@operation
def fill(k, dst: Ref, value):
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
    region = _static(k, "T.fill", region, None)
    scalar = k.cast(k.scalar(value, k.store_type(value, region.dtype)), region.dtype)
    k.for_each(region, lambda element: k.store(region.memory, element, scalar))


@operation
def clear(k, dst: Ref):
    """Set every element to zero."""
    if not isinstance(dst, (Memory, Region)):
        k.fail("T.clear: its argument is no tile or tensor", hint="give a tile")
    fill.emit(k, dst, 0)


def _mark(k, source: Memory, target: Memory) -> None:
    source.read = target.written = True
    k.builder.effects += 1


def _unsigned(source: Region, target: Region) -> str:
    """The flag of a conversion whose integers, on either side of it, are unsigned."""
    integers = target.dtype if source.dtype.is_float else source.dtype
    return " unsigned" if integers.kind == "u" else ""


def _sides(k, what: str, src, dst) -> tuple[Region, Region]:
    """Both sides as regions of one shape, extents of 1 apart."""
    for side, name in ((src, "src"), (dst, "dst")):
        if isinstance(side, Value) or not isinstance(side, (Memory, Region)):
            k.fail(
                f"{what}: {name} is no tile or tensor",
                hint="give a tile, a tensor, a slice or a start index; T.fill sets one value",
            )
    source, target = k.region(src, what), k.region(dst, what)
    if source.is_element and not target.is_element:
        source = _from_start(k, what, source, _static(k, what, target, None))
    elif target.is_element and not source.is_element:
        target = _from_start(k, what, target, _static(k, what, source, None))
    if None in source.sizes:
        source = _static(k, what, source, target)
    if None in target.sizes:
        target = _static(k, what, target, source)
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


def _from_start(k, what: str, start: Region, other: Region) -> Region:
    """A start index with the other side's shape, aligned at the last dimension."""
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
    return _checked(k, Region(start.memory, start.offsets, sizes, tuple(range(rank))))


def _static(k, what: str, region: Region, other: Region | None) -> Region:
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


def _checked(k, region: Region) -> Region:
    for axis, (offset, size) in enumerate(zip(region.offsets, region.sizes)):
        if isinstance(offset, int):
            k.check_constant_index(region.memory, axis, offset, size)
    return region


def _gather_source(k, source: Region, target: Region, axis: int) -> Region:
    """The source's region, with the extents of dst; along the axis these are its rows."""
    if source.is_element:
        return _from_start(k, "T.gather", source, target)
    memory, shape = source.memory, target.shape
    if axis not in source.kept:
        k.fail(
            f"T.gather: dimension {axis} of {memory.name} is indexed, and the indices count "
            f"along it",
            hint="slice it with `:`, or give another axis",
        )
    if len(source.kept) != len(shape):
        k.fail(
            f"T.gather: src has {len(source.kept)} dimensions and dst has {len(shape)}",
            hint="index the dimensions of src that dst lacks",
        )
    sizes = list(source.sizes)
    for d, extent in zip(source.kept, shape):
        if d != axis and sizes[d] not in (None, extent):
            k.fail(
                f"T.gather: src has {sizes[d]} elements along dimension {d} and dst has "
                f"{extent}",
                hint="slice src to the part that dst holds",
            )
        sizes[d] = extent
    return Region(memory, source.offsets, sizes, source.kept)
