"""The rules by which a statement is changed, node by node of its syntax tree.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

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
    "T.alloc_barrier(1)",
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


# A rule looks at a node and gives changes: what it is, and a function that applies it in place
# to a copy of the node and may return another node.
Change = tuple[str, str, Callable[[ast.AST], ast.AST | None]]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        yield "operands swapped", "", lambda n: ast.BinOp(n.right, n.op, n.left)
        for op in (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod):
            if not isinstance(node.op, op):
                yield (
                    "operator changed",
                    op.__name__,
                    lambda n, op=op: ast.BinOp(n.left, op(), n.right),
                )
        yield "operator changed", "MatMult", lambda n: ast.BinOp(n.left, ast.MatMult(), n.right)
    if isinstance(node, ast.Compare):
        yield "operands swapped", "", lambda n: ast.Compare(n.comparators[0], n.ops, [n.left])
        for op in (ast.Lt, ast.GtE, ast.Eq, ast.Is, ast.In):
            yield (
                "operator changed",
                op.__name__,
                lambda n, op=op: ast.Compare(n.left, [op()], n.comparators),
            )
    if isinstance(node, ast.Constant):
        yield from _constant(node)
    if isinstance(node, ast.Attribute) and node.attr in _SHORT:
        for other in DTYPES:
            if other != node.attr:
                yield (
                    "dtype changed",
                    other,
                    lambda n, o=other: ast.Attribute(n.value, o, n.ctx),
                )
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
        yield (
            "operands swapped",
            "",
            lambda n: setattr(n, "args", [n.args[1], n.args[0], *n.args[2:]]),
        )
    if node.args:
        yield "arguments", "one less", lambda n: n.args.pop() and None
        yield (
            "arguments",
            "starred",
            lambda n: n.args.append(ast.Starred(n.args.pop(), ast.Load())),
        )
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
        yield (
            "name misspelt",
            str(keyword.arg),
            lambda n, i=i: setattr(n.keywords[i], "arg", f"{n.keywords[i].arg}x"),
        )
        for value in _VALUES:
            yield (
                "keyword value",
                value,
                lambda n, i=i, v=value: setattr(n.keywords[i], "value", _expression(v)),
            )
