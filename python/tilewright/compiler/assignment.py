"""Assignment: names are bound once, variables and elements of memory are stored.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import difflib

from ..language.dtypes import DType
from ..language.types import TensorType
from ..language.values import Memory, Region, Value, is_device
from .frame import MISSING, Scope
from .runtime import describe_short, is_runtime


class Assignments:
    """Part of the emitter. See the module's docstring."""

    def stmt_Assign(self, node: ast.Assign) -> None:
        if self.reduces(node):
            return
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

        A fresh `T.alloc_var` stays a variable, so that its name becomes one, in a tuple too.
        """
        if isinstance(node, ast.Call):
            return self.reference(node)
        if isinstance(node, ast.Tuple) and any(isinstance(e, ast.Call) for e in node.elts):
            if not any(isinstance(e, ast.Starred) for e in node.elts):
                return tuple(self._right_side(e) for e in node.elts)
        return self.evaluate(node)

    def assign(self, target: ast.expr, value: object, fresh: bool = False) -> None:
        """Bind or store `value`. A `fresh` name is the innermost region's own."""
        if isinstance(target, ast.Name):
            if fresh:
                self.frame.bind(target.id, value)
            else:
                self._assign_name(target, value)
        elif isinstance(target, ast.Subscript):
            self._assign_subscript(target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, fresh)
        else:
            self.at(target)
            self.fail(
                "an attribute is assigned in a kernel",
                rule="kernels assign names and elements of memory",
            )

    def _assign_name(self, target: ast.Name, value: object) -> None:
        name = target.id
        old, scope = self.frame.local(name)
        fresh = isinstance(value, Memory) and value.variable
        if isinstance(old, Memory) and old.variable and not fresh:
            self.at(target)
            self.store(old, [0], value)
            return
        if isinstance(old, Memory) and isinstance(value, (Memory, Region, Value)):
            self._refuse_replacing(target, old, value)
        if scope is not None and scope is not self.frame.scopes[-1]:
            if not self._is_kernel(self.frame.scopes[-1]):
                self._refuse_rebinding(target, old, scope)
            if not is_runtime(old) and not is_runtime(value):
                scope.names[name] = value  # a compile-time value outlives the kernel
                return
        self.frame.bind(name, value)

    def _refuse_replacing(
        self, target: ast.Name, old: Memory, value: Memory | Region | Value
    ) -> None:
        """Refuse `C = c` where C is a tensor: what looks like a store would be lost."""
        memory = value.memory if isinstance(value, Region) else value
        of_itself = isinstance(memory, Memory) and memory.base is old.base
        if not old.is_global or self.kernel is None or of_itself:
            return
        self.at(target)
        name = target.id
        what = value.name if isinstance(value, Memory) else "..."
        self.fail(
            f"the tensor {name} is replaced by {describe_short(value)}, and nothing is stored",
            rule="assigning to a name binds it; elements of a tensor are assigned by index",
            hint=f"write {name}[i] = ..., or take another name"
            if isinstance(value, Value)
            else f"write T.copy({what}, {name}) or {name}[...] = {what}",
        )

    def _is_kernel(self, scope: Scope) -> bool:
        return scope.what == "the kernel"

    def _refuse_rebinding(self, target: ast.Name, old: object, scope: Scope) -> None:
        inside = self.frame.scopes[-1]
        name = target.id
        kind = (
            "a let"
            if isinstance(old, Value)
            else "a tile"
            if is_device(old)
            else "a compile-time value"
        )
        self.at(target)
        self.fail(
            f"{name} is {kind} bound in {scope.what} and is assigned again inside "
            f"{inside.what}",
            rule="a name is bound once, but for variables of T.alloc_var; assigning in "
            "a run-time loop or branch would not be seen after it",
            hint=f"declare it in front: {name} = T.alloc_var(dtype), then {name} = ... stores"
            if not isinstance(old, Memory)
            else "take another name",
        )

    def _unpack(self, target: ast.Tuple | ast.List, value: object, fresh: bool) -> None:
        if is_device(value):
            self.at(target)
            self.fail(
                "a run-time value is unpacked into several names", hint="index it: a = x[0]"
            )
        try:
            items = list(value)
        except TypeError:
            self.at(target)
            self.fail(
                f"{describe_short(value)} cannot be unpacked into {len(target.elts)} names",
                rule="a tuple or list on the right has one value for each name",
            )
        starred = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
        if starred:
            head, tail = starred[0], len(target.elts) - starred[0] - 1
            middle = items[head : len(items) - tail]
            items = items[:head] + [middle] + items[len(items) - tail :]
        if len(items) != len(target.elts):
            self.at(target)
            self.fail(
                f"{len(items)} values for {len(target.elts)} names",
                rule="each name takes one value",
            )
        for part, item in zip(target.elts, items):
            self.assign(part.value if isinstance(part, ast.Starred) else part, item, fresh)

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
        self.refuse_change_at_run_time(base)
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

            if self.parallel:
                self.fail(
                    f"several elements of {region.memory.name} are set at once inside "
                    "T.Parallel",
                    rule="an iteration of T.Parallel assigns single elements",
                    hint=f"give one index for each of the {len(region.sizes)} dimensions",
                )
            fill.emit(self, region, value)

    def stmt_AugAssign(self, node: ast.AugAssign) -> None:
        if self.reduces(node):
            return
        entry = self.operator_of(node)
        target = node.target
        if isinstance(target, ast.Name):
            old, scope = self.frame.local(target.id)
            if scope is None:
                self.at(node)
                self.fail(
                    f"{target.id} is changed before it is bound in this function",
                    hint=f"bind it first; for a running value, {target.id} = "
                    f"T.alloc_var(dtype)",
                )
            if isinstance(old, (Memory, Region)) and not getattr(old, "variable", False):
                self.at(node)
                self.fail(
                    f"{target.id} is a whole tile where a scalar is needed",
                    hint="write a T.Parallel loop over its elements",
                )
            old = self.evaluate(target)
            value = self.operate(entry, old, self.evaluate(node.value), node)
            self._assign_name(target, value)
            return
        base = self.reference(target.value)
        if not isinstance(base, (Memory, Region)):
            old = self.expr_Subscript(target)
            value = self.operate(entry, old, self.evaluate(node.value), node)
            self._assign_subscript(target, value)
            return
        region = self.subscript(base, self.subscript_items(target.slice))
        self.at(node)
        self.refuse_effect_in_plain("an element is assigned")
        if not region.is_element:
            self.fail(
                f"a slice of {region.memory.name} is changed in place",
                hint="write a T.Parallel loop over its elements",
            )
        right = self.evaluate(node.value)
        self.at(node)
        old = self.load(region.memory, region.offsets)
        self.store(region.memory, region.offsets, self.operate(entry, old, right, node))

    def _check_declared(self, node: ast.AnnAssign) -> None:
        """A tensor is declared of a name that there is: a parameter, of a macro too."""
        name = node.target.id
        if self.frame.local(name)[0] is not MISSING:
            return
        near = difflib.get_close_matches(name, self.frame.known(), 1)
        self.at(node)
        self.fail(
            f"{name} is declared as a tensor and is no parameter",
            rule="a declaration without a value says what a parameter is",
            hint=f"did you mean {near[0]}?"
            if near
            else f"add it to the parameters, or make an output: {name} = T.empty(shape, dtype)",
        )

    def stmt_AnnAssign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        if node.value is None:
            if not isinstance(annotation, TensorType):
                self.at(node)
                self.fail(
                    "a declaration without a value",
                    hint="tensors of an eager kernel's parameters are declared so; for "
                    "a variable use T.alloc_var(dtype)",
                )
            if isinstance(node.target, ast.Name):
                self._check_declared(node)
            return
        if isinstance(node.target, ast.Name):
            self.name_hint = node.target.id
        value = self._right_side(node.value)
        self.name_hint = ""
        self.at(node)
        if isinstance(annotation, DType) and not isinstance(value, Memory):
            value = self.cast(value, annotation)
        self.assign(node.target, value)
