"""Run by test_wheel.py with a Python that has the sample package alone: arrays are made from
Python's own.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import array
import importlib.util
import inspect
import sys

for name in ("numpy", "torch", "tilewright"):
    assert importlib.util.find_spec(name) is None, name

import sample  # noqa: E402

assert {"torch", "ml_dtypes"}.isdisjoint(sys.modules)
assert sample.__version__ == "1.2.0"


class Array:
    """The least that an array needs."""

    def __init__(self, memory, shape, typestr="<f4", read_only=False, **more):
        self.memory = memory
        address = memory.buffer_info()[0]
        described = {"version": 3, "typestr": typestr, "shape": shape}
        self.__array_interface__ = described | {"data": (address, read_only)} | more


def fails(kind, text, call, *arguments, **named):
    """The call raises `kind` with `text` in its message."""
    raised = None
    try:
        call(*arguments, **named)
    except kind as error:
        raised = error
    assert type(raised) is kind, f"{text}: {raised!r}"
    assert text in str(raised), raised


x = array.array("f", range(6))
y = array.array("f", [-1.0] * 6)
X, Y = Array(x, (3, 2)), Array(y, (3, 2))

sample.affine(X, Y, 2.0, -1, True)
assert list(y) == [2.0 * v - 1 for v in x]
sample.affine(X=X, Y=Y, scale=2, shift=0, on=0)
assert list(y) == list(x)
# Strides of any kind: X transposed.
sample.affine(Array(x, (2, 3), strides=(4, 8)), Array(y, (2, 3)), 1, 0, False)
assert list(y) == [0, 2, 4, 1, 3, 5]
ints = array.array("i", [1, 2, 3])
more = array.array("i", [10, 20, 30])
sample.accumulate(Array(ints, (3,), "<i4", read_only=True), Array(more, (3,), "<i4"))
assert list(more) == [11, 22, 33]

assert list(inspect.signature(sample.affine).parameters)[:3] == ["X", "Y", "scale"]
assert "Y: float32 [m, n], written" in sample.affine.__doc__
why = sample.affine_explain(X, Y, 1, 1, True)
assert "build f32" in why
assert "cpu:x86-64-v3" in why
assert sample.affine_workspace(X, Y, 1, 1, True) >= 0

fails(TypeError, "argument 'X' is list; it takes arrays with", sample.affine, [1], Y, 1, 1, 1)
fails(TypeError, "argument 'shift' is 0.5", sample.affine, X, Y, 1, 0.5, True)
fails(ValueError, "which a C int32 cannot", sample.affine, X, Y, 1, 1 << 31, True)
fails(ValueError, "which a C float cannot", sample.affine, X, Y, 1e300, 1, True)
sample.affine(X, Y, float("inf"), 1, False)
frozen = Array(y, (3, 2), read_only=True)
fails(ValueError, "argument 'Y' is read-only", sample.affine, X, frozen, 1, 1, True)
sample.affine(frozen, Array(array.array("f", y), (3, 2)), 1, 1, True)
fails(ValueError, "none of its 2 builds", sample.affine, X, Array(y, (2, 2)), 1, 1, True)
fails(TypeError, "elements of the type '>f4'", sample.affine, Array(x, (6,), ">f4"), Y, 1, 1, 1)
fails(
    ValueError, "no whole numbers", sample.affine, Array(x, (3, 1), strides=(6, 4)), Y, 1, 1, 1
)
fails(TypeError, "no address", sample.affine, Array(x, (3, 2), data=None), Y, 1, 1, True)
fails(ValueError, "no array is in a GPU's", sample.affine, X, Y, 1, 1, True, stream=7)
fails(TypeError, "stream is 'x'", sample.affine, X, Y, 1, 1, True, stream="x")
fails(ValueError, "device 'tpu' is unknown", sample.Stream, "tpu")
stream = sample.Stream("cpu")
sample.affine(X, Y, 3.0, 0, True, stream=stream)
stream.synchronize()
assert list(y) == [3 * v for v in x]

sample.choose("affine", "bf16")
fails(ValueError, "argument 'X'", sample.affine, X, Y, 1, 1, True)
sample.choose("affine", None)
sample.affine(X, Y, 1, 1, True)
fails(ValueError, "there is no build 'f64'", sample.choose, "affine", "f64")
print("done")
