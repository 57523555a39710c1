# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisation, rotation, residual norms, batches and scaled groups: what cases cannot say.

References against PyTorch, peers that do the same work, wrong arguments, memory that is shared.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from tilewright.kernels import (
    act_quant,
    gemm_batched,
    grouped_gemm_scaled,
    grouped_gemm_scaled_cases,
    moe_gate,
    rmsnorm,
    rmsnorm_residual,
    rope,
    swiglu_quant,
)
from tilewright.pairs import pack_pairs
from tilewright.testing import gamma, output_rounding
from tilewright.testing.memory import bits

RNG = np.random.default_rng(23)
F8 = ml_dtypes.float8_e4m3fn


def _rows(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape, np.float32)


@pytest.mark.parametrize("power_of_two", [False, True])
def test_quantisation_is_pytorchs_byte_for_byte(power_of_two):
    torch = pytest.importorskip("torch")
    x = _rows(9, 256) * np.exp2(RNG.uniform(-20, 20, (9, 1))).astype(np.float32)
    q, scale = act_quant.act_quant(x, power_of_two=power_of_two)
    grouped = torch.from_numpy(x).view(9, 2, 128)
    s = grouped.abs().amax(-1, keepdim=True).clamp(min=1e-4) / 448.0
    if power_of_two:
        s = torch.exp2(torch.ceil(torch.log2(s.double()))).float()
    theirs = (grouped * (1.0 / s)).to(torch.float8_e4m3fn).view(9, 256).view(torch.uint8)
    assert np.array_equal(q.view(np.uint8), theirs.numpy())
    assert np.array_equal(scale, s[..., 0].numpy())


def test_scales_just_above_a_power_of_two_go_to_the_next():
    peak = np.array([448.0, np.nextafter(np.float32(448), np.float32(900)), 3e-5], np.float32)
    scale = act_quant.group_scales(peak, True)
    assert scale.tolist() == [1.0, 2.0, 2.0**-22]


@pytest.mark.parametrize("inverse", [False, True])
def test_interleaved_pairs_are_complex_numbers(inverse):
    torch = pytest.importorskip("torch")
    x, positions = _rows(5, 3, 20).astype(np.float64), np.array([0, 3, 9, 1, 7], np.int32)
    cos, sin = rope.tables(10, 8)
    ours = rope.reference(x, cos, sin, positions, first=6, inverse=inverse)
    z = torch.view_as_complex(torch.from_numpy(x[..., 6:14].copy()).unflatten(-1, (4, 2)))
    turn = torch.complex(*(torch.from_numpy(t[positions].astype(float)) for t in (cos, sin)))
    turn = turn.conj() if inverse else turn
    theirs = torch.view_as_real(z * turn[:, None]).flatten(-2)
    # Two products and a sum on either side, of factors that are at most 1.
    sizes = np.abs(x[..., 6:14].reshape(5, 3, 4, 2)).sum(-1).repeat(2, -1)
    apart = 2 * gamma(2, "f64") * sizes
    assert (np.abs(ours[..., 6:14] - theirs.numpy()) <= apart).all()
    assert np.array_equal(np.delete(ours, np.s_[6:14], -1), np.delete(x, np.s_[6:14], -1))


def test_halves_are_interleaved_pairs_in_another_order():
    x, positions = _rows(4, 2, 8).astype(np.float64), np.arange(4)
    cos, sin = rope.tables(4, 8)
    order = np.arange(8).reshape(2, 4).T.ravel()
    halves = rope.reference(x, cos, sin, positions, interleaved=False)
    pairs = rope.reference(x[..., order], cos, sin, positions)
    np.testing.assert_array_equal(halves[..., order], pairs)


def test_undoing_a_rotation_gives_what_there_was(device):
    x, positions = _rows(6, 2, 64), np.arange(6, dtype=np.int32)
    cos, sin = rope.tables(6, 64)
    turned = rope.rope(x, cos, sin, positions, target=device)
    back = rope.rope(turned, cos, sin, positions, inverse=True, target=device)
    # Each way takes two roundings of a sum of two products. What the first leaves the second
    # turns, by factors whose squares' sum is 1 to within 2u: (4 sqrt(2) + 2) u (|a| + |b|).
    sizes = np.abs(x.astype(np.float64)).reshape(6, 2, 32, 2).sum(-1).repeat(2, -1)
    assert (np.abs(back - x.astype(np.float64)) <= gamma(8) * sizes).all()


