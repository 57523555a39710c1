"""The signature of a kernel: what the launcher checks, as an attribute of the function.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..language.dtypes import DType
from ..language.symbols import Dim, SizeExpr
from ..language.values import Memory
from .builder import attribute
from .solving import plain


class Parameter:
    """A parameter of the compiled function, in the order of the call.

    A tensor has its `memory`; a scalar may define a dynamic size, `symbol`. `output` marks
    tensors that the launcher allocates; `alias` names the parameter that a tensor may be
    the same memory as.
    """

    __slots__ = (
        "name",
        "dtype",
        "ssa",
        "type",
        "memory",
        "strides",
        "symbol",
        "output",
        "alias",
    )

    def __init__(
        self,
        name: str,
        dtype: DType,
        ssa: str,
        type: str,
        memory: Memory | None = None,
        strides: tuple | None = None,
        symbol: str = "",
        output: bool = False,
        alias: str = "",
    ) -> None:
        self.name, self.dtype, self.ssa, self.type = name, dtype, ssa, type
        self.memory, self.strides = memory, strides
        self.symbol, self.output, self.alias = symbol, output, alias

    def describe(self, declared: Callable[[object], object]) -> dict:
        """The entry of `params` in the signature; `declared` gives that of a size."""
        if self.memory is None:
            entry = {"kind": "scalar", "name": self.name, "dtype": self.dtype.short}
            return entry | ({"symbol": self.symbol} if self.symbol else {})
        strides: object = "contiguous"
        if self.strides is not None:
            strides = ["any" if s is None else declared(s) for s in self.strides]
        return {
            "kind": "tensor",
            "name": self.name,
            "dtype": self.dtype.short,
            "dims": [declared(size) for size in self.memory.shape],
            "strides": strides,
            "align": self.memory.align,
            "read": self.memory.read,
            "write": self.memory.written,
            "alias": self.alias or None,
        }


def signature_attribute(
    parameters: list[Parameter],
    facts: Iterable[Dim],
    given: Callable[[object], object],
) -> str:
    """The text of `tile.signature`'s value.

    `given` says a size or stride in terms of those that arguments give, which have `facts`.
    """

    def declared(size: int | SizeExpr) -> object:
        value = given(size)
        if isinstance(value, Dim):
            return value.name
        if isinstance(value, SizeExpr):
            return {"text": plain(size), "steps": value.steps()}
        return value

    symbols = [
        {
            "name": d.name,
            "min": d.minimum,
            "max": -1 if d.maximum is None else d.maximum,
            "multiple_of": d.multiple_of,
        }
        for d in facts
    ]
    return attribute({"symbols": symbols, "params": [p.describe(declared) for p in parameters]})
