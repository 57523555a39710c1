# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of moe_gate: ties, negative biases, hostile logits, and V3's gate with peers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.moe_gate import moe_gate, reference, score_and_rank
from tilewright.testing import U32, Case, Expected, Peer, Spec, Tensors
from tilewright.testing.peers import torch_peer

BOUND = "(16 + n) u |weight|, n = experts (softmax) or top_k (sigmoid); ids exact"
MARGIN = 1e-5  # by which ranks that are not equal must differ


@dataclasses.dataclass(frozen=True)
class Problem:
    """One gate. `options` are moe_gate's own, less the bias, which is drawn if `biased`."""

    name: str
    tokens: int
    experts: int
    top_k: int
    biased: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def score(self) -> str:
        return dict(self.options).get("score", "softmax")

    @property
    def error(self) -> float:
        """The relative error allowed for a weight."""
        return (16 + (self.experts if self.score == "softmax" else self.top_k)) * U32


V2_LITE = Problem("v2lite", tokens=0, experts=64, top_k=6)
V3 = Problem(
    "v3",
    tokens=0,
    experts=256,
    top_k=8,
    biased=True,
    options=(
        ("score", "sigmoid"),
        ("groups", 8),
        ("keep_groups", 4),
        ("renormalize", True),
        ("route_scale", 2.5),
    ),
)


def random_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Normal logits; tokens whose ranks are closer than MARGIN are drawn again."""
    inputs = {"logits": np.empty((problem.tokens, problem.experts), np.float32)}
    if problem.biased:
        inputs["bias"] = rng.uniform(-0.5, 0.1, problem.experts).astype(np.float32)
    open_rows = np.arange(problem.tokens)
    while len(open_rows):
        drawn = rng.standard_normal((len(open_rows), problem.experts), np.float32)
        inputs["logits"][open_rows] = drawn
        open_rows = open_rows[~decided(problem, drawn, inputs.get("bias"))]
    return inputs


def decided(
    problem: Problem, logits: np.ndarray, bias: np.ndarray | None, margin: float = MARGIN
) -> np.ndarray:
    """For each token, whether every rank that matters differs by `margin` from the next."""
    options = dict(problem.options)
    _, rank = score_and_rank(logits.astype(np.float64), problem.score, bias)
    clear = np.ones(len(logits), bool)
    groups = options.get("groups", 1)
    if groups > 1:
        members = np.sort(rank.reshape(len(rank), groups, -1), -1)
        best = members[..., -options.get("group_top", 2) :].sum(-1)
        order = np.sort(best, -1)[:, ::-1]
        keep = options["keep_groups"]
        clear &= order[:, keep - 1] - order[:, keep] > margin
        kept = best >= order[:, keep - 1 : keep]
        rank = np.where(np.repeat(kept, rank.shape[1] // groups, 1), rank, -np.inf)
    top = np.sort(rank, -1)[:, ::-1][:, : problem.top_k + 1]
    return clear & (top[:, :-1] - top[:, 1:] > margin).all(1)


def tied_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Logits of three values only, one bias for all: most choices are ties."""
    logits = rng.integers(-1, 2, (problem.tokens, problem.experts)).astype(np.float32)
    logits[0] = 0.25  # every expert alike
    inputs = {"logits": logits}
    if problem.biased:
        inputs["bias"] = np.full(problem.experts, -0.75, np.float32)
    return inputs


