"""Tensors of NumPy, PyTorch and JAX whose memory is not plainly what they show: a launch is
right or says why not.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import runtime

from . import artifacts
from .artifacts import Symbol, Tensor

torch = pytest.importorskip("torch")


def _refused(add, message: str, **changed: object) -> None:
    """add(A, by, C) with good arguments but for those changed."""
    good = {"A": np.ones((2, 3), np.float32), "by": 0.5, "C": np.zeros((2, 3), np.float32)}
    (name,) = changed
    with pytest.raises((runtime.LaunchError, TypeError), match=re.escape(message)) as caught:
        add(**{**good, **changed})
    assert str(caught.value).startswith(f"add: argument '{name}' ")
    assert not good["C"].any(), "nothing ran"


def _right(add, a: object, expected: np.ndarray) -> None:
    c = np.full((2, 3), np.nan, np.float32)
    add(a, 0.5, c)
    np.testing.assert_array_equal(c, expected + np.float32(0.5))


# ---- NumPy ---------------------------------------------------------------------------------

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_a_masked_array_is_refused(add):
    masked = np.ma.masked_array(VALUES, mask=VALUES > 3)
    _refused(add, "cannot be read: it is a masked array, and kernels know no masks", A=masked)
    _refused(add, "cannot be read: it is a masked array", C=masked)
    _right(add, masked.filled(0), np.where(VALUES > 3, 0, VALUES))


class _Subclass(np.ndarray):
    pass


def test_other_subclasses_are_arrays(add):
    _right(add, VALUES.view(_Subclass), VALUES)


def test_a_memory_map_is_an_array(add, tmp_path):
    mapped = np.memmap(tmp_path / "data", np.float32, "w+", shape=(2, 3))
    mapped[:] = VALUES
    _right(add, mapped, VALUES)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.float32(3), "has 0 dimensions, shape (); expected 2: (m, n)"),
        (np.array(3, np.float32), "has 0 dimensions, shape (); expected 2: (m, n)"),
        (np.ones((2, 3), ">f4"), "has dtype >f4; expected float32"),
        (np.ones((2, 3), object), "has dtype object; expected float32"),
        (np.ones((2, 3), [("x", "f4")]), "has dtype [('x', '<f4')]; expected float32"),
        (np.zeros((2, 3), "M8[s]"), "has dtype datetime64[s]; expected float32"),
        (np.zeros((2, 3), "U2"), "has dtype <U2; expected float32"),
        (np.zeros((2, 3), np.longdouble), "has dtype float128; expected float32"),
        (np.zeros((2, 3), ml_dtypes.int4), "has dtype int4; expected float32"),
        ([[1.0]], "is of type list; expected a tensor"),
        ((1.0, 2.0), "is of type tuple; expected a tensor"),
        ("text", "is of type str; expected a tensor"),
        (b"text", "has dtype uint8; expected float32"),
        (None, "is of type NoneType; expected a tensor"),
    ],
)
def test_what_numpy_calls_an_array_and_a_kernel_not(add, array, message):
    _refused(add, message, A=array)


# ---- PyTorch -------------------------------------------------------------------------------


def _complex() -> torch.Tensor:
    return torch.complex(torch.ones(2, 3), torch.from_numpy(VALUES.copy()))


def test_a_negated_view_is_not_taken_for_its_memory(add):
    """PyTorch negates lazily: the imaginary part of a conjugate shares the memory of the
    number, whose sign is the other one."""
    negated = _complex().conj().imag
    assert negated.is_neg()
    _refused(add, "cannot be read: its memory holds the negatives of its elements", A=negated)
    _refused(add, "cannot be read: its memory holds the negatives", A=negated[:1])
    _refused(add, "cannot be read: its memory holds the negatives", A=negated.t())
    _refused(add, "cannot be read: its memory holds the negatives", C=negated)
    _right(add, negated.resolve_neg(), -VALUES)
    _right(add, _complex().imag, VALUES)


def test_views_of_storage(add):
    storage = torch.arange(100.0)
    _right(add, storage[10:16].view(2, 3), np.arange(10.0, 16).reshape(2, 3))
    _right(add, storage.as_strided((2, 3), (7, 11), 5), np.array([[5, 16, 27], [12, 23, 34]]))
    _right(add, storage[:1].expand(2, 3), np.zeros((2, 3)))
    _right(add, torch.nn.Parameter(torch.ones(2, 3)), np.ones((2, 3)))
    _right(add, torch.ones(2, 3, requires_grad=True) * 2, np.full((2, 3), 2))


def test_a_lazy_copy_is_written_apart(add):
    first = torch.zeros(2, 3)
    copy = torch._lazy_clone(first)
    add(VALUES, 0.5, copy)
    assert not first.any()
    np.testing.assert_array_equal(copy, VALUES + np.float32(0.5))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _complex(), "has dtype torch.complex64; expected float32"),
        (lambda: torch.eye(3).to_sparse(), "cannot be read: "),
        (lambda: torch.eye(3).to_sparse_csr(), "cannot be read: "),
        (lambda: torch.ones(2, 3).to_mkldnn(), "cannot be read: "),
        (lambda: torch.empty(2, 3, device="meta"), "cannot be read: "),
        (lambda: torch.nested.nested_tensor([torch.ones(2, 3)]), "cannot be read: "),
        (
            lambda: torch.zeros(2, 3, dtype=torch.float8_e4m3fn),
            "has dtype float8_e4m3fn; expected float32",
        ),
    ],
)
def test_what_pytorch_calls_a_tensor_and_a_kernel_not(add, make, message):
    _refused(add, message, A=make())


def test_a_tensor_inside_a_transformation_has_no_memory(add):
    def mapped(x: torch.Tensor) -> torch.Tensor:
        _refused(add, "cannot be read: ", A=x)
        return x

    torch.func.vmap(mapped)(torch.ones(4, 2, 3))


# ---- JAX -----------------------------------------------------------------------------------

JAX = """
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tilewright import runtime

