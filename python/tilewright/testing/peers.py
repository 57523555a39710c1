# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peers: other libraries doing the same work, with their inputs converted untimed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.testing.case import Peer, Tensors
from tilewright.testing.dtypes import dtype_name, is_float, numpy_dtype

# Converted arrays by the array (its id, while it lives) and dtype: recipes share them, as
# gigabytes of weights take seconds to convert.
_conversions: dict[tuple[int, str], np.ndarray] = {}


def _converted(array: np.ndarray, dtype: str | None) -> np.ndarray:
    """`array` in a peer's preferred dtype; integer tensors are only converted from i8.

    Lengths, tables and indices keep their type: they are not the data.
    """
    if dtype is None or not (is_float(array.dtype) or array.dtype == np.int8):
        return np.ascontiguousarray(array)
    key = (id(array), dtype)
    if key not in _conversions:
        _conversions[key] = np.ascontiguousarray(array.astype(numpy_dtype(dtype)))
        weakref.finalize(array, _conversions.pop, key, None)
    return _conversions[key]


def to_torch(array: np.ndarray) -> Any:
    """A PyTorch tensor on the array's memory; bf16 and fp8 keep their bits."""
    import torch

    name = dtype_name(array.dtype)
    carried = {
        "bf16": (np.int16, torch.bfloat16),
        "f8e4m3fn": (np.uint8, torch.float8_e4m3fn),
        "f8e5m2": (np.uint8, torch.float8_e5m2),
        "f8e8m0fnu": (np.uint8, torch.float8_e8m0fnu),
    }
    if name not in carried:
        return torch.from_numpy(array)
    as_integer, as_float = carried[name]
    return torch.from_numpy(array.view(as_integer)).view(as_float)


def numpy_peer(
    recipe: str, prepare: Callable[..., Callable[[], Any]], dtype: str | None = None
) -> Peer:
    """A NumPy recipe: `prepare` takes the inputs, in `dtype` if given, in their order."""

    def convert(inputs: Tensors) -> Callable[[], Any]:
        return prepare(*(_converted(a, dtype) for a in inputs.values()))

    return Peer("numpy", recipe, convert)


def torch_peer(
    recipe: str, prepare: Callable[..., Callable[[], Any]], dtype: str | None = None
) -> Peer:
    """A PyTorch recipe: `prepare` takes the inputs as tensors, in their order.

    Inputs that are tensors already stay where they are: on a GPU the peer runs there.
    """

    def as_tensor(given: Any) -> Any:
        if isinstance(given, np.ndarray):
            return to_torch(_converted(given, dtype))
        import torch

        as_data = given.is_floating_point() or given.dtype == torch.int8
        if dtype is None or not as_data:
            return given
        return given.to(to_torch(np.empty(0, numpy_dtype(dtype))).dtype)

    def convert(inputs: Tensors) -> Callable[[], Any]:
        return prepare(*map(as_tensor, inputs.values()))

    return Peer("torch", recipe, convert)
