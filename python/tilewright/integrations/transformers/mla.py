# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DeepSeek's attention with absorbed decoding (DeepSeek-V2, arXiv 2405.04434, section 2.1).

transformers caches latents, and for each new token makes the keys and values of all tokens
before it from them: W_kv c[j], for every j and head. But

    q . (W_uk c[j]) = (W_uk^T q) . c[j]      sum_j p_j W_uv c[j] = W_uv sum_j p_j c[j]

so decoding takes W_uk to the query and W_uv to the output, and attends the latents as they
are: one row that all heads share, in place of a key and a value for each.

A first or long piece of a prompt makes keys and values, which then costs less: per key and
head, a query costs 576 + 512 multiplications on latents and 192 + 128 on keys and values,
which cost 512 * 256 to make.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from transformers import Cache, PreTrainedModel

from tilewright.kernels.arrays import require
from tilewright.kernels.gemm_batched import gemm_batched
from tilewright.kernels.mla_decode import mla_decode

from .paged import PagedLatentLayer, paged_layer
from .registries import NAME, attend_padded, register
from .requests import check_attention, check_inference, padding_of

#: The most new tokens that attend latents; each number of them has a kernel of its own.
FEW_TOKENS = 4

SUPPORTED = ("DeepseekV2Attention", "DeepseekV3Attention")
KEPT = (
    "q_proj", "q_a_proj", "q_a_layernorm", "q_b_proj", "kv_a_proj_with_mqa", "kv_a_layernorm",
    "kv_b_proj", "o_proj",
)  # fmt: skip
SIZES = (
    "layer_idx", "num_heads", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim",
    "qk_rope_head_dim", "qk_head_dim", "v_head_dim", "scaling", "attention_dropout",
)  # fmt: skip


def absorb_mla(model: PreTrainedModel, page: int = 64) -> PreTrainedModel:
    """Replaces the attention of a DeepSeek-V2 or V3 model, in place, and returns it.

    Parameters keep their names and memory. `model.generate` then keeps its cache in pages of
    `page` rows. Raises ValueError for a model without such attention, or whose `kv_b_proj` is
    no plain linear layer.
    """
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child).__name__ in SUPPORTED
    ]
    require(
        bool(found),
        f"{type(model).__name__} has no attention of DeepSeek-V2 or V3 to replace "
        f"({' or '.join(SUPPORTED)})",
    )
    replacements = [AbsorbedAttention(child, page) for _, _, child in found]
    register()
    model.set_attn_implementation(NAME)
    for (parent, name, _), replacement in zip(found, replacements, strict=True):
        setattr(parent, name, replacement)
    return model


class AbsorbedAttention(torch.nn.Module):
    """Stands for a DeepseekV2Attention or DeepseekV3Attention, with its parameters."""

    def __init__(self, original: torch.nn.Module, page: int) -> None:
        super().__init__()
        require(
            type(original.kv_b_proj) is torch.nn.Linear and original.kv_b_proj.bias is None,
            f"kv_b_proj is a {type(original.kv_b_proj).__name__} and must be a torch.nn.Linear "
            "without bias, whose weight can be taken apart",
        )
        for name in KEPT:
            setattr(self, name, getattr(original, name))
        for name in SIZES:
            setattr(self, name, getattr(original, name))
        self.config, self.page = original.config, page
        self.train(original.training)
        self._rotate = _rotation(original)

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: Any,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, None]:
        """Attention of the new tokens [batch, s, hidden] to them and all before them."""
        check_inference("attention", hidden_states, self.kv_b_proj.weight)
        check_attention(self.attention_dropout if self.training else 0.0, options)
        batch, s, _ = hidden_states.shape
        nope, rope = self.qk_nope_head_dim, self.qk_rope_head_dim
        if self.q_lora_rank is None:
            q = self.q_proj(hidden_states)
        else:
            q = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(hidden_states)))
        q = q.view(batch, s, self.num_heads, self.qk_head_dim)
        latent, k_rope = self.kv_a_proj_with_mqa(hidden_states).split(
            [self.kv_lora_rank, rope], -1
        )
        q_rope, k_rope = self._rotate(
            q[..., nope:].transpose(1, 2), k_rope[:, None], position_embeddings
        )
        q_rope = q_rope.transpose(1, 2)
        rows = torch.cat([self.kv_a_layernorm(latent), k_rope[:, 0]], -1)

        padding = padding_of(attention_mask, batch)
        layer, before = None, 0
        if past_key_values is not None:
            layer = paged_layer(past_key_values, self.layer_idx, self.page)
            before = layer.columns
            layer.append(rows, [max(0, pad - before) for pad in padding])
        if before and s <= FEW_TOKENS:
            out = self._attend_latents(q[..., :nope], q_rope, layer)
        else:
            q[..., nope:] = q_rope
            if before:
                rows = layer.gather()
            out = self._attend_keys(q, rows, padding)
        return self.o_proj(out), None

    def _attend_latents(
        self, q_nope: torch.Tensor, q_rope: torch.Tensor, layer: PagedLatentLayer
    ) -> torch.Tensor:
        """Attention on the cached rows: [batch, s, heads * d_v]."""
        batch, s, heads, nope = q_nope.shape
        latent, tokens = self.kv_lora_rank, batch * s
        up = self.kv_b_proj.weight.view(heads, nope + self.v_head_dim, latent)
        q = q_nope.new_empty((batch, s, heads, latent + self.qk_rope_head_dim))
        q[..., latent:] = q_rope

        def by_heads(array: torch.Tensor) -> torch.Tensor:
            return array.view(tokens, heads, -1).transpose(0, 1)

        gemm_batched(
            q_nope.view(tokens, heads, nope).transpose(0, 1),
            up[:, :nope],
            out=q.view(tokens, heads, -1)[..., :latent].transpose(0, 1),
        )
        found, _ = mla_decode(
            q, layer.pool, layer.lengths, layer.table, d_v=latent, scale=self.scaling
        )
        out = q.new_empty((batch, s, heads * self.v_head_dim))
        gemm_batched(by_heads(found), up[:, nope:], transpose_b=True, out=by_heads(out))
        return out

    def _attend_keys(
        self, q: torch.Tensor, rows: torch.Tensor, padding: list[int]
    ) -> torch.Tensor:
        """Attention on keys and values made from `rows` [batch, keys, latent + rope]."""
        batch, s, heads, _ = q.shape
        nope, latent = self.qk_nope_head_dim, self.kv_lora_rank
        up = self.kv_b_proj(rows[..., :latent])
        up = up.view(batch, rows.shape[1], heads, nope + self.v_head_dim)
        k = q.new_empty((batch, rows.shape[1], heads, self.qk_head_dim))
        k[..., :nope] = up[..., :nope]
        k[..., nope:] = rows[:, :, None, latent:]
        out = attend_padded(
            q.transpose(1, 2),
            k.transpose(1, 2),
            up[..., nope:].transpose(1, 2),
            padding,
            self.scaling,
        )
        return out.view(batch, s, heads * self.v_head_dim)


def _rotation(original: torch.nn.Module) -> Any:
    """(q, k, position_embeddings) -> both turned, as the original's own module turns them.

    Pairs may stand side by side or half a head apart, before and after: q and the cached k
    agree, whatever it is.
    """
    home = sys.modules[type(original).__module__]
    if type(original).__name__ == "DeepseekV2Attention":
        return home.apply_rotary_emb
    turn = (
        home.apply_rotary_pos_emb_interleave
        if original.config.rope_interleave
        else home.apply_rotary_pos_emb
    )
    return lambda q, k, tables: turn(q, k, *tables)
