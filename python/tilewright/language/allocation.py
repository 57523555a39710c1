"""Allocations: tiles of a block, variables, workspaces, outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Static, operation
from .values import Memory

# The scopes that an allocation may be given, the language's own first; others are TileLang's.
_SCOPES = {
    "T.alloc_shared": ("shared", "shared.dyn"),
    "T.alloc_fragment": ("fragment", "local.fragment"),
    "T.alloc_local": ("local",),
    "T.alloc_var": ("local.var",),
}


def _check_scope(k, what: str, scope: object) -> None:
    """Refuse a scope that is another operation's, or none: what is allocated says its own."""
    if scope not in _SCOPES[what]:
        elsewhere = [name for name, scopes in _SCOPES.items() if scope in scopes]
        allowed = " or ".join(f'"{name}"' for name in _SCOPES[what])
        k.fail(
            f"{what}: scope={scope!r}",
            rule=f"the scope of {what} is {allowed}",
            hint=f"use {elsewhere[0]}, or leave scope out" if elsewhere else "leave scope out",
        )


@operation
def alloc_shared(k, shape, dtype: Static = "float32", scope: Static = "shared") -> Memory:
    """A tile that all work of a block can index freely. Starts undefined."""
    _check_scope(k, "T.alloc_shared", scope)
    return k.allocate("T.alloc_shared", shape, dtype, "shared")


@operation
def alloc_fragment(k, shape, dtype: Static = "float32", scope: Static = "fragment") -> Memory:
    """A tile held in registers; its layout is the compiler's business. Starts undefined."""
    _check_scope(k, "T.alloc_fragment", scope)
    return k.allocate("T.alloc_fragment", shape, dtype, "fragment")


@operation
def alloc_local(k, shape, dtype: Static = "float32", scope: Static = "local") -> Memory:
    """A small private array. Starts undefined."""
    _check_scope(k, "T.alloc_local", scope)
    return k.allocate("T.alloc_local", shape, dtype, "local")


@operation
def alloc_var(k, dtype: Static, init=None, scope: Static = "local.var") -> Memory:
    """A scalar variable: assigning to its name stores. `init` is its first value."""
    if isinstance(init, str):  # TileLang's form alloc_var(dtype, scope)
        _check_scope(k, "T.alloc_var", init)
        init = None
    _check_scope(k, "T.alloc_var", scope)
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
