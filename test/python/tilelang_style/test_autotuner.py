"""Configurations tried as TileLang's autotuner does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tilewright as tilelang
import tilewright.language as T
from tilewright.autotuner import AutoTuner, autotune, set_autotune_inputs


def added(n, block, dtype="float32", one=1.0):
    """X + one, by blocks."""

    @T.prim_func
    def main(X: T.Tensor((n,), dtype), Y: T.Tensor((n,), dtype)):
        with T.Kernel(T.ceildiv(n, block), threads=128) as bx:
            for i in T.Parallel(block):
                Y[bx * block + i] = X[bx * block + i] + one

    return main


def configs_of(n):
    return [{"block": block} for block in (8, n)]


@autotune(configs=configs_of, warmup=1, rep=1, timeout=60)
@tilelang.jit(out_idx=[-1])
def lazy(n, block=4):
    return added(n, block)


def test_a_lazy_kernel_takes_one_of_its_configs():
    kernel = lazy(100)
    assert kernel.config in configs_of(100)
    assert kernel.latency > 0
    assert lazy(100) is kernel
    x = np.arange(100, dtype=np.float32)
    assert np.array_equal(kernel(x), x + 1)


def test_given_parameters_are_not_tuned():
    assert lazy(96, block=16).config == {}
    assert lazy(96, 16).get_kernel_source()


@tilelang.autotune(configs={"block": [16, 32], "more": [1]}, warmup=1, rep=1)
@tilelang.jit
def eager(X, block: int = 4, more: int = 0):
    n = T.const("n")
    X: T.Tensor((n,), "float32")
    Y = T.empty((n,), "float32")
    with T.Kernel(T.ceildiv(n, block)) as bx:
        for i in T.Parallel(block):
            Y[bx * block + i] = X[bx * block + i] + more
            X[bx * block + i] = 0
    return Y


def test_an_eager_kernel_is_timed_on_copies():
    x = torch.arange(100, dtype=torch.float32)
    expected = x + 1
    assert torch.equal(eager(x), expected)
    assert not x.any()


def test_a_wrong_config_is_left_out():
    @autotune(configs=[{"one": 2.0}, {"one": 1.0}], ref_prog=lambda x: x + 1, warmup=1, rep=1)
    @tilelang.jit(out_idx=[-1])
    def kernel(n, one=0.0):
        return added(n, 16, one=one)

    assert kernel(64).config == {"one": 1.0}
    assert kernel(64).ref_latency > 0


def test_configs_that_do_not_compile_are_left_out():
    @autotune(configs=[{"block": 0}, {"block": 8, "pass_configs": {}}], warmup=1, rep=1)
    @tilelang.jit(out_idx=[-1])
    def kernel(n, block=1):
        return added(n, block)

    assert kernel(64).config == {"block": 8}
    assert kernel(64) is kernel(64)


def test_no_configs_at_all():
    @autotune(configs=lambda *sizes: [])
    @tilelang.jit(out_idx=[-1])
    def kernel(n, block=1):
        return added(n, block)

    with pytest.raises(tilelang.CompileError, match="autotune has no configs"):
        kernel(64)


def test_a_function_of_configs_has_names_of_its_own():
    @autotune(configs=lambda size: [{"block": size}], warmup=1, rep=1)
    @tilelang.jit(out_idx=[-1])
    def kernel(n, block=1):
        return added(n, block)

    assert kernel(64).config == {"block": 64}


def test_on_an_emulator_the_first_that_compiles_is_taken():
    @autotune(configs=[{"block": 0}, {"block": 8}, {"block": 16}])
    @tilelang.jit(out_idx=[-1], target="cuda-emulator:sm_80")
    def kernel(n, block=1):
        return added(n, block)

    made = kernel(64)
    assert (made.config, made.latency) == ({"block": 8}, None)


def test_arguments_that_the_program_gives():
    seen = []

    def supply(parameters):
        seen.extend((p.shape, p.dtype) for p in parameters)
        return [np.ones(64, np.float16)]

    @autotune(configs=[{"block": 8}, {"block": 16}], supply_prog=supply, warmup=1, rep=1)
    @tilelang.jit(out_idx=[-1])
    def kernel(n, block=1):
        return added(n, block, "float16")

    assert kernel(64).latency > 0
    assert seen[0] == ((64,), "float16")
    assert seen[0][1].as_torch() is torch.float16
    m = T.dynamic("m")
    assert kernel(m).config  # only the program knows m, and it says 64


def test_sizes_known_at_launch():
    @autotune(configs=[{"block": 8}, {"block": 16}], warmup=1, rep=1)
    @tilelang.jit(out_idx=[-1])
    def kernel(n, name, block=1):
        return added(n, block)

    m = T.dynamic("m")
    assert kernel(m, "unknown").latency is None
    with set_autotune_inputs(np.ones(50, np.float32)):
        assert kernel(m, "given").latency > 0


def test_tuning_by_hand():
    tuner = AutoTuner.from_kernel(
        kernel=lambda block: added(64, block), configs=[{"block": 8}, {"block": 16}]
    )
    tuner.set_compile_args(out_idx=[-1], target="auto")
    tuner.set_profile_args(supply_type=tilelang.TensorSupplyType.Integer)
    result = tuner.run(warmup=1, rep=1)
    assert result.config["block"] in (8, 16)
    assert result.latency > 0
    assert result.libcode == result.kernel.get_kernel_source()


def test_it_stands_over_jit():
    with pytest.raises(tilelang.CompileError, match="it stands over @tilewright.jit"):
        autotune(configs=[{}])(added)
