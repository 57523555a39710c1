# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Naive attention in float64, with the bound every attention kernel is held to."""

from __future__ import annotations

import dataclasses

import numpy as np

from tilewright.testing.bounds import EXP_ULPS, U32, dot_error, gamma, output_rounding
from tilewright.testing.case import Expected
from tilewright.testing.dtypes import unit_roundoff

ATTENTION_BOUND = (
    "sum_j p_j e_j (|v_j| + |o|) + gamma_(n+4) sum_j p_j |v_j| + u(out) |o|, "
    "e_j = scale gamma_(d+1) |q||k_j| + 4u (max |s|) + u(P) + 8u + rescaling"
)


@dataclasses.dataclass(frozen=True)
class Attended:
    """Attention of some rows: `out` [m, dv], `lse` [m] (natural logarithm) and `peak` [m],
    the largest score (-inf where there is none)."""

    out: Expected
    lse: Expected
    peak: Expected


def attend(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    valid: np.ndarray,
    scale: float,
    dtype: str,
    *,
    empty_lse: float = np.inf,
) -> Attended:
    """softmax(scale q k^T) v over the valid keys, naively, with error bounds.

    `q` [m, d], `k` [n, d] and `v` [n, dv] hold values of `dtype` in any float type;
    `valid` [m, n] says which keys a row attends. Rows with no valid key give a zero row
    and `empty_lse`. Keys that no row attends may hold anything, NaN included.

    The bound allows: scores accumulated in f32, probabilities rounded to `dtype` before
    the second product, sums in f32, and a rescaling of the sums each time the running
    maximum of an online softmax moves (at most once per 16 keys).
    """
    used = valid.any(0)
    q = np.asarray(q, np.float64)
    k = np.where(used[:, None], np.asarray(k, np.float64), 0.0)
    v = np.where(used[:, None], np.asarray(v, np.float64), 0.0)
    keys = len(k)
    empty = ~valid.any(1)
    hidden = ~valid

    def hide(scores: np.ndarray, value: float) -> None:
        np.copyto(scores, value, where=hidden)

    # Scores fill the caches many times over: they are worked on in place.
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = q @ k.T
        scores *= scale
        hide(scores, -np.inf)
        largest = scores.max(1, initial=-np.inf)
        peak = np.where(empty, 0.0, largest)
        p = scores - peak[:, None]
        np.exp(p, out=p)
        hide(p, 0.0)
        total = p.sum(1)
        p /= np.where(empty, 1.0, total)[:, None]
        out = p @ v
        lse = np.where(empty, empty_lse, peak + np.log(total))

    # The absolute error of an exponent is the relative error of its exponential.
    exponent = dot_error(np.abs(q), np.abs(k.T))
    exponent *= scale
    np.abs(scores, out=scores)
    hide(scores, 0.0)
    magnitude = scores.max(1, initial=0.0)[:, None]
    scores *= 4 * U32
    scores += exponent
    hide(scores, 0.0)
    largest_error = scores.max(1, initial=0.0)
    rescalings = (keys / 16 + 1) * (EXP_ULPS + 2) * U32
    exponent += 4 * U32 * magnitude + (EXP_ULPS + 4) * U32 + rescalings
    hide(exponent, 0.0)
    peak_error = exponent.max(1, initial=0.0)

    # sum_j p_j e_j (|v_j| + |o|) + gamma sum_j p_j |v_j| + gamma |o|
    relative = exponent
    relative += unit_roundoff(dtype)
    relative *= p
    on_out = relative.sum(1) + gamma(keys + 4)
    p *= gamma(keys + 4)
    relative += p
    error = relative @ np.abs(v)
    error += on_out[:, None] * np.abs(out)
    out_bound = np.where(empty[:, None], 0.0, output_rounding(out, error, dtype))
    lse_error = peak_error + gamma(keys + 8) + 4 * U32 * (1 + np.abs(np.where(empty, 0, lse)))
    return Attended(
        Expected(out, out_bound),
        Expected(lse, np.where(empty, 0.0, lse_error), exact_on_integers=False),
        Expected(largest, largest_error),
    )
