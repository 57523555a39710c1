# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawing scalar expressions, at block level and in the iterations of a T.Parallel."""

from __future__ import annotations

from tilewright.testing.programs.expressions import (
    Binary,
    Cast,
    Choose,
    Element,
    Expression,
    Literal,
    Logic,
    Name,
    Ternary,
    Unary,
)
from tilewright.testing.programs.functions import FUNCTIONS
from tilewright.testing.programs.macros import macro_of
from tilewright.testing.programs.movement import literal_of
from tilewright.testing.programs.numbers import (
    NO_NEGATIVE_ZERO,
    PAIR,
    SCALE,
    bits_of,
    is_float,
    is_integer,
)
from tilewright.testing.programs.operators import literal_type, promote
from tilewright.testing.programs.scope import Scope, Tile, Value

Typed = tuple[Expression, str]

_COMPARISONS = ("<", "==", ">=", "!=", "<=", ">")


def draw_value(scope: Scope, depth: int) -> Typed:
    """An expression and its type."""
    if depth == 0 or scope.chance(4):
        return _leaf(scope)
    return scope.pick(_FORMS)(scope, depth - 1)


def _leaf(scope: Scope) -> Typed:
    choice = scope.integer(0, 9)
    if choice >= 8 and scope.values:
        value = scope.pick(scope.values[::-1])
        return Name(value.name), value.dtype
    if choice == 7 and scope.chance(2):
        return _parameter(scope)
    found = scope.find(lambda t: True)
    if found is None or scope.chance(12):
        extents = tuple(v.high + 1 for v in scope.values if v.lane)
        found = scope.input(len(extents) or 1, None, extents)
    return Element(found.name, draw_indices(scope, found)), found.dtype


def _parameter(scope: Scope) -> Typed:
    """A scalar parameter of the program."""
    known = [(name, dtype) for name, dtype, _ in scope.draft.scalars]
    if known and scope.chance(2):
        name, dtype = scope.pick(known)
        return Name(name), dtype
    dtype = scope.pick(("f32", "i32", "i64", "f64", "u8", "f16", "bf16", "i8", "u32"))
    number = scope.pick((1, 0, 3, 100) if dtype[0] in "iu" else (1.0, 0.0, -2.5, 100.0))
    name = scope.fresh("p")
    scope.draft.scalars.append((name, dtype, number))
    return Name(name), dtype


def draw_indices(scope: Scope, memory: Tile) -> tuple:
    """Indices of an element: inside for a tile, anywhere for a tensor."""
    return tuple(draw_index(scope, extent, memory.is_global) for extent in memory.shape)


def draw_index(scope: Scope, extent: int, anywhere: bool) -> Expression:
    """An index along a dimension of an extent."""
    lanes = [v for v in scope.values if v.lane]
    fitting = [v for v in lanes if anywhere or v.high < extent]
    if scope.chance(6) or not lanes:
        return scope.offset(extent, 1, not anywhere, False)
    if not fitting or scope.chance(4):
        lane = scope.pick(lanes)
        return scope.pick((_wrapped, _mirrored, _scaled, _loaded))(
            scope, lane, extent, anywhere
        )
    lane = scope.pick(fitting[::-1])
    made: Expression = Name(lane.name)
    if anywhere and scope.chance(2):
        return Binary("+", scope.offset(extent, lane.high + 1, False, False), made)
    room = extent - 1 - lane.high
    shift = scope.integer(0, room) if room > 0 and scope.chance(3) else 0
    return Binary("+", made, Literal(shift)) if shift else made


def _wrapped(scope: Scope, lane: Value, extent: int, anywhere: bool) -> Expression:
    if extent == 0:
        return Name(lane.name)
    return Binary("%", Name(lane.name), Literal(extent))


def _mirrored(scope: Scope, lane: Value, extent: int, anywhere: bool) -> Expression:
    if lane.high < extent or anywhere:
        return Binary("-", Literal(max(extent - 1, 0)), Name(lane.name))
    return _wrapped(scope, lane, extent, anywhere)


def _scaled(scope: Scope, lane: Value, extent: int, anywhere: bool) -> Expression:
    if anywhere and scope.chance(2):
        return Binary("*", Name(lane.name), Literal(scope.pick((2, 3))))
    by = scope.pick((2, 3, 4))
    if lane.high // by < extent or anywhere:
        return Binary("//", Name(lane.name), Literal(by))
    return _wrapped(scope, lane, extent, anywhere)


