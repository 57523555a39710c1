"""The signature of a kernel: what the launcher checks, as an attribute of the function.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from ..language.dtypes import DType
from ..language.symbols import Dim, SizeExpr
from ..language.values import Memory
from .builder import attribute


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

    def describe(self) -> dict:
        """The entry of `params` in the signature."""
        if self.memory is None:
            entry = {"kind": "scalar", "name": self.name, "dtype": self.dtype.short}
            return entry | ({"symbol": self.symbol} if self.symbol else {})
        strides: object = "contiguous"
        if self.strides is not None:
            strides = ["any" if s is None else _declared(s) for s in self.strides]
        return {
            "kind": "tensor",
            "name": self.name,
            "dtype": self.dtype.short,
            "dims": [_declared(size) for size in self.memory.shape],
            "strides": strides,
            "align": self.memory.align,
            "read": self.memory.read,
            "write": self.memory.written,
            "alias": self.alias or None,
        }


def _declared(size: int | SizeExpr) -> object:
    """The entry of `dims` or `strides` for a size or a stride."""
    if isinstance(size, Dim):
        return size.name
    if isinstance(size, SizeExpr):
        text = str(size)
        return {"text": text[1:-1] if text[0] == "(" else text, "steps": size.steps()}
    return size


def signature_attribute(parameters: list[Parameter], facts: dict[str, Dim]) -> str:
    """The text of `tile.signature`'s value."""
    symbols = [
        {
            "name": d.name,
            "min": d.minimum,
            "max": -1 if d.maximum is None else d.maximum,
            "multiple_of": d.multiple_of,
        }
        for d in facts.values()
    ]
    return attribute({"symbols": symbols, "params": [p.describe() for p in parameters]})
