"""The syntax tree of a function, found in its file and parsed once per file.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import linecache
import types
from typing import NamedTuple

from .errors import CompileError, Place

_files: dict[str, tuple[int, dict[int, ast.FunctionDef]]] = {}


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


def source_of(function: types.FunctionType) -> Source:
    """The source of a Python function.

    Raises CompileError when the text is not available (a function made by `exec`, or typed
    into a plain interpreter).
    """
    code = function.__code__
    file = code.co_filename
    lines = linecache.getlines(file, function.__globals__)
    if not lines:
        raise CompileError(
            f"the source of {function.__name__} is not available ({file})",
            hint="put the kernel into a file; it is compiled from its source text",
        )
    # linecache drops the lines of a changed file on checkcache, so a new list means new text.
    known = _files.get(file)
    if known is None or known[0] != id(lines):
        try:
            functions = _index(ast.parse("".join(lines), file))
        except SyntaxError as error:
            raise CompileError(
                f"{file} changed since it was imported: {error}", hint="import the module again"
            ) from None
        _files[file] = known = (id(lines), functions)
    tree = known[1].get(code.co_firstlineno)
    if tree is None or tree.name != code.co_name:
        what = "a lambda" if code.co_name == "<lambda>" else function.__name__
        raise CompileError(
            f"{what} cannot be read as a kernel",
            Place(file, code.co_firstlineno),
            hint="define it with `def`; if the file was edited, import it again",
        )
    return Source(function, file, tree)


def _index(module: ast.Module) -> dict[int, ast.FunctionDef]:
    """Every function of a file by its first line, that of its first decorator."""
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


def environment(function: types.FunctionType) -> dict[str, object]:
    """Values of the function's free variables, as they are now."""
    cells = function.__closure__ or ()
    found = {}
    for name, cell in zip(function.__code__.co_freevars, cells):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            pass  # not bound yet; an error only where the name is used
    return found
