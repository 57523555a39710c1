"""Runs the text of a kernel as Python, on the names of `reference`.

Few things are rewritten first, where Python would mean something else: a `with T.Kernel` is a
loop over blocks, `A[i, j]` as an operand of a whole-tile operation is a region, the sides of
T.if_then_else are read only where chosen, and a name bound to T.alloc_var is a variable.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import types
from typing import Any

import numpy as np

from tilewright.language import dtypes
from tilewright.testing import dtype_name, numpy_dtype

from .memory import Array, Turn
from .reference import Dynamic, Function, Language, Tensor
from .values import Number, convert, number

_REGIONS = ("copy", "gather", "gemm", "fill", "clear", "cumsum", "topk")


def _name(node: ast.AST) -> str:
    """`gemm` of T.gemm, or ""."""
    is_ours = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if is_ours and isinstance(node.func.value, ast.Name) and node.func.value.id == "T":
        return node.func.attr
    return ""


class _Rewrite(ast.NodeTransformer):
    """One module. `variables` holds the T.alloc_var names of the function being rewritten."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.consts: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer = self.variables, self.consts
        made = [
            target.id
            for n in ast.walk(node)
            if isinstance(n, ast.Assign) and _name(n.value) == "alloc_var"
            for target in n.targets
            if isinstance(target, ast.Name)
        ]
        self.variables, self.consts = set(made), []
        node = self.generic_visit(node)
        self.variables, self.consts = outer
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node  # no kernel, and its annotations declare no arguments

    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        item = node.items[0]
        if _name(item.context_expr) != "Kernel" or len(node.items) > 1:
            return node
        target = item.optional_vars or ast.Name("_", ast.Store())
        return ast.For(target, item.context_expr, node.body, [], lineno=node.lineno)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _name(node)
        self.generic_visit(node)
        if name in _REGIONS or name.startswith(("reduce_", "atomic_")):
            node.args = [self._region(a) for a in node.args]
            for keyword in node.keywords:
                if keyword.arg in ("src", "dst", "A", "B", "C", "indices"):
                    keyword.value = self._region(keyword.value)
        if name == "if_then_else" and len(node.args) == 3:
            empty = ast.arguments([], [], None, [], [], None, [])
            node.args[1:] = [ast.Lambda(empty, a) for a in node.args[1:]]
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            node.func = ast.Attribute(ast.Name("T", ast.Load()), "range", ast.Load())
        return node

    def _region(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            at = ast.Attribute(node.value, "at", ast.Load())
            return ast.Subscript(at, node.slice, ast.Load())
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        call = _name(node.value)
        self.generic_visit(node)
        if call in ("const", "dynamic"):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            self.consts += [n.id for n in names if isinstance(n, ast.Name)]
        if isinstance(target, ast.Name) and target.id in self.variables and call != "alloc_var":
            node.value = _call("stored", ast.Name(target.id, ast.Load()), node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and node.target.id in self.variables:
            load = ast.Name(node.target.id, ast.Load())
            value = _call("stored", load, ast.BinOp(load, node.op, node.value))
            return ast.Assign(
                [ast.Name(node.target.id, ast.Store())], value, lineno=node.lineno
            )
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """`A: T.Tensor(...)` in an eager kernel: A is the argument, and sizes become known."""
        self.generic_visit(node)
        if node.value is not None or not isinstance(node.target, ast.Name):
            return node
        name = node.target.id
        declared = _call("declared", ast.Name(name, ast.Load()), node.annotation)
        made: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], declared, lineno=node.lineno)
        ]
        for const in self.consts:
            known = _call("known", ast.Name(const, ast.Load()))
            made.append(ast.Assign([ast.Name(const, ast.Store())], known, lineno=node.lineno))
        return made


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(
        ast.Attribute(ast.Name("T", ast.Load()), name, ast.Load()), list(arguments), []
    )


