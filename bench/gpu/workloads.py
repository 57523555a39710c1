"""What is measured on a GPU: the library's kernels at real sizes, and small ones for a trial.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from tilewright.kernels import (
    act_quant,
    attention_cases,
    gemm_cases,
    grouped_gemm,
    indexer_cases,
    mla_decode_cases,
    moe_gate_cases,
    rmsnorm,
    rmsnorm_residual,
    rope,
    softmax,
    sparse_mla_cases,
    swiglu,
    topk_cases,
)
from tilewright.testing.case import Case

# Kernels whose cases in the CPU's benchmark are of a size for GPUs too; their peers are
# PyTorch's recipes there.
_AS_ON_CPU = (
    indexer_cases, topk_cases, moe_gate_cases, act_quant, swiglu, rope, rmsnorm_residual
)  # fmt: skip


def _product(n: int, dtype: str, transpose_b: bool = False) -> Case:
    name = f"n{n}_{'nt' if transpose_b else 'nn'}"
    return gemm_cases.make_case(name, n, n, n, dtype, transpose_b=transpose_b)


def _attention(batch: int, heads: int, length: int, d: int, causal: bool) -> Case:
    name = f"b{batch}_h{heads}_s{length}_d{d}{'_causal' if causal else ''}"
    return attention_cases.make_case(
        name, length, length, d, "bf16", batch=batch, heads=heads, causal=causal
    )


def _decoding(batch: int, heads: int, length: int) -> Case:
    problem = mla_decode_cases.Problem(
        f"b{batch}_h{heads}_s{length}", (length,) * batch, heads=heads
    )
    return mla_decode_cases.make_case(problem)


def _sparse(queries: int, rows: int, topk: int, heads: int) -> Case:
    problem = sparse_mla_cases.Problem(
        f"q{queries}_kv{rows}_top{topk}_h{heads}", queries, rows, topk, heads=heads
    )
    return sparse_mla_cases.make_case(problem)


def _experts(groups: int, rows: int, n: int, k: int) -> Case:
    return grouped_gemm.make_case(f"e{groups}_r{rows}_n{n}_k{k}", (rows,) * groups, n, k)


def real() -> list[Case]:
    """Sizes of models; what matters most comes first, in case time runs out."""
    return [
        _product(4096, "bf16"),
        _product(4096, "bf16", transpose_b=True),
        _attention(1, 16, 4096, 128, causal=False),
        _attention(1, 16, 4096, 128, causal=True),
        _decoding(32, 128, 4096),
        softmax.make_case("r8192_n8192", 8192, 8192, "bf16"),
        rmsnorm.make_case("r8192_n8192", 8192, 8192, "bf16"),
        _product(8192, "bf16"),
        _product(2048, "bf16"),
        _product(1024, "bf16"),
        *(_product(n, "f16") for n in (4096, 8192, 2048, 1024)),
        _attention(4, 16, 2048, 64, causal=False),
        _decoding(32, 16, 4096),
        _sparse(128, 32768, 2048, 128),
        _experts(32, 256, 2048, 2048),
        softmax.make_case("r4096_n4096", 4096, 4096, "f32"),
        rmsnorm.make_case("r4096_n4096", 4096, 4096, "f32"),
        *(case for kernel in _AS_ON_CPU for case in kernel.bench_cases()),
    ]


def small() -> list[Case]:
    """One of each kernel, of the least size that is no special case: seconds on an emulator."""
    return [
        _product(128, "f16"),
        _product(128, "bf16", transpose_b=True),
        _attention(1, 2, 128, 64, causal=False),
        softmax.make_case("r16_n256", 16, 256, "bf16"),
        rmsnorm.make_case("r16_n256", 16, 256, "bf16"),
        _decoding(1, 16, 128),
        _sparse(2, 256, 64, 16),
        _experts(4, 32, 128, 128),
    ]
