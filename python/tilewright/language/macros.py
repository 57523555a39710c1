"""`T.macro`: a function whose body is written out where it is called.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import types

from ..compiler.errors import CompileError
from .definition import Definition
from .types import Ref


class Macro(Definition):
    """A function that is inlined into kernels. It may hold operations, even T.Kernel."""

    def __call__(self, *arguments: object, **options: object) -> object:
        raise CompileError.here(
            f"the macro {self.__name__} was called outside a kernel",
            rule="a macro is written out where a kernel calls it",
            hint="call it in the body of a @T.prim_func or a @tilewright.jit kernel",
        )

    def __repr__(self) -> str:
        return f"the macro {self.__name__}"


def by_reference(function: types.FunctionType) -> set[str]:
    """Names of a macro's parameters that are annotated with T.Ref."""
    return {
        name
        for name, annotation in function.__annotations__.items()
        if annotation is Ref or annotation in ("T.Ref", "Ref")
    }


def macro(function: object = None, **options: object):
    """Make a function a macro: its body is inlined at each call.

    Arguments are passed by value, tiles and tensors as themselves. A parameter annotated
    `T.Ref` is a variable of the caller that the macro may assign.
    """
    if function is None:
        return macro
    if not isinstance(function, types.FunctionType):
        raise CompileError.here(f"T.macro on {function!r}", hint="it decorates a function")
    return Macro(function)
