"""Calls of Python functions: at compile time, or on run-time scalars where Python's have a
counterpart.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import types

from ..language.dtypes import Constant
from ..language.types import StridedTensor, Tensor
from ..language.values import Memory
from .errors import CompileError
from .python_builtins import COUNTERPARTS, call_builtin
from .runtime import describe_short, is_runtime


class PythonCalls:
    """Part of the emitter. See the module's docstring."""

    def _call_python(
        self, callee: object, arguments: list, options: dict, node: ast.Call
    ) -> object:
        keeps_items = self.keeps_items(callee)
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
            if isinstance(callee, _HASHABLE) and callee in COUNTERPARTS:
                return call_builtin(self, callee, arguments, options)
            if isinstance(callee, types.FunctionType):
                return self.inline(callee, arguments, options, node, plain=True)
            if callee in _GO_OVER:
                self._refuse_going_over(callee, arguments)
            elif callee not in _TAKE_AS_IT_IS and not keeps_items:
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

    def _refuse_going_over(self, callee: object, arguments: list) -> None:
        for x in arguments:
            if is_runtime(x):
                self.fail(
                    f"{callee.__name__} of {describe_short(x)}",
                    rule=f"{callee.__name__} goes over Python's containers while compiling",
                    hint="loop over indices: for i in T.serial(x.shape[0])",
                )

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


_HASHABLE = (type, types.BuiltinFunctionType)

# What Python makes of run-time values without looking into them.
_GO_OVER = (tuple, list, zip, enumerate, reversed)
_TAKE_AS_IT_IS = (Tensor, StridedTensor, isinstance, dict, type, id, hasattr, getattr)


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
