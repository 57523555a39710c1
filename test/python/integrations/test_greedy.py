"""DeepSeek-V2 and V3 of transformers decode the same tokens with our kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import pytest
import torch

from integrations.deepseek import (
    FAMILIES,
    PROMPT,
    ROUTES,
    STEPS,
    check_greedy,
    observe,
    ours,
    positions_of,
    reference,
)

both = [
    pytest.mark.parametrize("route", ROUTES),
    pytest.mark.parametrize("family", FAMILIES),
]


def every_model(test):
    """Both families by both routes."""
    for mark in both:
        test = mark(test)
    return test


@every_model
def test_64_tokens_in_f32(family, route):
    expected = reference(family)
    assert expected.bound < 1e-4 * expected.spread
    assert check_greedy(ours(family, route), expected) == 2 * STEPS


def wrong_scale(attention, experts):
    """Without yarn's factor."""
    attention.scaling = attention.qk_head_dim**-0.5


def wrong_pairs(attention, experts):
    """The query's rotated columns in halves, and the key's side by side."""
    project = attention.q_proj or attention.q_b_proj
    turned = project.weight.view(attention.num_heads, attention.qk_head_dim, -1)[:, -64:]
    turned.copy_(turned.unflatten(1, (2, 32)).transpose(1, 2).flatten(1, 2).clone())


def keys_for_values(attention, experts):
    """W_uv for W_uk, and W_uk for W_uv."""
    weight = attention.kv_b_proj.weight
    weight.copy_(weight.view(-1, 2, 128, 512).flip(1).reshape(weight.shape))


def wrong_experts(attention, experts):
    """The second product of each expert with its neighbour's weights."""
    experts.down_proj.copy_(experts.down_proj.roll(1, 0))


def wrong_halves(attention, experts):
    """up's half where gate's belongs."""
    experts.gate_up_proj.copy_(experts.gate_up_proj.unflatten(1, (2, -1)).flip(1).flatten(1, 2))


FAULTS = (wrong_scale, wrong_pairs, keys_for_values, wrong_experts, wrong_halves)


@pytest.mark.parametrize("fault", FAULTS)
@every_model
def test_a_fault_is_past_the_bound(family, route, fault):
    model = ours(family, route)
    layer = model.model.layers[-1]
    with torch.no_grad():
        fault(layer.self_attn, layer.mlp.experts)
    with pytest.raises(AssertionError):
        check_greedy(model, reference(family), 2)


@every_model
def test_logits_in_bf16(family, route):
    # Experts in the last layer alone: a choice that rounding changed stays the token's own.
    expected = reference(family, torch.bfloat16, first_k_dense_replace=1)
    model = ours(family, route, torch.bfloat16, first_k_dense_replace=1)
    positions = positions_of(expected.mask)
    split = PROMPT - 8

    def by_parts() -> torch.Tensor:
        """A prompt, then token by token."""
        out = model(
            expected.ids[:, :split],
            attention_mask=expected.mask[:, :split],
            position_ids=positions[:, :split],
            use_cache=True,
        )
        parts = [out.logits]
        for at in range(split, PROMPT):
            out = model(
                expected.ids[:, at : at + 1],
                attention_mask=expected.mask[:, : at + 1],
                position_ids=positions[:, at : at + 1],
                past_key_values=out.past_key_values,
            )
            parts.append(out.logits)
        return torch.cat(parts, 1)

    found = observe(model, by_parts, len(expected.ids))
    same = (found.chosen == expected.exact.chosen).all(-1)
    assert (same | ~expected.decisive | ~expected.mask.bool()).all()
    compared = same.all(0) & expected.mask.bool()
    assert compared.sum() > 0.5 * expected.mask.sum()
    off = (found.logits - expected.exact.logits)[compared].abs().max()
    assert off <= expected.bound
    assert expected.bound < 0.3 * expected.spread
