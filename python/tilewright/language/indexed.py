"""Rows that an index tile names: gather reads them, scatter writes them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..compiler.access import operand, text_of
from .atomics import check_target, update_element
from .dtypes import index
from .movement import (
    check_kinds,
    from_start,
    mark_copied,
    meet,
    refuse_overlap,
    static_region,
    unsigned_of,
)
from .registry import Flag, Ref, Static, operation
from .values import Memory, Region


@operation
def gather(k, src: Ref, indices: Ref, dst: Ref, axis: Static = 0, fill=0):
    """Copy rows of `src` that an index tile names: dst[i, j] = src[indices[i], j].

    `axis` is the dimension of `src` that the indices count along. `src` may be a start index
    or a slice whose other dimensions say what of a row is taken. A negative index, or one
    past the end, gives `fill`.
    """
    k.refuse_in_parallel("T.gather")
    target = static_region(k, "T.gather", k.region(dst, "T.gather: dst"), None)
    k.check_writable(target.memory)
    source = k.region(src, "T.gather: src")
    axis = _axis(k, "T.gather", axis, source)
    source = _rows(k, "T.gather", ("src", "dst"), source, target, axis)
    check_kinds(k, "T.gather", source, target)
    if meet(source, target, axis) is not None:
        refuse_overlap(k, "T.gather", source.memory)
    numbers, start = _numbers(k, "T.gather", indices, source.sizes[axis])
    value = k.element_value(fill, target.dtype)
    mark_copied(k, source.memory, target.memory)
    k.builder.op(
        f"tile.gather {text_of(source)} axis {axis} by {numbers.ssa}[{operand(start)}] to "
        f"{text_of(target)} fill {value}{unsigned_of(source, target)} : "
        f"{source.memory.type}, {numbers.type} to {target.memory.type}"
    )


@operation
def scatter(k, src: Ref, indices: Ref, dst: Ref, axis: Static = 0, *, atomic: Flag = False):
    """Copy rows to where an index tile says: dst[indices[i], j] = src[i, j].

    `axis` is the dimension of `dst`, a tensor or shared tile, that the indices count along.
    `dst` may be a start index or a slice whose other dimensions say where in a row it is
    written. A row with a negative index, or one past the end, is left out. Where an index
    repeats, the last row with it wins; with `atomic`, rows are added by T.atomic_add.
    """
    k.refuse_in_parallel("T.scatter")
    source = static_region(k, "T.scatter", k.region(src, "T.scatter: src"), None)
    target = k.region(dst, "T.scatter: dst")
    check_target(k, "T.scatter", target.memory)
    if source.memory.base is target.memory.base:
        k.fail(
            f"T.scatter: {source.memory.name} is src and dst",
            rule="rows are read while others are written",
            hint="scatter into a tile of its own and copy it back",
        )
    axis = _axis(k, "T.scatter", axis, target)
    target = _rows(k, "T.scatter", ("dst", "src"), target, source, axis)
    check_kinds(k, "T.scatter", source, target)
    if atomic and target.dtype.kind == "b":
        k.fail("T.scatter: atomic on bool", hint="use an integer tensor")
    numbers, start = _numbers(k, "T.scatter", indices, target.sizes[axis])
    if numbers is target.memory:
        k.fail(
            f"T.scatter: {numbers.name} holds the indices and is dst",
            hint="keep the indices in a tile of their own",
        )
    if atomic:
        _add_rows(k, source, numbers, start, target, axis)
        return
    mark_copied(k, source.memory, target.memory)
    k.builder.op(
        f"tile.scatter {text_of(source)} to {text_of(target)} axis {axis} by "
        f"{numbers.ssa}[{operand(start)}]{unsigned_of(source, target)} : "
        f"{source.memory.type} to {target.memory.type}, {numbers.type}"
    )


def _add_rows(
    k, source: Region, numbers: Memory, start: object, target: Region, axis: int
) -> None:
    """T.atomic_add of every element of `source` to the row of `target` that is named."""
    dense = [d for d, size in enumerate(target.sizes) if size != 1]
    pairs = dict(zip((d for d, size in enumerate(source.sizes) if size != 1), dense))

    def element(position: list) -> None:
        at = dict(zip(dense, position))
        row = k.cast(k.load(numbers, [k.plus(start, at.get(axis, 0))]), index)
        # A negative index is out of range even where the start would mend it.
        with k.branch(k.compare("ge", row, 0)):
            there = [
                k.plus(o, row if d == axis else at.get(d, 0))
                for d, o in enumerate(target.offsets)
            ]
            here = [
                k.plus(o, at[pairs[d]]) if d in pairs else o
                for d, o in enumerate(source.offsets)
            ]
            # A tile has no guard of its own: what lies past its end is left out here.
            inside = k.compare("lt", there[axis], k.extent(target.memory, axis))
            with k.branch(inside):
                value = k.load(source.memory, here)
                update_element(k, "sum", target.memory, there, value)

    k.parallel_over([target.sizes[d] for d in dense], element)


def _axis(k, what: str, axis: object, rows: Region) -> int:
    rank = len(rows.offsets)
    if not isinstance(axis, int) or not -rank <= axis < rank:
        k.fail(
            f"{what}: axis {axis} of a tensor with {rank} dimensions",
            hint=f"axis is 0 to {rank - 1}",
        )
    return axis % rank


def _numbers(k, what: str, indices: object, count: int) -> tuple[Memory, object]:
    """The index tile, and where in it the numbers of `count` rows start."""
    ids = k.region(indices, f"{what}: indices")
    if len(ids.kept) > 1 or not ids.dtype.is_integer or ids.memory.is_global:
        k.fail(
            f"{what}: the indices are no one-dimensional integer tile",
            rule="indices are a tile of rank 1 with integer elements",
            hint='copy them into a T.alloc_shared((n,), "int32") first',
        )
    if ids.dtype.kind == "u" and ids.dtype.bits < 64:  # the compiler reads them as signed
        k.fail(
            f"{what}: the indices are {ids.dtype}",
            rule="indices are signed",
            hint='copy them into a T.alloc_shared((n,), "int64")',
        )
    if len(ids.memory.shape) != 1:
        k.fail(
            f"{what}: indices are a row of a larger tile", hint="keep them in a tile of rank 1"
        )
    start, given = ids.offsets[0], ids.sizes[0] if ids.kept else None
    if given is None and isinstance(start, int):
        given = ids.memory.shape[0] - start
    if given is not None and given < count:
        k.fail(
            f"{what}: {given} indices for {count} rows",
            hint="give an index for each row",
        )
    ids.memory.read = True
    return ids.memory, start


def _rows(
    k, what: str, names: tuple[str, str], rows: Region, other: Region, axis: int
) -> Region:
    """The region of rows, with the extents of the other side; along the axis its number.

    `names` are those of the two sides.
    """
    name, against = names
    if rows.is_element:
        return from_start(k, what, rows, other, axis)
    memory, shape = rows.memory, other.shape
    if axis not in rows.kept:
        k.fail(
            f"{what}: dimension {axis} of {memory.name} is indexed, and the indices count "
            f"along it",
            hint="slice it with `:`, or give another axis",
        )
    if len(rows.kept) != len(shape):
        k.fail(
            f"{what}: {name} has {len(rows.kept)} dimensions and {against} has {len(shape)}",
            hint=f"index the dimensions of {name} that {against} lacks",
        )
    sizes = list(rows.sizes)
    for d, extent in zip(rows.kept, shape):
        if d != axis and sizes[d] not in (None, extent):
            k.fail(
                f"{what}: {name} has {sizes[d]} elements along dimension {d} and {against} "
                f"has {extent}",
                hint=f"slice {name} to the part that {against} holds",
            )
        sizes[d] = extent
    return Region(memory, rows.offsets, sizes, rows.kept)
