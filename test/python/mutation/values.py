"""Scalars of the reference: a value, how far a right result may be from it, and a type.

A float is exact (error 0) as long as only operations that are rounded correctly have made it;
what the language leaves open (exponentials, the order of a sum) adds to the error, and the
error grows by the rules of a running error analysis. What depends on memory that nobody wrote
is undefined, and a decision that the error leaves open is undecided.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
import operator

import ml_dtypes
import numpy as np

from tilewright.language import dtypes
from tilewright.testing import numpy_dtype, smallest_normal, unit_roundoff

TINY = smallest_normal("f32")
_ROUND = {
    short: numpy_dtype(short).type for short in ("f16", "bf16", "f32", "f8e4m3fn", "f8e5m2")
}
_LARGEST = {
    short: float(ml_dtypes.finfo(numpy_dtype(short)).max)
    for short in ("f16", "bf16", "f32", "f64", "f8e4m3fn", "f8e5m2")
}


class Excluded(Exception):
    """The program has no one meaning here: undefined memory, a race, an open decision."""


class Undefined(Excluded):
    """The result depends on memory that nobody wrote, or on an order that is not given."""


class Undecided(Excluded):
    """The result depends on a decision that rounding, which is not specified, would make."""


class Number:
    """A scalar of a kernel. `value` is None where it is undefined."""

    __slots__ = ("value", "error", "dtype")

    def __init__(self, value: float | int | None, dtype: dtypes.DType, error: float = 0.0):
        self.value, self.dtype, self.error = value, dtype, error

    def __repr__(self) -> str:
        return f"{self.value}±{self.error}:{self.dtype.short}"

    def known(self) -> float | int:
        """The value, where only one is possible."""
        if self.value is None:
            raise Undefined("a decision on undefined memory")
        if self.error:
            raise Undecided("a decision within the rounding error")
        return self.value

    def __bool__(self) -> bool:
        if self.value is not None and self.error and abs(self.value) > self.error:
            return True
        return bool(self.known())

    def __index__(self) -> int:
        if self.dtype.is_float:
            raise TypeError("a float is no index")
        return int(self.known())

    def __int__(self) -> int:
        return int(self.known())

    def __hash__(self) -> int:
        return hash(self.known())

    def astype(self, dtype: object) -> Number:
        return convert(self, dtypes.parse(dtype))

    def __neg__(self) -> Number:
        return (
            Number(-self.value, self.dtype, self.error)
            if self.dtype.is_float and self.value is not None
            else _arithmetic(operator.sub, 0, self)
        )

    def __pos__(self) -> Number:
        return self

    def __invert__(self) -> Number:
        if self.dtype.is_float:
            raise TypeError("~ of a float")
        if self.dtype.kind == "b":
            return Number(self.value is not None and int(not self.known()), self.dtype)
        return wrap(None if self.value is None else ~self.value, self.dtype)

    def __abs__(self) -> Number:
        if self.value is None:
            return self
        if self.dtype.is_float:
            return Number(abs(self.value), self.dtype, self.error)
        return wrap(abs(self.value), self.dtype)


INDEX = dtypes.int64
BOOL = dtypes.bool_


def number(value: object, like: dtypes.DType | None = None) -> Number:
    """`value` as a Number; a Python number takes the type `like` where it has a value in it."""
    if isinstance(value, Number):
        return value
    if isinstance(value, (bool, np.bool_)):
        return Number(int(value), BOOL if like is None or like.kind == "b" else like)
    if isinstance(value, int):
        if like is None or like.kind == "b":
            return Number(value, INDEX)
        return Number(float(value), like) if like.is_float else wrap(value, like)
    if isinstance(value, float):
        dtype = like if like is not None and like.is_float else dtypes.float32
        return convert(Number(value, dtypes.float64), dtype, literal=True)
    raise TypeError(f"{value!r} is no number")


def meet(a: dtypes.DType, b: dtypes.DType) -> dtypes.DType:
    """The type in which two types meet; docs/semantics.md, promotion."""
    if a is b:
        return a
    if a.is_float and b.is_float:
        if a.bits == b.bits:
            return dtypes.float32
        return a if a.bits > b.bits else b
    for one, other in ((a, b), (b, a)):
        if one.is_float:
            return one
        if one.kind == "b":
            return other
    if a.bits == b.bits:
        return a if a.kind == "u" else b
    if a.kind == b.kind:
        return a if a.bits > b.bits else b
    signed, unsigned = (a, b) if a.kind == "i" else (b, a)
    return signed if signed.bits > unsigned.bits else unsigned


def both(a: object, b: object) -> tuple[Number, Number, dtypes.DType]:
    """Two operands and the type that they meet in; Python numbers are weak."""
    weak_a, weak_b = not isinstance(a, Number), not isinstance(b, Number)
    if weak_a and not weak_b:
        a = number(a, b.dtype)
    elif weak_b and not weak_a:
        b = number(b, a.dtype)
    else:
        a, b = number(a), number(b)
    return a, b, meet(a.dtype, b.dtype)


def wrap(value: int | None, dtype: dtypes.DType) -> Number:
    """An integer in its type."""
    if value is None:
        return Number(None, dtype)
    if dtype.kind == "b":
        return Number(int(bool(value)), dtype)
    value &= (1 << dtype.bits) - 1
    if dtype.kind == "i" and value >> (dtype.bits - 1):
        value -= 1 << dtype.bits
    return Number(value, dtype)


def rounded(value: float, error: float, dtype: dtypes.DType) -> Number:
    """A real number, known to within `error`, rounded once to a float type."""
    if error == math.inf:
        return Number(0.0, dtype, math.inf)
    if not math.isfinite(value):
        if dtype.bits == 8 and math.isinf(value):
            value = math.copysign(_LARGEST[dtype.short], value)
        return Number(value, dtype, math.inf if error else 0.0)
    largest = _LARGEST[dtype.short]
    if error == 0:
        if dtype.short in _ROUND:
            if dtype.bits == 8:
                value = min(max(value, -largest), largest)
            with np.errstate(over="ignore"):
                near = float(
                    _ROUND[dtype.short](np.float32(value) if dtype.bits < 32 else value)
                )
            flushed = TINY if near and abs(near) < TINY and dtype.short != "f16" else 0.0
            return Number(near, dtype, flushed)
        return Number(value, dtype)
    error += unit_roundoff(dtype.short) * (abs(value) + error) + TINY
    if dtype.bits < 32:
        error += 2 * float(np.abs(smallest_normal(dtype.short))) * unit_roundoff(dtype.short)
    if abs(value) + error > largest and dtype.bits > 8:
        return Number(0.0, dtype, math.inf)
    return Number(value, dtype, error)


def convert(x: Number, dtype: dtypes.DType, literal: bool = False) -> Number:
    """Numeric conversion."""
    if x.dtype is dtype:
        return x
    if x.value is None:
        return Number(None, dtype)
    if dtype.kind == "b":
        return Number(int(bool(x)), dtype)
    if not dtype.is_float:
        if not x.dtype.is_float:
            return wrap(int(x.value), dtype)
        if x.error == math.inf or (
            x.error and math.trunc(x.value - x.error) != math.trunc(x.value + x.error)
        ):
            return Number(None, dtype)  # one of several
        if math.isnan(x.value):
            return Number(0, dtype)
        low = -(1 << (dtype.bits - 1)) if dtype.kind == "i" else 0
        high = (1 << (dtype.bits - (dtype.kind == "i"))) - 1
        if math.isinf(x.value):
            return Number(high if x.value > 0 else low, dtype)
        return Number(min(max(int(x.value), low), high), dtype)
    if x.dtype.is_float and x.dtype.bits < dtype.bits and dtype.bits >= 32:
        return Number(x.value, dtype, x.error)
    return rounded(float(x.value), x.error, dtype)


# ---- Operators ------------------------------------------------------------------------------


def _arithmetic(op, a: object, b: object) -> Number:
    a, b, dtype = both(a, b)
    if a.value is None or b.value is None:
        return Number(None, dtype)
    if dtype.kind == "b":
        dtype = dtypes.int32
    if not dtype.is_float:
        return wrap(op(int(a.value), int(b.value)), dtype)
    a, b = convert(a, dtype), convert(b, dtype)
    if math.inf in (a.error, b.error):
        return Number(0.0, dtype, math.inf)
    if not (math.isfinite(a.value) and math.isfinite(b.value)):
        # An infinity is exact; only what it is multiplied by may be too near to zero.
        near_zero = any(x.error and abs(x.value) <= x.error for x in (a, b))
        error = math.inf if op is operator.mul and near_zero else 0.0
    elif op is operator.mul:
        error = abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error
    else:
        error = a.error + b.error
    try:
        value = op(a.value, b.value)
    except OverflowError:
        value = math.inf
    return rounded(value, error, dtype)


def _divide(a: object, b: object) -> Number:
    a, b, dtype = both(a, b)
    if not dtype.is_float:
        dtype = dtypes.float32
    if a.value is None or b.value is None:
        return Number(None, dtype)
    a, b = convert(a, dtype), convert(b, dtype)
    if b.error and abs(b.value) <= b.error or math.inf in (a.error, b.error):
        return Number(0.0, dtype, math.inf)
    with np.errstate(all="ignore"):
        value = float(np.float64(a.value) / np.float64(b.value))
    if not (a.error or b.error) or not (math.isfinite(a.value) and math.isfinite(b.value)):
        return rounded(value, 0.0, dtype)
    if not math.isfinite(value):
        return Number(0.0, dtype, math.inf)
    low = abs(b.value) - b.error
    return rounded(value, (a.error + abs(value) * b.error) / low, dtype)


def _floored(op, a: object, b: object) -> Number:
    a, b, dtype = both(a, b)
    if a.value is None or b.value is None:
        return Number(None, dtype)
    if dtype.is_float:
        raise NotImplementedError("// and % of floats")
    if b.value == 0:
        return Number(None, dtype)  # any value
    return wrap(op(int(a.value), int(b.value)), dtype)


def _bits(op, a: object, b: object) -> Number:
    a, b, dtype = both(a, b)
    if dtype.is_float:
        raise TypeError("bits of a float")
    if a.value is None or b.value is None:
        return Number(None, dtype)
    return wrap(op(int(a.value), int(b.value)), dtype)


def _shift(left: bool, a: object, b: object) -> Number:
    a = number(a, b.dtype if isinstance(b, Number) else None)
    b = number(b, a.dtype)
    if a.dtype.is_float or b.dtype.is_float:
        raise TypeError("a shift of a float")
    if a.value is None or b.value is None:
        return Number(None, a.dtype)
    if not 0 <= b.value < a.dtype.bits:
        return Number(-1 if not left and a.value < 0 else 0, a.dtype)
    return wrap(a.value << b.value if left else a.value >> b.value, a.dtype)


def compare(op, a: object, b: object) -> Number:
    """A comparison; undefined operands give an undefined result."""
    a, b, dtype = both(a, b)
    if a.value is None or b.value is None:
        return Number(None, BOOL)
    if dtype.is_float:
        a, b = convert(a, dtype), convert(b, dtype)
    if abs(float(a.value) - float(b.value)) <= a.error + b.error and (a.error or b.error):
        return Number(0, BOOL, math.inf)
    return Number(int(op(a.value, b.value)), BOOL)


def _install() -> None:
    def pair(name: str, function) -> None:
        setattr(Number, f"__{name}__", lambda a, b: function(a, b))
        setattr(Number, f"__r{name}__", lambda a, b: function(b, a))

    for name in ("add", "sub", "mul"):
        op = getattr(operator, name)
        pair(name, lambda a, b, op=op: _arithmetic(op, a, b))
    pair("truediv", _divide)
    for name in ("floordiv", "mod"):
        op = getattr(operator, name)
        pair(name, lambda a, b, op=op: _floored(op, a, b))
    for name, op in (("and", operator.and_), ("or", operator.or_), ("xor", operator.xor)):
        pair(name, lambda a, b, op=op: _bits(op, a, b))
    pair("lshift", lambda a, b: _shift(True, a, b))
    pair("rshift", lambda a, b: _shift(False, a, b))
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        op = getattr(operator, name)
        setattr(Number, f"__{name}__", lambda a, b, op=op: compare(op, a, b))


_install()


# ---- Functions ------------------------------------------------------------------------------


def function(exact, slope, x: object, ulps: float = 4.0) -> Number:
    """A function that is right within `ulps` units of the last place of f32.

    `slope(v, e)` bounds how much the exact result moves where the argument is off by `e`.
    """
    x = number(x)
    dtype = x.dtype if x.dtype.is_float else dtypes.float32
    if x.value is None:
        return Number(None, dtype)
    x = convert(x, dtype)
    if x.error == math.inf:
        return Number(0.0, dtype, math.inf)
    with np.errstate(all="ignore"):
        value = float(exact(np.float64(x.value)))
        if not math.isfinite(value):
            return Number(value, dtype, math.inf if x.error else 0.0)
        moved = slope(x.value, x.error) if x.error else 0.0
    error = abs(value) * ulps * 2 * unit_roundoff("f32" if dtype.bits < 64 else "f64")
    error += moved + TINY
    if dtype.bits >= 32 and (value in (0.0, 1.0) and not x.error):
        # exp(0), sqrt(1), log(1): exact in any implementation within the bound but for ulps
        error = ulps * 2 * unit_roundoff("f32") * abs(value)
    return rounded(value, error, dtype)


def pick(op, values: tuple) -> Number:
    """min or max; NaN wins."""
    result = values[0]
    for following in values[1:]:
        a, b, dtype = both(result, following)
        a, b = convert(a, dtype), convert(b, dtype)
        if a.value is None or b.value is None:
            result = Number(None, dtype)
        elif dtype.is_float and (math.isnan(a.value) or math.isnan(b.value)):
            result = Number(math.nan, dtype)
        else:
            best, other = (a, b) if op(a.value, b.value) == a.value else (b, a)
            clear = abs(best.value - other.value) > best.error + other.error
            error = best.error if clear else max(a.error, b.error)
            result = Number(best.value, dtype, error)
    return number(result)
