# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations on whole tiles: T.gemm, reductions, T.cumsum, T.cummax."""

from __future__ import annotations

from collections.abc import Callable

from tilewright.testing.programs import sums
from tilewright.testing.programs.expressions import Binary, Literal, Name
from tilewright.testing.programs.machine import Machine
from tilewright.testing.programs.movement import cleared, load_tile, new_tile, show
from tilewright.testing.programs.nodes import node
from tilewright.testing.programs.numbers import (
    INTEGERS,
    NO_NEGATIVE_ZERO,
    PAIR,
    SCALE,
    Numbers,
    bits_of,
    cast,
    is_float,
    rounded,
)
from tilewright.testing.programs.regions import Region, draw_part, whole
from tilewright.testing.programs.scope import Scope, Tile
from tilewright.testing.programs.statements import Statement, drawn


@drawn(3)
@node
class Gemm(Statement):
    """T.gemm; `clear` is False, True, or an expression known at run time."""

    a: Region
    b: Region
    c: str
    transpose_a: bool
    transpose_b: bool
    clear: object

    def lines(self) -> list[str]:
        flags = (
            ", transpose_A=True" * self.transpose_a + ", transpose_B=True" * self.transpose_b
        )
        if self.clear is True:
            flags += ", clear_accum=True"
        elif self.clear is not False:
            flags += f", clear_accum={self.clear.text()}"
        return [f"T.gemm({self.a.text()}, {self.b.text()}, {self.c}{flags})"]

    def run(self, machine: Machine) -> None:
        a, b = self.a.matrix(machine), self.b.matrix(machine)
        a = _transposed(a) if self.transpose_a else a
        b = _transposed(b) if self.transpose_b else b
        c = machine.memories[self.c]
        clear = self.clear
        if not isinstance(clear, bool):
            clear = bool(machine.certain(clear.numbers(machine)))
        dtype = c.dtype
        if is_float(dtype):
            dtype = sums.adder(dtype)
        result = sums.product(a, b, None if clear else c.accumulated(), dtype)
        if not c.wide and is_float(c.dtype):
            result = rounded(result.value, result.error, c.dtype)
        machine.fill(self.c, Numbers(c.dtype, result.value, result.error))

    def writes(self):
        return (self.c,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        m, n, k = (scope.pick((4, 1, 3, 8, 16, 17, 24, 33, 5)) for _ in range(3))
        ta, tb = scope.chance(3), scope.chance(3)
        floats = scope.chance(3) is False
        dtype = scope.pick(
            ("f32", "f16", "bf16", "f8e4m3fn", "f8e5m2", "f64", PAIR, *NO_NEGATIVE_ZERO)
            if floats
            else ("i8", "u8", "i32", "i16", "u16", "u32")
        )
        former = scope.tile(
            lambda t: len(t.shape) >= 2 and t.space != "local" and t.dtype not in _NO_OPERANDS
        )
        made: list = []
        first = None
        if former is not None and scope.chance(2):  # a tile that has been computed
            part = draw_part(scope, former)
            if len(part.shape) == 2:
                a, dtype, first = former, former.dtype, part
                m, k = part.shape[::-1] if ta else part.shape
        if first is None:
            made += load_tile(scope, dtype, (k, m) if ta else (m, k), _operand_space(scope))
            a = scope.tiles[-1]
            first = whole(a)
        other = (
            scope.pick(("f16", "f32", "bf16")) if is_float(dtype) and scope.chance(5) else dtype
        )
        shape = (n, k) if tb else (k, n)
        b = scope.tile(
            lambda t: t.dtype == other and t.shape == shape and t.space != "local"
        ) if scope.chance(2) else None  # fmt: skip
        if b is None:
            made += load_tile(scope, other, shape, _operand_space(scope))
            b = scope.tiles[-1]
        result = _result_type(scope, dtype, other)
        clear: object = scope.chance(3)
        c = scope.tile(
            lambda t: t.shape == (m, n) and t.dtype == result and t.base not in (a.base, b.base)
            and t.space != "local" and t.base not in scope.draft.seen_as_bits
        )  # fmt: skip
        if c is None:
            alloc, c = new_tile(scope, result, (m, n), scope.pick(("fragment", "shared")))
            made.append(alloc)
            if clear is False:
                made.append(cleared(c))
            show(scope, c)
        elif clear and scope.steady() is not None and scope.chance(2):
            clear = Binary("==", Name(scope.steady().name), Literal(0))
        scope.draft.accumulators.add(c.base)
        return (*made, cls(first, whole(b), c.name, ta, tb, clear))


_NO_OPERANDS = ("bool", "i64", "u64", SCALE)


def _operand_space(scope: Scope) -> str:
    return scope.pick(("shared", "fragment"))


def _result_type(scope: Scope, a: str, b: str) -> str:
    if not is_float(a):
        return "i32"
    if "f64" in (a, b):
        return "f64"
    return scope.pick(("f32", "f32", "f16", "bf16"))


def _transposed(numbers: Numbers) -> Numbers:
    return Numbers(numbers.dtype, numbers.value.T, numbers.error.T)


def source_tile(scope: Scope, accept: Callable[[Tile], bool]) -> tuple[tuple, Tile]:
    """A tile to work on: one in sight, or a new one and the statements that load it."""
    tile = None if scope.chance(4) else scope.tile(accept)
    if tile is not None:
        return (), tile
    return load_tile(scope, scope.dtype("number")), scope.tiles[-1]


_KINDS = (
    "sum", "max", "min", "absmax", "abssum", "any", "all", "argmax", "argmin", "bitand",
    "bitor", "bitxor", "sum", "max",
)  # fmt: skip


@drawn(5)
@node
class Reduce(Statement):
    """T.reduce_<kind> of a tile along a dimension."""

    kind: str
    source: Region
    target: str
    dim: int
    clear: bool

    def lines(self) -> list[str]:
        clear = "" if self.clear else ", clear=False"
        return [
            f"T.reduce_{self.kind}({self.source.text()}, {self.target}, dim={self.dim}{clear})"
        ]

    def run(self, machine: Machine) -> None:
        terms = self.source.matrix(machine)
        target = machine.memories[self.target]
        if self.kind not in ("any", "all", "argmax", "argmin"):
            terms = cast(terms, target.dtype)

        def fold(terms, dim, former):
            if self.kind in ("argmax", "argmin"):
                return sums.position(self.kind, terms, dim)
            return sums.reduction(self.kind, terms, dim, former)

        into_target(machine, self.target, terms, self.dim, self.clear, fold)

    def writes(self):
        return (self.target,)

    @classmethod
    def draw(cls, scope: Scope) -> tuple | None:
        made, source = source_tile(scope, lambda t: True)
        kinds = [k for k in _KINDS if _allows(k, source.dtype)]
        kind = scope.pick(kinds)
        part = draw_part(scope, source)
        extents = part.shape
        dim = scope.integer(0, len(extents) - 1)
        if kind in ("argmax", "argmin"):
            dtype = scope.pick(("i32", "i64"))
        elif kind in ("any", "all"):
            dtype = "bool"
        elif scope.chance(4):
            dtype = scope.pick([source.dtype, *wider(source.dtype)])
        else:
            dtype = source.dtype
        kept = extents[:dim] + extents[dim + 1 :]
        shape = extents[:dim] + (1,) + extents[dim + 1 :]
        shape = shape if not kept or scope.chance(4) else kept
        clear = kind in ("argmax", "argmin") or not scope.chance(3)
        former = scope.tile(
            lambda t: t.shape == shape and t.dtype == dtype and t.base != source.base
        ) if scope.chance(2) or not clear else None  # fmt: skip
        if former is None:
            alloc, former = new_tile(scope, dtype, shape)
            made += (alloc,) if clear else (alloc, cleared(former))
            show(scope, former)
        written = dim - len(extents) if scope.chance(3) else dim
        return (*made, cls(kind, part, former.name, written, clear))


def into_target(
    machine: Machine, name: str, terms: Numbers, dim: int, clear: bool, fold: Callable
) -> None:
    """Store `fold(terms, dim, former)`; `former` is what the target held, None with `clear`."""
    target, dim = machine.memories[name], dim % terms.value.ndim
    former = None
    if not clear:
        shape = terms.value.shape[:dim] + terms.value.shape[dim + 1 :]
        held = machine.whole(name)
        former = Numbers(held.dtype, held.value.reshape(shape), held.error.reshape(shape))
    made = cast(fold(terms, dim, former), target.dtype)
    shape = target.shape
    machine.fill(
        name, Numbers(made.dtype, made.value.reshape(shape), made.error.reshape(shape))
    )


def _allows(kind: str, dtype: str) -> bool:
    if dtype == "bool":
        return kind in ("any", "all")
    return not kind.startswith("bit") or not is_float(dtype)


def wider(dtype: str) -> list[str]:
    """Types of the same kind that a reduction of a type may go into."""
    if dtype == "bool":
        return []
    if is_float(dtype):
        return [d for d in ("f16", "bf16", "f32", "f64") if bits_of(d) > bits_of(dtype)]
    return [d for d in INTEGERS if d[0] == dtype[0] and bits_of(d) > bits_of(dtype)]
