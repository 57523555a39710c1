"""Library modules whose kernels are in other words, and calls that use them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from rewrite import REWRITINGS, device_functions, is_kernel

PACKAGE = "tilewright.kernels"

# Kernels that a module of another name has.
_MODULES = {"gemm_skinny": "gemm"}

# The rewritings that leave the work as it is, and those with some more of it.
SAME = tuple(name for name in REWRITINGS if name != "fuse")
KINDS: dict[str, Sequence[str]] = {"rewritten": SAME, "fused": tuple(REWRITINGS)}


class Variant:
    """A library module with rewritten kernels, in files of a folder.

    Modules that it takes macros from are rewritten as well, and stand beside it.
    """

    def __init__(self, kernel: str, kind: str, folder: Path) -> None:
        """`kind` is a name of KINDS or of one rewriting."""
        name = f"{PACKAGE}.{_MODULES.get(kernel, kernel)}"
        self.kind = kind
        self._folder = folder
        self.original = importlib.import_module(name)
        self.path = self._write(self.original)
        self.module = _load(self.path)
        self._factories = [
            function.name
            for function in ast.parse(inspect.getsource(self.original)).body
            if isinstance(function, ast.FunctionDef) and any(map(is_kernel, ast.walk(function)))
        ]

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Has the library's functions launch the variant's kernels."""
        originals = {name: getattr(self.original, name) for name in self._factories}
        for name in self._factories:
            setattr(self.original, name, getattr(self.module, name))
        try:
            yield
        finally:
            for name, function in originals.items():
                setattr(self.original, name, function)

    def _write(self, module: ModuleType) -> Path:
        """The file of a module's variant, written where it is not there yet."""
        stem = f"{module.__name__.rpartition('.')[2]}_{self.kind}"
        path = self._folder / f"{stem}.py"
        if path.exists():
            return path
        tree = ast.parse(inspect.getsource(module))
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                self._import_from_variant(statement)
        for name in KINDS.get(self.kind, (self.kind,)):
            REWRITINGS[name](tree)
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n")
        return path

    def _import_from_variant(self, statement: ast.ImportFrom) -> None:
        """Has an import of a module with macros name that module's variant."""
        if statement.module.startswith(f"{PACKAGE}."):
            module = importlib.import_module(statement.module)
            if device_functions(ast.parse(inspect.getsource(module))):
                statement.module = self._write(module).stem


def _load(path: Path) -> ModuleType:
    """The module of a file, whose neighbours it may import; others have their names later."""
    known = set(sys.modules)
    sys.path.insert(0, str(path.parent))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(path.stem)
    finally:
        sys.path.remove(str(path.parent))
        for name in set(sys.modules) - known:
            if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == path.parent:
                del sys.modules[name]
