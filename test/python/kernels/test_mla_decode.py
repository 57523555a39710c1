# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""mla_decode: its reference, what its exact cases notice, and its contracts."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from tilewright.kernels import mla_decode_cases as cases
from tilewright.kernels.mla_decode import SPLIT_KEYS, mla_decode, reference

CASES = {case.id: case for case in cases.verify_cases()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_reference_is_what_cases_expect(case):
    """The bounds come with a second evaluation of the definition; both must agree."""
    problem = case.expect.args[0]
    inputs = case.make_inputs(case.generator())
    expected = case.expect(inputs)
    out, lse = reference(
        **problem.arguments(inputs),
        d_v=problem.d_v,
        scale=problem.factor,
        causal=problem.causal,
    )
    np.testing.assert_allclose(out, expected["out"].value, rtol=0, atol=1e-13)
    np.testing.assert_allclose(lse, expected["lse"].value, rtol=1e-13)


def test_reference_is_attention_before_absorption():
    """Per head, with keys and values expanded from the latent rows, the result is the same."""
    rng = np.random.default_rng(1)
    heads, d_c, d_r, d_nope, d_v, keys = 3, 16, 8, 5, 7, 11
    latent, rope = rng.standard_normal((keys, d_c)), rng.standard_normal((keys, d_r))
    q_nope, q_rope = rng.standard_normal((heads, d_nope)), rng.standard_normal((heads, d_r))
    w_k = rng.standard_normal((heads, d_nope, d_c))
    w_v = rng.standard_normal((heads, d_v, d_c))
    absorbed = np.concatenate([np.einsum("hn,hnc->hc", q_nope, w_k), q_rope], 1)
    out, lse = reference(
        absorbed[None, None],
        np.concatenate([latent, rope], 1)[None],
        np.array([keys]),
        d_v=d_c,
        scale=0.3,
    )
    for h in range(heads):
        k = np.concatenate([latent @ w_k[h].T, rope], 1)
        scores = 0.3 * k @ np.concatenate([q_nope[h], q_rope[h]])
        p = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(w_v[h] @ out[0, 0, h], p @ (latent @ w_v[h].T))
        np.testing.assert_allclose(lse[0, h, 0], np.log(np.exp(scores).sum()))


def _exact(name: str):
    return next(c for c in CASES.values() if c.id == f"mla_decode/{name}/bf16")


def test_mean_case_notices_a_dropped_key():
    """One key that is not summed changes the exact result."""
    case = _exact("mean_exact")
    inputs = case.make_inputs(case.generator())
    right = case.expect(inputs)["out"].value
    block = inputs["table"][1, SPLIT_KEYS // 64]
    inputs["cache"][block, 3] = 0
    wrong = case.expect(inputs)["out"].value
    assert (wrong[1] != right[1]).any()
    assert (wrong[[0, 2, 3]] == right[[0, 2, 3]]).all()


def test_winner_case_notices_a_dropped_column():
    """A score that loses a column ties with its neighbour, which changes the result."""
    case = _exact("winner_exact")
    inputs = case.make_inputs(case.generator())
    right = case.expect(inputs)
    for column in (0, 311, 575):
        q = inputs["q"].copy()
        q[..., column] = 0
        wrong = case.expect({**inputs, "q": q})
        lse_error = np.abs(wrong["lse"].value - right["lse"].value)
        assert (lse_error > right["lse"].bound)[1].all()
        # The two rows that share differ in this column alone, which is 0 in their mean.
        if column < 512:
            assert (np.abs(wrong["out"].value[1, ..., column]) < 1e-50).all()
            assert (np.abs(right["out"].value[1, ..., column]) == 1).all()


def _run(device, inputs, **options):
    return mla_decode(**inputs, **options, target=device)


def test_blocks_of_a_cache_lie_anywhere(device):
    """Backwards, and a distance apart that is no multiple of 16 bytes, as in order."""
    rng = np.random.default_rng(5)
    bf16 = ml_dtypes.bfloat16
    q = rng.standard_normal((2, 1, 16, 48)).astype(bf16)
    cache = rng.standard_normal((2, 64, 48)).astype(bf16)
    lengths = np.array([37, 64], np.int32)
    apart = np.full((2, 64 * 48 + 1), np.nan, np.float32).astype(bf16)
    apart[:, :-1] = cache.reshape(2, -1)
    step = apart.strides[0]
    spread = np.lib.stride_tricks.as_strided(apart, cache.shape, (step, 96, 2))
    backwards = cache[::-1].copy()[::-1]
    assert backwards.strides[0] < 0
    given = {"q": q, "lengths": lengths}
    expected, _ = _run(device, {**given, "cache": cache}, d_v=32)
    for other in (spread, backwards):
        found, _ = _run(device, {**given, "cache": other}, d_v=32)
        assert np.array_equal(found, expected)


def test_runs_are_bitwise_equal(device):
    """20 runs of ragged requests over several splits give the same bits."""
    problem = cases.Problem("", (2 * SPLIT_KEYS + 7, 300, 0, 64))
    inputs = cases.random_inputs(problem, np.random.default_rng(2))
    first = [a.tobytes() for a in _run(device, inputs)]
    for _ in range(19):
        assert [a.tobytes() for a in _run(device, inputs)] == first


def test_requests_are_independent(device):
    """A request alone gives the bits that it gives among others."""
    problem = cases.Problem("", (70, SPLIT_KEYS + 1, 5), s_q=2)
    inputs = cases.random_inputs(problem, np.random.default_rng(3))
    out, lse = _run(device, inputs)
    for b in range(3):
        one = {n: a if n == "cache" else a[b : b + 1].copy() for n, a in inputs.items()}
        alone = _run(device, one)
        assert alone[0].tobytes() == out[b : b + 1].tobytes()
        assert alone[1].tobytes() == lse[b : b + 1].tobytes()


def test_dense_cache_gives_the_paged_result(device):
    """The same rows in a dense cache and in pages give the same bits."""
    problem = cases.Problem("", (130, 64), page=0)
    inputs = cases.random_inputs(problem, np.random.default_rng(4))
    dense = _run(device, inputs)
    pages = np.zeros((2, 192, problem.d), inputs["cache"].dtype)
    pages[:, :133] = inputs["cache"]
    paged = {
        **inputs,
        "cache": pages.reshape(6, 64, problem.d),
        "table": np.arange(6, dtype=np.int32).reshape(2, 3),
    }
    for a, b in zip(dense, _run(device, paged), strict=True):
        assert a.tobytes() == b.tobytes()


def test_torch_tensors(device):
    """PyTorch tensors go in and come out, with NumPy's bits."""
    torch = pytest.importorskip("torch")
    from tilewright.testing.peers import to_torch

    problem = cases.Problem("", (70, 3))
    inputs = cases.random_inputs(problem, np.random.default_rng(5))
    out, lse = _run(device, {name: to_torch(array) for name, array in inputs.items()})
    assert out.dtype == torch.bfloat16
    numpy_out, numpy_lse = _run(device, inputs)
    assert out.view(torch.int16).numpy().tobytes() == numpy_out.tobytes()
    assert lse.numpy().tobytes() == numpy_lse.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": np.zeros((1, 1, 16, 576), np.int32)}, "q is i32 and must be bf16, f16 or f32"),
        ({"d_v": 576}, "d_v is 576 and must be less than the 576 columns of q"),
        ({"cache": np.zeros((1, 1, 70, 576), np.float32)}, r"\[blocks, page, d\] is needed"),
        ({"cache": np.zeros((3, 70, 576), np.float32)}, "cache has 3 requests, q has 1"),
        (
            {
                "q": np.zeros((1, 2, 16, 576), np.float32),
                "out": np.zeros((1, 16, 2, 512), np.float32).swapaxes(1, 2),
            },
            "a contiguous one",
        ),
    ],
)
def test_wrong_arguments_are_named(change, message):
    """Each mistake is a ValueError that names the argument."""
    arguments = {
        "q": np.zeros((1, 1, 16, 576), np.float32),
        "cache": np.zeros((1, 70, 576), np.float32),
        "lengths": np.zeros(1, np.int32),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        mla_decode(**arguments)
