# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every library kernel on every device: each of its verify cases, and what all promise."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import tilewright
from tilewright.kernels import registry
from tilewright.kernels.attention import attention
from tilewright.kernels.gemm import gemm
from tilewright.kernels.rmsnorm import rmsnorm
from tilewright.kernels.softmax import softmax
from tilewright.kernels.swiglu import swiglu
from tilewright.testing.check import self_check
from tilewright.testing.memory import bits
from tilewright.testing.verify import PASS, execute, verify_case

CASES = registry.verify_cases()
by_id = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def test_case_ids_are_unique():
    assert len({case.id for case in CASES}) == len(CASES) >= 40


@by_id
def test_check_can_fail(case):
    assert self_check(case) is None


#: What takes minutes on an emulator, and shows nothing of GPUs that smaller ones do not.
LONG = {"swiglu/many_tokens/f32", "gemm/long_k/bf16"}


def _check(case, device):
    result = verify_case(case, device)
    assert result.status == PASS, f"{case.id} on {device}: {result.reason}"


@pytest.mark.every_device
@pytest.mark.parametrize("case", [c for c in CASES if c.id not in LONG], ids=lambda c: c.id)
def test_kernel(case, device):
    _check(case, device)


@pytest.mark.parametrize("case", [c for c in CASES if c.id in LONG], ids=lambda c: c.id)
def test_long_kernel(case, device):
    _check(case, device)


def _one_of_each() -> list:
    """The first verify case of each kernel and dtype that does some work."""
    found = {}
    for case in CASES:
        if case.macs:
            found.setdefault((case.kernel, case.dtype), case)
    return list(found.values())


@pytest.fixture
def any_threads():
    """Sets the number of threads on the CPU; the default comes back afterwards."""
    yield tilewright.set_num_threads
    tilewright.set_num_threads(0)


@pytest.mark.parametrize("case", _one_of_each(), ids=lambda case: case.id)
def test_runs_are_bitwise_equal_for_any_threads(case, device, any_threads):
    inputs = case.make_inputs(case.generator())
    first = execute(case, device, inputs).outputs
    for run in range(19):
        any_threads(1 + run % 3)
        again = execute(case, device, inputs).outputs
        for name, array in first.items():
            assert np.array_equal(bits(array), bits(again[name])), name


RNG = np.random.default_rng(5)


def _rows(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    "kernel",
    [
        functools.partial(gemm, b=_rows(70, 50)),
        softmax,
        functools.partial(rmsnorm, weight=_rows(70)),
        swiglu,
    ],
    ids=["gemm", "softmax", "rmsnorm", "swiglu"],
)
def test_rows_do_not_depend_on_their_neighbours(kernel, device):
    """A row's result is bitwise the same whatever the other rows hold, NaN included."""
    x = _rows(41, 70)
    alone = kernel(x, target=device)
    others = np.full_like(x, np.nan)
    others[17] = x[17]
    assert np.array_equal(bits(alone[17]), bits(kernel(others, target=device)[17]))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_functions_make_outputs_of_the_inputs_library(library, device):
    torch = pytest.importorskip("torch") if library == "torch" else None
    made = torch.from_numpy if torch else np.asarray
    x = made(_rows(8, 64))
    kind = type(x)
    assert type(softmax(x, target=device)) is kind
    assert tuple(swiglu(x, target=device).shape) == (8, 32)
    assert type(gemm(x, x, transpose_b=True, target=device)) is kind
    q = made(_rows(1, 2, 8, 16))
    out, lse = attention(q, q, q, target=device)
    assert tuple(out.shape) == (1, 2, 8, 16)
    assert tuple(lse.shape) == (1, 2, 8)
    assert type(out) is type(lse) is kind


X = _rows(4, 6)
Q = _rows(1, 4, 8, 16)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gemm(X, X), "a contracts over 6 and b over 4: they must be equal"),
        (lambda: gemm(X, X.T.astype(np.float16)), "a is f32 and b is f16: make them the same"),
        (lambda: gemm(X.astype(int), X.T), "gemm takes f32, bf16, f16, i8, not i64"),
        (lambda: gemm(X, X.T, out=X), r"out is \(4, 6\) and must be \(4, 4\)"),
        (lambda: gemm(X[0], X), "gemm takes two matrices"),
        (lambda: gemm(X, X.T, split_k="2"), "split_k is '2': it is a number of blocks"),
        (lambda: gemm(X, X.T, split_k=1.5), "split_k is 1.5: it is a number of blocks"),
        (lambda: gemm(X, X.T, split_k=0), "split_k is 0: at least one block has a tile"),
        (lambda: softmax(X[0]), r"softmax takes \[rows, n\], not 1 dimensions"),
        (lambda: softmax(X.astype(int)), "softmax takes f32, bf16 or f16, not i64"),
        (lambda: rmsnorm(X, X[0, :5]), r"weight is \(5,\) and must be \(6,\)"),
        (lambda: rmsnorm(X, X[0].astype(np.float16)), "weight is f16 and x is f32"),
        (lambda: swiglu(X[:, :5]), "x has 5 columns"),
        (lambda: attention(Q, Q[:, :3], Q[:, :3]), "4 query heads cannot share 3 key heads"),
        (lambda: attention(Q, Q, Q[:, :, :4]), "they may differ in d alone"),
        (lambda: attention(Q, Q[..., :8], Q[..., :8]), "q has d = 16 and k has 8"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
