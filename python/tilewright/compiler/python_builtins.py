"""Python's own functions on run-time values: what `abs`, `int`, `len`, `max` ... become.

Each has Python's parameters as far as they have a meaning in a kernel; `k` is the emitter.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from ..language import dtypes
from ..language.values import Memory, Region
from .runtime import describe_short, is_runtime


def call_builtin(k, builtin: Callable, arguments: list, options: dict) -> object:
    """What `builtin`, one of `COUNTERPARTS`, is of arguments that a run-time value is among."""
    emit = COUNTERPARTS[builtin]
    form = inspect.signature(emit)
    form = form.replace(parameters=list(form.parameters.values())[1:])
    try:
        form.bind(*arguments, **options)
    except TypeError as error:
        text = ", ".join(str(p.replace(annotation=p.empty)) for p in form.parameters.values())
        k.fail(
            f"{builtin.__name__} of run-time values: {error}",
            rule=f"in a kernel its form is {builtin.__name__}({text})",
            hint="use the operations of T, or a @T.macro",
        )
    return emit(k, *arguments, **options)


def _items(k, what: str, x: object) -> list | tuple:
    """`x`, the argument over whose items a function goes."""
    if not isinstance(x, (list, tuple)):
        k.fail(
            f"{what} of {describe_short(x)}",
            rule=f"{what} goes over a Python tuple or list while compiling",
            hint=f"use T.reduce_{what} on a tile",
        )
    return x


def _fold(which: str) -> Callable:
    def emit(k, first: object, /, *others: object) -> object:
        items = (first, *others) if others else _items(k, which, first)
        result = items[0]
        for item in items[1:]:
            both = (result, item)
            result = (
                (min if which == "min" else max)(both)
                if not any(map(is_runtime, both))
                else k.extremum(which, *both)
            )
        return result

    return emit


def _sum(k, items: object, /, start: object = 0) -> object:
    result = start
    for item in _items(k, "sum", items):
        result = (
            item if isinstance(result, int) and result == 0 else k.binary("add", result, item)
        )
    return result


def _length(k, x: object, /) -> object:
    if isinstance(x, (list, tuple)):
        return len(x)
    if isinstance(x, Memory):
        return k.extent(x, 0)
    if isinstance(x, Region) and x.kept:
        return k.region_extent(x, x.kept[0])
    k.fail("len() of a run-time scalar", hint="use x.shape[0] on tensors and tiles")


def _absolute(k, x: object, /) -> object:
    from ..language.maths import abs_

    return abs_.emit(k, x)


def _integer(k, x: object, /) -> object:
    """Python's integers have no width: none that an integer has is taken away."""
    x = k.scalar(x)
    if x.dtype.is_float:
        return k.cast(x, dtypes.int64 if x.dtype.bits == 64 else dtypes.int32)
    return k.cast(x, dtypes.int32) if x.dtype.bits < 32 else x


def _float(k, x: object, /) -> object:
    x = k.scalar(x)
    return x if x.dtype is dtypes.float64 else k.cast(x, dtypes.float32)


def _truth(k, x: object, /) -> object:
    return k.truth(x)


def _power(k, base: object, exp: object) -> object:
    return k.power(base, exp)


COUNTERPARTS: dict[Callable, Callable] = {
    min: _fold("min"),
    max: _fold("max"),
    abs: _absolute,
    len: _length,
    sum: _sum,
    int: _integer,
    float: _float,
    bool: _truth,
    pow: _power,
}
