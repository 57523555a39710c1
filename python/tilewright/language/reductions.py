"""Reductions along one dimension of a tile.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from . import combiners
from .combiners import Combiner
from .movement import copy
from .registry import Flag, Operation, Ref, Static, operation


def axis_of(k, what: str, dim: object, rank: int) -> int:
    """The dimension `dim`, which may count from the end, as a number from 0."""
    if not isinstance(dim, int) or not -rank <= dim < rank:
        k.fail(
            f"{what}: dim={dim!r} of a tile with {rank} dimension{'s' * (rank != 1)}",
            hint=f"dim is 0 to {rank - 1}, or counts from the end",
        )
    return dim % rank


def unsigned(dtype) -> str:
    """The flag of operations that compare unsigned integers."""
    return " unsigned" if dtype.kind == "u" else ""


def _widens(src, dst) -> bool:
    """Whether every value of `src` is one of `dst`, another type of its kind."""
    return src.kind == dst.kind and dst.bits > src.bits


def _reduce(k, what: str, combiner: str | Combiner, src, dst, dim, clear) -> None:
    s_ssa, s_type, s_shape, s = k.tile(src, f"{what}: src")
    d_ssa, d_type, d_shape, d = k.tile(dst, f"{what}: dst")
    axis = axis_of(k, what, dim, len(s_shape))
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
    if combiner in ("bitand", "bitor", "bitxor") and not s.dtype.is_integer:
        k.fail(f"{what} of {s.dtype}", rule="bitwise reductions take integers")
    if d is s:
        k.fail(f"{what}: {s.name} is src and dst", hint="reduce into a tile of its own")
    s.read = d.written = True
    d.read = d.read or not clear
    operands = (
        f"{s_ssa} into {d_ssa} dim {axis}{'' if clear else ' accumulate'}"
        f"{unsigned(s.dtype)} : {s_type} into {d_type}"
    )
    combiners.emit(k, what, "tile.reduce", combiner, operands, s.dtype)


#: Combiners that leave NaN out, by those that propagate it.
_OF_NUMBERS = {"max": "maxnum", "min": "minnum", "absmax": "absmaxnum"}


def _declare(combiner: str, text: str) -> Operation:
    name = f"reduce_{combiner}"

    def emit(
        k,
        src: Ref,
        dst: Ref,
        dim: Static = -1,
        clear: Flag = True,
        *,
        batch: Static = 1,
        nan_propagate: Flag = True,
        annotations: Static = None,
    ):
        chosen = combiner
        if not nan_propagate:
            if combiner not in _OF_NUMBERS:
                k.fail(
                    f"T.{name}: nan_propagate=False",
                    rule="T.reduce_max, T.reduce_min and T.reduce_absmax can leave NaN out",
                    hint="replace NaN in front of it, with T.if_then_else and T.isnan",
                )
            if k.tile(src, f"T.{name}: src")[3].dtype.is_float:
                chosen = _OF_NUMBERS[combiner]
        _reduce(k, f"T.{name}", chosen, src, dst, dim, clear)

    emit.__doc__ = (
        f"{text} of `src` along `dim` into `dst`. With `clear=False` the former "
        f"value of `dst` takes part."
    )
    if combiner in _OF_NUMBERS:
        emit.__doc__ += " With `nan_propagate=False` NaN is left out."
    return operation(emit, name=name, also={"buffer": "src", "out": "dst"})


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
def reduce(
    k,
    src: Ref,
    dst: Ref,
    dim: Static,
    combiner: Static,
    identity,
    clear: Flag = True,
):
    """The combination of one's own of `src` along `dim` into `dst`.

    `combiner` is a function of two scalars, a lambda or a @T.macro, associative and the same
    with its arguments swapped; `identity` is the scalar with which it leaves every other, and
    `identity` itself, unchanged: `T.reduce(x, y, 1, lambda a, b: a * b, 1)`. Floats narrower
    than float32 are combined in it and rounded once. With `clear=False` the former value of
    `dst` takes part.
    """
    _reduce(k, "T.reduce", Combiner(combiner, identity), src, dst, dim, clear)