def test_the_residual_may_be_summed_in_place(device):
    x, residual, weight = _rows(5, 70), _rows(5, 70), _rows(70)
    expected = rmsnorm_residual.rmsnorm_residual(x, residual, weight, target=device)
    total, out = rmsnorm_residual.rmsnorm_residual(
        x, residual, weight, sum=residual, target=device
    )
    assert total is residual
    assert np.array_equal(bits(total), bits(expected[0]))
    assert np.array_equal(bits(out), bits(expected[1]))
    again = rmsnorm.reference(total, weight)
    bound = rmsnorm.bound(total.astype(np.float64), weight.astype(np.float64), again, "f32")
    assert (np.abs(out - again) <= bound).all()


def test_a_row_of_a_batch_does_not_depend_on_the_others(device):
    a, b = _rows(3, 5, 40), _rows(3, 40, 24)
    alone = gemm_batched.gemm_batched(a, b, target=device)
    others = np.full_like(a, np.nan)
    others[1, 2] = a[1, 2]
    spoiled = b.copy()
    spoiled[[0, 2]] = np.nan
    again = gemm_batched.gemm_batched(others, spoiled, target=device)
    assert np.array_equal(bits(alone[1, 2]), bits(again[1, 2]))


def test_dequantised_operands():
    a, a_scale = np.ones((1, 130), F8), np.array([[2.0, 3.0]], np.float32)
    b, b_scale = np.ones((1, 129, 130), F8), np.array([[[1.0, 2], [4, 8]]], np.float32)
    left, right = grouped_gemm_scaled.dequantised(a, b, a_scale, b_scale)
    assert left[0, [0, 127, 128, 129]].tolist() == [2, 2, 3, 3]
    assert right[0, [0, 127, 128], 129].tolist() == [2, 2, 8]
    assert right[0, 128, 127] == 4
    packed = pack_pairs(np.tile([1.0, 6.0], (1, 3, 32)).astype(np.float32))
    e8m0 = np.array([[[1.0, 4.0]] * 3]).astype(ml_dtypes.float8_e8m0fnu)
    _, right = grouped_gemm_scaled.dequantised(np.ones((1, 64), F8), packed, a_scale, e8m0)
    assert right[0, 2, [0, 1, 31, 32, 33]].tolist() == [1, 6, 6, 4, 24]


def test_groups_stand_in_runs():
    layout = grouped_gemm_scaled_cases.layout_of((2, 0, 129))
    assert len(layout) == 3 * 128
    assert np.flatnonzero(layout == 0).tolist() == [0, 1]
    assert np.flatnonzero(layout == 2).tolist() == list(range(128, 257))
    assert np.count_nonzero(layout < 0) == 3 * 128 - 131


def test_gate_of_softplus_is_pytorchs():
    torch = pytest.importorskip("torch")
    x = 10 * RNG.standard_normal((7, 24))
    weights, ids = moe_gate.reference(x, 4, score="sqrtsoftplus", renormalize=True)
    scores = torch.nn.functional.softplus(torch.from_numpy(x)).sqrt()
    value, at = scores.topk(4)
    assert np.array_equal(ids, at.numpy())
    # From 20 on PyTorch's softplus is its argument, and leaves out log1p(exp(-20)); the square
    # root halves that, and it is in a weight and in the sum. The rest is float64's roundings:
    # of exp, log1p, sqrt, a sum of four and a quotient, within two ulps each.
    apart = np.exp(-20) / 20 + 2 * gamma(24, "f64")
    theirs = (value / value.sum(1, keepdim=True)).numpy()
    np.testing.assert_allclose(weights, theirs, rtol=apart)
    table = np.array([[3, 1], [0, -1]], np.int32)
    weights, ids = moe_gate.reference_hash(x[:2], np.array([1, 0]), table)
    assert ids.tolist() == [[0, -1], [3, 1]]
    assert weights[0].tolist() == [1.0, 0.0]


PEERS = [
    act_quant._case("rows", 6, 256, peers=True),
    rope._case("pairs", 6, 3, 40, 24, first=16, peers=True),
    rope._case("halves", 6, 3, 24, 24, interleaved=False, peers=True),
    rmsnorm_residual._case("rows", 6, 40, peers=True),
    gemm_batched._case("rows", 3, 5, 24, 40, by_rows=True, peers=True),
    gemm_batched._case("rows_nt", 3, 5, 24, 40, transpose_b=True, by_rows=True, peers=True),
    swiglu_quant._case("rows", 6, 256, "f32", limit=3.0, weighted=True, peers=True),
]


