# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Component-wise error bounds: how far a right result may be from the exact one.

Notation: u(t) is the unit roundoff of dtype t, gamma_k = k u / (1 - k u). Every bound is
an absolute error for each element, computed in float64 from the definition, never from
the result under test.
"""

from __future__ import annotations

import numpy as np

from tilewright.testing.dtypes import smallest_normal, smallest_subnormal, unit_roundoff

U32 = unit_roundoff("f32")

# Relative errors of the f32 maths functions that kernels allow for, in units of u(f32). An ulp
# is at most two of them, and docs/semantics.md holds exp to 1 ulp and rsqrt to 1.5.
EXP_ULPS = 4.0
RSQRT_ULPS = 4.0


def gamma(terms: float, dtype: str = "f32") -> float:
    """gamma_k: the relative error of k successive roundings in `dtype`."""
    error = terms * unit_roundoff(dtype)
    if error >= 0.5:
        raise ValueError(f"gamma of {terms} roundings in {dtype} says nothing (k u = {error})")
    return error / (1.0 - error)


def in_float64(bound: np.ndarray | float) -> np.ndarray | float:
    """How far apart two evaluations in float64 may be, of what f32 knows to within `bound`.

    Bounds are sums of products of roundoffs, so that each evaluation's is `bound` times
    u(f64) / u(f32) at most.
    """
    return bound * (2 * unit_roundoff("f64") / U32)


def output_rounding(value: np.ndarray, error: np.ndarray | float, dtype: str) -> np.ndarray:
    """The bound after rounding a value known to within `error` once to `dtype`.

    error + u(dtype) (|value| + error) + half the smallest subnormal.
    """
    with np.errstate(invalid="ignore"):
        bound = np.abs(np.asarray(value, np.float64)) + error
        bound *= unit_roundoff(dtype)
        bound += error
        bound += smallest_subnormal(dtype) / 2
        return bound


def dot_error(abs_a: np.ndarray, abs_b: np.ndarray) -> np.ndarray:
    """The error of |A| @ |B| accumulated in f32: gamma_k |A||B| + flushed denormals.

    `abs_a` is [..., m, k] and `abs_b` [..., k, n], both non-negative float64. An operand
    below the smallest normal f32 may be read as zero.
    """
    k = abs_a.shape[-1]
    tiny = smallest_normal("f32")
    with np.errstate(invalid="ignore", over="ignore"):
        error = abs_a @ abs_b
        error *= gamma(k + 1)
        error += tiny * abs_a.sum(-1)[..., :, None]
        error += tiny * abs_b.sum(-2)[..., None, :] + k * tiny
        return error


DOT_BOUND = "gamma_(k+1) |A||B| + u(out) |C|"


def dot_bound(a: np.ndarray, b: np.ndarray, c: np.ndarray, out: str) -> np.ndarray:
    """The bound of C = A @ B with f32 accumulation, rounded once to `out`.

    `a` [..., m, k], `b` [..., k, n] and `c` [..., m, n] are float64; the result has the
    shape of `c`.
    """
    return output_rounding(c, dot_error(np.abs(a), np.abs(b)), out)
