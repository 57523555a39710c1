"""The part of the CUDA driver that jobs and timed launches need, through ctypes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from typing import Any

import numpy as np
from jobs import Job, Launch, Result, changed

_LOG_BYTES = 1 << 16
# Of CUjit_option, CUlaunchAttributeID and CUfunction_attribute.
_ERROR_LOG, _ERROR_LOG_BYTES = 5, 6
_COOPERATIVE, _CLUSTER = 2, 4
_DYNAMIC_SHARED = 8

Grid = tuple[int, int, int]


class DriverError(Exception):
    """A call of the driver that failed; `fatal` where the context is of no use after it."""

    def __init__(self, call: str, name: str, log: str = "") -> None:
        super().__init__(f"{call}: {name}{': ' + log if log else ''}")
        self.fatal = call in ("cuCtxSynchronize", "cuMemcpyDtoH_v2", "cuMemAlloc_v2")


class _Attribute(ctypes.Structure):
    _fields_ = (("id", c_uint), ("pad", c_uint), ("value", c_uint32 * 16))


class _LaunchConfig(ctypes.Structure):
    _fields_ = (
        ("grid", c_uint * 3), ("block", c_uint * 3), ("shared", c_uint), ("stream", c_void_p),
        ("attributes", ctypes.POINTER(_Attribute)), ("count", c_uint),
    )  # fmt: skip


class Driver:
    """Device 0 of a driver, `library` its name or path."""

    def __init__(self, library: str = "libcuda.so.1") -> None:
        self._api = ctypes.CDLL(library)
        self._call("cuInit", 0)
        self._call("cuDeviceGet", byref(device := c_int()), 0)
        self._device = device
        self._call("cuDevicePrimaryCtxRetain", byref(context := c_void_p()), device)
        self._call("cuCtxSetCurrent", context)

    def facts(self) -> dict[str, Any]:
        """What results are to be read with: the device's name, its compute capability, and
        the CUDA version that the driver is for."""
        name = ctypes.create_string_buffer(256)
        self._call("cuDeviceGetName", name, 256, self._device)
        self._call("cuDriverGetVersion", byref(version := c_int()))
        capability = []
        for attribute in (75, 76):
            self._call("cuDeviceGetAttribute", byref(got := c_int()), attribute, self._device)
            capability.append(got.value)
        return {
            "device": name.value.decode(),
            "capability": capability,
            "cuda": f"{version.value // 1000}.{version.value % 1000 // 10}",
        }

    def run(self, job: Job) -> Result:
        """Runs a job. DriverError where a call fails."""
        module = self.load(job.ptx.encode())
        addresses = [self.put(one) for one in job.buffers]
        try:
            for launch in job.launches:
                self._launch(module, launch, addresses)
            self._call("cuCtxSynchronize")
            after = []
            for address, before in zip(addresses, job.buffers):
                one = np.empty(before.nbytes, np.uint8)
                if one.nbytes:
                    self.get(address, one)
                after.append(one)
        finally:
            for address in addresses:
                self._api.cuMemFree_v2(address)
            self._api.cuModuleUnload(module)
        return Result(job.name, job.digest(), changed(job, after))

    def tensor_map(
        self,
        address: c_uint64,
        element: int,
        sizes: Sequence[int],
        strides: Sequence[int],
        element_strides: Sequence[int],
        interleave: int,
        swizzle: int,
        fill: int,
        box: Sequence[int] = (),
        pixels: Sequence[Any] = (),
    ) -> bytes:
        """The 128 bytes of a tensor map, dimensions from the inner one on; `pixels` instead of
        `box` are the lower corner, the upper one, channels and pixels of an im2col map.
        Enumerations are the driver's numbers."""
        rank = len(sizes)
        raw = ctypes.create_string_buffer(128 + 64)
        at = (ctypes.addressof(raw) + 63) // 64 * 64
        head = (c_void_p(at), c_uint(element), c_uint(rank), address,
                (c_uint64 * rank)(*sizes), (c_uint64 * max(rank - 1, 1))(*strides))  # fmt: skip
        tail = ((c_uint32 * rank)(*element_strides), c_uint(interleave), c_uint(swizzle),
                c_uint(0), c_uint(fill))  # fmt: skip
        if pixels:
            lower, upper, channels, count = pixels
            corner = c_int * max(rank - 2, 1)
            self._call("cuTensorMapEncodeIm2col", *head, corner(*lower), corner(*upper),
                       c_uint(channels), c_uint(count), *tail)  # fmt: skip
        else:
            self._call("cuTensorMapEncodeTiled", *head, (c_uint32 * rank)(*box), *tail)
        return ctypes.string_at(at, 128)

    def load(self, code: bytes) -> c_void_p:
        """A module of PTX or of a cubin."""
        log = ctypes.create_string_buffer(_LOG_BYTES)
        options = (c_uint * 2)(_ERROR_LOG, _ERROR_LOG_BYTES)
        values = (c_void_p * 2)(ctypes.addressof(log), _LOG_BYTES)
        module = c_void_p()
        status = self._api.cuModuleLoadDataEx(byref(module), c_char_p(code), 2, options, values)
        self._check("cuModuleLoadDataEx", status, log.value.decode(errors="replace"))
        return module

    def put(self, data: np.ndarray) -> c_uint64:
        """The address of a copy of an array; it stays until `free`."""
        address = c_uint64()
        self._call("cuMemAlloc_v2", byref(address), c_size_t(max(data.nbytes, 1)))
        if data.nbytes:
            data = np.ascontiguousarray(data)
            self._call("cuMemcpyHtoD_v2", address, data.ctypes.data_as(c_void_p),
                       c_size_t(data.nbytes))  # fmt: skip
        return address

    def get(self, address: c_uint64, into: np.ndarray) -> None:
        """Copies memory from an address into a contiguous array."""
        self._call("cuMemcpyDtoH_v2", into.ctypes.data_as(c_void_p), address,
                   c_size_t(into.nbytes))  # fmt: skip

    def clear(self, address: c_uint64, count: int) -> None:
        """Writes zeros to bytes from an address on."""
        self._call("cuMemsetD8_v2", address, ctypes.c_ubyte(0), c_size_t(count))

    def free(self, address: c_uint64) -> None:
        """Gives back what `put` made."""
        self._call("cuMemFree_v2", address)

    def function(self, module: c_void_p, kernel: str, shared: int = 0) -> c_void_p:
        """A kernel of a module that is to be launched with bytes of dynamic shared memory."""
        function = c_void_p()
        self._call("cuModuleGetFunction", byref(function), module, kernel.encode())
        if shared:
            self._call("cuFuncSetAttribute", function, _DYNAMIC_SHARED, shared)
        return function

    def seconds(self, call: Callable[[], None]) -> float:
        """What the launches of `call` take, by events."""
        events = (c_void_p(), c_void_p())
        for event in events:
            self._call("cuEventCreate", byref(event), c_uint(0))
        try:
            self._call("cuEventRecord", events[0], None)
            call()
            self._call("cuEventRecord", events[1], None)
            self._call("cuEventSynchronize", events[1])
            self._call("cuEventElapsedTime", byref(taken := ctypes.c_float()), *events)
        finally:
            for event in events:
                self._call("cuEventDestroy_v2", event)
        return taken.value / 1e3

    def _launch(self, module: c_void_p, launch: Launch, addresses: list[c_uint64]) -> None:
        function = self.function(module, launch.kernel, launch.shared)
        values = [self._argument(one, addresses) for one in launch.args]
        attributes = (_Attribute * 2)()
        count = 0
        if launch.cluster != (1, 1, 1):
            attributes[count].id = _CLUSTER
            attributes[count].value[:3] = launch.cluster
            count += 1
        if launch.cooperative:
            attributes[count].id = _COOPERATIVE
            attributes[count].value[0] = 1
            count += 1
        config = _LaunchConfig(
            launch.grid, launch.block, launch.shared, None, attributes, count
        )
        self._start(function, config, values)

    def launch(
        self, function: c_void_p, grid: Grid, block: int, shared: int, values: list[Any]
    ) -> None:
        """Starts a kernel; `values` are ctypes objects that hold its arguments."""
        config = _LaunchConfig(grid, (block, 1, 1), shared, None, None, 0)
        self._start(function, config, values)

    def _start(self, function: c_void_p, config: _LaunchConfig, values: list[Any]) -> None:
        pointers = (c_void_p * max(len(values), 1))(*(ctypes.addressof(v) for v in values))
        self._call("cuLaunchKernelEx", byref(config), function, pointers, None)

    def _argument(self, given: list[Any], addresses: list[c_uint64]) -> Any:
        """Memory that holds an argument."""
        kind, *rest = given
        if kind == "buffer":
            return c_uint64(addresses[rest[0]].value + rest[1])
        if kind == "map":
            options = dict(rest[0])
            data = self.tensor_map(addresses[options.pop("buffer")], **options)
        else:
            data = bytes.fromhex(rest[0])
        return ctypes.create_string_buffer(data, len(data))

    def _call(self, name: str, *args: Any) -> None:
        self._check(name, getattr(self._api, name)(*args))

    def _check(self, call: str, status: int, log: str = "") -> None:
        if status:
            name = c_char_p()
            self._api.cuGetErrorName(status, byref(name))
            raise DriverError(call, (name.value or str(status).encode()).decode(), log)
