"""Tensors in an emulated GPU's memory, of a library that is none, and the stand-in for the
GPU's driver, by its calls.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64
from ctypes import c_void_p as address

import numpy as np

from tilewright import runtime

from .test_symbols import BUILD

# By what they are called here: CUDA's name and HIP's.
CALLS = {
    "allocate": ("cuMemAlloc_v2", "hipMalloc"),
    "free": ("cuMemFree_v2", "hipFree"),
    "info": ("cuMemGetInfo_v2", "hipMemGetInfo"),
    "upload": ("cuMemcpyHtoD_v2", "hipMemcpyHtoD"),
    "download": ("cuMemcpyDtoH_v2", "hipMemcpyDtoH"),
    "create_stream": ("cuStreamCreate", "hipStreamCreateWithFlags"),
    "destroy_stream": ("cuStreamDestroy_v2", "hipStreamDestroy"),
    "synchronize": ("cuStreamSynchronize", "hipStreamSynchronize"),
    "begin": ("cuStreamBeginCapture_v2", "hipStreamBeginCapture"),
    "end": ("cuStreamEndCapture", "hipStreamEndCapture"),
    "is_capturing": ("cuStreamIsCapturing", "hipStreamIsCapturing"),
    "instantiate": ("cuGraphInstantiateWithFlags", "hipGraphInstantiateWithFlags"),
    "launch": ("cuGraphLaunch", "hipGraphLaunch"),
    "destroy_executable": ("cuGraphExecDestroy", "hipGraphExecDestroy"),
    "destroy_graph": ("cuGraphDestroy", "hipGraphDestroy"),
}
BLOCKING, NON_BLOCKING = 0, 1
GLOBAL = 0
NONE, ACTIVE, INVALIDATED = range(3)


class Driver:
    """The stand-in that the runtime of this process uses for a device. Methods are those of
    CALLS; they raise RuntimeError with the driver's number of an error."""

    def __init__(self, device: str) -> None:
        info = runtime.device_info(device)
        self.device_type, self.device_id = info["device_type"], info["device_id"]
        self.is_cuda = device.startswith("cuda")
        vendor = "cuda" if self.is_cuda else "hip"
        self.library = ctypes.CDLL(str(BUILD / f"lib/libtilewright_{vendor}_driver.so"))
        self.context = address()
        if self.is_cuda:
            assert not self.library.cuDevicePrimaryCtxRetain(
                byref(self.context), self.device_id
            )

    def __getattr__(self, name: str):
        function = getattr(self.library, CALLS[name][not self.is_cuda])

        def call(*arguments: object) -> None:
            if self.is_cuda:
                self.library.cuCtxSetCurrent(self.context)
            else:
                self.library.hipSetDevice(self.device_id)
            if result := function(*arguments):
                raise RuntimeError(f"{name}: {result}")

        return call

    def stream(self, flags: int = NON_BLOCKING) -> address:
        """A new stream."""
        made = address()
        self.create_stream(byref(made), c_uint32(flags))
        return made

    def status(self, stream: address) -> int:
        """Whether a stream captures."""
        state = c_int32()
        self.is_capturing(stream, byref(state))
        return state.value

    def used(self) -> int:
        """Bytes of the device's memory."""
        free, total = c_uint64(), c_uint64()
        self.info(byref(free), byref(total))
        return total.value - free.value


class _Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_ = [
        ("data", address), ("device_type", c_int32), ("device_id", c_int32), ("rank", c_int32),
        ("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16), ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)), ("offset", c_uint64),
    ]  # fmt: skip


class _Api(ctypes.Structure):
    """DLPackExchangeAPI, with what launches call."""

    _fields_ = [
        ("major", c_uint32), ("minor", c_uint32), ("previous", address), ("allocate", address),
        ("export_owned", address), ("import_", address), ("export_borrowed", address),
        ("current_stream", address),
    ]  # fmt: skip


@ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, POINTER(_Tensor))
def _export_borrowed(array: Array, tensor) -> int:
    fields = (array.memory.value, array.driver.device_type, array.driver.device_id, 1, 2, 32, 1,
              array.shape, array.strides, 0)  # fmt: skip
    tensor[0] = _Tensor(*fields)
    return 0


@ctypes.PYFUNCTYPE(ctypes.c_int, c_int32, c_int32, POINTER(address))
def _current_stream(device_type: int, device_id: int, stream) -> int:
    stream[0] = Array.current_stream
    return 0


_api = _Api(1, 0, None, None, None, None, ctypes.cast(_export_borrowed, address),
            ctypes.cast(_current_stream, address))  # fmt: skip
_API_NAME = b"dlpack_exchange_api"  # which the capsule does not copy
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [address, ctypes.c_char_p, address]


class Array:
    """A vector of float32 in a device's memory. As PyTorch, its library has a current stream,
    to which launches go: null is the default one."""

    __dlpack_c_exchange_api__ = _new_capsule(ctypes.addressof(_api), _API_NAME, None)
    current_stream = address()

    def __init__(self, driver: Driver, values: np.ndarray) -> None:
        self.driver, self.count, self.memory = driver, len(values), address()
        self.shape, self.strides = (c_int64 * 1)(self.count), (c_int64 * 1)(1)
        driver.allocate(byref(self.memory), c_uint64(4 * self.count))
        self.write(values)

    def __del__(self) -> None:
        self.driver.free(self.memory)

    def write(self, values: np.ndarray | float) -> None:
        """Puts values into it, behind all work of the default stream."""
        values = np.full(self.count, values, np.float32) if np.isscalar(values) else values
        assert values.dtype == np.float32
        self.driver.upload(self.memory, address(values.ctypes.data), c_uint64(values.nbytes))

    def read(self) -> np.ndarray:
        """What is in it."""
        values = np.empty(self.count, np.float32)
        self.driver.download(address(values.ctypes.data), self.memory, c_uint64(values.nbytes))
        return values
