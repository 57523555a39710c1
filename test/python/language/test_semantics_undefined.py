"""Reads of memory that nothing wrote are refused where that is certain.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError

M = 32
TARGETS = ["cpu", "cuda:sm_80", "hip:gfx942"]


def refused(kernel, target: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        tilewright.compile(kernel, target=target)
    error = caught.value
    assert error.place.source().endswith("# here")
    assert "start undefined" in error.rule
    assert "T.clear" in error.hint
    return error


@pytest.mark.parametrize("target", TARGETS)
def test_accumulates_in_undefined_memory(target):
    @T.prim_func
    def kernel(A: T.Tensor((M, M), "float16"), n: T.int32, B: T.Tensor((M, M), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((M, M), "float16")
            acc = T.alloc_fragment((M, M), "float32")
            for _k in T.Pipelined(n, num_stages=2):
                T.copy(A, tile)
                T.gemm(tile, tile, acc)  # here
            T.copy(acc, B)

    error = refused(kernel, target)
    assert "'acc' is updated before anything is written to it" in error.message
    assert "'acc' is allocated here" in str(error)


@pytest.mark.parametrize("target", TARGETS)
def test_reads_undefined_memory(target):
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            for i in T.Parallel(M):
                A[i] = tile[i] + 1  # here

    assert "'tile' is read before" in refused(kernel, target).message


def test_a_variable_and_a_workspace():
    @T.prim_func
    def counts(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            count = T.alloc_var("int32")
            for i in T.serial(M):
                count += A[i]  # here
            A[0] = count

    @T.prim_func
    def passes_on(A: T.Tensor((M,), "int32")):
        scratch = T.alloc_global((M,), "int32")
        with T.Kernel(1):
            T.copy(scratch, A)  # here

    assert "'count' is read before" in refused(counts, "cpu").message
    assert "'scratch' is read before" in refused(passes_on, "cpu").message


@pytest.mark.every_device
def test_what_the_first_step_does_not_read(device):
    """A step reads what the one before it wrote, and the first knows that there is none."""

    @T.prim_func
    def differences(A: T.Tensor((4, M), "int32"), B: T.Tensor((4, M), "int32")):
        with T.Kernel(1):
            before = T.alloc_fragment((M,), "int32")
            for k in T.serial(4):
                for i in T.Parallel(M):
                    B[k, i] = T.if_then_else(k == 0, A[k, i], A[k, i] - before[i])
                if k > 0:
                    for i in T.Parallel(M):
                        B[k, i] += before[i] * 0
                T.copy(A[k, 0:M], before)

    a = np.random.default_rng(3).integers(-100, 100, (4, M), dtype=np.int32)
    b = np.full_like(a, 77)
    tilewright.compile(differences, target=device)(a, b)
    np.testing.assert_array_equal(b, np.diff(a, axis=0, prepend=0))
