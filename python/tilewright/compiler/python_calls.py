"""Calls of Python functions: at compile time, or on run-time scalars where Python's have a
counterpart.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import types

from ..language import dtypes
from ..language.dtypes import Constant
from ..language.types import StridedTensor, Tensor
from ..language.values import Memory, Region, Value
from .errors import CompileError
from .runtime import describe_short, is_runtime


class PythonCalls:
    """Part of the emitter. See the module's docstring."""

    def _call_python(
        self, callee: object, arguments: list, options: dict, node: ast.Call
    ) -> object:
        runtime = any(map(_holds_runtime, arguments)) or any(
            map(_holds_runtime, options.values())
        )
        data = options.get("data", arguments[2] if len(arguments) == 3 else None)
        if callee is Tensor and isinstance(data, Memory):  # TileLang's spelling of a view
            dtype = options.get("dtype", arguments[1] if len(arguments) > 1 else None)
            shape = options.get("shape", *arguments[:1])
            return self.view("T.Tensor", data, shape, dtype and self.dtype(dtype))
        if callee is range and runtime:
            from ..language.loops import serial

            return serial.emit(self, *arguments)
        if runtime:
            replacement = _BUILTINS.get(callee) if isinstance(callee, _HASHABLE) else None
            if replacement is not None:
                return replacement(self, *arguments)
            if isinstance(callee, types.FunctionType):
                return self.inline(callee, arguments, options, node, plain=True)
            if callee not in (
                Tensor,
                StridedTensor,
                isinstance,
                tuple,
                list,
                dict,
                zip,
                enumerate,
                reversed,
                type,
                id,
                hasattr,
                getattr,
            ):
                self.fail(
                    f"{describe_short(callee)} is called with a run-time value",
                    rule="ordinary calls run at compile time",
                    hint=_MATH_HINTS.get(
                        getattr(callee, "__name__", ""),
                        "use the operations of T, or a @T.macro",
                    ),
                )
        if not callable(callee):
            self.fail(
                f"{describe_short(callee)} is no function",
                hint="call an operation of T, a @T.macro or a Python function",
            )
        self.asked.call(callee, (*arguments, *options.values()))
        try:
            return callee(*arguments, **options)
        except CompileError as error:
            # What the package refuses is said at this call; what the user's own function
            # holds is said there.
            if error.place is None or _is_ours(callee):
                self.fail(error.message, rule=error.rule, hint=error.hint)
            raise
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def compile_time_failure(self, text: str, error: Exception) -> None:
        """Report an exception of the user's compile-time code."""
        self.fail(
            f"{text} raised {type(error).__name__} at compile time: {error}",
            hint="this expression is ordinary Python and is computed while compiling",
        )


def _is_ours(callee: object) -> bool:
    return str(getattr(callee, "__module__", "")).partition(".")[0] == "tilewright"


def _holds_runtime(x: object) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_holds_runtime, x))
    return is_runtime(x) and not isinstance(x, Constant)


def _length(k, x: object) -> object:
    if isinstance(x, (list, tuple)):
        return len(x)
    if isinstance(x, Memory):
        return k.extent(x, 0)
    if isinstance(x, Region) and x.kept:
        return k.region_extent(x, x.kept[0])
    k.fail("len() of a run-time scalar", hint="use x.shape[0] on tensors and tiles")


def _fold(which: str):
    def emit(k, *items: object) -> Value:
        if len(items) == 1 and isinstance(items[0], (list, tuple)):
            items = tuple(items[0])
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


def _absolute(k, x: object) -> Value:
    from ..language.maths import abs_

    return abs_.emit(k, x)


def _sum(k, items: object, start: object = 0) -> object:
    result = start
    for item in items:
        result = (
            item if isinstance(result, int) and result == 0 else k.binary("add", result, item)
        )
    return result


_BUILTINS = {
    min: _fold("min"),
    max: _fold("max"),
    abs: _absolute,
    len: _length,
    sum: _sum,
    int: lambda k, x: k.cast(x, dtypes.int32),
    float: lambda k, x: k.cast(x, dtypes.float32),
    bool: lambda k, x: k.truth(x),
    pow: lambda k, a, b: k.power(a, b),
}


_HASHABLE = (type, types.BuiltinFunctionType)


_MATH_HINTS = {
    name: f"use T.{name}"
    for name in (
        "exp",
        "exp2",
        "log",
        "log2",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "erf",
        "floor",
        "ceil",
        "fabs",
        "isnan",
    )
} | {
    "round": "use T.round",
    "print": "use T.print, which prints at run time",
    "ceildiv": "use T.ceildiv",
    "sorted": "use T.sort on a tile",
    "divmod": "use // and %",
    "any": "use T.reduce_any on a tile",
    "all": "use T.reduce_all on a tile",
}