def _loaded(scope: Scope, lane: Value, extent: int, anywhere: bool) -> Expression:
    """An index that memory holds."""
    found = scope.find(lambda t: is_integer(t.dtype))
    if found is None or extent == 0:
        return _wrapped(scope, lane, extent, anywhere)
    at: Expression = Element(found.name, tuple(_plain(lane, e, found) for e in found.shape))
    if anywhere and scope.chance(2):
        return at
    if bits_of(found.dtype) == 8:  # which may not hold the extent
        at = Cast("i32", at)
    if scope.chance(2):
        return Binary("%", at, Literal(extent))
    return Ternary("clamp", at, Literal(0), Literal(extent - 1))


def _plain(lane: Value, extent: int, memory: Tile) -> Expression:
    if lane.high < extent or memory.is_global:
        return Name(lane.name)
    return Literal(0)


# -- forms ------------------------------------------------------------------------------------


def _arithmetic(scope: Scope, depth: int) -> Typed:
    op = scope.pick(("+", "*", "-", "/", "//", "%"))
    a, a_type = draw_value(scope, depth)
    if op in ("//", "%") and not scope.chance(4):  # a divisor that is not zero
        divisor = literal_of(scope, a_type if a_type != "index" else "i32")
        number = divisor.number or 3
        number = 1 if a_type == "bool" else number
        return Binary(op, a, Literal(number)), _with_literal(a_type, number, op)
    if scope.chance(3):
        literal = literal_of(scope, a_type if a_type not in ("index", "bool") else "i32")
        if op in ("/", "//", "%") and not literal.number:  # a literal zero is refused
            literal = Literal(2.0 if is_float(a_type) else 2)
        if op != "/" and scope.chance(3):
            if op in ("//", "%") and not isinstance(a, Element):
                a, a_type = _not_zero(a, a_type)
            return Binary(op, literal, a), _with_literal(a_type, literal.number, op)
        made = _with_literal(a_type, literal.number, op)
        return Binary(op, a, literal), made
    b, b_type = draw_value(scope, depth)
    (a, a_type), (b, b_type) = _beside((a, a_type), b_type), _beside((b, b_type), a_type)
    if op in ("/", "//", "%") and not isinstance(b, Element):
        b, b_type = _not_zero(b, b_type)
    return Binary(op, a, b), _result(promote(a_type, b_type), op)


def _beside(one: Typed, other: str) -> Typed:
    """An operand as it may stand beside one of type `other`: the number of an unrolled loop is
    a literal, and e8m0 has no zero."""
    return (Cast("f32", one[0]), "f32") if (one[1], other) == ("index", SCALE) else one


def _not_zero(divisor: Expression, dtype: str) -> Typed:
    """A divisor that cannot be folded to zero, which the compiler rightly refuses."""
    if is_float(dtype):
        least = Literal(0.5)
        return Binary("max", Unary("abs", divisor), least), dtype
    if dtype == "bool":
        return Cast("i32", Binary("|", divisor, Literal(True))), "i32"
    return Binary("|", divisor, Literal(1)), dtype


def _with_literal(dtype: str, number: object, op: str) -> str:
    return _result(promote(dtype, literal_type(number, dtype)), op)


def _result(dtype: str, op: str) -> str:
    if op == "/" and not is_float(dtype):
        return "f32"
    return "i32" if dtype == "bool" else dtype


def _extremum(scope: Scope, depth: int) -> Typed:
    a, b = draw_value(scope, depth), draw_value(scope, depth)
    (a, a_type), (b, b_type) = _beside(a, b[1]), _beside(b, a[1])
    return Binary(scope.pick(("max", "min")), a, b), promote(a_type, b_type)


def _unary(scope: Scope, depth: int) -> Typed:
    a, dtype = draw_value(scope, depth)
    op = scope.pick(("-", "abs", "floor", "ceil", "round", "trunc"))
    return Unary(op, a), "i32" if op == "-" and dtype == "bool" else dtype


def _maths(scope: Scope, depth: int) -> Typed:
    a, dtype = draw_value(scope, depth)
    return Unary(scope.pick(FUNCTIONS), a), dtype if is_float(dtype) else "f32"


def _integer(scope: Scope, depth: int) -> Typed:
    """An expression of an integer type."""
    a, dtype = draw_value(scope, depth)
    if is_integer(dtype):
        return a, dtype
    dtype = scope.pick(("i32", "u8", "i64", "u32", "i16"))
    return Cast(dtype, a), dtype


def _bits(scope: Scope, depth: int) -> Typed:
    a, a_type = _integer(scope, depth)
    op = scope.pick(("&", "|", "^", "<<", ">>", "~"))
    if op == "~":
        return Unary("~", a), a_type
    if op in ("<<", ">>"):
        if scope.chance(3):
            b, b_type = _integer(scope, 0)
            return Binary(op, a, b), a_type
        return Binary(op, a, Literal(scope.pick((1, 3, 0, bits_of(a_type) - 1, 70)))), a_type
    if scope.chance(3):
        return Binary(op, a, Literal(scope.pick((1, 6, 127)))), a_type
    b, b_type = _integer(scope, depth)
    return Binary(op, a, b), promote(a_type, b_type)


