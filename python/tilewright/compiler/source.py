"""The syntax tree of a function, parsed from its own lines of its file.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import linecache
import types
from typing import NamedTuple

from .errors import CompileError, Place


class _Text:
    """The lines of a function's file, and the function's tree once it is read."""

    __slots__ = ("code", "lines", "tree")

    def __init__(self, code: types.CodeType, lines: list[str]) -> None:
        self.code, self.lines = code, lines
        self.tree: ast.FunctionDef | None = None


# By the identity of code, which lives as long: annotations of variables are in no code, so
# that functions of different texts may have equal code.
_texts: dict[int, _Text] = {}


class Source(NamedTuple):
    """A function and where its text is.

    `tree` has the file's own line numbers; columns count from 0 as in `ast`, in UTF-8
    bytes.
    """

    function: types.FunctionType
    file: str
    tree: ast.FunctionDef

    def place(self, node: ast.AST) -> Place:
        """The place of a node, with the columns that a reader counts."""
        line = getattr(node, "lineno", self.tree.lineno)
        start = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", start + 1)
        text = linecache.getline(self.file, line)
        if getattr(node, "end_lineno", line) != line:
            end = len(text.rstrip().encode())
        if not text.isascii():
            raw = text.encode()
            start, end = len(raw[:start].decode()), len(raw[:end].decode())
        return Place(self.file, line, start + 1, end + 1)


def keep_text(function: types.FunctionType) -> list[str]:
    """The lines of the file that holds a function, from the first call on; none where there
    is no file.

    Decorators call it, since a file that is edited later, and maybe imported again, has
    another text than the function was made of.
    """
    code = function.__code__
    known = _texts.get(id(code))
    if known is None:
        linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, function.__globals__)
        if not lines:
            return []
        known = _texts[id(code)] = _Text(code, lines)
    return known.lines


def source_of(function: types.FunctionType) -> Source:
    """The source of a Python function.

    Raises CompileError when the text is not available (a function made by `exec`, or typed
    into a plain interpreter).
    """
    code = function.__code__
    file = code.co_filename
    if not keep_text(function):
        raise CompileError(
            f"the source of {function.__name__} is not available ({file})",
            hint="put the kernel into a file; it is compiled from its source text",
        )
    known = _texts[id(code)]
    if known.tree is None:
        known.tree = _parse(code, known.lines)
    tree = known.tree
    if tree is None or tree.name != code.co_name:
        what = "a lambda" if code.co_name == "<lambda>" else function.__name__
        raise CompileError(
            f"{what} cannot be read as a kernel",
            Place(file, code.co_firstlineno),
            hint="define it with `def`; if the file was edited, import it again",
        )
    return Source(function, file, tree)


def _parse(code: types.CodeType, lines: list[str]) -> ast.FunctionDef | None:
    """The tree of the function that starts on its code's first line; None if none does.

    A file may be long and its functions few, so only the function's own lines are parsed:
    those that are indented deeper than its first. Where that is no Python (a bracket or a
    string that goes on further left), the whole file is.
    """
    first = code.co_firstlineno
    own = _block(code, lines)
    # Blank lines and a block around it keep line numbers and columns as in the file.
    padding = "\n" * (first - 1)
    if own[:1] and own[0][:1].isspace():
        padding = "\n" * max(first - 2, 0) + "if True:\n"
    try:
        module = ast.parse(padding + "".join(own), code.co_filename)
    except SyntaxError:
        try:
            module = ast.parse("".join(lines), code.co_filename)
        except SyntaxError as error:
            raise CompileError(
                f"{code.co_filename} changed since it was imported: {error}",
                hint="import the module again",
            ) from None
    return _index(module).get(first)


def _block(code: types.CodeType, lines: list[str]) -> list[str]:
    """The lines of a function, decorators included."""
    first = code.co_firstlineno
    if first > len(lines):
        return []
    # Everything up to the last line that has code belongs to it, however indented.
    last = min(_last_line(code), len(lines))
    start = lines[first - 1]
    indent = len(start) - len(start.lstrip())
    for number in range(last, len(lines)):
        text = lines[number].strip()
        deeper = len(lines[number]) - len(lines[number].lstrip()) > indent
        if text and not text.startswith("#") and not deeper:
            return lines[first - 1 : number]
    return lines[first - 1 :]


def _last_line(code: types.CodeType) -> int:
    """The last line that code of a function, or of one within it, comes from."""
    own = [line for _, _, line in code.co_lines() if line is not None]
    nested = [_last_line(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return max([code.co_firstlineno, *own, *nested])


def _index(module: ast.Module) -> dict[int, ast.FunctionDef]:
    """Every function of a module by its first line, that of its first decorator."""
    found = {}
    stack: list[ast.AST] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno] + [d.lineno for d in node.decorator_list])
            found[first] = node
        # Functions stand in statement lists only, so expressions need no visit.
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            stack.extend(getattr(node, field, ()))
    return found
