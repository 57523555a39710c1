"""Launching from Python: what is accepted, without copies, and what comes back.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import array
import ctypes
import gc
import sys
import tracemalloc
import weakref

import ml_dtypes
import numpy as np
import pytest

from tilewright import runtime

from .artifacts import ADD_BODY, ADD_PARAMS, ADD_SYMBOLS, DTYPES, Scalar, Symbol, Tensor

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def add_out(kernel):
    """add(A, by) -> C"""
    return kernel(ADD_PARAMS, ADD_SYMBOLS, ADD_BODY, name="add", out_idx=-1)


def _inputs(m: int = 5, n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    a = np.arange(m * n, dtype=np.float32).reshape(m, n)
    return a, np.full((m, n), np.nan, np.float32)


# ---- kinds of arguments --------------------------------------------------------------------


def test_numpy(add):
    a, c = _inputs()
    assert add(a, 0.5, c) is None
    np.testing.assert_array_equal(c, a + 0.5)


def test_views_are_not_copied(add):
    a, c = _inputs(6, 8)
    out = np.full((3, 8), np.nan, np.float32)
    add(a[::-2], 1, out)
    np.testing.assert_array_equal(out, a[::-2] + 1)
    out = np.full((8, 6), np.nan, np.float32)
    add(a.T, 1, out)
    np.testing.assert_array_equal(out, a.T + 1)
    row = np.broadcast_to(a[0], (6, 8))
    add(row, 1, c)
    np.testing.assert_array_equal(c, row + 1)


def test_torch(add):
    a, c = torch.randn(4, 6), torch.full((4, 6), torch.nan)
    add(a, 2, c)
    assert torch.equal(c, a + 2)
    add(a.t().contiguous().t(), 3, c)
    assert torch.equal(c, a + 3)
    parameter = torch.nn.Parameter(a)
    add(parameter, 4, c)
    assert torch.equal(c, a + 4)


def test_torch_and_numpy_together(add):
    a, c = _inputs()
    add(torch.from_numpy(a), 2, c)
    np.testing.assert_array_equal(c, a + 2)


class _WithDLPack:
    """A tensor of a library that has `__dlpack__` and nothing else."""

    def __init__(self, inner, versions=True):
        self.inner, self.versions = inner, versions

    def __dlpack__(self, **options):
        if options and not self.versions:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.inner.__dlpack__(**options)


@pytest.mark.parametrize("versions", [False, True])
def test_dlpack(add, versions):
    a, c = _inputs()
    add(_WithDLPack(a, versions), 2, c)
    np.testing.assert_array_equal(c, a + 2)


def test_dlpack_says_what_may_be_written(add):
    a, c = _inputs()
    add(a, 2, _WithDLPack(c))
    np.testing.assert_array_equal(c, a + 2)
    c.flags.writeable = False
    with pytest.raises(runtime.LaunchError, match="argument 'C' is read-only"):
        add(a, 2, _WithDLPack(c))


def test_dlpack_before_version_1_is_read_only(add):
    """It had no way to say so, and JAX's arrays, which never change, are exported by it."""
    a, c = _inputs()
    with pytest.raises(runtime.LaunchError, match="argument 'C' is read-only"):
        add(a, 2, _WithDLPack(c, versions=False))
    assert np.isnan(c).all()


def test_dlpack_memory_is_released(add):
    a, c = _inputs()
    held = weakref.ref(a)
    add(_WithDLPack(a), 2, c)
    del a
    gc.collect()
    assert held() is None


def test_buffers(kernel):
    double = kernel(
        [Tensor("A", "i32", ["n"], "rw")],
        [Symbol("n")],
        "int32_t *a = (int32_t *)words[0]; for (uint64_t i = 0; i < words[1]; ++i) a[i] *= 2;",
    )
    values = array.array("i", range(6))
    double(values)
    assert list(values) == [0, 2, 4, 6, 8, 10]
    memory = bytearray(np.arange(4, dtype=np.int32).tobytes())
    double(memoryview(memory).cast("i"))
    assert np.frombuffer(memory, np.int32).tolist() == [0, 2, 4, 6]
    numbers = (ctypes.c_int32 * 3)(1, 2, 3)
    double(numbers)
    assert list(numbers) == [2, 4, 6]
    memory.append(0)  # nothing holds the buffer any more


