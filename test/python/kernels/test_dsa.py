# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DeepSeek Sparse Attention: the references of its kernels, and their contracts."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from tilewright.kernels import dsa as layers
from tilewright.kernels import dsa_cases, indexer_cases, sparse_mla_cases
from tilewright.kernels import indexer as indexing
from tilewright.kernels import topk as selecting
from tilewright.testing import Expected, in_float64
from tilewright.testing.check import compare
from tilewright.testing.memory import bits

INDEXER = {case.id: case for case in indexer_cases.verify_cases()}
DSA = {case.id: case for case in dsa_cases.verify_cases()}


def assert_same(result: np.ndarray, expected: Expected) -> None:
    """Both are the definition in float64."""
    finite = np.isfinite(expected.value)
    np.testing.assert_array_equal(result[~finite], expected.value[~finite])
    apart = in_float64(np.broadcast_to(expected.bound, finite.shape)[finite])
    assert (np.abs(result[finite] - expected.value[finite]) <= apart).all()


@pytest.mark.parametrize("case", INDEXER.values(), ids=INDEXER)
def test_indexer_reference_is_what_cases_expect(case):
    """The bounds come with a second evaluation of the definition; both must agree."""
    p = case.expect.args[0]
    inputs = case.make_inputs(case.generator())
    reference = indexing.paged_reference if p.paged else indexing.reference
    result = reference(**indexer_cases.arguments(p, inputs))
    assert_same(result, case.expect(inputs)["logits"])


@pytest.mark.parametrize("case", DSA.values(), ids=DSA)
def test_dsa_reference_is_what_cases_expect(case):
    p = case.expect.args[0]
    inputs = case.make_inputs(case.generator())
    expected = case.expect(inputs)
    reference = layers.paged_reference if p.index.paged else layers.reference
    results = reference(**inputs, k=p.k, d_v=p.d_v)
    for name, result in results._asdict().items():
        assert_same(result, expected[name])


def test_topk_reference_against_pytorch():
    """The same values, whichever of equals are taken."""
    torch = pytest.importorskip("torch")
    x = np.round(np.random.default_rng(3).standard_normal((5, 200)) * 4).astype(np.float32)
    x[1, ::9] = np.nan
    x[2, ::3] = -np.inf
    theirs = torch.topk(torch.from_numpy(x), 31).values.numpy()
    ours = np.take_along_axis(x, selecting.reference(x, 31), 1)
    np.testing.assert_array_equal(-np.sort(-ours), -np.sort(-theirs))


def test_topk_rows_are_independent(device):
    """A row alone, and elsewhere in a longer tensor, has the result it has among others."""
    x = np.random.default_rng(4).standard_normal((3, 500), np.float32)
    together = selecting.topk(x, 40, target=device)
    wide = np.full((1, 900), np.nan, np.float32)
    wide[0, 300:800] = x[1]
    ends = np.array([800], np.int32)
    alone = selecting.topk(wide, 40, starts=ends - 500, ends=ends, target=device)
    np.testing.assert_array_equal(alone[0], together[1] + 300)


def test_every_k_of_a_row_with_ties(device):
    x = np.random.default_rng(5).integers(0, 6, (1, 45)).astype(np.float32)
    for k in range(47):
        result = selecting.topk(x, k, target=device)
        np.testing.assert_array_equal(result, selecting.reference(x, k), str(k))


def test_indexer_pages_change_nothing(device):
    """Keys in pages give the bits that keys in one piece give."""
    rng = np.random.default_rng(6)
    q = rng.standard_normal((2, 8, 32), np.float32).astype(ml_dtypes.bfloat16)
    k = rng.standard_normal((192, 32), np.float32).astype(ml_dtypes.bfloat16)
    weights = rng.standard_normal((2, 8), np.float32)
    table = np.array([[2, 0, 1]], np.int32)
    cache = np.empty((3, 64, 32), k.dtype)
    cache[table[0]] = k.reshape(3, 64, 32)
    ends = np.array([190, 191], np.int32)
    dense = indexing.indexer(q, k, weights, ends=ends, target=device)
    lengths = ends[1:].copy()
    paged = indexing.paged_indexer(q[None], cache, weights[None], lengths, table, target=device)
    np.testing.assert_array_equal(bits(paged[0]), bits(dense))


