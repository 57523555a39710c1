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


# From so many rows on a kernel for CPUs is compiled for no fewer.
_MANY_ROWS = 9


def least_rows(rows: int, target: str) -> int:
    """The `min` of a dynamic size that is `rows` now, for a kernel that is made on demand.

    Kernels for a CPU have a second form for up to eight rows, which takes as long to compile
    again (docs/cpu.md, "Sizes that a call brings"). One that is made for more needs none.
    """
    return _MANY_ROWS if target.startswith("cpu") and rows >= _MANY_ROWS else 0


def require(condition: bool, message: str) -> None:
    """Raises ValueError with `message` where an argument breaks the function's contract."""
    if not condition:
        raise ValueError(message)