NUMPY_DTYPES = dict(
    zip(
        DTYPES,
        [
            np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
            np.uint64, np.float16, ml_dtypes.bfloat16, np.float32, np.float64,
            ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.float8_e4m3fnuz,
            ml_dtypes.float8_e5m2fnuz, ml_dtypes.float8_e4m3b11fnuz, ml_dtypes.float8_e8m0fnu,
        ],
        strict=True,
    )
)  # fmt: skip
TORCH_DTYPES = {
    "bool": torch.bool, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32,
    "i64": torch.int64, "u8": torch.uint8, "u16": torch.uint16, "u32": torch.uint32,
    "u64": torch.uint64, "f16": torch.float16, "bf16": torch.bfloat16,
    "f32": torch.float32, "f64": torch.float64, "f8e4m3fn": torch.float8_e4m3fn,
    "f8e5m2": torch.float8_e5m2, "f8e4m3fnuz": torch.float8_e4m3fnuz,
    "f8e5m2fnuz": torch.float8_e5m2fnuz, "f8e8m0fnu": torch.float8_e8m0fnu,
}  # fmt: skip


@pytest.fixture(scope="module")
def copies(kernel):
    """For each dtype, copy(A) -> C."""
    body = """
#include <string.h>
---
  memcpy((void *)words[3], (const void *)words[0], words[1] * ITEM);
"""
    return {
        dtype: kernel(
            [Tensor("A", dtype, ["n"]), Tensor("C", dtype, ["n"], "w")],
            [Symbol("n")],
            body.replace("ITEM", str(np.dtype(NUMPY_DTYPES[dtype]).itemsize)),
            out_idx=1,
        )
        for dtype in DTYPES
    }


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(copies, dtype):
    a = np.array([0, 1, 1, 0, 1]).astype(NUMPY_DTYPES[dtype])
    c = copies[dtype](a)
    assert type(c) is np.ndarray
    assert c.dtype == a.dtype
    np.testing.assert_array_equal(c.view(np.uint8), a.view(np.uint8))

    if dtype not in TORCH_DTYPES:  # f8e4m3b11fnuz
        return
    t = torch.tensor([0, 1, 1, 0, 1]).to(TORCH_DTYPES[dtype])
    c = copies[dtype](t)
    assert type(c) is torch.Tensor
    assert c.dtype == t.dtype
    assert torch.equal(c.view(torch.uint8), t.view(torch.uint8))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_told_from_the_others(copies, dtype):
    for other in set(DTYPES) - {dtype}:
        with pytest.raises(runtime.LaunchError, match="argument 'A' has dtype"):
            copies[dtype](np.zeros(3, NUMPY_DTYPES[other]))
        if other not in TORCH_DTYPES:
            continue
        with pytest.raises(runtime.LaunchError, match="argument 'A' has dtype"):
            copies[dtype](torch.zeros(3).to(TORCH_DTYPES[other]))


@pytest.mark.parametrize(
    ("dtype", "value", "bits"),
    [
        ("i32", -3, 2**64 - 3),
        ("i32", np.int16(-3), 2**64 - 3),
        ("i32", np.array(7), 7),
        ("i32", np.array([[7]], np.int64), 7),
        ("f32", np.array([0.5]), 0x3F000000),
        ("bool", np.array([True]), 1),
        ("i32", torch.tensor(7), 7),
        ("i32", True, 1),
        ("u64", 2**64 - 1, 2**64 - 1),
        ("bool", np.True_, 1),
        ("bool", 0, 0),
        ("f32", 1, 0x3F800000),
        ("f32", 0.1, 0x3DCCCCCD),
        ("f32", np.float32(0.1), 0x3DCCCCCD),
        ("f32", np.float64(0.1), 0x3DCCCCCD),
        ("f32", torch.tensor(0.5), 0x3F000000),
        ("f32", ml_dtypes.bfloat16(0.5), 0x3F000000),
        ("f32", float("inf"), 0x7F800000),
        ("f64", 0.1, 0x3FB999999999999A),
        ("bf16", 0.1, 0x3DCD),
        ("f16", np.float16(0.1), 0x2E66),
        ("f8e4m3fn", 448, 0x7E),
        ("f8e4m3fnuz", -240, 0xFF),
        ("f8e8m0fnu", 2, 0x80),
        ("f4e2m1fn", -1.5, 0xB),
    ],
)
def test_scalars(kernel, dtype, value, bits):
    store = kernel(
        [Scalar("x", dtype), Tensor("C", "u64", [1], "w")],
        body="*(uint64_t *)words[1] = words[0];",
        out_idx=1,
    )
    assert store(value)[0] == bits


def test_keyword_arguments(add):
    a, c = _inputs()
    add(C=c, by=2.0, A=a)
    np.testing.assert_array_equal(c, a + 2)
    add(a, C=c, by=3.0)
    np.testing.assert_array_equal(c, a + 3)
    # A name that is not the interned object of the source.
    add(a, **{"".join(["b", "y"]): 4.0, "".join(["C"]): c})
    np.testing.assert_array_equal(c, a + 4)


