"""Faults on emulated GPUs name the line of the kernel's source.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.testing import gpu_code

GPUS = ["cuda-emulator:sm_80", "cuda-emulator:sm_90a", "hip-emulator:gfx942"]
n = T.dynamic("n")


@T.prim_func
def look_up(A: T.Tensor((n,), "float32"), At: T.Tensor((n,), "int32"),
            C: T.Tensor((n,), "float32")):  # fmt: skip
    with T.Kernel(T.ceildiv(n, 64), threads=64) as block:
        tile = T.alloc_shared((64,), "float32")
        T.copy(A[block * 64], tile)
        for i in T.Parallel(64):
            C[block * 64 + i] = tile[At[block * 64 + i]]  # here


@T.macro
def picked(tile, at):
    return tile[at]  # in the macro


@T.prim_func
def look_up_by_macro(A: T.Tensor((n,), "float32"), At: T.Tensor((n,), "int32"),
                     C: T.Tensor((n,), "float32")):  # fmt: skip
    with T.Kernel(T.ceildiv(n, 64), threads=64) as block:
        tile = T.alloc_shared((64,), "float32")
        T.copy(A[block * 64], tile)
        for i in T.Parallel(64):
            C[block * 64 + i] = picked(tile, At[block * 64 + i])


def line_of(comment: str) -> int:
    """The number of the line of this file that ends in a comment."""
    text = inspect.getsource(inspect.getmodule(line_of))
    [line] = [i for i, t in enumerate(text.splitlines(), 1) if t.endswith(f"  # {comment}")]
    return line


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize(("kernel", "where"), [(look_up, "here"),
                                               (look_up_by_macro, "in the macro")])  # fmt: skip
def test_a_fault_names_the_line(kernel, where, gpu):
    a, c = np.ones(64, np.float32), np.empty(64, np.float32)
    at = np.zeros(64, np.int32)
    at[3] = 1 << 20
    with pytest.raises(tilewright.runtime.CheckError) as raised:
        tilewright.compile(kernel, target=gpu)(a, at, c)
    [fault] = raised.value.faults
    assert fault.rule == "out-of-bounds"
    assert fault.thread == (3, 0, 0)
    assert (fault.file, fault.source_line) == (__file__, line_of(where))
    assert f"from {__file__}:{line_of(where)}" in str(raised.value)


def test_ptx_is_none_for_debuggers():
    """Lines do not make ptxas compile without optimising."""
    ptx = tilewright.compile(look_up, target="cuda:sm_80").asm()
    assert ".loc" in ptx
    assert ".target sm_80\n" in ptx
    assert ".debug_info" not in ptx
    if ptxas := gpu_code.ptxas():
        plain = "\n".join(line for line in ptx.splitlines() if ".loc" not in line)
        assert gpu_code.assemble(plain.encode(), "sm_80", ptxas) == gpu_code.assemble(
            ptx.encode(), "sm_80", ptxas
        )
