# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of the library for Arm's Neoverse V2, run under emulation, hold the bounds that
they hold on this machine."""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from cross import aarch64
from cross.machine import LaunchFailed
from tilewright import runtime
from tilewright.kernels import registry
from tilewright.testing.verify import PASS, verify_case

TARGET = "cpu:neoverse-v2"

CASES = [
    "gemm/odd_nt/f32",
    "gemm/odd_nn/bf16",
    "gemm/odd_tn/f16",
    "gemm/odd_tt/i8",
    "gemm_skinny/m4/bf16",
    "gemm_skinny/m7/i8",
    "gemm_batched/odd_nt/bf16",
    "softmax/odd/bf16",
    "rmsnorm_residual/hostile/bf16",
    "swiglu/weighted/f16",
    "act_quant/hostile_ue8m0/bf16",
    "rope/interleaved_odd/f16",
    "attention/odd_causal/bf16",
    "attention/ragged/f32",
    "mla_decode/ragged_paged/bf16",
    "indexer/paged/f8e4m3fn",
    "topk/odd/f16",
    "sparse_mla/plain/f16",
    "moe_gate/v3_ties/f32",
    "moe_permute/v2lite/bf16",
    "grouped_gemm/masked_fp8/f8e4m3fn",
    "grouped_gemm/masked_ue8m0_fp4/f4e2m1fn",
    "moe_combine/v2lite/bf16",
]


@pytest.mark.parametrize("case", registry.verify_cases(CASES), ids=lambda case: case.id)
def test_library_kernels_are_right(case, aarch64_machine):
    result = verify_case(case, TARGET)
    assert result.status == PASS, result.reason
    assert aarch64_machine.launches


@T.prim_func
def double(A: T.Tensor((100,), "float32"), B: T.Tensor((100,), "float32")):
    with T.Kernel(1):
        for i in T.Parallel(100):
            B[i] = A[i] + A[i]


def test_code_of_another_architecture_is_refused():
    kernel = tilewright.compile(double, target=TARGET)
    with pytest.raises(runtime.ArtifactError) as refused:
        kernel(np.ones(100, np.float32), np.empty(100, np.float32))
    assert str(refused.value) == (
        f"{kernel.path}: has code for AArch64, and this machine is an x86-64; "
        "compile the kernel for 'cpu' on this machine"
    )


def test_cpus_that_lack_an_extension_are_told_so(aarch64_launcher, aarch64_machine):
    kernel = tilewright.compile(double, target=TARGET)
    a, b = np.arange(100, dtype=np.float32), np.empty(100, np.float32)
    kernel(a, b)
    assert (b == 2 * a).all()
    older = aarch64.make_machine(aarch64_launcher, cpu="cortex-a72")
    with pytest.raises(LaunchFailed, match="cpu:neoverse-v2 code needs lse"):
        older.call(kernel, a, b)
