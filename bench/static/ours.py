"""The problems in Tilewright, and what its launch function starts.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# Postponed annotations are texts, and prim_func reads them: no `from __future__` here.
import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import problems
from problems import Problem
from program import Program

import tilewright
import tilewright.language as T
from tilewright.kernels.gemm import gemm_kernel
from tilewright.kernels.online_softmax import FLOOR, normalise
from tilewright.testing.gpu_code import device_code

NAME = "Tilewright"

_LIBRARY_STAGES = 3  # of its product


def gemm(problem: Problem, target: str):
    """The library's product; with other stages than it has, the same kernel."""
    n, k, dtype, transpose_b = problems.N, problems.K, problem.dtype, problem.transpose_b
    stages, threads = problem.stages, problem.threads
    if stages == _LIBRARY_STAGES:
        return gemm_kernel(
            n, k, dtype, dtype, False, transpose_b, problem.tile, target, threads=threads
        )
    m = T.dynamic("m")
    BM, BN, BK = problem.tile
    shape_b, tile_b = ((n, k), (BN, BK)) if transpose_b else ((k, n), (BK, BN))

    @T.prim_func
    def gemm(
        A: T.Tensor((m, k), dtype), B: T.Tensor(shape_b, dtype), C: T.Tensor((m, n), dtype)
    ):
        with T.Kernel(T.ceildiv(n, BN), T.ceildiv(m, BM), threads=threads) as (bx, by):
            a_tile = T.alloc_shared((BM, BK), dtype)
            b_tile = T.alloc_shared(tile_b, dtype)
            total = T.alloc_fragment((BM, BN), "f32")
            T.clear(total)
            for step in T.Pipelined(T.ceildiv(k, BK), num_stages=stages):
                T.copy(A[by * BM, step * BK], a_tile)
                if transpose_b:
                    T.copy(B[bx * BN, step * BK], b_tile)
                else:
                    T.copy(B[step * BK, bx * BN], b_tile)
                T.gemm(a_tile, b_tile, total, transpose_B=transpose_b)
            T.copy(total, C[by * BM, bx * BN])

    return tilewright.compile(gemm, target=target)


@T.macro
def absorb(score, prob, acc, peak, before, total, step_total, scale, M, N, D):
    """The step of the library's attention as the peers' text has it.

    They scale a score and take the peak off in one multiply-add, which leaves the weight of
    the largest score a bit beside 1. The library takes the difference first.
    """
    T.copy(peak, before)
    T.reduce_max(score, peak, dim=1, clear=False, nan_propagate=False)
    for i, j in T.Parallel(M, N):
        score[i, j] = T.exp2(T.fma(score[i, j], scale, -(peak[i] * scale)))
    T.reduce_sum(score, step_total, dim=1)
    T.copy(score, prob)
    for i in T.Parallel(M):
        before[i] = T.exp2((before[i] - peak[i]) * scale)
        total[i] = total[i] * before[i] + step_total[i]
    for i, j in T.Parallel(M, D):
        acc[i, j] *= before[i]


def attend(problem: Problem, target: str):
    """FlashAttention as peers are given it.

    The library's own kernel has masks for ragged lengths, and tiles that depend on the target.
    """
    heads = T.dynamic("heads")
    length, d, dtype = problems.LENGTH, problem.d, problem.dtype
    BM, BN = problem.tile
    stages, threads, scale = problem.stages, problem.threads, problem.scale_log2

    @T.prim_func
    def attend(
        Q: T.Tensor((heads, length, d), dtype),
        K: T.Tensor((heads, length, d), dtype),
        V: T.Tensor((heads, length, d), dtype),
        Out: T.Tensor((heads, length, d), dtype),
    ):
        with T.Kernel(T.ceildiv(length, BM), heads, threads=threads) as (bx, head):
            q_tile = T.alloc_shared((BM, d), dtype)
            k_tile = T.alloc_shared((BN, d), dtype)
            v_tile = T.alloc_shared((BN, d), dtype)
            prob = T.alloc_fragment((BM, BN), dtype)
            score = T.alloc_fragment((BM, BN), "f32")
            acc = T.alloc_fragment((BM, d), "f32")
            peak = T.alloc_fragment((BM,), "f32")
            before = T.alloc_fragment((BM,), "f32")
            total = T.alloc_fragment((BM,), "f32")
            step_total = T.alloc_fragment((BM,), "f32")
            T.copy(Q[head, bx * BM, 0], q_tile)
            T.clear(acc)
            T.clear(total)
            T.fill(peak, FLOOR)
            for step in T.Pipelined(T.ceildiv(length, BN), num_stages=stages):
                T.copy(K[head, step * BN, 0], k_tile)
                T.copy(V[head, step * BN, 0], v_tile)
                T.gemm(q_tile, k_tile, score, transpose_B=True, clear_accum=True)
                absorb(score, prob, acc, peak, before, total, step_total, scale, BM, BN, d)
                T.gemm(prob, v_tile, acc)
            normalise(acc, total, BM, d)
            T.copy(acc, Out[head, bx * BM, 0])

    return tilewright.compile(attend, target=target)


