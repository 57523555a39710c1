"""Trying configurations of a kernel and keeping the fastest, as TileLang's autotuner does.

    @tilewright.autotune(configs=[{"block": 32}, {"block": 64}])
    @tilewright.jit
    def scale(X, block=32): ...

A kernel of ours that only wants tiles to fit the target uses T.choose instead, which needs no
run. Time on an emulator says nothing, so there the first configuration that compiles is taken.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from .compiler.driver import compile
from .compiler.errors import CompileError
from .compiler.jit import Jit, frozen
from .compiler.kernel import Kernel
from .language.dtypes import dtype_of
from .profiler import Profiler, TensorSupplyType, assert_close, do_bench

__all__ = [
    "AutoTuner",
    "AutotuneResult",
    "autotune",
    "get_autotune_inputs",
    "set_autotune_inputs",
]

_inputs: ContextVar[tuple | None] = ContextVar("autotune_inputs", default=None)


@contextlib.contextmanager
def set_autotune_inputs(*arrays: Any) -> Iterator[None]:
    """Within it, lazy kernels are tuned on these arguments."""
    given = arrays[0] if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)) else arrays
    token = _inputs.set(tuple(given))
    try:
        yield
    finally:
        _inputs.reset(token)


def get_autotune_inputs() -> tuple | None:
    """The arguments of the innermost set_autotune_inputs."""
    return _inputs.get()


@dataclasses.dataclass
class AutotuneResult:
    """What tuning found; `latency` and `ref_latency` are in milliseconds, None where nothing
    was timed."""

    kernel: Kernel
    config: dict
    latency: float | None = None
    ref_latency: float | None = None

    @property
    def libcode(self) -> str:
        """The kernel's code as text."""
        return self.kernel.get_kernel_source()


@dataclasses.dataclass
class Profile:
    """How configurations are timed and checked; the names are those of `autotune`."""

    warmup: float = 25
    rep: float = 100
    supply_type: TensorSupplyType = TensorSupplyType.Auto
    ref_prog: Callable | None = None
    supply_prog: Callable | None = None
    rtol: float = 1e-2
    atol: float = 1e-2
    max_mismatched_ratio: float = 0.01
    skip_check: bool = False
    manual_check_prog: Callable | None = None


def autotune(
    *,
    configs: Iterable[dict] | dict | Callable,
    do_not_specialize: Iterable[str] = (),
    timeout: float = 100,
    cache_input_tensors: bool = False,
    early_stop: bool = False,
    early_stop_factor: float = 2.0,
    **profile: Any,
) -> Callable[[Jit], Tuned]:
    """Over `@tilewright.jit`: calls that give none of the tuned parameters try `configs`.

    These are dicts of arguments, or a function of a call's arguments that gives them. An
    eager kernel is timed on copies of the call's arrays, a lazy one on what `supply_prog`
    gives for its parameters, or set_autotune_inputs, or arrays filled as `supply_type` says;
    with a size that is known at launch only the first that compiles is taken. With `ref_prog`
    each one is checked first. `warmup` and `rep` are milliseconds. The other options are
    TileLang's and mean nothing here. Raises CompileError where no configuration compiles.
    """
    how = Profile(**profile)
    left_out = frozenset(do_not_specialize or ())

    def decorate(function: Jit) -> Tuned:
        if not isinstance(function, Jit):
            raise CompileError.here(
                f"autotune on {function!r}",
                rule="it stands over @tilewright.jit",
                hint="write @tilewright.autotune(...) in the line before @tilewright.jit",
            )
        return Tuned(function, configs, how, left_out)

    return decorate


class Tuned:
    """A kernel function whose calls choose a configuration."""

    def __init__(
        self, function: Jit, configs: object, how: Profile, left_out: frozenset[str]
    ) -> None:
        self.jit_impl, self.configs, self.how, self._left_out = function, configs, how, left_out
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self._found: dict = {}

    def __repr__(self) -> str:
        return f"<autotuned {self.__name__}>"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """As of the kernel function itself, in the best configuration."""
        if not self.jit_impl.eager:
            return self.compile(*arguments, **named)
        config = self._result(arguments, named).config
        return self.jit_impl(*arguments, **named, **config)

    def compile(self, *arguments: Any, **named: Any) -> Kernel:
        """The kernel of the best configuration."""
        return self._result(arguments, named).kernel

    def get_kernel_source(self, *arguments: Any, **named: Any) -> str:
        """The code of that kernel as text."""
        return self.compile(*arguments, **named).get_kernel_source()

    def _result(self, arguments: tuple, named: dict) -> AutotuneResult:
        given = self._given(arguments, named)
        key = tuple(sorted((k, _key(v)) for k, v in given.items() if k not in self._left_out))
        if key not in self._found:
            configs = _expanded(self.configs, given)
            if any(name in given for config in configs for name in config):
                configs = [{}]
            self._found[key] = tune(
                lambda config: self.jit_impl.compile(*arguments, **named, **config),
                configs,
                self.how,
                [v for v in given.values() if hasattr(v, "shape")] or None,
            )
        return self._found[key]

    def _given(self, arguments: tuple, named: dict) -> dict[str, object]:
        names = inspect.signature(self.jit_impl.function).parameters
        return dict(zip(names, arguments)) | named


def _key(value: object) -> object:
    return (tuple(value.shape), str(value.dtype)) if hasattr(value, "shape") else frozen(value)


