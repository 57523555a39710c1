"""How an operation of the language is declared: one function, one decorator.

The function's first parameter is the emitter; each further one may be annotated with how
its argument reaches it:

    Scalar   a run-time scalar or a Python number (the default)
    Ref      a tile, tensor, region or element: never loaded
    Lazy     the unevaluated argument, for `emitter.evaluate(argument)`
    Static   a compile-time value; a run-time value is an error
    Flag     True or False, known at compile time

    @operation
    def clear(k, dst: Ref):
        "Set every element to zero."

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable

from ..compiler.errors import CompileError

_EMPTY = object()


class Mode:
    """How an argument reaches an operation."""

    def __init__(self, name: str) -> None:
        self.name = name


_MODES = {n: Mode(n) for n in ("Scalar", "Ref", "Lazy", "Static", "Flag")}
Scalar, Ref, Lazy, Static, Flag = _MODES.values()


class Parameter:
    __slots__ = ("name", "mode", "default", "keyword_only")

    def __init__(self, name: str, mode: Mode, default: object, keyword_only: bool) -> None:
        self.name, self.mode = name, mode
        self.default, self.keyword_only = default, keyword_only


class Operation:
    """A name of the language. Calling it outside a kernel runs `python`, if it has one.

    Attributes:
        name: as in `T.name`.
        emit: the function that writes IR.
        parameters: how arguments reach `emit`.
        variadic: whether further positional arguments (Scalar) are taken.
        elementwise: whether it computes a scalar from scalars and has no other effect, so
            that any expression, also of a plain function, may hold it.
        python: what it computes when every argument is a Python value, or None.
        by_name: its parameters by their names, TileLang's names for them among these.
    """

    def __init__(
        self,
        name: str,
        emit: Callable,
        elementwise: bool = False,
        python: Callable | None = None,
        also: dict[str, str] | None = None,
    ) -> None:
        self.name, self.emit, self.elementwise, self.python = name, emit, elementwise, python
        self.__doc__ = emit.__doc__
        self.parameters, self.variadic = _parameters(emit)
        self.by_name = {p.name: p for p in self.parameters}
        self.by_name |= {theirs: self.by_name[ours] for theirs, ours in (also or {}).items()}

    def __call__(self, *arguments: object, **options: object) -> object:
        if self.python is not None:
            return self.python(*arguments, **options)
        raise CompileError.here(
            f"T.{self.name} was called outside a kernel",
            rule="an ordinary Python function runs at compile time and holds no operations",
            hint="call it in the body of a kernel, or make the function a @T.macro",
        )

    def __repr__(self) -> str:
        return f"T.{self.name}"


def _parameters(function: Callable) -> tuple[list[Parameter], bool]:
    """Parameters of an operation after the emitter. Annotations are names of modes."""
    code = function.__code__
    count, only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames[1 : count + only]
    defaults = function.__defaults__ or ()
    first_default = count - 1 - len(defaults)
    found = []
    for position, name in enumerate(names):
        keyword_only = position >= count - 1
        if keyword_only:
            default = (function.__kwdefaults__ or {}).get(name, _EMPTY)
        else:
            has = position >= first_default
            default = defaults[position - first_default] if has else _EMPTY
        mode = _MODES.get(function.__annotations__.get(name), Scalar)
        found.append(Parameter(name, mode, default, keyword_only))
    return found, bool(code.co_flags & 0x04)


def operation(
    function: Callable | None = None,
    *,
    name: str = "",
    elementwise: bool = False,
    python: Callable | None = None,
    also: dict[str, str] | None = None,
):
    """Declare an operation of the language named as the function, or `name`.

    `also` has further names of parameters, by which calls may give them: TileLang's.
    """

    def declare(function: Callable) -> Operation:
        called = name or function.__name__.rstrip("_")
        return Operation(called, function, elementwise, python, also)

    return declare if function is None else declare(function)


class Rejected:
    """A name of TileLang that is refused, with the reason and what to use."""

    __slots__ = ("name", "reason", "hint")

    def __init__(self, name: str, reason: str, hint: str) -> None:
        self.name, self.reason, self.hint = name, reason, hint

    def __call__(self, *arguments: object, **options: object) -> object:
        raise CompileError.here(f"T.{self.name}: {self.reason}", hint=self.hint)

    def __repr__(self) -> str:
        return f"T.{self.name}"


def is_required(parameter: Parameter) -> bool:
    return parameter.default is _EMPTY
