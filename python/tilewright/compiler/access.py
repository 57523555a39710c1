"""Memory as kernels use it: allocation, elements, regions, bounds that can be shown.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from ..language import dtypes
from ..language.dtypes import DType, index
from ..language.symbols import SizeExpr
from ..language.values import Memory, Region, Value
from .builder import memref, quote
from .scalars import difference


class Access:
    """Part of the emitter. See the module's docstring."""

    # -- making memory ----------------------------------------------------------------------

    def allocate(
        self, what: str, shape: object, dtype: object, space: str, variable: bool = False
    ) -> Memory:
        """A tile of the block. `what` names the operation in messages."""
        if self.kernel is None:
            self.fail(
                f"{what} outside a kernel",
                rule="tiles belong to a block",
                hint="allocate inside `with T.Kernel(...)`; T.alloc_global makes a "
                "workspace for the whole call",
            )
        if self.parallel and space != "local":
            self.fail(
                f"{what} inside T.Parallel",
                rule="iterations of T.Parallel have no tiles of their own",
                hint="allocate in front of the loop; T.alloc_var and T.alloc_local may "
                "stand inside",
            )
        dtype = self.dtype(dtype)
        shape = self.static_shape(what, shape)
        name = self.name_hint or what.rpartition("_")[2]
        type = memref(shape, dtype, space)
        ssa = self.builder.result(f"tile.alloc {quote(name)} : {type}", name)
        home = self.parallel[-1] if self.parallel else None
        return Memory(ssa, name, dtype, shape, space, type, variable, home)

    def static_shape(self, what: str, shape: object) -> tuple[int, ...]:
        """Compile-time extents of a tile, each at least 1."""
        shape = self.known_sizes(shape)
        if isinstance(shape, int):
            shape = (shape,)
        if not isinstance(shape, (tuple, list)) or not shape:
            self.fail(
                f"{what}: {shape!r} is not a shape", hint="give a tuple, such as (64, 32)"
            )
        for extent in shape:
            if isinstance(extent, (Value, SizeExpr)):
                self.fail(
                    f"{what}: an extent is known only at run time",
                    rule="extents of tiles are compile-time constants",
                    hint="take a fixed tile size and loop, or T.alloc_global for a "
                    "workspace of a dynamic size",
                )
            if isinstance(extent, bool) or not isinstance(extent, int) or extent < 1:
                self.fail(
                    f"{what}: the extent {extent!r} is not a positive integer",
                    hint="tile extents are 1 or more",
                )
        if math.prod(shape) >= 2**40:  # no machine's memory, and sums stay in 64 bits
            self.fail(
                f"{what}: {tuple(shape)} is too large for a tile",
                rule="a tile has fewer than 2**40 elements",
                hint="take a part of the tensor at a time",
            )
        return tuple(shape)

    def extent(self, memory: Memory, axis: int) -> int | Value:
        """The size of a memory along a dimension."""
        size = memory.shape[axis]
        return self.size(size) if isinstance(size, SizeExpr) else size

    # -- elements ---------------------------------------------------------------------------

    def _indices(self, memory: Memory, indices: list) -> tuple[str, frozenset]:
        """Operands of an element access, checked where they are constants."""
        names, deps = [], frozenset()
        for axis, i in enumerate(indices):
            if isinstance(i, int):
                self.check_constant_index(memory, axis, i)
                i = self.constant(i, index)
            else:
                self.check_range(memory, axis, i)
                deps = deps | i.deps
            names.append(i.ssa)
        return ", ".join(names), deps

    def check_constant_index(self, memory: Memory, axis: int, i: int, size: int = 1) -> None:
        """Refuse a constant index that is negative, or outside a tile."""
        extent = memory.shape[axis]
        if i < 0:
            self.fail(
                f"the index {i} of {memory.name} is negative",
                rule="indices count from the start",
                hint=f"write {memory.name}.shape[{axis}] - {-i} for an index from the end",
            )
        if not memory.is_global and i + size > extent:
            last = f"{i}" if size == 1 else f"{i}:{i + size}"
            self.fail(
                f"the index {last} is outside {memory.name}, whose dimension {axis} has "
                f"{extent} elements",
                rule="a tile is indexed inside its shape",
            )

    def load(self, memory: Memory, indices: list) -> Value:
        """Read an element; outside a global tensor it is zero."""
        if memory.rows is not None:
            memory, indices = memory.rows, [self.thread_number(), *indices]
        names, deps = self._indices(memory, indices)
        # A read in a branch serves that branch alone, whose code is a list of its own.
        key = (memory.ssa, names, id(self.builder.out))
        if self.reads is not None and key in self.reads:
            return self.reads[key][0]
        value = self._load(memory, indices, names, deps)
        if self.reads is not None:
            self.reads[key] = value, self.builder.out
        return value

    def _load(self, memory: Memory, indices: list, names: str, deps: frozenset) -> Value:
        if self.reading.checked or not self.surely_inside(memory, indices):
            self.builder.effects += 1
        memory.read = True
        self.note_access(memory, indices, False)
        name = "tile" if memory.is_global else "memref"
        type = memory.dtype.memory
        ssa = self.builder.result(
            f"{name}.load {memory.ssa}[{names}] : {memory.type}",
            memory.name if memory.variable else "",
        )
        if memory.home is not None:  # a private variable may differ between iterations
            deps = deps | memory.home.everything
        if memory.dtype.kind == "b":
            ssa = self.builder.result(f"tile.cast {ssa} unsigned_source : {type} to i1")
        return Value(ssa, memory.dtype, None, deps)

    def store(self, memory: Memory, indices: list, value: object) -> None:
        """Write an element, converted to the element type; outside a global tensor nothing."""
        if memory.rows is not None:
            memory, indices = memory.rows, [self.thread_number(), *indices]
        self.check_writable(memory)
        value = self.cast(
            self.scalar(value, self.store_type(value, memory.dtype)), memory.dtype
        )
        names, _ = self._indices(memory, indices)
        self.note_access(memory, indices, True)
        ssa = value.ssa
        if memory.dtype.kind == "b":
            ssa = self.builder.result(f"tile.cast {ssa} unsigned_result : i1 to i8")
        self.builder.effects += 1
        memory.written = True
        name = "tile" if memory.is_global else "memref"
        self.builder.op(f"{name}.store {ssa}, {memory.ssa}[{names}] : {memory.type}")

    def store_type(self, value: object, dtype: DType) -> DType:
        """The type of a literal that is stored: the element's, where it has the value."""
        if isinstance(value, float) and not dtype.is_float:
            return dtypes.float32
        return dtype

    def element_value(self, value: object, dtype: DType) -> str:
        """A scalar as an operand in the form that memory of `dtype` holds."""
        value = self.cast(self.scalar(value, self.store_type(value, dtype)), dtype)
        if dtype.kind == "b":
            return self.builder.result(f"tile.cast {value.ssa} unsigned_result : i1 to i8")
        return value.ssa

    def check_writable(self, memory: Memory) -> None:
        if memory.is_global and self.kernel is None:
            self.fail(
                f"{memory.name} is written outside a kernel",
                rule="only a kernel's blocks touch memory",
                hint="put the statement into `with T.Kernel(...)`",
            )

    # -- regions ----------------------------------------------------------------------------

    def subscript(self, base: Memory | Region, items: list) -> Region:
        """`base[items]`, items being indices, `slice` objects of bounds, or `...`."""
        if isinstance(base, Region):
            return self._subregion(base, items)
        rank = len(base.shape)
        if Ellipsis in items:
            at = items.index(Ellipsis)
            fill = [slice(None)] * (rank - len(items) + 1)
            items = items[:at] + fill + items[at + 1 :]
        if len(items) > rank:
            self.fail(
                f"{len(items)} indices for {base.name}, which has {rank} "
                f"dimension{'s' * (rank != 1)}",
                hint="give one index per dimension",
            )
        items = items + [slice(None)] * (rank - len(items))
        offsets, sizes, kept = [], [], []
        for axis, item in enumerate(items):
            if isinstance(item, slice):
                start, size = self._slice(base, axis, item)
                kept.append(axis)
            else:
                start, size = self.index(item, f"an index of {base.name}"), 1
            if isinstance(start, int):
                self.check_constant_index(base, axis, start, size or 1)
            offsets.append(start)
            sizes.append(size)
        return Region(base, offsets, sizes, tuple(kept))

    def _slice(self, memory: Memory, axis: int, item: slice) -> tuple[int | Value, int | None]:
        """Start and extent of a slice."""
        if item.step is not None and item.step != 1:
            self.fail(
                f"a slice of {memory.name} with a step",
                rule="slices have no step",
                hint="loop with T.serial(start, stop, step)",
            )
        what = f"a bound of a slice of {memory.name}"
        start = 0 if item.start is None else self.index(item.start, what)
        if item.stop is None:
            size = memory.shape[axis]
            if isinstance(size, int) and isinstance(start, int):
                return start, size - start
            return start, None
        stop = self.index(item.stop, what)
        size = difference(stop, start)
        if size is None:
            whole = memory.shape[axis]
            if isinstance(stop, Value) and stop.dim is not None and stop.dim == whole:
                return start, None
            self.fail(
                f"the extent of a slice of {memory.name} is not a compile-time constant",
                rule="the extents of a region are known at compile time",
                hint="write x[start:start + 64], or give only the start index and let "
                "the tile's shape decide",
            )
        if size < 1:
            self.fail(
                f"a slice of {memory.name} has {size} elements",
                hint="the stop is larger than the start",
            )
        return start, size

    def _subregion(self, base: Region, items: list) -> Region:
        """A subscript of a region counts from the region's start."""
        if Ellipsis in items:
            at = items.index(Ellipsis)
            fill = [slice(None)] * (len(base.kept) - len(items) + 1)
            items = items[:at] + fill + items[at + 1 :]
        if len(items) > len(base.kept):
            self.fail(
                f"{len(items)} indices for a region of {base.memory.name} with "
                f"{len(base.kept)} dimensions",
                hint="give one index per dimension",
            )
        full: list = []
        rest = iter(items)
        for axis, (offset, size) in enumerate(zip(base.offsets, base.sizes)):
            item = next(rest, slice(None)) if axis in base.kept else None
            if item is None:
                full.append(offset)
            elif isinstance(item, slice):
                start = 0 if item.start is None else self.index(item.start)
                first = self.plus(offset, start)
                if item.stop is not None:
                    stop = self.plus(offset, self.index(item.stop))
                elif size is None:
                    stop = None
                else:
                    stop = self.plus(offset, size)
                full.append(slice(first, stop))
            else:
                full.append(self.plus(offset, self.index(item)))
        return self.subscript(base.memory, full)

    def plus(self, a: int | Value, b: int | Value) -> int | Value:
        """a + b on indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        return self.binary("add", a, b)

    def region(self, x: object, what: str) -> Region:
        """`x`, a memory, region or element, as a region."""
        if isinstance(x, Region):
            return x
        if isinstance(x, Memory) and x.rows is not None and not self.parallel:
            return self.region(x.rows, what)
        if isinstance(x, Memory):
            sizes = [s if isinstance(s, int) else None for s in x.shape]
            return Region(x, [0] * len(sizes), sizes, tuple(range(len(sizes))))
        self.fail(
            f"{what} is no tile or tensor",
            hint="give a tile, a tensor, a slice of one, or a start index",
        )

    def whole(self, region: Region) -> bool:
        """Whether a region is all of a memory with static sizes."""
        return (
            len(region.kept) == len(region.offsets)
            and all(o == 0 for o in region.offsets if isinstance(o, int))
            and all(isinstance(o, int) for o in region.offsets)
            and tuple(region.sizes) == region.memory.shape
        )

    def tile(self, x: object, what: str) -> tuple[str, str, tuple[int, ...], Memory]:
        """A tile operand of a whole-tile operation: name, type, shape and memory.

        A slice of a shared tile becomes a `memref.subview`.
        """
        if not isinstance(x, (Memory, Region)):
            self.fail(
                f"{what} is {_kind(x)}, not a tile",
                hint="give a tile made by T.alloc_shared or T.alloc_fragment",
            )
        region = self.region(x, what)
        memory = region.memory
        if memory.is_global:
            self.fail(
                f"{what} is the global tensor {memory.name}",
                rule="tile operations work on tiles of the block",
                hint="bring it in with T.copy first",
            )
        if self.parallel:
            self.fail(
                f"{what}: an operation on whole tiles inside T.Parallel",
                rule="T.Parallel holds elementwise code only",
                hint="put it in front of or after the loop",
            )
        if isinstance(x, Memory) or self.whole(region):
            return memory.ssa, memory.type, memory.shape, memory
        if memory.space == "fragment":
            self.fail(
                f"{what} is a slice of the fragment {memory.name}",
                rule="fragments live in registers and have no views",
                hint="use a shared tile, or T.copy the slice into a tile of its own",
            )
        return (*self._subview(region, what), memory)

    def _subview(self, region: Region, what: str) -> tuple[str, str, tuple[int, ...]]:
        memory, shape = region.memory, region.shape
        strides, step = [], 1
        for extent in reversed(memory.shape):
            strides.insert(0, step)
            step *= extent
        constant = all(isinstance(o, int) for o in region.offsets)
        start = str(sum(o * s for o, s in zip(region.offsets, strides))) if constant else "?"
        layout = ", ".join(str(strides[d]) for d in region.kept)
        extents = "x".join(map(str, shape))
        type = (
            f"memref<{extents}x{memory.dtype.memory}, "
            f"strided<[{layout}], offset: {start}>, #tile.space<{memory.space}>>"
        )
        offsets = ", ".join(map(operand, region.offsets))
        ones = ", ".join(["1"] * len(strides))
        ssa = self.builder.result(
            f"memref.subview {memory.ssa}[{offsets}] "
            f"[{', '.join(map(str, region.sizes))}] [{ones}] : {memory.type} to {type}",
            f"{memory.name}_part",
        )
        return ssa, type, shape


def operand(x: int | Value) -> str:
    """An entry of a list of mixed constants and values."""
    return str(x) if isinstance(x, int) else x.ssa


def text_of(region: Region) -> str:
    """The operand form `%a[%i, 0][64, 32]` of copies."""
    return (
        f"{region.memory.ssa}[{', '.join(map(operand, region.offsets))}]"
        f"[{', '.join(map(str, region.sizes))}]"
    )


def _kind(x: object) -> str:
    return f"a run-time {x.dtype}" if isinstance(x, Value) else repr(x)
