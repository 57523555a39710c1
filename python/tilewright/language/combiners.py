"""How two elements become one, as the author of a kernel writes it.

A combiner is a function of two scalars: a lambda, a @T.macro, an operation such as T.max or
an ordinary function. It is read once and becomes the region of a `tile.reduce` or `tile.scan`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

from .dtypes import DType, float32
from .values import Value

# What works on vectors element by element: the dialect's rule for such a region.
_ELEMENTWISE = re.compile(r"%\w+ = (arith|math)\.|%\w+ = tile\.cast ")


class Combiner:
    """A combiner of one's own.

    Attributes:
        function: from two scalars to one, of the type that `combined` gives.
        identity: the scalar that it leaves others unchanged with, or None.
    """

    __slots__ = ("function", "identity")

    def __init__(self, function: object, identity: object = None) -> None:
        self.function, self.identity = function, identity


def combined(dtype: DType) -> DType:
    """The type in which elements are combined: float32 for narrower floats."""
    return float32 if dtype.is_float and dtype.bits < 32 else dtype


def emit(
    k, what: str, operation: str, combiner: str | Combiner, operands: str, dtype: DType
) -> None:
    """Write `operation operands`, combining elements of `dtype`.

    `combiner` is the name of one that the dialect knows, or one's own.
    """
    k.builder.effects += 1
    if isinstance(combiner, str):
        k.builder.op(f"{operation} {combiner} {operands}")
        return
    scalar = combined(dtype)
    type = "i8" if scalar.kind == "b" else scalar.mlir
    x, y = k.builder.fresh("x"), k.builder.fresh("y")
    identity = ""
    if combiner.identity is not None:
        identity = f" identity {k.element_value(combiner.identity, scalar)}"
    with k.builder.capture() as body:
        result = _result(k, what, combiner.function, scalar, x, y)
        k.builder.op(f"tile.yield {result} : {type}")
    for line in body[:-1]:
        if not _ELEMENTWISE.match(line):
            k.fail(
                f"{what}: the combiner does more than compute a scalar from two",
                rule="a combiner reads no memory, writes none, and has no branches or loops",
                hint="bind what it reads to a name in front of the call; choose with "
                "T.if_then_else",
            )
    k.builder.out.append(
        f"{operation} {operands} combine({x}: {type}, {y}: {type}){identity} {{"
    )
    k.builder.out += body
    k.builder.op("}")


def _result(k, what: str, function: object, dtype: DType, x: str, y: str) -> str:
    """What `function` makes of elements `x` and `y`, in the form that memory holds."""
    elements = []
    for ssa in (x, y):
        if dtype.kind == "b":
            ssa = k.builder.result(f"tile.cast {ssa} unsigned_source : i8 to i1")
        elements.append(Value(ssa, dtype))
    result = k.apply(function, elements, f"{what}: the combiner")
    if result is None:
        k.fail(f"{what}: the combiner returns nothing", hint="return the combined scalar")
    result = k.scalar(result, dtype)
    if result.dtype is not dtype:
        k.fail(
            f"{what}: the combiner makes {result.dtype} of two {dtype}",
            rule="two elements make one of their type"
            + ("; floats narrower than float32 meet in it" if dtype is float32 else ""),
            hint=f"convert what it returns: T.cast(..., T.{dtype.name})",
        )
    return k.element_value(result, dtype)
