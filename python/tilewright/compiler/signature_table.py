"""The signature of a kernel, read from the table that an artifact holds (docs/abi.md).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# In the order of tw_dtype in runtime/include/tilewright/abi.h.
DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2",
    "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz", "float8_e8m0fnu",
    "float4_e2m1fn",
)  # fmt: skip

_HEADER, _SYMBOL, _PARAMETER = 8, 4, 8
_CONST, _SYMBOL_DIM, _CONTIGUOUS, _ANY, _EXPRESSION = range(5)


@dataclass(frozen=True)
class Size:
    """A size that is known at launch, and the facts that are checked."""

    name: str
    minimum: int
    maximum: int | None
    multiple_of: int


@dataclass(frozen=True)
class Parameter:
    """A parameter. A scalar has no `shape`; it may give a size its value.

    Entries of `shape` are numbers, names of sizes, or expressions of them as text; those of
    `strides`, in elements, also None where any will do. Contiguous strides are an empty tuple.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None
    strides: tuple[int | str | None, ...]
    reads: bool
    writes: bool
    alignment: int
    alias: str
    size: str


@dataclass(frozen=True)
class Signature:
    """A kernel's parameters and the sizes that they name."""

    parameters: tuple[Parameter, ...]
    sizes: tuple[Size, ...]


def read_signature(words: Sequence[int]) -> Signature:
    """The signature that a valid table of 64-bit words holds."""
    count, symbol_count, strings_at, length = words[2:6]
    data = b"".join((w & (1 << 64) - 1).to_bytes(8, "little") for w in words[strings_at:])

    def string(offset: int) -> str:
        return data[offset : data.index(b"\0", offset, length)].decode()

    def rows(first: int, width: int, number: int) -> list[Sequence[int]]:
        return [words[first + i * width : first + (i + 1) * width] for i in range(number)]

    sizes = tuple(
        Size(string(name), least, None if most < 0 else most, step)
        for name, least, most, step in rows(_HEADER, _SYMBOL, symbol_count)
    )

    def dim(kind: int, value: int) -> int | str | None:
        if kind == _CONST:
            return value
        if kind == _SYMBOL_DIM:
            return sizes[value].name
        return string(words[value]) if kind == _EXPRESSION else None

    table = rows(_HEADER + _SYMBOL * symbol_count, _PARAMETER, count)
    names = [string(row[1]) for row in table]
    parameters = []
    for row, name in zip(table, names):
        kind, _, dtype, rank, flags, alignment, dims_at, alias = row
        common = {
            "name": name,
            "dtype": DTYPES[dtype],
            "reads": bool(flags & 1),
            "writes": bool(flags & 2),
            "alignment": alignment,
            "alias": names[alias - 1] if alias else "",
        }
        if kind:
            size = sizes[-1 - rank].name if rank < 0 else ""
            parameters.append(Parameter(shape=None, strides=(), size=size, **common))
            continue
        dims = rows(dims_at, 2, 2 * rank)
        is_contiguous = all(kind == _CONTIGUOUS for kind, _ in dims[rank:])
        strides = () if is_contiguous else tuple(dim(*entry) for entry in dims[rank:])
        shape = tuple(dim(*entry) for entry in dims[:rank])
        parameters.append(Parameter(shape=shape, strides=strides, size="", **common))
    return Signature(tuple(parameters), sizes)
