"""Rewrites the source of kernels into other words for the same work, or for a little more.

Each rewriting takes the functions of a module that are kernels or macros and changes them in
place. None knows a kernel: what is legal follows from names and subscripts alone.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

import effects
from parallel_loops import change_loops

# What kernels with more elementwise work take beside their arguments.
EXTRA = ("gain", "shift", "most")

# How the library writes the type of what it computes in.
_FLOAT = ("'f32'", "T.float32", "accum")

Function = ast.FunctionDef


def is_kernel(node: ast.AST) -> bool:
    """Whether it is a function with @T.prim_func."""
    return _decorated(node, "prim_func")


def is_macro(node: ast.AST) -> bool:
    """Whether it is a function with @T.macro."""
    return _decorated(node, "macro")


def _decorated(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(d, ast.Attribute) and d.attr == name for d in node.decorator_list
    )


def device_functions(module: ast.Module) -> list[Function]:
    """The kernels and macros of a module."""
    return [node for node in ast.walk(module) if is_kernel(node) or is_macro(node)]


def bodies(function: Function) -> Iterator[list[ast.stmt]]:
    """All lists of statements in a function, the inner ones first."""
    for node in [*ast.walk(function)][::-1]:
        for name in ("body", "orelse"):
            statements = getattr(node, name, None)
            if isinstance(statements, list) and statements:
                yield statements


# Names.


def rename(module: ast.Module) -> None:
    """Gives every variable of a kernel, the kernels, and sizes that have names, other names.

    Parameters of the Python function around a kernel stay: callers may name them.
    """
    for function in module.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        inner = [n for n in ast.walk(function) if is_kernel(n) or is_macro(n)]
        if not inner:
            continue
        outside = set() if is_macro(function) else {a.arg for a in _arguments(function)}
        table = {
            name: f"name{number}"
            for number, name in enumerate(sorted(_bound(function) - outside))
        }
        table.pop(function.name, None)
        _Renamer(table).visit(function)


def _arguments(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _bound(function: Function) -> set[str]:
    """What is given a name in a function, functions in it included."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return found


class _Renamer(ast.NodeTransformer):
    def __init__(self, table: dict[str, str]) -> None:
        self._table = table

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._table.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self.generic_visit(node)
        node.arg = self._table.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: Function) -> Function:
        self.generic_visit(node)
        node.name = self._table.get(node.name, node.name)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Name) and node.func.id in self._table:
            assert not node.keywords, f"{node.func.id} is called with names"
        self.generic_visit(node)
        named = [k for k in node.keywords if k.arg == "alias"]
        if effects.operation(node) in ("dynamic", "choose"):
            node.args[0] = self._renamed(node.args[0])
        for keyword in named:
            keyword.value = self._renamed(keyword.value)
        return node

    def _renamed(self, name: ast.expr) -> ast.expr:
        if isinstance(name, ast.Constant):
            return ast.Constant(self._table.get(name.value, f"{name.value}_"))
        return ast.BinOp(name, ast.Add(), ast.Constant("_"))


# Order.


def reorder(module: ast.Module) -> None:
    """Turns the order of statements around, as far as what they read and write allows."""
    for function in device_functions(module):
        aliases = effects.aliases(function)
        for statements in bodies(function):
            statements[:] = _latest_first(statements, aliases)


def _latest_first(statements: Sequence[ast.stmt], aliases: Mapping[str, str]) -> list[ast.stmt]:
    """The statements, each time the last one for which all that it needs has come."""
    known = [effects.of(statement).of_memory(aliases) for statement in statements]
    left = list(range(len(statements)))
    ordered = []
    while left:
        ready = next(
            i
            for i in reversed(left)
            if not any(known[j].before(known[i]) for j in left if j < i)
        )
        left.remove(ready)
        ordered.append(statements[ready])
    return ordered


# Operands.


def commute(module: ast.Module) -> None:
    """Exchanges the operands of sums, products, maxima and minima."""
    for function in device_functions(module):
        for statement in function.body:
            _Commuter().visit(statement)


class _Commuter(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Mult):
            node.left, node.right = node.right, node.left
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if effects.operation(node) in ("max", "min") and len(node.args) == 2:
            node.args.reverse()
        return node


# More work.


def fuse(module: ast.Module) -> None:
    """Adds a scale, a bias and a clamp, whose numbers are arguments of the launch.

    They are put where f32 tiles come from memory, where scores are made (a product that
    starts at zero), and where floats are stored. The module gets a tuple EXTRA of the three
    numbers; with those it has at first nothing changes a value.
    """
    for function in device_functions(module):
        if is_kernel(function):
            function.args.args += [
                ast.arg(name, ast.parse("T.float32", mode="eval").body) for name in EXTRA
            ]
            _Fuser(function).run()
    _Launches().visit(module)
    module.body += ast.parse(_LAUNCH).body


_LAUNCH = """
EXTRA = (1.0, 0.0, float("inf"))

def with_extra(kernel):
    return lambda *arguments: kernel(*arguments, *EXTRA)
"""


