# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The steps of an online softmax over score tiles, as macros that attention kernels share.

A block keeps, for each of its M rows, `peak` (the running maximum of the scores), `total`
(the sum of exp2(scale (score - peak))) and `acc` (the sum of the values so weighted). The
caller puts -inf where a key is masked. `scale`, which has the factor log2(e), is positive, so
that it need not be applied before the maximum is taken. The difference comes first: it is 0
for the largest score, whose weight is 1, so a row that sees one key is that key's value.
`peak` starts at FLOOR, a finite number, so that rows with no valid key yet stay free of
inf - inf.
"""

import math

import tilewright.language as T
from tilewright.kernels.arrays import require

FLOOR = -1.0e30
LOG2E = math.log2(math.e)
LN2 = math.log(2)


def scale_in_log2(scale: float | None, d: int) -> float:
    """`scale`, or d^-0.5 for None, times log2(e).

    Raises ValueError where it is not positive and finite.
    """
    scale = d**-0.5 if scale is None else scale
    require(
        0 < scale < math.inf,
        f"scale is {scale}: the largest score must have the largest weight; give a positive "
        "number, and negate q for another sign",
    )
    return scale * LOG2E


@T.macro
def absorb(score, prob, acc, peak, before, total, step_total, scale, M, N, D):
    """Take a tile of scores [M, N] in: `prob` [M, N] is what multiplies the values next.

    Rescales `acc` [M, D] and `total` [M] to the new `peak` [M]; `before` and `step_total`
    [M] are scratch. `score` is overwritten by the probabilities in f32. The peak is one of
    numbers: a NaN score makes its row NaN by its own probability.
    """
    T.copy(peak, before)
    T.reduce_max(score, peak, dim=1, clear=False, nan_propagate=False)
    for i, j in T.Parallel(M, N):
        score[i, j] = T.exp2((score[i, j] - peak[i]) * scale)
    T.reduce_sum(score, step_total, dim=1)
    T.copy(score, prob)
    for i in T.Parallel(M):
        before[i] = T.exp2((before[i] - peak[i]) * scale)
        total[i] = total[i] * before[i] + step_total[i]
    for i, j in T.Parallel(M, D):
        acc[i, j] *= before[i]


@T.macro
def normalise(acc, total, M, D):
    """Divide `acc` [M, D] by `total` [M]; rows that saw no key become 0, NaN stays NaN."""
    for i, j in T.Parallel(M, D):
        acc[i, j] = T.if_then_else(total[i] == 0, 0, acc[i, j] / total[i])
