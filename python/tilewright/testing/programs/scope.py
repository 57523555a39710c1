# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What drawing knows at a place in a program: names in sight, their types and ranges.

All choices come from one function `integer(low, high)`, and lower is simpler: a source that
shrinks integers towards `low` shrinks programs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from tilewright.testing.programs.expressions import Binary, Element, Expression, Literal, Name
from tilewright.testing.programs.numbers import NO_NEGATIVE_ZERO, PAIR, SCALE, is_float

EXTENTS = (4, 1, 2, 3, 5, 7, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65)
_MOST = {1: 160, 2: 1100, 3: 600}


@dataclasses.dataclass(frozen=True)
class Tile:
    """A tile or tensor in sight. `bound` is for integers: no element is larger than it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    space: str  # global, shared, fragment or local
    bound: int | None = None
    viewed: str | None = None  # of a view, the memory that it is another name of

    @property
    def base(self) -> str:
        """The memory's own name."""
        return self.viewed or self.name

    @property
    def is_global(self) -> bool:
        return self.space == "global"


@dataclasses.dataclass(frozen=True)
class Value:
    """A scalar in sight; integers used as indices lie in [low, high] where that is known."""

    name: str
    dtype: str
    low: int | None = None
    high: int | None = None
    lane: bool = False  # a variable of the open T.Parallel
    constant: bool = False  # known when compiling: the variable of an unrolled loop


