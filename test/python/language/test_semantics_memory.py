"""What memory operations do: each row of docs/semantics.md about tensors and tiles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError
from tilewright.testing import numpy_dtype

pytestmark = pytest.mark.every_device


def launch(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


# -- bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [-5, 0, 3, 9, 40])
def test_copy_outside_a_tensor(device, start):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n, 5), "float32"), B: T.Tensor((n, 5), "float32"), at: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((8, 8), "float32")
            T.copy(A[at, 2], tile)
            T.copy(tile, B[at, 2])

    rng = np.random.default_rng(1)
    a = rng.standard_normal((12, 5)).astype(np.float32)
    b = np.full((12, 5), 7, np.float32)
    expected = b.copy()
    rows = [r for r in range(start, start + 8) if 0 <= r < 12]
    expected[rows, 2:] = a[rows, 2:]
    launch(device, kernel, a, b, start)
    assert np.array_equal(b, expected)


@pytest.mark.parametrize("start", [-5, 9])
def test_copied_tiles_hold_zero_outside(device, start):
    @T.prim_func
    def kernel(A: T.Tensor((12,), "float32"), Out: T.Tensor((8,), "float32"), at: T.int32):
        with T.Kernel(1):
            tile = T.alloc_fragment((8,), "float32")
            T.fill(tile, 5)
            T.copy(A[at], tile)
            T.copy(tile, Out)

    a, out = np.ones(12, np.float32), np.full(8, np.nan, np.float32)
    launch(device, kernel, a, out, start)
    inside = (np.arange(start, start + 8) >= 0) & (np.arange(start, start + 8) < 12)
    assert np.array_equal(out, inside.astype(np.float32))


def test_elements_outside_a_tensor(device):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(
        A: T.Tensor((n,), "float32"),
        B: T.Tensor((n,), "float32"),
        C: T.Tensor((n,), "float32"),
        Ids: T.Tensor((6,), "int32"),
    ):
        with T.Kernel(1):
            for i in T.Parallel(6):
                B[i] = A[Ids[i]]
            for i in T.serial(6):
                C[Ids[i]] = i + 1

    ids = np.array([-1, 0, 5, 6, 2**31 - 1, -(2**31)], np.int32)
    a = np.arange(1, 7, dtype=np.float32)
    b, c = np.full(6, np.nan, np.float32), np.zeros(6, np.float32)
    launch(device, kernel, a, b, c, ids)
    assert np.array_equal(b, [0, 1, 6, 0, 0, 0])
    assert np.array_equal(c, [2, 0, 0, 0, 0, 3])


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "i8", "u16"])
def test_atomics_of_few_elements(device, dtype):
    """Many iterations meet in each, and elements of different ones in a word."""

    @T.prim_func
    def kernel(A: T.Tensor((300,), dtype), B: T.Tensor((3,), dtype), C: T.Tensor((6,), dtype)):
        with T.Kernel(1):
            low = T.alloc_shared((3,), dtype)
            ones = T.alloc_shared((3,), dtype)
            T.fill(low, 100)
            T.clear(ones)
            for i in T.Parallel(300):
                T.atomic_min(low[i % 3], A[i])
                T.atomic_add(ones[i % 3], 1)
                T.atomic_max(B[i % 3], A[i])
            T.copy(low, C[0:3])
            T.copy(ones, C[3:6])

    a = np.random.default_rng(3).integers(1, 100, 300).astype(numpy_dtype(dtype))
    b, c = np.zeros(3, a.dtype), np.zeros(6, a.dtype)
    launch(device, kernel, a, b, c)
    columns = a.reshape(100, 3).astype(np.float32)
    assert np.array_equal(b.astype(np.float32), columns.max(0))
    assert np.array_equal(c.astype(np.float32), [*columns.min(0), 100, 100, 100])


def test_sizes_of_zero(device):
    m, n = T.dynamic("m"), T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((m, n), "float32"), B: T.Tensor((m, n), "float32")):
        with T.Kernel(T.ceildiv(n, 8), m) as (bx, by):
            tile = T.alloc_shared((1, 8), "float32")
            T.copy(A[by, bx * 8], tile)
            T.copy(tile, B[by, bx * 8])

    compiled = tilewright.compile(kernel, target=device)
    for shape in ((0, 5), (5, 0), (0, 0), (1, 1)):
        a, b = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        compiled(a, b)
        assert np.array_equal(a, b)


# -- gather -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f32", "bf16", "i8"])
def test_gather_fills_what_is_not_there(device, dtype):
    @T.prim_func
    def kernel(
        A: T.Tensor((10, 3, 6), dtype),
        Ids: T.Tensor((5,), "int32"),
        Out: T.Tensor((5, 4), dtype),
    ):
        with T.Kernel(1):
            ids = T.alloc_shared((5,), "int32")
            tile = T.alloc_shared((5, 4), dtype)
            T.copy(Ids, ids)
            T.gather(A[:, 1, 2:6], ids, tile, fill=9)
            T.copy(tile, Out)

    made = numpy_dtype(dtype)
    a = np.arange(180).reshape(10, 3, 6).astype(made)
    ids = np.array([3, -1, 10, 0, 2**31 - 1], np.int32)
    out = np.zeros((5, 4), made)
    launch(device, kernel, a, ids, out)
    expected = np.full((5, 4), 9).astype(made)
    expected[0], expected[3] = a[3, 1, 2:], a[0, 1, 2:]
    assert np.array_equal(out, expected)


def test_gather_along_another_axis_in_a_pipeline(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((4, 9), "float32"),
        Ids: T.Tensor((3, 2), "int32"),
        Out: T.Tensor((3, 4, 2), "float32"),
    ):
        with T.Kernel(1):
            ids = T.alloc_shared((2,), "int32")
            tile = T.alloc_shared((4, 2), "float32")
            for step in T.Pipelined(3, num_stages=2):
                T.copy(Ids[step, 0], ids)
                T.gather(A, ids, tile, axis=1)
                T.copy(tile, Out[step, 0, 0])

    a = np.arange(36, dtype=np.float32).reshape(4, 9)
    ids = np.array([[0, 8], [3, 3], [9, 1]], np.int32)
    out = np.zeros((3, 4, 2), np.float32)
    launch(device, kernel, a, ids, out)
    padded = np.concatenate([a, np.zeros((4, 1), np.float32)], 1)
    assert np.array_equal(out, padded[:, ids].transpose(1, 0, 2))


@pytest.mark.parametrize(("source", "fill"), [("f8e8m0fnu", 0.0), ("f32", -0.0)])
def test_gather_fills_with_zeros_of_either_sign(device, source, fill):
    """Also from a type that has no zero."""

    @T.prim_func
    def kernel(
        A: T.Tensor((8, 32), source), Ids: T.Tensor((8,), "i32"), Out: T.Tensor((8, 32), "f32")
    ):
        with T.Kernel(1):
            ids = T.alloc_shared((8,), "i32")
            T.copy(Ids, ids)
            T.gather(A[0, 0], ids, Out, fill=fill)

    out = np.ones((8, 32), np.float32)
    ids = np.array([1, -1, 8, 0, -1, -1, 2, 3], np.int32)
    launch(device, kernel, np.ones((8, 32), numpy_dtype(source)), ids, out)
    is_there = (ids >= 0) & (ids < 8)
    assert (out[is_there] == 1).all()
    assert (out[~is_there].view(np.uint32) == np.float32(fill).view(np.uint32)).all()


def test_gather_by_numbers_that_are_computed_in_a_pipeline(device):
    """In another order than that in which they are filled, and read by others too."""

    @T.prim_func
    def kernel(
        A: T.Tensor((40, 64), "float32"),
        Ids: T.Tensor((5, 16), "int32"),
        Out: T.Tensor((5, 16, 64), "float32"),
        Seen: T.Tensor((5, 16), "int32"),
    ):
        with T.Kernel(1, threads=128):
            ids = T.alloc_shared((2, 8), "int32")
            tile = T.alloc_shared((16, 64), "float32")
            for step in T.Pipelined(5, num_stages=2):
                for i, j in T.Parallel(8, 2):
                    number = Ids[step, i * 2 + j]
                    ids[j, i] = T.if_then_else(number < 30, number * 2 - step, -1)
                for i, j in T.Parallel(16, 64):
                    row = ids[i % 2, i // 2]
                    tile[i, j] = A[row, j]
                T.copy(tile, Out[step, 0, 0])
                for i in T.Parallel(16):
                    Seen[step, i] = ids[i % 2, i // 2]

    rng = np.random.default_rng(3)
    a = rng.standard_normal((40, 64)).astype(np.float32)
    numbers = rng.integers(0, 40, (5, 16)).astype(np.int32)
    out, seen = np.full((5, 16, 64), np.nan, np.float32), np.zeros((5, 16), np.int32)
    launch(device, kernel, a, numbers, out, seen)
    rows = np.where(numbers < 30, numbers * 2 - np.arange(5)[:, None], -1)
    assert np.array_equal(seen, rows)
    is_there = (rows >= 0) & (rows < 40)
    assert np.array_equal(out, np.where(is_there[..., None], a[rows.clip(0, 39)], 0))


# -- kinds of memory --------------------------------------------------------------------------


def test_bool_is_a_byte(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((40,), "bool"), B: T.Tensor((40,), "int32"), C: T.Tensor((40,), "bool")
    ):
        with T.Kernel(1):
            mask = T.alloc_shared((40,), "bool")
            for i in T.Parallel(40):
                mask[i] = not A[i] or B[i] > 5
            T.copy(mask, C)

    a = np.arange(40) % 3 == 0
    b = np.arange(40, dtype=np.int32) % 9
    c = np.zeros(40, bool)
    launch(device, kernel, a, b, c)
    assert np.array_equal(c, ~a | (b > 5))


def test_strides(device):
    m, s = T.dynamic("m"), T.dynamic("s")

    @T.prim_func
    def kernel(
        A: T.StridedTensor((m, 6), (s, 1), "float32"),
        B: T.StridedTensor((m, 6), (None, None), "float32"),
    ):
        with T.Kernel(T.ceildiv(m, 4)) as bx:
            tile = T.alloc_shared((4, 6), "float32")
            T.copy(A[bx * 4, 0], tile)
            for i, j in T.Parallel(4, 6):
                B[bx * 4 + i, j] = tile[i, j] + A[bx * 4 + i, j]

    base = np.arange(100, dtype=np.float32).reshape(10, 10)
    a = base[:, 2:8]
    b = np.zeros((6, 20), np.float32)[:, ::2].T
    launch(device, kernel, a, b)
    assert np.array_equal(b, 2 * a)


def test_strides_that_are_expressions(device):
    """Every other row of one array and, in blocks, the rows of another between them."""
    m, n = T.dynamic("m"), T.dynamic("n", multiple_of=4)

    @T.prim_func
    def kernel(
        A: T.StridedTensor((m, n), (2 * n, 1), "float32"),
        B: T.StridedTensor((T.ceildiv(m, 2), 2, n), (2 * n, n, 1), "float32"),
    ):
        with T.Kernel(T.ceildiv(m, 4), T.ceildiv(n, 8)) as (bx, by):
            tile = T.alloc_shared((4, 8), "float32")
            T.copy(A[bx * 4, by * 8], tile)
            for i, j in T.Parallel(4, 8):
                row = bx * 4 + i
                B[row // 2, row % 2, by * 8 + j] = tile[i, j] + A[row, by * 8 + j]

    base = np.arange(10 * 12, dtype=np.float32).reshape(10, 12)
    a, b = base[::2], np.zeros((3, 2, 12), np.float32)
    launch(device, kernel, a, b)
    assert np.array_equal(b.reshape(6, 12)[:5], 2 * a)
    with pytest.raises(tilewright.LaunchError) as caught:
        launch(device, kernel, base[:5], b)
    assert "argument 'A' has stride 12 in dimension 0; expected 2 * n = 24" in str(caught.value)
    # A stride that no element depends on may be anything.
    launch(device, kernel, base[:1], b[:1])
    assert np.array_equal(b[0, 0], 2 * base[0])


def test_workspace_lives_from_one_kernel_to_the_next(device):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32"), B: T.Tensor((n,), "float32")):
        W = T.alloc_global((T.ceildiv(n, 16), 16), "float32")
        with T.Kernel(T.ceildiv(n, 16)) as bx:
            for i in T.Parallel(16):
                W[bx, i] = A[bx * 16 + i] * 2
        with T.Kernel(n) as i:
            B[i] = W[(n - 1 - i) // 16, (n - 1 - i) % 16]

    a, b = np.arange(50, dtype=np.float32), np.zeros(50, np.float32)
    launch(device, kernel, a, b)
    assert np.array_equal(b, 2 * a[::-1])


def test_variables_and_local_arrays(device):
    @T.prim_func
    def kernel(A: T.Tensor((4, 8), "int32"), Out: T.Tensor((4, 3), "int32")):
        with T.Kernel(4) as bx:
            count = T.alloc_var("int32", init=0)
            last = T.alloc_var("int32")
            seen = T.alloc_local((2,), "int32")
            last = -1
            T.clear(seen)
            for i in T.serial(8):
                if A[bx, i] > 0:
                    count += 1
                    last = i
                else:
                    seen[i % 2] += A[bx, i]
            Out[bx, 0] = count
            Out[bx, 1] = last
            Out[bx, 2] = seen[0] * 100 + seen[1]

    rng = np.random.default_rng(2)
    a = rng.integers(-5, 6, (4, 8)).astype(np.int32)
    out = np.zeros((4, 3), np.int32)
    launch(device, kernel, a, out)
    for row, (count, last, seen) in zip(a, out):
        positive = np.flatnonzero(row > 0)
        assert count == len(positive)
        assert last == (positive[-1] if len(positive) else -1)
        rest = np.where(row > 0, 0, row)
        assert seen == rest[::2].sum() * 100 + rest[1::2].sum()


# -- atomics ----------------------------------------------------------------------------------


def test_atomics(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((1000,), "int32"), H: T.Tensor((16,), "int32"),
        Most: T.Tensor((3,), "int32"),
        Mask: T.Tensor((1,), "uint32"), Sum: T.Tensor((1,), "float32"),
    ):  # fmt: skip
        with T.Kernel(10) as bx:
            local = T.alloc_shared((16,), "int32")
            T.clear(local)
            for i in T.Parallel(100):
                T.atomic_add(local[A[bx * 100 + i] % 16], 1)
            T.atomic_add(H[0], local)
            for i in T.serial(100):
                T.atomic_max(Most[0], A[bx * 100 + i])
                T.atomic_min(Most[1], A[bx * 100 + i])
                T.atomic_or(Mask[0], T.cast(A[bx * 100 + i], "uint32"))
            T.atomic_add(Sum[0], 1)
            order = T.atomic_add(Most[2], 1, return_prev=True)
            T.device_assert(order < 10)

    rng = np.random.default_rng(3)
    a = rng.integers(0, 1 << 20, 1000).astype(np.int32)
    h, mask, total = np.zeros(16, np.int32), np.zeros(1, np.uint32), np.zeros(1, np.float32)
    most = np.array([-1, 1 << 30, 0], np.int32)
    launch(device, kernel, a, h, most, mask, total)
    assert np.array_equal(h, np.bincount(a % 16, minlength=16))
    assert list(most) == [a.max(), a.min(), 10]
    assert mask[0] == np.bitwise_or.reduce(a)
    assert total[0] == 10


def test_what_atomics_replace(device):
    """The former value of an element, as a tile keeps it; outside the tensor it is 0."""

    @T.prim_func
    def kernel(A: T.Tensor((4,), "int32"), F: T.Tensor((3,), "float32"),
               P: T.Tensor((8,), "int32"), Q: T.Tensor((3,), "float32")):  # fmt: skip
        with T.Kernel(1):
            f = T.alloc_shared((3,), "float32")
            T.copy(F, f)
            for i in T.Parallel(8):
                P[i] = T.atomic_add(A[i - 2], 5, return_prev=True)
            for i in T.Parallel(3):
                Q[i] = T.atomic_max(f[i], 1.5, return_prev=True)
            T.copy(f, F)

    a, f = np.array([1, 2, 3, 4], np.int32), np.array([1, 2, -np.inf], np.float32)
    p, q = np.full(8, -7, np.int32), np.zeros(3, np.float32)
    launch(device, kernel, a, f, p, q)
    assert list(a) == [6, 7, 8, 9]
    assert list(p) == [0, 0, 1, 2, 3, 4, 0, 0]
    assert list(f) == [1.5, 2, 1.5]
    assert list(q) == [1, 2, -np.inf]


def test_a_macro_assigns_through_ref(device):
    """A parameter of T.Ref is the caller's variable; any other scalar is a value of its own."""

    @T.macro
    def step(total: T.Ref, other, tile):
        total = total + 1
        other = other + 10
        tile[0] = tile[0] + other

    @T.prim_func
    def kernel(A: T.Tensor((3,), "int32")):
        with T.Kernel(1):
            x, y = T.alloc_var("int32", 4), T.alloc_var("int32", 5)
            for _ in T.serial(3):
                step(x, y, A)
            A[1], A[2] = x, y

    a = np.zeros(3, np.int32)
    launch(device, kernel, a)
    assert list(a) == [45, 7, 5]


