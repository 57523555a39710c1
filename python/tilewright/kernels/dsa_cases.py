# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of DeepSeek Sparse Attention, and a decoding step with peers.

What the indexer sees is small integers: its logits are exact, so that the selection is
decided, ties by position included, and all outputs are compared element by element. Tokens
that no query sees, and rows that none selects, hold NaN.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels import indexer_cases, sparse_mla_cases
from tilewright.kernels import topk as selecting
from tilewright.kernels.dsa import Attended, dsa, paged_dsa
from tilewright.testing import ATTENTION_BOUND, Case, Expected, Peer, Spec, Tensors, numpy_dtype
from tilewright.testing.peers import torch_peer


@dataclasses.dataclass(frozen=True)
class Problem:
    """Queries of `heads` that attend `k` of the tokens that the problem `index` scores."""

    index: indexer_cases.Problem
    k: int
    heads: int = 16
    d_v: int = 512
    d_rope: int = 64
    dtype: str = "bf16"

    @property
    def d(self) -> int:
        return self.d_v + self.d_rope


NAMES = {"q": "index_q", "k": "index_k", "cache": "index_cache", "weights": "index_weights"}
SCALES = {"k_scale": "index_scale", "cache_scale": "index_scale"}


def make_inputs(p: Problem, rng: np.random.Generator) -> Tensors:
    """Normal queries and rows beside the integers of the indexer."""
    index = indexer_cases.make_inputs(p.index, rng, indexer_cases.exact_values)
    dtype = numpy_dtype(p.dtype)
    paged = p.index.paged
    rows = index["cache" if paged else "k"].shape[: 2 if paged else 1]
    inputs = {
        "q": rng.standard_normal((*p.index.queries, p.heads, p.d), np.float32).astype(dtype),
        "cache" if paged else "kv": rng.standard_normal((*rows, p.d), np.float32).astype(dtype),
    }
    inputs |= {{**NAMES, **SCALES}.get(name, name): a for name, a in index.items()}
    chosen = lists(p, inputs, logits(p, inputs).value)
    flat = inputs["cache" if paged else "kv"].reshape(-1, p.d)
    flat[np.setdiff1d(np.arange(len(flat)), chosen)] = np.nan
    return inputs


def logits(p: Problem, inputs: Tensors) -> Expected:
    """What the indexer gives, exactly."""
    index = {old: inputs[new] for old, new in NAMES.items() if new in inputs}
    scale = "cache_scale" if p.index.paged else "k_scale"
    if "index_scale" in inputs:
        index[scale] = inputs["index_scale"]
    index |= {name: inputs[name] for name in ("lengths", "table") if name in inputs}
    value = indexer_cases.expect(p.index, index)["logits"].value
    return Expected(value)


def selected(p: Problem, values: np.ndarray) -> np.ndarray:
    """The tokens [queries, k] that each query selects."""
    seen = p.index.seen()
    flat = values.reshape(len(seen), values.shape[-1])
    return selecting.reference(flat, p.k, starts=seen[:, 0], ends=seen[:, 1])


