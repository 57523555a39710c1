"""Arrays of the host for kernels of GPUs: what is copied, and what may change.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import runtime

from .artifacts import Scalar, Symbol, Tensor
from .gpu_artifacts import ADD_BODY, ADD_PARAMS, N

DEVICES = ["cuda-emulator:sm_80", "hip-emulator:gfx942"]

# scale(A, by, C): C = by * A, of any strides.
SIZES = [Symbol("m"), Symbol("n")]
SCALE_PARAMS = [
    Tensor("A", "f32", ["m", "n"], strides=["any", "any"]),
    Scalar("by", "f32"),
    Tensor("C", "f32", ["m", "n"], "w", strides=["any", "any"], alias="A"),
]
SCALE_BODY = """
  uint32_t by = (uint32_t)words[5];
  pack_word(&p, words[0]);
  pack_word(&p, words[6]);
  pack(&p, &by, 4);
  pack_word(&p, words[1]);
  pack_word(&p, words[2]);
  pack_word(&p, words[3]);
  pack_word(&p, words[4]);
  pack_word(&p, words[9]);
  pack_word(&p, words[10]);
  return start(host, context, "scale", (words[1] * words[2] + 127) / 128, 0, &p);
"""


@pytest.fixture(params=DEVICES)
def gpu(request) -> str:
    return request.param


@pytest.fixture
def scale(gpu_artifact, gpu):
    path = gpu_artifact(SCALE_PARAMS, SIZES, SCALE_BODY, name="scale")
    return runtime.load(path, None, gpu)


def _numbers(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 1


VIEWS = {
    "contiguous": lambda x: x[:],
    "transposed": lambda x: x.T,
    "columns": lambda x: x[:, 1:4],
    "every third row": lambda x: x[::3],
    "rows backwards": lambda x: x[::-1],
    "both backwards": lambda x: x[::-2, ::-3],
    "transposed backwards": lambda x: x.T[::-1, 2:],
    "one element": lambda x: x[2:3, 4:5],
    "one column": lambda x: x[:, 3:4],
    "no rows": lambda x: x[:0],
    "no columns": lambda x: x[:, :0],
}


@pytest.mark.parametrize("view", VIEWS)
def test_views(scale, view):
    source, target = _numbers(7, 9), _numbers(7, 9) * 100
    a, expected = VIEWS[view](source), target.copy()
    VIEWS[view](expected)[...] = a * 2
    before = source.copy()
    scale(a, 2, VIEWS[view](target))
    np.testing.assert_array_equal(target, expected)  # and no other element has changed
    np.testing.assert_array_equal(source, before)


def test_a_dense_result_of_a_view(scale):
    source, c = _numbers(8, 6), np.full((6, 4), np.nan, np.float32)
    scale(source[::2].T, 0.5, c)
    np.testing.assert_array_equal(c, source[::2].T * 0.5)


def test_broadcast(scale):
    row, c = _numbers(1, 5), np.empty((4, 5), np.float32)
    scale(np.broadcast_to(row, (4, 5)), 3, c)
    np.testing.assert_array_equal(c, np.broadcast_to(row * 3, (4, 5)))


def test_in_place(scale):
    """C may be A: it is one copy on the device, and one array here."""
    a = _numbers(5, 7)
    scale(a, 2, a)
    np.testing.assert_array_equal(a, _numbers(5, 7) * 2)
    half = a[:, ::2]
    scale(half, 2, half)
    expected = _numbers(5, 7) * 2
    expected[:, ::2] *= 2
    np.testing.assert_array_equal(a, expected)


def test_halves_of_one_array(scale):
    """Their spans overlap; they share no element."""
    x = _numbers(6, 8)
    scale(x[:, :4], 10, x[:, 4:])
    np.testing.assert_array_equal(x[:, 4:], _numbers(6, 8)[:, :4] * 10)
    np.testing.assert_array_equal(x[:, :4], _numbers(6, 8)[:, :4])


def test_the_same_memory_twice(gpu_artifact, gpu):
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    x = np.arange(20, dtype=np.float32)
    np.testing.assert_array_equal(add(x, x), 2 * x)
    np.testing.assert_array_equal(add(x[:15], x[5:]), x[:15] + x[5:])


def test_read_only(scale):
    a, c = _numbers(3, 3), np.empty((3, 3), np.float32)
    a.flags.writeable = False
    scale(a, 1, c)
    np.testing.assert_array_equal(c, a)
    with pytest.raises(runtime.LaunchError, match="'C' is read-only"):
        scale(c, 1, a)


def test_what_a_kernel_leaves_alone_stays(gpu_artifact, gpu):
    """A kernel that only writes a tensor need not write all of it."""
    path = gpu_artifact(
        [Tensor("A", "f32", ["n"]), Tensor("C", "f32", ["n"], "w")],
        N,
        """
  pack_word(&p, words[3]);
  pack_word(&p, words[0]);
  pack_word(&p, words[3]);
  pack_word(&p, words[1] - 4);
  return start(host, context, "add", (words[1] + 127) / 128, 0, &p);
""",
        name="accumulate",
    )
    c = np.arange(9, dtype=np.float32)
    runtime.load(path, None, gpu)(np.ones(9, np.float32), c)
    assert np.array_equal(c, [1, 2, 3, 4, 5, 5, 6, 7, 8])


def test_torch_views(scale):
    torch = pytest.importorskip("torch")
    x = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    c = torch.zeros(6, 8)
    scale(x.T, 3, c[:, ::2])
    assert torch.equal(c[:, ::2], x.T * 3)
    assert torch.equal(c[:, 1::2], torch.zeros(6, 4))


@pytest.fixture
def wide_sum(gpu):
    n = T.dynamic("n")

    @T.prim_func
    def wide_sum(
        A: T.Tensor((n, 512), "float32"),
        B: T.Tensor((n, 512), "float32"),
        C: T.Tensor((n, 512), "float32"),
    ):
        with T.Kernel(n, threads=128) as b:
            for i in T.Parallel(512):
                C[b, i] = A[b, i] + B[b, i]

    return tilewright.compile(wide_sum, target=gpu)


@pytest.mark.parametrize("off", [0, 1, 2, 3])
def test_arrays_need_no_alignment_but_their_elements(wide_sum, off):
    """Threads take 16 bytes at once, and copies on the device are aligned for that."""
    assert "simt.width = 4" in wide_sum.ir("vectorize-accesses")
    a = _numbers(3 * 512 + off)[off:].reshape(3, 512)
    b = _numbers(3 * 512 + 3 - off)[3 - off :].reshape(3, 512)
    c = np.full(3 * 512 + off, np.nan, np.float32)[off:].reshape(3, 512)
    wide_sum(a, b, c)
    assert np.array_equal(c, a + b)


def test_arrays_that_share_memory_keep_their_distance(wide_sum):
    whole, c = _numbers(4 * 512), np.full((3, 512), np.nan, np.float32)
    a, b, shifted = (whole[i : i + 1536].reshape(3, 512) for i in (0, 4, 5))
    wide_sum(a, b, c)
    assert np.array_equal(c, a + b)
    with pytest.raises(
        tilewright.LaunchError,
        match="'B' shares memory with another one, and in a copy of both",
    ):
        wide_sum(a, shifted, c)
