"""Elementwise loops: two that follow each other as one, and one as two.

An access is elementwise if its subscripts are those of all others to the tile in the loop and
have all loop variables; then iterations share nothing, and the order of statements and
iterations does not matter.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

import effects


def change_loops(
    statements: Sequence[ast.stmt], is_float: set[str], viewed: set[str]
) -> list[ast.stmt]:
    """Statements with loops joined where two follow each other and split where they are
    alone. Tiles in `is_float` hold what is computed without rounding; loops over tiles in
    `viewed`, whose memory has several names, stay."""
    changeable = [
        _is_parallel(statement) and not effects.names(statement) & viewed
        for statement in statements
    ]
    done: list[ast.stmt] = []
    number = 0
    while number < len(statements):
        loop = statements[number]
        alone = True
        while changeable[number] and changeable[number + 1 : number + 2] == [True]:
            both = _joined(loop, statements[number + 1])
            if not both:
                break
            loop, alone, number = both, False, number + 1
        done += _split(loop, is_float) if changeable[number] and alone else [loop]
        number += 1
    return done


def _is_parallel(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.For) and effects.operation(statement.iter) == "Parallel"


def _variables(loop: ast.For) -> list[str]:
    parts = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
    return [part.id for part in parts]


def _subscripts(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, str, set[str]]]:
    """Accesses in statements: the tile, its subscripts as text, and the names in these."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                yield node.value.id, ast.unparse(node.slice), effects.names(node.slice)


def _elementwise(loop: ast.For) -> bool:
    """Whether all tiles that a loop writes are accessed element by element."""
    written = effects.of_all(loop.body).writes
    places: dict[str, set[str]] = {}
    for tile, text, used in _subscripts(loop.body):
        if tile in written:
            places.setdefault(tile, set()).add(text)
            if not used >= set(_variables(loop)):
                return False
    return all(len(texts) == 1 for texts in places.values())


def _assigns_scalars(loop: ast.For) -> bool:
    return any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        for statement in loop.body
        for node in ast.walk(statement)
    )


def _joined(first: ast.For, second: ast.For) -> ast.For | None:
    """One loop that does the work of both; None where that would not be the same."""
    if ast.dump(first.iter) != ast.dump(second.iter):
        return None
    mine, theirs = _variables(first), _variables(second)
    one = copy.deepcopy(second)
    table = dict(zip(theirs, mine, strict=True))
    for node in ast.walk(one):
        if isinstance(node, ast.Name):
            node.id = table.get(node.id, node.id)
    one.body = [*copy.deepcopy(first).body, *one.body]
    if _assigns_scalars(first) or _assigns_scalars(second) or not _elementwise(one):
        return None
    return one


def _split(loop: ast.For, is_float: set[str]) -> list[ast.stmt]:
    """A loop for each statement, or for the inner and the outer half of the only one."""
    if _assigns_scalars(loop) or not _elementwise(loop):
        return [loop]
    bodies = [[statement] for statement in loop.body]
    if len(bodies) == 1:
        bodies = [[half] for half in _halves(loop.body[0], is_float)]
    return [ast.For(loop.target, loop.iter, body, [], lineno=0) for body in bodies]


def _halves(statement: ast.stmt, is_float: set[str]) -> list[ast.stmt]:
    """t[i] = f(g(t[i])) as t[i] = g(t[i]) and t[i] = f(t[i]), where t is read in g alone."""
    match statement:
        case ast.Assign(targets=[ast.Subscript() as target], value=value):
            tile = effects.base(target)
        case _:
            return [statement]
    if tile not in is_float:
        return [statement]
    place = ast.unparse(target)
    for field, index, inner in _operands(value):
        if isinstance(inner, ast.BinOp | ast.Call) and tile in effects.names(inner):
            first = ast.Assign([copy.deepcopy(target)], copy.deepcopy(inner), lineno=0)
            outer = copy.deepcopy(statement)
            stored = ast.parse(place, mode="eval").body
            outer.value = _with_operand(value, field, index, stored)
            rest = _with_operand(value, field, index, ast.Constant(0))
            if tile not in effects.names(rest) and _is_number(inner):
                return [first, outer]
    return [statement]


def _operands(value: ast.expr) -> Iterator[tuple[str, int | None, ast.expr]]:
    """The operands of arithmetic: the field, the place in it, and the operand."""
    if isinstance(value, ast.BinOp):
        yield "left", None, value.left
        yield "right", None, value.right
    elif isinstance(value, ast.Call) and effects.operation(value) not in (None, "cast"):
        for index, argument in enumerate(value.args):
            yield "args", index, argument


def _with_operand(
    value: ast.expr, field: str, index: int | None, operand: ast.expr
) -> ast.expr:
    made = copy.deepcopy(value)
    if index is None:
        setattr(made, field, operand)
    else:
        getattr(made, field)[index] = operand
    return made


def _is_number(value: ast.expr) -> bool:
    """Whether it is arithmetic, and no condition or integer."""
    return not any(isinstance(node, ast.Compare | ast.BoolOp) for node in ast.walk(value))
