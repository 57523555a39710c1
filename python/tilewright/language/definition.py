"""What decorators make of a function: it is copied and pickled as the function would be.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import types
from typing import Any, TypeVar

from ..compiler.source import keep_text

Self = TypeVar("Self", bound="Definition")


class Definition:
    """A function of the language, under the name that it is bound to.

    Attributes:
        function: the Python function that holds its source and closure.
    """

    def __init__(self, function: types.FunctionType) -> None:
        keep_text(function)
        self.function = function
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        self.__module__, self.__doc__ = function.__module__, function.__doc__

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> str:
        """A pickle holds its name, so that it can be sent to where that can be imported."""
        return self.__qualname__
