"""Timing and checking a kernel as TileLang's profiler does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tilewright as tilelang
import tilewright.language as T
from tilewright.profiler import do_bench


def doubled(dtype, shape=(16, 24)):
    @T.prim_func
    def main(X: T.Tensor(shape, dtype), Y: T.Tensor(shape, dtype)):
        with T.Kernel(1):
            for i, j in T.Parallel(
                *[int(size) if isinstance(size, int) else 1 for size in shape]
            ):
                Y[i, j] = X[i, j] + X[i, j]

    return tilelang.compile(main, out_idx=[-1], execution_backend="auto", target_host=None)


@pytest.mark.parametrize("kind", list(tilelang.TensorSupplyType))
@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float8_e4m3fn", "int8", "int32", "uint8"]
)
def test_a_reference_is_met_on_supplied_arrays(kind, dtype):
    profiler = doubled(dtype).get_profiler(tensor_supply_type=kind)

    def reference(x):
        assert tuple(x.shape) == (16, 24)
        assert x.dtype == getattr(torch, dtype)
        return (x.float() * 2).to(x.dtype)

    profiler.assert_allclose(reference, rtol=0, atol=0, max_mismatched_ratio=0)
    profiler.assert_consistent(repeat=2)
    assert profiler.run_once().dtype == profiler.func.run_once().dtype == getattr(torch, dtype)


def test_a_wrong_reference_is_reported():
    profiler = doubled("float32").get_profiler()
    ones = np.ones((16, 24), np.float32)
    with pytest.raises(
        AssertionError, match=r"384 of 384 elements .* \(0, 0\): 2.0 instead of 3"
    ):
        profiler.assert_allclose(lambda x: x * 3, [ones])
    with pytest.raises(AssertionError, match="returns 1 arrays and the reference 2"):
        profiler.assert_allclose(lambda x: (x, x), [ones])


def test_milliseconds():
    calls = []
    assert 0 <= do_bench(lambda: calls.append(1), _n_warmup=3, _n_repeat=5) < 1000
    assert len(calls) == 1 + 3 + 5
    low, high = do_bench(calls.copy, warmup=1, rep=1, quantiles=[0.2, 0.8])
    assert 0 <= low <= high
    kernel = doubled("float32")
    assert kernel.get_profiler().do_bench(warmup=1, rep=1, backend="event") > 0
    assert kernel.get_profiler().do_bench(torch.neg, n_warmup=1, n_repeat=1) > 0
    with pytest.raises(ValueError, match="give one of mean, median, min, max"):
        do_bench(calls.copy, return_mode="best")


def test_sizes_known_at_launch_are_asked_for():
    kernel = doubled("float32", (T.dynamic("m"), 24))
    profiler = kernel.get_profiler()
    with pytest.raises(ValueError, match="the size m of X is known at launch only"):
        profiler.do_bench()
    assert profiler.do_bench(dynamic_symbolic_constraints={"m": 8}, warmup=1, rep=1) > 0
