# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the library's functions need to know of an array, whichever library made it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tilewright.language.dtypes import parse
from tilewright.testing.dtypes import numpy_dtype


def dtype_of(array: Any) -> str:
    """The short dtype name ("bf16") of a NumPy, ml_dtypes or PyTorch array."""
    return _short_name(array.dtype)


@functools.cache
def _short_name(dtype: Any) -> str:
    """Kept, as every call of every kernel asks for several."""
    return parse(dtype).short


def empty(like: Any, shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """An uninitialised array of the same library and device as `like`.

    `dtype` is a short dtype name; that of `like` where it is not given.
    """
    dtype = dtype or dtype_of(like)
    if isinstance(like, np.ndarray):
        return np.empty(shape, numpy_dtype(dtype))
    return like.new_empty(shape, dtype=_torch_dtype(dtype))


def full(like: Any, shape: tuple[int, ...], value: float, dtype: str) -> Any:
    """An array filled with `value`, of the same library and device as `like`."""
    made = empty(like, shape, dtype)
    made[...] = value
    return made


@functools.cache
def _torch_dtype(dtype: str) -> Any:
    import torch

    return getattr(torch, parse(dtype).name)


def strides_of(array: Any) -> tuple[int, ...]:
    """The distance between neighbours along each dimension, in elements."""
    if isinstance(array, np.ndarray):
        return tuple(step // array.itemsize for step in array.strides)
    return tuple(array.stride())


def address_of(array: Any) -> int:
    """Where the first element is, in the memory of its device."""
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data_ptr()


def reshaped(array: Any, shape: tuple[int, ...]) -> Any:
    """`array` with another shape, over the same memory.

    Raises ValueError where its strides allow no such view.
    """
    try:
        if isinstance(array, np.ndarray):
            return array.reshape(shape, copy=False)
        return array.view(shape)
    except (ValueError, RuntimeError):
        raise ValueError(
            f"an array of shape {tuple(array.shape)} has strides that allow no view as "
            f"{shape}: pass a contiguous one"
        ) from None


def row_bounds(rows: int, tile_rows: int, target: str) -> tuple[int, int | None]:
    """`min` and `max` of a dynamic size that is `rows` now, for a kernel made on demand.

    Kernels for a CPU have forms of their own for up to 8 and 16 rows, each of which takes time
    to compile (docs/cpu.md, "Sizes that a call brings"). Here one is enough, since the tile was
    chosen for that number.
    """
    if not target.startswith("cpu") or rows == 0:
        return 0, None
    if rows <= tile_rows <= 16:
        return (tile_rows // 2 + 1 if rows > tile_rows // 2 else 1), tile_rows
    return next((least for least in (17, 9) if rows >= least), 0), None


def require(condition: bool, message: str) -> None:
    """Raises ValueError with `message` where an argument breaks the function's contract."""
    if not condition:
        raise ValueError(message)
