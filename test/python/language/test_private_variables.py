"""Variables that belong to one iteration of T.Parallel.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T

pytestmark = pytest.mark.every_device


@pytest.mark.parametrize("rows", [1, 3, 9, 17, 33, 64])
@pytest.mark.parametrize("dtype", ["int32", "float32", "int8"])
def test_a_variable_sums_in_an_inner_loop(device, rows, dtype):
    @T.prim_func
    def kernel(A: T.Tensor((rows, 5), dtype), O: T.Tensor((rows,), dtype)):
        with T.Kernel(1):
            for i in T.Parallel(rows):
                total = T.alloc_var(dtype)
                total = 0
                for j in T.serial(5):
                    total += A[i, j]
                O[i] = total

    a = np.random.default_rng(rows).integers(-9, 9, (rows, 5)).astype(dtype)
    o = np.full(rows, 99, dtype)
    tilewright.compile(kernel, target=device)(a, o)
    assert np.array_equal(o, a.sum(1).astype(dtype))


@pytest.mark.parametrize("shape", [(9,), (17,), (3, 9), (1, 9), (2, 3, 33)])
def test_a_variable_where_one_lane_is_left(device, shape):
    @T.prim_func
    def kernel(A: T.Tensor(shape, "float32"), Q: T.Tensor(shape, "float32")):
        with T.Kernel(1):
            if len(shape) == 1:
                for i in T.Parallel(*shape):
                    x = T.alloc_var("float32")
                    x = A[i]
                    Q[i] = x * 2
            elif len(shape) == 2:
                for i, j in T.Parallel(*shape):
                    x = T.alloc_var("float32")
                    x = A[i, j]
                    Q[i, j] = x * 2
            else:
                for i, j, k in T.Parallel(*shape):
                    x = T.alloc_var("float32")
                    x = A[i, j, k]
                    Q[i, j, k] = x * 2

    a = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    q = np.full(shape, np.nan, np.float32)
    tilewright.compile(kernel, target=device)(a, q)
    assert np.array_equal(q, 2 * a)