class _Launches(ast.NodeTransformer):
    """Has every kernel that is compiled get the extra arguments."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "compile":
            return ast.Call(ast.Name("with_extra", ast.Load()), [node], [])
        return self.generic_visit(node)


class _Fuser:
    """Puts work into one kernel."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._tiles = float_tiles(function)
        self._tensors = {
            argument.arg for argument in function.args.args if _is_float_tensor(argument)
        }

    def run(self) -> None:
        for statement in self._function.body:
            _Reads(self._tensors).visit(statement)
        for statements in bodies(self._function):
            statements[:] = [new for old in self._joined(statements) for new in old]

    def _joined(self, statements: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
        for number, statement in enumerate(statements):
            following = statements[number + 1] if number + 1 < len(statements) else None
            yield self._with_work(statement, following)

    def _with_work(self, old: ast.stmt, following: ast.stmt | None) -> list[ast.stmt]:
        if isinstance(old, ast.Expr) and isinstance(old.value, ast.Call):
            call, name = old.value, effects.operation(old.value)
            if name == "copy" and self._is_tile(call.args[1]):
                if effects.base(call.args[0]) in self._tensors:
                    return [old, self._loop(call.args[1], "{0} * gain + shift")]
            elif name == "copy" and self._is_tile(call.args[0]):
                if effects.base(call.args[1]) in self._tensors:
                    clamp = "T.min(T.max({0} * gain + shift, -most), most)"
                    return [self._loop(call.args[0], clamp), old]
            elif name == "gemm" and self._is_tile(call.args[2]):
                done = not _adds_to(following, call.args[2])
                if done and self._starts_at_zero(call, following):
                    return [old, self._loop(call.args[2], "{0} * gain + shift")]
        elif isinstance(old, ast.Assign) and isinstance(old.targets[0], ast.Subscript):
            if effects.base(old.targets[0]) in self._tensors and _computed(old.value):
                old.value = _expression(
                    "T.min(T.max({0} * gain + shift, -most), most)", old.value
                )
        return [old]

    def _is_tile(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self._tiles

    def _starts_at_zero(self, call: ast.Call, following: ast.stmt | None) -> bool:
        """Whether scores are made by a product, or by this one and those before it."""
        zeroed = any(keyword.arg == "clear_accum" for keyword in call.keywords)
        written = effects.base(call.args[2])
        return zeroed or any(
            effects.operation(other) == "gemm"
            and effects.base(other.args[2]) == written
            and any(keyword.arg == "clear_accum" for keyword in other.keywords)
            for other in ast.walk(self._function)
            if isinstance(other, ast.Call)
        )

    def _loop(self, tile: ast.expr, work: str) -> ast.stmt:
        shape = self._tiles[tile.id]
        indices = ["e0", "e1", "e2", "e3"][: len(shape)]
        element = f"{tile.id}[{', '.join(indices)}]"
        extents = ", ".join(map(ast.unparse, shape))
        text = f"for {', '.join(indices)} in T.Parallel({extents}):\n {element} = "
        return ast.parse(text + work.format(element)).body[0]


class _Reads(ast.NodeTransformer):
    """Has every element that is read as f32, one by one, scaled and moved."""

    def __init__(self, tensors: set[str]) -> None:
        self._tensors = tensors

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if effects.operation(node) == "cast" and ast.unparse(node.args[1]) in _FLOAT:
            if effects.base(node.args[0]) in self._tensors:
                return _expression("{0} * gain + shift", node)
        return node


def _adds_to(statement: ast.stmt | None, tile: ast.expr) -> bool:
    """Whether a statement is one more product into the tile."""
    return (
        isinstance(statement, ast.Expr)
        and effects.operation(statement.value) == "gemm"
        and effects.base(statement.value.args[2]) == effects.base(tile)
    )


def _computed(value: ast.expr) -> bool:
    """Whether a value is more than a constant that is put there."""
    return any(isinstance(node, ast.Subscript | ast.Name) for node in ast.walk(value)) and (
        effects.names(value) != {"T"}
    )


def _expression(text: str, value: ast.expr) -> ast.expr:
    return ast.parse(text.format(f"({ast.unparse(value)})"), mode="eval").body


def _is_float_tensor(argument: ast.arg) -> bool:
    """Whether a parameter is a tensor, of no integers."""
    text = ast.unparse(argument.annotation) if argument.annotation else ""
    return "tensor(" in text.lower() and not any(i in text for i in ("int", "'i", "uint"))


def float_tiles(function: Function) -> dict[str, Sequence[ast.expr]]:
    """The shapes of the tiles that a kernel allocates in f32."""
    found: dict[str, Sequence[ast.expr]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                if effects.operation(call) in ("alloc_fragment", "alloc_shared"):
                    shape, dtype = call.args[:2]
                    if ast.unparse(dtype) in _FLOAT:
                        if isinstance(shape, ast.Tuple | ast.List):
                            found[name] = shape.elts
    return found


def elementwise(module: ast.Module) -> None:
    """Joins elementwise loops that follow each other, and splits others in two."""
    for function in device_functions(module):
        # Accumulators that macros are given are in f32, as all of the library are.
        is_float = set(float_tiles(function))
        viewed = {name for pair in effects.aliases(function).items() for name in pair}
        if is_macro(function):
            is_float |= {argument.arg for argument in _arguments(function)} - {"prob"}
        for statements in bodies(function):
            statements[:] = change_loops(statements, is_float, viewed)


# In the order in which they are applied: loops that are added stay as they are added.
REWRITINGS: dict[str, Callable[[ast.Module], None]] = {
    "elementwise": elementwise,
    "fuse": fuse,
    "commute": commute,
    "reorder": reorder,
    "rename": rename,
}
