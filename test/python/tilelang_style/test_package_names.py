"""What kernel files take from TileLang's package besides jit and the language.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright as tilelang
import tilewright.language as T
from tilewright.compiler.cache import bound


@tilelang.jit(
    out_idx=[-1],
    pass_configs={
        tilelang.PassConfigKey.TL_ENABLE_FAST_MATH: True,
        tilelang.PassConfigKey.TL_DISABLE_WARP_SPECIALIZED: True,
    },
)
def scale(n, least):
    block = tilelang.next_power_of_2(least)
    blocks = tilelang.cdiv(n, block)

    @T.prim_func
    def main(X: T.Tensor((n,), "float32"), Y: T.Tensor((n,), "float32")):
        with T.Kernel(blocks, threads=128) as bx:
            for i in T.Parallel(block):
                Y[bx * block + i] = X[bx * block + i] * 2

    return main


def test_options_of_passes_and_sizes():
    x = np.arange(300, dtype=np.float32)
    assert np.array_equal(scale(300, 100)(x), 2 * x)


@pytest.mark.parametrize(("n", "power"), [(1, 1), (2, 2), (3, 4), (64, 64), (65, 128)])
def test_next_power_of_2(n, power):
    assert tilelang.next_power_of_2(n) == power


def test_what_is_not_there_names_what_is():
    with pytest.raises(AttributeError, match="'lower': use tilewright.compile"):
        tilelang.lower  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'$"):
        tilelang.nothing  # noqa: B018


def test_the_cache_is_switched_off_and_on(monkeypatch):
    monkeypatch.setenv("TILEWRIGHT_CACHE_SIZE", "1G")
    tilelang.disable_cache()
    assert bound.limit() == 0
    tilelang.enable_cache()
    assert bound.limit() == bound.DEFAULT_LIMIT
    tilelang.set_log_level("WARNING")


def test_sizes_in_a_module_of_their_own():
    from tilewright.math import cdiv, next_power_of_2

    assert (cdiv(7, 2), next_power_of_2(7)) == (4, 8)


def test_a_dtype_is_its_name():
    """As getattr(torch, dtype) and tests of its text need it."""
    assert getattr(np, T.float16) is np.float16
    assert "float8" in T.float8_e4m3fn
    assert T.float32.startswith("float")
    assert (T.float32 == "float", T.float32 != "float", T.float32 != T.float16) == (
        True,
        False,
        True,
    )
    assert {"int32": 1}[T.int32] == 1
    assert (T.dtype("bfloat16").bits, T.float32.bytes) == (16, 4)


def test_source_of_kernels():
    assert scale.get_kernel_source(300, 100) == scale(300, 100).get_kernel_source() != ""


def test_several_kernels():
    one, two = scale.par_compile([{"n": 300, "least": 100}, (300, 7)], num_workers=2)
    assert one.path == scale(300, 100).path
    assert two.path == scale(300, 7).path


def test_layouts_are_hints():
    from tilewright.layout import Fragment, make_gemm_fragment_8x8

    assert Fragment((8, 8)) is make_gemm_fragment_8x8() is None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tilelang.layout.nothing  # noqa: B018


@tilelang.jit
def biased(with_bias):
    n = T.dynamic("n")

    @T.prim_func
    def main(
        X: T.Tensor((n, 4), "float32"),
        Bias: T.Tensor((n,), "bfloat16"),
        Y: T.Tensor((n, 4), "float32"),
    ):
        with T.Kernel(n) as row:
            for i in T.Parallel(4):
                Y[row, i] = X[row, i] + (Bias[row] if with_bias else 1)

    return main


def test_a_tensor_that_is_not_touched_may_be_none():
    x, y = np.ones((5, 4), np.float32), np.zeros((5, 4), np.float32)
    biased(False)(x, None, y)
    assert (y == 2).all()
    with pytest.raises(TypeError, match="'Bias' is of type NoneType"):
        biased(True)(x, None, y)
