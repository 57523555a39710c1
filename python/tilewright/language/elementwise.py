"""Scalar functions: maths, conversion, selection, limits.

With Python numbers alone they are computed at compile time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from . import dtypes
from .dtypes import DType, dtype_of
from .registry import Lazy, Operation, Static, operation
from .symbols import SizeExpr
from .values import Memory, Region, Value

_min, _max, _abs, _round = min, max, abs, round


# -- maths of one argument ----------------------------------------------------------------


def _unary(name: str, op: str, python, text: str) -> Operation:
    """A float function that is one operation of the `math` dialect; integers become f32."""

    def emit(k, x):
        x = _as_float(k, name, x)
        return k.value(f"{op} {x.ssa} : {x.dtype.mlir}", x.dtype, x)

    emit.__doc__ = f"{text} An integer argument becomes float32."
    return operation(emit, name=name, elementwise=True, python=python)


def _as_float(k, name: str, x) -> Value:
    x = k.scalar(x)
    if not x.dtype.is_float:
        x = k.cast(x, dtypes.float32)
    return x


def _total(function, outside=math.nan):
    """A Python function with IEEE results where Python raises."""

    def compute(x):
        try:
            return function(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return outside

    return compute


exp = _unary("exp", "math.exp", _total(math.exp), "e to the power x.")
exp2 = _unary("exp2", "math.exp2", _total(lambda x: 2.0**x), "2 to the power x.")
log = _unary(
    "log",
    "math.log",
    lambda x: -math.inf if x == 0 else _total(math.log)(x),
    "The natural logarithm.",
)
log2 = _unary(
    "log2",
    "math.log2",
    lambda x: -math.inf if x == 0 else _total(math.log2)(x),
    "The logarithm to base 2.",
)
sqrt = _unary("sqrt", "math.sqrt", _total(math.sqrt), "The square root.")
rsqrt = _unary(
    "rsqrt",
    "math.rsqrt",
    lambda x: math.inf if x == 0 else _total(lambda y: 1 / math.sqrt(y))(x),
    "One over the square root.",
)
sin = _unary("sin", "math.sin", _total(math.sin), "The sine of x in radians.")
cos = _unary("cos", "math.cos", _total(math.cos), "The cosine of x in radians.")
tanh = _unary("tanh", "math.tanh", math.tanh, "The hyperbolic tangent.")
erf = _unary("erf", "math.erf", math.erf, "The error function.")


def _rounding(name: str, op: str, python, text: str) -> Operation:
    def emit(k, x):
        x = k.scalar(x)
        if not x.dtype.is_float:
            return x
        return k.value(f"{op} {x.ssa} : {x.dtype.mlir}", x.dtype, x)

    emit.__doc__ = f"{text} The result has the type of x."
    return operation(emit, name=name, elementwise=True, python=python)


floor = _rounding("floor", "math.floor", math.floor, "The largest whole number up to x.")
ceil = _rounding("ceil", "math.ceil", math.ceil, "The smallest whole number from x on.")
round_ = _rounding("round", "math.roundeven", _round, "The nearest whole number, half to even.")
trunc = _rounding("trunc", "math.trunc", math.trunc, "x without its fraction.")


@operation(elementwise=True, python=lambda x: 1 / (1 + math.exp(-x)))
def sigmoid(k, x):
    """1 / (1 + exp(-x)), computed in at least float32."""
    x = _as_float(k, "sigmoid", x)
    wide = x if x.dtype.bits >= 32 else k.cast(x, dtypes.float32)
    e = exp.emit(k, k.negate(wide))
    return k.cast(k.binary("div", 1.0, k.binary("add", 1.0, e)), x.dtype)


@operation(name="abs", elementwise=True, python=_abs)
def abs_(k, x):
    """The magnitude. The most negative integer stays itself."""
    x = k.scalar(x)
    if x.dtype.is_float:
        return k.value(f"math.absf {x.ssa} : {x.dtype.mlir}", x.dtype, x)
    if x.dtype.kind in "ub" or x.nonneg:
        return x
    return k.value(f"math.absi {x.ssa} : {x.dtype.mlir}", x.dtype, x)


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


@operation(elementwise=True)
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


@operation(elementwise=True, python=lambda a, b: a // b)
def floordiv(k, a, b):
    """The quotient rounded down, as `//`."""
    return k.binary("floordiv", a, b)


@operation(elementwise=True, python=lambda a, b: a % b)
def floormod(k, a, b):
    """The rest of the quotient rounded down, as `%`."""
    return k.binary("mod", a, b)


@operation(name="pow", elementwise=True, python=lambda a, b: a**b)
def pow_(k, a, b):
    """a to the power b."""
    return k.power(a, b)


@operation(elementwise=True, python=lambda *c: all(c))
def all_of(k, first, *rest):
    """Whether every condition holds. All are computed."""
    return _logic(k, "and", (first, *rest))


@operation(elementwise=True, python=lambda *c: any(c))
def any_of(k, first, *rest):
    """Whether any condition holds. All are computed."""
    return _logic(k, "or", (first, *rest))


def _logic(k, op: str, conditions: tuple) -> Value:
    result = k.truth(conditions[0])
    for condition in conditions[1:]:
        result = k.binary(op, result, k.truth(condition))
    return result


def _predicate(name: str, text: str, python, emit) -> Operation:
    emit.__doc__ = text
    return operation(emit, name=name, elementwise=True, python=python)


def _emit_isnan(k, x):
    x = _as_float(k, "isnan", x)
    return k.compare("ne", x, x)


def _emit_isinf(k, x):
    x = _as_float(k, "isinf", x)
    if not dtypes.has_infinity(x.dtype):
        return k.constant(False, dtypes.bool_)
    return k.compare("eq", abs_.emit(k, x), math.inf)


isnan = _predicate("isnan", "Whether x is NaN.", math.isnan, _emit_isnan)
isinf = _predicate("isinf", "Whether x is an infinity.", math.isinf, _emit_isinf)


# -- selection and conversion -----------------------------------------------------------------


@operation(elementwise=True)
def if_then_else(k, condition, a: Lazy, b: Lazy):
    """`a` where the condition holds, else `b`; the other side is not read."""
    if not isinstance(condition, (Value, Memory, Region, SizeExpr)):
        return k.evaluate(a if condition else b)
    return k.choose(k.truth(condition), lambda: k.evaluate(a), lambda: k.evaluate(b))


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
