"""The C API of the emulators' libraries, as its header declares it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
import functools
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_int32,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, NamedTuple

API_VERSION = 1


class Vendor(NamedTuple):
    """Whose programs a library executes, its name, and the environment variable that names
    another library instead of the built one."""

    name: str
    library: str
    variable: str


NVIDIA = Vendor("NVIDIA", "libtilewright_ptx_emulator.so", "TILEWRIGHT_PTX_EMULATOR")
AMD = Vendor("AMD", "libtilewright_amdgpu_emulator.so", "TILEWRIGHT_AMDGPU_EMULATOR")


def vendor_of(arch: str) -> Vendor:
    """The vendor of "sm_90a" or "gfx942"."""
    return AMD if arch.startswith("gfx") else NVIDIA


OK, INVALID, MEMORY, SYNTAX, NOT_FOUND, FAULT = range(6)

ORDERS = {"forward": 0, "reverse": 1}
SHUFFLED = 2

NO_UNINITIALISED, NO_SHARED_RACES, NO_PROXY_FENCES, GLOBAL_RACES = (1 << i for i in range(4))
COUNT_BY_LINE, TIME_PRODUCTS, NO_LANE_RACES = 16, 32, 64
READ_ANYTHING, REPORT_NEVER_WRITTEN = 1, 2
COOPERATIVE = 1

Three = c_uint32 * 3
TraceFunction = CFUNCTYPE(None, c_void_p, c_uint32, c_char_p)


class Sized(Structure):
    """A structure that starts with its size, which it fills in."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(ctypes.sizeof(self), **fields)


class DeviceOptions(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("arch", c_char_p),
        ("memory_bytes", c_uint64),
        ("threads", c_uint32),
        ("checks", c_uint32),
        ("order", c_uint32),
        ("multiprocessors", c_uint32),
        ("seed", c_uint64),
        ("max_steps", c_uint64),
    ]


class KernelInfo(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("name", c_char_p),
        ("parameter_count", c_uint32),
        ("line", c_uint32),
        ("parameter_bytes", c_uint64),
        ("shared_bytes", c_uint64),
        ("local_bytes", c_uint64),
        ("registers", c_uint32),
        ("max_threads", Three),
        ("required_threads", Three),
        ("required_cluster", Three),
    ]


class ParameterInfo(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("name", c_char_p),
        ("type", c_char_p),
        ("offset", c_uint64),
        ("bytes", c_uint64),
        ("align", c_uint32),
    ]


class Launch(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("grid", Three),
        ("block", Three),
        ("cluster", Three),
        ("shared_bytes", c_uint32),
        ("flags", c_uint32),
        ("trace_warp", c_uint32),
        ("trace_block", Three),
        ("parameters", c_void_p),
        ("parameter_bytes", c_uint64),
        ("trace", TraceFunction),
        ("trace_context", c_void_p),
    ]


class TensorMapOptions(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("address", c_uint64),
        ("element", c_uint32),
        ("rank", c_uint32),
        ("extents", c_uint64 * 5),
        ("strides", c_uint64 * 4),
        ("box", c_uint32 * 5),
        ("element_strides", c_uint32 * 5),
        ("interleave", c_uint32),
        ("swizzle", c_uint32),
        ("fill", c_uint32),
        ("l2_promotion", c_uint32),
    ]


class Im2colOptions(Sized):
    _fields_ = [
        ("size", c_uint64),
        ("lower", c_int32 * 3),
        ("upper", c_int32 * 3),
        ("pixels", c_uint32),
    ]


# Name, result, arguments.
_FUNCTIONS = (
    ("last_error", c_char_p, ()),
    ("last_error_place", None, (POINTER(c_uint32), POINTER(c_uint32))),
    ("api_version", c_uint32, ()),
    ("text_free", None, (c_void_p,)),
    ("device_create", c_int, (POINTER(DeviceOptions), POINTER(c_void_p))),
    ("device_destroy", None, (c_void_p,)),
    ("memory_allocate", c_int, (c_void_p, c_uint64, c_char_p, POINTER(c_uint64))),
    ("memory_free", c_int, (c_void_p, c_uint64)),
    ("memory_write", c_int, (c_void_p, c_uint64, c_void_p, c_uint64)),
    ("memory_read", c_int, (c_void_p, c_void_p, c_uint64, c_uint64, c_uint32)),
    ("memory_used", c_uint64, (c_void_p,)),
    ("module_load", c_int, (c_void_p, c_char_p, c_uint64, POINTER(c_void_p))),
    ("module_unload", None, (c_void_p,)),
    ("module_kernel_count", c_uint32, (c_void_p,)),
    ("module_kernel_at", c_void_p, (c_void_p, c_uint32)),
    (
        "module_variable",
        c_int,
        (c_void_p, c_char_p, POINTER(c_uint64), POINTER(c_uint64)),
    ),
    ("kernel_info", c_int, (c_void_p, POINTER(KernelInfo))),
    ("kernel_parameter", c_int, (c_void_p, c_uint32, POINTER(ParameterInfo))),
    ("launch", c_int, (c_void_p, POINTER(Launch))),
    ("report", c_int, (c_void_p, POINTER(c_void_p))),
    ("instructions", c_uint64, (c_void_p,)),
    ("take_output", c_int, (c_void_p, POINTER(c_void_p))),
    ("faults_json", c_int, (c_void_p, POINTER(c_void_p))),
    ("faults_clear", None, (c_void_p,)),
    ("tensor_map_encode", c_int, (POINTER(TensorMapOptions), c_void_p)),
    (
        "tensor_map_encode_im2col",
        c_int,
        (POINTER(TensorMapOptions), POINTER(Im2colOptions), c_void_p),
    ),
)

# What only NVIDIA's devices have.
_OF_NVIDIA = ("tensor_map_encode", "tensor_map_encode_im2col")


def path(vendor: Vendor) -> Path:
    """Where a library is: what its variable says, beside the package, or in the build
    folder."""
    import tilewright

    if named := os.environ.get(vendor.variable):
        return Path(named)
    folders = [Path(p) for p in tilewright.__path__]
    candidates = [f / "lib" / vendor.library for f in folders] + [
        f.parent.parent / "lib" / vendor.library for f in folders
    ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ImportError(
        f"{vendor.library} is not built; `make build` makes it. It was looked for in "
        + ", ".join(str(c.parent) for c in candidates),
        name="tilewright.emulator",
    )


@functools.cache
def load(vendor: Vendor) -> ctypes.CDLL:
    """A library, loaded once, its functions declared; its `vendor` says whose it is."""
    found = path(vendor)
    try:
        library = ctypes.CDLL(str(found))
    except OSError as error:
        raise ImportError(
            f"{found} does not load: {error}", name="tilewright.emulator"
        ) from None
    for name, result, arguments in _FUNCTIONS:
        function = getattr(library, f"tw_emulator_{name}", None)
        if function is None and name in _OF_NVIDIA:
            continue
        function.restype = result
        function.argtypes = arguments
    version = library.tw_emulator_api_version()
    if version != API_VERSION:
        raise ImportError(
            f"{found} has version {version} of the API, not {API_VERSION}: build it again",
            name="tilewright.emulator",
        )
    library.vendor = vendor
    return library
