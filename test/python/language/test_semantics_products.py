# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""T.gemm on every pair of element types, in every orientation, by each GPU's instructions."""

import itertools

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.language.dtypes import parse
from tilewright.testing import numpy_dtype

#: One GPU for each set of instructions: mma.sync; MFMA without fp8, with the early formats
#: of bytes, with the later ones and twice the depth.
DEVICES = ["cpu", "cuda-emulator:sm_80", "hip-emulator:gfx90a", "hip-emulator:gfx942",
           "hip-emulator:gfx950"]  # fmt: skip

PAIRS = [
    ("float8_e4m3fn", "float8_e4m3fn"), ("float8_e5m2", "float8_e5m2"),
    ("float8_e4m3fn", "float8_e5m2"), ("float8_e4m3fnuz", "float8_e4m3fnuz"),
    ("float8_e5m2fnuz", "float8_e5m2fnuz"), ("float8_e4m3fn", "float16"),
    ("bfloat16", "float8_e5m2"), ("float16", "bfloat16"), ("bfloat16", "bfloat16"),
    ("float32", "float16"), ("float64", "float64"), ("int8", "int8"), ("uint8", "uint8"),
]  # fmt: skip


def _accumulator(dtype: str) -> str:
    return "int32" if "int" in dtype else "float64" if dtype == "float64" else "float32"


def _product(m, n, k, types, across=(False, False), spaces=("shared", "shared")):
    """C = A B, with A^T or B^T in memory where `across` says so."""
    alloc = {"shared": T.alloc_shared, "fragment": T.alloc_fragment}
    alloc_a, alloc_b = (alloc[space] for space in spaces)
    of_a = (k, m) if across[0] else (m, k)
    of_b = (n, k) if across[1] else (k, n)
    transpose_a, transpose_b = across
    type_a, type_b = types
    accum = _accumulator(type_a)

    @T.prim_func
    def kernel(
        A: T.Tensor(of_a, type_a), B: T.Tensor(of_b, type_b), C: T.Tensor((m, n), accum)
    ):
        with T.Kernel(1, threads=128):
            a = alloc_a(of_a, type_a)
            b = alloc_b(of_b, type_b)
            c = T.alloc_fragment((m, n), accum)
            T.copy(A, a)
            T.copy(B, b)
            T.gemm(a, b, c, transpose_A=transpose_a, transpose_B=transpose_b, clear_accum=True)
            T.copy(c, C)

    return kernel


def _of(values: np.ndarray, dtype: str) -> np.ndarray:
    made = numpy_dtype(parse(dtype).short)
    if dtype.startswith("float8"):
        values = values.clip(-240, 240)  # beyond, some of them have a NaN
    return np.ascontiguousarray(values).astype(made)


@pytest.mark.parametrize("target", DEVICES)
@pytest.mark.parametrize("types", PAIRS, ids="-".join)
def test_a_product_of_any_two_types_is_exact_on_integers(target, types):
    rng = np.random.default_rng(11)
    low = 0 if types[0] == "uint8" else -4
    orientations = itertools.product((False, True), repeat=2)
    places = [("shared", "shared"), ("shared", "fragment"), ("fragment", "shared")]
    # A quarter of the forms for each pair of types, another one for the next.
    forms = list(itertools.product(orientations, places))[PAIRS.index(types) % 4 :: 4]
    for number, (across, spaces) in enumerate(forms):
        m, n, k = [(64, 32, 64), (40, 36, 48), (17, 23, 29)][number]
        a, b = rng.integers(low, 5, (m, k)), rng.integers(low, 5, (k, n))
        c = np.full((m, n), -77, _accumulator(types[0]))
        kernel = _product(m, n, k, types, across, spaces)
        tilewright.compile(kernel, target=target)(
            _of(a.T if across[0] else a, types[0]),
            _of(b.T if across[1] else b, types[1]),
            c,
        )
        assert np.array_equal(c, a @ b), (across, spaces)