def test_atomic_extrema_keep_infinities(device):
    """In global and in shared memory; a sum saturates, as conversions to f8 do."""

    @T.prim_func
    def kernel(A: T.Tensor((3,), "float8_e5m2"), B: T.Tensor((3,), "float8_e5m2")):
        with T.Kernel(1):
            tile = T.alloc_shared((3,), "float8_e5m2")
            T.copy(A, tile)
            T.atomic_max(A[0], T.infinity("float8_e5m2"))
            T.atomic_min(A[1], -T.infinity("float8_e5m2"))
            T.atomic_add(A[2], T.infinity("float8_e5m2"))
            T.atomic_max(tile[0], T.infinity("float8_e5m2"))
            T.atomic_min(tile[1], -T.infinity("float8_e5m2"))
            T.atomic_add(tile[2], T.infinity("float8_e5m2"))
            T.copy(tile, B)

    a, b = np.ones(3, ml_dtypes.float8_e5m2), np.zeros(3, ml_dtypes.float8_e5m2)
    launch(device, kernel, a, b)
    assert a.astype(float).tolist() == b.astype(float).tolist() == [np.inf, -np.inf, 57344]


# -- facts and faults -------------------------------------------------------------------------


def test_declared_facts_are_checked_at_launch(device):
    n = T.dynamic("n", min=4, max=64, multiple_of=4)

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(n) as i:
            A[i] = i

    compiled = tilewright.compile(kernel, target=device)
    a = np.zeros(8, np.float32)
    compiled(a)
    assert np.array_equal(a, np.arange(8))
    for size in (0, 6, 68):
        with pytest.raises(tilewright.LaunchError, match="n"):
            compiled(np.zeros(size, np.float32))


def test_device_assert_names_its_line(device):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "int32")):
        with T.Kernel(4) as bx:
            T.device_assert(A[bx] >= 0, "pages are not negative")

    compiled = tilewright.compile(kernel, target=device)
    compiled(np.zeros(4, np.int32))
    with pytest.raises(tilewright.KernelFault, match="pages are not negative") as caught:
        compiled(np.array([1, 2, -3, 4], np.int32))
    with open(__file__) as file:
        lines = file.read().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if '"pages are not negative")' in text)
    assert f"{__file__}:{line}" in str(caught.value)


def test_print(device, capfd):
    @T.prim_func
    def kernel(A: T.Tensor((2,), "float32"), n: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((2,), "float32")
            T.copy(A, tile)
            T.print("start")
            T.print(n, "n =")
            T.print(tile, "tile")

    launch(device, kernel, np.array([1.5, -2], np.float32), 7)
    text = capfd.readouterr().out
    assert [word in text for word in ("start", "n =", "7", "tile", "1.5", "-2")] == [True] * 6


def test_compiler_errors_name_the_line(device):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises(CompileError, match="nowhere"):
        tilewright.compile(kernel, target="nowhere")
