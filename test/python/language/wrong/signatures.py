"""Wrong parameters, annotations and arguments.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off
# ruff: noqa: F842  (declared for the sake of the error)

import tilewright.language as T

from . import wrong

M = 64


@wrong("the size n follows from no size of a parameter of this kernel", "n + 1")
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


@wrong("the size (n % 8) of A needs n, which no argument gives", "add a parameter n: n")
def size_expression():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n % 8,), "float32")):  # here
        with T.Kernel(1):
            A[0] = 0
    return kernel


@wrong("the stride (n * 2) of A needs n, which no argument gives", "add a parameter n: n")
def stride_expression():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.StridedTensor((4, 4), (n * 2, 1), "float32")):  # here
        with T.Kernel(1):
            A[0, 0] = 0
    return kernel


@wrong("T.StridedTensor: True is not a stride", "an expression of such")
def stride_that_is_a_condition():
    @T.prim_func
    def kernel(A: T.StridedTensor((4, 4), (True, 1), "float32")):  # here
        with T.Kernel(1):
            A[0, 0] = 0
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


@wrong("T.get_lane_idx: addresses threads", "T.Parallel")
def thread_level():
    @T.prim_func
    def kernel():
        with T.Kernel(1, threads=128):
            T.get_lane_idx()  # here
    return kernel


@wrong("the size n follows from no size of a parameter of this kernel", "2 * n")
def size_within_a_quotient():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n // 2,), "float32")):
        with T.Kernel(n):  # here
            A[0] = 1
    return kernel