add = runtime.load({path!r})
a = jnp.arange(6, dtype=jnp.float32).reshape(2, 3)
c = np.full((2, 3), np.nan, np.float32)
add(a, 0.5, c)
np.testing.assert_array_equal(c, np.arange(6).reshape(2, 3) + np.float32(0.5))
add(a.T.reshape(2, 3), 0.5, c)
np.testing.assert_array_equal(c, np.array([[0, 3, 1], [4, 2, 5]]) + np.float32(0.5))

for change, message in [
    ({{"C": a}}, "argument 'C' is read-only; the kernel writes to it"),
    ({{"A": a.astype(jnp.bfloat16)}}, "argument 'A' has dtype bfloat16; expected float32"),
    ({{"A": a[0]}}, "argument 'A' has 1 dimension"),
]:
    with pytest.raises(runtime.LaunchError, match=message):
        add(**{{"A": a, "by": 0.5, "C": c, **change}})
np.testing.assert_array_equal(a, np.arange(6).reshape(2, 3))

@jax.jit
def traced(x):
    with pytest.raises(runtime.LaunchError, match="argument 'A' cannot be read: Abstract"):
        add(x, 0.5, c)
    return x

traced(a)
deleted = a + 1
deleted.delete()
with pytest.raises(runtime.LaunchError, match="argument 'A' cannot be read: Array has been"):
    add(deleted, 0.5, c)
