"""Reductions, scans and selections along one dimension of a tile.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from . import dtypes
from .movement import copy
from .registry import Operation, Ref, Static, operation
from .values import Memory


def _axis(k, what: str, dim: object, rank: int) -> int:
    if not isinstance(dim, int) or not -rank <= dim < rank:
        k.fail(
            f"{what}: dim={dim!r} of a tile with {rank} dimension{'s' * (rank != 1)}",
            hint=f"dim is 0 to {rank - 1}, or counts from the end",
        )
    return dim % rank


def _unsigned(dtype) -> str:
    return " unsigned" if dtype.kind == "u" else ""


def _widens(src, dst) -> bool:
    """Whether every value of `src` is one of `dst`, another type of its kind."""
    return src.kind == dst.kind and dst.bits > src.bits


def _reduce(k, what: str, combiner: str, src, dst, dim, clear) -> None:
    s_ssa, s_type, s_shape, s = k.tile(src, f"{what}: src")
    d_ssa, d_type, d_shape, d = k.tile(dst, f"{what}: dst")
    axis = _axis(k, what, dim, len(s_shape))
    dropped = s_shape[:axis] + s_shape[axis + 1 :] or (1,)
    if d_shape not in (dropped, s_shape[:axis] + (1,) + s_shape[axis + 1 :]):
        k.fail(
            f"{what}: src is {s_shape}, so along dim {axis} dst is {dropped}, not {d_shape}",
            rule="dst has the shape of src without the reduced dimension, or with extent 1",
            hint=f"allocate dst as {dropped}",
        )
    if combiner in ("argmax", "argmin"):
        if not d.dtype.is_integer:
            k.fail(
                f"{what}: dst holds {d.dtype}",
                rule="positions are integers",
                hint="allocate dst as int32",
            )
        if not clear:
            k.fail(
                f"{what} with clear=False",
                rule="positions have no former value to meet",
                hint="leave clear out",
            )
    elif combiner in ("any", "all"):
        if d.dtype.memory != "i8":
            k.fail(
                f"{what}: dst holds {d.dtype}", rule="dst is bool", hint="allocate dst as bool"
            )
    elif _widens(s.dtype, d.dtype):
        wide = k.allocate(what, s_shape, d.dtype, "fragment")
        copy.emit(k, src, wide)
        return _reduce(k, what, combiner, wide, dst, dim, clear)
    elif d.dtype is not s.dtype:
        k.fail(
            f"{what}: src holds {s.dtype} and dst {d.dtype}",
            rule="dst has the element type of src, or a wider one of its kind",
            hint=f"allocate dst as {s.dtype}; sums of 16-bit floats are computed in float32",
        )
    if combiner.startswith("bit") and not s.dtype.is_integer:
        k.fail(f"{what} of {s.dtype}", rule="bitwise reductions take integers")
    if d is s:
        k.fail(f"{what}: {s.name} is src and dst", hint="reduce into a tile of its own")
    s.read = d.written = True
    d.read = d.read or not clear
    k.builder.effects += 1
    accumulate = "" if clear else " accumulate"
    k.builder.op(
        f"tile.reduce {combiner} {s_ssa} into {d_ssa} dim {axis}{accumulate}"
        f"{_unsigned(s.dtype)} : {s_type} into {d_type}"
    )


def _declare(combiner: str, text: str) -> Operation:
    name = f"reduce_{combiner}"

    def emit(
        k,
        src: Ref,
        dst: Ref,
        dim: Static = -1,
        clear: Static = True,
        *,
        batch: Static = 1,
        nan_propagate: Static = True,
        annotations: Static = None,
    ):
        _reduce(k, f"T.{name}", combiner, src, dst, dim, clear)

    emit.__doc__ = (
        f"{text} of `src` along `dim` into `dst`. With `clear=False` the former "
        f"value of `dst` takes part."
    )
    return operation(emit, name=name)


reduce_sum = _declare("sum", "The sum")
reduce_max = _declare("max", "The maximum (NaN wins)")
reduce_min = _declare("min", "The minimum (NaN wins)")
reduce_abssum = _declare("abssum", "The sum of magnitudes")
reduce_absmax = _declare("absmax", "The largest magnitude")
reduce_any = _declare("any", "Whether any element is not zero")
reduce_all = _declare("all", "Whether every element is not zero")
reduce_bitand = _declare("bitand", "The bitwise and")
reduce_bitor = _declare("bitor", "The bitwise or")
reduce_bitxor = _declare("bitxor", "The bitwise exclusive or")
reduce_argmax = _declare("argmax", "The position of the maximum, the lowest among equals,")
reduce_argmin = _declare("argmin", "The position of the minimum, the lowest among equals,")


@operation
def cumsum(k, src: Ref, dst: Ref = None, dim: Static = 0, reverse: Static = False):
    """Running sums along `dim`, from the end with `reverse`. Without `dst`, in place."""
    dst = src if dst is None else dst
    s_ssa, s_type, s_shape, s = k.tile(src, "T.cumsum: src")
    d_ssa, d_type, d_shape, d = (
        (s_ssa, s_type, s_shape, s) if dst is src else k.tile(dst, "T.cumsum: dst")
    )
    axis = _axis(k, "T.cumsum", dim, len(s_shape))
    if s_shape != d_shape or s.dtype is not d.dtype:
        k.fail(
            f"T.cumsum: src is {s.dtype} {s_shape} and dst is {d.dtype} {d_shape}",
            rule="both have one shape and element type",
            hint="allocate dst as src, or leave it out",
        )
    if s.dtype.kind == "b":
        k.fail("T.cumsum of bool", hint="count in an int32 tile")
    s.read = d.written = True
    k.builder.effects += 1
    k.builder.op(
        f"tile.scan sum {s_ssa} into {d_ssa} dim {axis}{' reverse' * bool(reverse)}"
        f"{_unsigned(s.dtype)} : {s_type} into {d_type}"
    )


@operation
def topk(
    em, src: Ref, k: Static, dim: Static = -1, *, largest: Static = True
) -> tuple[Memory, Memory]:
    """The `k` largest elements along `dim`, descending, and their int32 positions.

    Gives two fragments (values, indices). Equal elements come in the order of their
    positions; NaN comes first. With `largest=False`, the smallest, ascending.
    """
    s_ssa, s_type, s_shape, s = em.tile(src, "T.topk: src")
    axis = _axis(em, "T.topk", dim, len(s_shape))
    if not isinstance(k, int) or not 1 <= k <= s_shape[axis]:
        em.fail(
            f"T.topk: {k!r} of {s_shape[axis]} elements",
            hint="k is at least 1 and at most the extent along dim",
        )
    if s.dtype.kind == "b":
        em.fail("T.topk of bool", hint="use an int8 tile")
    shape = s_shape[:axis] + (k,) + s_shape[axis + 1 :]
    hint = em.name_hint
    em.name_hint = "topk_values"
    values = em.allocate("T.topk", shape, s.dtype, "fragment")
    em.name_hint = "topk_indices"
    indices = em.allocate("T.topk", shape, dtypes.int32, "fragment")
    em.name_hint = hint
    s.read = True
    em.builder.effects += 1
    em.builder.op(
        f"tile.topk {s_ssa} into {values.ssa}, {indices.ssa} dim {axis}"
        f"{'' if largest else ' smallest'}{_unsigned(s.dtype)} : {s_type} into "
        f"{values.type}, {indices.type}"
    )
    return values, indices