@pytest.mark.parametrize("case", PEERS, ids=lambda case: case.id)
def test_every_peer_does_the_same_work(case):
    pytest.importorskip("torch")
    inputs = case.make_inputs(case.generator())
    if case.kernel == "swiglu_quant":
        inputs["x"][4::5] = 0  # pads hold NaN, which peers would spread
    expected = case.expect(inputs)
    main = expected["q" if "q" in expected else "out"].value
    for peer in case.peers:
        if peer.recipe == "torch.compile":
            continue  # takes a C++ compiler and half a minute
        result = peer.prepare(inputs)()
        if isinstance(result, tuple):
            result = result[1 if case.kernel == "rmsnorm_residual" else 0]
        result = result if isinstance(result, np.ndarray) else result.float().numpy()
        if case.kernel == "gemm_batched" and result.shape != main.shape:
            result = result.swapaxes(0, 1)
        result = result.reshape(main.shape).astype(np.float64)
        if "q" in expected:  # a scale of another rounding, and the cast
            error = expected["q"].bound + gamma(4) * np.abs(main)
            apart = output_rounding(main, error, "f8e4m3fn")
        else:  # up to four steps that are rounded to the dtype, of values no larger than these
            operands = [a.astype(np.float64) for a in inputs.values() if a.dtype.kind != "i"]
            largest = max(np.abs(a).max() for a in (main, *operands))
            apart = expected["out"].bound + gamma(4, case.dtype) * largest
        assert (np.abs(result - main) <= apart).all(), peer.recipe


X = _rows(4, 6)
HEADS, TABLE = _rows(4, 2, 6), _rows(9, 2)
AT = np.zeros(4, np.int32)
A8, A_SCALE = np.ones((128, 64), F8), np.ones((128, 1), np.float32)
B8, B_SCALE = np.ones((2, 8, 64), F8), np.ones((2, 1, 1), np.float32)
LAYOUT = np.zeros(128, np.int32)


def _scaled(**changes):
    given = {"a": A8, "b": B8, "layout": LAYOUT, "a_scale": A_SCALE, "b_scale": B_SCALE}
    return grouped_gemm_scaled.grouped_gemm_contiguous(**(given | changes))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: act_quant.act_quant(X[0]), r"act_quant takes \[tokens, n\], not 1 dimensions"),
        (lambda: act_quant.act_quant(X, scale_dtype="f8e8m0fnu"), "scale is f8e8m0fnu: it is"),
        (lambda: act_quant.act_quant(X.astype(int)), "takes f32, bf16 or f16, not i64"),
        (lambda: rope.rope(X, TABLE, TABLE, AT), r"rope takes \[tokens, heads, d\], not 2"),
        (lambda: rope.rope(HEADS, TABLE, TABLE[1:], AT), r"cos is \(9, 2\) and sin \(8, 2\)"),
        (lambda: rope.rope(HEADS, TABLE, TABLE, AT, first=3), "columns 3 to 6 .* head has 6"),
        (lambda: rope.rope(HEADS, TABLE[:, :0], TABLE[:, :0], AT), "have no angles"),
        (lambda: rope.rope(HEADS, TABLE, TABLE, AT[1:]), r"positions are \(3,\)"),
        (lambda: rmsnorm_residual.rmsnorm_residual(X, X[:3], X[0]), r"residual is \(3, 6\)"),
        (lambda: rmsnorm_residual.rmsnorm_residual(X, X, X[0, :5]), r"weight is \(5,\)"),
        (lambda: gemm_batched.gemm_batched(X, X), "takes two batches of matrices"),
        (lambda: gemm_batched.gemm_batched(HEADS, HEADS), "a contracts over 6 and b over 2"),
        (
            lambda: gemm_batched.gemm_batched(HEADS.mT, HEADS),
            "last dimension of a has stride 6",
        ),
        (lambda: swiglu_quant.swiglu_quant(X, X[0]), r"weights are \(6,\) and must be \(4,\)"),
        (lambda: _scaled(a_scale=None), "a_scale and b_scale come together"),
        (lambda: _scaled(a=X, layout=AT), "a is f32 and must be f8e4m3fn where it has scales"),
        (lambda: _scaled(layout=LAYOUT[1:]), r"layout is \(127,\) and must be \(128,\)"),
        (
            lambda: _scaled(b_scale=B_SCALE[:1]),
            r"b_scale is \(1, 1, 1\) and must be \(2, 1, 1\)",
        ),
        (lambda: _scaled(a=A8[:, :32]), "a contracts over 32 and b over 64"),
        (lambda: moe_gate.moe_gate_hash(X, AT[1:], AT[:, None]), r"token is \(3,\)"),
        (lambda: moe_gate.moe_gate_hash(X, AT, AT[:, None], score="softmax"), "score is"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
