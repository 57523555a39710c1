"""`@tilewright.jit`: kernels that are compiled when they are called.

Eager: the body holds T.Kernel; calling it with arrays compiles for their T.const sizes and
runs. Lazy: the body returns a @T.prim_func; calling it with Python values gives a kernel.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from ..language.definition import Definition
from ..language.dtypes import python_number
from ..language.prim_func import PrimFunc
from ..language.symbols import Dim
from ..language.types import evaluated
from .driver import build, compile, options_for
from .eager import lower_eager
from .errors import CompileError, Place, WrongArgumentsError
from .kernel import Kernel
from .lower import lower_prim_func
from .module import EagerModule, Module
from .reading import PLAIN, Reading
from .source import Source, source_of
from .watch import Watch


def jit(
    function: object = None,
    *,
    out_idx: object = None,
    target: str = "cpu",
    target_host: object = None,
    pass_configs: dict | None = None,
    batch_invariant: bool = False,
    debug: bool | str | None = None,
    execution_backend: object = None,
    verbose: bool = False,
    debug_root_path: object = None,
    compile_flags: object = None,
) -> Any:
    """Compile a kernel function when it is called. See the module's docstring.

    `out_idx` (lazy) names parameters that calls allocate and return. `target`, `debug`,
    `pass_configs` and `batch_invariant` are as for `tilewright.compile`; the remaining
    options are TileLang's and mean nothing here.
    """

    options = options_for(target, pass_configs, debug)
    around = sys._getframe(1)

    def decorate(function: object) -> object:
        if isinstance(function, PrimFunc):
            return compile(
                function,
                out_idx,
                target=target,
                pass_configs=pass_configs,
                batch_invariant=batch_invariant,
                debug=debug,
            )
        if not isinstance(function, types.FunctionType):
            raise CompileError.here(
                f"tilewright.jit on {function!r}", hint="it decorates a function"
            )
        annotations = evaluated(function, around)
        reading = Reading(bool(batch_invariant), "debug" in options)
        return Jit(function, options, out_idx, annotations, reading)

    return decorate if function is None else decorate(function)


class Jit(Definition):
    """A function under `@tilewright.jit`. Kernels are kept by what specialises them."""

    def __init__(
        self,
        function: types.FunctionType,
        options: dict,
        out_idx: object,
        annotations: dict[str, object] | None = None,
        reading: Reading = PLAIN,
    ) -> None:
        super().__init__(function)
        self.options, self.out_idx = options, out_idx
        self.reading = reading
        self.annotations = function.__annotations__ if annotations is None else annotations
        self._eager: bool | None = None
        self._forget()

    def _forget(self) -> None:
        """Nothing is compiled yet, or for what names outside meant before."""
        self._kernels: dict = {}
        self._scalars: frozenset[str] = frozenset()
        self._calls: Calls | None = None
        self._watch = Watch()

    def __repr__(self) -> str:
        return f"<jit {self.__name__}>"

    def for_target(self, target: str) -> Jit:
        """The same function, compiled for another target."""
        options = {**self.options, "target": target}
        return Jit(self.function, options, self.out_idx, self.annotations, self.reading)

    @property
    def eager(self) -> bool:
        """Whether the body itself is a kernel."""
        if self._eager is None:
            self._eager = _is_eager(source_of(self.function))
            if self._eager and self.out_idx is not None:
                raise CompileError(
                    f"out_idx= on the eager kernel {self.__name__}",
                    _place(self.function),
                    rule="an eager kernel returns its outputs",
                    hint="make them with T.empty and return them",
                )
        return self._eager

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Eager: run on arrays. Lazy: the kernel for these Python values."""
        if not self._watch.holds():
            self._forget()
        if self._calls is not None and not named:
            launch = self._calls.find(arguments)
            if launch is not None:
                return launch(*self._calls.pick(arguments))
        if not self.eager:
            return self.compile(*arguments, **named)
        values = self._bind(arguments, named)
        family = self._kernels.get(self._static_key(values))
        kernel = family and family.kernels.get(family.key(values))
        if kernel is None:
            kernel, family = self._compile_eager(values, {})
        if not named:
            self._remember(arguments, values, family, kernel)
        return kernel.launch(*[values[name] for name in family.inputs])

    def compile(self, *arguments: object, **named: object) -> Kernel:
        """The kernel for these arguments, without running it.

        For an eager kernel, arrays may be left out where T.const sizes are given by name:
        `copy.compile(M=1024, N=1024)`. So may scalars whose type is declared. A T.dynamic in
        place of a number leaves such a size to each launch.
        """
        if not self._watch.holds():
            self._forget()
        if self.eager:
            names = self.function.__code__.co_varnames[: _count(self.function)]
            consts = {k: v for k, v in named.items() if k not in names}
            named = {k: v for k, v in named.items() if k in names}
            for name, size in consts.items():
                is_int = isinstance(size, int) and not isinstance(size, bool)
                is_number = is_int and 0 <= size < 1 << 63
                if not is_number and not isinstance(size, Dim):
                    raise TypeError(f"{self.__name__}(): {name}={size!r} is no size")
            given = (*arguments, *named.values())
            partial = bool(consts) or not any(hasattr(value, "shape") for value in given)
            return self._compile_eager(self._bind(arguments, named, partial), consts)[0]
        for value in (*arguments, *named.values()):
            if hasattr(value, "__dlpack__"):
                raise TypeError(
                    f"{self.__name__}() takes Python values, not arrays: it returns a kernel, "
                    f"which takes the arrays, {self.__name__}(...)(A, B)"
                )
        key = (frozen(arguments), frozen(tuple(sorted(named.items()))))
        kernel = self._kernels.get(key)
        if kernel is None:

            def lower():
                made = self.function(*arguments, **named)
                if not isinstance(made, PrimFunc):
                    raise CompileError(
                        f"{self.__name__} is no kernel: it has no T.Kernel and returned "
                        f"{made!r}",
                        _place(self.function),
                        rule="a function under @tilewright.jit holds T.Kernel, or returns a "
                        "@T.prim_func",
                        hint="return the prim_func, or write the kernel in the body",
                    )
                module = lower_prim_func(made, self.out_idx, self.reading)
                code = self.function.__code__
                self._watch.add(self.function, ((n,) for n in code.co_names + code.co_freevars))
                self._watch.add(made.function, module.found)
                return module

            kernel = self._kernels[key] = self._build(lower)
        return kernel

    def get_kernel_source(self, *arguments: object, **named: object) -> str:
        """The code of the kernel for these arguments as text."""
        return self.compile(*arguments, **named).get_kernel_source()

    def par_compile(
        self, configs: Iterable[dict | tuple], num_workers: int | None = None, **hints: object
    ) -> list[Kernel]:
        """The kernels for several sets of arguments, dicts or tuples, one after the other."""
        return [
            self.compile(**entry) if isinstance(entry, dict) else self.compile(*entry)
            for entry in configs
        ]

    # -- eager ------------------------------------------------------------------------------

    def _bind(self, arguments: tuple, named: dict, partial: bool = False) -> dict[str, object]:
        """Arguments by name, defaults filled in. Raises TypeError as Python does."""
        function = self.function
        count = _count(function)
        names = function.__code__.co_varnames[:count]
        if len(arguments) > count:
            raise TypeError(f"{self.__name__}() takes {count} arguments, not {len(arguments)}")
        values = dict(zip(names, arguments))
        for name, value in named.items():
            if name in values or name not in names:
                known = "is given twice" if name in values else "is no parameter"
                raise TypeError(f"{self.__name__}(): {name} {known}")
            values[name] = value
        if len(values) < count:
            defaults = function.__defaults__ or ()
            positional = function.__code__.co_argcount
            for name, value in zip(names[positional - len(defaults) : positional], defaults):
                values.setdefault(name, value)
            for name, value in (function.__kwdefaults__ or {}).items():
                values.setdefault(name, value)
            missing = [n for n in names if n not in values]
            if missing and not partial:
                raise TypeError(f"{self.__name__}() lacks {', '.join(missing)}")
        return {name: python_number(value) for name, value in values.items()}

    def _remember(self, arguments: tuple, values: dict, family: Family, kernel: Kernel) -> None:
        """Calls that look like this one go straight to the kernel's launch from now on."""
        names = list(values)[: len(arguments)]
        if not set(family.inputs) <= set(names):
            return
        inputs = tuple(names.index(name) for name in family.inputs)
        arrays = tuple(i for i, name in enumerate(names) if hasattr(values[name], "shape"))
        plain = tuple(
            i for i, n in enumerate(names) if i not in arrays and n not in self._scalars
        )
        roles = (len(arguments), arrays, plain, inputs)
        if self._calls is None or self._calls.roles != roles:
            self._calls = Calls(*roles)
        self._calls.add(arguments, kernel.launch)

    def _static_key(self, values: dict) -> tuple:
        """What specialises apart from sizes: the Python values."""
        return tuple(
            frozen(v)
            for k, v in values.items()
            if not hasattr(v, "shape") and k not in self._scalars
        )

    def _compile_eager(self, values: dict, consts: dict) -> tuple[Kernel, Family]:
        module: EagerModule | None = None

        def lower():
            nonlocal module
            module = lower_eager(self.function, self.annotations, values, consts, self.reading)
            self._watch.add(self.function, module.found)
            return module

        kernel = self._build(lower)
        self._scalars |= frozenset(module.scalars)
        family = self._kernels.setdefault(self._static_key(values), Family(module))
        if not any(isinstance(size, Dim) for size in consts.values()):
            family.kernels[module.key] = kernel
        return kernel, family

    def _build(self, lower: Callable[[], Module]) -> Kernel:
        """As `build`; errors say where, so that our own frames would add nothing."""
        try:
            return build(lower, self.options)
        except CompileError as error:
            raise error.with_traceback(None) from None
        except WrongArgumentsError as error:
            from ..runtime import LaunchError

            raise LaunchError(str(error)) from None


