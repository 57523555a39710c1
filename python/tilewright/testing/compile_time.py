"""How the size of code and the time to compile grow with tiles and with the kernel's length.

A tile's extents are data of the compiled loops, never a reason to write out more code: a
256 x 256 fragment costs about the operations of a 64 x 64 one, and a kernel twice as long
costs twice as much. `GROWTH` holds kernels by what is varied.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import re
import statistics
import time
from collections.abc import Callable, Iterator

import tilewright.language as T
from tilewright.compiler.driver import options_for
from tilewright.compiler.lower import lower_prim_func
from tilewright.language.prim_func import PrimFunc

_N = 1024
_SIZES = (16, 64, 100, 256)


def gemm(size: int) -> PrimFunc:
    """A product with an epilogue; the accumulator is size x size."""

    @T.prim_func
    def kernel(
        A: T.Tensor((_N, _N), "float32"),
        B: T.Tensor((_N, _N), "float32"),
        C: T.Tensor((_N, _N), "float32"),
    ):
        with T.Kernel(T.ceildiv(_N, size), T.ceildiv(_N, size)) as (bx, by):
            a = T.alloc_shared((size, 32), "float32")
            b = T.alloc_shared((32, size), "float32")
            c = T.alloc_fragment((size, size), "float32")
            T.clear(c)
            for k in T.Pipelined(_N // 32, num_stages=2):
                T.copy(A[by * size, k * 32], a)
                T.copy(B[k * 32, bx * size], b)
                T.gemm(a, b, c)
            for i, j in T.Parallel(size, size):
                c[i, j] = T.max(c[i, j], 0) * T.sigmoid(c[i, j])
            T.copy(c, C[by * size, bx * size])

    return kernel


def rows(size: int) -> PrimFunc:
    """Reductions along both dimensions, a running sum, elementwise code; size x size."""

    @T.prim_func
    def kernel(X: T.Tensor((_N, _N), "float32"), Y: T.Tensor((_N, _N), "float32")):
        with T.Kernel(T.ceildiv(_N, size)) as block:
            x = T.alloc_fragment((size, size), "float32")
            largest = T.alloc_fragment((size,), "float32")
            total = T.alloc_fragment((size,), "float32")
            T.copy(X[block * size, 0], x)
            T.reduce_max(x, largest, dim=1)
            for i, j in T.Parallel(size, size):
                x[i, j] = T.exp(x[i, j] - largest[i])
            T.reduce_sum(x, total, dim=0)
            T.cumsum(x, dim=1)
            for i, j in T.Parallel(size, size):
                x[i, j] = x[i, j] / total[j]
            T.copy(x, Y[block * size, 0])

    return kernel


def attention(size: int) -> PrimFunc:
    """One step of attention: two products that share a fragment; size queries and keys."""

    @T.prim_func
    def kernel(
        Q: T.Tensor((_N, 64), "bfloat16"),
        K: T.Tensor((_N, 64), "bfloat16"),
        Out: T.Tensor((_N, 64), "bfloat16"),
    ):
        with T.Kernel(T.ceildiv(_N, size)) as block:
            q = T.alloc_shared((size, 64), "bfloat16")
            k = T.alloc_shared((size, 64), "bfloat16")
            weights = T.alloc_shared((size, size), "bfloat16")
            score = T.alloc_fragment((size, size), "float32")
            largest = T.alloc_fragment((size,), "float32")
            out = T.alloc_fragment((size, 64), "float32")
            T.copy(Q[block * size, 0], q)
            T.clear(out)
            T.fill(largest, -1e30)
            for step in T.Pipelined(T.ceildiv(_N, size), num_stages=2):
                T.copy(K[step * size, 0], k)
                T.gemm(q, k, score, transpose_B=True, clear_accum=True)
                T.reduce_max(score, largest, dim=1, clear=False)
                for i, j in T.Parallel(size, size):
                    score[i, j] = T.exp2(score[i, j] - largest[i])
                T.copy(score, weights)
                T.gemm(weights, k, out)
            T.copy(out, Out[block * size, 0])

    return kernel


def statements(count: int) -> PrimFunc:
    """So many elementwise statements and copies, one after the other."""

    @T.prim_func
    def kernel(X: T.Tensor((_N, 64), "float32"), Y: T.Tensor((_N, 64), "float32")):
        with T.Kernel(_N // 64) as block:
            x = T.alloc_fragment((64, 64), "float32")
            y = T.alloc_fragment((64, 64), "float32")
            T.copy(X[block * 64, 0], x)
            for step in T.unroll(count // 2):
                for i, j in T.Parallel(64, 64):
                    y[i, j] = T.exp(x[i, j]) * (step + 0.5)
                T.copy(y, x)
            T.copy(x, Y[block * 64, 0])

    return kernel


GROWTH: dict[str, tuple[Callable[[int], PrimFunc], tuple[int, ...]]] = {
    "gemm": (gemm, _SIZES),
    "rows": (rows, _SIZES),
    "attention": (attention, _SIZES),
    "statements": (statements, (10, 40, 160, 640)),
}


@dataclasses.dataclass(frozen=True)
class Compiled:
    """What one kernel became: `tile` counts operations as written, `machine` LLVM's."""

    kernel: str
    size: int
    tile: int
    machine: int
    seconds: float


def measure(name: str, size: int, target: str = "cpu", repeat: int = 3) -> Compiled:
    """Compile a kernel of `GROWTH`, past every cache; `seconds` is the median.

    It is the processor's time, from the Python function to an object file.
    """
    from tilewright import _compiler

    options = options_for(target, None)
    times = []
    for _ in range(repeat):
        begin = time.process_time()
        module = lower_prim_func(GROWTH[name][0](size), None)
        result = _compiler.compile(module.text, options | {"emit": ["obj"]})
        times.append(time.process_time() - begin)
        if not result["ok"]:
            said = result["diagnostics"][0]["message"].partition("\n")[0]
            raise RuntimeError(f"{name} of {size} does not compile: {said}")
    code = _compiler.compile(module.text, options | {"emit": ["llvm"]})["llvm"]
    return Compiled(
        name, size, _operations(module.text), _instructions(code), statistics.median(times)
    )


def growth(target: str = "cpu", repeat: int = 3) -> Iterator[Compiled]:
    """Every kernel of `GROWTH` at every size."""
    for name, (_, sizes) in GROWTH.items():
        for size in sizes:
            yield measure(name, size, target, repeat)


def _operations(module: str) -> int:
    """Operations of a module in MLIR's text, one to a line."""
    return len(re.findall(r"^\s+(?:%[^=]*= )?\w+\.\w+", module, re.MULTILINE))


def _instructions(module: str) -> int:
    """Instructions of a module in LLVM's text: lines indented by two, in functions alone."""
    bodies = re.findall(r"^define .*?^}", module, re.MULTILINE | re.DOTALL)
    return sum(len(re.findall(r"^  \S", body, re.MULTILINE)) for body in bodies)