def compiled(problem: Problem, target: str) -> Program:
    """The PTX or the code object of a problem.

    Raises CompileError.
    """
    kernel = (gemm if problem.kind == "gemm" else attend)(problem, target)
    path = Path(kernel.path)
    [code] = device_code(path.read_bytes())
    shapes = problem.shapes()

    def arguments(given: Mapping[str, Any], about: Any) -> list[bytes]:
        arrays = [given[name] for name in shapes]
        words = [w for array in arrays for w in _words(array.address, array.shape)]
        block = started(path, words).parameters
        return [block[p.offset : p.offset + p.bytes] for p in about.parameters]

    # Any address will do to learn what is launched.
    grid = started(path, [w for shape in shapes.values() for w in _words(4096, shape)])
    return Program(
        by=NAME,
        target=target,
        code=code,
        entry=grid.entry,
        threads=grid.threads,
        dynamic_shared=grid.shared,
        arguments=arguments,
        flat=True,
    )


# ---- the launch function (docs/abi.md) -----------------------------------------------------


def _words(address: int, shape: tuple[int, ...]) -> list[int]:
    """A contiguous tensor as a launch function is given it: address, extents, strides."""
    strides = [1]
    for extent in reversed(shape[1:]):
        strides.insert(0, strides[0] * extent)
    return [address, *shape, *strides]


class _GridLaunch(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint64), ("entry", ctypes.c_char_p), ("grid", ctypes.c_uint32 * 3),
        ("block", ctypes.c_uint32 * 3), ("cluster", ctypes.c_uint32 * 3),
        ("shared_bytes", ctypes.c_uint32), ("stream", ctypes.c_void_p),
        ("parameters", ctypes.c_void_p), ("parameter_bytes", ctypes.c_uint64),
    )  # fmt: skip


_LAUNCH_GRID = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.POINTER(_GridLaunch))


class _Host(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint64), ("parallel_for", ctypes.c_void_p),
        ("workspace", ctypes.c_void_p), ("print", ctypes.c_void_p),
        ("fault", ctypes.c_void_p), ("launch_grid", _LAUNCH_GRID),
        ("checks", ctypes.c_void_p), ("messages", ctypes.c_void_p),
    )  # fmt: skip


class _Image(ctypes.Structure):
    _fields_ = (
        ("target", ctypes.c_char_p), ("launch", ctypes.c_void_p), ("data", ctypes.c_void_p),
        ("data_size", ctypes.c_uint64), ("features", ctypes.c_char_p),
    )  # fmt: skip


class _Artifact(ctypes.Structure):
    _fields_ = (
        ("size", ctypes.c_uint64), ("version", ctypes.c_uint64), ("name", ctypes.c_char_p),
        ("signature", ctypes.c_void_p), ("manifest", ctypes.c_char_p),
        ("image_count", ctypes.c_uint64), ("images", ctypes.POINTER(_Image)),
    )  # fmt: skip


class Started:
    """A grid that a launch function started."""

    def __init__(self, launch: _GridLaunch) -> None:
        self.entry = launch.entry.decode()
        self.threads = launch.block[0] * launch.block[1] * launch.block[2]
        self.shared = launch.shared_bytes
        self.parameters = ctypes.string_at(launch.parameters, launch.parameter_bytes)


def started(path: Path, words: list[int]) -> Started:
    """What the launch function of an artifact starts, with a host that only listens."""
    artifact = _Artifact.in_dll(ctypes.CDLL(str(path)), "tw_artifact")
    found: list[Started] = []

    def listen(_context: Any, launch: Any) -> int:
        found.append(Started(launch[0]))
        return 0

    host = _Host(size=ctypes.sizeof(_Host), launch_grid=_LAUNCH_GRID(listen))
    function = ctypes.CFUNCTYPE(
        ctypes.c_int32, ctypes.POINTER(_Host), ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64)
    )(artifact.images[0].launch)
    function(ctypes.byref(host), None, (ctypes.c_uint64 * len(words))(*words))
    [grid] = found
    return grid
