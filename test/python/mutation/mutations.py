"""Changes of a kernel's text: one statement each, by rules over its syntax tree.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import pickle
import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .corpus import CORPUS, Kernel
from .rules import UNSUPPORTED, changes


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
    """The names that a statement binds, and those whose memory it may write.

    The declaration of a tensor binds the sizes in its shape: they have their values from it.
    """
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
    if isinstance(statement, ast.AnnAssign):
        names |= {n.id for n in ast.walk(statement.annotation) if isinstance(n, ast.Name)}
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        names.add(statement.name)
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        names |= {(a.asname or a.name).split(".")[0] for a in statement.names}
    return names


def lines(statement: ast.stmt) -> range:
    """The lines of a statement's own parts, decorators included."""
    decorators = getattr(statement, "decorator_list", [])
    body = getattr(statement, "body", None)
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    after = max(body[0].lineno, statement.lineno + 1) if body else statement.end_lineno + 1
    return range(first, after)


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


# ---- Mutants --------------------------------------------------------------------------------


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST | None:
        return self.new if node is self.old else self.generic_visit(node)


class Site(NamedTuple):
    """A statement: the `position`th of a function, the `function`th node of a pickled tree."""

    kernel: Kernel
    tree: bytes
    function: int
    position: int


def sites(kernel: Kernel) -> Iterator[tuple[str, Callable[[], Mutant | None]]]:
    """Every change of a kernel: its kind and what makes the mutant, or None where the change
    is no Python."""
    tree = ast.parse(kernel.text())
    pickled, nodes = pickle.dumps(tree), list(ast.walk(tree))
    for name in kernel.functions:
        # A factory and its kernel may share a name: the kernel is the inner one.
        function = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == name][-1]
        for position, statement in enumerate(statements(function)):
            site = Site(kernel, pickled, nodes.index(function), position)
            if position:
                kind = "statement deleted"
                yield kind, functools.partial(_mutated, site, kind, "")
                kind = "Python inserted"
                for text in UNSUPPORTED:
                    yield kind, functools.partial(_mutated, site, kind, text)
            for number, node in enumerate(parts(statement)):
                for index, (kind, detail, _) in enumerate(changes(node)):
                    yield kind, functools.partial(_mutated, site, kind, detail, number, index)


def _mutated(
    site: Site, kind: str, detail: str, number: int = -1, index: int = -1
) -> Mutant | None:
    """The mutant of one change: the `index`th of the statement's `number`th node."""
    tree = pickle.loads(site.tree)  # a copy, several times faster than copy.deepcopy
    function = list(ast.walk(tree))[site.function]
    statement = statements(function)[site.position]
    names = defined(statement)
    if kind == "statement deleted":
        for inner in ast.walk(statement):
            if isinstance(inner, ast.stmt):
                names |= defined(inner)
            if isinstance(inner, ast.AnnAssign):
                names |= mentioned(inner)  # T.const sizes take their values from it
    if kind != "Python inserted" and isinstance(statement, ast.Expr):
        names |= mentioned(statement) - {"T"}  # an operation may write its operands
    if kind == "statement deleted":
        made: ast.AST | None = ast.Pass()
        tree = _Replace(statement, made).visit(tree)
        statement = made
    elif kind == "Python inserted":
        inserted = ast.parse(detail).body
        block = next(
            body
            for n in ast.walk(tree)
            for body in (getattr(n, "body", None), getattr(n, "orelse", None))
            if isinstance(body, list) and statement in body
        )
        at = block.index(statement)
        block[at:at] = inserted
        statement = inserted[0]
    else:
        node = list(parts(statement))[number]
        made = list(changes(node))[index][2](node)
        if made is not None:
            tree = _Replace(node, made).visit(tree)
    return _finished(site.kernel, tree, function, statement, kind, detail, names)


def _finished(
    kernel: Kernel,
    tree: ast.Module,
    function: ast.FunctionDef,
    statement: ast.stmt,
    kind: str,
    detail: str,
    names: set[str],
) -> Mutant | None:
    """The mutant's text, and where in it the statement and what depends on `names` are.

    None where the text is no Python.
    """
    before = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    place = next(i for i, n in enumerate(before) if n is statement)
    inside = next(i for i, n in enumerate(before) if n is function)
    try:
        text = ast.unparse(ast.fix_missing_locations(tree))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "mutant.py", "exec")
    except (SyntaxError, ValueError, TypeError):
        return None
    after = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt)]
    if len(after) != len(before):
        return None
    statement, function = after[place], after[inside]
    arguments = {p.arg for p in ast.walk(function) if isinstance(p, ast.arg)}
    names = names | defined(statement)
    if isinstance(statement, ast.FunctionDef):
        names |= arguments
    names = reached(names - {"T"}, function)
    uses = {
        line
        for s in statements(function)
        if (s is not function and mentioned(s) & names)
        or (kind == "statement deleted" and s is not statement and statement in ast.walk(s))
        for line in lines(s)
    }
    own = lines(statement)
    last = statement.end_lineno if kind == "Python inserted" else own[-1]
    of_signature = kind == "statement deleted" or _declares(statement, names, function)
    return Mutant(
        kernel.name,
        kind,
        detail,
        text,
        own[0],
        last,
        frozenset(uses),
        of_signature,
        tuple(sorted(arguments)),
    )


def _declares(statement: ast.stmt, names: set[str], function: ast.FunctionDef) -> bool:
    """Whether a statement says what arguments must be, itself or by a name in the head."""
    if isinstance(statement, (ast.FunctionDef, ast.AnnAssign)):
        return True
    if any(
        isinstance(n, ast.Attribute) and n.attr in ("const", "dynamic", "empty")
        for n in parts(statement)
    ):
        return True
    return any(
        isinstance(s, ast.FunctionDef) and s is not function and mentioned(s) & names
        for s in statements(function)
    )


def sample(count: int, seed: int = 0) -> list[Mutant]:
    """`count` mutants, kinds and kernels in turn, the same ones each time."""
    rng = random.Random(seed)
    groups: dict[tuple[str, str], list] = defaultdict(list)
    for kernel in CORPUS:
        for kind, make in sites(kernel):
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
