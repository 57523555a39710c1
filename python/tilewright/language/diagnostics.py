"""Seeing what a kernel does: print, assert, assume, and their compile-time forms.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..compiler.builder import quote
from .registry import Ref, Static, operation
from .values import Memory, Region, Value


@operation(name="print")
def print_(
    k,
    obj: Ref = None,
    msg: Static = "",
    *,
    warp_group_id: Static = None,
    warp_id: Static = None,
):
    """Print a scalar, or every element of a tile, with a message, while the kernel runs.

    Lines of different blocks have no order.
    """
    if isinstance(obj, str):
        obj, msg = None, obj
    if isinstance(obj, Memory) and not obj.variable or isinstance(obj, Region) and obj.kept:
        region = k.region(obj, "T.print")
        k.refuse_in_parallel("T.print of a tile")
        label = str(msg) or region.memory.name
        k.for_each(region, lambda at: _print(k, label, k.load(region.memory, at)), False)
        return
    if obj is None or isinstance(obj, (bool, int, float)):
        _print(k, f"{msg}{'' if obj is None else obj}", None)
        return
    _print(k, str(msg), k.scalar(obj))


def _print(k, message: str, value: Value | None) -> None:
    if k.kernel is None:
        k.fail("T.print outside a kernel", hint="T.static_print prints while compiling")
    k.builder.effects += 1
    if value is None:
        k.builder.op(f"tile.print {quote(message)}")
        return
    unsigned = " unsigned" if value.dtype.kind == "u" else ""
    k.builder.op(f"tile.print {quote(message)} {value.ssa} : {value.dtype.mlir}{unsigned}")


@operation
def device_assert(k, condition, msg: Static = ""):
    """Fail the launch, with the message and this line, unless the condition holds."""
    if isinstance(condition, (bool, int)):
        if not condition:
            k.fail(
                f"T.device_assert: the condition is false at compile time"
                f"{': ' + str(msg) if msg else ''}",
                rule="a condition that is known when compiling must hold",
            )
        return
    if k.kernel is None:
        k.fail(
            "T.device_assert outside a kernel", hint="T.static_assert checks while compiling"
        )
    k.builder.effects += 1
    k.builder.op(
        f"tile.assert {k.truth(condition).ssa}, {quote(str(msg) or 'assertion failed')}"
    )


@operation
def assume(k, condition):
    """State a fact that the compiler may rely on; where it is false, anything may happen."""
    if isinstance(condition, (bool, int)):
        if not condition:
            k.fail(
                "T.assume of what is false at compile time",
                hint="a false assumption makes every result undefined",
            )
        return
    k.builder.op(f"tile.assume {k.truth(condition).ssa}")


@operation
def static_print(k, *values):
    """Print while compiling."""
    k.asked.opaque = True  # else a kernel from the cache would not print
    print(*values)


@operation
def static_assert(k, condition, msg: Static = ""):
    """Stop compiling unless the condition, a compile-time value, holds."""
    if isinstance(condition, (Value, Memory, Region)):
        k.fail(
            "T.static_assert: the condition is known only at run time",
            hint="use T.device_assert",
        )
    if not condition:
        k.fail(
            f"T.static_assert: {msg or 'the condition is false'}",
            rule="the kernel asserts this of its compile-time values",
        )
