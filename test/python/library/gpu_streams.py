"""Run by test_wheel.py where libcuda.so.1 is the emulator's: arrays in a GPU's
memory, streams of the driver.

usage: gpu_streams.py FOLDER

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import array
import ctypes
import sys

[folder] = sys.argv[1:]
sys.path.insert(0, folder)

import sample  # noqa: E402

library = ctypes.CDLL(f"{folder}/sample/libsample.so")
device = ctypes.c_void_p()
assert library.sample_device_open(b"cuda", ctypes.byref(device)) == 0
COUNT = 1000


class Array:
    """32-bit integers in the device's memory."""

    def __init__(self, values):
        host = array.array("i", values)
        memory = ctypes.c_void_p()
        library.sample_memory_allocate(device, ctypes.c_uint64(4 * COUNT), ctypes.byref(memory))
        self.address = memory
        self._copy(memory, host.buffer_info()[0])
        self.__cuda_array_interface__ = {
            "version": 3, "typestr": "<i4", "shape": (COUNT,), "data": (memory.value, False),
        }  # fmt: skip

    def _copy(self, to, source):
        size = ctypes.c_uint64(4 * COUNT)
        source = ctypes.c_void_p(getattr(source, "value", source))
        assert library.sample_memory_copy(device, None, to, source, size) == 0

    def values(self):
        """Copied back."""
        host = array.array("i", bytes(4 * COUNT))
        self._copy(ctypes.c_void_p(host.buffer_info()[0]), self.address)
        return list(host)


class TorchStream:
    """What is used of PyTorch's."""

    def __init__(self, handle):
        self.cuda_stream = handle


driver = ctypes.CDLL("libcuda.so.1")
context, handle = ctypes.c_void_p(), ctypes.c_void_p()
assert driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
assert driver.cuCtxSetCurrent(context) == 0
assert driver.cuStreamCreate(ctypes.byref(handle), 0) == 0

X, Y = Array(range(COUNT)), Array([1] * COUNT)
sample.accumulate(X, Y)
for stream in (handle.value, TorchStream(handle.value), 0, None):
    sample.accumulate(X, Y, stream=stream)
    assert driver.cuStreamSynchronize(handle) == 0
assert "cuda:sm_80" in sample.accumulate_explain(X, Y, stream=handle.value)
assert Y.values() == [1 + 5 * x for x in range(COUNT)]
print("done")
