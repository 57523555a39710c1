"""Loaded PTX, its kernels, and launches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import operator
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tilewright.emulator import arguments, library
from tilewright.emulator.faults import EmulatorError, check

if TYPE_CHECKING:
    from tilewright.emulator.device import Device

Extent = int | Sequence[int]


@dataclass(frozen=True)
class Parameter:
    """A kernel's parameter as the text declares it. `type` is that of an array's elements."""

    name: str
    type: str
    offset: int
    bytes: int
    align: int

    def __str__(self) -> str:
        width = arguments.width(self.type)
        array = f"[{self.bytes // width}]" if self.bytes != width else ""
        return f".{self.type} {self.name}{array}"


@dataclass(frozen=True)
class Kernel:
    """A kernel of a module. Bounds on threads and clusters are None where the text has none."""

    name: str
    parameters: tuple[Parameter, ...]
    parameter_bytes: int
    shared_bytes: int
    local_bytes: int
    line: int
    max_threads: tuple[int, int, int] | None
    required_threads: tuple[int, int, int] | None
    required_cluster: tuple[int, int, int] | None


class Module:
    """PTX text that a device has loaded. It ends with the last reference to it, or with the
    device."""

    def __init__(self, device: Device, ptx: str | bytes) -> None:
        text = ptx.encode() if isinstance(ptx, str) else bytes(ptx)
        api = device._api
        handle = ctypes.c_void_p()
        check(
            api,
            api.tw_emulator_module_load(device._handle, text, len(text), ctypes.byref(handle)),
        )
        self.device = device
        self._handle = handle
        self._finalizer = weakref.finalize(self, _unload, device._finalizer, api, handle)
        self._pointers: dict[str, int] = {}
        kernels: dict[str, Kernel] = {}
        for index in range(api.tw_emulator_module_kernel_count(handle)):
            pointer = api.tw_emulator_module_kernel_at(handle, index)
            kernel = _describe(api, pointer)
            self._pointers[kernel.name] = pointer
            kernels[kernel.name] = kernel
        self._kernels = kernels

    @property
    def kernels(self) -> Mapping[str, Kernel]:
        """The kernels by name, in the order of the text."""
        return self._kernels

    def variable(self, name: str) -> tuple[int, int]:
        """Address and size of a variable of the module in global memory."""
        address, size = ctypes.c_uint64(), ctypes.c_uint64()
        api = self.device._api
        check(
            api,
            api.tw_emulator_module_variable(
                self._handle, name.encode(), ctypes.byref(address), ctypes.byref(size)
            ),
        )
        return address.value, size.value

    def launch(
        self,
        name: str,
        grid: Extent,
        block: Extent,
        cluster: Extent | None = None,
        shared: int = 0,
        args: Sequence[Any] = (),
        *,
        cooperative: bool = False,
        trace: tuple[Extent, int, Callable[[int, str], None]] | None = None,
    ) -> None:
        """Runs a kernel to its end.

        `shared` is the dynamic shared memory in bytes. `cluster` is what the kernel requires
        where None. `args`, one for each parameter: a Buffer; a NumPy or ml_dtypes scalar of
        the parameter's size; a Python int, float or bool, converted to the declared type;
        bytes of a structure by value; a TensorMap. `trace` is a block, a warp of it, and a
        function that is called with line and text of each instruction which that warp
        executes.

        EmulatorFault where the program breaks a rule; memory then holds what was written
        until then.
        """
        kernel = self._kernels.get(name)
        if kernel is None:
            known = ", ".join(self._kernels) or "none"
            raise EmulatorError(f"there is no kernel {name}; the program has: {known}")
        if not 0 <= shared < 2**32:
            raise EmulatorError(f"a block has no {shared} bytes of dynamic shared memory")
        parameters = arguments.pack(kernel, args)
        failure: list[BaseException] = []
        options = library.Launch(
            grid=extent("grid", grid, 1),
            block=extent("block", block, 1),
            cluster=(0, 0, 0) if cluster is None else extent("cluster", cluster, 1),
            shared_bytes=shared,
            flags=library.COOPERATIVE if cooperative else 0,
            parameters=ctypes.cast(ctypes.c_char_p(parameters), ctypes.c_void_p),
            parameter_bytes=len(parameters),
        )
        if trace is not None:
            at, options.trace_warp, write = trace
            options.trace_block = extent("trace", at, 0)
            options.trace = _tracing(write, failure)
        handle = self.device._handle
        api = self.device._api
        status = api.tw_emulator_launch(self._pointers[name], ctypes.byref(options))
        if failure:
            raise failure[0]
        check(api, status, handle)

    def unload(self) -> None:
        """Frees the module and its variables; a second time does nothing."""
        self._kernels = {}
        self._finalizer()


def extent(name: str, given: Extent, missing: int) -> tuple[int, int, int]:
    """Three numbers of one, two or three; those not given are `missing`."""
    single = hasattr(given, "__index__")
    numbers = (operator.index(given),) if single else tuple(operator.index(n) for n in given)
    if not 1 <= len(numbers) <= 3 or any(not 0 <= n < 2**32 for n in numbers):
        raise EmulatorError(f"{name} has one to three extents of 32 bits, not {given!r}")
    return (*numbers, missing, missing)[:3]


def _tracing(write: Callable[[int, str], None], failure: list[BaseException]) -> Any:
    """`write` as a C function; what it raises is kept, since it cannot pass through C."""

    def call(context: Any, line: int, text: bytes) -> None:
        if failure:
            return
        try:
            write(line, text.decode(errors="replace"))
        except BaseException as error:
            failure.append(error)

    return library.TraceFunction(call)


def _describe(api: ctypes.CDLL, pointer: int) -> Kernel:
    """What the library knows of a kernel."""
    info = library.KernelInfo()
    check(api, api.tw_emulator_kernel_info(pointer, ctypes.byref(info)))
    parameters = []
    for index in range(info.parameter_count):
        found = library.ParameterInfo()
        check(api, api.tw_emulator_kernel_parameter(pointer, index, ctypes.byref(found)))
        parameters.append(
            Parameter(
                found.name.decode(errors="replace"),
                found.type.decode(),
                found.offset,
                found.bytes,
                found.align,
            )
        )

    def bound(values: Any) -> tuple[int, int, int] | None:
        return tuple(max(v, 1) for v in values) if values[0] else None

    return Kernel(
        name=info.name.decode(errors="replace"),
        parameters=tuple(parameters),
        parameter_bytes=info.parameter_bytes,
        shared_bytes=info.shared_bytes,
        local_bytes=info.local_bytes,
        line=info.line,
        max_threads=bound(info.max_threads),
        required_threads=bound(info.required_threads),
        required_cluster=bound(info.required_cluster),
    )


def _unload(device: weakref.finalize, api: ctypes.CDLL, handle: ctypes.c_void_p) -> None:
    """Unloads a module of a device, if that is still there."""
    if device.alive:
        api.tw_emulator_module_unload(handle)
