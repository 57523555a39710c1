"""How the kernels of this folder are checked: element by element, against float64.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

from tilewright.testing import dot_bound


def within(actual: np.ndarray, exact: np.ndarray, bound: np.ndarray | float) -> None:
    """Every element of `actual` is within `bound` of `exact`; NaN and infinities match."""
    assert actual.shape == exact.shape
    actual = np.asarray(actual, np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(actual - exact) <= bound
    same = (actual == exact) | (np.isnan(actual) & np.isnan(exact))
    wrong = np.argwhere(~(close | same))
    assert not len(wrong), (
        f"{len(wrong)} of {actual.size} elements are off, the first at {tuple(wrong[0])}: "
        f"{actual[tuple(wrong[0])]} instead of {exact[tuple(wrong[0])]}"
    )


def product(actual: np.ndarray, a: np.ndarray, b: np.ndarray, out: str) -> None:
    """`actual` is a @ b, accumulated in f32 and rounded once to `out`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    within(actual, a @ b, dot_bound(a, b, a @ b, out))
