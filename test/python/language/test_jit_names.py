"""A call runs what names outside of its kernel mean when it is made, as Python's functions do.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import sys
import types

import numpy as np
import pytest

import tilewright
import tilewright.language as T

NUMBER = 1
NUMBERS = [1]
settings = types.ModuleType("settings_of_a_jit_test")


class Opaque:
    def __init__(self, number: int) -> None:
        self.number = number


OPAQUE = Opaque(1)


@T.macro
def number():
    return NUMBER


@tilewright.jit
def of_global(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = NUMBER


@tilewright.jit
def of_contents(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = NUMBERS[0]


@tilewright.jit
def of_macro(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = number()


@tilewright.jit
def of_module(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = settings.number


@tilewright.jit
def of_object(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = OPAQUE.number + NUMBER - NUMBER


@T.prim_func
def of_prim_func(A: T.Tensor((1,), "float32")):
    with T.Kernel(1):
        A[0] = NUMBER


@tilewright.jit
def lazy():
    factor = NUMBER

    @T.prim_func
    def kernel(A: T.Tensor((1,), "float32")):
        with T.Kernel(1):
            A[0] = factor * number() / NUMBER

    return kernel


def result(kernel: object) -> float:
    a = np.zeros(1, np.float32)
    kernel(a)
    return float(a[0])


def set_all(monkeypatch, value: int) -> None:
    here = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, settings.__name__, settings)
    monkeypatch.setattr(here, "NUMBER", value)
    monkeypatch.setattr(here, "OPAQUE", Opaque(value))
    monkeypatch.setattr(settings, "number", value, raising=False)
    NUMBERS[0] = value


@pytest.mark.parametrize(
    "kernel",
    [of_global, of_contents, of_macro, of_module, of_object, of_prim_func, lambda a: lazy()(a)],
    ids=lambda k: getattr(k, "__name__", "lazy"),
)
def test_a_value_that_changes(kernel, monkeypatch):
    for value in (1, 5, 5, 2, 1):
        set_all(monkeypatch, value)
        assert result(kernel) == value
        assert result(kernel) == value


def test_a_free_variable_and_a_macro_that_are_bound_anew():
    bias = 1

    @T.macro
    def more(x):
        return x + bias

    added = more

    @tilewright.jit
    def kernel(A: T.Tensor((1,), "float32")):
        with T.Kernel(1):
            A[0] = added(A[0] + bias)

    assert result(kernel) == 2
    bias = 3
    assert result(kernel) == 6

    @T.macro
    def less(x):
        return x - 1

    added = less

    assert result(kernel) == 2
    del bias
    with pytest.raises(tilewright.CompileError, match="the name bias has no value yet"):
        result(kernel)
    bias = 3
    assert result(kernel) == 2


def test_equal_numbers_of_other_types():
    scale = 1

    @tilewright.jit
    def halves(A: T.Tensor((1,), "float32")):
        with T.Kernel(1):
            A[0] = T.cast(3, "int32") * scale // 2 * scale + 0 * scale

    @tilewright.jit
    def sign(A: T.Tensor((1,), "float32")):
        with T.Kernel(1):
            A[0] = zero

    zero = 0.0
    assert not np.signbit(result(sign))
    zero = -0.0
    assert np.signbit(result(sign))
    first = result(halves)
    scale = 1.0
    assert result(halves) == first == 1


def test_nothing_is_compiled_anew_for_what_is_the_same(monkeypatch):
    set_all(monkeypatch, 7000)
    assert result(of_global) == 7000
    known = of_global._kernels
    monkeypatch.setattr(sys.modules[__name__], "NUMBER", int("7000"))  # another object
    assert result(of_global) == 7000
    assert of_global._kernels is known
    set_all(monkeypatch, 7001)
    assert result(of_global) == 7001
    assert of_global._kernels is not known
