"""`T.prim_func`: a kernel function with annotated parameters.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
import types
from typing import Any

from ..compiler.errors import CompileError, Place
from .definition import Definition
from .types import evaluated


class PrimFunc(Definition):
    """A function of the language. Its body is read, never run.

    Attributes:
        annotations: the parameters' annotations, evaluated.
    """

    def __init__(self, function: types.FunctionType, annotations: dict[str, object]) -> None:
        super().__init__(function)
        self.annotations = annotations
        self._compiled = self._watch = None

    def __call__(self, *arguments: Any) -> Any:
        """Compile for this machine, once for what names outside mean, and run."""
        if self._compiled is None or not self._watch.holds():
            from ..compiler.driver import compile
            from ..compiler.watch import Watch

            self._compiled, self._watch = compile(self), Watch()
            self._watch.add(self.function, self._compiled._module.found)
        return self._compiled(*arguments)

    def __repr__(self) -> str:
        return f"<prim_func {self.__name__}>"


def prim_func(function: object = None, **options: object):
    """Make a function a kernel function. Parameters are annotated with T.Tensor or a dtype."""
    if function is None:
        return prim_func
    if not isinstance(function, types.FunctionType):
        raise CompileError.here(f"T.prim_func on {function!r}", hint="it decorates a function")
    code = function.__code__
    if code.co_flags & 0x0C:
        raise CompileError(
            f"T.prim_func {function.__name__} takes *args or **kwargs",
            Place(code.co_filename, code.co_firstlineno),
            rule="the parameters of a kernel are fixed",
            hint="name each parameter",
        )
    return PrimFunc(function, evaluated(function, sys._getframe(1)))
