"""Running an expression over arrays, one element after the other.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.testing import dtype_name, numpy_dtype

_BLOCK = 32


def elementwise(device: str, expression: object, out: str, *arrays: np.ndarray) -> np.ndarray:
    """`expression`, a macro on scalars, over one to three vectors of one length.

    `out` is the result's short dtype name. The length is no multiple of a block's elements
    by accident only, so the edge is exercised too.
    """
    n = len(arrays[0])
    a, b, c = (dtype_name(x.dtype) for x in (*arrays, *(arrays[:1] * 2))[:3])
    count = len(arrays)

    @T.prim_func
    def kernel(
        A: T.Tensor((n,), a),
        B: T.Tensor((n,), b),
        C: T.Tensor((n,), c),
        Out: T.Tensor((n,), out),
    ):
        with T.Kernel(T.ceildiv(n, _BLOCK)) as block:
            for i in T.Parallel(_BLOCK):
                at = block * _BLOCK + i
                if at < n:
                    if count == 1:
                        Out[at] = expression(A[at])
                    elif count == 2:
                        Out[at] = expression(A[at], B[at])
                    else:
                        Out[at] = expression(A[at], B[at], C[at])

    result = np.empty(n, numpy_dtype(out))
    result.view(np.uint8)[...] = 0xA5
    tilewright.compile(kernel, target=device)(*(*arrays, *(arrays[:1] * 2))[:3], result)
    return result


def pairs(a: object, b: object, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of the values."""
    made = numpy_dtype(dtype)
    left, right = np.meshgrid(np.array(a, made), np.array(b, made))
    return left.ravel(), right.ravel()
