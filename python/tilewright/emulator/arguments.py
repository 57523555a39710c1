"""Arguments as the bytes that a kernel's parameters take.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tilewright.emulator.tensor_map import TensorMap

if TYPE_CHECKING:
    from tilewright.emulator.module import Kernel, Parameter

_FLOATS = {"f16": "<e", "f32": "<f", "f64": "<d"}


def pack(kernel: Kernel, args: Sequence[Any]) -> bytes:
    """The block of parameters of a launch; an error names the parameter that does not fit."""
    if len(args) != len(kernel.parameters):
        listed = ", ".join(str(p) for p in kernel.parameters) or "none"
        raise TypeError(
            f"{kernel.name} takes {len(kernel.parameters)} arguments, not {len(args)}: {listed}"
        )
    block = bytearray(kernel.parameter_bytes)
    for index, (parameter, given) in enumerate(zip(kernel.parameters, args)):
        try:
            value = convert(parameter, given)
        except (TypeError, ValueError, OverflowError, struct.error) as error:
            about = f"argument {index} of {kernel.name} ({parameter}): {error}"
            raise TypeError(about) from None
        block[parameter.offset : parameter.offset + parameter.bytes] = value
    return bytes(block)


def convert(parameter: Parameter, given: Any) -> bytes:
    """The bytes of one argument."""
    from tilewright.emulator.device import Buffer

    if isinstance(given, Buffer):
        if not given._finalizer.alive:
            raise ValueError(f"{given!r} was freed; give its address to use it all the same")
        given = given.address
        if parameter.bytes != 8:
            raise ValueError(f"it takes {parameter.bytes} bytes, and an address has 8")
    if isinstance(given, TensorMap):
        return _whole(parameter, given.data, "a tensor map")
    if isinstance(given, bytes | bytearray | memoryview):
        return _whole(parameter, bytes(given), "bytes")
    if isinstance(given, np.generic) or (isinstance(given, np.ndarray) and given.ndim == 0):
        return _numpy(parameter, given)
    if isinstance(given, bool | int):
        return _integer(parameter, int(given))
    if isinstance(given, float):
        return _float(parameter, given)
    if isinstance(given, np.ndarray):
        raise TypeError("an array lies in the host's memory: copy it with device.array first")
    raise TypeError(f"a {type(given).__name__} is no argument")


def width(type_name: str) -> int:
    """Bytes of a scalar type of PTX: 4 of "u32"."""
    digits = re.search(r"\d+", type_name)
    return max(int(digits.group()) // 8, 1) if digits else 1


def _whole(parameter: Parameter, data: bytes, what: str) -> bytes:
    if len(data) != parameter.bytes:
        raise ValueError(f"it takes {parameter.bytes} bytes, and {what} given has {len(data)}")
    return data


def _is_scalar(parameter: Parameter) -> bool:
    return width(parameter.type) == parameter.bytes


def _numpy(parameter: Parameter, given: Any) -> bytes:
    dtype = given.dtype
    if dtype.itemsize != parameter.bytes:
        raise ValueError(f"it takes {parameter.bytes} bytes, and {dtype} has {dtype.itemsize}")
    is_float = dtype.kind == "f" or (dtype.kind == "V" and dtype.names is None)
    if _is_scalar(parameter):
        if parameter.type[0] == "f" and dtype.kind in "iub":
            raise TypeError(f"it is a float, and {given!r} is none")
        if parameter.type[0] in "us" and is_float:
            raise TypeError(f"it is an integer, and {given!r} is none")
    return given.tobytes()


def _integer(parameter: Parameter, given: int) -> bytes:
    if not _is_scalar(parameter):
        raise TypeError("it is a structure or array: give its bytes")
    if parameter.type[0] == "f":
        return _float(parameter, float(given))
    bits = 8 * parameter.bytes
    # Compilers declare signed integers as unsigned ones or as bits.
    most = 2 ** (bits - 1) if parameter.type[0] == "s" else 2**bits
    if not -(2 ** (bits - 1)) <= given < most:
        raise OverflowError(f"{given} does not fit")
    return (given % 2**bits).to_bytes(parameter.bytes, "little")


def _float(parameter: Parameter, given: float) -> bytes:
    if not _is_scalar(parameter) or parameter.type not in _FLOATS:
        raise TypeError(f"it is no float: give a NumPy scalar for the bits of {given!r}")
    return struct.pack(_FLOATS[parameter.type], given)
