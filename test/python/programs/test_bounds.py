"""How far the interpreter of drawn programs lets a result be from its own.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tilewright.testing.programs.memory import Memory
from tilewright.testing.programs.numbers import exact
from tilewright.testing.programs.operators import fma

TINY = 2.0**-126


def atomic_sum(before: float, *terms: float, flushes: bool = True) -> tuple[float, float]:
    """Value and bound of an f32 to which numbers are added by atomics."""
    memory = Memory("C", "f32", (1,), is_global=True, flushes=flushes)
    memory.give(exact("f32", np.array([before])))
    for term in terms:
        memory.combine("add", [np.array([0])], exact("f32", [term]), np.ones(1, bool))
    memory.settle()
    return memory.value[0], memory.error[0]


SMALL = float(np.float32(1e-40))


@pytest.mark.parametrize(
    ("numbers", "flushed"),
    [
        ((0.0, SMALL), 0.0),  # the term
        ((SMALL, 0.0), 0.0),  # what was there
        ((1.5 * TINY, -TINY), 0.0),  # the sum of normal numbers
    ],
)
def test_an_atomic_sum_may_lose_subnormal_numbers(numbers, flushed):
    value, error = atomic_sum(*numbers)
    assert 0 < abs(value - flushed) <= error < 4 * TINY


def test_an_atomic_sum_elsewhere_keeps_them():
    assert atomic_sum(0.0, SMALL, flushes=False) == (SMALL, 0.0)


def test_an_atomic_sum_of_multiples_of_normal_numbers_is_exact():
    assert atomic_sum(3 * TINY, -TINY, 5.0 * TINY) == (7 * TINY, 0.0)


def test_the_reference_of_an_fma_in_f64_rounds_as_well():
    """Its two roundings, and the one of the right result, on numbers where they matter."""
    rng = np.random.default_rng(3)
    a, b, c = (rng.standard_normal(2000) * 2.0 ** rng.integers(-3, 4, 2000) for _ in range(3))
    found = fma(*(exact("f64", x) for x in (a, b, c)))
    right = [
        float(Fraction(x) * Fraction(y) + Fraction(z))  # rounds once
        for x, y, z in zip(a.tolist(), b.tolist(), c.tolist())
    ]
    off = np.abs(found.value - right)
    assert (off <= found.error).all()
    assert (off > 0).any()
    assert (found.error <= 4 * 2.0**-53 * (np.abs(a * b) + np.abs(c))).all()
