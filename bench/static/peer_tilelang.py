"""The problems in TileLang, and how it and nvcc compile them without a GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# Postponed annotations are texts, and prim_func reads them: no `from __future__` here.
import re
import subprocess
import tempfile
from pathlib import Path

import problems
import tilelang
import tilelang.language as T
import tools
from problems import Problem
from program import FigureError, Program, by_name
from tvm.target import Target

NAME = "TileLang"
DTYPES = {"bf16": "bfloat16", "f16": "float16"}


def gemm(problem: Problem):
    """C = A op(B); rows past m are neither read nor written."""
    m = T.dynamic("m")
    n, k, dtype, transpose_b = (
        problems.N,
        problems.K,
        DTYPES[problem.dtype],
        problem.transpose_b,
    )
    BM, BN, BK = problem.tile
    shape_b, tile_b = ((n, k), (BN, BK)) if transpose_b else ((k, n), (BK, BN))

    @T.prim_func
    def gemm(
        A: T.Tensor((m, k), dtype), B: T.Tensor(shape_b, dtype), C: T.Tensor((m, n), dtype)
    ):
        with T.Kernel(n // BN, T.ceildiv(m, BM), threads=problem.threads) as (bx, by):
            a_tile = T.alloc_shared((BM, BK), dtype)
            b_tile = T.alloc_shared(tile_b, dtype)
            total = T.alloc_fragment((BM, BN), "float32")
            T.clear(total)
            for step in T.Pipelined(k // BK, num_stages=problem.stages):
                T.copy(A[by * BM, step * BK], a_tile)
                if transpose_b:
                    T.copy(B[bx * BN, step * BK], b_tile)
                else:
                    T.copy(B[step * BK, bx * BN], b_tile)
                T.gemm(a_tile, b_tile, total, transpose_B=transpose_b)
            T.copy(total, C[by * BM, bx * BN])

    return gemm


def attend(problem: Problem):
    """FlashAttention of a head's BM queries."""
    heads = T.dynamic("heads")
    length, d, dtype, scale = (
        problems.LENGTH,
        problem.d,
        DTYPES[problem.dtype],
        problem.scale_log2,
    )
    BM, BN = problem.tile
    shape = (heads, length, d)

    @T.prim_func
    def attend(
        Q: T.Tensor(shape, dtype),
        K: T.Tensor(shape, dtype),
        V: T.Tensor(shape, dtype),
        Out: T.Tensor(shape, dtype),
    ):
        with T.Kernel(length // BM, heads, threads=problem.threads) as (bx, head):
            q = T.alloc_shared((BM, d), dtype)
            k = T.alloc_shared((BN, d), dtype)
            v = T.alloc_shared((BN, d), dtype)
            score = T.alloc_fragment((BM, BN), "float32")
            prob = T.alloc_fragment((BM, BN), dtype)
            total = T.alloc_fragment((BM, d), "float32")
            peak = T.alloc_fragment((BM,), "float32")
            before = T.alloc_fragment((BM,), "float32")
            weight = T.alloc_fragment((BM,), "float32")
            step_weight = T.alloc_fragment((BM,), "float32")
            T.copy(Q[head, bx * BM, 0], q)
            T.clear(total)
            T.clear(weight)
            T.fill(peak, -1.0e30)
            for step in T.Pipelined(length // BN, num_stages=problem.stages):
                T.copy(K[head, step * BN, 0], k)
                T.copy(V[head, step * BN, 0], v)
                T.clear(score)
                # Each warp has whole rows, so that row sums stay in it.
                T.gemm(q, k, score, transpose_B=True, policy=T.GemmWarpPolicy.FullRow)
                T.copy(peak, before)
                T.reduce_max(score, peak, dim=1, clear=False)
                for i in T.Parallel(BM):
                    before[i] = T.exp2((before[i] - peak[i]) * scale)
                for i, j in T.Parallel(BM, BN):
                    score[i, j] = T.exp2(score[i, j] * scale - peak[i] * scale)
                T.reduce_sum(score, step_weight, dim=1)
                for i in T.Parallel(BM):
                    weight[i] = weight[i] * before[i] + step_weight[i]
                T.copy(score, prob)
                for i, j in T.Parallel(BM, d):
                    total[i, j] *= before[i]
                T.gemm(prob, v, total, policy=T.GemmWarpPolicy.FullRow)
            for i, j in T.Parallel(BM, d):
                total[i, j] /= weight[i]
            T.copy(total, Out[head, bx * BM, 0])

    return attend


def compiled(problem: Problem, target: str) -> Program:
    """The PTX of a problem."""
    arch = target.removeprefix("cuda:")
    cuda = Target({"kind": "cuda", "arch": arch})
    source = gemm(problem) if problem.kind == "gemm" else attend(problem)
    with cuda:
        made = tilelang.lower(source, target=cuda, enable_device_compile=False)
    entry, arguments = _entry(made.kernel_source)
    # Its host code passes the block and the dynamic shared memory last.
    [call] = re.findall(rf'call_packed\("{entry}", (.*)\)', str(made.host_mod))
    shared = int(call.rpartition(",")[2]) if "extern __shared__" in made.kernel_source else 0
    return Program(
        by=NAME,
        target=target,
        code=_ptx(made.kernel_source, arch),
        entry=entry,
        threads=problem.threads,
        dynamic_shared=shared,
        arguments=by_name(*arguments),
    )


def _entry(source: str) -> tuple[str, tuple[str, ...]]:
    """The kernel's name and the names of its parameters."""
    [(name, parameters)] = re.findall(r"(\w+_kernel)\(([^)]*)\) \{", source)
    return name, tuple(re.findall(r"(\w+)(?:,|$)", parameters))


def _ptx(source: str, arch: str) -> bytes:
    """What nvcc makes of CUDA C++ with the headers of TileLang's wheel."""
    package = Path(tilelang.__file__).parent
    include = (package / "src", package / "3rdparty" / "cutlass" / "include")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kernel.cu")
        file.write_text(source)
        command = [
            tools.nvcc(), "-ptx", f"-arch={arch}", "-std=c++17", "--expt-relaxed-constexpr",
            "-w", *(f"-I{at}" for at in include), str(file), "-o", f"{folder}/kernel.ptx",
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise FigureError(f"nvcc: {run.stderr.strip()}")
        return Path(folder, "kernel.ptx").read_bytes()