def extreme_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Logits far apart, some -inf: probabilities underflow, their order does not."""
    steps = np.arange(problem.experts) - problem.experts // 2
    logits = np.stack([rng.permutation(steps) * 20.0 for _ in range(problem.tokens)])
    logits[:, 3] = -np.inf
    return {"logits": logits.astype(np.float32)}


def outputs(problem: Problem, inputs: Tensors) -> dict[str, Spec]:
    shape = (len(inputs["logits"]), problem.top_k)
    return {
        "weights": Spec(shape, np.dtype(np.float32)),
        "ids": Spec(shape, np.dtype(np.int32)),
    }


def expect(problem: Problem, inputs: Tensors) -> dict[str, Expected]:
    weights, ids = reference(**inputs, top_k=problem.top_k, **dict(problem.options))
    # Probabilities below the smallest normal f32 may be flushed.
    bound = problem.error * weights + np.finfo(np.float32).tiny
    return {"weights": Expected(weights, bound), "ids": Expected(ids)}


def run(problem: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    moe_gate(**inputs, **results, top_k=problem.top_k, **dict(problem.options), target=target)


def make_case(
    problem: Problem,
    draw: Callable[[Problem, np.random.Generator], Tensors] = random_inputs,
    *,
    peers: tuple[Peer, ...] = (),
) -> Case:
    """The record of one gate; its cost is a score and a comparison for each logit."""
    p = problem
    logits = p.tokens * p.experts
    return Case(
        kernel="moe_gate",
        name=p.name,
        dtype="f32",
        make_inputs=functools.partial(draw, p),
        outputs=functools.partial(outputs, p),
        expect=functools.partial(expect, p),
        run=functools.partial(run, p),
        bound=BOUND,
        flops=2 * logits,
        bytes=4 * (logits + 2 * p.tokens * p.top_k + p.experts * p.biased),
        macs=logits,
        peers=peers,
    )


def _v3_peers() -> tuple[Peer, ...]:
    """V3's gate as the model's own code has it, and with its masks made otherwise."""

    def as_in_the_model(logits: Any, bias: Any) -> Callable[[], Any]:
        import torch

        def call() -> Any:
            scores = logits.sigmoid()
            rank = scores + bias
            grouped = rank.view(len(rank), 8, -1)
            best = grouped.topk(2, dim=-1)[0].sum(dim=-1)
            kept = best.topk(4, dim=-1)[1]
            mask = torch.ones_like(best, dtype=torch.bool).scatter_(1, kept, False)
            rank = grouped.masked_fill(mask.unsqueeze(-1), float("-inf")).flatten(1)
            ids = rank.topk(8, dim=-1)[1]
            weights = scores.gather(1, ids)
            return weights / weights.sum(dim=-1, keepdim=True) * 2.5, ids

        return call

    def by_amax(logits: Any, bias: Any) -> Callable[[], Any]:

        def call() -> Any:
            scores = logits.sigmoid()
            grouped = (scores + bias).view(len(logits), 8, -1)
            first, at = grouped.max(-1, keepdim=True)
            second = grouped.scatter(-1, at, float("-inf")).amax(-1)
            kept = (first[..., 0] + second).topk(4, dim=-1, sorted=False)[1]
            some = grouped.gather(1, kept[..., None].expand(-1, -1, grouped.shape[2]))
            value, place = some.flatten(1).topk(8, dim=-1)
            members = grouped.shape[2]
            ids = kept.gather(1, place // members) * members + place % members
            weights = scores.gather(1, ids)
            return weights / weights.sum(dim=-1, keepdim=True) * 2.5, ids

        return call

    return (
        torch_peer("as in the model", as_in_the_model),
        torch_peer("maxima for groups, top-k over the kept ones", by_amax),
    )


def verify_cases() -> list[Case]:
    """Both gates on odd token counts, ties and extremes."""
    vary = dataclasses.replace
    grouped_softmax = (("groups", 4), ("keep_groups", 2), ("group_top", 1))
    return [
        make_case(vary(V2_LITE, name="v2lite", tokens=37)),
        make_case(vary(V2_LITE, name="v2lite_one_token", tokens=1)),
        make_case(vary(V2_LITE, name="v2lite_ties", tokens=19), tied_inputs),
        make_case(vary(V2_LITE, name="v2lite_extremes", tokens=5), extreme_inputs),
        make_case(vary(V2_LITE, name="no_tokens", tokens=0)),
        make_case(Problem("v2_grouped_max", 21, 160, 6, options=grouped_softmax)),
        make_case(Problem("odd_experts", 18, 72, 7, biased=True)),
        make_case(Problem("every_expert", 6, 8, 8, options=(("renormalize", True),))),
        make_case(vary(V3, name="v3_negative_bias", tokens=33)),
        make_case(vary(V3, name="v3_ties", tokens=12), tied_inputs),
    ]


def bench_cases() -> list[Case]:
    """DeepSeek-V3's gate on 4096 tokens."""
    return [make_case(dataclasses.replace(V3, name="v3_t4096", tokens=4096), peers=_v3_peers())]