@dataclasses.dataclass
class Parameter:
    """A tensor as it is being drawn; what stands in `representation.Tensor`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    symbols: tuple[str | None, ...]
    role: str  # input, output, inout or workspace
    data: str
    padding: int = 0
    skew: int = 0


@dataclasses.dataclass
class Draft:
    """A program while it is drawn."""

    tensors: list[Parameter] = dataclasses.field(default_factory=list)
    scalars: list[tuple[str, str, int | float]] = dataclasses.field(default_factory=list)
    count: int = 0
    # Tiles to which products are added, and memories whose bits a view shows as another type:
    # one that is narrower than f32 is not both.
    accumulators: set[str] = dataclasses.field(default_factory=set)
    seen_as_bits: set[str] = dataclasses.field(default_factory=set)


class Scope:
    """Names in sight, and choices. `child()` is a scope that ends before this one."""

    def __init__(self, integer: Callable[[int, int], int], draft: Draft) -> None:
        self.integer, self.draft = integer, draft
        self.tiles: list[Tile] = []
        self.values: list[Value] = []
        self.variables: list[Value] = []
        self.windows: list = []  # (region, dtype): the block's own parts of tensors
        self.busy: frozenset[str] = frozenset()  # tensors that may not be read here
        self.depth = 0
        self.loops = 0

    def child(self) -> Scope:
        """A scope inside this one."""
        made = Scope(self.integer, self.draft)
        made.tiles, made.values = list(self.tiles), list(self.values)
        made.variables, made.busy = list(self.variables), self.busy
        made.windows = self.windows
        made.depth, made.loops = self.depth + 1, self.loops
        return made

    # -- choices --------------------------------------------------------------------------

    def pick(self, options: Sequence[Any]) -> Any:
        """One of the options; the first is the simplest."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, one_in: int) -> bool:
        """True once in so many times; False is simpler."""
        return self.integer(0, one_in - 1) == one_in - 1

    def fresh(self, prefix: str) -> str:
        """A name that the program does not have yet."""
        self.draft.count += 1
        return f"{prefix}{self.draft.count}"

    def dtype(self, kind: str = "any") -> str:
        """A dtype name: "any", "number" (not bool), "float", "integer" or "index" (signed)."""
        floats = ("f32", "f16", "bf16", "f64", "f8e4m3fn", "f8e5m2", "f32", "f16", "bf16")
        integers = ("i32", "i8", "u8", "i64", "u32", "i16", "u16", "u64")
        small = (*NO_NEGATIVE_ZERO, SCALE, PAIR)
        if kind == "float":
            return self.pick(floats + small)
        if kind == "integer":
            return self.pick(integers)
        return self.pick(floats + integers + small + (("bool",) if kind == "any" else ()))

    def shape(self, rank: int | None = None) -> tuple[int, ...]:
        """Extents of a tile."""
        rank = rank or self.pick((2, 1, 2, 3))
        made, left = [], _MOST[rank]
        for _ in range(rank):
            extent = self.pick(EXTENTS)
            while extent > left:
                extent //= 2
            made.append(max(extent, 1))
            left //= made[-1]
        return tuple(made)

    # -- what is in sight -----------------------------------------------------------------

    def find(self, accept: Callable[[Tile], bool]) -> Tile | None:
        """A tile or tensor in sight, if one is accepted; the latest is the simplest."""
        known = [t for t in reversed(self.tiles) if t.base not in self.busy and accept(t)]
        return self.pick(known) if known else None

    def tile(self, accept: Callable[[Tile], bool] = lambda t: True) -> Tile | None:
        """A tile in sight that is no tensor."""
        return self.find(lambda t: not t.is_global and accept(t))

    def tensor(
        self, shape: tuple[int, ...], dtype: str, role: str, data: str | None = None
    ) -> Tile:
        """A new tensor of the program."""
        data = data or self.data(dtype)
        if dtype == PAIR:  # whole bytes
            shape = (*shape[:-1], shape[-1] + shape[-1] % 2)
        symbols = [None] * len(shape)
        for d in range(len(shape)):
            if role != "workspace" and self.chance(5):
                symbols[d] = self._symbol(shape[d])
        name = self.fresh("W" if role == "workspace" else "A" if role == "input" else "C")
        strided = role != "workspace" and dtype != PAIR
        padding = self.pick((1, 3)) if strided and self.chance(8) else 0
        skew = self.pick((1, 2)) if role != "workspace" and self.chance(6) else 0
        made = Parameter(name, dtype, shape, tuple(symbols), role, data, padding, skew)
        self.draft.tensors.append(made)
        bound = {"counts": 3, "small": 8}.get(data)
        return Tile(name, dtype, shape, "global", bound)

    def _symbol(self, size: int) -> str:
        for tensor in self.draft.tensors:
            for extent, symbol in zip(tensor.shape, tensor.symbols):
                if symbol and extent == size and self.chance(2):
                    return symbol
        return self.fresh("n")

    def data(self, dtype: str) -> str:
        """What an input's elements are like."""
        if dtype == "bool":
            return "bits"
        if is_float(dtype):
            return self.pick(("small", "small", "normal", "halves", "special", "wide"))
        return self.pick(("small", "small", "wide"))

    def input(self, rank: int, dtype: str | None = None, near: Sequence[int] = ()) -> Tile:
        """A tensor to read of at least this rank: one in sight, or a new one.

        `near` are extents that its last dimensions are about as large as.
        """
        wanted = [
            t
            for t in self.tiles
            if t.is_global and t.base not in self.busy and len(t.shape) >= rank
            and (dtype is None or t.dtype == dtype)
        ]  # fmt: skip
        if wanted and not self.chance(3):
            return self.pick(wanted[::-1])
        shape = [self.near_size(e) for e in (near or self.shape(rank))]
        while len(shape) < rank or (len(shape) < 3 and self.chance(5)):
            shape.insert(0, self.pick((2, 1, 3)))
        made = self.tensor(tuple(shape), dtype or self.dtype(), "input")
        self.reveal(made)
        return made

    def reveal(self, tensor: Tile) -> None:
        """A new tensor is in sight from here on, and in every scope around (by the draft)."""
        self.tiles.insert(0, tensor)

    def near_size(self, extent: int) -> int:
        """A size about as large as an extent, or some of it, or more."""
        return max(
            self.pick((extent, 2 * extent, extent + 1, extent - 1, 3 * extent + 1, 1, 0))
            if self.chance(2)
            else extent * self.pick((1, 2, 3)),
            0 if self.chance(4) else 1,
        )

    # -- indices at block level -----------------------------------------------------------

    def steady(self, accept: Callable[[Value], bool] = lambda v: True) -> Value | None:
        """An index in sight that is the same in all iterations of a T.Parallel."""
        known = [v for v in self.values if v.dtype == "index" and not v.lane and accept(v)]
        return self.pick(known[::-1]) if known else None

    def offset(self, size: int, extent: int, tile: bool, affine: bool) -> Expression:
        """Where a region of `extent` starts along a dimension of `size`.

        Inside for a tile; anywhere for a tensor. `affine` is for slices, whose bounds must
        differ by a constant.
        """
        if tile:
            room = size - extent
            value = self.steady(lambda v: v.low is not None and v.low >= 0 and v.high <= room)
            if value is not None and self.chance(2):
                return Name(value.name)
            return Literal(self.integer(0, room))
        value = self.steady()
        if value is None or self.chance(4):
            if not affine and self.chance(3):
                found = self.loaded_index()
                if found is not None:
                    return found
            return Literal(self.pick((0, 0, 1, 2, max(size - extent, 0), size)))
        factor = self.pick((extent, 1, 2, max(extent - 1, 1), extent + 3))
        if self.chance(24):  # far past the end, and past 32 bits
            factor = self.pick((1 << 31, 1 << 33, (1 << 40) + 1))
        made: Expression = Name(value.name)
        if factor != 1:
            made = Binary("*", made, Literal(factor))
        if self.chance(3):
            made = Binary("+", made, Name(self.steady().name))
        shift = self.pick((0, 0, 0, 1, 2) if value.constant else (0, 0, 0, 1, -1, -3, 2))
        if shift:
            made = Binary("+" if shift > 0 else "-", made, Literal(abs(shift)))
        return made

    def loaded_index(self) -> Expression | None:
        """An element of a tensor of small integers."""
        found = self.find(
            lambda t: t.is_global and t.dtype in ("i32", "i64", "i8", "u8") and t.bound
            and len(t.shape) == 1
        )  # fmt: skip
        if found is None:
            found = self.tensor((self.pick((4, 3, 7)),), self.pick(("i32", "i64")), "input",
                                self.pick(("counts", "small")))  # fmt: skip
            self.reveal(found)
        value = self.steady()
        at = Name(value.name) if value is not None and self.chance(2) else Literal(0)
        return Element(found.name, (at,))