def condition(scope: Scope, depth: int) -> Expression:
    """An expression of type bool."""
    choice = scope.integer(0, 5)
    if choice == 5 and depth > 0:
        op = scope.pick(("and", "or"))
        return Logic(op, condition(scope, depth - 1), condition(scope, depth - 1))
    if choice == 4 and depth > 0:
        return Unary("not ", condition(scope, depth - 1))
    a, a_type = draw_value(scope, depth)
    if choice == 2 and is_float(a_type):
        return Unary(scope.pick(("isnan", "isinf")), a)
    if choice == 3:
        b, _ = draw_value(scope, depth)
        return Binary(scope.pick(_COMPARISONS), a, b)
    number = literal_of(scope, "i32" if a_type in ("index", "bool") else a_type)
    return Binary(scope.pick(_COMPARISONS), a, number)


def _truth(scope: Scope, depth: int) -> Typed:
    return condition(scope, depth), "bool"


def _choice(scope: Scope, depth: int) -> Typed:
    (a, a_type), (b, b_type) = draw_value(scope, depth), draw_value(scope, depth)
    made = Choose(condition(scope, min(depth, 1)), a, b, scope.chance(2))
    return made, promote(a_type, b_type)


def _neighbour(scope: Scope, depth: int) -> Typed:
    """An element beside the lane's own, where the tile has it: `x[i - 1] if i >= 1 else b`."""
    lanes = [v for v in scope.values if v.lane]
    found = scope.tile(lambda t: any(0 < v.high < e for v in lanes for e in t.shape))
    if found is None:
        return _choice(scope, depth)
    d, lane = scope.pick(
        [(d, v) for d, e in enumerate(found.shape) for v in lanes if 0 < v.high < e]
    )
    extent = found.shape[d]
    distance = min(scope.pick((1, 2, 5)), lane.high)  # an access that is never right is refused
    indices = list(draw_indices(scope, found))
    if scope.chance(2):
        indices[d] = Binary("+", Name(lane.name), Literal(distance))
        inside = Binary("<", indices[d], Literal(extent))
    else:
        indices[d] = Binary("-", Name(lane.name), Literal(distance))
        inside = Binary(">=", Name(lane.name), Literal(distance))
    there = Element(found.name, tuple(indices))
    if scope.chance(3):
        number = literal_of(scope, found.dtype)
        reads = Binary(scope.pick(_COMPARISONS), there, number)
        return Logic("and", inside, reads), "bool"
    other, other_type = draw_value(scope, depth)
    made = Choose(inside, there, other, scope.chance(2))
    return made, promote(found.dtype, other_type)


def _macro(scope: Scope, depth: int) -> Typed:
    made, dtype = draw_value(scope, depth)
    return macro_of(scope, made), dtype


def _cast(scope: Scope, depth: int) -> Typed:
    a, _ = draw_value(scope, depth)
    dtype = scope.dtype()
    return Cast(dtype, a), dtype


_SAME_WIDTH = {
    4: (PAIR,),
    8: ("i8", "u8", "f8e4m3fn", "f8e5m2", *NO_NEGATIVE_ZERO, SCALE),
    16: ("i16", "u16", "f16", "bf16"),
    32: ("i32", "u32", "f32"),
    64: ("i64", "u64", "f64"),
}


def _reinterpret(scope: Scope, depth: int) -> Typed:
    a, dtype = draw_value(scope, depth)
    if dtype in ("bool", "index", PAIR):
        return a, dtype
    other = scope.pick([d for d in _SAME_WIDTH[bits_of(dtype)] if d != dtype])
    return Cast(other, a, True), other


def _ternary(scope: Scope, depth: int) -> Typed:
    a, a_type = draw_value(scope, depth)
    if scope.chance(2):
        kind = a_type if a_type not in ("index", "bool") else "i32"
        if kind[0] == "u":
            low, high = 1, 5
        else:
            low, high = (-2, 3) if not is_float(kind) else (-2.0, 3.0)
        if kind == SCALE:
            low, high = 0.5, 4.0
        if a_type == "bool":
            return a, a_type
        return Ternary("clamp", a, Literal(low), Literal(high)), a_type
    (b, b_type), (c, c_type) = draw_value(scope, depth), draw_value(scope, depth)
    dtype = promote(promote(a_type, b_type), c_type)
    return Ternary("fma", a, b, c), "i32" if dtype == "bool" else dtype


_FORMS = (
    _arithmetic,
    _arithmetic,
    _arithmetic,
    _extremum,
    _unary,
    _cast,
    _choice,
    _neighbour,
    _bits,
    _bits,
    _truth,
    _ternary,
    _maths,
    _reinterpret,
    _macro,
)
