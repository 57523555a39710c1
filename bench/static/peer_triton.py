"""The problems in Triton, and how it compiles them without a GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os

# Said, or Triton warns that its default is to change.
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")

import problems
import triton
import triton.language as tl
from problems import Problem
from program import Program, by_name

NAME = "Triton"
DTYPES = {"bf16": "*bf16", "f16": "*fp16"}


@triton.jit
def gemm(
    A, B, C, m, N: tl.constexpr, K: tl.constexpr, TRANSPOSE_B: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """C = A op(B); rows past m are neither read nor written."""
    rows = tl.program_id(1) * BM + tl.arange(0, BM)
    columns = tl.program_id(0) * BN + tl.arange(0, BN)
    inner = tl.arange(0, BK)
    inside = rows[:, None] < m
    at_a = A + rows[:, None] * K + inner[None, :]
    if TRANSPOSE_B:
        at_b = B + columns[None, :] * K + inner[:, None]
    else:
        at_b = B + inner[:, None] * N + columns[None, :]
    total = tl.zeros((BM, BN), tl.float32)
    for _ in range(0, K, BK):
        a = tl.load(at_a, mask=inside, other=0.0)
        b = tl.load(at_b)
        total = tl.dot(a, b, total)
        at_a += BK
        at_b += BK if TRANSPOSE_B else BK * N
    at_c = C + rows[:, None] * N + columns[None, :]
    tl.store(at_c, total.to(C.dtype.element_ty), mask=inside)


@triton.jit
def attend(
    Q, K, V, Out, LENGTH: tl.constexpr, D: tl.constexpr, SCALE_LOG2: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    """FlashAttention of a head's BM queries."""
    head = tl.program_id(1) * LENGTH * D
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    keys = tl.arange(0, BN)
    depth = tl.arange(0, D)
    q = tl.load(Q + head + rows[:, None] * D + depth[None, :])
    at_k = K + head + keys[None, :] * D + depth[:, None]
    at_v = V + head + keys[:, None] * D + depth[None, :]
    peak = tl.full((BM,), -1.0e30, tl.float32)
    weight = tl.zeros((BM,), tl.float32)
    total = tl.zeros((BM, D), tl.float32)
    for _ in range(0, LENGTH, BN):
        score = tl.dot(q, tl.load(at_k))
        higher = tl.maximum(peak, tl.max(score, 1) * SCALE_LOG2)
        p = tl.exp2(score * SCALE_LOG2 - higher[:, None])
        fade = tl.exp2(peak - higher)
        weight = weight * fade + tl.sum(p, 1)
        total = tl.dot(p.to(Q.dtype.element_ty), tl.load(at_v), total * fade[:, None])
        peak = higher
        at_k += BN * D
        at_v += BN * D
    at_out = Out + head + rows[:, None] * D + depth[None, :]
    tl.store(at_out, (total / weight[:, None]).to(Out.dtype.element_ty))


def _source(problem: Problem):
    """The kernel, its pointers, and its other arguments: types or constants by name."""
    if problem.kind == "gemm":
        constants = dict(zip(("BM", "BN", "BK"), problem.tile))
        constants |= {"N": problems.N, "K": problems.K, "TRANSPOSE_B": problem.transpose_b}
        return gemm, ("A", "B", "C"), {"m": "i32"}, constants
    constants = dict(zip(("BM", "BN"), problem.tile))
    constants |= {"LENGTH": problems.LENGTH, "D": problem.d, "SCALE_LOG2": problem.scale_log2}
    return attend, ("Q", "K", "V", "Out"), {}, constants


def compiled(problem: Problem, target: str) -> Program:
    """The PTX or the code object of a problem."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    backend, arch = target.split(":")
    kernel, pointers, numbers, constants = _source(problem)
    known = dict.fromkeys(pointers, DTYPES[problem.dtype]) | numbers
    types = {name: known.get(name, "constexpr") for name in kernel.arg_names}
    # As tensors of a framework are: without it loads are of single elements.
    aligned = {
        (i,): [["tt.divisibility", 16]] for i, name in enumerate(types) if name in pointers
    }
    lanes = 64 if backend == "hip" else 32
    made = triton.compile(
        ASTSource(kernel, types, constants, aligned),
        target=GPUTarget(backend, arch if backend == "hip" else int(arch[3:5]), lanes),
        options={"num_stages": problem.stages, "num_warps": problem.threads // lanes},
    )
    code = made.asm["hsaco"] if backend == "hip" else made.asm["ptx"].encode()
    return Program(
        by=NAME,
        target=target,
        code=code,
        entry=made.metadata.name,
        threads=lanes * made.metadata.num_warps,
        dynamic_shared=made.metadata.shared,
        arguments=by_name(*pointers, *numbers),
    )
