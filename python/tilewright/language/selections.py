"""The elements of a tile in order along one dimension: all of them, or the first.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from . import dtypes
from .reductions import axis_of, unsigned
from .registry import Flag, Ref, Static, operation
from .values import Memory


def _select(em, what: str, src, count, dim, smallest: bool) -> tuple[Memory, Memory]:
    """Fragments of the first `count` elements along `dim` (None for all) and positions."""
    s_ssa, s_type, s_shape, s = em.tile(src, f"{what}: src")
    axis = axis_of(em, what, dim, len(s_shape))
    count = s_shape[axis] if count is None else count
    if not isinstance(count, int) or not 1 <= count <= s_shape[axis]:
        em.fail(
            f"{what}: {count!r} of {s_shape[axis]} elements",
            hint="k is at least 1 and at most the extent along dim",
        )
    shape = s_shape[:axis] + (count,) + s_shape[axis + 1 :]
    hint, name = em.name_hint, what.rpartition(".")[2]
    em.name_hint = f"{name}_values"
    values = em.allocate(what, shape, s.dtype, "fragment")
    em.name_hint = f"{name}_indices"
    indices = em.allocate(what, shape, dtypes.int32, "fragment")
    em.name_hint = hint
    s.read = True
    em.builder.effects += 1
    em.builder.op(
        f"tile.topk {s_ssa} into {values.ssa}, {indices.ssa} dim {axis}"
        f"{' smallest' * smallest}{unsigned(s.dtype)} : {s_type} into "
        f"{values.type}, {indices.type}"
    )
    return values, indices


@operation
def topk(
    em, src: Ref, k: Static, dim: Static = -1, *, largest: Flag = True
) -> tuple[Memory, Memory]:
    """The `k` largest elements along `dim`, descending, and their int32 positions.

    Gives two fragments (values, indices). Equal elements come in the order of their
    positions; NaN comes first. With `largest=False`, the smallest, ascending.
    """
    return _select(em, "T.topk", src, k, dim, smallest=not largest)


@operation
def sort(em, src: Ref, dim: Static = -1, descending: Flag = False) -> tuple[Memory, Memory]:
    """All elements in order along `dim`, ascending, and their int32 positions.

    Gives two fragments (values, indices) of the shape of `src`, which stays as it is. Equal
    elements, -0.0 and 0.0 among them, come in the order of their positions; NaN comes first
    in either direction, as in T.topk, whose result is the beginning of this one.
    """
    return _select(em, "T.sort", src, None, dim, smallest=not descending)
