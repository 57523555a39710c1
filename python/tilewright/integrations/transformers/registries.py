# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention and experts under the names by which transformers looks such functions up."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.activations import ACT2FN
from transformers.integrations.moe import ExpertsInterface

from tilewright.kernels.arrays import require
from tilewright.kernels.attention import attention as attention_kernel
from tilewright.kernels.grouped_gemm import grouped_gemm
from tilewright.kernels.moe_combine import moe_combine
from tilewright.kernels.moe_permute import moe_permute
from tilewright.kernels.swiglu import swiglu

from .requests import causal_mask, check_attention, check_inference, padding_of

NAME = "tilewright"


def register() -> None:
    """Makes `attn_implementation="tilewright"` and `experts_implementation="tilewright"` known.

    May be called again; nothing changes for models that ask for other names.
    """
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, causal_mask)
    ExpertsInterface.register(NAME, experts)


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention of transformers' AttentionInterface: out [batch, s_q, heads, d_v].

    `query` is [batch, heads, s_q, d], `key` [batch, kv_heads, s_kv, d], `value`
    [batch, kv_heads, s_kv, d_v]; the last query sees every key. `attention_mask` is what
    `causal_mask` gives: padding at the left, whose rows of out are 0. Raises ValueError for
    what is not supported.
    """
    check_inference("attention", query, key, value)
    check_attention(dropout, options)
    causal = is_causal if is_causal is not None else getattr(module, "is_causal", True)
    require(causal, "tilewright's attention is causal: use another attn_implementation")
    padding = padding_of(attention_mask, len(query))
    return attend_padded(query, key, value, padding, scaling), None


def attend_padded(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    padding: list[int],
    scaling: float | None,
) -> torch.Tensor:
    """Causal attention with `padding` columns at the left of each request's keys.

    Shapes are those of `attention`. Requests padded alike share a launch.
    """
    batch, heads, s_q, _ = query.shape
    keys = key.shape[2]
    out = query.new_empty((batch, s_q, heads, value.shape[3]))
    first = 0
    while first < batch:
        pad, end = padding[first], first + 1
        while end < batch and padding[end] == pad:
            end += 1
        some = slice(first, end)
        before = max(0, pad - (keys - s_q))  # padding among the queries
        attention_kernel(
            query[some, :, before:],
            key[some, :, pad:],
            value[some, :, pad:],
            causal=True,
            scale=scaling,
            out=out[some, before:].transpose(1, 2),
        )
        out[some, :before] = 0
        first = end
    return out


def experts(
    module: torch.nn.Module,
    hidden_states: torch.Tensor,
    top_k_index: torch.Tensor,
    top_k_weights: torch.Tensor,
) -> torch.Tensor:
    """The routed experts of transformers' ExpertsInterface: [tokens, hidden].

    `module` has `gate_up_proj` [experts, 2 inner, hidden], the gate's half first, and
    `down_proj` [experts, hidden, inner]; an index past the last expert adds nothing. Raises
    ValueError for experts of another form.
    """
    check_inference("experts", hidden_states, module.gate_up_proj, module.down_proj)
    check_experts(module)
    permuted = moe_permute(top_k_index.to(torch.int32), hidden_states, len(module.gate_up_proj))
    hidden = grouped_gemm(permuted.rows, module.gate_up_proj, permuted.offsets)
    rows = grouped_gemm(swiglu(hidden), module.down_proj, permuted.offsets)
    return moe_combine(rows, top_k_weights.float(), permuted.positions)


def check_experts(module: torch.nn.Module) -> None:
    """Raises ValueError where experts are not gated by SiLU, or their weights lie otherwise."""
    plain = module.has_gate and not module.has_bias
    plain &= module.is_concatenated and not module.is_transposed
    silu = isinstance(module.act_fn, (torch.nn.SiLU, type(ACT2FN["silu"])))
    own_gate = type(module)._apply_gate.__module__ != ExpertsInterface.__module__
    require(
        plain and silu and not own_gate,
        f"tilewright's experts are SwiGLU without biases, [gate; up] in rows, and "
        f"{type(module).__name__} is not: use another experts_implementation",
    )
