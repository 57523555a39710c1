"""Tensor maps: what the driver's cuTensorMapEncodeTiled makes of a tensor in memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tilewright.emulator import library
from tilewright.emulator.faults import check

BYTES = 128

# The driver's numbers of element types.
ELEMENTS = {
    "u8": 0, "u16": 1, "u32": 2, "s32": 3, "u64": 4, "s64": 5, "f16": 6, "f32": 7, "f64": 8,
    "bf16": 9, "f32_ftz": 10, "tf32": 11, "tf32_ftz": 12,
}  # fmt: skip
# What NumPy and ml_dtypes call them; floats of 8 bits and bytes of all kinds are u8.
NAMES = {
    "uint8": "u8", "int8": "u8", "bool": "u8", "uint16": "u16", "int16": "u16",
    "uint32": "u32", "int32": "s32", "uint64": "u64", "int64": "s64", "float16": "f16",
    "float32": "f32", "float64": "f64", "bfloat16": "bf16",
}  # fmt: skip
SWIZZLES = {"none": 0, "32": 1, "64": 2, "128": 3, "32B": 1, "64B": 2, "128B": 3}
INTERLEAVES = {"none": 0, "16": 1, "32": 2, "16B": 1, "32B": 2}
FILLS = {"zero": 0, "zeros": 0, "none": 0, "nan": 1}


@dataclass(frozen=True)
class TensorMap:
    """The 128 bytes of a tensor map, which a kernel takes by value. `buffer`, the memory that
    it is over, lives as long as the map."""

    data: bytes
    buffer: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.data) != BYTES:
            raise ValueError(f"a tensor map has {BYTES} bytes, not {len(self.data)}")


@dataclass(frozen=True)
class Pixels:
    """What an im2col map has instead of a box: `count` rows of `channels` channels of a pixel,
    which goes through the tensor from its `lower` corner to the last index plus `upper`. The
    corners are of all dimensions but the first, the channels, and the last, the inner one
    first."""

    lower: Sequence[int]
    upper: Sequence[int]
    channels: int
    count: int


def encode(
    buffer: Any,
    dtype: Any,
    sizes: Sequence[int],
    strides: Sequence[int],
    box: Sequence[int] | Pixels,
    element_strides: Sequence[int] | None,
    swizzle: str | int,
    fill: str,
    interleave: str | int,
) -> TensorMap:
    """A tensor map of these dimensions; they are checked as the driver does."""
    rank = len(sizes)
    element_strides = element_strides or (1,) * rank
    if not 1 <= rank <= 5:
        raise ValueError(f"a tensor map has 1 to 5 dimensions, not {rank}")
    for name, given, count in (
        ("strides", strides, rank - 1),
        *(
            (("lower", box.lower, rank - 2), ("upper", box.upper, rank - 2))
            if isinstance(box, Pixels)
            else (("box", box, rank),)
        ),
        ("element_strides", element_strides, rank),
    ):
        if len(given) != count:
            raise ValueError(
                f"{name} of a tensor map of rank {rank} are {count}, not {len(given)}"
            )
    options = library.TensorMapOptions(
        address=buffer if isinstance(buffer, int) else buffer.address,
        element=ELEMENTS[_element(dtype)],
        rank=rank,
        extents=tuple(sizes),
        strides=tuple(strides),
        box=(box.channels,) if isinstance(box, Pixels) else tuple(box),
        element_strides=tuple(element_strides),
        interleave=_choice("interleave", INTERLEAVES, interleave),
        swizzle=_choice("swizzle", SWIZZLES, swizzle),
        fill=_choice("fill", FILLS, fill),
    )
    data = ctypes.create_string_buffer(BYTES)
    api = library.load(library.NVIDIA)
    if isinstance(box, Pixels):
        corners = library.Im2colOptions(
            lower=tuple(box.lower), upper=tuple(box.upper), pixels=box.count
        )
        status = api.tw_emulator_tensor_map_encode_im2col(
            ctypes.byref(options), ctypes.byref(corners), data
        )
    else:
        status = api.tw_emulator_tensor_map_encode(ctypes.byref(options), data)
    check(api, status)
    return TensorMap(data.raw, buffer)


def _element(dtype: Any) -> str:
    """The name in ELEMENTS of an element type."""
    if isinstance(dtype, str) and dtype in ELEMENTS:
        return dtype
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name in NAMES:
        return NAMES[name]
    if name.startswith(("float8_", "e4m3", "e5m2")):
        return "u8"
    raise ValueError(f"a tensor map has no {name} elements; it has {', '.join(ELEMENTS)}")


def _choice(what: str, choices: dict[str, int], given: str | int) -> int:
    key = "none" if given == 0 else str(given)
    if key not in choices:
        raise ValueError(
            f"{what} of a tensor map is one of {', '.join(choices)}, not {given!r}"
        )
    return choices[key]
