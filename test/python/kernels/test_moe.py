# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kernels of a mixture of experts: references, contracts, and the layer as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from tilewright.kernels import grouped_gemm as grouped
from tilewright.kernels import moe, moe_cases, moe_combine, moe_gate, moe_gate_cases
from tilewright.kernels import moe_permute as permute


def test_softmax_gate_by_hand():
    """Four experts, three chosen: equals go to the lower one, weights stay as they are."""
    weights, ids = moe_gate.reference(np.log(np.array([[1.0, 4.0, 1.0, 4.0]])), 3)
    assert ids.tolist() == [[1, 3, 0]]
    np.testing.assert_allclose(weights, [[0.4, 0.4, 0.1]])


def test_sigmoid_gate_by_hand():
    """The bias chooses and does not weigh; groups that lose are out even when all is < 0."""
    logits = np.zeros((1, 6), np.float32)
    bias = np.array([-3.0, -1.0, -0.6, -2.9, -1.5, -1.6], np.float32)
    weights, ids = moe_gate.reference(
        logits,
        2,
        score="sigmoid",
        bias=bias,
        groups=3,
        keep_groups=1,
        group_top=2,
        renormalize=True,
        route_scale=2.5,
    )
    # Sums of the groups' ranks: -3.0, -2.5 and -2.1: only the last group stays.
    assert ids.tolist() == [[4, 5]]
    np.testing.assert_allclose(weights, [[1.25, 1.25]])


def test_undecided_tokens_are_found():
    """A margin of ranks or of groups below the limit is an undecided token."""
    problem = moe_gate_cases.Problem("", 3, 4, 1)
    logits = np.array([[0.0, 1, 2, 3], [0, 1, 3 - 1e-7, 3], [0, 0, 0, 3]])
    assert moe_gate_cases.decided(problem, logits, None).tolist() == [True, False, True]
    two = (("groups", 2), ("keep_groups", 1), ("group_top", 1))
    problem = moe_gate_cases.Problem("", 1, 4, 1, options=two)
    assert not moe_gate_cases.decided(problem, np.array([[0.0, 3, 1, 3 - 1e-7]]), None)[0]


def test_permutation_by_hand():
    """Two tokens and three experts, the first entry of token 1 dropped, pads of 2."""
    ids = np.array([[2, 0], [-1, 2]], np.int32)
    x = np.array([[1.0], [2.0]], np.float32)
    result = permute.reference(ids, x, 3, align=2)
    assert result.counts.tolist() == [1, 0, 2]
    assert result.offsets.tolist() == [0, 2, 2, 4]
    assert result.positions.tolist() == [[2, 0], [-1, 3]]
    assert result.slots.tolist() == [1, -1, 0, 3, -1, -1, -1]
    assert result.rows[:, 0].tolist() == [1, 0, 1, 2, 0, 0, 0]


def test_grouped_product_by_hand():
    """Each group has its own matrix; rows after the last group have none."""
    a = np.ones((4, 2), np.float32)
    b = np.array([[[1.0, 2.0]], [[5.0, 5.0]], [[10.0, 20.0]]], np.float32)
    c = grouped.reference(a, b, np.array([0, 1, 1, 3]))
    assert c[:, 0].tolist() == [3, 30, 30, 0]


def test_combination_by_hand():
    """Dropped entries add nothing, whatever is in rows that nobody names."""
    rows = np.array([[1.0], [np.nan], [4.0]], np.float32)
    weights = np.array([[0.5, 9.0], [2.0, 1.0]], np.float32)
    positions = np.array([[0, -1], [2, 0]], np.int32)
    out = moe_combine.reference(rows, weights, positions, np.array([[10.0], [20.0]]))
    assert out[:, 0].tolist() == [10.5, 29.0]


def test_layer_is_the_sum_over_all_experts():
    """The layer equals every expert run on every token, weighted by the gate or by 0."""
    case = moe_cases.verify_cases()[2]
    problem = case.expect.args[0]
    inputs = case.make_inputs(case.generator())
    x = inputs["x"].astype(np.float64)
    weights, ids = moe_gate.reference(x @ inputs["router"].astype(np.float64).T, problem.top_k)
    dense = np.zeros((len(x), problem.experts))
    np.put_along_axis(dense, ids, weights, 1)
    out = moe.expert(x, inputs["shared_gate_up"], inputs["shared_down"])
    for e in range(problem.experts):
        out += dense[:, e : e + 1] * moe.expert(x, inputs["gate_up"][e], inputs["down"][e])
    np.testing.assert_allclose(moe.reference(**inputs, **problem.options), out, atol=1e-13)


def test_layer_bound_notices_a_wrong_weight():
    """At DeepSeek's inner size a routing weight that is off by a tenth is beyond the bound."""
    problem = moe_cases.Problem("", 2, 256, 1408, experts=4, top_k=2)
    inputs = moe_cases.make_inputs(problem, np.random.default_rng(1))
    expected = moe_cases.expect(problem, inputs)["out"]
    changed = moe.reference(**inputs, **problem.options, route_scale=1.1)
    assert (np.abs(changed - expected.value) > expected.bound).any()


def test_permutation_and_combination_are_inverse(device):
    """Rows that are permuted and combined with weights of 1 / top_k come back."""
    rng = np.random.default_rng(2)
    x = rng.integers(-8, 9, (57, 40)).astype(np.float32)
    ids = rng.random((57, 16)).argsort(1)[:, :4].astype(np.int32)
    permuted = permute.moe_permute(ids, x, 16, align=8, target=device)
    weights = np.full((57, 4), 0.25, np.float32)
    back = moe_combine.moe_combine(permuted.rows, weights, permuted.positions, target=device)
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: moe_gate.moe_gate(x.astype(np.float64), 2),
            "logits are f64 and must be f32",
        ),
        (
            lambda x: moe_gate.moe_gate(x, 2, score="relu"),
            "score is 'relu': one of softmax, sigmoid, sqrtsoftplus",
        ),
        (lambda x: moe_gate.moe_gate(x, 2, groups=3), "8 experts in 3 groups"),
        (lambda x: moe_gate.moe_gate(x, 9), "top_k is 9"),
        (
            lambda x: moe_gate.moe_gate(x, 2, groups=4, keep_groups=2, group_top=3),
            "group_top is 3",
        ),
        (lambda x: permute.moe_permute(x, x, 8), "ids are f32 and must be i32"),
        (
            lambda x: permute.moe_permute(np.zeros((3, 2), np.int32), x, 8),
            "x has 4 rows and ids 3",
        ),
        (
            lambda x: permute.moe_permute(np.zeros((4, 2), np.int32), x, 8, align=0),
            "align is 0 and must be at least 1",
        ),
        (
            lambda x: grouped.grouped_gemm(x, np.zeros((2, 5, 7), np.float32), None),
            "a contracts over 8 and b over 7",
        ),
        (
            lambda x: moe_combine.moe_combine(x.astype(np.int8), x, None),
            "rows are i8 and must be bf16, f16 or f32",
        ),
    ],
)
def test_wrong_arguments_are_named(call, message):
    """Each mistake is a ValueError that names the argument."""
    with pytest.raises(ValueError, match=message):
        call(np.zeros((4, 8), np.float32))
