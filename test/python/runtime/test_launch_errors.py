"""Launches that must be refused, each with a message that names the argument.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import re
import warnings

import numpy as np
import pytest

from tilewright import runtime

from .artifacts import Scalar, Symbol, Tensor

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def gemm(kernel):
    """gemm(A: [m, k], B: [k, 64], scale, C: [m, 64]), all but the last dims dynamic."""
    return kernel(
        [
            Tensor("A", "f32", ["m", "k"], align=16),
            Tensor("B", "f32", ["k", 64], strides=["any", 1]),
            Scalar("scale", "f32"),
            Scalar("count", "i32", symbol="m"),
            Tensor("C", "f32", ["m", 64], "w"),
        ],
        [Symbol("m"), Symbol("k", multiple_of=8)],
        name="gemm",
    )


def _good() -> dict:
    return {
        "A": np.zeros((4, 16), np.float32),
        "B": np.zeros((16, 64), np.float32),
        "scale": 1.0,
        "count": 4,
        "C": np.zeros((4, 64), np.float32),
    }


def _zeros(*shape: int, dtype=np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _off_by(count: int, *shape: int) -> np.ndarray:
    """An array that starts `count` bytes past a multiple of 16."""
    size = int(np.prod(shape)) * 4
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 16 + count
    return raw[start : start + size].view(np.float32).reshape(shape)


class _Broken:
    def __dlpack__(self, **options):
        raise BufferError("the tensor is lazy")


def _field_of_records() -> np.ndarray:
    """An array whose strides are no multiples of its elements' size."""
    return np.zeros((4, 16), np.dtype([("x", np.float32), ("y", np.uint8)]))["x"]


WRONG = [
    ({"A": [[1.0]]}, TypeError, "argument 'A' is of type list; expected a tensor: a NumPy"),
    ({"A": None}, TypeError, "argument 'A' is of type NoneType; expected a tensor"),
    ({"A": 3.0}, runtime.LaunchError, "argument 'A' is a scalar; expected a tensor of float32"),
    (
        {"A": _zeros(4, 16, dtype=np.float64)},
        runtime.LaunchError,
        "argument 'A' has dtype float64; expected float32",
    ),
    (
        {"A": _zeros(4, 16, dtype=">f4")},
        runtime.LaunchError,
        "argument 'A' has dtype >f4; expected float32",
    ),
    (
        {"A": _zeros(4, 16, dtype=np.complex64)},
        runtime.LaunchError,
        "argument 'A' has dtype complex64; expected float32",
    ),
    (
        {"A": torch.zeros(4, 16, dtype=torch.complex64)},
        runtime.LaunchError,
        "argument 'A' has dtype torch.complex64; expected float32",
    ),
    (
        {"A": np.array("text")},
        runtime.LaunchError,
        "argument 'A' has dtype <U4; expected float32",
    ),
    (
        {"A": _zeros(4, 16, 1)},
        runtime.LaunchError,
        "argument 'A' has 3 dimensions, shape (4, 16, 1); expected 2: (m, k)",
    ),
    (
        {"A": np.zeros((1,) * 40, np.float32)},
        runtime.LaunchError,
        "argument 'A' has 40 dimensions",
    ),
    (
        {"B": _zeros(16, 63)},
        runtime.LaunchError,
        "argument 'B' has size 63 in dimension 1; expected 64",
    ),
    (
        {"B": _zeros(24, 64)},
        runtime.LaunchError,
        "argument 'B' has size 24 in dimension 0; expected k = 16, the size in dimension 1 of "
        "argument 'A'",
    ),
    (
        {"A": _zeros(4, 12)},
        runtime.LaunchError,
        "argument 'A' has size 12 in dimension 1; k must be a multiple of 8",
    ),
    (
        {"count": 5},
        runtime.LaunchError,
        "argument 'count' is 5; expected m = 4, the size in dimension 0 of argument 'A'",
    ),
    (
        {"A": _zeros(16, 4).T},
        runtime.LaunchError,
        "argument 'A' has stride 4 in dimension 1; expected 1 (contiguous); pass a contiguous "
        "copy",
    ),
    (
        {"B": _zeros(64, 16).T},
        runtime.LaunchError,
        "argument 'B' has stride 16 in dimension 1; expected 1",
    ),
    (
        {"A": _field_of_records()},
        runtime.LaunchError,
        "argument 'A' cannot be read: its stride of 5 bytes in dimension 1",
    ),
    (
        {"A": _off_by(4, 4, 16)},
        runtime.LaunchError,
        "argument 'A' starts 4 bytes past a multiple of 16; expected memory aligned to 16",
    ),
    (
        {"C": _read_only(_zeros(4, 64))},
        runtime.LaunchError,
        "argument 'C' is read-only; the kernel writes to it",
    ),
    (
        {"C": torch.zeros(64).expand(4, 64)},
        runtime.LaunchError,
        "argument 'C' has stride 0 in dimension 0; expected 64 (contiguous)",
    ),
    ({"A": _Broken()}, runtime.LaunchError, "argument 'A' cannot be read: the tensor is lazy"),
    ({"scale": "1"}, TypeError, "argument 'scale' is of type str; expected a number"),
    ({"scale": None}, TypeError, "argument 'scale' is of type NoneType; expected a number"),
    ({"scale": 1j}, TypeError, "argument 'scale' is of type complex; expected a number"),
    (
        {"scale": np.zeros(3)},
        runtime.LaunchError,
        "argument 'scale' cannot be read: it has 3 elements",
    ),
    ({"scale": 1e39}, runtime.LaunchError, "argument 'scale' is 1e+39, which float32 cannot"),
    (
        {"count": 4.0},
        runtime.LaunchError,
        "argument 'count' is a floating-point number; expected a scalar of type int32",
    ),
    (
        {"count": np.float32(4)},
        runtime.LaunchError,
        "argument 'count' is a floating-point number; expected a scalar of type int32",
    ),
    ({"count": 2**31}, runtime.LaunchError, "argument 'count' is 2147483648, which int32"),
    ({"count": 2**70}, runtime.LaunchError, "argument 'count' cannot be read: int too big"),
    ({"count": -(2**70)}, runtime.LaunchError, "'count' cannot be read: it is less than any"),
]


