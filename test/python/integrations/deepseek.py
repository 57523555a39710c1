"""Small DeepSeek models of transformers, and how far logits of two evaluations may differ.

**The bound.** A logit is a smooth function of the rounding errors made on the way to it, of
which there are tens of thousands, each small and none depending on another: to first order
its error is a weighted sum of them, which is normal with a standard deviation s. The reference
tells s, as the root mean square of its distance from the same model in float64 over all logits
of all tokens. (That model still computes norms, rotations, softmax and router in f32, as its
code says; the roundings there are part of s.) An evaluation of ours makes as many roundings,
and sums in f32 as well, but in another order and, absorbed, over 512 latents where the
reference sums over 128 columns: sqrt(512 / 128) = 2 times the deviation in the worst case, if
these were all there is. So a logit of ours is within

    12 s = 6 standard deviations, twice as large,

of float64's, but with a chance of 2e-9 for each. Two logits that are more than 24 s apart are
then in the same order in both. The same holds for the logits of the router. Choices follow
from ranks: the logits themselves in V2, in V3 sums of up to two sigmoids, whose slope is at
most 1/4, so that ranks err by at most half as much.

In bf16 the products of tensors are rounded to 8 bits, and s is that much larger; all else is
the same.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers is imported: nothing is fetched

import torch
from transformers import (
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
    PreTrainedModel,
)

from tilewright.integrations.transformers import absorb_mla, register

FAMILIES = ("v2", "v3")
ROUTES = ("registries", "absorbed")
DEVIATIONS = 12
PROMPT, STEPS = 70, 64

YARN = {
    "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "mscale": 1.0,
    "mscale_all_dim": 1.0, "beta_fast": 32, "beta_slow": 1,
    "original_max_position_embeddings": 4096,
}  # fmt: skip
#: Real heads (192 and 128 columns, latents of 512 + 64) and experts, few and narrow layers.
SIZES = {
    "vocab_size": 512, "hidden_size": 256, "intermediate_size": 384,
    "moe_intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 16,
    "num_key_value_heads": 16, "n_routed_experts": 64, "rope_parameters": YARN,
    "max_position_embeddings": 163840, "initializer_range": 0.06,
}  # fmt: skip
#: As in DeepSeek-V2 and V3, but for V2's heads, whose query has a projection of rank 1536.
GATE_V2 = {
    "topk_method": "group_limited_greedy", "n_group": 8, "topk_group": 3,
    "num_experts_per_tok": 6, "routed_scaling_factor": 16.0, "q_lora_rank": None,
}  # fmt: skip
GATE_V3 = {
    "n_group": 8, "topk_group": 4, "num_experts_per_tok": 8, "routed_scaling_factor": 2.5,
    "q_lora_rank": 192, "first_k_dense_replace": 1,
}  # fmt: skip


def build(
    family: str,
    dtype: torch.dtype = torch.float32,
    *,
    attention: str = "sdpa",
    experts: str = "eager",
    **changes: object,
) -> PreTrainedModel:
    """A model with weights that depend on the family and the changed sizes alone."""
    register()
    cls, config = {
        "v2": (DeepseekV2ForCausalLM, DeepseekV2Config),
        "v3": (DeepseekV3ForCausalLM, DeepseekV3Config),
    }[family]
    gate = GATE_V2 if family == "v2" else GATE_V3
    torch.manual_seed(7)
    model = cls._from_config(
        config(**{**SIZES, **gate, **changes}),
        attn_implementation=attention,
        experts_implementation=experts,
    )
    for router in routers(model):
        if family == "v3":
            router.e_score_correction_bias.normal_(std=0.02)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.to(dtype).eval()


def ours(
    family: str, route: str, dtype: torch.dtype = torch.float32, **changes: object
) -> PreTrainedModel:
    """The same model by one of the two routes."""
    attention = "tilewright" if route == "registries" else "sdpa"
    model = build(family, dtype, attention=attention, experts="tilewright", **changes)
    return absorb_mla(model) if route == "absorbed" else model


def routers(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The gates of the model's experts, layer by layer."""
    return [m for m in model.modules() if type(m).__name__.endswith("TopkRouter")]


class Observed(NamedTuple):
    """Logits [batch, tokens, vocabulary], and of each router [layers, batch, tokens, experts]
    its logits and [.., top_k] the experts chosen, in ascending order."""

    logits: torch.Tensor
    router: torch.Tensor
    chosen: torch.Tensor


def observe(model: PreTrainedModel, run: Callable[[], torch.Tensor], batch: int) -> Observed:
    """What `run`, calling the model any number of times, computes."""
    seen: dict[torch.nn.Module, list] = {router: [] for router in routers(model)}
    hooks = [
        router.register_forward_hook(lambda m, _, out: seen[m].append((out[0], out[2])))
        for router in seen
    ]
    with torch.no_grad():
        logits = run().double()
    for hook in hooks:
        hook.remove()

    def joined(part: int) -> torch.Tensor:
        calls = [[call[part].unflatten(0, (batch, -1)) for call in s] for s in seen.values()]
        return torch.stack([torch.cat(layer, 1) for layer in calls])

    return Observed(logits, joined(0).double(), joined(1).sort(-1).values)


