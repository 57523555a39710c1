"""Scalar functions: extrema, integer division, conversion, selection, limits.

With Python numbers alone they are computed at compile time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
import operator

from ..compiler.conditions import Junction
from . import dtypes
from .dtypes import DType, dtype_of
from .movement import static_region
from .registry import Lazy, Operation, Ref, Static, operation
from .symbols import SizeExpr
from .values import Memory, Region, Value

_min, _max = min, max


# -- several arguments ----------------------------------------------------------------------


def _python_extremum(which):
    pick = _min if which == "min" else _max

    def compute(*values):
        if any(isinstance(v, SizeExpr) for v in values):
            result = values[0]
            for value in values[1:]:
                result = SizeExpr(which, result, value)
            return result
        return math.nan if any(v != v for v in values) else pick(values)

    return compute


@operation(name="min", elementwise=True, python=_python_extremum("min"))
def min_(k, a, b, *rest):
    """The smallest; NaN wins."""
    return _fold(k, "min", (a, b, *rest))


@operation(name="max", elementwise=True, python=_python_extremum("max"))
def max_(k, a, b, *rest):
    """The largest; NaN wins."""
    return _fold(k, "max", (a, b, *rest))


def _fold(k, which: str, values: tuple):
    result = values[0]
    for value in values[1:]:
        result = k.extremum(which, result, value)
    return result


@operation(elementwise=True, also={"dst": "x", "min_val": "lo", "max_val": "hi"})
def clamp(k, x, lo, hi):
    """max(lo, min(x, hi)); NaN stays NaN."""
    return k.extremum("max", k.extremum("min", x, hi), lo)


@operation(elementwise=True, python=lambda a, b, c: a * b + c)
def fma(k, a, b, c):
    """a * b + c with one rounding."""
    a, b = k.both(a, b)
    a, c = k.both(a, c)
    b = k.cast(b, a.dtype)
    if not a.dtype.is_float:
        return k.binary("add", k.binary("mul", a, b), c)
    return k.value(f"math.fma {a.ssa}, {b.ssa}, {c.ssa} : {a.dtype.mlir}", a.dtype, a, b, c)


def _python_ceildiv(a, b):
    if isinstance(a, SizeExpr) or isinstance(b, SizeExpr):
        return SizeExpr("ceildiv", a, b)
    return -(-a // b)


@operation(elementwise=True, python=_python_ceildiv)
def ceildiv(k, a, b):
    """The quotient of integers rounded up."""
    return k.ceildiv(a, b)


@operation(elementwise=True, python=lambda a, b: -(-a // b) * b)
def align_up(k, a, b):
    """The least multiple of b that is not below a, of integers."""
    return k.binary("mul", k.ceildiv(a, b), b)


@operation(elementwise=True, python=lambda a, b: a // b)
def floordiv(k, a, b):
    """The quotient rounded down, as `//`."""
    return k.binary("floordiv", a, b)


@operation(elementwise=True, python=lambda a, b: a % b)
def floormod(k, a, b):
    """The rest of the quotient rounded down, as `%`."""
    return k.binary("mod", a, b)


@operation(name="pow", elementwise=True, python=lambda a, b: a**b, also={"x": "a", "y": "b"})
def pow_(k, a, b):
    """a to the power b."""
    return k.power(a, b)


@operation(elementwise=True, python=lambda *c: all(c), also={"buffer": "first"})
def all_of(k, first: Ref, *rest):
    """Whether every condition, or element of a region, holds. All are computed."""
    if not rest and _is_region(first):
        return _over(k, "T.all_of", "and", first)
    return _logic(k, "and", (first, *rest))


@operation(elementwise=True, python=lambda *c: any(c), also={"buffer": "first"})
def any_of(k, first: Ref, *rest):
    """Whether any condition, or element of a region, holds. All are computed."""
    if not rest and _is_region(first):
        return _over(k, "T.any_of", "or", first)
    return _logic(k, "or", (first, *rest))


def _is_region(x: object) -> bool:
    return isinstance(x, Memory) and not x.variable or isinstance(x, Region) and bool(x.kept)


def _over(k, what: str, op: str, x: Memory | Region) -> Value:
    """The elements of a region of known extents, joined one after the other."""
    region = static_region(k, what, k.region(x, what), None)
    found = k.allocate(what, (1,), dtypes.bool_, "local", variable=True)
    k.store(found, [0], op == "and")
    k.for_each(
        region,
        lambda at: k.store(
            found, [0], k.binary(op, k.load(found, [0]), k.truth(k.load(region.memory, at)))
        ),
        parallel=False,
    )
    return k.load(found, [0])


def _logic(k, op: str, conditions: tuple) -> Value:
    joined = Junction(k, op, k.truth(conditions[0]))
    for condition in conditions[1:]:
        joined.add(k.truth(condition))
    return joined.result()


# -- selection and conversion -----------------------------------------------------------------


@operation(elementwise=True, also={"true_value": "a", "false_value": "b"})
def if_then_else(k, condition, a: Lazy, b: Lazy):
    """`a` where the condition holds, else `b`; the other side is not read."""
    if not isinstance(condition, (Value, Memory, Region, SizeExpr)):
        return k.evaluate(a if condition else b)
    return k.choose(k.truth(condition), lambda: k.evaluate(a), lambda: k.evaluate(b))


@operation(elementwise=True, python=operator.not_)
def not_(k, condition):
    """Whether the condition does not hold, as Python's `not`."""
    return k.invert(k.truth(condition))


@operation(elementwise=True)
def cast(k, value, dtype):
    """Numeric conversion: to nearest even, saturating to fp8, fp4 and integers."""
    value, dtype = _value_and_dtype(value, dtype)
    return k.cast(value, k.dtype(dtype))


@operation(elementwise=True)
def reinterpret(k, value, dtype):
    """The same bits as another type of the same width."""
    value, dtype = _value_and_dtype(value, dtype)
    return k.bitcast(value, k.dtype(dtype))


def _value_and_dtype(value, dtype):
    """Both orders are in use: T.cast(x, "float32") and T.Cast("float32", x)."""
    return (dtype, value) if isinstance(value, (str, DType)) else (value, dtype)


# -- limits ---------------------------------------------------------------------------------


def _limit(function, name: str, text: str) -> Operation:
    def python(dtype):
        return function(dtype_of(dtype))

    def emit(k, dtype: Static):
        return function(k.dtype(dtype))

    emit.__doc__ = text
    return operation(emit, name=name, elementwise=True, python=python)


def _infinity(dtype: DType) -> float:
    if not dtypes.has_infinity(dtype):
        raise dtypes.CompileError.here(
            f"T.infinity: {dtype} has no infinity", hint="use T.max_value or T.min_value"
        )
    return math.inf


infinity = _limit(_infinity, "infinity", "Positive infinity of a float type.")
max_value = _limit(dtypes.max_value, "max_value", "The largest finite value of a type.")
min_value = _limit(dtypes.min_value, "min_value", "The most negative finite value of a type.")
