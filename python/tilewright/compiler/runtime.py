"""What exists at run time only, and how Python objects are named in messages.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language.dtypes import Constant
from ..language.registry import Operation, Rejected
from ..language.symbols import SizeExpr
from ..language.values import Memory, Region, Value

RUNTIME = (Value, Memory, Region, SizeExpr, Constant)


def is_runtime(x: object) -> bool:
    """Whether operators on `x` become operations of the kernel."""
    return isinstance(x, RUNTIME)


def holds_runtime(value: object) -> bool:
    """Whether a value, or an item of a container, exists at run time only."""
    if isinstance(value, (tuple, list, set, frozenset)):
        return any(map(holds_runtime, value))
    if isinstance(value, dict):
        return any(map(holds_runtime, value.values()))
    return is_runtime(value) and not isinstance(value, Constant)


def describe_short(x: object) -> str:
    """A Python object for a message."""
    if isinstance(x, (Operation, Rejected)):
        return repr(x)
    if isinstance(x, type) or callable(x):
        return getattr(x, "__name__", type(x).__name__)
    if type(x).__name__ == "module":
        return f"the module {x.__name__}"
    text = repr(x)
    return text if len(text) <= 40 else f"a {type(x).__name__}"
