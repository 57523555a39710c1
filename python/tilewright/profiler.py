"""Timing and checking one kernel from a script, by the names that TileLang's profiler has.

`tilewright bench` and `tilewright verify` are what measures and proves the library; this is
for a program that wants to know, in a line, how long its kernel takes and whether it agrees
with a reference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import enum
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ml_dtypes  # noqa: F401  (NumPy then knows its names)
import numpy as np

if TYPE_CHECKING:
    from .compiler.kernel import Kernel
    from .compiler.signature_table import Parameter


class TensorSupplyType(enum.Enum):
    """What a Profiler fills the arrays with that it passes to a kernel.

    `Auto` draws floats between -1 and 1 and small integers, `Integer` small integers in every
    type, `Uniform` numbers between -1 and 1, `Normal` and `Randn` normal ones.
    """

    Integer = 1
    Uniform = 2
    Normal = 3
    Randn = 4
    Zero = 5
    One = 6
    Auto = 7


_MODES = {"mean": statistics.fmean, "median": statistics.median, "min": min, "max": max}


def do_bench(
    fn: Callable[[], Any],
    warmup: float = 25,
    rep: float = 100,
    _n_warmup: int = 0,
    _n_repeat: int = 0,
    quantiles: Sequence[float] | None = None,
    return_mode: str = "mean",
    **hints: object,
) -> float | list[float]:
    """Milliseconds that a call of `fn` takes.

    It is called for about `warmup` milliseconds, then for `rep`, or as often as `_n_warmup`
    and `_n_repeat` say. With `quantiles` those of the samples, else their "mean", "median",
    "min" or "max". Options of TileLang's that choose a clock of NVIDIA's mean nothing here.
    """
    if return_mode not in _MODES:
        raise ValueError(f"return_mode={return_mode!r}: give one of {', '.join(_MODES)}")
    estimate = max(_sample(fn), 1e-6)
    for _ in range(_n_warmup or int(warmup / estimate)):
        fn()
    samples = [_sample(fn) for _ in range(_n_repeat or max(1, int(rep / estimate)))]
    if quantiles is not None:
        found = [float(x) for x in np.quantile(samples, list(quantiles))]
        return found[0] if len(found) == 1 else found
    return float(_MODES[return_mode](samples))


def _sample(fn: Callable[[], Any]) -> float:
    """Milliseconds of one call, to its end on a GPU as well."""
    _finish()
    start = time.perf_counter()
    fn()
    _finish()
    return (time.perf_counter() - start) * 1e3


def _finish() -> None:
    """Waits for PyTorch's GPU, to whose stream launches go; others' calls have ended."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()


class Profiler:
    """Runs one kernel on arrays that it makes. `kernel.get_profiler()` gives one."""

    def __init__(
        self, kernel: Kernel, tensor_supply_type: TensorSupplyType = TensorSupplyType.Auto
    ) -> None:
        self.func, self.supply_type = kernel, tensor_supply_type

    def __call__(self, *arguments: Any) -> Any:
        return self.func(*arguments)

    def _get_inputs(
        self,
        with_output: bool = False,
        dynamic_symbolic_constraints: dict[str, int] | None = None,
    ) -> list:
        """Arguments for a call: PyTorch's tensors where it is installed, else NumPy's.

        Sizes known at launch only come from `dynamic_symbolic_constraints`. Raises ValueError
        where one is missing, or where the kernel takes a scalar.
        """
        outputs = () if with_output else self.func.outputs
        sizes = dynamic_symbolic_constraints or {}
        return [
            supplied(parameter, self.supply_type, sizes)
            for i, parameter in enumerate(self.func.signature.parameters)
            if i not in outputs
        ]

    def do_bench(
        self,
        func: Callable | None = None,
        warmup: float = 25,
        rep: float = 100,
        n_warmup: int = 0,
        n_repeat: int = 0,
        input_tensors: Sequence | None = None,
        quantiles: Sequence[float] | None = None,
        return_mode: str = "mean",
        dynamic_symbolic_constraints: dict[str, int] | None = None,
        **hints: object,
    ) -> float | list[float]:
        """Milliseconds of a call of the kernel, or of `func` on the same arguments."""
        call = self.func if func is None else func
        given = input_tensors
        if given is None:
            given = self._get_inputs(dynamic_symbolic_constraints=dynamic_symbolic_constraints)
        return do_bench(
            lambda: call(*given),
            warmup,
            rep,
            n_warmup,
            n_repeat,
            quantiles=quantiles,
            return_mode=return_mode,
        )

    def assert_allclose(
        self,
        reference_program: Callable,
        input_tensors: Sequence | None = None,
        atol: float = 1e-2,
        rtol: float = 1e-2,
        max_mismatched_ratio: float = 0.01,
    ) -> None:
        """Compare what the kernel returns with what the reference does.

        Raises AssertionError where more than `max_mismatched_ratio` of the elements of an
        output are off by more than `atol` plus `rtol` of the expected.
        """

        def compare(outputs: list, expected: list) -> None:
            for i, (actual, exact) in enumerate(zip(outputs, expected)):
                if actual is not None and exact is not None:
                    name = f"output {i} of {self.func.name}"
                    assert_close(actual, exact, rtol, atol, max_mismatched_ratio, name)

        self.manual_assert_close(reference_program, input_tensors, compare)

    def manual_assert_close(
        self,
        reference_program: Callable,
        input_tensors: Sequence | None = None,
        manual_check_prog: Callable[[list, list], Any] | None = None,
    ) -> None:
        """Give the lists of both results to `manual_check_prog`. Raises AssertionError where
        there is not the same number of them."""
        given = self._get_inputs() if input_tensors is None else input_tensors
        expected, outputs = _listed(reference_program(*given)), _listed(self.func(*given))
        if len(outputs) != len(expected):
            raise AssertionError(
                f"{self.func.name} returns {len(outputs)} arrays and the reference "
                f"{len(expected)}"
            )
        if manual_check_prog is not None:
            manual_check_prog(outputs, expected)

    def run_once(self, func: Callable | None = None) -> Any:
        """What the kernel, or `func`, returns for arrays that are made for it."""
        return (self.func if func is None else func)(*self._get_inputs())

    def assert_consistent(self, repeat: int = 10) -> None:
        """Raises AssertionError unless `repeat` more calls give the first one's bits."""
        given = self._get_inputs()
        first = [_numbers(x) for x in _listed(self.func(*given))]
        for _ in range(repeat):
            for one, other in zip(first, _listed(self.func(*given))):
                if not np.array_equal(one, _numbers(other), equal_nan=True):
                    raise AssertionError(f"calls of {self.func.name} differ")