def _expanded(configs: object, given: dict[str, object]) -> list[dict]:
    """The configurations as a list; a dict of lists stands for all their combinations.

    A function gets of a call's arguments those that it has parameters for: by their names, or
    in their order where its own names are others.
    """
    if callable(configs):
        configs = _called(configs, given)
    if isinstance(configs, dict):
        lists = [v if isinstance(v, (list, tuple)) else [v] for v in configs.values()]
        configs = [dict(zip(configs, entry)) for entry in itertools.product(*lists)]
    # Options of TileLang's passes mean nothing here, so configurations may name them.
    found = [{k: v for k, v in config.items() if k != "pass_configs"} for config in configs]
    if not found:
        raise CompileError.here("autotune has no configs", hint="give a list of dicts")
    return found


def _called(configs: Callable, given: dict[str, object]) -> object:
    parameters = inspect.signature(configs).parameters.values()
    kinds = {p.kind for p in parameters}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return configs(*given.values())
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return configs(**given)
    names = [p.name for p in parameters]
    if all(p.name in given or p.default is not p.empty for p in parameters):
        return configs(**{name: given[name] for name in names if name in given})
    return configs(*list(given.values())[: len(names)])


def tune(
    compiled: Callable[[dict], Kernel],
    configs: list[dict],
    how: Profile,
    arrays: list | None = None,
) -> AutotuneResult:
    """The fastest of the configurations that compile and are right.

    The kernel is timed on copies of `arrays`, else on what it is supplied with. Raises
    CompileError of the last one where none compiles, AssertionError where none is right.
    """
    best: AutotuneResult | None = None
    refusal: Exception | None = None
    for config in configs:
        try:
            kernel = compiled(config)
            inputs = _arguments(kernel, how, arrays)
            if inputs is not None and how.ref_prog is not None and not how.skip_check:
                _check(kernel, how, inputs)
        except (CompileError, AssertionError) as error:
            refusal = error
            continue
        if inputs is None or len(configs) == 1 or "emulator" in kernel.target:
            best = AutotuneResult(kernel, config)
            break
        latency = do_bench(functools.partial(kernel, *inputs), how.warmup, how.rep)
        if best is None or latency < best.latency:
            best = AutotuneResult(kernel, config, latency)
    if best is None:
        raise refusal
    if how.ref_prog is not None and best.latency is not None:
        inputs = _arguments(best.kernel, how, arrays)
        best.ref_latency = do_bench(
            functools.partial(how.ref_prog, *inputs), how.warmup, how.rep
        )
    best.kernel.config, best.kernel.latency = best.config, best.latency
    best.kernel.ref_latency = best.ref_latency
    return best


def _arguments(kernel: Kernel, how: Profile, arrays: list | None) -> list | None:
    """What a kernel is timed on; None where only the program could say."""
    if arrays is not None:
        return [a.clone() if hasattr(a, "clone") else copy.copy(a) for a in arrays]
    if _inputs.get() is not None:
        return list(_inputs.get())
    if how.supply_prog is not None:
        inputs = [
            dataclasses.replace(p, dtype=dtype_of(p.dtype))
            for i, p in enumerate(kernel.signature.parameters)
            if i not in kernel.outputs
        ]
        return list(how.supply_prog(inputs))
    try:
        return Profiler(kernel, how.supply_type)._get_inputs()
    except ValueError:
        return None


def _check(kernel: Kernel, how: Profile, inputs: list) -> None:
    def compare(outputs: list, expected: list) -> None:
        if how.manual_check_prog is not None:
            how.manual_check_prog(outputs, expected)
            return
        for actual, exact in zip(outputs, expected):
            assert_close(actual, exact, how.rtol, how.atol, how.max_mismatched_ratio)

    Profiler(kernel).manual_assert_close(how.ref_prog, inputs, compare)


class AutoTuner:
    """Tuning by hand: a function of a configuration that gives a `@T.prim_func`.

    tuner = AutoTuner.from_kernel(kernel=matmul, configs=configs)
    result = tuner.set_compile_args(out_idx=[-1]).run()
    """

    def __init__(self, fn: Callable, configs: Iterable[dict] | dict) -> None:
        self.fn, self.configs = fn, configs
        self._compile: dict = {}
        self._profile: dict = {}

    @classmethod
    def from_kernel(cls, kernel: Callable, configs: Iterable[dict] | dict) -> AutoTuner:
        """A tuner of a function."""
        return cls(kernel, configs)

    def __call__(self) -> AutotuneResult:
        """As run, with its defaults."""
        return self.run()

    def set_compile_args(self, **options: Any) -> AutoTuner:
        """Options as of tilewright.compile: out_idx, target, pass_configs and so on."""
        self._compile = options
        return self

    def set_profile_args(self, **options: Any) -> AutoTuner:
        """Options as of autotune: supply_type, ref_prog and so on."""
        self._profile = {k: v for k, v in options.items() if k != "cache_input_tensors"}
        return self

    def run(self, warmup: float = 25, rep: float = 100, **hints: object) -> AutotuneResult:
        """Try all configurations. TileLang's other options, such as timeout, mean nothing."""
        fn, options = self.fn, self._compile

        def compiled(config: dict) -> Kernel:
            return (
                fn.compile(**config)
                if isinstance(fn, Jit)
                else compile(fn(**config), **options)
            )

        return tune(
            compiled, _expanded(self.configs, {}), Profile(warmup, rep, **self._profile)
        )