class Run(Language):
    """A run of a module: `T` and `tilewright` in one."""

    def __init__(self) -> None:
        super().__init__(Turn())
        self.modules: dict[str, types.ModuleType] = {}
        self.sizes: dict[str, int] = {}
        self.outputs: list[tuple[np.ndarray, Array]] = []
        self.language = self

    # -- decorators ---------------------------------------------------------------------------

    def macro(self, body: Any) -> Any:
        return body

    def prim_func(self, body: Any) -> Function:
        around = inspect.currentframe().f_back
        names = {**body.__globals__, **around.f_locals}
        if body.__closure__:
            names |= dict(
                zip(body.__code__.co_freevars, (c.cell_contents for c in body.__closure__))
            )
        notes = {
            name: eval(note, names) if isinstance(note, str) else note
            for name, note in body.__annotations__.items()
        }
        return Function(body, notes)

    def compile(self, func: Function, out_idx: object = None, **options: object) -> Any:
        if not isinstance(func, Function):
            raise TypeError("compile takes a prim_func")
        return lambda *arrays: self._launch(func, out_idx, arrays)

    def jit(self, function: Any = None, *, out_idx: object = None, **options: object) -> Any:
        if function is None:
            return lambda f: self.jit(f, out_idx=out_idx, **options)

        def called(*arguments: object, **named: object) -> object:
            made = [self._argument(a, None) for a in arguments]
            result = function(*made, **named)
            if isinstance(result, Function):
                return self.compile(result, out_idx)
            results = result if isinstance(result, tuple) else (result,)
            for array in results:
                if not isinstance(array, Array):
                    raise TypeError("an eager kernel returns its outputs")
            given = [self._result(array) for array in results]
            return tuple(given) if isinstance(result, tuple) else given[0]

        return called

    # -- arguments ----------------------------------------------------------------------------

    def _argument(self, given: object, note: object) -> object:
        if isinstance(given, np.ndarray):
            array = Array(self.turn, given.shape, dtype_name(given.dtype), is_global=True)
            array.values[...] = given.astype(array.values.dtype)
            array.defined[...] = True
            self.outputs.append((given, array))
            return array
        if isinstance(note, dtypes.DType):
            return convert(number(given, note), note)
        return given

    def _launch(self, func: Function, out_idx: object, arrays: tuple) -> object:
        names = list(inspect.signature(func.body).parameters)
        made_here = (
            [] if out_idx is None else out_idx if isinstance(out_idx, list) else [out_idx]
        )
        made_here = [i % len(names) for i in made_here]
        given, arguments = list(arrays), {}
        for i, name in enumerate(names):
            if i not in made_here:
                note = func.annotations.get(name)
                arguments[name] = self._argument(given.pop(0), note)
                if isinstance(note, Tensor):
                    self.declared(arguments[name], note)
        for i in made_here:
            note = func.annotations[names[i]]
            arguments[names[i]] = self.empty([self.known(n) for n in note.shape], note.dtype)
        if given:
            raise TypeError("too many arguments")
        code = func.body
        cells = dict(zip(code.__code__.co_freevars, code.__closure__ or ()))
        before = {n: c.cell_contents for n, c in cells.items()}
        for name, cell in cells.items():
            cell.cell_contents = self.known(before[name])
        try:
            func.body(**{n: arguments[n] for n in names})
        finally:
            for name, cell in cells.items():
                cell.cell_contents = before[name]
        results = [self._result(arguments[names[i]]) for i in made_here]
        return results[0] if len(results) == 1 else tuple(results) or None

    def declared(self, array: object, note: Tensor) -> object:
        """The argument, after its sizes were compared with the declaration."""
        if not isinstance(array, Array):
            return self.stored(Number(None, note), array) if _is_dtype(note) else array
        if array.dtype is not note.dtype or len(array.shape) != len(note.shape):
            raise ValueError("an argument of another type")
        for extent, n in zip(note.shape, array.shape):
            if isinstance(extent, Dynamic) and extent.name not in self.sizes:
                self.sizes[extent.name] = n
            elif int(self.known(extent)) != n:
                raise ValueError("an argument of another size")
        return array

    def known(self, value: object) -> object:
        """The size that a name stands for, where it is known."""
        if isinstance(value, Dynamic) and value.name in self.sizes:
            return Number(self.sizes[value.name], dtypes.int64)
        return value

    def _result(self, array: Array) -> np.ndarray:
        given = np.zeros(array.shape, numpy_dtype(array.dtype.short))
        self.outputs.append((given, array))
        return given

    # -- modules ------------------------------------------------------------------------------

    def load(self, source: str, file: str, names: dict[str, object] | None = None):
        """The module that `source` makes, on this run's T. `names` replaces its constants."""
        tree = ast.fix_missing_locations(_Rewrite().visit(ast.parse(source)))
        module = types.ModuleType("mutant")
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        module.__dict__["T"] = self
        exec(compile(tree, file, "exec"), module.__dict__)
        module.__dict__.update(names or {})
        return module

    def _import(self, name: str, *arguments: object) -> object:
        if name in ("tilewright", "tilewright.language"):
            return self
        if name == "tilewright.kernels.online_softmax":
            if name not in self.modules:
                real = importlib.import_module(name)
                self.modules[name] = self.load(inspect.getsource(real), real.__file__)
            return self.modules[name]
        return builtins.__import__(name, *arguments)


def _is_dtype(note: object) -> bool:
    return isinstance(note, dtypes.DType)
