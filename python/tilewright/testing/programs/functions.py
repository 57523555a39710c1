# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Maths functions of one argument, and how far a right result may be from theirs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tilewright.testing.dtypes import largest, smallest_normal
from tilewright.testing.programs.numbers import Numbers, cast, is_float, nearest, rounded
from tilewright.testing.programs.operators import Operand, alone

_erf = np.vectorize(math.erf, otypes=[np.float64])
_MATHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": lambda x: _erf(x) if np.size(x) else np.asarray(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
FUNCTIONS = tuple(_MATHS)
_ULPS = 4
_MOST = largest("f32")


def function(name: str, a: Operand) -> Numbers:
    """A maths function: within 4 units in the last place of f32, or of f64 for f64.

    f16, bf16 and f8 are computed in f32 and rounded once; integers become f32 first.
    """
    a = alone(a)
    if not is_float(a.dtype):
        a = cast(a, "f32")
    apply = _MATHS[name]
    wide = "f64" if a.dtype == "f64" else "f32"
    with np.errstate(all="ignore"):
        value = apply(a.value)
        tiny = smallest_normal(wide)
        # Operands and results below the smallest normal number may be flushed to zero.
        denormal = (np.abs(a.value) < tiny) & (a.value != 0)
        unsure = np.where(denormal, np.maximum(a.error, tiny), a.error)
        spread = _spread(apply, a.value, value, unsure, name)
        # Two units of float64 more: those of the reference itself.
        unit = 2.0**-52 if wide == "f64" else 2.0**-23
        error = (_ULPS * unit + 2.0**-51) * np.abs(value) + tiny + spread
        error = np.where(np.isfinite(value), error, np.where(spread > 0, np.inf, 0.0))
        # A result on the edge of the range may be infinite or not.
        if wide == "f32":
            edge = np.abs(np.abs(value) - _MOST) <= error + 1e33
            error = np.where(np.isfinite(value) & edge, np.inf, error)
            value = np.where(np.abs(value) > _MOST, nearest(value, "f32"), value)
            error = np.where(np.isfinite(value), error, np.where(spread > 0, np.inf, 0.0))
    return rounded(value, error, a.dtype)


def _spread(apply, x: np.ndarray, value: np.ndarray, error: np.ndarray, name: str):
    """How much an operand's error may move a function's value."""
    if not np.any(error):
        return np.zeros(np.shape(value))
    if name in ("sin", "cos"):
        return np.where(error > 0, error, 0.0)
    moved = np.maximum(np.abs(apply(x + error) - value), np.abs(apply(x - error) - value))
    return np.where(error > 0, np.where(np.isnan(moved), np.inf, moved), 0.0)
