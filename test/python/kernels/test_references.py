# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The naive references against implementations nobody here wrote, and their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from tilewright.kernels import attention, gemm, rmsnorm, softmax, swiglu
from tilewright.testing import (
    attend,
    dot_bound,
    dot_error,
    gamma,
    numpy_dtype,
    output_rounding,
    selecting_operands,
)

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(11)


def close(ours: np.ndarray, theirs) -> None:
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_gemm(transpose_a, transpose_b):
    a, b = RNG.standard_normal((5, 7)), RNG.standard_normal((7, 3))
    ours = gemm.reference(
        a.T.copy() if transpose_a else a,
        b.T.copy() if transpose_b else b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
    )
    close(ours, torch.from_numpy(a) @ torch.from_numpy(b))


def test_gemm_of_integers_wraps():
    a = np.full((1, 200_000), -128, np.int8)
    expected = (128 * 128 * 200_000 + 2**31) % 2**32 - 2**31
    assert gemm.reference(a, a.T)[0, 0] == expected != 128 * 128 * 200_000


def test_softmax():
    x = 5 * RNG.standard_normal((6, 40))
    close(softmax.reference(x), torch.softmax(torch.from_numpy(x), -1))


def test_softmax_of_infinities_and_nan():
    inf = np.inf
    x = np.array([[-inf, -inf], [inf, 0.0], [np.nan, 0.0], [-inf, 0.0]])
    assert np.isnan(softmax.reference(x)[:3]).all()
    close(softmax.reference(x)[3], torch.tensor([0.0, 1.0]))


def test_rmsnorm():
    x, weight = RNG.standard_normal((6, 40)), RNG.standard_normal(40)
    t, w = torch.from_numpy(x), torch.from_numpy(weight)
    close(rmsnorm.reference(x, weight), torch.nn.functional.rms_norm(t, (40,), w, 1e-6))


def test_swiglu():
    x = 3 * RNG.standard_normal((6, 40))
    gate, up = torch.from_numpy(x).chunk(2, 1)
    close(swiglu.reference(x), torch.nn.functional.silu(gate) * up)
    limited = torch.nn.functional.silu(gate.clamp(max=1.5)) * up.clamp(-1.5, 1.5)
    close(swiglu.reference(x, 1.5), limited)


@pytest.mark.parametrize("causal", [False, True])
def test_attention(causal):
    q = RNG.standard_normal((2, 6, 19, 16))
    k, v = RNG.standard_normal((2, 2, 3, 19, 16))[:, :, :2]
    lengths = np.full(2, 19)
    ours, lse = attention.reference(q, k, v, lengths, lengths, causal=causal)
    tensors = [torch.from_numpy(np.ascontiguousarray(x)) for x in (q, k, v)]
    sdpa = torch.nn.functional.scaled_dot_product_attention
    close(ours, sdpa(*tensors, is_causal=causal, enable_gqa=True))
    scores = tensors[0] @ tensors[1].repeat_interleave(3, 1).mT / 4
    if causal:
        scores = scores.masked_fill(torch.ones(19, 19).triu(1).bool(), -torch.inf)
    close(lse, torch.logsumexp(scores, -1))


def test_attention_lengths_and_empty_rows():
    """Each query one at a time, with NaN past the lengths."""
    q, k, v = RNG.standard_normal((3, 2, 1, 12, 8))
    q_lengths, kv_lengths = np.array([7, 12]), np.array([12, 5])
    k[1, :, 5:] = v[1, :, 5:] = q[0, :, 7:] = np.nan
    out, lse = attention.reference(q, k, v, q_lengths, kv_lengths, causal=True)
    for b in range(2):
        for i in range(12):
            seen = kv_lengths[b] - q_lengths[b] + i + 1
            if i >= q_lengths[b] or seen <= 0:
                assert not out[b, 0, i].any()
                assert lse[b, 0, i] == np.inf
                continue
            scores = k[b, 0, :seen] @ q[b, 0, i] / np.sqrt(8)
            weights = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(out[b, 0, i], weights @ v[b, 0, :seen], rtol=1e-12)
            np.testing.assert_allclose(lse[b, 0, i], np.log(np.exp(scores).sum()), rtol=1e-12)


def f32_attention(q, k, v, p_dtype):
    """Attention as a kernel computes it: f32 scores, rounded probabilities."""
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    scores = q @ k.T * np.float32(q.shape[1] ** -0.5)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    rounded = weights.astype(numpy_dtype(p_dtype)).astype(np.float32)
    return rounded @ v / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
def test_attention_bound_separates_precisions(dtype):
    """An honest kernel is well inside the bound; one of the next precision is outside."""
    q, k, v = (RNG.standard_normal((64, 32)).astype(numpy_dtype(dtype)) for _ in "qkv")
    found = attend(q, k, v, np.ones((64, 64), bool), 32**-0.5, dtype)
    assert np.isfinite(found.out.bound).all()

    def worst(out):
        out = out.astype(numpy_dtype(dtype)).astype(np.float64)
        return (np.abs(out - found.out.value) / found.out.bound).max()

    assert worst(f32_attention(q, k, v, dtype)) < 1
    coarse = {"f32": "bf16", "bf16": "f8e4m3fn", "f16": "bf16"}[dtype]
    assert worst(f32_attention(q, k, v, coarse)) > 1


def test_dot_bound_holds_and_is_not_vacuous():
    a = RNG.standard_normal((40, 300)).astype(np.float32)
    b = RNG.standard_normal((300, 30)).astype(np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = dot_bound(a.astype(np.float64), b.astype(np.float64), exact, "f32")
    assert (np.abs(a @ b - exact) <= bound).all()
    assert (bound < 1e-3 * np.abs(exact).max()).all()


def test_dot_error_allows_flushed_denormals():
    tiny = np.full((1, 4), 1e-39)
    assert dot_error(tiny, np.full((4, 1), 100.0)) >= 4 * 1e-39 * 100


def test_gamma_refuses_to_say_nothing():
    assert gamma(100) == pytest.approx(100 * 2**-24, rel=1e-4)
    with pytest.raises(ValueError, match="says nothing"):
        gamma(2**24)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16", "f8e4m3fn"])
def test_output_rounding_covers_one_rounding(dtype):
    values = np.concatenate([10.0 ** RNG.uniform(-6, 2, 2000), [0.0]])
    rounded = values.astype(numpy_dtype(dtype)).astype(np.float64)
    assert (np.abs(rounded - values) <= output_rounding(values, 0.0, dtype)).all()


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
@pytest.mark.parametrize(("keys", "d"), [(1, 16), (2, 16), (53, 24), (700, 64)])
def test_selecting_operands_pick_one_pair_exactly(dtype, keys, d):
    targets = RNG.integers(0, keys, 40)
    q, k = selecting_operands(RNG, targets, keys, d**-0.5, d, dtype)
    scores = q.astype(np.float64) @ k.astype(np.float64).T * d**-0.5 * np.log2(np.e)
    best = scores.max(1, keepdims=True)
    chosen = scores == best
    assert (chosen == (np.arange(keys) // 2 == targets[:, None] // 2)).all()
    assert (np.where(chosen, -np.inf, scores - best) <= -256).all()
