# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors inside larger poisoned buffers, so that a stray read or write is seen.

Every tensor of a case is a view into a buffer whose other bytes are poison: NaN for
floating-point dtypes, so that a stray read spoils the result, and a sentinel for
integers. After the run everything but the outputs' own elements must be as it was.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tilewright.testing.case import Layout, Spec
from tilewright.testing.dtypes import is_float

ALIGNMENT = 64
# Wide enough that a tile's worth of overrun past a small tensor stays inside.
GUARD_BYTES = 64 * 1024
_INTEGER_POISON = 0xA5
# Inputs stand among NaN with all bits set. Outputs are filled with another NaN, one that
# neither arithmetic nor a stray read of an input produces, so that an element never
# written is told from a spoiled one.
_INPUT_POISON = 0xFF
_OUTPUT_POISON = {1: 0xFF, 2: 0x7FA5, 4: 0x7FA57FA5, 8: 0x7FFA5A5A5A5A5A5A}


def _poison(dtype: np.dtype, output: bool) -> int:
    """The bits of a poisoned element."""
    if is_float(dtype) and output:
        return _OUTPUT_POISON[dtype.itemsize]
    byte = _INPUT_POISON if is_float(dtype) else _INTEGER_POISON
    return int.from_bytes([byte] * dtype.itemsize, "little")


def bits(array: np.ndarray) -> np.ndarray:
    """The elements of `array` as unsigned integers of the same size, contiguous."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def is_poison(array: np.ndarray) -> np.ndarray:
    """Which elements of an output still hold the poison they were created with."""
    return bits(array) == _poison(array.dtype, output=True)


@dataclasses.dataclass
class Guarded:
    """A tensor (`view`) inside a poisoned `buffer`, with a picture of how it was."""

    view: np.ndarray
    buffer: np.ndarray
    before: np.ndarray

    def stray_writes(self, *, output: bool) -> str | None:
        """A sentence for what was changed and must not have been, or None.

        An output's own elements may change; nothing else may.
        """
        if np.array_equal(self.buffer.view(np.uint64), self.before.view(np.uint64)):
            return None  # soon seen, even of gigabytes
        differs = self.buffer != self.before
        if output:
            self._element_bytes(differs)[...] = False
        changed = np.flatnonzero(differs)
        if not changed.size:
            return None
        at = int(changed[0]) - self._start
        if self._element_bytes(differs).any():
            return f"an input element was overwritten, {at} bytes after the tensor's start"
        side = f"{at} bytes after" if at >= 0 else f"{-at} bytes before"
        return f"memory around the tensor was overwritten, first {side} its start"

    @property
    def _start(self) -> int:
        """Where in the buffer the first element lies."""
        return self.view.__array_interface__["data"][0] - self.buffer.ctypes.data

    def _element_bytes(self, flags: np.ndarray) -> np.ndarray:
        """Of `flags`, one per byte of the buffer, those of the tensor's own elements."""
        shape = (*self.view.shape, self.view.dtype.itemsize)
        return np.ndarray(shape, flags.dtype, flags, self._start, (*self.view.strides, 1))


def guard(spec: Spec, layout: Layout | None = None, *, output: bool = True) -> Guarded:
    """A poisoned tensor of `spec` inside poisoned memory, laid out as `layout` says."""
    guarded = _unpictured(spec, layout, output)
    return dataclasses.replace(guarded, before=guarded.buffer.copy())


def _unpictured(spec: Spec, layout: Layout | None, output: bool) -> Guarded:
    """The same without a picture of how it was: `before` is the buffer itself."""
    layout = layout or Layout()
    itemsize = spec.dtype.itemsize
    strides: list[int] = []
    step = itemsize
    for extent in reversed(spec.shape):
        padding = layout.row_padding * itemsize if not strides else 0
        strides.insert(0, step)
        step = step * max(extent, 1) + padding
    total = -(-step // ALIGNMENT) * ALIGNMENT + 2 * GUARD_BYTES + 2 * ALIGNMENT
    elements = np.full(total // itemsize, _poison(spec.dtype, output), f"u{itemsize}")
    raw = elements.view(np.uint8)
    start = GUARD_BYTES + -(raw.ctypes.data + GUARD_BYTES) % ALIGNMENT
    start += layout.skew * itemsize
    view = np.ndarray(spec.shape, spec.dtype, raw, start, strides=tuple(strides))
    return Guarded(view, raw, raw)


def guard_copy(array: np.ndarray, layout: Layout | None = None) -> Guarded:
    """`array`'s values as a guarded tensor that must stay unchanged."""
    guarded = _unpictured(Spec(array.shape, array.dtype), layout, output=False)
    guarded.view[...] = array
    return dataclasses.replace(guarded, before=guarded.buffer.copy())
