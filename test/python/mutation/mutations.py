"""Changes of a kernel's text: one statement each, by rules over its syntax tree.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator

from .corpus import CORPUS, Kernel

DTYPES = ("float16", "bfloat16", "float32", "float64", "int8", "int32", "uint8", "bool",
          "float8_e4m3fn", "no_such_type", "int4")  # fmt: skip
_SHORT = {"f16", "bf16", "f32", "f64", "i8", "i32", "u8", *DTYPES}
_VALUES = ("None", "'x'", "3.5", "99", "-7", "[1, 2]", "True", "undefined_name")

# Python that a kernel may not hold, or may hold where it means what it means in Python.
UNSUPPORTED = (
    "try:\n    pass\nexcept Exception:\n    pass",
    "with open('x') as file:\n    pass",
    "with undefined_name:\n    pass",
    "thing = lambda x: x + 1",
    "thing = [n for n in range(3)]",
    "thing = {n: n for n in range(3)}",
    "thing = sum(n for n in range(3))",
    "yield 1",
    "thing = yield",
    "await something",
    "global thing",
    "nonlocal thing",
    "first, *rest = 1, 2, 3",
    "T.fill(*[1, 2])",
    "T.fill(**{'a': 1})",
    "(thing := 3)",
    "thing = f'{1}'",
    "thing = T.ceildiv(7, 2)[::2]",
    "del thing",
    "class Thing:\n    pass",
    "def thing():\n    return 1",
    "import os",
    "from os import path",
    "print('hello')",
    "thing = {1, 2}",
    "thing = {'a': 1}",
    "thing = [1, 2, 3]",
    "assert True",
    "assert False, 'no'",
    "raise ValueError('no')",
    "return 3",
    "break",
    "continue",
    "pass",
    "thing = 1 if True else 2",
    "thing = 1 @ 2",
    "thing = 'a' + 'b'",
    "thing = 1 / 0",
    "thing = 1 << -1",
    "thing = b'bytes'",
    "thing = ...",
    "thing = 3j",
    "thing = None + 1",
    "thing = 1 < 'a'",
    "thing = not_there",
    "thing.attribute = 3",
    "thing: int",
    "thing: int = 3",
    "a = b = 3",
    "a, b = 3",
    "T.no_such_name(1)",
    "T.copy",
    "T.sync_threads()",
    "for x in 3:\n    pass",
    "for x in [1, 2]:\n    pass\nelse:\n    pass",
    "for x in enumerate([1, 2]):\n    pass",
    "while True:\n    break",
    "match 3:\n    case _:\n        pass",
    "exec('1')",
    "open('x')",
    "thing = __import__('os')",
    "thing = T",
    "T.x = 3",
    "thing = (1, 2)[5]",
    "thing = [][0]",
    "thing = {}['a']",
    "with T.Kernel(1):\n    pass",
    "T.alloc_shared((2, 2), 'float32')",
    "T.alloc_shared((-2,), 'float32')",
    "T.alloc_shared((), 'float32')",
    "T.alloc_shared((2.5,), 'float32')",
    "T.alloc_fragment(7)",
    "T.Parallel(3)",
    "T.serial(3)",
    "async def thing():\n    pass",
    "thing = (i for i in range(3))",
    "'a string'",
    "3",
    "int('x')",
    "len(3)",
    "max()",
    "range(1, 2, 3, 4)",
    "isinstance(1, int)",
    "super()",
    "thing = -'a'",
    "thing = ~1.5",
    "thing = [1] * 3",
    "thing = 2 ** 10000",
    "thing = 10 ** 400 * 1.0",
    "thing = 0x123456789abcdef0123456789",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A changed module.

    The mutated statement stands on lines `first` to `last`; `uses` are lines of statements
    that mention a name which it defines, or a name defined from that one; where the statement
    is deleted, also of those around it, which lack it. `of_signature` says
    whether it declares what the launch compares with `arguments`.
    """

    kernel: str
    kind: str
    detail: str
    text: str
    first: int
    last: int
    uses: frozenset[int]
    of_signature: bool
    arguments: tuple[str, ...]


# ---- Names ----------------------------------------------------------------------------------


def header(statement: ast.stmt) -> list[ast.AST]:
    """The parts of a statement without the statements in it."""
    return [
        child
        for field, value in ast.iter_fields(statement)
        if field not in ("body", "orelse", "finalbody", "handlers")
        for child in (value if isinstance(value, list) else [value])
        if isinstance(child, ast.AST)
    ]


def parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """Every node of a statement's own."""
    for child in header(statement):
        yield from ast.walk(child)


def mentioned(statement: ast.stmt) -> set[str]:
    """The names in a statement's own parts."""
    return {
        n.id if isinstance(n, ast.Name) else n.arg
        for n in parts(statement)
        if isinstance(n, (ast.Name, ast.arg))
    }


def defined(statement: ast.stmt) -> set[str]:
    """The names that a statement binds, and those whose memory it may write."""
    names = {
        n.id
        for n in parts(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for n in parts(statement):
        if isinstance(n, ast.arg):
            names.add(n.arg)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store):
            names |= {x.id for x in ast.walk(n.value) if isinstance(x, ast.Name)}
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        names.add(statement.name)
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        names |= {(a.asname or a.name).split(".")[0] for a in statement.names}
    return names


def statements(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function, itself first."""
    return [n for n in ast.walk(function) if isinstance(n, ast.stmt)]


def reached(names: set[str], function: ast.FunctionDef) -> set[str]:
    """Names and all that are defined from them."""
    names, before = set(names), -1
    while len(names) != before:
        before = len(names)
        for s in statements(function)[1:]:
            if mentioned(s) & names:
                names |= defined(s)
    return names


# ---- Rules ----------------------------------------------------------------------------------

# A rule looks at a node and gives changes: what it is, and a function that applies it in place
# to a copy of the node and may return another node.
Change = tuple[str, str, Callable[[ast.AST], ast.AST | None]]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        yield "operands swapped", "", lambda n: ast.BinOp(n.right, n.op, n.left)
        for op in (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod):
            if not isinstance(node.op, op):
                yield "operator changed", op.__name__, lambda n, op=op: ast.BinOp(n.left, op(), n.right)
        yield "operator changed", "MatMult", lambda n: ast.BinOp(n.left, ast.MatMult(), n.right)
    if isinstance(node, ast.Compare):
        yield "operands swapped", "", lambda n: ast.Compare(n.comparators[0], n.ops, [n.left])
        for op in (ast.Lt, ast.GtE, ast.Eq, ast.Is, ast.In):
            yield "operator changed", op.__name__, lambda n, op=op: ast.Compare(n.left, [op()], n.comparators)
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    if isinstance(node, ast.Attribute) and node.attr in _SHORT:
        for other in DTYPES:
            if other != node.attr:
                yield "dtype changed", other, lambda n, o=other: ast.Attribute(n.value, o, n.ctx)
    if isinstance(node, ast.Name) and node.id == "dtype" and isinstance(node.ctx, ast.Load):
        for other in DTYPES:
            yield "dtype changed", other, lambda n, o=other: ast.Constant(o)
    if isinstance(node, ast.Name):
        yield "name misspelt", node.id, lambda n: ast.Name(n.id + "x", n.ctx)
    if isinstance(node, ast.arg):
        yield "name misspelt", node.arg, lambda n: ast.arg(n.arg + "x", n.annotation)
    if isinstance(node, ast.Attribute):
        yield "name misspelt", node.attr, lambda n: ast.Attribute(n.value, n.attr + "x", n.ctx)
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        yield from _tuple(node)
    if isinstance(node, ast.Subscript):
        yield from _subscript(node)
    if isinstance(node, ast.Call):
        yield from _call(node)


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, str) and node.value in _SHORT:
        for other in DTYPES:
            yield "dtype changed", other, lambda n, o=other: ast.Constant(o)
    elif isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        for change in ("0", "-1", "1", "2", "7", "2**40", "1.5", "'x'", "None"):
            yield "constant changed", change, lambda n, c=change: _expression(c)


def _tuple(node: ast.Tuple) -> Iterator[Change]:
    yield "extent changed", "one more", lambda n: ast.Tuple([*n.elts, ast.Constant(2)], n.ctx)
    if len(node.elts) > 1:
        yield "extent changed", "one less", lambda n: ast.Tuple(n.elts[:-1], n.ctx)
        yield "operands swapped", "", lambda n: ast.Tuple(n.elts[::-1], n.ctx)
    for i, element in enumerate(node.elts):
        if isinstance(element, (ast.Slice, ast.Starred)):
            continue
        for change in ("+ 1", "* 2", "// 2", "- 1", "* 0", "* 1.5"):

            def apply(n: ast.AST, i: int = i, change: str = change) -> None:
                n.elts[i] = _expression(f"({ast.unparse(n.elts[i])}) {change}")

            yield "extent changed", change, apply


def _subscript(node: ast.Subscript) -> Iterator[Change]:
    elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]

    def index(n: ast.Subscript, made: list[ast.expr]) -> None:
        n.slice = ast.Tuple(made, ast.Load()) if len(made) != 1 else made[0]

    yield "rank changed", "one more", lambda n: index(n, [*elements, ast.Constant(0)])
    if len(elements) > 1:
        yield "rank changed", "one less", lambda n: index(n, elements[:-1])
    for i in range(len(elements)):
        for change in ("::2", "0:", "'x'", "1.5", "None", "...", "-1", "99"):

            def apply(n: ast.Subscript, i: int = i, change: str = change) -> None:
                piece = ast.parse(f"x[{change}]", mode="eval").body.slice
                index(n, [piece if j == i else e for j, e in enumerate(elements)])

            yield "index changed", change, apply


def _call(node: ast.Call) -> Iterator[Change]:
    if len(node.args) > 1:
        yield "operands swapped", "", lambda n: setattr(n, "args", [n.args[1], n.args[0], *n.args[2:]])
    if node.args:
        yield "arguments", "one less", lambda n: n.args.pop() and None
        yield "arguments", "starred", lambda n: n.args.append(ast.Starred(n.args.pop(), ast.Load()))
    yield "arguments", "one more", lambda n: n.args.append(ast.Constant(3))
    unknown = ast.keyword("no_such_keyword", ast.Constant(3))
    yield "arguments", "unknown keyword", lambda n: n.keywords.append(unknown)
    for i in range(len(node.args)):
        for value in _VALUES:

            def put(n: ast.Call, i: int = i, value: str = value) -> None:
                n.args[i] = _expression(value)

            yield "argument changed", value, put
    for i, keyword in enumerate(node.keywords):
        yield "arguments", "keyword deleted", lambda n, i=i: n.keywords.pop(i) and None
        yield "name misspelt", str(keyword.arg), lambda n, i=i: setattr(n.keywords[i], "arg", f"{n.keywords[i].arg}x")
        for value in _VALUES:
            yield "keyword value", value, lambda n, i=i, v=value: setattr(n.keywords[i], "value", _expression(v))


# ---- Mutants --------------------------------------------------------------------------------


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST | None:
        return self.new if node is self.old else self.generic_visit(node)


def sites(kernel: Kernel) -> Iterator[tuple[str, str, Callable[[], Mutant | None]]]:
    """Every change of a kernel as (kind, detail, maker); a maker gives None where the change
    is no Python."""
    tree = ast.parse(kernel.text())
    functions = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in kernel.functions
    ]
    # A factory and its kernel may share a name: the kernel is the inner one.
    for name in kernel.functions:
        function = [f for f in functions if f.name == name][-1]
        for position, statement in enumerate(statements(function)):
            where = (kernel, tree, function, position)
            if position:
                yield "statement deleted", "", lambda w=where: _mutated(*w, "statement deleted", "")
                for text in UNSUPPORTED:
                    yield "Python inserted", text, lambda w=where, t=text: _mutated(*w, "Python inserted", t)
            for number, node in enumerate(parts(statement)):
                for index, (kind, detail, _) in enumerate(_changes(node)):
                    yield kind, detail, lambda w=where, k=kind, d=detail, n=number, i=index: _mutated(*w, k, d, n, i)


def _mutated(kernel: Kernel, tree: ast.Module, function: ast.FunctionDef, position: int,
             kind: str, detail: str, number: int = -1, index: int = -1) -> Mutant | None:  # fmt: skip
    tree, function = _twin(tree, function)
    statement = statements(function)[position]
    outer = [p.arg for p in ast.walk(function) if isinstance(p, ast.arg)]
    before = defined(statement) | (_writes(statement) if kind != "Python inserted" else set())
    deleted: set[str] = set()
    if kind == "statement deleted":
        for inner in ast.walk(statement):
            if isinstance(inner, ast.stmt):
                deleted |= defined(inner)
            if isinstance(inner, ast.AnnAssign):
                deleted |= mentioned(inner)  # T.const sizes take their values from it
        replaced: ast.stmt = ast.Pass()
        tree = _Replace(statement, replaced).visit(tree)
        statement = replaced
    elif kind == "Python inserted":
        made = ast.parse(detail).body
        block = next(
            body
            for n in ast.walk(tree)
            for body in (getattr(n, "body", None), getattr(n, "orelse", None))
            if isinstance(body, list) and statement in body
        )
        at = block.index(statement)
        block[at:at] = made
        statement = made[0]
    else:
        node = list(parts(statement))[number]
        change = list(_changes(node))[index][2]
        made = change(node)
        if made is not None:
            tree = _Replace(node, made).visit(tree)
    return _finished(kernel, tree, function, statement, kind, detail, before | deleted, outer)


def _twin(tree: ast.Module, function: ast.FunctionDef) -> tuple[ast.Module, ast.FunctionDef]:
    """Copies of a tree and of a function in it."""
    at = list(ast.walk(tree)).index(function)
    tree = copy.deepcopy(tree)
    return tree, list(ast.walk(tree))[at]


def _writes(statement: ast.stmt) -> set[str]:
    """Names that a call statement may write: operands of T.copy and its like."""
    return mentioned(statement) - {"T"} if isinstance(statement, ast.Expr) else set()


def _finished(kernel: Kernel, tree: ast.Module, function: ast.FunctionDef, statement: ast.stmt,
              kind: str, detail: str, before: set[str], outer: list[str]) -> Mutant | None:  # fmt: skip
    """The mutant's text, and where in it the statement and what depends on it are."""
    all_before = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    place = next(i for i, n in enumerate(all_before) if n is statement)
    inside = next(i for i, n in enumerate(all_before) if n is function)
    try:
        text = ast.unparse(ast.fix_missing_locations(tree))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "mutant.py", "exec")
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, TypeError):
        return None
    all_after = [n for n in ast.walk(parsed) if isinstance(n, ast.stmt)]
    if len(all_after) != len(all_before):
        return None
    statement, function = all_after[place], all_after[inside]
    names = before | defined(statement)
    is_function = isinstance(statement, ast.FunctionDef)
    if is_function:
        names |= set(outer)
    last = statement.end_lineno
    if getattr(statement, "body", None) and (is_function or kind != "Python inserted"):
        last = max(statement.body[0].lineno - 1, statement.lineno)
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    names = reached(names - {"T"}, function)
    around = {
        s
        for s in statements(function)
        if kind == "statement deleted" and s is not statement and statement in ast.walk(s)
    }
    uses = {
        line
        for s in statements(function)
        if (s is not function and mentioned(s) & names) or s in around
        for line in range(s.lineno, (s.body[0].lineno if getattr(s, "body", None) else s.end_lineno + 1))
    }
    is_declaration = isinstance(statement, ast.AnnAssign) or any(
        isinstance(n, ast.Attribute) and n.attr in ("const", "dynamic", "empty")
        for n in parts(statement)
    )
    is_declaration |= any(
        isinstance(s, ast.FunctionDef) and s is not function and mentioned(s) & names
        for s in statements(function)
    )
    return Mutant(kernel.name, kind, detail, text, first, last, frozenset(uses),
                  is_function or is_declaration or kind == "statement deleted", tuple(outer))  # fmt: skip


def sample(count: int, seed: int = 0) -> list[Mutant]:
    """`count` mutants, kinds and kernels in turn, the same ones each time."""
    rng = random.Random(seed)
    groups: dict[tuple[str, str], list] = defaultdict(list)
    for kernel in CORPUS:
        for kind, _, make in sites(kernel):
            groups[kind, kernel.name].append(make)
    for makers in groups.values():
        rng.shuffle(makers)
    keys = sorted(groups)
    rng.shuffle(keys)
    kinds = sorted({kind for kind, _ in keys})
    found: list[Mutant] = []
    seen: set[str] = set()
    while len(found) < count and any(groups.values()):
        for kind in kinds:
            open_keys = [k for k in keys if k[0] == kind and groups[k]]
            if not open_keys:
                continue
            key = open_keys[0]
            keys.remove(key)
            keys.append(key)
            mutant = groups[key].pop()()
            if mutant is not None and mutant.text not in seen:
                seen.add(mutant.text)
                found.append(mutant)
    return found[:count]
