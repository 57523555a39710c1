"""What kernel files take from TileLang's package besides jit and the language.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright as tilelang
import tilewright.language as T


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
    with pytest.raises(AttributeError, match="'autotune': let T.choose"):
        tilelang.autotune  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'$"):
        tilelang.nothing  # noqa: B018
