"""Maths functions of scalars, each with its bound in docs/semantics.md.

With Python numbers alone they are computed at compile time.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from . import dtypes
from .registry import Operation, operation
from .values import Value

_abs, _round = abs, round


# -- floats ----------------------------------------------------------------


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
tan = _unary("tan", "math.tan", _total(math.tan), "The tangent of x in radians.")
asin = _unary("asin", "math.asin", _total(math.asin), "The angle of a sine, in radians.")
acos = _unary("acos", "math.acos", _total(math.acos), "The angle of a cosine, in radians.")
atan = _unary("atan", "math.atan", math.atan, "The angle of a tangent, in radians.")
sinh = _unary("sinh", "math.sinh", _total(math.sinh), "The hyperbolic sine.")
cosh = _unary("cosh", "math.cosh", _total(math.cosh), "The hyperbolic cosine.")
asinh = _unary("asinh", "math.asinh", math.asinh, "The inverse of the hyperbolic sine.")
acosh = _unary(
    "acosh", "math.acosh", _total(math.acosh), "The inverse of the hyperbolic cosine."
)
atanh = _unary(
    "atanh",
    "math.atanh",
    lambda x: math.copysign(math.inf, x) if abs(x) == 1 else _total(math.atanh)(x),
    "The inverse of the hyperbolic tangent.",
)
log10 = _unary(
    "log10",
    "math.log10",
    lambda x: -math.inf if x == 0 else _total(math.log10)(x),
    "The logarithm to base 10.",
)
log1p = _unary(
    "log1p",
    "math.log1p",
    lambda x: -math.inf if x == -1 else _total(math.log1p)(x),
    "The natural logarithm of 1 + x, which may be close to 1.",
)
expm1 = _unary("expm1", "math.expm1", _total(math.expm1), "e to the power x, less 1.")


@operation(elementwise=True, python=_total(lambda x: 10.0**x))
def exp10(k, x):
    """10 to the power x, computed in at least float32, where narrow floats have no 10."""
    x = _as_float(k, "exp10", x)
    wide = x if x.dtype.bits >= 32 else k.cast(x, dtypes.float32)
    return k.cast(k.power(10.0, wide), x.dtype)


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


# -- two floats -------------------------------------------------------------------------------


def _two_floats(k, a, b) -> tuple[Value, Value]:
    a, b = k.both(a, b)
    if not a.dtype.is_float:
        a, b = k.cast(a, dtypes.float32), k.cast(b, dtypes.float32)
    return a, b


def _binary(name: str, op: str, python, text: str) -> Operation:
    """A float function that is one operation on two floats of one type."""

    def emit(k, a, b):
        a, b = _two_floats(k, a, b)
        return k.value(f"{op} {a.ssa}, {b.ssa} : {a.dtype.mlir}", a.dtype, a, b)

    emit.__doc__ = f"{text} Integer arguments become float32."
    return operation(emit, name=name, elementwise=True, python=python)


atan2 = _binary(
    "atan2", "math.atan2", math.atan2, "The angle of the point (b, a), from -pi to pi."
)
copysign = _binary(
    "copysign", "math.copysign", math.copysign, "The magnitude of a with the sign of b."
)
fmod = _binary(
    "fmod",
    "arith.remf",
    lambda a, b: math.nan if b == 0 or math.isinf(a) else math.fmod(a, b),
    "The rest of a / b rounded towards zero: it has the sign of a, where % has that of b.",
)


@operation(elementwise=True, python=math.hypot)
def hypot(k, a, b):
    """The square root of a * a + b * b, without overflow on the way."""
    a, b = _two_floats(k, a, b)
    if a.dtype is not dtypes.float64:
        x, y = k.cast(a, dtypes.float64), k.cast(b, dtypes.float64)
        square = k.binary("add", k.binary("mul", x, x), k.binary("mul", y, y))
        root = k.cast(sqrt.emit(k, square), a.dtype)
    else:
        x, y = abs_.emit(k, a), abs_.emit(k, b)
        long, short = k.extremum("max", x, y), k.extremum("min", x, y)
        quotient = k.binary("div", short, k.select(k.compare("eq", long, 0.0), 1.0, long))
        root = sqrt.emit(k, k.binary("add", 1.0, k.binary("mul", quotient, quotient)))
        root = k.binary("mul", long, root)
    if not dtypes.has_infinity(a.dtype):
        return root
    infinite = k.binary("or", isinf.emit(k, a), isinf.emit(k, b))
    return k.select(infinite, math.inf, root)


# -- bits and classes of numbers --------------------------------------------------------------


def _bits(name: str, op: str, text: str) -> Operation:
    """A function of an integer's bits, of its type."""

    def emit(k, x):
        x = k.scalar(x)
        if x.dtype.kind == "x":
            x = k.cast(x, dtypes.int64)
        if x.dtype.kind not in "iu":
            k.fail(
                f"T.{name} of {x.dtype}",
                rule="it counts bits of an integer",
                hint='see the bits of a float with T.reinterpret(x, "uint32")',
            )
        return k.value(f"{op} {x.ssa} : {x.dtype.mlir}", x.dtype, x)

    emit.__doc__ = f"{text} The result has the type of x."
    return operation(emit, name=name, elementwise=True)


popcount = _bits("popcount", "math.ctpop", "How many bits of an integer are 1.")
clz = _bits("clz", "math.ctlz", "How many bits are 0 above the highest 1; of 0, all.")


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


def _emit_isfinite(k, x):
    x = _as_float(k, "isfinite", x)
    if dtypes.has_infinity(x.dtype):
        return k.compare("lt", abs_.emit(k, x), math.inf)
    return k.compare("eq", x, x)


isfinite = _predicate(
    "isfinite", "Whether x is neither NaN nor infinite.", math.isfinite, _emit_isfinite
)
isnan = _predicate("isnan", "Whether x is NaN.", math.isnan, _emit_isnan)
isinf = _predicate("isinf", "Whether x is an infinity.", math.isinf, _emit_isinf)
