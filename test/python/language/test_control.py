"""Branches, loops, names, macros and compile-time Python.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from language.ir import of, operations
from tilewright import CompileError
from tilewright.compiler.lower import lower_prim_func

M = 64


def test_loops():
    @T.prim_func
    def kernel(A: T.Tensor((M, 8), "float32"), n: T.int32):
        with T.Kernel(1):
            for i in range(4):
                A[i, 0] = 0
            for i in T.serial(n, 8, 2):
                A[i, 1] = 0
            for i, j in T.grid(2, 3):
                A[i, j] = 0
            for k in T.Pipelined(T.ceildiv(n, 4), num_stages=3):
                A[k, 2] = 0
            for k in T.Pipelined(2, 6):
                A[k, 3] = 0
            for i in T.vectorized(8):
                A[0, i] = 0
            for i, j in T.Parallel(4, 8):
                A[i, j] = 0

    assert of(kernel, "scf.for", "tile.pipelined", "tile.parallel") == [
        "scf.for %i = 0 to 4 step 1 {",
        "scf.for %i_1 = %_ to 8 step 2 {",
        "scf.for %i_2 = 0 to 2 step 1 {",
        "scf.for %j = 0 to 3 step 1 {",
        "tile.pipelined %k = 0 to %_ step 1 stages(3) {",
        "tile.pipelined %k_1 = 2 to 6 step 1 stages(1) {",
        "scf.for %i_3 = 0 to 8 step 1 {",
        "tile.parallel (%i_4, %j_1) in (4, 8) {",
    ]


def test_parallel_in_parallel_is_a_loop():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((4, 8), "float32")
            for i in T.Parallel(4):
                for j in T.Parallel(8):
                    x[i, j] = 0

    assert of(kernel, "tile.parallel", "scf.for") == [
        "tile.parallel (%i) in (4) {",
        "scf.for %j = 0 to 8 step 1 {",
    ]


def test_unrolled_loops():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            numbers = [10, 20, 30]
            for i in T.unroll(3):
                A[i] = numbers[i]
            for i, x in enumerate((7, 8, 9)):
                if x == 8:
                    continue
                if i == 2:
                    break
                A[i] = x

    assert of(kernel, "tile.store") == [
        "tile.store 10, %A[0] : memref<64xi32, g>",
        "tile.store 20, %A[1] : memref<64xi32, g>",
        "tile.store 30, %A[2] : memref<64xi32, g>",
        "tile.store 7, %A[0] : memref<64xi32, g>",
    ]


def test_names_of_a_comprehension_are_its_own():
    @T.prim_func
    def kernel(C: T.Tensor((8,), "int32")):
        with T.Kernel(1):
            n = 5
            doubled = [n * 2 for n in range(3)]
            total = sum(n for n in range(4))
            for i in T.Parallel(8):
                C[i] = n + 10 * doubled[2] + 100 * total

    c = np.zeros(8, np.int32)
    tilewright.compile(kernel, target="cpu")(c)
    assert (c == 645).all()


def test_kernels_in_a_compile_time_loop():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        for size in (1, 2):
            with T.Kernel(size) as bx:
                A[bx] = size

    assert len(of(kernel, "tile.kernel")) == 2


def test_branches():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n: T.int32):
        with T.Kernel(1):
            if n > 3 and A[0] > 0:
                A[1] = 1
            elif n:
                A[1] = 2
            else:
                A[1] = 3
            if M == 64:
                A[2] = 1
            else:
                A[2] = undefined  # noqa: F821

    lines = operations(kernel)
    assert len([line for line in lines if line.startswith("scf.if")]) == 2
    assert len([line for line in lines if "-> (i1)" in line]) == 1
    assert of(kernel, "tile.store")[-1] == "tile.store 1.0, %A[2] : memref<64xf32, g>"


def test_a_conditional_expression_reads_only_what_it_chooses():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n: T.int32):
        with T.Kernel(1) as bx:
            tile = T.alloc_shared((M,), "float32")
            tile[0] = A[n] if n < 3 else 0
            tile[1] = T.if_then_else(n < 3, tile[n], 1)
            tile[2] = T.if_then_else(n < 3, n * 2, n)
            for i in T.Parallel(M):
                tile[i] = T.if_then_else(i < n, tile[i], -T.infinity("float32"))
                tile[i] = tile[i + 1] if i < M - 1 and n == 5 else bx

    assert len(of(kernel, "-> (f32)")) == 3
    assert len(of(kernel, "arith.select")) == 2


def test_many_conditions_are_joined_in_pairs(tmp_path):
    """A chain of n would be n operations deep, over which LLVM takes n^2."""
    terms = " and ".join(f"i != {j}" for j in range(500))
    text = (
        "import tilewright.language as T\n@T.prim_func\n"
        'def kernel(A: T.Tensor((512,), "float32"), n: T.int32):\n'
        "    with T.Kernel(1):\n        for i in T.Parallel(512):\n"
        f"            if {terms} and A[i] > 0 and n > 1 and n > i:\n"
        f"                A[i] = T.any_of({terms.replace(' and ', ', ')})\n"
    )
    file = tmp_path / "many.py"
    file.write_text(text)
    names: dict = {}
    exec(compile(text, str(file), "exec"), names)
    depth: dict[str, int] = {}
    joined = re.compile(r"(%\w+) = arith\.(andi|ori) (%\w+), (%\w+) : i1")
    for result, _, *operands in joined.findall(lower_prim_func(names["kernel"]).text):
        depth[result] = 1 + max(depth.get(operand, 0) for operand in operands)
    assert len(depth) == 499 + 2 + 499
    assert max(depth.values()) <= 10


def test_conditions_with_reads_among_them():
    @T.prim_func
    def kernel(A: T.Tensor((64,), "int32"), B: T.Tensor((64,), "int32")):
        with T.Kernel(1):
            for i in T.Parallel(64):
                some = i & 1 != 0 or i & 2 != 0 or A[i] > 40 or i & 4 != 0 or i & 8 != 0
                all = some and i < 60 and i != 33 and A[i] != 7 and i != 35 and i != 37
                B[i] = T.cast(all, "int32")

    a, b = np.arange(64, dtype=np.int32)[::-1].copy(), np.zeros(64, np.int32)
    tilewright.compile(kernel)(a, b)
    i = np.arange(64)
    some = (i & 15 != 0) | (a > 40)
    wanted = some & (i < 60) & (a != 7) & ~np.isin(i, (33, 35, 37))
    assert np.array_equal(b, wanted)


def test_while():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            i = T.alloc_var("int32", init=0)
            while i < 4 and A[i] > 0:
                i += 1
            while False:
                i = 5

    lines = of(kernel, "scf.while", "scf.condition", "scf.yield")
    assert lines[0] == "scf.while : () -> () {"
    assert [line for line in lines if "condition" in line] == ["scf.condition(%_)"]
    assert lines[-1] == "scf.yield"
    assert len(of(kernel, "scf.while")) == 1


def test_variables():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = T.alloc_var("float32")
            x = 1
            x += A[0]
            x[0] = x[0] * 2
            y = x
            x = 3
            A[0] = y
            A[1] = x

    assert of(kernel, "%x", "tile.store") == [
        '%x = tile.alloc "x" : memref<1xf32, l>',
        "memref.store 1.0, %x[0] : memref<1xf32, l>",
        "%x_1 = memref.load %x[0] : memref<1xf32, l>",
        "%_ = arith.addf %x_1, %_ : f32",
        "memref.store %_, %x[0] : memref<1xf32, l>",
        "%x_2 = memref.load %x[0] : memref<1xf32, l>",
        "%_ = arith.mulf %x_2, 2.0 : f32",
        "memref.store %_, %x[0] : memref<1xf32, l>",
        "%x_3 = memref.load %x[0] : memref<1xf32, l>",
        "memref.store 3.0, %x[0] : memref<1xf32, l>",
        "tile.store %x_3, %A[0] : memref<64xf32, g>",
        "%x_4 = memref.load %x[0] : memref<1xf32, l>",
        "tile.store %x_4, %A[1] : memref<64xf32, g>",
    ]


def test_a_let_may_be_bound_again_where_python_agrees():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = A[0]
            x = x + 1
            x += 2
            for i in T.serial(3):
                step = A[i]
                step = step * 2
                A[i] = step + x
            for i in T.serial(3):
                step = A[i]
                A[i] = step

    assert len(of(kernel, "arith.addf")) == 3


def test_parallel_rules_allow_what_is_right():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, 4), "float32")
            y = T.alloc_shared((M,), "float32")
            ids = T.alloc_shared((M,), "int32")
            for i, j in T.Parallel(M, 1):
                y[i] = x[i, j]
            for i, j in T.Parallel(M, 4):
                if j == 0:
                    y[i] = x[i, j]
            for i in T.Parallel(M):
                y[ids[i]] = 1
            for i in T.Parallel(M):
                part = T.alloc_var("float32", 0)
                for j in T.serial(4):
                    part += x[i, j]
                y[i] = part + y[i]
            for i in T.Parallel(M // 2):
                y[2 * i] = y[2 * i + 1]

    assert operations(kernel)


def test_macros():
    @T.macro
    def twice(value, *, offset=1):
        return value * 2 + offset

    @T.macro
    def accumulate(total: T.Ref, tile, count):
        for i in T.serial(count):
            total += twice(tile[i], offset=3)

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            total = T.alloc_var("float32", 0)
            accumulate(total, A, count=4)
            A[0] = total

    assert of(kernel, "arith.", "scf.for", "%total")[-8:] == [
        "scf.for %i = 0 to 4 step 1 {",
        "%total_1 = memref.load %total[0] : memref<1xf32, l>",
        "%_ = arith.mulf %_, 2.0 : f32",
        "%_ = arith.addf %_, 3.0 : f32",
        "%_ = arith.addf %total_1, %_ : f32",
        "memref.store %_, %total[0] : memref<1xf32, l>",
        "%total_2 = memref.load %total[0] : memref<1xf32, l>",
        "tile.store %total_2, %A[0] : memref<64xf32, g>",
    ]


@pytest.mark.parametrize(
    ("given", "what"), [("element", "an element of memory"), ("value", "a value")]
)
def test_a_reference_is_to_a_variable(given, what):
    """What the macro assigns to anything else would be lost."""

    @T.macro
    def step(total: T.Ref):
        total = total + 1

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = A[0] * 2
            if given == "value":
                step(x)
            else:
                step(A[0])

    with pytest.raises(CompileError, match=f"total is given {what}"):
        lower_prim_func(kernel)


def test_variables_made_in_a_tuple():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x, y = T.alloc_var("float32", 0), A[1]
            x = x + y
            A[0] = x

    assert of(kernel, "memref.store")[-1] == "memref.store %_, %var[0] : memref<1xf32, l>"


def test_macro_arguments_are_values():
    @T.macro
    def change(x):
        x = x + 1
        return x

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = T.alloc_var("float32", 0)
            A[0] = change(x)

    assert len(of(kernel, "memref.store")) == 1  # the first value alone


def test_helpers_on_scalars_and_at_compile_time():
    def widths(n):
        return [w for w in (8, 16, 32) if w <= n]

    def blend(a, b, weight=0.5):
        low = a * weight
        return low + b * (1 - weight)

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            best = max(widths(20))
            name = f"w{best:03d}"
            T.print(blend(A[0], A[1], weight=0.25), name)
            A[0] = sum([A[i] for i in range(3)])
            A[1] = best if isinstance(best, int) else 0

    lines = operations(kernel)
    assert any('tile.print "w016"' in line for line in lines)
    assert len([line for line in lines if "arith.addf" in line]) == 3


def test_the_closure_is_read_when_the_kernel_is_compiled():
    scale = 2

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = scale

    scale = 5
    assert of(kernel, "tile.store") == ["tile.store 5.0, %A[0] : memref<64xf32, g>"]


def test_kernels_share_no_names():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(2) as bx:
            x = A[bx]
            A[bx] = x
        with T.Kernel(2) as bx:
            A[bx] = x

    with pytest.raises(
        CompileError, match="x is not visible here: it was bound inside the ker"
    ):
        lower_prim_func(kernel)


def test_block_coordinates():
    @T.prim_func
    def kernel(A: T.Tensor((M, M, M), "float32")):
        with T.Kernel(1, 2, 3) as (x, y, z):
            A[x, y, z] = 0
        with T.Kernel(4) as b:
            A[b, 0, 0] = 0
        with T.Kernel(5):
            A[0, 0, 0] = 0
        with T.Kernel(2, 3) as block:
            A[block[0], block[1], 0] = 0

    assert of(kernel, "tile.kernel") == [
        "tile.kernel (%x, %y, %z) in (1, 2, 3) {",
        "tile.kernel (%b) in (4) {",
        "tile.kernel (%bx) in (5) {",
        "tile.kernel (%block, %by) in (2, 3) {",
    ]
