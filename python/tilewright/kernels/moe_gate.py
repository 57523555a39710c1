# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Routing of a mixture of experts: the top-k experts of each token and their weights.

Three gates. "softmax" is DeepSeek-V2's (arXiv 2405.04434), "sigmoid" that of DeepSeek-V3
(arXiv 2412.19437, section 2.1.2) with its auxiliary-loss-free bias, "sqrtsoftplus" that of V4.
With x the logits:

    softmax:       s = softmax(x), ranked by x + bias    (the order of s, no ties of rounding)
    sigmoid:       s = sigmoid(x), ranked by s + bias
    sqrtsoftplus:  s = sqrt(log(1 + exp(x))), sqrt(x) where x > 20, ranked by s + bias
    groups:   experts stand in `groups` equal groups; the `keep_groups` groups with the
              largest sums of their best `group_top` ranks stay, the others rank -inf
    chosen:   the `top_k` experts of highest rank, in descending order
    weight:   s of the chosen (never the bias) * route_scale, where `renormalize` after a
              division by (their sum + 1e-20)

    logits  [tokens, experts] f32
    bias    [experts] f32, optional, used for ranking only
    weights [tokens, top_k] f32
    ids     [tokens, top_k] i32

Equal ranks are taken in the order of expert numbers, equal groups likewise. Everything is
computed in f32. In V4's first layers the token itself chooses (`moe_gate_hash`), and the scores
weigh as above:

    ids[t, k] = table[token[t], k]     table [vocabulary, top_k] i32, token [tokens] i32
    an id that is no expert has weight 0 and is no part of the sum

Bound of weights: (16 + n) u |w|, u = 2^-24, n = `experts` for softmax and else `top_k`:
an exponential of 4u and its argument's rounding, a sum of n terms, quotients, a product. `ids`
are exact: ranks that are not equal must be at least 1e-5 apart for the definition to decide.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require

SCORES = ("softmax", "sigmoid", "sqrtsoftplus")


