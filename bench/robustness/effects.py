"""What statements of a kernel read and write, by the names of tiles, tensors and scalars.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence

# Where the operations that only write one of their operands have it.
_DESTINATION = {"copy": 1, "clear": 0, "fill": 0, "gemm": 2, "gather": 2, "cumsum": 1}


@dataclasses.dataclass(frozen=True)
class Effects:
    """Names that are read and written; nothing moves across a `fence`."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    fence: bool = False

    def __or__(self, other: Effects) -> Effects:
        return Effects(
            self.reads | other.reads, self.writes | other.writes, self.fence or other.fence
        )

    def of_memory(self, aliases: Mapping[str, str]) -> Effects:
        """The same of what the names stand for."""
        reads = frozenset(aliases.get(name, name) for name in self.reads)
        writes = frozenset(aliases.get(name, name) for name in self.writes)
        return Effects(reads, writes, self.fence)

    def before(self, other: Effects) -> bool:
        """Whether what comes first must stay before the other."""
        return (
            self.fence
            or other.fence
            or bool(self.writes & (other.reads | other.writes))
            or bool(self.reads & other.writes)
        )


def operation(call: ast.expr) -> str | None:
    """`copy` of a call of T.copy; None of everything else."""
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "T":
            return call.func.attr
    return None


def names(node: ast.AST) -> set[str]:
    """All names that an expression mentions."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def base(node: ast.expr) -> str | None:
    """The tile or tensor that an operand is, or is a part of."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def aliases(function: ast.FunctionDef) -> dict[str, str]:
    """Names of a function that stand for the memory of another: views, and parameters that
    are declared so."""
    found = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                if operation(call) in ("reshape", "view"):
                    found[name] = base(call.args[0])
            case ast.arg(arg=name, annotation=ast.Call(keywords=keywords)):
                for keyword in keywords:
                    if keyword.arg == "alias":
                        found[name] = keyword.value.value
    return {name: found.get(of, of) for name, of in found.items()}


def of(statement: ast.stmt) -> Effects:
    """The effects of a statement, with all that stands in it."""
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return _of_call(call)
        case ast.Expr(value=ast.Constant()):
            return Effects(fence=True)  # a docstring stays first
        case ast.Assign(targets=[target], value=value):
            return _of_target(target) | _of_value(value)
        case ast.AugAssign(target=target, value=value):
            touched = _of_target(target)
            return touched | Effects(reads=touched.writes) | _of_value(value)
        case ast.For(target=target, iter=over, body=body, orelse=[]):
            return _of_target(target) | _of_value(over) | of_all(body)
        case ast.If(test=test, body=body, orelse=orelse):
            return _of_value(test) | of_all(body) | of_all(orelse)
        case ast.While(test=test, body=body, orelse=[]):
            return _of_value(test) | of_all(body)
    return Effects(fence=True)


def of_all(statements: Sequence[ast.stmt]) -> Effects:
    """The effects of several statements together."""
    found = Effects()
    for statement in statements:
        found |= of(statement)
    return found


def _of_target(target: ast.expr) -> Effects:
    if isinstance(target, ast.Tuple):
        found = Effects()
        for part in target.elts:
            found |= _of_target(part)
        return found
    if isinstance(target, ast.Name):
        return Effects(writes=frozenset({target.id}))
    written = frozenset({base(target)} - {None})
    return Effects(frozenset(names(target)), written, fence=not written)


def _of_value(value: ast.expr) -> Effects:
    """A value is read; a macro that is called in it may write what it is given."""
    found = Effects(frozenset(names(value)))
    for call in ast.walk(value):
        if isinstance(call, ast.Call) and operation(call) is None:
            if not (isinstance(call.func, ast.Name) and call.func.id in ("max", "min")):
                found |= Effects(writes=_operands(call.args))
    return found


def _of_call(call: ast.Call) -> Effects:
    """A statement that is an operation, or a macro, which may write all that it is given."""
    reads = frozenset().union(*(names(a) for a in [*call.args, *call.keywords]))
    name = operation(call) or ""
    place = 1 if name.startswith("reduce_") else _DESTINATION.get(name)
    if place is None or place >= len(call.args):
        return Effects(reads, _operands(call.args))
    written = base(call.args[place])
    return Effects(reads, frozenset({written} - {None}), fence=written is None)


def _operands(arguments: Sequence[ast.expr]) -> frozenset[str]:
    """What of the arguments could be a tile, a tensor or a variable."""
    return frozenset({base(a) for a in arguments} - {None})
