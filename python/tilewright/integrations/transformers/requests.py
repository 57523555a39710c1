# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a model may ask of the kernels, and what is refused."""

from __future__ import annotations

from typing import Any

import torch

from tilewright.kernels.arrays import require

#: Keyword arguments of attention that would change its result, by transformers' names.
UNSUPPORTED = ("sliding_window", "softcap", "s_aux", "position_bias", "output_attentions")


def check_inference(what: str, *tensors: torch.Tensor) -> None:
    """Raises ValueError where the tensors are not on the CPU, or a gradient is asked for."""
    for tensor in tensors:
        require(
            tensor.device.type == "cpu",
            f"tilewright's {what} runs on the CPU and was given a tensor on {tensor.device}: "
            "move the model",
        )
        require(
            not (torch.is_grad_enabled() and tensor.requires_grad),
            f"tilewright's {what} has no backward pass: call the model under torch.no_grad()",
        )


def check_attention(dropout: float, options: dict[str, Any]) -> None:
    """Raises ValueError where attention is asked for what the kernels do not compute."""
    require(not dropout, f"tilewright's attention has no dropout and was asked for {dropout}")
    for name in UNSUPPORTED:
        require(
            options.get(name) is None or options[name] is False,
            f"tilewright's attention takes no {name}: use another attn_implementation",
        )


def padding_of(mask: torch.Tensor | None, batch: int) -> list[int]:
    """How many columns at the left of each request are padding.

    `mask` [batch, keys] is what `causal_mask` gives. Raises ValueError for any other.
    """
    if mask is None:
        return [0] * batch
    require(
        mask.ndim == 2 and mask.dtype == torch.bool,
        f"tilewright's attention takes no mask of shape {tuple(mask.shape)} and {mask.dtype}: "
        "give the model attention_mask [batch, keys], or none",
    )
    return (~mask).sum(1).tolist()


def causal_mask(
    q_length: int,
    kv_length: int,
    q_offset: Any = 0,
    kv_offset: int = 0,
    mask_function: Any = None,
    attention_mask: torch.Tensor | None = None,
    **_: Any,
) -> torch.Tensor | None:
    """The mask that `attention` is called with: transformers' AttentionMaskInterface.

    None for the plain causal mask, and where requests are padded at the left, bool
    [batch, kv_length]. Raises ValueError where keys are hidden otherwise.
    """
    from transformers.masking_utils import causal_mask_function

    require(
        mask_function is causal_mask_function,
        "tilewright's attention takes the plain causal mask: use another attn_implementation "
        "for sliding windows, packed sequences or attention in both directions",
    )
    require(
        kv_offset == 0 and kv_length == q_offset + q_length,
        f"tilewright's attention takes keys up to its last query, not {kv_length} keys for "
        f"queries {int(q_offset)} to {int(q_offset) + q_length - 1}: use the default cache",
    )
    if attention_mask is None:
        return None
    mask = attention_mask[:, :kv_length].bool()
    if mask.all():
        return None
    require(
        mask.shape[1] == kv_length and bool((mask[:, 1:] >= mask[:, :-1]).all()),
        "tilewright's attention takes padding at the left alone: set the tokenizer's "
        'padding_side to "left"',
    )
    return mask
