"""What tile operations compute: each row of docs/semantics.md about whole tiles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.language.dtypes import parse
from tilewright.testing import gamma, numpy_dtype
from tilewright.testing.bounds import dot_bound

pytestmark = pytest.mark.every_device


def run(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


# -- reductions -------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": lambda x, axis: x.sum(axis, dtype=np.float64), "max": np.max, "min": np.min,
    "abssum": lambda x, axis: np.abs(x).sum(axis, dtype=np.float64),
    "absmax": lambda x, axis: np.abs(x).max(axis),
}  # fmt: skip


def reduction(name: str, shape: tuple, dtype: str, dim: int, result: str, clear: bool = True):
    reduce = getattr(T, f"reduce_{name}")
    out = (*shape[:dim], *shape[dim + 1 :]) or (1,)

    @T.prim_func
    def kernel(A: T.Tensor(shape, dtype), Out: T.Tensor(out, result)):
        with T.Kernel(1):
            x = T.alloc_fragment(shape, dtype)
            y = T.alloc_fragment(out, result)
            T.copy(A, x)
            T.copy(Out, y)
            reduce(x, y, dim=dim, clear=clear)
            T.copy(y, Out)

    return kernel, out


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((7,), 0), ((1, 1), 1), ((24, 100), 0), ((100, 24), 1), ((3, 5, 7), 1), ((48, 1), 0)],
)
def test_reductions(device, name, shape, dim):
    kernel, out = reduction(name, shape, "float32", dim, "float32")
    a = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    result = np.full(out, np.nan, np.float32)
    run(device, kernel, a, result)
    expected = np.reshape(REDUCTIONS[name](a, axis=dim), out)
    bound = gamma(shape[dim]) * np.reshape(np.abs(a).sum(dim), out) if "sum" in name else 0
    assert (np.abs(result - expected) <= bound).all()


@pytest.mark.parametrize("name", ["sum", "max", "min"])
def test_reductions_that_go_on(device, name):
    kernel, out = reduction(name, (4, 8), "int32", 1, "int32", clear=False)
    a = np.random.default_rng(2).integers(-50, 50, (4, 8)).astype(np.int32)
    result = np.array([100, -100, 0, 7], np.int32)
    whole = np.concatenate([a, result[:, None]], 1)
    run(device, kernel, a, result)
    assert np.array_equal(result, getattr(np, name)(whole, 1))


@pytest.mark.parametrize(
    ("src", "dst"), [("float16", "float32"), ("bfloat16", "float32"), ("int8", "int32")]
)
def test_reductions_into_a_wider_type(device, src, dst):
    @T.prim_func
    def kernel(A: T.Tensor((5, 300), src), B: T.Tensor((5,), dst), C: T.Tensor((5,), dst)):
        with T.Kernel(1):
            a = T.alloc_shared((5, 300), src)
            b = T.alloc_fragment((5,), dst)
            T.copy(A, a)
            T.reduce_sum(a, b, dim=1)
            T.copy(b, B)
            T.fill(b, 100)
            T.reduce_max(a, b, dim=1, clear=False)
            T.copy(b, C)

    rng = np.random.default_rng(0)
    a = rng.integers(80, 127, (5, 300)).astype(numpy_dtype(parse(src).short))
    b, c = np.zeros(5, dst), np.zeros(5, dst)
    run(device, kernel, a, b, c)
    assert np.array_equal(b, a.astype(np.float64).sum(1))
    assert np.array_equal(c, np.maximum(a.astype(np.float64).max(1), 100))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e5m2"])
@pytest.mark.parametrize("name", ["max", "min", "absmax"])
def test_extrema_propagate_nan_and_infinity(device, name, dtype):
    kernel, out = reduction(name, (4, 5), dtype, 1, dtype)
    a = np.zeros((4, 5), numpy_dtype(parse(dtype).short))
    a[0, 3], a[1], a[2, 1], a[3] = np.nan, -np.inf, np.inf, -1
    result = np.zeros(out, a.dtype)
    run(device, kernel, a, result)
    expected = REDUCTIONS[name](a.astype(np.float64), axis=1)
    assert np.array_equal(result.astype(np.float64), expected, equal_nan=True)


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e5m2", "float64"])
@pytest.mark.parametrize(
    ("name", "nothing"), [("max", -np.inf), ("min", np.inf), ("absmax", 0.0)]
)
def test_extrema_of_numbers(device, name, nothing, dtype, clear):
    """As if NaN were not there, wherever in a row and in however many places it is."""

    @T.prim_func
    def kernel(A: T.Tensor((6, 70), dtype), B: T.Tensor((6,), dtype)):
        with T.Kernel(1, threads=64):
            a = T.alloc_fragment((6, 70), dtype)
            b = T.alloc_fragment((6,), dtype)
            T.copy(A, a)
            T.copy(B, b)
            getattr(T, f"reduce_{name}")(a, b, dim=1, clear=clear, nan_propagate=False)
            T.copy(b, B)

    made = numpy_dtype(parse(dtype).short)
    rng = np.random.default_rng(1)
    a = rng.integers(-8, 9, (6, 70)).astype(made)
    a[0, ::2], a[1, 1:], a[2], a[3, :69], a[4, 5] = np.nan, np.nan, np.nan, np.nan, np.inf
    b = np.array([np.nan, 3, np.nan, 2, -4, 9], made)
    former = np.full(6, np.nan) if clear else b.astype(np.float64)
    run(device, kernel, a, b)
    rows = np.hstack([a.astype(np.float64), former[:, None]])
    if name == "absmax":
        rows[:, :-1] = np.abs(rows[:, :-1])
    extreme = np.min if name == "min" else np.max
    expected = [extreme([nothing, *row[~np.isnan(row)]]) for row in rows]
    assert np.array_equal(b.astype(np.float64), expected)


@pytest.mark.parametrize(
    ("name", "nan_propagate"), [("sum", False), ("argmax", False), ("max", "no"), ("min", None)]
)
def test_only_extrema_can_leave_nan_out(name, nan_propagate):
    @T.prim_func
    def kernel(A: T.Tensor((4, 5), "float32"), B: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            a = T.alloc_fragment((4, 5), "float32")
            b = T.alloc_fragment((4,), "float32")
            T.copy(A, a)
            getattr(T, f"reduce_{name}")(a, b, dim=1, nan_propagate=nan_propagate)
            T.copy(b, B)

    with pytest.raises(
        tilewright.CompileError, match=f"T.reduce_{name}: nan_propagate={nan_propagate!r}"
    ):
        tilewright.compile(kernel)


def test_sums_of_fp8_saturate(device):
    """The sum is converted as any float32: an infinity becomes the largest number."""
    kernel, out = reduction("sum", (3, 5), "float8_e5m2", 1, "float8_e5m2")
    a = np.full((3, 5), 57344, ml_dtypes.float8_e5m2)
    a[1, 2], a[2, 0] = -np.inf, np.nan
    result = np.zeros(out, a.dtype)
    run(device, kernel, a, result)
    expected = [57344, -57344, np.nan]
    assert np.array_equal(result.astype(np.float64), expected, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_of_narrow_floats_are_rounded_once(device, dtype):
    kernel, out = reduction("sum", (3, 500), dtype, 1, dtype)
    made = numpy_dtype(parse(dtype).short)
    a = np.ones((3, 500), made)
    a[1] = 0.25
    a[2, ::2] = -1
    result = np.zeros(out, made)
    run(device, kernel, a, result)
    assert np.array_equal(result, a.astype(np.float64).sum(1).astype(made))


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions_are_the_lowest_among_equals(device, name):
    kernel, out = reduction(name, (5, 9), "float32", 1, "int32")
    a = np.random.default_rng(3).integers(0, 4, (5, 9)).astype(np.float32)
    a[4] = 2
    result = np.zeros(out, np.int32)
    run(device, kernel, a, result)
    assert np.array_equal(result, getattr(np, name)(a, axis=1))


@pytest.mark.parametrize("name", ["any", "all", "bitand", "bitor", "bitxor"])
def test_logical_and_bitwise_reductions(device, name):
    logical = name in ("any", "all")
    dtype, result = ("bool", "bool") if logical else ("uint32", "uint32")
    kernel, out = reduction(name, (6, 11), dtype, 0, result)
    rng = np.random.default_rng(4)
    a = rng.random((6, 11)) < 0.7 if logical else rng.integers(0, 2**32, (6, 11), np.uint32)
    got = np.zeros(out, a.dtype)
    run(device, kernel, a, got)
    numpy = {
        "any": np.any, "all": np.all, "bitand": np.bitwise_and.reduce,
        "bitor": np.bitwise_or.reduce, "bitxor": np.bitwise_xor.reduce,
    }[name]  # fmt: skip
    assert np.array_equal(got, numpy(a, axis=0))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [((37,), 0), ((5, 24), 1), ((24, 5), 0)])
def test_cumsum(device, shape, dim, reverse):
    @T.prim_func
    def kernel(A: T.Tensor(shape, "int32"), Out: T.Tensor(shape, "int32")):
        with T.Kernel(1):
            x = T.alloc_shared(shape, "int32")
            T.copy(A, x)
            T.cumsum(x, dim=dim, reverse=reverse)
            T.copy(x, Out)

    a = np.random.default_rng(5).integers(-9, 9, shape).astype(np.int32)
    out = np.zeros(shape, np.int32)
    run(device, kernel, a, out)
    turned = np.flip(a, dim) if reverse else a
    expected = np.cumsum(turned, dim, dtype=np.int32)
    assert np.array_equal(out, np.flip(expected, dim) if reverse else expected)


@pytest.mark.parametrize("largest", [True, False])
def test_topk_is_stable(device, largest):
    @T.prim_func
    def kernel(
        A: T.Tensor((6, 50), "float32"),
        V: T.Tensor((6, 7), "float32"),
        I: T.Tensor((6, 7), "int32"),
    ):
        with T.Kernel(1):
            x = T.alloc_fragment((6, 50), "float32")
            T.copy(A, x)
            values, places = T.topk(x, 7, dim=1, largest=largest)
            T.copy(values, V)
            T.copy(places, I)

    a = np.random.default_rng(6).integers(0, 9, (6, 50)).astype(np.float32)
    a[5] = 3
    values, places = np.zeros((6, 7), np.float32), np.zeros((6, 7), np.int32)
    run(device, kernel, a, values, places)
    order = np.argsort(-a if largest else a, axis=1, kind="stable")[:, :7]
    assert np.array_equal(places, order)
    assert np.array_equal(values, np.take_along_axis(a, order, 1))


# -- gemm -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float16", "bfloat16", "float32"])
def test_gemm_of_integers_is_exact(device, dtype):
    accum = "int32" if "int" in dtype else "float32"

    @T.prim_func
    def kernel(
        A: T.Tensor((24, 40), dtype), B: T.Tensor((36, 40), dtype), C: T.Tensor((24, 36), accum)
    ):
        with T.Kernel(1):
            a = T.alloc_shared((24, 40), dtype)
            b = T.alloc_fragment((36, 40), dtype)
            c = T.alloc_fragment((24, 36), accum)
            T.copy(A, a)
            T.copy(B, b)
            T.gemm(a, b, c, transpose_B=True, clear_accum=True)
            T.gemm(a, b, c, transpose_B=True)
            T.copy(c, C)

    rng = np.random.default_rng(7)
    low, high = (0, 200) if dtype == "uint8" else (-100, 100) if dtype == "int8" else (-9, 9)
    made = numpy_dtype(parse(dtype).short)
    a, b = rng.integers(low, high, (24, 40)), rng.integers(low, high, (36, 40))
    c = np.zeros((24, 36), accum)
    run(device, kernel, a.astype(made), b.astype(made), c)
    assert np.array_equal(c, 2 * (a @ b.T))


def test_gemm_on_slices_of_shared_tiles(device):
    @T.prim_func
    def kernel(A: T.Tensor((16, 64), "float32"), C: T.Tensor((16, 16), "float32")):
        with T.Kernel(1):
            stages = T.alloc_shared((2, 16, 64), "float32")
            c = T.alloc_fragment((16, 16), "float32")
            for s in T.serial(2):
                T.copy(A, stages[s, :, :])
            T.clear(c)
            for s in T.serial(2):
                T.gemm(stages[s, :, 0:32], stages[1, :, 32:64], c, transpose_B=True)
            T.copy(c, C)

    a = np.random.default_rng(8).integers(-9, 9, (16, 64)).astype(np.float32)
    c = np.zeros((16, 16), np.float32)
    run(device, kernel, a, c)
    assert np.array_equal(c, 2 * a[:, :32] @ a[:, 32:].T)


def test_a_narrow_accumulator_is_rounded_when_it_is_read(device):
    @T.prim_func
    def kernel(A: T.Tensor((8, 32), "float16"), C: T.Tensor((8, 8), "float16")):
        with T.Kernel(1):
            a = T.alloc_shared((8, 32), "float16")
            c = T.alloc_fragment((8, 8), "float16")
            T.copy(A, a)
            T.clear(c)
            for _ in T.Pipelined(64, num_stages=2):
                T.gemm(a, a, c, transpose_B=True)
            T.copy(c, C)

    a = np.zeros((8, 32), np.float16)
    a[:, 0] = 1 + 2.0**-10
    c = np.zeros((8, 8), np.float16)
    run(device, kernel, a, c)
    # In f16 each of the 64 additions would round; in f32 only the last result does.
    exact = 64 * a[0, 0].astype(np.float64) ** 2
    assert np.all(c == np.float16(exact))


def test_tf32_is_within_its_bound(device):
    """Inputs may be rounded to 11 bits; the CPU multiplies them as they are."""
    M, N, K = 33, 40, 100

    @T.prim_func
    def kernel(
        A: T.Tensor((M, K), "float32"),
        B: T.Tensor((K, N), "float32"),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float32")
            b = T.alloc_shared((K, N), "float32")
            c = T.alloc_fragment((M, N), "float32")
            T.copy(A, a)
            T.copy(B, b)
            T.gemm(a, b, c, clear_accum=True, precision="tf32")
            T.copy(c, C)

    rng = np.random.default_rng(7)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in ((M, K), (K, N)))
    c = np.full((M, N), np.nan, np.float32)
    run(device, kernel, a, b, c)
    x, y = a.astype(np.float64), b.astype(np.float64)
    bound = dot_bound(x, y, x @ y, "f32")
    if device != "cpu":
        bound += (2.0**-10 + 2.0**-22) * (np.abs(x) @ np.abs(y))
    assert (np.abs(c - x @ y) <= bound).all()