def one_by_one(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> Observed:
    """Each request by itself, without its padding, whose place in the result holds zeros."""
    found = []
    for row, kept in zip(ids, mask.bool(), strict=True):
        request = row[kept][None]
        alone = observe(model, lambda request=request: model(request).logits, 1)
        pad = int((~kept).sum())
        widened = (torch.nn.functional.pad(part, (0, 0, pad, 0)) for part in alone)
        found.append(Observed(*widened))
    return Observed(*(torch.cat(part, -3) for part in zip(*found, strict=True)))


def positions_of(mask: torch.Tensor) -> torch.Tensor:
    """The position of each token, where padding has none."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def margin(model: PreTrainedModel, logits: torch.Tensor) -> torch.Tensor:
    """How far apart, for each token, what its router chose is from what it did not.

    Experts of groups that are left out do not count: the margin of groups does.
    """
    config = model.config
    if config.model_type == "deepseek_v2":
        rank, members = logits, 1
    else:
        biases = torch.stack([r.e_score_correction_bias.double() for r in routers(model)])
        rank, members = logits.sigmoid() + biases[:, None, None], 2
    groups = rank.unflatten(-1, (config.n_group, -1))
    best = groups.topk(members, -1).values.sum(-1)
    ordered = best.sort(-1, descending=True).values
    kept = ordered[..., config.topk_group - 1, None]
    rank = groups.masked_fill((best < kept)[..., None], -torch.inf).flatten(-2)
    rank = rank.sort(-1, descending=True).values
    k = config.num_experts_per_tok
    return torch.minimum(
        ordered[..., config.topk_group - 1] - ordered[..., config.topk_group],
        rank[..., k - 1] - rank[..., k],
    )


@dataclasses.dataclass(frozen=True)
class Reference:
    """What a model must compute: `ids` [batch, tokens] with the greedy tokens at their end.

    `exact` is float64's, `bound` what a logit may be off, `spread` the standard deviation of
    logits, and `decisive` [layers, batch, tokens] says where the router's choice is one that
    rounding cannot change. Tokens of padding hold anything, and are decisive.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    exact: Observed
    bound: float
    spread: float
    decisive: torch.Tensor


def prompt() -> tuple[torch.Tensor, torch.Tensor]:
    """Two prompts, the first with padding at its left."""
    generator = torch.Generator().manual_seed(11)
    ids = torch.randint(0, SIZES["vocab_size"], (2, PROMPT), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, :9] = 0
    return ids, mask


@functools.cache
def reference(family: str, dtype: torch.dtype = torch.float32, **changes: object) -> Reference:
    """The reference of a family, by transformers' own attention and experts."""
    model = build(family, dtype, **changes)
    ids, mask = prompt()
    if dtype == torch.float32:
        with torch.no_grad():
            ids = model.generate(
                ids, attention_mask=mask, max_new_tokens=STEPS, do_sample=False
            )
        mask = torch.cat([mask, mask.new_ones(len(mask), STEPS)], 1)
    rounded = one_by_one(model, ids, mask)
    wide = model.double()
    wide.set_attn_implementation("eager")
    exact = one_by_one(wide, ids, mask)
    real = mask.bool()
    agree = real & (rounded.chosen == exact.chosen).all(-1).all(0)

    def bound_of(a: torch.Tensor, b: torch.Tensor) -> float:
        return DEVIATIONS * float((a - b).square().mean().sqrt())

    router_bound = bound_of(rounded.router[:, agree], exact.router[:, agree])
    return Reference(
        ids,
        mask,
        exact,
        bound=bound_of(rounded.logits[agree], exact.logits[agree]),
        spread=float(exact.logits[real].std()),
        decisive=(margin(wide, exact.router) > 2 * router_bound) | ~real,
    )


def check_greedy(model: PreTrainedModel, expected: Reference, steps: int = STEPS) -> int:
    """Decodes greedily and compares; returns how many tokens had to be the reference's.

    Raises AssertionError where a logit is past the bound, or a token is not the reference's
    though its margin and those of every router before it exceed what rounding can do.
    """
    ids, mask = expected.ids[:, :PROMPT], expected.mask[:, :PROMPT]
    with torch.no_grad():
        found = model.generate(
            ids, attention_mask=mask, max_new_tokens=steps, do_sample=False,
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip
    logits = torch.stack(found.logits, 1).double()
    checked = 0
    for b in range(len(ids)):
        for step in range(steps):
            at = PROMPT + step
            if not expected.decisive[:, b, :at].all():
                break
            exact = expected.exact.logits[b, at - 1]
            off = float((logits[b, step] - exact).abs().max())
            assert off <= expected.bound, f"request {b}, token {step}: {off} > {expected.bound}"
            first, second = exact.topk(2).values
            if first - second <= 2 * expected.bound:
                break
            assert found.sequences[b, at] == expected.ids[b, at], f"request {b}, token {step}"
            checked += 1
    return checked
