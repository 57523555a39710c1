"""What the demo's kernels are timed against: NumPy, and PyTorch where it is installed.

Each function takes a case's inputs in its parameters and gives the function to time; what
it prepares before that (contiguous caches, other dtypes) is not timed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.testing import Peer
from tilewright.testing.peers import numpy_peer, torch_peer

D_V = 512  # of the 576 numbers in a row of an MLA cache, the first are also the values
TOP_K = 6
SELECTED = 2048  # keys that a query of DeepSeek-V3.2 attends


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def _requests(q: Any, cache: Any, lengths: Any, table: Any) -> list[tuple[Any, Any]]:
    """(queries [heads, d], keys [length, d]) of each request, made contiguous."""
    page, d = cache.shape[1:]
    pairs = []
    for b, length in enumerate(int(n) for n in lengths):
        keys = cache[table[b, : -(-length // page)]].reshape(-1, d)[:length]
        pairs.append((q[b, 0], keys))
    return pairs


def numpy_mla(q: Any, cache: Any, lengths: Any, table: Any) -> Callable[[], Any]:
    """Decoding: two products and a softmax, request by request."""
    scale = np.float32(q.shape[-1] ** -0.5)
    pairs = _requests(q, cache, lengths, table)
    return lambda: [_softmax(qb @ kb.T * scale) @ kb[:, :D_V] for qb, kb in pairs]


def torch_mla(q: Any, cache: Any, lengths: Any, table: Any) -> Callable[[], Any]:
    """The same in PyTorch, with the softmax in f32."""
    import torch

    scale = q.shape[-1] ** -0.5
    pairs = _requests(q, cache, lengths, table.long())
    return lambda: [
        torch.softmax((qb @ kb.T).float() * scale, -1).to(q.dtype) @ kb[:, :D_V]
        for qb, kb in pairs
    ]


def numpy_indexer(q: Any, k: Any, weights: Any) -> Callable[[], Any]:
    """Query by query: a product over all heads, clipped and summed by weight."""
    return lambda: [w @ np.maximum(query @ k.T, 0) for query, w in zip(q, weights)]


def torch_indexer(q: Any, k: Any, weights: Any) -> Callable[[], Any]:
    """The same in PyTorch."""
    weights = weights.to(q.dtype)
    return lambda: [w @ (query @ k.T).relu_() for query, w in zip(q, weights)]


def numpy_topk(x: Any) -> Callable[[], Any]:
    """All rows at once."""
    return lambda: np.argpartition(x, x.shape[1] - SELECTED, axis=1)[:, -SELECTED:]


def torch_topk(x: Any) -> Callable[[], Any]:
    """All rows at once, in no order."""
    return lambda: x.topk(SELECTED, sorted=False)


def numpy_sparse_mla(q: Any, kv: Any, indices: Any) -> Callable[[], Any]:
    """Each query gathers its rows, then as in decoding."""
    scale = np.float32(q.shape[-1] ** -0.5)

    def run() -> list[np.ndarray]:
        outs = []
        for query, chosen in zip(q, indices):
            rows = kv[chosen]
            outs.append(_softmax(query @ rows.T * scale) @ rows[:, :D_V])
        return outs

    return run


def torch_sparse_mla(q: Any, kv: Any, indices: Any) -> Callable[[], Any]:
    """The same with index_select and batched products."""
    import torch

    scale, indices = q.shape[-1] ** -0.5, indices.long()

    def run() -> Any:
        rows = kv.index_select(0, indices.reshape(-1)).view(*indices.shape, -1)
        scores = torch.bmm(q, rows.transpose(1, 2)).float() * scale
        return torch.bmm(torch.softmax(scores, -1).to(q.dtype), rows[..., :D_V])

    return run


def numpy_moe(x: Any, router: Any, gate_up: Any, down: Any) -> Callable[[], Any]:
    """Expert by expert."""

    def run() -> np.ndarray:
        weights = _softmax(x @ router.T)
        chosen = np.argpartition(-weights, TOP_K, axis=1)[:, :TOP_K]
        out = np.zeros_like(x)
        for e in range(len(gate_up)):
            tokens = np.nonzero((chosen == e).any(1))[0]
            gate, up = np.split(x[tokens] @ gate_up[e].T, 2, axis=1)
            hidden = gate / (1 + np.exp(-gate)) * up
            out[tokens] += weights[tokens, e, None] * (hidden @ down[e].T)
        return out

    return run


def torch_moe(x: Any, router: Any, gate_up: Any, down: Any) -> Callable[[], Any]:
    """Expert by expert, as model libraries do on a CPU."""
    import torch

    linear = torch.nn.functional.linear
    router = router.float()

    def run() -> Any:
        weights, chosen = linear(x.float(), router).softmax(-1).topk(TOP_K, dim=-1)
        out = torch.zeros_like(x)
        for e in chosen.unique().tolist():
            token, slot = (chosen == e).nonzero(as_tuple=True)
            gate, up = linear(x[token], gate_up[e]).chunk(2, dim=-1)
            y = linear(torch.nn.functional.silu(gate) * up, down[e])
            out.index_add_(0, token, (y * weights[token, slot, None]).to(x.dtype))
        return out

    return run


MLA: tuple[Peer, ...] = (
    numpy_peer("request by request in f32", numpy_mla, "f32"),
    torch_peer("request by request", torch_mla),
    torch_peer("request by request in f32", torch_mla, "f32"),
)
INDEXER: tuple[Peer, ...] = (
    numpy_peer("query by query in f32", numpy_indexer, "f32"),
    torch_peer("query by query in f32", torch_indexer, "f32"),
)
TOPK: tuple[Peer, ...] = (
    numpy_peer("argpartition", numpy_topk),
    torch_peer("topk", torch_topk),
)
SPARSE_MLA: tuple[Peer, ...] = (
    numpy_peer("query by query in f32", numpy_sparse_mla, "f32"),
    torch_peer("index_select, bmm", torch_sparse_mla),
    torch_peer("index_select, bmm in f32", torch_sparse_mla, "f32"),
)
MOE: tuple[Peer, ...] = (
    numpy_peer("expert by expert in f32", numpy_moe, "f32"),
    torch_peer("expert by expert", torch_moe),
)
