"""Calls of the language: operations, conversions, macros and inlined helpers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import difflib
import types

from ..language.dtypes import DType
from ..language.macros import Macro, by_reference
from ..language.registry import Flag, Lazy, Operation, Ref, Rejected, Static, is_required
from ..language.symbols import SizeExpr
from ..language.values import Memory, Region
from .errors import CompileError
from .expressions import AsType
from .frame import Frame, Scope
from .runtime import describe_short, is_runtime
from .source import source_of

_MAX_INLINE_DEPTH = 48


class Lambda:
    """`lambda a, b: ...` in a kernel, with the function whose names it sees."""

    __slots__ = ("node", "frame")

    def __init__(self, node: ast.Lambda, frame: Frame) -> None:
        self.node, self.frame = node, frame

    def __call__(self, *arguments: object, **options: object) -> object:
        raise CompileError(
            "a lambda of a kernel is called by a Python function",
            rule="what a kernel holds is read, not run",
            hint="define the function outside the kernel",
        )

    def __repr__(self) -> str:
        return "a lambda"


class Calls:
    """Part of the emitter. See the module's docstring."""

    def expr_Call(self, node: ast.Call) -> object:
        callee = self.reference(node.func)
        if isinstance(callee, Operation):
            return self._call_operation(callee, node)
        if isinstance(callee, Rejected):
            self.at(node)
            self.fail(f"T.{callee.name}: {callee.reason}", hint=callee.hint)
        if isinstance(callee, Macro):
            arguments, options = self._macro_arguments(callee, node)
            self.at(node)
            return self.inline(callee.function, arguments, options, node)
        arguments = self._elements(node.args)
        options: dict[str, object] = {}
        for k in node.keywords:
            if k.arg is None:
                options.update(self._mapping(k.value))
            else:
                options[k.arg] = self.evaluate(k.value)
        self.at(node)
        if isinstance(callee, Lambda) and not options:
            return self._inline_lambda(callee, arguments)
        if isinstance(callee, DType):
            return self._convert(arguments, callee)
        if isinstance(callee, AsType):
            dtype = arguments[0] if arguments else options.get("dtype")
            return self.cast(callee.base, self.dtype(dtype))
        return self._call_python(callee, arguments, options, node)

    def apply(self, function: object, arguments: list, what: str) -> object:
        """What a function that was handed over, called `what`, makes of scalars."""
        node = self.node
        if isinstance(function, Lambda):
            result = self._inline_lambda(function, arguments)
        elif isinstance(function, Macro):
            result = self.inline(function.function, arguments, {}, node)
        elif isinstance(function, Operation) and function.elementwise:
            result = function.emit(self, *arguments)
        elif callable(function) and not isinstance(function, Operation):
            result = self._call_python(function, arguments, {}, node)
        else:
            self.fail(
                f"{what} is {describe_short(function)}",
                rule="it is a function of scalars",
                hint="give a lambda, such as lambda a, b: a + b, or a @T.macro",
            )
        self.at(node)
        return result

    def expr_Lambda(self, node: ast.Lambda) -> Lambda:
        form = node.args
        if form.vararg or form.kwarg or form.kwonlyargs or form.defaults:
            self.at(node)
            self.fail(
                "a lambda with defaults, keywords or * in a kernel",
                hint="name its parameters alone, or define a @T.macro",
            )
        return Lambda(node, self.frame)

    def _inline_lambda(self, function: Lambda, arguments: list) -> object:
        """Read the body of a lambda here."""
        tree, form = function.node, function.node.args
        names = [parameter.arg for parameter in (*form.posonlyargs, *form.args)]
        if len(names) != len(arguments):
            self.fail(
                f"a lambda takes {len(names)} arguments, not {len(arguments)}",
                hint=f"its parameters are {', '.join(names) or 'none'}",
            )
        frame, self.frame = self.frame, function.frame
        self.frame.scopes.append(Scope("the lambda", tree.lineno))
        try:
            for name, value in zip(names, arguments):
                self.frame.bind(name, value)
            return self.evaluate(tree.body)
        finally:
            self.frame.leave()
            self.frame = frame

    def _convert(self, arguments: list, dtype: DType) -> object:
        """`T.float32(x)`: a conversion, of a Python number a typed constant."""
        if len(arguments) != 1:
            self.fail(
                f"T.{dtype.name}(...) takes one value, not {len(arguments)}",
                hint="T.alloc_local and its like make arrays",
            )
        return self.cast(arguments[0], dtype)

    def _call_operation(self, op: Operation, node: ast.Call) -> object:
        positional, options = self._bind(op, node)
        self.at(node)
        if self.frame.plain and not op.elementwise:
            self.fail(
                f"T.{op.name} in the ordinary function {self.frame.source.tree.name}",
                rule="an ordinary Python function runs at compile time and holds no "
                "operations on tiles",
                hint=f"make {self.frame.source.tree.name} a @T.macro",
            )
        given = [*positional, *options.values()]
        if self.kernel is None:  # sizes stay names
            given = [x for x in given if not isinstance(x, SizeExpr)]
        if op.python is not None and not any(map(is_runtime, given)):
            try:
                return op.python(*positional, **options)
            except CompileError as error:
                self.fail(error.message, rule=error.rule, hint=error.hint)
            except Exception as error:
                self.compile_time_failure(ast.unparse(node), error)
        return op.emit(self, *positional, **options)

    def _bind(self, op: Operation, node: ast.Call) -> tuple[list, dict]:
        """Arguments of an operation, each evaluated as its parameter asks."""
        places = [p for p in op.parameters if not p.keyword_only]
        values: dict[str, object] = {}
        extra: list[object] = []
        for _position, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                items = self.evaluate(argument.value)
                self.at(node)
                for item in self._taken_apart(items):
                    if len(values) < len(places):
                        values[places[len(values)].name] = item
                    elif op.variadic:
                        extra.append(item)
                    else:
                        self._too_many(op, len(places))
            elif len(values) < len(places):
                parameter = places[len(values)]
                values[parameter.name] = self._argument(op, parameter, argument)
            elif op.variadic:
                extra.append(self.evaluate(argument))
            else:
                self.at(node)
                self._too_many(op, len(places))
        for keyword in node.keywords:
            if keyword.arg is None:
                self.at(node)
                self.fail(f"** in a call of T.{op.name}", hint="write the arguments out")
            parameter = op.by_name.get(keyword.arg)
            if parameter is None or parameter.name in values:
                self.at(node)
                twice = "is given twice" if parameter else "is no parameter of it"
                self.fail(
                    f"T.{op.name}: {keyword.arg} {twice}", hint=f"its form is {signature(op)}"
                )
            values[parameter.name] = self._argument(op, parameter, keyword.value)
        missing = [p.name for p in op.parameters if p.name not in values and is_required(p)]
        if missing:
            self.at(node)
            self.fail(
                f"T.{op.name} lacks {' and '.join(missing)}",
                hint=f"its form is {signature(op)}",
            )
        for p in op.parameters:
            if p.mode is Flag and p.name in values:
                self._check_flag(op, p.name, values[p.name], node)
        positional = []
        for p in places:
            if p.name not in values:
                break
            positional.append(values.pop(p.name))
        return positional + extra, values

    def _check_flag(self, op: Operation, name: str, value: object, node: ast.Call) -> None:
        """Refuse what only counts as true, such as the string "no"."""
        if not isinstance(value, int) or value not in (0, 1):
            self.at(node)
            self.fail(
                f"T.{op.name}: {name}={describe_short(value)}",
                rule=f"{name} is True or False, known at compile time",
                hint=f"its form is {signature(op)}",
            )

    def _too_many(self, op: Operation, count: int) -> None:
        self.fail(
            f"T.{op.name} takes {count} positional argument{'s' * (count != 1)} and is given "
            "more",
            hint=f"its form is {signature(op)}",
        )

    def _taken_apart(self, items: object) -> list:
        """What `*items` stands for in a call."""
        try:
            return list(items)
        except TypeError:
            self.fail(
                f"* of {describe_short(items)}",
                rule="* takes a tuple or list apart",
                hint="write the arguments out",
            )

    def _argument(self, op: Operation, parameter, node: ast.expr) -> object:
        mode = parameter.mode
        if mode is Lazy:
            return node
        if mode is Ref:
            return self.reference(node)
        if mode in (Static, Flag):
            return self.static(node, f"T.{op.name}: {parameter.name}")
        return self.evaluate(node)

    def unknown_operation(self, name: str) -> None:
        """Refuse a name that the language does not have."""
        from .. import language

        near = difflib.get_close_matches(name, language.__all__, 1)
        self.fail(
            f"T.{name} is not part of the language",
            hint=f"did you mean T.{near[0]}?"
            if near
            else "the language reference lists every name",
        )

    def _macro_arguments(self, macro: Macro, node: ast.Call) -> tuple[list, dict]:
        """Arguments by value, but variables by reference where the annotation is T.Ref."""
        references = by_reference(macro.function)
        names = macro.function.__code__.co_varnames

        def value(argument: ast.expr, name: str) -> object:
            if name not in references:
                return self.evaluate(argument)
            found = self.reference(argument)
            if not isinstance(found, Memory):  # assigning to it would be lost
                self.at(argument)
                what = "an element of memory" if isinstance(found, Region) else "a value"
                self.fail(
                    f"{macro.__name__}: {name} is given {what}",
                    rule="a parameter of T.Ref is a variable of the caller",
                    hint="pass a name of T.alloc_var, or leave T.Ref out",
                )
            return found

        arguments: list[object] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                items = self.evaluate(argument.value)
                self.at(argument)
                arguments.extend(self._taken_apart(items))
            else:
                position = len(arguments)
                arguments.append(
                    value(argument, names[position] if position < len(names) else "")
                )
        options: dict[str, object] = {}
        for k in node.keywords:
            if k.arg is None:
                options.update(self._mapping(k.value))
            else:
                options[k.arg] = value(k.value, k.arg)
        return arguments, options

    def _mapping(self, node: ast.expr) -> dict:
        """The dict that a call takes apart by `**`."""
        found = self.evaluate(node)
        if not isinstance(found, dict):
            self.at(node)
            self.fail("** of what is no dict", hint="write the arguments out")
        return found

    def inline(
        self,
        function: types.FunctionType,
        arguments: list,
        options: dict,
        node: ast.AST,
        plain: bool = False,
    ) -> object:
        """Read the body of a macro or helper here, and give what it returns."""
        bound = self._bind_python(function, arguments, options)
        if len(self.frame.chain()) >= _MAX_INLINE_DEPTH:
            self.fail(
                f"{function.__name__} calls itself without end",
                rule="macros are inlined",
                hint="end the recursion on a compile-time condition",
            )
        frame = Frame(
            source_of(function),
            self.asked,
            (self.frame, node),
            plain or self.frame.plain,
            self.depth,
        )
        for name, value in bound.items():
            frame.bind(name, value)
        saved, self.frame = self.frame, frame
        reads, self.reads = self.reads, None
        try:
            self.block(frame.source.tree.body)
        except Return as result:
            return result.value
        finally:
            self.frame, self.reads = saved, reads
        return None

    def _bind_python(
        self, function: types.FunctionType, arguments: list, options: dict
    ) -> dict[str, object]:
        """Python's own binding of arguments to parameters."""
        code = function.__code__
        count, only = code.co_argcount, code.co_kwonlyargcount
        name, names = function.__name__, code.co_varnames[:count]
        known = code.co_varnames[: count + only]
        form = f"its parameters are {', '.join(known) or 'none'}"
        bound = dict(zip(names, arguments))
        if code.co_flags & 0x04:  # *rest
            bound[code.co_varnames[count + only]] = tuple(arguments[count:])
        elif len(arguments) > count:
            self.fail(f"{name} takes {count} arguments, not {len(arguments)}", hint=form)
        for key, value in options.items():
            if key in bound:
                self.fail(f"{name}: {key} is given twice", hint=form)
            if key not in known:
                self.fail(f"{name} has no parameter {key}", hint=form)
            bound[key] = value
        defaults = function.__defaults__ or ()
        for key, value in zip(names[count - len(defaults) :], defaults):
            bound.setdefault(key, value)
        for key, value in (function.__kwdefaults__ or {}).items():
            bound.setdefault(key, value)
        missing = [n for n in known if n not in bound]
        if missing:
            self.fail(f"{name} lacks {' and '.join(missing)}", hint=form)
        return bound


class Return(Exception):
    """A `return` on its way to the call that is inlined."""

    def __init__(self, value: object) -> None:
        self.value = value


def signature(op: Operation) -> str:
    """`T.copy(src, dst)`, with defaults, for a message."""
    parts = []
    for p in op.parameters:
        default = "" if is_required(p) else f"={p.default!r}"
        if p.keyword_only and "*" not in parts and not op.variadic:
            parts.append("*")
        parts.append(p.name + default)
    if op.variadic:
        parts.append("...")
    return f"T.{op.name}({', '.join(parts)})"