def supplied(
    parameter: Parameter, kind: TensorSupplyType, sizes: dict[str, int] | None = None
) -> Any:
    """An array for a parameter. Raises ValueError where a size is not known."""
    if parameter.shape is None:
        raise ValueError(
            f"{parameter.name} is a scalar, whose value only the program knows: pass "
            "input_tensors=, or supply_prog= of an autotuner"
        )
    unknown = [s for s in parameter.shape if not isinstance(s, int) and s not in (sizes or {})]
    if unknown:
        raise ValueError(
            f"the size {unknown[0]} of {parameter.name} is known at launch only: pass "
            f"input_tensors=, or dynamic_symbolic_constraints={{{unknown[0]!r}: 1024}}"
        )
    shape = [s if isinstance(s, int) else sizes[s] for s in parameter.shape]
    if parameter.dtype.startswith("float4"):  # two in a byte
        return _tensor(np.random.randint(0, 256, [*shape[:-1], shape[-1] // 2], np.uint8))
    dtype = np.dtype(parameter.dtype)
    return _tensor(_drawn(kind, shape, dtype).astype(dtype), parameter.dtype)


def _drawn(kind: TensorSupplyType, shape: list[int], dtype: np.dtype) -> np.ndarray:
    is_integer = dtype.kind in "biu"
    if kind == TensorSupplyType.Zero:
        return np.zeros(shape)
    if kind == TensorSupplyType.One:
        return np.ones(shape)
    if dtype.kind == "b":
        return np.random.randint(0, 2, shape)
    if is_integer or kind == TensorSupplyType.Integer:
        return np.random.randint(*((0, 3) if dtype.kind == "u" else (-2, 3)), shape)
    if kind in (TensorSupplyType.Normal, TensorSupplyType.Randn):
        return np.random.standard_normal(shape)
    return np.random.uniform(-1, 1, shape)


def _tensor(array: np.ndarray, dtype: str | None = None) -> Any:
    """PyTorch's tensor of an array, where it is installed and has the type."""
    try:
        import torch
    except ImportError:
        return array
    own = getattr(torch, dtype or array.dtype.name, None)
    if own is None:
        return array
    if (
        array.dtype.kind == "V"
        or dtype not in (None, array.dtype.name)
        or own.is_floating_point
    ):
        bits = array.view(f"i{array.dtype.itemsize}")
        return torch.from_numpy(bits).view(own)
    return torch.from_numpy(array)


def assert_close(
    actual: Any,
    expected: Any,
    rtol: float = 1e-2,
    atol: float = 1e-2,
    max_mismatched_ratio: float = 0.0,
    name: str = "the result",
) -> None:
    """Raises AssertionError where more than that share of the elements is off by more than
    `atol` plus `rtol` of the expected. NaN agrees with NaN."""
    a, b = _numbers(actual), _numbers(expected)
    if a.shape != b.shape:
        raise AssertionError(f"{name} has the shape {a.shape} instead of {b.shape}")
    off = np.argwhere(~np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
    if len(off) > max_mismatched_ratio * a.size:
        at = tuple(int(i) for i in off[0])
        raise AssertionError(
            f"{name}: {len(off)} of {a.size} elements are off, the first at {at}: "
            f"{a[at]} instead of {b[at]}"
        )


def _numbers(x: Any) -> np.ndarray:
    """An array of any library, in float64."""
    if hasattr(x, "detach"):
        return x.detach().cpu().double().numpy()
    return np.asarray(x).astype(np.float64)


def _listed(result: Any) -> list:
    if result is None:
        return []
    return list(result) if isinstance(result, (tuple, list)) else [result]
