"""Triton's kernels through Triton's own launchers, on the stand-ins for drivers.

usage: triton_launch.py cuda|hip

No PyTorch: arrays are NumPy's, copied through the driver's calls. For CUDA run with the folder
of the stand-in in LD_LIBRARY_PATH and TRITON_LIBCUDA_PATH, and its `ptxas` in
TRITON_PTXAS_PATH; for HIP with the stand-in in TRITON_LIBHIP_PATH.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, NamedTuple

import numpy as np


class _NoTorch:
    """Hides PyTorch. Triton asks it, where it is there, for the current device and stream,
    and a PyTorch for CPUs has none; without it Triton asks the driver."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("PyTorch is hidden", name=name)


sys.meta_path.insert(0, _NoTorch())

import triton  # noqa: E402
import triton.language as tl  # noqa: E402
from triton.tools.tensor_descriptor import TensorDescriptor  # noqa: E402


class Calls(NamedTuple):
    """What a vendor's driver names the calls that are made here."""

    library: str
    allocate: str
    to_device: str
    to_host: str
    synchronize: str


CALLS = {
    "cuda": Calls(
        "libcuda.so.1", "cuMemAlloc_v2", "cuMemcpyHtoD_v2", "cuMemcpyDtoH_v2",
        "cuCtxSynchronize",
    ),
    "hip": Calls(
        os.environ.get("TRITON_LIBHIP_PATH", ""), "hipMalloc", "hipMemcpyHtoD",
        "hipMemcpyDtoH", "hipDeviceSynchronize",
    ),
}  # fmt: skip
VENDOR = sys.argv[1]
_calls = CALLS[VENDOR]
_library = ctypes.CDLL(_calls.library)


def call(name: str, *arguments: Any) -> None:
    """Makes a call and raises what the driver answered."""
    if result := getattr(_library, name)(*arguments):
        raise RuntimeError(f"{name}: {result}")


def hip_driver() -> Any:
    """Triton's class for HIP, which asks PyTorch which device and stream are current; here
    HIP itself is asked."""
    from triton.backends.amd.driver import HIPDriver, HIPLauncher, HIPUtils

    class Driver(HIPDriver):
        def __init__(self) -> None:
            self.utils = HIPUtils()
            self.launcher_cls = HIPLauncher

        def get_current_device(self) -> int:
            device = ctypes.c_int()
            call("hipGetDevice", ctypes.byref(device))
            return device.value

        def get_current_stream(self, _: int) -> int:
            return 0

    return Driver()


class Array:
    """A NumPy array's copy in the device's memory, as Triton's launcher takes it."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = np.ascontiguousarray(values)
        self.dtype = {"float32": tl.float32, "float16": tl.float16}[values.dtype.name]
        address = ctypes.c_uint64()
        call(_calls.allocate, ctypes.byref(address), ctypes.c_size_t(values.nbytes))
        self.address = address.value
        call(
            _calls.to_device,
            ctypes.c_uint64(self.address),
            ctypes.c_void_p(self.values.ctypes.data),
            ctypes.c_size_t(values.nbytes),
        )

    def data_ptr(self) -> int:
        return self.address

    def numpy(self) -> np.ndarray:
        call(_calls.synchronize)
        out = np.empty_like(self.values)
        call(
            _calls.to_host,
            ctypes.c_void_p(out.ctypes.data),
            ctypes.c_uint64(self.address),
            ctypes.c_size_t(out.nbytes),
        )
        return out


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    total = tl.load(x + at, mask=inside) + tl.load(y + at, mask=inside)
    tl.store(out + at, total, mask=inside)


@triton.jit
def softmax(x, out, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    values = tl.load(x + row * columns + at, mask=at < columns, other=-float("inf"))
    powers = tl.exp(values - tl.max(values, axis=0))
    tl.store(out + row * columns + at, powers / tl.sum(powers, axis=0), mask=at < columns)


@triton.jit
def matmul(a, b, c, K, M: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr):
    rows, columns, inner = tl.arange(0, M), tl.arange(0, N), tl.arange(0, BLOCK)
    total = tl.zeros((M, N), tl.float32)
    for k in range(0, K, BLOCK):
        left = tl.load(a + rows[:, None] * K + k + inner[None, :])
        right = tl.load(b + (k + inner[:, None]) * N + columns[None, :])
        total = tl.dot(left, right, total)
    tl.store(c + rows[:, None] * N + columns[None, :], total)


@triton.jit
def copy_tiles(source, target, M: tl.constexpr, N: tl.constexpr):
    row, column = tl.program_id(0) * M, tl.program_id(1) * N
    target.store([row, column], source.load([row, column]) + 1)


def main() -> None:
    """Runs the kernels and compares them with NumPy."""
    if VENDOR == "hip":
        triton.runtime.driver.set_active(hip_driver())
    driver: Any = triton.runtime.driver.active
    device = driver.get_current_device()
    print("target", driver.get_current_target(), "stream", driver.get_current_stream(device))
    random = np.random.default_rng(0)

    x, y = random.standard_normal((2, 1000)).astype(np.float32)
    out = Array(np.zeros_like(x))
    add[(8,)](Array(x), Array(y), out, x.size, BLOCK=128)
    assert (out.numpy() == x + y).all()
    print("add")

    x = random.standard_normal((17, 100)).astype(np.float32)
    out = Array(np.zeros_like(x))
    softmax[(17,)](Array(x), out, 100, BLOCK=128)
    powers = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    assert np.abs(out.numpy() - powers / powers.sum(1, keepdims=True)).max() < 1e-6
    print("softmax")

    a = random.standard_normal((64, 128)).astype(np.float16)
    b = random.standard_normal((128, 64)).astype(np.float16)
    c = Array(np.zeros((64, 64), np.float32))
    matmul[(1,)](Array(a), Array(b), c, 128, M=64, N=64, BLOCK=32, num_warps=4)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    assert np.abs(c.numpy() - exact).max() < 1e-4
    print("matmul")

    if VENDOR == "cuda" and driver.get_current_target().arch >= 90:
        x = random.standard_normal((48, 80)).astype(np.float32)
        out = Array(np.zeros_like(x))
        maps = [TensorDescriptor(a, [48, 80], [80, 1], [32, 32]) for a in (Array(x), out)]
        copy_tiles[(2, 3)](*maps, M=32, N=32)
        assert (out.numpy() == x + 1).all()
        print("copy_tiles")


if __name__ == "__main__":
    main()
