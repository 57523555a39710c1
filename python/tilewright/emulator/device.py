"""A device, and arrays in its memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import json
import math
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from tilewright.emulator import library
from tilewright.emulator.faults import check, take_text
from tilewright.emulator.library import DeviceOptions
from tilewright.emulator.module import Module
from tilewright.emulator.tensor_map import Pixels, TensorMap, encode


class Device:
    """An emulated GPU: its architecture, its memory, and what is checked.

    `arch` is "sm_80", "sm_86", "sm_89", "sm_90" or "sm_90a". Warps and blocks go in
    `order`: "forward", "reverse", or shuffled by an integer seed. `threads` of the host run
    blocks (all CPUs where None). `max_steps` ends a launch one warp of which executes more
    instructions. `memory_bytes` may be allocated at once (a quarter of the host's, where
    None). `multiprocessors` is what programs are told that there are.

    Checked is, beside what every run needs to go on: that undefined data reaches no address,
    branch or host (`uninitialised`); that accesses to shared memory are ordered
    (`shared_races`), those of the lanes of one NVIDIA warp among them (`lane_races`), and,
    where asked for, those to global memory (`global_races`); that memory crosses between
    ordinary and asynchronous instructions by a fence (`proxy_fences`). For `report`,
    `statistics` counts by line of the text, and `time_products` measures the time in matrix
    instructions.
    """

    def __init__(
        self,
        arch: str,
        order: str | int = "forward",
        threads: int | None = None,
        *,
        uninitialised: bool = True,
        shared_races: bool = True,
        lane_races: bool = True,
        proxy_fences: bool = True,
        global_races: bool = False,
        statistics: bool = False,
        time_products: bool = False,
        max_steps: int = 0,
        memory_bytes: int | None = None,
        multiprocessors: int = 132,
    ) -> None:
        checks = (
            (0 if uninitialised else library.NO_UNINITIALISED)
            | (0 if shared_races else library.NO_SHARED_RACES)
            | (0 if lane_races else library.NO_LANE_RACES)
            | (0 if proxy_fences else library.NO_PROXY_FENCES)
            | (library.GLOBAL_RACES if global_races else 0)
            | (library.COUNT_BY_LINE if statistics else 0)
            | (library.TIME_PRODUCTS if time_products else 0)
        )
        if isinstance(order, str) and order not in library.ORDERS:
            raise ValueError(f"order is 'forward', 'reverse' or a seed, not {order!r}")
        for name, given, most in (
            ("threads", threads, 2**32),
            ("max_steps", max_steps, 2**64),
            ("memory_bytes", memory_bytes, 2**64),
            ("multiprocessors", multiprocessors, 2**32),
        ):
            if not 0 <= (given or 0) < most:
                raise ValueError(f"{name} is a number from 0 on, not {given}")
        shuffled = not isinstance(order, str)
        options = DeviceOptions(
            arch=arch.encode(),
            memory_bytes=memory_bytes or 0,
            threads=threads or 0,
            checks=checks,
            order=library.SHUFFLED if shuffled else library.ORDERS[order],
            seed=int(order) % 2**64 if shuffled else 0,
            multiprocessors=multiprocessors,
            max_steps=max_steps,
        )
        api = self._api = library.load(library.vendor_of(arch))
        self._handle = ctypes.c_void_p()
        status = api.tw_emulator_device_create(
            ctypes.byref(options), ctypes.byref(self._handle)
        )
        check(api, status)
        self._finalizer = weakref.finalize(self, api.tw_emulator_device_destroy, self._handle)
        self._output = ""
        self.arch = arch

    def __repr__(self) -> str:
        return f"Device({self.arch!r})"

    def array(self, values: Any, name: str = "") -> Buffer:
        """A copy of an array in the device's memory; `name` is what reports call it."""
        values = np.asarray(values)
        buffer = self.empty(values.shape, values.dtype, name)
        buffer.write(values)
        return buffer

    def empty(
        self, shape: int | Sequence[int], dtype: Any = np.float32, name: str = ""
    ) -> Buffer:
        """Memory that nothing has written: what a program computes from it is undefined."""
        return Buffer(self, shape, dtype, name)

    def zeros(
        self, shape: int | Sequence[int], dtype: Any = np.float32, name: str = ""
    ) -> Buffer:
        """Memory that holds zeros."""
        buffer = self.empty(shape, dtype, name)
        buffer.write(np.zeros(buffer.shape, buffer.dtype))
        return buffer

    def load(self, ptx: str | bytes) -> Module:
        """Loads PTX text. PtxError where it is none, is for another device, or uses what is
        not modelled."""
        return Module(self, ptx)

    def tensor_map(
        self,
        buffer: Buffer | int,
        *,
        dtype: Any,
        sizes: Sequence[int],
        strides: Sequence[int],
        box: Sequence[int] | Pixels,
        element_strides: Sequence[int] | None = None,
        swizzle: str | int = "none",
        fill: str = "zero",
        interleave: str | int = "none",
    ) -> TensorMap:
        """A tensor map over `buffer`, or an address: what the driver's cuTensorMapEncodeTiled
        makes, or with Pixels for a box cuTensorMapEncodeIm2col, to be given to a kernel by
        value.

        Dimensions start with the inner one. `strides` are in bytes, of all dimensions but
        the inner one. `dtype` is a NumPy or ml_dtypes type, or a name: "u8", "f16", "bf16",
        "tf32", "f32_ftz". `swizzle` and `interleave` are "none" or a number of bytes. `fill`
        is what lies outside the tensor: "zero" or "nan".
        """
        return encode(
            buffer, dtype, sizes, strides, box, element_strides, swizzle, fill, interleave
        )  # fmt: skip

    @property
    def output(self) -> str:
        """All that programs have printed on this device."""
        self._output += take_text(self._api, "take_output", self._handle)
        return self._output

    def take_output(self) -> str:
        """What programs have printed since the last call, or since the device was made."""
        taken, self._output = self.output, ""
        return taken

    @property
    def report(self) -> dict[str, Any]:
        """What the last launch executed: totals, `opcodes`, and, with `statistics`, `lines`.

        `product_seconds` is the time in matrix instructions, of all threads of the host, where
        `time_products` asked for it, else 0.
        """
        return json.loads(take_text(self._api, "report", self._handle))

    @property
    def instructions(self) -> int:
        """How many instructions of warps or waves all launches have executed."""
        return self._api.tw_emulator_instructions(self._handle)

    @property
    def memory_used(self) -> int:
        """Bytes that are allocated."""
        return self._api.tw_emulator_memory_used(self._handle)