def test_more_parameters_than_fit_on_the_stack(kernel):
    params = [Tensor(f"A{i}", "f32", ["m", "n"]) for i in range(40)]
    total = kernel(
        [*params, Tensor("C", "f32", [1], "w")],
        ADD_SYMBOLS,
        "float *c = (float *)words[200]; *c = 0;"
        "for (int i = 0; i < 40; ++i) *c += *(const float *)words[i * 5];",
        out_idx=[40],
    )
    arrays = [np.full((2, 3), i, np.float32) for i in range(40)]
    assert total(*arrays)[0] == sum(range(40))


def test_empty_tensors(add, add_out):
    a, c = _inputs(0, 7)
    add(a, 1, c)
    assert add_out(a, 1).shape == (0, 7)
    assert add_out(torch.zeros(3, 0), 1).shape == (3, 0)


# ---- outputs -------------------------------------------------------------------------------


def test_out_idx_allocates_what_the_inputs_are(add_out):
    a, _ = _inputs()
    c = add_out(a, 1.0)
    assert type(c) is np.ndarray
    np.testing.assert_array_equal(c, a + 1)
    t = torch.from_numpy(a)
    c = add_out(t, 1.0)
    assert type(c) is torch.Tensor
    assert torch.equal(c, t + 1)
    assert type(add_out(_WithDLPack(a), 1.0)) is np.ndarray


def test_an_output_may_be_passed_by_name(add_out):
    a, c = _inputs()
    assert add_out(a, 1.0, C=c) is c
    np.testing.assert_array_equal(c, a + 1)


def test_several_outputs_come_in_the_order_of_out_idx(kernel):
    params = [
        Tensor("X", "i32", ["n"], "w"),
        Tensor("A", "i32", ["n"]),
        Tensor("Y", "i64", [2, "n"], "w", align=64),
    ]
    both = kernel(
        params,
        [Symbol("n")],
        "*(int32_t *)words[0] = 1; *(int64_t *)words[6] = 2;",
        out_idx=[2, 0],
    )
    y, x = both(np.zeros(3, np.int32))
    assert (y.shape, y.dtype, y[0, 0]) == ((2, 3), np.int64, 2)
    assert (x.shape, x.dtype, x[0]) == ((3,), np.int32, 1)
    assert y.ctypes.data % 64 == 0
    assert y.flags.writeable


def test_outputs_are_freed(add_out):
    a = np.zeros((256, 1024), np.float32)
    tracemalloc.start()
    for _ in range(20):
        add_out(a, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * a.nbytes


@pytest.mark.parametrize(
    ("out_idx", "error", "message"),
    [
        (3, IndexError, "out_idx 3; the kernel has 3 parameters"),
        (-4, IndexError, "out_idx -4; the kernel has 3 parameters"),
        (1, ValueError, "out_idx names 'by', which is a scalar"),
        ([2, -1], ValueError, "out_idx names 'C' twice"),
        ("C", TypeError, "cannot be interpreted as an integer"),
        (1.5, TypeError, "out_idx must be an integer or a sequence of integers"),
    ],
)
def test_wrong_out_idx(kernel, out_idx, error, message):
    with pytest.raises(error, match=message):
        kernel(ADD_PARAMS, ADD_SYMBOLS, ADD_BODY, out_idx=out_idx)


# ---- the kernel object ---------------------------------------------------------------------


def test_properties(kernel):
    add = kernel(ADD_PARAMS, ADD_SYMBOLS, ADD_BODY, name="add", target="cpu:x86-64")
    assert (add.name, add.target, add.manifest) == ("add", "cpu:x86-64", "{}")
    assert add.parameters == ("A", "by", "C")
    assert repr(add) == "<tilewright kernel add for cpu:x86-64>"
    with pytest.raises(TypeError):
        type(add)()


def test_a_launch_leaks_nothing(add, add_out):
    a, c = _inputs()
    t = torch.from_numpy(a)
    counts = []
    for _ in range(3):
        for _ in range(200):
            add(a, 0.5, c)
            add_out(t, 1.0)
            add_out(_WithDLPack(a), 1.0)
            with pytest.raises(runtime.LaunchError):
                add(a, 0.5, np.zeros((5, 7), np.complex64))
            with pytest.raises(TypeError):
                add(a, "x", c)
        gc.collect()
        counts.append((sys.getrefcount(a), sys.getrefcount(t), sys.getrefcount(None)))
    first, last = np.array(counts[0]), np.array(counts[-1])
    assert np.all(np.abs(last - first) < 50), counts
