"""Allocations: tiles of a block, variables, workspaces, outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Static, operation
from .values import Memory


@operation
def alloc_shared(k, shape, dtype: Static = "float32", scope: Static = "shared") -> Memory:
    """A tile that all work of a block can index freely. Starts undefined."""
    return k.allocate("T.alloc_shared", shape, dtype, "shared")


@operation
def alloc_fragment(k, shape, dtype: Static = "float32", scope: Static = "fragment") -> Memory:
    """A tile held in registers; its layout is the compiler's business. Starts undefined."""
    return k.allocate("T.alloc_fragment", shape, dtype, "fragment")


@operation
def alloc_local(k, shape, dtype: Static = "float32", scope: Static = "local") -> Memory:
    """A small private array. Starts undefined."""
    return k.allocate("T.alloc_local", shape, dtype, "local")


@operation
def alloc_var(k, dtype: Static, init=None, scope: Static = "local.var") -> Memory:
    """A scalar variable: assigning to its name stores. `init` is its first value."""
    if isinstance(init, str):  # TileLang's form alloc_var(dtype, scope)
        init = None
    variable = k.allocate("T.alloc_var", (1,), dtype, "local", variable=True)
    if init is not None:
        k.store(variable, [0], init)
    return variable


@operation
def alloc_global(k, shape, dtype: Static = "float32") -> Memory:
    """A workspace in global memory that lives for the call; sizes may be dynamic."""
    return k.workspace(shape, dtype)


@operation
def empty(k, *shape, dtype: Static = "float32") -> Memory:
    """An output of an eager kernel, to be returned: `C = T.empty((M, N), "float16")`."""
    if (
        shape
        and not isinstance(shape[-1], int)
        and len(shape) == 2
        and isinstance(shape[0], (tuple, list))
    ):
        shape, dtype = shape[0], shape[1]
    elif len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    return k.output(tuple(shape), dtype)
