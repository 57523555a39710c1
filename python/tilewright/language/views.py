"""Views: `T.view`, `T.reshape`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Ref, Static, operation
from .values import Memory


@operation
def view(k, src: Ref, shape=None, dtype: Static = None) -> Memory:
    """A tile or tensor over the same memory, in another shape and as another element type.

    Nothing is copied: what is written through one is read through the other. Both have the
    same number of bytes; without a shape, the last dimension is scaled. Elements are counted
    row by row.
    """
    return k.view("T.view", src, shape, None if dtype is None else k.dtype(dtype))


@operation
def reshape(k, src: Ref, shape) -> Memory:
    """A tile or tensor over the same memory, in another shape of as many elements."""
    return k.view("T.reshape", src, shape, None)