@pytest.mark.parametrize("target", DEVICES)
@pytest.mark.parametrize(
    "types", [types for types in PAIRS if "int" not in types[0]], ids="-".join
)
def test_a_product_of_any_two_types_is_within_its_bound(target, types):
    m, n, k = 48, 40, 72
    rng = np.random.default_rng(12)
    a = _of(rng.standard_normal((m, k)) * 2.0 ** rng.integers(-8, 8, (m, k)), types[0])
    b = _of(rng.standard_normal((n, k)) * 2.0 ** rng.integers(-8, 8, (n, k)), types[1])
    c = np.full((m, n), np.nan, _accumulator(types[0]))
    tilewright.compile(_product(m, n, k, types, (False, True)), target=target)(a, b, c)
    wide_a, wide_b = a.astype(np.longdouble), b.astype(np.longdouble)
    unit = np.finfo(c.dtype).eps / 2
    gamma = (k + 1) * unit / (1 - (k + 1) * unit)
    bound = gamma * (abs(wide_a) @ abs(wide_b).T) + unit * abs(wide_a @ wide_b.T)
    assert np.all(abs(c - wide_a @ wide_b.T) <= bound)


@pytest.mark.parametrize("target", DEVICES)
def test_unsigned_bytes_go_to_their_end(target):
    a = np.full((32, 64), 255, np.uint8)
    b = np.arange(64 * 32, dtype=np.uint32).astype(np.uint8).reshape(64, 32)
    c = np.zeros((32, 32), np.int32)
    tilewright.compile(_product(32, 32, 64, ("uint8", "uint8")), target=target)(a, b, c)
    assert np.array_equal(c, a.astype(np.int64) @ b.astype(np.int64))


@pytest.mark.parametrize("target", DEVICES)
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(("rows", "k"), [(64, 64), (32, 40), (40, 96)])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "int8"])
def test_an_operand_that_a_loop_only_reads(target, dtype, rows, k, transpose):
    """In shared memory, in a fragment that was filled from there, and in one that was
    filled from the tensor: three ways to the same product, whatever a target holds."""
    n = T.dynamic("n")
    accum = "int32" if dtype == "int8" else "float32"
    tile = (48, k) if transpose else (k, 48)

    @T.prim_func
    def kernel(
        A: T.Tensor((rows, k), dtype), B: T.Tensor((n, *tile), dtype),
        C: T.Tensor((3, rows, 48), accum),
    ):  # fmt: skip
        with T.Kernel(1, threads=128):
            shared = T.alloc_shared((rows, k), dtype)
            copied = T.alloc_fragment((rows, k), dtype)
            loaded = T.alloc_fragment((rows, k), dtype)
            b = T.alloc_shared(tile, dtype)
            sums = [T.alloc_fragment((rows, 48), accum) for _ in range(3)]
            T.copy(A, shared)
            T.copy(shared, copied)
            T.copy(A, loaded)
            for acc in sums:
                T.clear(acc)
            for step in T.Pipelined(n, num_stages=2):
                T.copy(B[step, 0, 0], b)
                T.gemm(shared, b, sums[0], transpose_B=transpose)
                T.gemm(copied, b, sums[1], transpose_B=transpose)
                T.gemm(loaded, b, sums[2], transpose_B=transpose)
            for way in T.unroll(3):
                T.copy(sums[way], C[way, 0, 0])

    made = numpy_dtype(parse(dtype).short)
    rng = np.random.default_rng(5)
    a = rng.integers(-4, 5, (rows, k)).astype(made)
    b = rng.integers(-4, 5, (3, *tile)).astype(made)
    c = np.full((3, rows, 48), 77, numpy_dtype(parse(accum).short))
    tilewright.compile(kernel, target=target)(a, b, c)
    total = b.astype(np.float64).sum(0)
    expected = a.astype(np.float64) @ (total.T if transpose else total)
    assert np.array_equal(c.astype(np.float64), np.broadcast_to(expected, c.shape))
