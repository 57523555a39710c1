# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sparse_mla: its reference, and its contracts."""

from __future__ import annotations

import numpy as np
import pytest

from tilewright.kernels import mla_decode as dense
from tilewright.kernels import sparse_mla_cases as cases
from tilewright.kernels.sparse_mla import reference, sparse_mla

CASES = {case.id: case for case in cases.verify_cases()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_reference_is_what_cases_expect(case):
    """The bounds come with a second evaluation of the definition; both must agree."""
    problem = case.expect.args[0]
    inputs = case.make_inputs(case.generator())
    expected = case.expect(inputs)
    results = reference(**inputs, d_v=problem.d_v, scale=problem.scale)
    for name, result in zip(("out", "max_logits", "lse"), results, strict=True):
        np.testing.assert_allclose(result, expected[name].value, rtol=1e-12, atol=1e-13)


def test_reference_over_all_rows_is_dense_attention():
    """Naming every row, in any order, is mla_decode without a causal mask."""
    problem = cases.Problem("", s_q=2, s_kv=50, topk=50, heads=3)
    inputs = cases.make_inputs(problem, np.random.default_rng(1))
    out, _, lse = reference(**inputs)
    shared = np.broadcast_to(inputs["kv"], (2, *inputs["kv"].shape))
    full = dense.reference(inputs["q"][:, None], shared, np.array([50, 50]), causal=False)
    np.testing.assert_allclose(out, full[0][:, 0], atol=1e-13)
    np.testing.assert_allclose(lse, full[1][:, :, 0])


def test_reference_sink_is_a_key_without_value():
    """A sink does what a row with that logit and a zero value would do to `out`."""
    problem = cases.Problem("", s_q=1, s_kv=9, topk=9, heads=1, d_v=4, d_rope=4, dtype="f32")
    inputs = cases.make_inputs(problem, np.random.default_rng(2))
    out, _, lse = reference(**inputs, d_v=4, attn_sink=np.array([0.7], np.float32))
    plain, _, plain_lse = reference(**inputs, d_v=4)
    share = np.exp(plain_lse) / (np.exp(plain_lse) + np.exp(np.float32(0.7)))
    np.testing.assert_allclose(out, plain * share[..., None])
    np.testing.assert_array_equal(lse, plain_lse)


def test_queries_are_independent(device):
    """A query alone gives the bits that it gives among others."""
    problem = cases.Problem("", s_q=3, s_kv=90, topk=70, lengths=(70, 0, 5))
    inputs = cases.make_inputs(problem, np.random.default_rng(4))
    together = sparse_mla(**inputs, target=device)
    for t in range(3):
        one = {n: a if n == "kv" else a[t : t + 1].copy() for n, a in inputs.items()}
        for alone, among in zip(sparse_mla(**one, target=device), together, strict=True):
            assert alone.tobytes() == among[t : t + 1].tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": np.zeros((1, 16, 576), np.int8)}, "q is i8 and must be bf16, f16 or f32"),
        ({"d_v": 0}, "d_v is 0 and must be less than the 576 columns of q"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    """Each mistake is a ValueError that names the argument."""
    arguments = {
        "q": np.zeros((1, 16, 576), np.float32),
        "kv": np.zeros((4, 576), np.float32),
        "indices": np.zeros((1, 4), np.int32),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        sparse_mla(**arguments)