class Family:
    """Eager kernels that differ in their T.const sizes alone."""

    def __init__(self, module: EagerModule) -> None:
        self.inputs, self._axes = module.inputs, module.const_axes
        self.kernels: dict[tuple, Kernel] = {}

    def key(self, values: dict) -> tuple:
        """The values of the T.const sizes, as in `EagerModule.key`."""
        return tuple(
            values[name].shape[axis] * factor if axis < len(values[name].shape) else None
            for name, axis, factor, _ in self._axes
        )


class Calls:
    """Launches by what calls look like: the shapes of the arrays and the Python values. So the
    way of a call to its kernel costs less than the launch.

    `roles` are the number of arguments, the positions of arrays, those of Python values that
    specialise, and those that the launch takes, in its order.
    """

    MOST = 1024  # a kernel of dynamic sizes may see no shape twice
    PLAIN = frozenset({bool, int, str, type(None)})

    def __init__(self, count: int, arrays: tuple, plain: tuple, inputs: tuple) -> None:
        self.roles = count, arrays, plain, inputs
        self._count, self._arrays, self._plain = count, arrays, plain
        if inputs == tuple(range(count)):
            self.pick = tuple
        else:
            self.pick = lambda arguments: [arguments[i] for i in inputs]
        self._launches: dict[tuple, Callable] = {}

    def _key(self, arguments: tuple) -> tuple | None:
        """None where the call does not look like those that are remembered."""
        if len(arguments) != self._count:
            return None
        try:
            key = tuple([arguments[i].shape for i in self._arrays])
        except AttributeError:
            return None
        for i in self._plain:
            value = arguments[i]
            if type(value) not in self.PLAIN:
                return None
            key += (type(value), value)
        return key

    def find(self, arguments: tuple) -> Callable | None:
        """The launch for these arguments, if it is remembered."""
        try:
            return self._launches.get(self._key(arguments))
        except TypeError:  # a shape that is no tuple
            return None

    def add(self, arguments: tuple, launch: Callable) -> None:
        """Remembers the launch for calls that look like this one."""
        key = self._key(arguments)
        if key is not None:
            if len(self._launches) >= self.MOST:
                self._launches.clear()
            self._launches[key] = launch


def frozen(value: object) -> object:
    """A hashable stand-in for an argument."""
    if isinstance(value, (list, tuple)):
        return (type(value), *map(frozen, value))
    if isinstance(value, dict):
        return (dict, *((k, frozen(v)) for k, v in value.items()))
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"an argument is of type {type(value).__name__}, by which kernels cannot be told "
            "apart; pass numbers, strings, tuples, lists or dicts"
        ) from None
    # 1, 1.0 and True are equal and hash alike, as do 0.0 and -0.0, yet give different kernels.
    return (type(value), value.hex() if isinstance(value, float) else value)


def _is_eager(source: Source) -> bool:
    """Whether a function's own statements hold T.Kernel, T.const, T.empty or a declaration."""
    stack: list[ast.AST] = list(source.tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("Kernel", "const", "empty"):
                return True
        stack.extend(ast.iter_child_nodes(node))
    return False


def _count(function: types.FunctionType) -> int:
    return function.__code__.co_argcount + function.__code__.co_kwonlyargcount


def _place(function: types.FunctionType) -> Place:
    return Place(function.__code__.co_filename, function.__code__.co_firstlineno)
