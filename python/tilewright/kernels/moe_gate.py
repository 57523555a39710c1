# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Routing of a mixture of experts: the top-k experts of each token and their weights.

Two gates. "softmax" is DeepSeek-V2's (arXiv 2405.04434), "sigmoid" that of DeepSeek-V3
(arXiv 2412.19437, section 2.1.2) with its auxiliary-loss-free bias. With x the logits:

    softmax:  s = softmax(x), ranked by x + bias    (the order of s, with no ties of rounding)
    sigmoid:  s = sigmoid(x), ranked by s + bias
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
computed in f32.

Bound of weights: (16 + n) u |w|, u = 2^-24, n = `experts` for softmax and `top_k` for sigmoid:
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
    else:
        scores = rank = 1.0 / (1.0 + np.exp(-x))
    return scores, rank if bias is None else rank + bias


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
                for t, e in T.Parallel(BT, experts):
                    scores[t, e] = T.sigmoid(scores[t, e])
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
    require(score in ("softmax", "sigmoid"), f"score is {score!r}: softmax or sigmoid")
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