class Buffer:
    """An array in a device's memory. It is freed when nothing refers to it any more, or by
    `free`, after which a program that uses it is told so."""

    def __init__(
        self, device: Device, shape: int | Sequence[int], dtype: Any, name: str = ""
    ) -> None:
        self.device = device
        self.shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        self.dtype = np.dtype(dtype)
        if self.dtype.hasobject:
            raise TypeError(f"a device has no {self.dtype} elements")
        api = self.device._api
        address = ctypes.c_uint64()
        about = name or f"{self.dtype.name}[{', '.join(str(n) for n in self.shape)}]"
        check(
            api,
            api.tw_emulator_memory_allocate(
                device._handle, self.nbytes, about.encode(), ctypes.byref(address)
            ),
        )
        self._address = address.value
        # Not where the device is gone, with all its memory.
        self._finalizer = weakref.finalize(
            self, _release, device._finalizer, api, self._address
        )

    def __repr__(self) -> str:
        return f"Buffer({self.dtype.name}{list(self.shape)} at {self._address:#x})"

    @property
    def address(self) -> int:
        """The device's address of the first byte."""
        return self._address

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes there are."""
        return self.size * self.dtype.itemsize

    def write(self, values: Any) -> None:
        """Copies values into it; they must have its shape, or one that broadcasts to it."""
        filled = np.empty(self.shape, self.dtype)
        filled[...] = values
        pointer = filled.ctypes.data_as(ctypes.c_void_p)
        api = self.device._api
        check(
            api,
            api.tw_emulator_memory_write(
                self.device._handle, self._address, pointer, self.nbytes
            ),
        )

    def numpy(self, *, never_written: bool = False, undefined: bool = True) -> np.ndarray:
        """A copy in the host's memory.

        EmulatorFault where elements came from undefined data, unless `undefined` is False;
        with `never_written` also where nothing has written them.
        """
        values = np.empty(self.shape, self.dtype)
        flags = library.REPORT_NEVER_WRITTEN if never_written else 0
        flags |= 0 if undefined else library.READ_ANYTHING
        pointer = values.ctypes.data_as(ctypes.c_void_p)
        handle = self.device._handle
        api = self.device._api
        check(
            api,
            api.tw_emulator_memory_read(handle, pointer, self._address, self.nbytes, flags),
            handle,
        )
        return values

    def free(self) -> None:
        """Frees the memory; a second time does nothing."""
        self._finalizer()


def _release(device: weakref.finalize, api: ctypes.CDLL, address: int) -> None:
    """Frees memory of a device, if that is still there."""
    alive = device.peek()
    if alive is not None:
        api.tw_emulator_memory_free(alive[2][0], address)
