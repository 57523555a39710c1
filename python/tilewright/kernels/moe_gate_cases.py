# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of moe_gate: ties, negative biases, hostile logits, and V3's gate with peers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.moe_gate import (
    moe_gate,
    moe_gate_hash,
    reference,
    reference_hash,
    score_and_rank,
)
from tilewright.testing import U32, Case, Expected, Peer, Spec, Tensors
from tilewright.testing.peers import torch_peer

BOUND = "(16 + n) u |weight|, n = experts (softmax) or top_k (others); ids exact"
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


V4 = Problem(
    "v4",
    tokens=0,
    experts=256,
    top_k=6,
    biased=True,
    options=(("score", "sqrtsoftplus"), ("renormalize", True), ("route_scale", 1.5)),
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


def far_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Logits on both sides of where softplus is its argument, and where it vanishes."""
    steps = np.linspace(-200, 60, problem.experts)
    logits = np.stack([rng.permutation(steps) for _ in range(problem.tokens)])
    bias = np.zeros(problem.experts, np.float32)
    return {"logits": logits.astype(np.float32), "bias": bias}


def outputs(problem: Problem, inputs: Tensors) -> dict[str, Spec]:
    shape = (len(inputs["logits"]), problem.top_k)
    return {
        "weights": Spec(shape, np.dtype(np.float32)),
        "ids": Spec(shape, np.dtype(np.int32)),
    }


def expect(problem: Problem, inputs: Tensors) -> dict[str, Expected]:
    weights, ids = reference(**inputs, top_k=problem.top_k, **dict(problem.options))
    # Probabilities below the smallest normal f32 may be flushed, and what a root is taken of.
    tiny = float(np.finfo(np.float32).tiny)
    bound = problem.error * weights
    bound += 2 * tiny**0.5 if problem.score == "sqrtsoftplus" else tiny
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


def _v4_peers() -> tuple[Peer, ...]:
    """V4's gate as the model's own code has it, and compiled."""

    def gate(logits: Any, bias: Any) -> Any:
        import torch

        scores = torch.nn.functional.softplus(logits).sqrt()
        ids = (scores + bias).topk(6, dim=-1)[1]
        weights = scores.gather(1, ids)
        return weights / weights.sum(dim=-1, keepdim=True) * 1.5, ids

    def as_in_the_model(logits: Any, bias: Any) -> Callable[[], Any]:
        return lambda: gate(logits, bias)

    def compiled(logits: Any, bias: Any) -> Callable[[], Any]:
        import torch

        function = torch.compile(gate)
        function(logits, bias)
        return lambda: function(logits, bias)

    return (
        torch_peer("as in the model", as_in_the_model),
        torch_peer("torch.compile", compiled),
    )


def hash_case(name: str, tokens: int, experts: int, top_k: int, score: str) -> Case:
    """A gate whose tokens choose themselves; some of the table's entries name no expert."""
    vocabulary = 50
    options = {"score": score, "renormalize": score == "sqrtsoftplus", "route_scale": 1.5}

    def make_inputs(rng: np.random.Generator) -> Tensors:
        table = rng.random((vocabulary, experts)).argsort(1)[:, :top_k].astype(np.int32)
        table[::4, 0], table[1::4, -1] = -1, experts
        return {
            "logits": 8 * rng.standard_normal((tokens, experts), np.float32),
            "token": rng.integers(0, vocabulary, tokens, np.int32),
            "table": table,
        }

    def expect_hash(inputs: Tensors) -> dict[str, Expected]:
        weights, ids = reference_hash(**inputs, **options)
        bound = (16 + top_k) * U32 * weights + 2 * float(np.finfo(np.float32).tiny) ** 0.5
        return {"weights": Expected(weights, bound), "ids": Expected(ids)}

    def run_hash(target: str, inputs: Tensors, results: Tensors) -> None:
        moe_gate_hash(**inputs, **results, **options, target=target)

    chosen = tokens * top_k
    return Case(
        kernel="moe_gate",
        name=name,
        dtype="f32",
        make_inputs=make_inputs,
        outputs=lambda inputs: {
            "weights": Spec((tokens, top_k), np.dtype(np.float32)),
            "ids": Spec((tokens, top_k), np.dtype(np.int32)),
        },
        expect=expect_hash,
        run=run_hash,
        bound=BOUND,
        flops=2 * chosen,
        bytes=4 * (4 * chosen + tokens),
        macs=chosen,
    )


def verify_cases() -> list[Case]:
    """All gates on odd token counts, ties and extremes."""
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
        make_case(vary(V4, name="v4", tokens=19)),
        make_case(vary(V4, name="v4_pro_experts", tokens=3, experts=384)),
        make_case(vary(V4, name="v4_ties", tokens=5), tied_inputs),
        make_case(vary(V4, name="v4_far_apart", tokens=9), far_inputs),
        hash_case("v4_hash", 37, 256, 6, "sqrtsoftplus"),
        hash_case("hash_sigmoid", 5, 10, 3, "sigmoid"),
        hash_case("hash_no_tokens", 0, 10, 3, "sqrtsoftplus"),
    ]


def bench_cases() -> list[Case]:
    """The gates of DeepSeek-V3 and V4 on 4096 tokens."""
    vary = dataclasses.replace
    return [
        make_case(vary(V3, name="v3_t4096", tokens=4096), peers=_v3_peers()),
        make_case(vary(V4, name="v4_t4096", tokens=4096), peers=_v4_peers()),
    ]