def lists(p: Problem, inputs: Tensors, values: np.ndarray) -> np.ndarray:
    """The rows of the cache [queries, k] that each query attends."""
    tokens = selected(p, values)
    if not p.index.paged:
        return tokens
    table, page = inputs["table"], inputs["cache"].shape[1]
    request = np.arange(len(tokens))[:, None] // p.index.s_q
    at = np.maximum(tokens, 0)
    return np.where(tokens < 0, -1, table[request, at // page] * page + at % page)


def outputs(p: Problem, inputs: Tensors) -> dict[str, Spec]:
    queries = p.index.queries
    width = inputs["table"].shape[1] * p.index.page if p.index.paged else p.index.s_kv
    f32 = np.dtype(np.float32)
    return {
        "out": Spec((*queries, p.heads, p.d_v), numpy_dtype(p.dtype)),
        "lse": Spec((*queries, p.heads), f32),
        "indices": Spec((*queries, p.k), np.dtype(np.int32)),
        "logits": Spec((*queries, width), f32),
    }


def expect(p: Problem, inputs: Tensors) -> dict[str, Expected]:
    """The outputs of the three definitions, with the bounds of sparse_mla."""
    scores = logits(p, inputs)
    rows = lists(p, inputs, scores.value)
    kv = inputs["cache" if p.index.paged else "kv"].reshape(-1, p.d)
    sparse = sparse_mla_cases.Problem(
        p.index.name, len(rows), len(kv), p.k, p.heads, p.d_v, p.d_rope, p.dtype
    )
    q = inputs["q"].reshape(-1, p.heads, p.d)
    attended = sparse_mla_cases.expect(sparse, {"q": q, "kv": kv, "indices": rows})
    specs = outputs(p, inputs)
    found = {
        name: Expected(
            attended[name].value.reshape(specs[name].shape),
            attended[name].bound.reshape(specs[name].shape),
        )
        for name in ("out", "lse")
    }
    tokens = selected(p, scores.value).reshape(specs["indices"].shape)
    return {**found, "indices": Expected(tokens), "logits": scores}


def run(p: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    function = paged_dsa if p.index.paged else dsa
    function(**inputs, k=p.k, d_v=p.d_v, made=Attended(**results), target=target)


def make_case(p: Problem, peers: tuple[Peer, ...] = ()) -> Case:
    """The record of one problem; its cost is that of the indexer and of the attention."""
    seen = p.index.seen()
    entries = int(np.clip(seen[:, 1] - seen[:, 0], 0, p.k).sum())
    index = indexer_cases.make_case(p.index)
    macs = index.macs + p.heads * entries * (p.d + p.d_v)
    tokens = sum(p.index.lengths) if p.index.paged else p.index.s_kv
    moved = len(seen) * p.heads * (p.d + p.d_v) + min(entries, tokens) * p.d
    return Case(
        kernel="dsa",
        name=p.index.name,
        dtype=p.dtype,
        make_inputs=functools.partial(make_inputs, p),
        outputs=functools.partial(outputs, p),
        expect=functools.partial(expect, p),
        run=functools.partial(run, p),
        bound="logits, indices: exact; " + ATTENTION_BOUND,
        flops=2 * macs,
        bytes=index.bytes + moved * numpy_dtype(p.dtype).itemsize + 4 * len(seen) * p.k,
        macs=macs,
        peers=peers,
    )


def verify_cases() -> list[Case]:
    """Prompts and decoding steps with more and fewer tokens than are selected."""
    index = functools.partial(indexer_cases.Problem, heads=8, d=32)
    causal = tuple((0, t + 1) for t in range(9))
    packed = ((0, 60), (60, 61), (60, 300), (7, 7), (299, 300))
    f8 = "f8e4m3fn"
    steps = {"lengths": (150, 0, 1, 64, 70), "page": 16}
    problems = [
        Problem(index("prompt", 3, 200), 70),
        Problem(index("prompt_f8", 2, 150, dtype=f8), 48),
        Problem(index("prompt", 2, 100, dtype="f32"), 33, heads=3, d_v=128, dtype="f32"),
        Problem(index("causal", 9, 9, ranges=causal), 5, heads=4, d_v=64, d_rope=32),
        Problem(index("packed", 5, 300, ranges=packed), 40, d_v=128),
        Problem(index("paged", 1, **steps), 64, d_v=128),
        Problem(index("paged_two_queries", 2, dtype=f8, **steps), 48, heads=5, d_v=128),
        Problem(index("no_queries", 0, 20), 4, d_v=64),
        Problem(index("no_tokens", 2, 0), 4, d_v=64),
    ]
    return [make_case(p) for p in problems]


def _peers() -> tuple[Peer, ...]:
    """PyTorch recipes, on caches in one piece that all requests fill alike."""

    def layer(q: Any, cache: Any, iq: Any, icache: Any, w: Any, lengths: Any, table: Any,
              *, by_request: bool) -> Callable[[], Any]:  # fmt: skip
        import torch

        pages = -(-int(lengths[0]) // cache.shape[1])
        kv, ik = (a[table[:, :pages].long()].flatten(1, 2) for a in (cache, icache))
        ikt, w = ik.transpose(1, 2).contiguous(), w.to(q.dtype)
        q, iq, scale = q[:, 0], iq[:, 0], q.shape[-1] ** -0.5

        def one(b: int) -> Any:
            scores = w[b] @ (iq[b] @ ikt[b]).relu_()
            rows = kv[b].index_select(0, torch.topk(scores[0], 2048, sorted=False)[1])
            p = torch.softmax((q[b] @ rows.T).float() * scale, -1).to(q.dtype)
            return p @ rows[:, :512]

        def batched() -> Any:
            scores = torch.bmm(w, torch.bmm(iq, ikt).relu_())[:, 0]
            chosen = torch.topk(scores, 2048, sorted=False)[1]
            rows = torch.stack([kv[b].index_select(0, c) for b, c in enumerate(chosen)])
            p = torch.softmax(torch.bmm(q, rows.transpose(1, 2)).float() * scale, -1)
            return torch.bmm(p.to(q.dtype), rows[..., :512])

        return (lambda: [one(b) for b in range(len(q))]) if by_request else batched

    by_request = functools.partial(layer, by_request=True)
    batched = functools.partial(layer, by_request=False)
    return (
        torch_peer("request by request in f32", by_request, "f32"),
        torch_peer("bmm over all requests in f32", batched, "f32"),
        torch_peer("request by request", by_request),
    )


def bench_cases() -> list[Case]:
    """A step of decoding of DeepSeek-V3.2: 128 heads, 2048 of 16384 tokens."""
    index = indexer_cases.Problem("decode_b4_s16384", 1, lengths=(16384,) * 4)
    return [make_case(Problem(index, 2048, heads=128), _peers())]
