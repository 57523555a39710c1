"""Statements: assignment, branches, loops, kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from ..language.dtypes import DType, index
from ..language.kernel import KernelSpec
from ..language.loops import Loop
from ..language.types import TensorType
from ..language.values import Memory, Region, Value, is_device
from .calls import Return
from .errors import CompileError
from .expressions import OPERATORS, describe_short, is_runtime
from .frame import MISSING, Scope
from .parallel import ParallelLoop

_REFUSED = {
    ast.FunctionDef: ("a function inside a kernel", "define it outside, as a @T.macro"),
    ast.AsyncFunctionDef: ("a function inside a kernel", "define it outside, as a @T.macro"),
    ast.ClassDef: ("a class inside a kernel", "define it outside"),
    ast.Import: ("an import inside a kernel", "import at the top of the file"),
    ast.ImportFrom: ("an import inside a kernel", "import at the top of the file"),
    ast.Global: ("global inside a kernel", "kernels do not assign names of the module"),
    ast.Nonlocal: ("nonlocal inside a kernel", "kernels do not assign names around them"),
    ast.Delete: ("del inside a kernel", "leave it out; tiles end with their kernel"),
    ast.Try: ("try inside a kernel", "a kernel raises no exceptions"),
    ast.AsyncFor: ("async for", "use for"), ast.AsyncWith: ("async with", "use with"),
    ast.Match: ("match inside a kernel", "use if and elif"),
}


class _Leave(Exception):
    """`break` or `continue` in a loop that the front end repeats."""

    def __init__(self, again: bool) -> None:
        self.again = again


class Statements:
    """Part of the emitter. See the module's docstring."""

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            handler = self._statements.get(type(node))
            if handler is None:
                self.at(node)
                what, hint = _REFUSED.get(type(node), (type(node).__name__, ""))
                self.fail(what, rule="kernels take a subset of Python", hint=hint)
            handler(self, node)

    # -- assignment -----------------------------------------------------------------------------

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.name_hint = target.id
        value = self._right_side(node.value)
        self.name_hint = ""
        for target in node.targets:
            self.at(node)
            self.assign(target, value)

    def _right_side(self, node: ast.expr) -> object:
        """A value to be bound: tiles as themselves, variables and elements loaded.

        A fresh `T.alloc_var` stays a variable, so that its name becomes one.
        """
        if isinstance(node, ast.Call):
            result = self.reference(node)
            if isinstance(result, Memory) and result.variable:
                return result
            return result
        return self.evaluate(node)

    def assign(self, target: ast.expr, value: object) -> None:
        """Bind or store `value`."""
        if isinstance(target, ast.Name):
            self._assign_name(target, value)
        elif isinstance(target, ast.Subscript):
            self._assign_subscript(target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
        else:
            self.at(target)
            self.fail("an attribute is assigned in a kernel",
                      rule="kernels assign names and elements of memory")

    def _assign_name(self, target: ast.Name, value: object) -> None:
        name = target.id
        old, scope = self.frame.local(name)
        fresh = isinstance(value, Memory) and value.variable
        if isinstance(old, Memory) and old.variable and not fresh:
            self.at(target)
            self.store(old, [0], value)
            return
        if scope is not None and scope is not self.frame.scopes[-1] and \
                not self._is_kernel(self.frame.scopes[-1]):
            self._refuse_rebinding(target, old, scope)
        self.frame.bind(name, value)

    def _is_kernel(self, scope: Scope) -> bool:
        return scope.what == "the kernel"

    def _refuse_rebinding(self, target: ast.Name, old: object, scope: Scope) -> None:
        inside = self.frame.scopes[-1]
        name = target.id
        kind = "a let" if isinstance(old, Value) else "a tile" if is_device(old) else \
            "a compile-time value"
        self.at(target)
        self.fail(f"{name} is {kind} bound in {scope.what} and is assigned again inside "
                  f"{inside.what}",
                  rule="a name is bound once, but for variables of T.alloc_var; assigning in "
                       "a run-time loop or branch would not be seen after it",
                  hint=f"declare it in front: {name} = T.alloc_var(dtype), then "
                       f"{name} = ... stores" if not isinstance(old, Memory)
                  else "take another name")

    def _unpack(self, target: ast.Tuple | ast.List, value: object) -> None:
        if is_device(value):
            self.at(target)
            self.fail("a run-time value is unpacked into several names",
                      hint="index it: a = x[0]")
        try:
            items = list(value)
        except TypeError:
            self.at(target)
            self.fail(f"{describe_short(value)} cannot be unpacked into "
                      f"{len(target.elts)} names")
        starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
        if starred:
            head, tail = starred[0], len(target.elts) - starred[0] - 1
            middle = items[head:len(items) - tail]
            items = items[:head] + [middle] + items[len(items) - tail:]
        if len(items) != len(target.elts):
            self.at(target)
            self.fail(f"{len(items)} values for {len(target.elts)} names")
        for part, item in zip(target.elts, items):
            self.assign(part.value if isinstance(part, ast.Starred) else part, item)

    def _assign_subscript(self, target: ast.Subscript, value: object) -> None:
        base = self.reference(target.value)
        if isinstance(base, (Memory, Region)):
            items = self.subscript_items(target.slice)
            self.at(target)
            self.refuse_effect_in_plain("an element is assigned")
            self.write_region(self.subscript(base, items), value)
            return
        key = self.evaluate(target.slice)
        self.at(target)
        if isinstance(base, Value):
            self.fail("a run-time scalar is indexed", hint="index the tile")
        if self.in_runtime_region():
            self.fail(f"{describe_short(base)}, a Python container, is changed in a run-time "
                      f"loop or branch", rule="Python values change at compile time only",
                      hint="keep the numbers in a tile")
        try:
            base[key] = value
        except Exception as error:
            self.compile_time_failure(ast.unparse(target), error)

    def write_region(self, region: Region, value: object) -> None:
        """`region = value`: an element, a copy of a tile, or one scalar for all elements."""
        if region.is_element:
            self.store(region.memory, region.offsets, value)
        elif isinstance(value, (Memory, Region)):
            from ..language.movement import copy
            copy.emit(self, value, region)
        else:
            from ..language.movement import fill
            fill.emit(self, region, value)

    def _augmented(self, node: ast.AugAssign) -> None:
        entry = OPERATORS[type(node.op)]
        target = node.target
        if isinstance(target, ast.Name):
            old, scope = self.frame.local(target.id)
            if scope is None:
                self.at(node)
                self.fail(f"{target.id} is changed before it is bound in this function",
                          hint=f"bind it first; for a running value, {target.id} = "
                               f"T.alloc_var(dtype)")
            if isinstance(old, (Memory, Region)) and not getattr(old, "variable", False):
                self.at(node)
                self.fail(f"{target.id} is a whole tile where a scalar is needed",
                          hint="write a T.Parallel loop over its elements")
            old = self.evaluate(target)
            value = self.operate(entry, old, self.evaluate(node.value), node)
            self._assign_name(target, value)
            return
        base = self.reference(target.value)
        if not isinstance(base, (Memory, Region)):
            old = self._subscript(target)
            value = self.operate(entry, old, self.evaluate(node.value), node)
            self._assign_subscript(target, value)
            return
        region = self.subscript(base, self.subscript_items(target.slice))
        self.at(node)
        self.refuse_effect_in_plain("an element is assigned")
        if not region.is_element:
            self.fail(f"a slice of {region.memory.name} is changed in place",
                      hint="write a T.Parallel loop over its elements")
        right = self.evaluate(node.value)
        self.at(node)
        old = self.load(region.memory, region.offsets)
        self.store(region.memory, region.offsets,
                   self.operate(entry, old, right, node))

    def _annotated(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        if node.value is None:
            if not isinstance(annotation, TensorType):
                self.at(node)
                self.fail("a declaration without a value",
                          hint="tensors of an eager kernel's parameters are declared so; for "
                               "a variable use T.alloc_var(dtype)")
            return
        if isinstance(node.target, ast.Name):
            self.name_hint = node.target.id
        value = self._right_side(node.value)
        self.name_hint = ""
        self.at(node)
        if isinstance(annotation, DType) and not isinstance(value, Memory):
            value = self.cast(value, annotation)
        self.assign(node.target, value)

    # -- branches -------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> None:
        condition = self.evaluate(node.test)
        if not is_runtime(condition):
            self.block(node.body if self.python_truth(condition, node.test) else node.orelse)
            return
        self.at(node.test)
        self.refuse_effect_in_plain("a branch on a run-time value")
        if self.kernel is None:
            self.fail("a branch on a run-time value outside a kernel",
                      rule="outside T.Kernel everything is decided at compile time",
                      hint="move the branch into the kernel")
        condition = self.truth(condition)
        self.conditions.append(condition.deps)
        with self.inside("the branch", node):
            self.builder.out.append(f"scf.if {condition.ssa} {{")
            self.block(node.body)
        if node.orelse:
            self.builder.out.append("} else {")
            with self.inside("the branch", node):
                self.block(node.orelse)
        self.conditions.pop()
        self.at(node)
        self.builder.op("}")

    @contextmanager
    def inside(self, what: str, node: ast.AST):
        """A run-time region: names bound in it end with it."""
        self.frame.scopes.append(Scope(what, node.lineno))
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1
            self.frame.leave()

    def in_runtime_region(self) -> bool:
        return self.depth > self.frame.depth

    def refuse_effect_in_plain(self, what: str) -> None:
        if self.frame.plain:
            name = self.frame.source.tree.name
            self.fail(f"{what} in the ordinary function {name}",
                      rule="an ordinary Python function computes scalars only",
                      hint=f"make {name} a @T.macro")

    def _while(self, node: ast.While) -> None:
        if node.orelse:
            self.at(node)
            self.fail("else on a loop", hint="put the code after the loop")
        self.at(node)
        self.refuse_effect_in_plain("a loop")
        with self.builder.capture() as test:
            condition = self.evaluate(node.test)
            self.at(node.test)
            if is_runtime(condition):
                condition = self.truth(condition)
                self.builder.op(f"scf.condition({condition.ssa})")
        if not is_runtime(condition):
            if self.python_truth(condition, node.test):
                self.fail("this while loop does not end: its condition is true at compile "
                          "time", hint="test a variable of T.alloc_var")
            return
        if self.kernel is None:
            self.fail("a loop on a run-time value outside a kernel",
                      hint="move the loop into the kernel")
        self.builder.out.append("scf.while : () -> () {")
        self.builder.out += test
        self.builder.out.append("} do {")
        self.conditions.append(condition.deps)
        with self.inside("the loop", node):
            self.block(node.body)
        self.conditions.pop()
        self.at(node)
        self.builder.op("scf.yield")
        self.builder.op("}")

    # -- loops ----------------------------------------------------------------------------------

    def _for(self, node: ast.For) -> None:
        if node.orelse:
            self.at(node)
            self.fail("else on a loop", hint="put the code after the loop")
        iterable = self.evaluate(node.iter)
        self.at(node.iter)
        if isinstance(iterable, range) and self.kernel is not None and not self.frame.plain:
            iterable = Loop("serial", [(iterable.start, iterable.stop)], iterable.step)
        if isinstance(iterable, Loop):
            self.refuse_effect_in_plain("a loop")
            if self.kernel is None:
                self.fail("a run-time loop outside a kernel",
                          rule="outside T.Kernel everything is decided at compile time",
                          hint="loop over a Python tuple to repeat kernels, or move the loop "
                               "into the kernel")
            if iterable.kind == "unroll":
                self._unroll(node, iterable.items)
            elif iterable.kind == "parallel" and not self.parallel:
                self._parallel_loop(node, iterable)
            else:
                self._sequential(node, iterable)
            return
        self._unroll(node, self.compile_time_items(node.iter, iterable))

    def compile_time_items(self, node: ast.expr, iterable: object = MISSING) -> list:
        """The items of a Python iterable."""
        if iterable is MISSING:
            iterable = self.evaluate(node)
        self.at(node)
        if isinstance(iterable, Loop):
            self.fail("a run-time loop in a list", hint="use Python's range of numbers")
        if is_runtime(iterable):
            self.fail("a loop over a tile or scalar",
                      rule="for takes range, T.serial, T.Parallel and their like, or a Python "
                           "tuple or list",
                      hint="loop over indices: for i in T.serial(x.shape[0])")
        try:
            return list(iterable)
        except TypeError:
            self.fail(f"{describe_short(iterable)} is nothing to loop over",
                      rule="for takes range, T.serial, T.Parallel, T.Pipelined, T.unroll, or "
                           "a Python tuple or list")
        except Exception as error:
            self.compile_time_failure(ast.unparse(node), error)

    def _unroll(self, node: ast.For, items: list) -> None:
        for item in items:
            self.at(node.target)
            self.assign(node.target, item)
            try:
                self.block(node.body)
            except _Leave as leave:
                if not leave.again:
                    break

    def _targets(self, node: ast.For, count: int) -> list[str]:
        """Names of the loop variables."""
        target = node.target
        names = [target] if isinstance(target, ast.Name) else \
            list(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else []
        if len(names) != count or not all(isinstance(n, ast.Name) for n in names):
            self.at(target)
            self.fail(f"{len(names)} names for {count} loop variable{'s' * (count != 1)}",
                      hint="give one name for each extent: for i, j in T.Parallel(M, N)")
        return [n.id for n in names]

    def _parallel_loop(self, node: ast.For, loop: Loop) -> None:
        names = self._targets(node, len(loop.bounds))
        extents = [stop for _, stop in loop.bounds]
        ssa = [self.builder.fresh(n) for n in names]
        opened = ParallelLoop(dict(zip(ssa, extents)), dict(zip(ssa, names)))
        self.builder.out.append(f"tile.parallel ({', '.join(ssa)}) in "
                                f"({', '.join(map(str, extents))}) {{")
        self.parallel.append(opened)
        with self.inside("the T.Parallel loop", node):
            for name, variable in zip(names, ssa):
                self.frame.bind(name, Value(variable, index, None, frozenset((variable,)),
                                            True))
            self.block(node.body)
        self.parallel.pop()
        self.at(node)
        self.builder.op("}")

    def _sequential(self, node: ast.For, loop: Loop) -> None:
        """A nest of `scf.for`, or one `tile.pipelined`."""
        names = self._targets(node, len(loop.bounds))
        step = self.index_value(loop.step)
        nested = loop.kind == "parallel"  # inside another T.Parallel: order is immaterial
        opened = []
        for name, (start, stop) in zip(names, loop.bounds):
            first = self.index_value(start, "the start of a loop")
            last = self.index_value(stop, "the end of a loop")
            variable = self.builder.fresh(name)
            bounds = f"{variable} = {first.ssa} to {last.ssa} step {step.ssa}"
            if loop.kind == "pipelined":
                self.builder.out.append(f"tile.pipelined {bounds} stages({loop.stages}) {{")
            else:
                self.builder.out.append(f"scf.for {bounds} {{")
            deps = first.deps | last.deps
            if nested and isinstance(stop, int):
                self.parallel[-1].extents[variable] = stop
                self.parallel[-1].names[variable] = name
                deps = frozenset((variable,))
            opened.append((name, Value(variable, index, None, deps, first.nonneg)))
        with self.inside("the loop", node):
            for name, value in opened:
                self.frame.bind(name, value)
            self.conditions.append(frozenset().union(*(v.deps for _, v in opened)))
            self.block(node.body)
            self.conditions.pop()
        self.at(node)
        for _, value in opened:
            self.builder.op("}")
            if nested:
                self.parallel[-1].extents.pop(value.ssa, None)
                self.parallel[-1].names.pop(value.ssa, None)

    def _break(self, node: ast.Break | ast.Continue) -> None:
        word = "break" if isinstance(node, ast.Break) else "continue"
        self.at(node)
        if self.in_runtime_region():
            self.fail(f"{word} in a run-time loop is not supported yet",
                      hint="guard the rest of the body with `if`, or use `while` on a "
                           "variable of T.alloc_var")
        raise _Leave(word == "continue")

    # -- kernels --------------------------------------------------------------------------------

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            spec = self.evaluate(item.context_expr)
            self.at(item.context_expr)
            if not isinstance(spec, KernelSpec):
                self.fail("`with` on something other than T.Kernel",
                          rule="with takes T.Kernel", hint="use plain Python `if` and `for`")
            if len(node.items) != 1:
                self.fail("several items in one `with`", hint="one T.Kernel per with")
            self._kernel(node, spec, item.optional_vars)

    def _kernel(self, node: ast.With, spec: KernelSpec, target: ast.expr | None) -> None:
        if self.kernel is not None:
            self.fail("T.Kernel inside a T.Kernel", rule="kernels run one after the other",
                      hint="end the first kernel before the second")
        if self.in_runtime_region() or self.frame.plain:
            self.fail("T.Kernel in an ordinary function", hint="make it a @T.macro")
        grid = [self.index_value(g, "a grid extent").ssa for g in spec.grid]
        coordinates = _coordinate_names(target)
        names = [coordinates[i] if i < len(coordinates) else "b" + "xyz"[i]
                 for i in range(len(grid))]
        ssa = [self.builder.fresh(n) for n in names]
        threads = f" threads({spec.threads})" if spec.threads else ""
        self.builder.out.append(f"tile.kernel ({', '.join(ssa)}) in ({', '.join(grid)})"
                                f"{threads} {{")
        self.kernel = spec
        self.kernels += 1
        blocks = tuple(Value(s, index, None, nonneg=True) for s in ssa)
        self.frame.scopes.append(Scope("the kernel", node.lineno))
        with self.builder.section():
            if target is not None:
                one = len(blocks) == 1 and isinstance(target, ast.Name)
                self.assign(target, blocks[0] if one else blocks)
            self.block(node.body)
        self.frame.leave()
        self.kernel = None
        self.at(node)
        self.builder.op("}")

    # -- the rest -------------------------------------------------------------------------------

    def _expression(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.name_hint = ""
            self.reference(node.value)

    def _return(self, node: ast.Return) -> None:
        self.at(node)
        if self.in_runtime_region():
            self.fail("return in a run-time loop or branch",
                      rule="a kernel's blocks run to the end",
                      hint="guard the rest of the body with `if`")
        if self.kernel is not None and self.frame.caller is None:
            self.fail("return inside T.Kernel", hint="guard the rest of the body with `if`")
        raise Return(None if node.value is None else self.evaluate(node.value))

    def _pass(self, node: ast.Pass) -> None:
        pass

    def _assert(self, node: ast.Assert) -> None:
        condition = self.evaluate(node.test)
        self.at(node.test)
        if is_runtime(condition):
            self.fail("assert on a run-time value",
                      hint="use T.device_assert, or T.assume for a fact the compiler may use")
        if not self.python_truth(condition, node.test):
            message = self.evaluate(node.msg) if node.msg else ast.unparse(node.test)
            self.at(node)
            self.fail(f"assertion failed at compile time: {message}")

    def _raise(self, node: ast.Raise) -> None:
        self.at(node)
        if self.in_runtime_region():
            self.fail("raise in a run-time loop or branch", hint="use T.device_assert")
        error = self.evaluate(node.exc) if node.exc else "raise"
        self.at(node)
        if isinstance(error, CompileError):
            raise error
        text = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
        self.fail(f"the kernel's own check failed: {text}")

    _statements = {
        ast.Assign: _assign, ast.AugAssign: _augmented, ast.AnnAssign: _annotated,
        ast.If: _if, ast.While: _while, ast.For: _for, ast.With: _with,
        ast.Expr: _expression, ast.Return: _return, ast.Pass: _pass, ast.Assert: _assert,
        ast.Raise: _raise, ast.Break: _break, ast.Continue: _break,
    }


def _coordinate_names(target: ast.expr | None) -> list[str]:
    """Names for the block coordinates, for readable IR."""
    nodes = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return [n.id if isinstance(n, ast.Name) else "b" for n in nodes if n is not None]
