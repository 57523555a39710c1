"""The thread that a kernel's code runs on: an escape hatch from tiles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Static, operation
from .values import Value


@operation
def get_thread_binding(k, dim: Static = 0) -> Value:
    """The thread's coordinate, of T.Kernel(threads=...), 128 unless that says
    otherwise. Statements that depend on it run on
    every thread, up to the next barrier or operation on whole tiles; variables and local
    arrays are then each thread's own."""
    return k.thread(dim)


@operation
def get_thread_bindings(k) -> tuple:
    """The thread's coordinates in all dimensions, the first fastest."""
    return tuple(k.thread(dim) for dim in range(len(k.threads.extents) if k.threads else 1))