"""


def test_jax(tmp_path):
    """In a process of its own: JAX starts threads, and other tests fork."""
    path = artifacts.build(
        tmp_path, artifacts.ADD_PARAMS, artifacts.ADD_SYMBOLS, artifacts.ADD_BODY, name="add"
    )
    program = JAX.format(path=str(path))
    root = Path(tilewright.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(root), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# ---- DLPack --------------------------------------------------------------------------------


class _Struct(ctypes.Structure):
    """DLManagedTensorVersioned of the DLPack standard, version 1."""

    _fields_ = [
        ("major", ctypes.c_uint32), ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64),
        ("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("device_id", ctypes.c_int32),
        ("rank", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64),
    ]  # fmt: skip


class _Exported:
    """An array as another library might export it, of any device and with any flags."""

    def __init__(self, array: np.ndarray, **changed: object) -> None:
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        strides = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
        fields = {
            "major": 1, "data": array.ctypes.data, "device": 1, "rank": array.ndim,
            "code": 2, "bits": 32, "lanes": 1, "shape": shape, "strides": strides,
        }  # fmt: skip
        self._struct, self._array = _Struct(**{**fields, **changed}), array

    def __dlpack__(self, **options: object) -> object:
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self._struct), b"dltensor_versioned", None)


def test_dlpack_of_any_library(add):
    values = VALUES.copy()
    _right(add, _Exported(values), VALUES)
    _right(add, _Exported(values, strides=None), VALUES)
    _right(add, _Exported(values, data=values.ctypes.data - 8, offset=8), VALUES)
    for changed, message in [
        ({"device": 2, "device_id": 3}, "is on device cuda:3; this kernel runs on cpu"),
        ({"device": 10}, "is on device hip:0; this kernel runs on cpu"),
        ({"device": 99}, "is on device another device:0; this kernel runs on cpu"),
        ({"major": 2}, "cannot be read: it exports DLPack version 2; this is version 1"),
        ({"code": 7, "bits": 13}, "has dtype of DLPack code 7, 13 bits, 1 lanes"),
        ({"lanes": 4}, "has dtype of DLPack code 2, 32 bits, 4 lanes"),
        ({"data": None}, "has no memory: its data pointer is null"),
        ({"rank": -1}, "has -1 dimensions, shape ()"),
        ({"shape": (ctypes.c_int64 * 2)(-2, 3)}, "has the negative size -2 in dimension 0"),
    ]:
        _refused(add, message, A=_Exported(values, **changed))
    out = np.zeros((2, 3), np.float32)
    add(VALUES, 0.5, _Exported(out))
    np.testing.assert_array_equal(out, VALUES + np.float32(0.5))
    for flags in (1, 2, 3):  # read-only, a copy
        _refused(add, "is read-only; the kernel writes to it", C=_Exported(out, flags=flags))


# ---- integers that stand for another dtype -------------------------------------------------


@pytest.fixture(scope="module")
def copy_fp8(kernel):
    """copy(A) -> C of float8_e4m3fn"""
    return kernel(
        [Tensor("A", "f8e4m3fn", ["n"]), Tensor("C", "f8e4m3fn", ["n"], "w")],
        [Symbol("n")],
        "for (uint64_t i = 0; i < words[1]; ++i)"
        "  ((char *)words[3])[i] = ((const char *)words[0])[i];",
    )


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", T.float8_e4m3fn, torch.float8_e4m3fn, ml_dtypes.float8_e4m3fn,
              np.dtype(ml_dtypes.float8_e4m3fn)],
)  # fmt: skip
@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(256, dtype=np.uint8),
        lambda: np.arange(256, dtype=np.uint8).view(np.int8),
        lambda: torch.arange(256).to(torch.uint8),
        lambda: bytearray(range(256)),
        lambda: memoryview(bytearray(range(256))),
    ],
    ids=["numpy", "int8", "torch", "bytearray", "memoryview"],
)
def test_integers_declared_to_be_floats(copy_fp8, make, dtype):
    bits, out = make(), np.zeros(256, np.uint8)
    copy_fp8(runtime.as_dtype(bits, dtype), runtime.as_dtype(out, dtype))
    np.testing.assert_array_equal(out, np.arange(256))


def test_what_cannot_be_declared(copy_fp8):
    out = np.zeros(4, ml_dtypes.float8_e4m3fn)
    for array, message in [
        (np.zeros(4, np.uint16), "as_dtype takes float8_e4m3fn from integers of 8 bits"),
        (np.zeros(4, np.float32), "as_dtype takes float8_e4m3fn from integers of 8 bits"),
        (np.zeros(4, bool), "as_dtype takes float8_e4m3fn from integers of 8 bits"),
        (np.zeros(4, ml_dtypes.float8_e5m2), "as_dtype takes float8_e4m3fn from integers"),
        ([1, 2], "as_dtype was given a list, which is no tensor"),
        (3, "as_dtype takes float8_e4m3fn from integers of 8 bits"),
    ]:
        with pytest.raises(runtime.LaunchError, match=f"'A' cannot be read: {message}"):
            copy_fp8(runtime.as_dtype(array, "float8_e4m3fn"), out)
    with pytest.raises(runtime.LaunchError, match="'A' has dtype float8_e5m2; expected"):
        copy_fp8(runtime.as_dtype(np.zeros(4, np.uint8), "float8_e5m2"), out)
    read_only = np.zeros(4, np.uint8)
    read_only.flags.writeable = False
    with pytest.raises(runtime.LaunchError, match="'C' is read-only"):
        copy_fp8(out, runtime.as_dtype(read_only, "float8_e4m3fn"))
    for dtype in ("float7", "complex64", None, 3, object, "M8[s]"):
        with pytest.raises(TypeError, match="is no dtype of a kernel's tensor"):
            runtime.as_dtype(out, dtype)
    with pytest.raises(TypeError, match="takes an array and a dtype"):
        runtime.as_dtype(out)


def test_declared_integers_are_seen_by_eager_kernels():
    @tilewright.jit
    def widen(A):
        N = T.const("N")
        A: T.Tensor((N,), "bfloat16")
        C = T.empty((N,), "float32")
        with T.Kernel(1):
            for i in T.serial(N):
                C[i] = T.cast(A[i], "float32")
        return C

    values = np.array([1.5, -2.0, 0.0], np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    raw = tilewright.as_dtype(bits, "bfloat16")
    assert (raw.shape, raw.dtype) == ((3,), "bfloat16")
    assert repr(raw).startswith("as_dtype(array([")
    np.testing.assert_array_equal(widen(raw), values)


# ---- more than 2^31 elements ---------------------------------------------------------------

MANY = 2**31 + 16


@T.prim_func
def ends(
    A: T.StridedTensor((T.dynamic("n"),), (1,), "int8"),
    C: T.Tensor((T.dynamic("n"),), "int8"),
):
    n = T.dynamic("n")
    with T.Kernel(1):
        for i in T.serial(16):
            C[n - 16 + i] = A[n - 16 + i] + T.cast(1, "int8")


def test_more_than_2_to_the_31_elements():
    """The pages in between are never touched, so that no memory is taken."""
    kernel = tilewright.compile(ends)
    a, c = np.zeros(MANY, np.int8), np.zeros(MANY, np.int8)
    a[-16:] = np.arange(16)
    a[:16] = 100
    kernel(a, c)
    np.testing.assert_array_equal(c[-16:], np.arange(1, 17))
    assert not c[:16].any()
    assert not c[MANY - 2**31 - 16 : MANY - 2**31].any()
    with pytest.raises(runtime.LaunchError, match=f"'C' has size {MANY - 1} in dimension 0; "):
        kernel(a, c[:-1])
    with pytest.raises(runtime.LaunchError, match="'C' shares memory with argument 'A'"):
        kernel(a[:-5], a[5:])
