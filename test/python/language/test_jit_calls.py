"""Calls of eager kernels that look like earlier ones go straight to the launch, and only those.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.compiler import jit


@tilewright.jit
def look_alike(A, by: float = 1.0, twice: bool = False, more=None):
    N = T.const("N")
    A: T.Tensor((N,), "float32")
    C = T.empty((N,), "float32")
    with T.Kernel(1):
        for i in T.serial(N):
            C[i] = A[i] * by * (2 if twice else 1) - (0 if more is None else more)
    return C


def test_calls_that_look_alike_but_are_not():
    """A call finds its kernel by what it looked like before: shapes, values and their types."""
    for _ in range(2):
        for size in (3, 5):
            a = np.arange(1, size + 1, dtype=np.float32)
            for arguments, factor, more in [
                ((a,), 1, 0),
                ((a, 2), 2, 0),
                ((a, 2.0), 2, 0),
                ((a, 2, True), 4, 0),
                ((a, 2, 1), 4, 0),
                ((a, 2, False, None), 2, 0),
                ((a, np.float32(3)), 3, 0),
                ((a, 2, False, 7), 2, 7),
            ]:
                np.testing.assert_array_equal(look_alike(*arguments), a * factor - more)
    # Zero and minus zero are equal, and a kernel tells them apart.
    assert not np.signbit(look_alike(a, 0.0)).any()
    assert np.signbit(look_alike(a, -0.0)).all()
    assert not np.signbit(look_alike(a, 0.0)).any()


def test_a_call_that_does_not_fit_is_refused_each_time():
    a = np.ones(4, np.float32)
    look_alike(a)
    for _ in range(2):
        with pytest.raises(tilewright.LaunchError, match="'A' has dtype float64"):
            look_alike(a.astype(np.float64))
        with pytest.raises(tilewright.LaunchError, match="A has 2 dimensions"):
            look_alike(a.reshape(2, 2))
        with pytest.raises(TypeError, match=r"look_alike\(\) lacks A"):
            look_alike()
        with pytest.raises(TypeError, match="takes 4 arguments, not 5"):
            look_alike(a, 1, False, None, 5)


def test_calls_of_ever_new_sizes_take_bounded_memory(monkeypatch):
    monkeypatch.setattr(jit.Calls, "MOST", 4)
    for size in range(1, 12):
        dynamic_copy(np.ones(size, np.float32))
    assert len(dynamic_copy._calls._launches) <= 4


@tilewright.jit
def dynamic_copy(A):
    n = T.dynamic("n")
    A: T.Tensor((n,), "float32")
    C = T.empty((n,), "float32")
    with T.Kernel(1):
        for i in T.serial(n):
            C[i] = A[i]
    return C