def reference(
    logits: np.ndarray,
    top_k: int,
    *,
    score: str = "softmax",
    bias: np.ndarray | None = None,
    groups: int = 1,
    keep_groups: int = 1,
    group_top: int = 2,
    renormalize: bool = False,
    route_scale: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """`weights` and `ids` of the definition in float64, one token at a time."""
    weights = np.zeros((len(logits), top_k))
    ids = np.zeros((len(logits), top_k), np.int32)
    for t, x in enumerate(logits.astype(np.float64)):
        scores, rank = score_and_rank(x, score, bias)
        if groups > 1:
            members = np.sort(rank.reshape(groups, -1))[:, ::-1]
            kept = np.argsort(-members[:, :group_top].sum(1), kind="stable")[:keep_groups]
            rank = np.where(np.isin(np.arange(len(x)) // members.shape[1], kept), rank, -np.inf)
        ids[t] = np.argsort(-rank, kind="stable")[:top_k]
        weights[t] = scores[ids[t]]
        if renormalize:
            weights[t] /= weights[t].sum() + 1e-20
    return weights * route_scale, ids


def score_and_rank(
    x: np.ndarray, score: str, bias: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The scores of logits [..., experts], which weigh, and the ranks, which choose."""
    if score == "softmax":
        scores = np.exp(x - x.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        rank = x
    elif score == "sigmoid":
        scores = rank = 1.0 / (1.0 + np.exp(-x))
    else:
        scores = rank = np.sqrt(np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20)))))
    return scores, rank if bias is None else rank + bias


def reference_hash(
    logits: np.ndarray,
    token: np.ndarray,
    table: np.ndarray,
    *,
    score: str = "sqrtsoftplus",
    renormalize: bool = True,
    route_scale: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """`weights` and `ids` of the definition in float64 where the token chooses."""
    ids = table[token]
    scores, _ = score_and_rank(logits.astype(np.float64), score, None)
    known = (ids >= 0) & (ids < logits.shape[1])
    weights = np.take_along_axis(scores, np.where(known, ids, 0), 1) * known
    if renormalize:
        weights /= weights.sum(1, keepdims=True) + 1e-20
    return weights * route_scale, ids


@T.macro
def activate(scores, score, BT, experts):
    """Scores in place of logits; softmax has a step of its own."""
    for t, e in T.Parallel(BT, experts):
        if score == "sigmoid":
            scores[t, e] = T.sigmoid(scores[t, e])
        else:
            x = scores[t, e]
            scores[t, e] = T.sqrt(T.if_then_else(x > 20, x, T.log1p(T.exp(T.min(x, 20)))))


@functools.cache
def moe_gate_kernel(
    experts: int,
    top_k: int,
    score: str,
    groups: int,
    keep_groups: int,
    group_top: int,
    renormalize: bool,
    route_scale: float,
    target: str,
) -> Any:
    """The compiled gate of one model; the number of tokens stays dynamic."""
    tokens = T.dynamic("tokens")
    members = experts // groups

    @T.prim_func
    def moe_gate(
        Logits: T.Tensor([tokens, experts], T.float32),
        Bias: T.Tensor([experts], T.float32),
        Weights: T.Tensor([tokens, top_k], T.float32),
        Ids: T.Tensor([tokens, top_k], T.int32),
    ):
        BT = T.choose("BT", [16, 8, 4])  # tokens of a block
        with T.Kernel(T.ceildiv(tokens, BT), threads=128) as bx:
            scores = T.alloc_shared([BT, experts], T.float32)
            rank = T.alloc_shared([BT, experts], T.float32)
            weights = T.alloc_fragment([BT, top_k], T.float32)
            total = T.alloc_fragment([BT], T.float32)

            T.copy(Logits[bx * BT, 0], scores)
            if score == "softmax":
                for t, e in T.Parallel(BT, experts):
                    rank[t, e] = scores[t, e] + Bias[e]
                peak = T.alloc_fragment([BT], T.float32)
                T.reduce_max(scores, peak, dim=1)
                for t, e in T.Parallel(BT, experts):
                    scores[t, e] = T.exp(scores[t, e] - peak[t])
                T.reduce_sum(scores, total, dim=1)
                for t, e in T.Parallel(BT, experts):
                    scores[t, e] = scores[t, e] / total[t]
            else:
                activate(scores, score, BT, experts)
                for t, e in T.Parallel(BT, experts):
                    rank[t, e] = scores[t, e] + Bias[e]

            if groups > 1:
                grouped = T.alloc_shared([BT, groups, members], T.float32)
                group_rank = T.alloc_fragment([BT, groups], T.float32)
                stays = T.alloc_shared([BT, groups], T.int32)
                for t, g, m in T.Parallel(BT, groups, members):
                    grouped[t, g, m] = rank[t, g * members + m]
                best, _ = T.topk(grouped, group_top, dim=2)
                T.reduce_sum(best, group_rank, dim=2)
                _, kept = T.topk(group_rank, keep_groups, dim=1)
                T.clear(stays)
                for t, k in T.Parallel(BT, keep_groups):
                    stays[t, kept[t, k]] = 1
                for t, g, m in T.Parallel(BT, groups, members):
                    rank[t, g * members + m] = T.if_then_else(
                        stays[t, g] > 0, grouped[t, g, m], -T.infinity(T.float32)
                    )

            _, ids = T.topk(rank, top_k, dim=1)
            for t, k in T.Parallel(BT, top_k):
                weights[t, k] = scores[t, ids[t, k]]
            if renormalize:
                T.reduce_sum(weights, total, dim=1)
                for t, k in T.Parallel(BT, top_k):
                    weights[t, k] = weights[t, k] / (total[t] + 1e-20) * route_scale
            else:
                for t, k in T.Parallel(BT, top_k):
                    weights[t, k] = weights[t, k] * route_scale
            T.copy(weights, Weights[bx * BT, 0])
            T.copy(ids, Ids[bx * BT, 0])

    return tilewright.compile(moe_gate, target=target)


def moe_gate(
    logits: Any,
    top_k: int,
    *,
    score: str = "softmax",
    bias: Any = None,
    groups: int = 1,
    keep_groups: int = 1,
    group_top: int = 2,
    renormalize: bool = False,
    route_scale: float = 1.0,
    weights: Any = None,
    ids: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """The chosen experts of each token and their weights: (`weights`, `ids`).

    Shapes, dtypes and options are those of the module's docstring; outputs are made where
    not given. Raises ValueError where shapes, dtypes or options do not fit together.
    """
    tokens, experts = logits.shape
    members = experts // max(groups, 1)
    require(dtype_of(logits) == "f32", f"logits are {dtype_of(logits)} and must be f32")
    require(score in SCORES, f"score is {score!r}: one of {', '.join(SCORES)}")
    require(
        groups >= 1 and members * groups == experts and 1 <= keep_groups <= groups,
        f"{experts} experts in {groups} groups of which {keep_groups} are kept: groups must "
        "be equal and at least as many as are kept",
    )
    require(
        1 <= top_k <= (members * keep_groups if groups > 1 else experts),
        f"top_k is {top_k}: there are {keep_groups} groups of {members} experts to choose from",
    )
    require(
        groups == 1 or 1 <= group_top <= members,
        f"group_top is {group_top} and must be within the {members} experts of a group",
    )
    if bias is None:
        bias = empty(logits, (experts,))
        bias[...] = 0
    if weights is None:
        weights = empty(logits, (tokens, top_k))
    if ids is None:
        ids = empty(logits, (tokens, top_k), "i32")
    kernel = moe_gate_kernel(
        experts, top_k, score, groups, keep_groups, group_top, renormalize, route_scale, target
    )
    kernel(logits, bias, weights, ids)
    return weights, ids


@functools.cache
def moe_gate_hash_kernel(
    experts: int, top_k: int, score: str, renormalize: bool, route_scale: float, target: str
) -> Any:
    """The compiled gate of tokens that choose themselves; tokens and vocabulary are dynamic."""
    tokens, vocabulary = T.dynamic("tokens"), T.dynamic("vocabulary")
    BT = 16

    @T.prim_func
    def moe_gate_hash(
        Logits: T.Tensor([tokens, experts], T.float32),
        Token: T.Tensor([tokens], T.int32),
        Table: T.Tensor([vocabulary, top_k], T.int32),
        Weights: T.Tensor([tokens, top_k], T.float32),
        Ids: T.Tensor([tokens, top_k], T.int32),
    ):
        with T.Kernel(T.ceildiv(tokens, BT), threads=128) as bx:
            weights = T.alloc_shared([BT, top_k], T.float32)
            ids = T.alloc_fragment([BT, top_k], T.int32)
            total = T.alloc_fragment([BT], T.float32)
            for t, k in T.Parallel(BT, top_k):
                ids[t, k] = Table[Token[bx * BT + t], k]
            # Only the scores of chosen experts are computed; others' logits read as 0.
            for t, k in T.Parallel(BT, top_k):
                weights[t, k] = Logits[bx * BT + t, ids[t, k]]
            activate(weights, score, BT, top_k)
            for t, k in T.Parallel(BT, top_k):
                known = ids[t, k] >= 0 and ids[t, k] < experts
                weights[t, k] = T.if_then_else(known, weights[t, k], 0.0)
            if renormalize:
                T.reduce_sum(weights, total, dim=1)
            for t, k in T.Parallel(BT, top_k):
                share = weights[t, k] / (total[t] + 1e-20) if renormalize else weights[t, k]
                Weights[bx * BT + t, k] = share * route_scale
            T.copy(ids, Ids[bx * BT, 0])

    return tilewright.compile(moe_gate_hash, target=target)


def moe_gate_hash(
    logits: Any,
    token: Any,
    table: Any,
    *,
    score: str = "sqrtsoftplus",
    renormalize: bool = True,
    route_scale: float = 1.0,
    weights: Any = None,
    ids: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """The experts that `table` [vocabulary, top_k] has for each token: (`weights`, `ids`).

    Shapes, dtypes and options are those of the module's docstring; outputs are made where not
    given. Raises ValueError where shapes, dtypes or options do not fit together.
    """
    (tokens, experts), top_k = logits.shape, table.shape[1]
    require(dtype_of(logits) == "f32", f"logits are {dtype_of(logits)} and must be f32")
    require(score in SCORES[1:], f"score is {score!r}: one of {', '.join(SCORES[1:])}")
    require(
        tuple(token.shape) == (tokens,),
        f"token is {tuple(token.shape)} and must be {(tokens,)}",
    )
    weights = empty(logits, (tokens, top_k)) if weights is None else weights
    ids = empty(logits, (tokens, top_k), "i32") if ids is None else ids
    kernel = moe_gate_hash_kernel(experts, top_k, score, renormalize, route_scale, target)
    kernel(logits, token, table, weights, ids)
    return weights, ids