def test_split_cache_shows_the_same_bytes():
    torch = pytest.importorskip("torch")
    blocks = np.random.default_rng(7).integers(0, 120, (3, 64 * 36)).astype(np.uint8)
    values, scales = indexing.split_cache(blocks, 64, 32)
    assert (values.shape, scales.shape) == ((3, 64, 32), (3, 64))
    assert np.shares_memory(values, blocks)
    assert np.shares_memory(scales, blocks)
    theirs = indexing.split_cache(torch.from_numpy(blocks), 64, 32)
    np.testing.assert_array_equal(theirs[0].view(torch.uint8).numpy(), values.view(np.uint8))
    np.testing.assert_array_equal(theirs[1].numpy(), scales)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_layer_on_logits_that_are_not_exact(library, device):
    """The indices are the top-k of the logits that were computed, and out is over them."""
    torch = pytest.importorskip("torch") if library == "torch" else None
    made = torch.from_numpy if torch else np.asarray
    rng = np.random.default_rng(8)
    shapes = {
        "q": (3, 4, 48),
        "kv": (90, 48),
        "index_q": (3, 8, 32),
        "index_k": (90, 32),
        "index_weights": (3, 8),
    }
    inputs = {name: rng.standard_normal(s, np.float32) for name, s in shapes.items()}
    ends = np.array([90, 17, 0], np.int32)
    arrays = {name: made(a) for name, a in inputs.items()}
    found = layers.dsa(**arrays, k=20, d_v=32, ends=made(ends), target=device)
    assert type(found.out) is type(arrays["q"])
    out, lse, indices, logits = (np.asarray(a) for a in found)
    index = [inputs[n] for n in ("index_q", "index_k", "index_weights")]
    expected = indexing.reference(*index, ends=ends)
    # f32 roundings of a sum over 32 columns, a product with the weight, a sum over 8 heads.
    q, k, weights = (np.abs(a.astype(np.float64)) for a in index)
    bound = (32 + 1 + 8) * 2.0**-24 * np.einsum("th,thd,sd->ts", weights, q, k)
    inside = np.isfinite(expected)
    assert np.array_equal(logits[~inside], expected[~inside])
    assert (np.abs(logits[inside] - expected[inside]) <= bound[inside]).all()
    np.testing.assert_array_equal(indices, selecting.reference(logits, 20, ends=ends))
    problem = sparse_mla_cases.Problem("", 3, 90, 20, heads=4, d_v=32, d_rope=16, dtype="f32")
    attended = sparse_mla_cases.expect(
        problem, {"q": inputs["q"], "kv": inputs["kv"], "indices": indices}
    )
    for name, result in {"out": out, "lse": lse}.items():
        assert compare(result, attended[name], result.dtype, exact=False).reason is None, name


X = np.zeros((2, 9), np.float32)
THREE = np.zeros(3, np.int32)
Q, K, W = np.zeros((2, 4, 8), np.float32), np.zeros((5, 8), np.float32), X[:, :4].copy()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: selecting.topk(X.astype(np.int32), 2), "x is i32 and must be f32"),
        (lambda: selecting.topk(X[0], 2), r"x is \(9,\): \[rows, n\] is needed"),
        (lambda: selecting.topk(X, -1), "k is -1 and must not be negative"),
        (lambda: indexing.indexer(Q.astype(np.float64), K, W), "q is f64 and must be one of"),
        (lambda: indexing.indexer(Q[0], K, W), r"q is \(4, 8\): \[s_q, heads, d\] is needed"),
        (lambda: indexing.indexer(Q, K, W, ends=THREE), r"ends are \(3,\), not"),
        (lambda: indexing.indexer(Q, K, W, k_scale=W[0].copy()), r"k_scale is \(4,\), not"),
        (lambda: indexing.indexer(Q, K[:, :4].copy(), W), "Cache"),
        (lambda: layers.dsa(Q, K[:4], Q, K, W, d_v=4), "index_k has 5 rows and kv 4"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(call, message):
    """Each mistake is a ValueError that names the argument."""
    with pytest.raises(ValueError, match=message):
        call()
