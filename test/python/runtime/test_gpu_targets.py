"""Targets that there are not, and what a GPU's target does not take.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import pytest

import tilewright
import tilewright.language as T


@T.prim_func
def kernel(A: T.Tensor((8,), "float32")):
    with T.Kernel(1):
        T.fill(A, 1)


@pytest.mark.parametrize(
    ("target", "known"), [("cuda:sm_99", "sm_80, "), ("hip-emulator:gfx1", "gfx942")]
)
def test_an_unknown_architecture_is_named_with_those_there_are(target, known):
    with pytest.raises(tilewright.CompileError, match=rf"unknown architecture.*{known}"):
        tilewright.compile(kernel, target=target)


def test_checking_mode_is_for_the_cpu():
    with pytest.raises(tilewright.CompileError, match=r"checking mode .* is for the CPU"):
        tilewright.compile(kernel, target="cuda-emulator:sm_80", debug=True)
