"""Allocations: tiles of a block, variables, workspaces, outputs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Ref, Static, operation
from .values import Memory

# Where a scope puts a tile; those with a point are TileLang's names.
_SPACES = {
    "shared": "shared",
    "shared.dyn": "shared",
    "fragment": "fragment",
    "local.fragment": "fragment",
    "local": "local",
}


def _tile(k, what: str, shape: object, dtype: object, scope: object) -> Memory:
    """A tile of the scope, which may be another operation's than the one that is called."""
    space = _SPACES.get(scope) if isinstance(scope, str) else None
    if space is None:
        k.fail(
            f"{what}: scope={scope!r}",
            rule=f"the scope of a tile is one of {', '.join(_SPACES)}",
            hint="T.alloc_var makes a variable" if scope == "local.var" else "leave scope out",
        )
    if space == "local" and k.threads is not None and not k.parallel:
        return k.per_thread(what, shape, dtype, variable=False)
    return k.allocate(f"T.alloc_{space}", shape, dtype, space)


def _check_variable(k, scope: object) -> None:
    if scope != "local.var":
        k.fail(
            f"T.alloc_var: scope={scope!r}",
            rule='the scope of a variable is "local.var"',
            hint="leave scope out; for an array use T.alloc_local or T.alloc_shared",
        )


@operation
def alloc_shared(k, shape, dtype: Static = "float32", scope: Static = "shared") -> Memory:
    """A tile that all work of a block can index freely. Starts undefined."""
    return _tile(k, "T.alloc_shared", shape, dtype, scope)


@operation
def alloc_fragment(k, shape, dtype: Static = "float32", scope: Static = "fragment") -> Memory:
    """A tile held in registers; its layout is the compiler's business. Starts undefined."""
    return _tile(k, "T.alloc_fragment", shape, dtype, scope)


@operation
def alloc_local(k, shape, dtype: Static = "float32", scope: Static = "local") -> Memory:
    """A small private array. Starts undefined."""
    return _tile(k, "T.alloc_local", shape, dtype, scope)


@operation
def alloc_reducer(
    k, shape, dtype: Static = "float32", op: Static = "sum", replication: Static = None
) -> Memory:
    """A tile into whose elements iterations of T.Parallel combine values: `r[i] += x`, or
    `r[i] = T.max(r[i], x)` with `op="max"`, or T.min. T.fill sets what it starts with; sums of
    floats depend on the order, which is not specified. `replication` is a hint."""
    if op not in ("sum", "max", "min"):
        k.fail(
            f"T.alloc_reducer: op={op!r}",
            rule='a reducer combines by "sum", "max" or "min"',
            hint="T.reduce takes a combiner of one's own",
        )
    made = k.allocate("T.alloc_reducer", shape, dtype, "shared")
    made.reducer = op
    return made


@operation
def finalize_reducer(k, reducer: Ref) -> None:
    """What iterations combined is there once their loop ends: nothing is left to do."""
    if not isinstance(reducer, Memory) or not reducer.reducer:
        k.fail("T.finalize_reducer: no reducer", hint="make one with T.alloc_reducer")


@operation
def alloc_var(k, dtype: Static, init=None, scope: Static = "local.var") -> Memory:
    """A scalar variable: assigning to its name stores. `init` is its first value."""
    if isinstance(init, str):  # TileLang's form alloc_var(dtype, scope)
        _check_variable(k, init)
        init = None
    _check_variable(k, scope)
    if k.threads is not None and not k.parallel:
        variable = k.per_thread("T.alloc_var", (1,), dtype, variable=True)
        if init is not None:
            rows = variable.rows
            k.parallel_over([rows.shape[0]], lambda at: k.store(rows, [*at, 0], init))
        return variable
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
