"""What a kernel's names stand for at compile time: scalars, tiles, regions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .dtypes import DType
from .symbols import Dim

NO_DEPS: frozenset[str] = frozenset()


class Value:
    """A scalar known at run time.

    Attributes:
        ssa: its name in the IR.
        dtype: its type.
        affine: for `index` values, (constant, {ssa: factor}): what is known of its form.
        deps: the parallel loop variables it depends on.
        nonneg: whether it is known not to be negative (for `index`).
        dim: the dynamic size it is, if it is one.
        parts: the operator and operands of arithmetic on signed integers below 64 bits,
            which an index computes anew without wrapping.
    """

    __slots__ = ("ssa", "dtype", "affine", "deps", "nonneg", "dim", "parts")

    def __init__(
        self,
        ssa: str,
        dtype: DType,
        affine: tuple[int, dict] | None = None,
        deps: frozenset[str] = NO_DEPS,
        nonneg: bool = False,
        dim: Dim | None = None,
    ) -> None:
        self.ssa, self.dtype, self.affine = ssa, dtype, affine
        self.deps, self.nonneg, self.dim = deps, nonneg, dim
        self.parts: tuple[str, Value, Value] | None = None

    def __repr__(self) -> str:
        return f"a run-time {self.dtype} value"

    def __bool__(self) -> bool:
        raise TypeError("the truth of a run-time value is not known at compile time")


class Memory:
    """A tensor, tile or variable.

    Attributes:
        ssa, name: its names in the IR and in the source.
        dtype: element type; `shape`: ints, or for sizes of tensors known at launch a
            `SizeExpr` or index `Value`.
        space: `global`, `shared`, `fragment` or `local`.
        type: its memref type.
        variable: whether it is an `alloc_var`, read by its bare name.
        home: the parallel loop nest it was made in, or None.
        base: the memory that a view is of; of others, the memory itself.
        align: bytes that its address is a multiple of.
        read, written: whether the kernel reads and writes it; a view's are its base's.
        twin: of a parameter that is declared an alias, what it may be the same memory as.
        rows: of a variable or array of each thread, the tile with a row for each.
        reducer: of a T.alloc_reducer, how iterations combine: "sum", "max" or "min".
    """

    __slots__ = (
        "ssa",
        "name",
        "dtype",
        "shape",
        "space",
        "type",
        "variable",
        "home",
        "base",
        "align",
        "twin",
        "rows",
        "reducer",
        "_read",
        "_written",
    )

    def __init__(
        self,
        ssa: str,
        name: str,
        dtype: DType,
        shape: tuple,
        space: str,
        type: str,
        variable: bool = False,
        home: object = None,
        base: Memory | None = None,
    ) -> None:
        self.ssa, self.name, self.dtype, self.shape = ssa, name, dtype, shape
        self.space, self.type, self.variable, self.home = space, type, variable, home
        self.base = self if base is None else base
        self.align = dtype.itemsize
        self.twin: Memory | None = None
        self.rows: Memory | None = None
        self.reducer = ""
        self._read = self._written = False

    @property
    def read(self) -> bool:
        return self.base._read

    @read.setter
    def read(self, value: bool) -> None:
        self.base._read = value

    @property
    def written(self) -> bool:
        return self.base._written

    @written.setter
    def written(self, value: bool) -> None:
        self.base._written = value

    @property
    def is_global(self) -> bool:
        return self.space == "global"

    def __repr__(self) -> str:
        return f"the {self.space} {'tensor' if self.is_global else 'tile'} {self.name}"


class Region:
    """A part of a memory: `A[i, 0:64]`, or one element of it, `A[i, j]`.

    Attributes:
        memory: what it is part of.
        offsets: where it starts, an int or an index `Value` per dimension of the memory.
        sizes: extents: an int, or None for "to the end of a dynamic dimension".
        kept: dimensions of the memory that were sliced; the others were indexed.
    """

    __slots__ = ("memory", "offsets", "sizes", "kept")

    def __init__(self, memory: Memory, offsets: list, sizes: list, kept: tuple) -> None:
        self.memory, self.offsets, self.sizes, self.kept = memory, offsets, sizes, kept

    @property
    def is_element(self) -> bool:
        return not self.kept

    @property
    def dtype(self) -> DType:
        return self.memory.dtype

    @property
    def shape(self) -> tuple:
        """Extents of the dimensions that were sliced."""
        return tuple(self.sizes[d] for d in self.kept)

    def __repr__(self) -> str:
        return f"a part of {self.memory!r}"


def is_device(value: object) -> bool:
    """Whether `value` exists at run time only."""
    return isinstance(value, (Value, Memory, Region))
