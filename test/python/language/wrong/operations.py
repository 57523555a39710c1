"""Wrong operations, types and annotations.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off
# ruff: noqa: F842  (declared for the sake of the error)

import tilewright.language as T

from . import wrong

M, N, K = 64, 32, 16


@wrong("T.gemm: A has K = 16 and B has K = 32", "transpose_B=True")
def gemm_inner():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((N, K), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: C is (64, 16) and the product is (64, 32)", "shapes agree")
def gemm_result():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, K), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm of float16 into int32", "float32")
def gemm_types():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "int32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm of int8 and uint8", "copying it into its tile")
def gemm_mixed():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "int8")
            b = T.alloc_shared((K, N), "uint8")
            c = T.alloc_fragment((M, N), "int32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: A is the global tensor A", "T.copy")
def gemm_global():
    @T.prim_func
    def kernel(A: T.Tensor((M, K), "float16")):
        with T.Kernel(1):
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(A, b, c)  # here
    return kernel


@wrong("T.gemm: B has 3 dimensions (2, 16, 32)", "X[i, :, :]")
def gemm_rank():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((2, K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: c is operand and result")
def gemm_in_place():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float32")
            c = T.alloc_shared((M, M), "float32")
            T.gemm(a, c, c)  # here
    return kernel


@wrong('T.gemm: precision="tf32" on float16 and float16', "leave precision out")
def gemm_tf32():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c, precision="tf32")  # here
    return kernel


@wrong("T.gemm: wg_wai is no parameter of it", "T.gemm(A, B, C")
def unknown_option():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float32")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c, wg_wai=1)  # here
    return kernel


@wrong("T.gemm lacks C", "T.gemm(A, B, C")
def missing_argument():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float32")
            T.gemm(a, a)  # here
    return kernel


@wrong("src is (64, 32), so along dim 1 dst is (64,), not (32,)", "allocate dst as (64,)")
def reduce_shape():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((N,), "float32")
            T.reduce_sum(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_max: src holds float32 and dst float16", "allocate dst as float32")
def reduce_types():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float16")
            T.reduce_max(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_sum: dim=2 of a tile with 2 dimensions")
def reduce_dim():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_sum(x, y, dim=2)  # here
    return kernel


@wrong("T.reduce_argmax: dst holds float32", "int32")
def reduce_positions():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_argmax(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_bitor of float32")
def reduce_bits():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_bitor(x, y, dim=1)  # here
    return kernel


@wrong("T.cumsum: src is float32 (64,) and dst is float32 (32,)", "allocate dst as src")
def cumsum_shape():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            y = T.alloc_shared((N,), "float32")
            T.cumsum(x, y)  # here
    return kernel


@wrong("T.topk: 40 of 32 elements")
def topk_count():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            values, places = T.topk(x, 40, dim=1)  # here
    return kernel


@wrong("T.sort: dim=2 of a tile with 1 dimension", "counts from the end")
def sort_dimension():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            T.sort(x, 2)  # here
    return kernel


@wrong("T.reduce: the combiner is 'sum'", "lambda a, b: a + b")
def reduce_by_name():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce(x, y, 1, "sum", 0)  # here
    return kernel


@wrong("T.reduce: the combiner does more than compute a scalar", "bind what it reads")
def combiner_that_reads():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce(x, y, 1, lambda a, b: a + b * x[0, 0], 0)  # here
    return kernel


@wrong("T.scan: the combiner makes float32 of two int32", "T.cast")
def combiner_of_another_type():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.scan(x, combiner=lambda a, b: a / b)  # here
    return kernel


@wrong("T.scan: exclusive without an identity", "identity=0")
def exclusive_scan():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.scan(x, combiner=T.max, exclusive=True)  # here
    return kernel


@wrong("T.cumsum: src and dst are parts of x that may overlap", "a tile of its own")
def scan_into_its_own_source():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.cumsum(x[0:9], x[1:10])  # here
    return kernel


@wrong("T.scatter: x is src and dst", "a tile of its own")
def scatter_into_its_source():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, x)  # here
    return kernel


@wrong("T.scatter on y, which is fragment memory", "update them in T.Parallel")
def scatter_into_a_fragment():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M, N), "float32")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, y)  # here
    return kernel


@wrong("T.scatter: 8 indices for", "an index for each row")
def scatter_with_too_few_indices():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            ids = T.alloc_shared((8,), "int32")
            T.scatter(x, ids, A)  # here
    return kernel


@wrong("T.scatter: atomic on bool", "an integer tensor")
def atomic_scatter_of_truth_values():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "bool")):
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "bool")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, A, atomic=True)  # here
    return kernel


@wrong("T.gather from bool to float32", "src[i] != 0")
def gather_of_truth_values():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "bool")):
        with T.Kernel(1):
            x = T.alloc_shared((8, N), "float32")
            ids = T.alloc_shared((8,), "int32")
            T.gather(A, ids, x)  # here
    return kernel


@wrong("T.get_thread_binding: addresses threads", "T.Parallel")
def thread_level():
    @T.prim_func
    def kernel():
        with T.Kernel(1, threads=128):
            T.get_thread_binding(0)  # here
    return kernel


@wrong("dtype int4 is not available", "pairs in a uint8 tensor")
def int4():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "int4")  # here
    return kernel


@wrong("the last size of A, 33, is odd", "even size")
def odd_pairs():
    @T.prim_func
    def kernel(A: T.Tensor((M, 33), "float4_e2m1fn")):  # here
        with T.Kernel(1):
            A[0, 0] = A[0, 1]
    return kernel


@wrong("A is a tensor of float4_e2m1fn with strides", "contiguous")
def strided_pairs():
    @T.prim_func
    def kernel(A: T.StridedTensor((M, 32), (64, 1), "float4_e2m1fn")):  # here
        with T.Kernel(1):
            A[0, 0] = A[0, 1]
    return kernel


@wrong("T.alloc_global of float4_e2m1fn", "float8_e4m3fn")
def workspace_of_pairs():
    @T.prim_func
    def kernel():
        T.alloc_global((M,), "float4_e2m1fn")  # here
    return kernel


@wrong("T.atomic_add on A, a tensor of float4_e2m1fn", "wider type")
def atomic_on_pairs():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float4_e2m1fn")):
        with T.Kernel(1):
            T.atomic_add(A[0], 1)  # here
    return kernel


@wrong("T.gemm of float8_e8m0fnu", "T.cast(scale")
def gemm_of_scales():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float8_e8m0fnu")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c)  # here
    return kernel


@wrong("the literal 0.0 has no value in float8_e8m0fnu")
def scale_of_zero():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e8m0fnu")
            T.fill(x, 0.0)  # here
    return kernel


@wrong("the literal nan has no value in float4_e2m1fn", "6.0")
def nan_in_pairs():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float4_e2m1fn")
            T.fill(x, float("nan"))  # here
    return kernel


@wrong("'float17' is not a dtype", "use one of")
def no_dtype():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "float17")  # here
    return kernel


@wrong("the literal 300 has no value in int8", "-128 to 127")
def literal_range():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int8")
            T.fill(x, 300)  # here
    return kernel


@wrong("the literal inf has no value in float8_e4m3fn", "T.max_value")
def literal_infinity():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e4m3fn")
            T.fill(x, float("inf"))  # here
    return kernel


@wrong("T.infinity: float8_e4m3fn has no infinity", "T.max_value")
def no_infinity():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e4m3fn")
            T.fill(x, -T.infinity("float8_e4m3fn"))  # here
    return kernel


@wrong("// by zero")
def division_by_zero():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            A[0] = A[1] // 0  # here
    return kernel


@wrong("<< on float32", "T.reinterpret")
def shift_of_float():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A[1] << 1  # here
    return kernel


@wrong("a shift by -1", "the other way")
def negative_shift():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            A[0] = A[1] >> -1  # here
    return kernel


@wrong("T.reinterpret: float32 has 32 bits and int16 has 16")
def reinterpret_width():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = T.reinterpret(A[0], "int16")  # here
            A[1] = x
    return kernel


@wrong("A is a whole tensor where a scalar is needed", "T.Parallel")
def whole_tensor():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A + 1  # here
    return kernel


@wrong("'a' meets a run-time value in an operator")
def string_operand():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A[1] + "a"  # here
    return kernel


@wrong("a run-time scalar has no attribute item", ".astype")
def unknown_attribute():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = A[0] + 1
            A[1] = x.item()  # here
    return kernel


@wrong("the operator @ in a kernel", "T.gemm")
def matmul_operator():
    @T.prim_func
    def kernel(A: T.Tensor((M, M), "float32")):
        with T.Kernel(1):
            A[0, 0] = A @ A  # here
    return kernel


@wrong("the size n is no size of a parameter of this kernel", "tensor's shape")
def unknown_size():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(T.ceildiv(n, 64)) as bx:  # here
            A[bx] = 0
    return kernel


@wrong('T.dynamic("n") is declared with two sets of facts', "once")
def two_facts():
    n, again = T.dynamic("n", multiple_of=4), T.dynamic("n", min=7)

    @T.prim_func
    def kernel(
        A: T.Tensor((n,), "float32"),
        B: T.Tensor((again,), "float32"),  # here
    ):
        with T.Kernel(1):
            A[0] = B[0]
    return kernel


@wrong("the parameter n of kernel has no type", "T.int32")
def bare_parameter():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n):  # here
        with T.Kernel(1):
            A[0] = n
    return kernel


@wrong("the parameter n is annotated with 'int33'", "T.int32")
def wrong_annotation():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n: "int33"):  # noqa: F821  # here
        with T.Kernel(1):
            A[0] = n
    return kernel


@wrong("the size (n + 1) of A needs n, which no argument gives", "add a parameter n: n")
def size_expression():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n + 1,), "float32")):  # here
        with T.Kernel(1):
            A[0] = 0
    return kernel


@wrong("T.Tensor: the size -4 is negative")
def negative_size():
    @T.prim_func
    def kernel(A: T.Tensor((-4,), "float32")):  # here
        with T.Kernel(1):
            A[0] = 0
    return kernel


@wrong("T.ptr: a bare pointer has no shape", "T.Tensor")
def pointer():
    @T.prim_func
    def kernel(A: T.ptr("float32")):  # here
        with T.Kernel(1):
            A[0] = 0
    return kernel


@wrong("the prim_func kernel returns a value", "out_idx=")
def returned_value():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = 0
        return A  # here
    return kernel


@wrong("the choice BN has no value outside a kernel", "tilewright.jit")
def choice_outside():
    BN = T.choose("BN", [64, 32])
    width = BN * 2  # here

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = width
    return kernel


@wrong("T.alloc_fragment takes 3 positional arguments and is given more", "its form is")
def taken_apart_into_too_many():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_fragment((M,), *"f32")  # here
    return kernel


@wrong("* of 3", "write the arguments out")
def no_tuple_taken_apart():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_fragment(*3)  # here
    return kernel


@wrong("T.gemm: transpose_B='yes'", "leave it out")
def gemm_flag():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c, transpose_B="yes")  # here
    return kernel


@wrong("the annotation of A: T.Tensor: the size -1 is negative", "0 or more")
def annotation_as_text():
    @T.prim_func
    def kernel(
        A: 'T.Tensor((-1,), "float32")',  # here
    ):
        with T.Kernel(1):
            A[0] = 1
    return kernel


@wrong("the annotation of A: T.Tensor((n * 1.5,), \"float32\") raises TypeError", "T.Tensor")
def annotation_that_raises():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(
        A: 'T.Tensor((n * 1.5,), "float32")',  # here
    ):
        with T.Kernel(n):
            A[0] = 1
    return kernel


@wrong("Ax is declared as a tensor and is no parameter", "did you mean A?")
def declaration_of_no_parameter():
    @T.prim_func
    def kernel(A: T.Tensor((8,), "float32")):
        Ax: T.Tensor((8,), "float32")  # here
        with T.Kernel(1):
            A[0] = 1
    return kernel
