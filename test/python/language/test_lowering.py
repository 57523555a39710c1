"""Tile operations and memory, as the IR that the front end writes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import pytest

import tilewright.language as T
from language.ir import module_of, of, operations

M, N = 64, 32


def test_signature():
    n = T.dynamic("n", min=1, max=4096, multiple_of=8)
    stride = T.dynamic("stride")

    @T.prim_func
    def kernel(
        A: T.Tensor((n, 4), "bfloat16"),
        B: T.Tensor[(n,), T.uint8],
        S: T.StridedTensor((n, 4), (stride, None), "float32"),
        count: T.int32,
        flag: T.bool,
    ):
        with T.Kernel(1):
            B[0] = T.cast(A[0, 0], "uint8")
            S[0, 0] += 1

    text = module_of(kernel).text
    head = text[: text.index("\n")]
    assert (
        'symbols = [{name = "n", min = 1 : i64, max = 4096 : i64, multiple_of = 8 : i64}, '
        '{name = "stride", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}]'
    ) in head
    assert (
        '{kind = "tensor", name = "A", dtype = "bf16", dims = ["n", 4 : i64], '
        'strides = "contiguous", align = 2 : i64, read}'
    ) in head
    assert 'name = "B", dtype = "u8", dims = ["n"], strides = "contiguous"' in head
    assert 'strides = ["stride", "any"], align = 4 : i64, read, write}' in head
    assert '{kind = "scalar", name = "count", dtype = "i32"}' in head
    assert '{kind = "scalar", name = "flag", dtype = "bool"}' in head
    assert "%S: memref<?x4xf32, strided<[?, ?]>, #tile.space<global>>" in head
    assert "%flag: i1" in head


def test_a_scalar_parameter_may_be_a_size():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(count: n, A: T.Tensor((4,), "float32")):
        with T.Kernel(n):
            A[0] = 1

    assert '{kind = "scalar", name = "count", dtype = "i64", symbol = "n"}' in (
        module_of(kernel).text
    )
    assert "%_ = arith.index_cast %count : i64 to index" in operations(kernel)


def test_every_operation_has_a_location():
    @T.macro
    def inner(tile):
        T.clear(tile)

    @T.macro
    def outer(tile):
        inner(tile)

    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((4,), "float32")
            outer(tile)

    text = module_of(kernel).text
    for line in text.splitlines()[1:]:
        if not line.startswith("#loc") and not line.endswith("{"):
            assert re.search(r"loc\(#loc\d+\)$", line), line
    aliases = dict(re.findall(r"(#loc\d+) = loc\((.*)\)", text))
    fill = aliases[re.search(r"tile\.fill.* loc\((#loc\d+)\)", text).group(1)]
    inner_call = aliases[re.fullmatch(r"callsite\((#loc\d+) at (#loc\d+)\)", fill).group(2)]
    outer_call = aliases[
        re.fullmatch(r"callsite\((#loc\d+) at (#loc\d+)\)", inner_call).group(2)
    ]
    lines = [
        int(
            re.search(
                r":(\d+):", aliases[re.match(r"callsite\((#loc\d+)", loc).group(1)]
            ).group(1)
        )
        for loc in (fill, inner_call)
    ]
    with open(__file__) as file:
        source = file.read().splitlines()
    assert source[lines[0] - 1].strip() == "T.clear(tile)"
    assert source[lines[1] - 1].strip() == "inner(tile)"
    assert source[int(outer_call.split(":")[1]) - 1].strip() == "outer(tile)"


def test_constants_and_sizes_are_made_once_per_kernel():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(T.ceildiv(n, 64)) as bx:
            A[bx] = A[n - 64] + A[n - 64]
        with T.Kernel(n) as bx:
            A[bx] = n

    text = module_of(kernel).text
    first, second = text.split("tile.kernel")[1:]
    assert first.count("memref.dim") == second.count("memref.dim") == 1
    assert first.count("arith.constant 64 : index") == 1
    assert text.count("memref.dim") == 3


# -- copy, gather, fill ---------------------------------------------------------------------


def test_copy_forms():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n, 4, N), "float32"), B: T.Tensor((M, N), "float16"), i: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((M, N), "float32")
            row = T.alloc_fragment((N,), "float32")
            T.copy(A[i * 64, 2, 0], tile[0:1, :])
            T.copy(A[i, 1, 0], row)
            T.copy(A[i : i + M, 3, :], tile)
            T.copy(tile, B)
            T.copy(tile[8:16, :], B[0:8, 0:N])
            T.copy(row, A[i, 0, :])
            tile[0, :] = row
            B[:, :] = tile

    assert of(kernel, "tile.copy") == [
        "tile.copy %A[%_, 2, 0][1, 1, 32] to %tile[0, 0][1, 32] : "
        "memref<?x4x32xf32, g> to memref<64x32xf32, s>",
        "tile.copy %A[%_, 1, 0][1, 1, 32] to %row[0][32] : "
        "memref<?x4x32xf32, g> to memref<32xf32, f>",
        "tile.copy %A[%_, 3, 0][64, 1, 32] to %tile[0, 0][64, 32] : "
        "memref<?x4x32xf32, g> to memref<64x32xf32, s>",
        "tile.copy %tile[0, 0][64, 32] to %B[0, 0][64, 32] : "
        "memref<64x32xf32, s> to memref<64x32xf16, g>",
        "tile.copy %tile[8, 0][8, 32] to %B[0, 0][8, 32] : "
        "memref<64x32xf32, s> to memref<64x32xf16, g>",
        "tile.copy %row[0][32] to %A[%_, 0, 0][1, 1, 32] : "
        "memref<32xf32, f> to memref<?x4x32xf32, g>",
        "tile.copy %row[0][32] to %tile[0, 0][1, 32] : "
        "memref<32xf32, f> to memref<64x32xf32, s>",
        "tile.copy %tile[0, 0][64, 32] to %B[0, 0][64, 32] : "
        "memref<64x32xf32, s> to memref<64x32xf16, g>",
    ]


def test_open_slices_take_the_other_side():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n, N), "uint8")):
        with T.Kernel(1) as bx:
            tile = T.alloc_shared((16, N), "uint8")
            T.copy(A[bx * 16 :, :], tile)
            T.copy(tile, A)
            T.copy(A[0 : A.shape[0], :], tile)

    assert of(kernel, "tile.copy") == [
        "tile.copy %A[%_, 0][16, 32] to %tile[0, 0][16, 32] unsigned : "
        "memref<?x32xi8, g> to memref<16x32xi8, s>",
        "tile.copy %tile[0, 0][16, 32] to %A[0, 0][16, 32] unsigned : "
        "memref<16x32xi8, s> to memref<?x32xi8, g>",
        "tile.copy %A[0, 0][16, 32] to %tile[0, 0][16, 32] unsigned : "
        "memref<?x32xi8, g> to memref<16x32xi8, s>",
    ]


def test_regions_pass_through_macros():
    @T.macro
    def load(part, tile):
        T.copy(part, tile)
        tile[0] = part[1, 3]
        T.copy(part[0, 0:16], tile[0:16])

    @T.prim_func
    def kernel(A: T.Tensor((8, M, M), "float32")):
        with T.Kernel(8) as bx:
            tile = T.alloc_shared((2 * N,), "float32")
            load(A[bx, 4:6, N : N + N], tile) if False else None
            wide = T.alloc_shared((2, N), "float32")
            T.copy(A[bx, 4:6, N : N + N], wide)
            part = A[bx, 4:6, N : N + N]
            tile[0] = part[1, 3]
            T.copy(part[0, 0:16], tile[0:16])

    lines = of(kernel, "tile.copy", "tile.load")
    assert lines == [
        "tile.copy %A[%bx, 4, 32][1, 2, 32] to %wide[0, 0][2, 32] : "
        "memref<8x64x64xf32, g> to memref<2x32xf32, s>",
        "%_ = tile.load %A[%bx, 5, 35] : memref<8x64x64xf32, g>",
        "tile.copy %A[%bx, 4, 32][1, 1, 16] to %tile[0][16] : "
        "memref<8x64x64xf32, g> to memref<64xf32, s>",
    ]


def test_gather_forms():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(KV: T.Tensor((n, 2, 96), "bfloat16")):
        with T.Kernel(1):
            ids = T.alloc_shared((32,), "int32")
            tile = T.alloc_shared((16, 64), "bfloat16")
            both = T.alloc_shared((16, 2, 96), "float32")
            columns = T.alloc_shared((4, 16), "bfloat16")
            T.gather(KV[:, 1, 0:64], ids, tile)
            T.gather(KV[0, 1, 32], ids[16:32], tile[:, :], axis=1) if False else None
            T.gather(KV, ids[8], both, fill=-1)
            T.gather(KV[0:4, 0, :], ids, columns, axis=2)

    assert of(kernel, "tile.gather") == [
        "tile.gather %KV[0, 1, 0][16, 1, 64] axis 0 by %ids[0] to %tile[0, 0][16, 64] "
        "fill 0.0 : memref<?x2x96xbf16, g>, memref<32xi32, s> to memref<16x64xbf16, s>",
        "tile.gather %KV[0, 0, 0][16, 2, 96] axis 0 by %ids[8] to %both[0, 0, 0][16, 2, 96] "
        "fill -1.0 : memref<?x2x96xbf16, g>, memref<32xi32, s> to "
        "memref<16x2x96xf32, s>",
        "tile.gather %KV[0, 0, 0][4, 1, 16] axis 2 by %ids[0] to %columns[0, 0][4, 16] "
        "fill 0.0 : memref<?x2x96xbf16, g>, memref<32xi32, s> to memref<4x16xbf16, s>",
    ]


def test_fill_forms():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((4, 8), "bool")
            count = T.alloc_var("int32", 7)
            T.fill(tile, True)
            T.clear(tile[1:3, 2])
            T.fill(A, -T.infinity("float32"))
            T.clear(count)

    assert of(kernel, "tile.fill", "tile.parallel", "memref.store") == [
        "memref.store 7, %count[0] : memref<1xi32, l>",
        "tile.fill %tile, %_ : memref<4x8xi8, s>",
        "tile.parallel (%e) in (2) {",
        "memref.store %_, %tile[%_, 2] : memref<4x8xi8, s>",
        "tile.fill %A, 0xFF800000 : memref<64xf32, g>",
        "memref.store 0, %count[0] : memref<1xi32, l>",
    ]


# -- gemm, reductions, scans ------------------------------------------------------------------


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_gemm(transpose_a, transpose_b):
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((N, M) if transpose_a else (M, N), "int8")
            b = T.alloc_fragment((16, N) if transpose_b else (N, 16), "int8")
            c = T.alloc_fragment((M, 16), "int32")
            T.gemm(a, b, c, transpose_a, transpose_b, clear_accum=transpose_a)

    (line,) = of(kernel, "tile.gemm")
    flags = " transpose_a clear" * transpose_a
    flags = " transpose_a" * transpose_a + " transpose_b" * transpose_b + " clear" * transpose_a
    assert line.startswith(f"tile.gemm %a, %b into %c{flags} : memref<")


def test_gemm_that_clears_at_run_time():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "float32")
            c = T.alloc_fragment((16, 16), "float32")
            for step in T.Pipelined(4, num_stages=2):
                T.gemm(a, a, c, clear_accum=step == 0)

    assert of(kernel, "scf.if", "tile.fill", "tile.gemm", "cmpi") == [
        "%_ = arith.cmpi eq, %step, 0 : index",
        "scf.if %_ {",
        "tile.fill %c, 0.0 : memref<16x16xf32, f>",
        "tile.gemm %a, %a into %c : memref<16x16xf32, s>, memref<16x16xf32, s> into "
        "memref<16x16xf32, f>",
    ]


def test_gemm_on_slices_and_hints():
    @T.prim_func
    def kernel():
        with T.Kernel(2) as bx:
            a = T.alloc_shared((3, M, N), "float32")
            b = T.alloc_shared((N, M), "float32")
            c = T.alloc_fragment((M, 16), "float32")
            T.gemm(a[bx, :, :], b[:, 16:32], c, precision="tf32")
            T.gemm(a[1, :, :], b[:, 16:32], c, policy=T.GemmWarpPolicy.FullRow, k_pack=2)

    assert of(kernel, "subview", "tile.gemm") == [
        "%a_part = memref.subview %a[%bx, 0, 0] [1, 64, 32] [1, 1, 1] : memref<3x64x32xf32, s> "
        "to memref<64x32xf32, strided<[32, 1], offset: ?>, s>",
        "%b_part = memref.subview %b[0, 16] [32, 16] [1, 1] : memref<32x64xf32, s> to "
        "memref<32x16xf32, strided<[64, 1], offset: 16>, s>",
        "tile.gemm %a_part, %b_part into %c precision tf32 : "
        "memref<64x32xf32, strided<[32, 1], offset: ?>, s>, "
        "memref<32x16xf32, strided<[64, 1], offset: 16>, s> into memref<64x16xf32, f>",
        "%a_part_1 = memref.subview %a[1, 0, 0] [1, 64, 32] [1, 1, 1] : "
        "memref<3x64x32xf32, s> to memref<64x32xf32, strided<[32, 1], offset: 2048>, s>",
        "%b_part_1 = memref.subview %b[0, 16] [32, 16] [1, 1] : memref<32x64xf32, s> to "
        "memref<32x16xf32, strided<[64, 1], offset: 16>, s>",
        'tile.gemm %a_part_1, %b_part_1 into %c policy "full_row" : '
        "memref<64x32xf32, strided<[32, 1], offset: 2048>, s>, "
        "memref<32x16xf32, strided<[64, 1], offset: 16>, s> into memref<64x16xf32, f>",
    ]


@pytest.mark.parametrize(
    ("name", "dtype", "result"),
    [
        ("sum", "float16", "float16"), ("max", "float32", "float32"), ("min", "uint8", "uint8"),
        ("abssum", "int32", "int32"), ("absmax", "float32", "float32"), ("any", "bool", "bool"),
        ("all", "float32", "bool"), ("bitand", "int32", "int32"), ("bitor", "uint32", "uint32"),
        ("bitxor", "int64", "int64"), ("argmax", "float32", "int32"),
        ("argmin", "bfloat16", "int64"),
    ],
)  # fmt: skip
def test_reduce(name, dtype, result):
    reduce = getattr(T, f"reduce_{name}")

    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((4, 8, 16), dtype)
            y = T.alloc_fragment((4, 16), result)
            kept = T.alloc_fragment((4, 8, 1), result)
            reduce(x, y, dim=1)
            reduce(x, kept, dim=-1, clear=name in ("argmax", "argmin"))

    first, second = of(kernel, "tile.reduce")
    unsigned = " unsigned" * dtype.startswith("u")
    keep = "" if name.startswith("arg") else " accumulate"
    assert first.startswith(f"tile.reduce {name} %x into %y dim 1{unsigned} : ")
    assert second.startswith(f"tile.reduce {name} %x into %kept dim 2{keep}{unsigned} : ")


def test_reduce_of_a_vector_and_of_a_slice():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((4, 8), "float32")
            one = T.alloc_fragment((1,), "float32")
            T.reduce_sum(x[2, :], one)

    assert of(kernel, "tile.reduce") == [
        "tile.reduce sum %x_part into %one dim 0 : "
        "memref<8xf32, strided<[1], offset: 16>, s> into memref<1xf32, f>"
    ]


def test_scan_and_topk():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((4, 64), "float32")
            y = T.alloc_fragment((4, 64), "float32")
            T.cumsum(x, y, dim=1)
            T.cumsum(x, dim=0, reverse=True)
            values, places = T.topk(y, 6)
            few, where = T.topk(y, k=2, dim=0, largest=False)
            values[0, 0] = few[1, 3] + places[0, 0] + where[0, 0]

    lines = of(kernel, "tile.scan", "tile.topk")
    assert lines[0].startswith("tile.scan sum %x into %y dim 1 : ")
    assert lines[1].startswith("tile.scan sum %x into %x dim 0 reverse : ")
    assert lines[2] == (
        "tile.topk %y into %topk_values, %topk_indices dim 1 : memref<4x64xf32, f> into "
        "memref<4x6xf32, f>, memref<4x6xi32, f>"
    )
    assert lines[3].startswith(
        "tile.topk %y into %topk_values_1, %topk_indices_1 dim 0 smallest"
    )


# -- atomics, workspaces, diagnostics ---------------------------------------------------------


def test_atomics():
    @T.prim_func
    def kernel(C: T.Tensor((M, N), "float32"), H: T.Tensor((256,), "uint32")):
        with T.Kernel(2) as bx:
            tile = T.alloc_shared((16, N), "float32")
            x = T.alloc_var("float32", 1)
            T.atomic_add(C[bx, 0], x)
            T.atomic_add(C[bx * 16, 0], tile)
            old = T.atomic_max(H[bx], 3, return_prev=True)
            T.atomic_or(H[0], old)
            T.atomic_min(C[0, 0], tile[0, 0], "relaxed")
            for i, j in T.Parallel(16, N):
                T.atomic_add(C[0, j], tile[i, j])

    assert of(kernel, "tile.atomic", "tile.parallel") == [
        "%_ = tile.atomic sum %x_1, %C[%bx, 0] : memref<64x32xf32, g>",
        "tile.parallel (%e, %e_1) in (16, 32) {",
        "%_ = tile.atomic sum %_, %C[%_, %e_1] : memref<64x32xf32, g>",
        "%_ = tile.atomic max 3, %H[%bx] unsigned : memref<256xi32, g>",
        "%_ = tile.atomic bitor %_, %H[0] unsigned : memref<256xi32, g>",
        "%_ = tile.atomic min %_, %C[0, 0] : memref<64x32xf32, g>",
        "tile.parallel (%i, %j) in (16, 32) {",
        "%_ = tile.atomic sum %_, %C[0, %j] : memref<64x32xf32, g>",
    ]


def test_workspace():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        parts = T.ceildiv(n, 64)
        W = T.alloc_global((n, parts, 4), "float32")
        with T.Kernel(n) as bx:
            W[bx, W.shape[1] - 1, 0] = A[bx]

    lines = operations(kernel)
    assert '%W = tile.workspace "W" (%n, %_) : memref<?x?x4xf32, g>' in lines
    assert "tile.store %_, %W[%bx, %_, 0] : memref<?x?x4xf32, g>" in lines


def test_diagnostics(capsys):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "uint8")):
        with T.Kernel(1):
            tile = T.alloc_shared((2, 3), "float32")
            T.print(A[0], msg='say "x"\n')
            T.print("only text")
            T.print(tile)
            T.device_assert(A[1] > 0, "positive")
            T.assume(A[2] == 3)
            T.static_print("compiling", 1 + 1)
            T.static_assert(True)

    assert of(kernel, "tile.print", "tile.assert", "tile.assume") == [
        'tile.print "say \\22x\\22\\0A" %_ : i8 unsigned',
        'tile.print "only text"',
        'tile.print "tile" %_ : f32',
        'tile.assert %_, "positive"',
        "tile.assume %_",
    ]
    assert capsys.readouterr().out == "compiling 2\n"


def test_hints_are_accepted():
    import tilewright

    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1, threads=(32, 2)):
            tile = T.alloc_shared((4,), "float32", scope="shared.dyn")
            T.use_swizzle(10)
            T.annotate_layout({tile: tilewright.layout.make_swizzled_layout(tile)})
            T.copy(A, tile, coalesced_width=4)

    assert of(kernel, "tile.kernel") == ["tile.kernel (%bx) in (1) threads(64) {"]