def test_the_good_arguments_are_good(gemm):
    gemm(**_good())


@pytest.mark.parametrize(("change", "error", "message"), WRONG, ids=[w[2][9:50] for w in WRONG])
def test_a_wrong_argument(gemm, change, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        gemm(**{**_good(), **change})
    assert str(caught.value).startswith("gemm: argument '")


def test_what_a_tensor_raised_is_the_cause(gemm):
    with pytest.raises(runtime.LaunchError) as caught:
        gemm(**{**_good(), "A": _Broken()})
    assert isinstance(caught.value.__cause__, BufferError)


def test_a_tensor_without_memory_of_its_own(gemm):
    with pytest.raises(runtime.LaunchError) as caught:
        gemm(**{**_good(), "A": torch.eye(4).to_sparse()})
    assert str(caught.value).startswith("gemm: argument 'A' cannot be read: ")
    assert "\n" not in str(caught.value), "PyTorch's backtrace is left to the cause"


def test_another_device(gemm):
    meta = torch.empty(4, 16, device="meta")
    with pytest.raises(runtime.LaunchError, match="gemm: argument 'A' "):
        gemm(**{**_good(), "A": meta})


@pytest.mark.parametrize("convert", [lambda a: a, torch.from_numpy], ids=["numpy", "torch"])
def test_outputs_overlap_nothing(kernel, convert):
    add = kernel(
        [
            Tensor("A", "f32", ["m", "n"], strides=["any", "any"]),
            Tensor("C", "f32", ["m", "n"], "w", strides=["any", "any"]),
            Tensor("D", "f32", ["m", "n"], "w", strides=["any", "any"]),
        ],
        [Symbol("m"), Symbol("n")],
        name="add",
    )
    a, c, d = (convert(np.zeros((8, 16), np.float32)) for _ in range(3))
    for wrong, names in (
        ((a, a, d), "'C' shares memory with argument 'A'"),
        ((a, c, a), "'D' shares memory with argument 'A'"),
        ((a, c, c), "'C' shares memory with argument 'D'"),
        ((c[1:], c[:-1], d[1:]), "'C' shares memory with argument 'A'"),
    ):
        with pytest.raises(runtime.LaunchError, match=names):
            add(*wrong)
    # Halves of one array share no element, though they lie within each other.
    add(a[:, :8], a[:, 8:], c[:, :8])
    add(a[::2], a[1::2], c[::2])
    add(a[:4], a[4:], c[:4])


def test_counts_and_names(gemm):
    good = list(_good().values())
    for args, kwargs, message in (
        ([], {}, "gemm: argument 'A' is missing"),
        (good[:4], {}, "gemm: argument 'C' is missing"),
        (
            [*good, 1],
            {},
            "gemm takes 5 arguments (A, B, scale, count, C) but 6 were given",
        ),
        (good[:4], {"D": 1}, "gemm has no parameter 'D'; its parameters are ('A', 'B',"),
        (good, {"C": 1}, "gemm got argument 'C' twice"),
    ):
        with pytest.raises(TypeError, match=re.escape(message)):
            gemm(*args, **kwargs)


def test_outputs_that_cannot_be_allocated(kernel):
    fill = kernel(
        [Tensor("C", "f32", ["n"], "w"), Scalar("x", "f32")], [Symbol("n")], out_idx=0
    )
    with pytest.raises(runtime.LaunchError, match="no other argument gives the size n"):
        fill(1.0)
    pitched = kernel(
        [Tensor("C", "f32", ["n", 4], "w", strides=[8, 1]), Scalar("n", "i32", symbol="n")],
        [Symbol("n")],
        out_idx=0,
    )
    with pytest.raises(runtime.LaunchError, match="its stride in dimension 0 is 8"):
        pitched(3)
    huge = kernel(
        [Tensor("C", "f32", ["n", 4], "w", align=64), Scalar("n", "i64", symbol="n")],
        [Symbol("n")],
        out_idx=0,
    )
    with pytest.raises(MemoryError):
        huge(2**58)


def test_an_interrupt_while_reading_passes_through(gemm):
    class Interrupted:
        def __dlpack__(self, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gemm(**{**_good(), "A": Interrupted()})


def test_a_device_that_is_none(tmp_path):
    message = "device 'tpu' is unknown; a device is cpu, cuda, hip"
    with pytest.raises(ValueError, match=message):
        runtime.load(tmp_path / "kernel.so", device="tpu")


def test_files_that_are_no_artifacts(tmp_path):
    with pytest.raises(runtime.ArtifactError, match="No such file"):
        runtime.load(tmp_path / "missing.so")
    (tmp_path / "text.so").write_text("hello")
    with pytest.raises(runtime.ArtifactError, match="is not a shared object"):
        runtime.load(str(tmp_path / "text.so"))
    with pytest.raises(TypeError):
        runtime.load(3)


def test_no_warning_is_given(gemm):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gemm(**_good())
