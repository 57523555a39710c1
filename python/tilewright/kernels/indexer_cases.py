# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of the indexer: ranges, pages and bytes with hostile rests, and real sizes with peers.

Keys that no query sees hold NaN, and so do their scales.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels import indexer as kernel
from tilewright.testing import (
    Case,
    Expected,
    Layout,
    Peer,
    Spec,
    Tensors,
    dot_error,
    exact_operands,
    gamma,
    numpy_dtype,
    smallest_normal,
)
from tilewright.testing.peers import torch_peer
from tilewright.testing.threads import on_all_cores

# What unused entries of a table may say.
GARBAGE = (-1, -(2**31), 2**31 - 1)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Queries over keys in one piece, or, where `lengths` are given, over pages.

    `ranges` are the keys that each query sees, cycled over the queries; all keys where
    there are none. With `fused`, a block of a paged f8 cache holds its scales behind its
    values.
    """

    name: str
    s_q: int
    s_kv: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    lengths: tuple[int, ...] = ()
    page: int = 64
    heads: int = 64
    d: int = 128
    dtype: str = "bf16"
    fused: bool = False

    @property
    def paged(self) -> bool:
        return bool(self.lengths)

    @property
    def scaled(self) -> bool:
        return self.dtype == "f8e4m3fn"

    @property
    def queries(self) -> tuple[int, ...]:
        return (len(self.lengths), self.s_q) if self.paged else (self.s_q,)

    def seen(self) -> np.ndarray:
        """The first key and the end of the keys of every query, flattened: [queries, 2]."""
        if self.paged:
            ends = np.array(self.lengths)[:, None] - self.s_q + 1 + np.arange(self.s_q)
            return np.stack([np.zeros_like(ends), np.maximum(ends, 0)], 2).reshape(-1, 2)
        ranges = np.resize(np.array(self.ranges or ((0, self.s_kv),)), (self.s_q, 2))
        return np.clip(ranges, 0, self.s_kv)

    def pairs(self) -> int:
        """Pairs of a query and a key that it sees."""
        seen = self.seen()
        return int(np.maximum(seen[:, 1] - seen[:, 0], 0).sum())


Draw = Callable[[Problem, np.random.Generator, int], Tensors]


def random_values(p: Problem, rng: np.random.Generator, keys: int) -> Tensors:
    """Normal queries, keys and weights; scales of f8 over a wide range."""
    dtype = numpy_dtype(p.dtype)
    scale = np.exp2(rng.uniform(-8, 2, keys))
    return {
        "q": rng.standard_normal((*p.queries, p.heads, p.d), np.float32).astype(dtype),
        "k": rng.standard_normal((keys, p.d), np.float32).astype(dtype),
        "weights": rng.standard_normal((*p.queries, p.heads), np.float32),
        "k_scale": scale.astype(np.float32),
    }


def exact_values(p: Problem, rng: np.random.Generator, keys: int) -> Tensors:
    """Integers, signs as weights and powers of two as scales: every sum is exact."""
    shape = (*p.queries, p.heads, p.d)
    q, k = exact_operands(rng, shape, (keys, p.d), p.heads * p.d, p.dtype, swapped=True)
    return {
        "q": q,
        "k": k,
        "weights": rng.choice(np.array([-1, 1], np.float32), shape[:-1]),
        "k_scale": np.exp2(rng.integers(-3, 3, keys)).astype(np.float32),
    }


def make_inputs(p: Problem, rng: np.random.Generator, draw: Draw = random_values) -> Tensors:
    """The values that `draw` gives, where the kernel finds them, with NaN around them."""
    if p.paged:
        return _paged_inputs(p, rng, draw)
    made = draw(p, rng, p.s_kv)
    seen = np.zeros(p.s_kv, bool)
    for start, end in p.seen():
        seen[start:end] = True
    made["k"][~seen] = np.nan
    made["k_scale"][~seen] = np.nan
    if not p.scaled:
        del made["k_scale"]
    if p.ranges:
        ranges = np.resize(np.array(p.ranges, np.int32), (p.s_q, 2))
        made |= {"starts": ranges[:, 0].copy(), "ends": ranges[:, 1].copy()}
    return made


def _paged_inputs(p: Problem, rng: np.random.Generator, draw: Draw) -> Tensors:
    pages = [-(-length // p.page) for length in p.lengths]
    made = draw(p, rng, sum(p.lengths))
    k, k_scale = made.pop("k"), made.pop("k_scale")
    blocks = sum(pages) + 1  # one belongs to nobody
    cache = np.full((blocks, p.page, p.d), np.nan, k.dtype)
    scale = np.full((blocks, p.page), np.nan, np.float32)
    table = rng.choice(GARBAGE, (len(pages), max(pages) + 1)).astype(np.int32)
    order, first = rng.permutation(blocks)[:-1], 0
    for b, length in enumerate(p.lengths):
        table[b, : pages[b]], order = order[: pages[b]], order[pages[b] :]
        at = np.arange(length)
        place = table[b, at // p.page], at % p.page
        cache[place], scale[place] = k[first : first + length], k_scale[first : first + length]
        first += length
    rest = {"lengths": np.array(p.lengths, np.int32), "table": table}
    made = {"q": made["q"], "cache": cache, "weights": made["weights"], **rest}
    if p.fused:
        parts = (cache.view(np.uint8).reshape(blocks, -1), scale.view(np.uint8))
        return made | {"cache": np.concatenate(parts, 1)}
    return made | ({"cache_scale": scale} if p.scaled else {})


def arguments(p: Problem, inputs: Tensors) -> Tensors:
    """The inputs as the functions take them: blocks of bytes as values and scales."""
    if not p.fused:
        return inputs
    cache, scale = kernel.split_cache(inputs["cache"], p.page, p.d)
    return {**inputs, "cache": cache, "cache_scale": scale}


def width(p: Problem, inputs: Tensors) -> int:
    return inputs["table"].shape[1] * p.page if p.paged else p.s_kv


def outputs(p: Problem, inputs: Tensors) -> dict[str, Spec]:
    return {"logits": Spec((*p.queries, width(p, inputs)), np.dtype(np.float32))}


def expect(p: Problem, inputs: Tensors) -> dict[str, Expected]:
    """The logits of the definition, with the module's bound."""
    shape = outputs(p, inputs)["logits"].shape
    value = np.full((int(np.prod(p.queries)), shape[-1]), -np.inf)
    bound = np.zeros_like(value)
    seen = p.seen()
    made = arguments(p, inputs)
    q = made["q"].astype(np.float64).reshape(len(value), p.heads, p.d)
    w = made["weights"].astype(np.float64).reshape(len(value), p.heads)
    tiny = smallest_normal("f32")

    def request(number: int) -> None:
        """The queries of a request, or a few of those over keys in one piece."""
        mine = slice(number, number + (p.s_q if p.paged else 16))
        longest = int(seen[mine, 1].max(initial=0))
        if p.paged:
            at = np.arange(longest)
            place = made["table"][number // p.s_q, at // p.page], at % p.page
            keys, scale = made["cache"][place], made.get("cache_scale")
            scale = scale if scale is None else scale[place]
        else:
            keys, scale = made["k"], made.get("k_scale")
        scale = np.ones(len(keys)) if scale is None else np.abs(scale.astype(np.float64))
        keys = keys.astype(np.float64)
        for t in range(mine.start, min(mine.stop, len(value))):
            some = slice(*seen[t])
            if some.start >= some.stop:
                continue
            score = np.maximum(q[t] @ keys[some].T, 0)
            error = dot_error(np.abs(q[t]), np.abs(keys[some]).T)
            value[t, some] = w[t] @ score * scale[some]
            error = np.abs(w[t]) @ (error + gamma(p.heads + 2) * (score + error))
            bound[t, some] = (error + (p.heads + 1) * tiny) * scale[some] + tiny

    on_all_cores(request, range(0, len(value), p.s_q if p.paged else 16))
    return {"logits": Expected(value.reshape(shape), bound.reshape(shape))}


def run(p: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    function = kernel.paged_indexer if p.paged else kernel.indexer
    function(**arguments(p, inputs), **results, target=target)


def drop_term(p: Problem, inputs: Tensors) -> Tensors:
    """Without the last column that a query and a key both have something in."""
    q = np.array(inputs["q"])
    flat = q.reshape(-1, p.d)
    k = arguments(p, inputs)["cache" if p.paged else "k"].astype(np.float32).reshape(-1, p.d)
    flat[:, np.flatnonzero(flat.any(0) & np.nan_to_num(k).any(0))[-1]] = 0
    return {**inputs, "q": q}


def make_case(
    p: Problem, peers: tuple[Peer, ...] = (), layouts: dict[str, Layout] | None = None
) -> Case:
    """The record of one problem; its cost counts the pairs that are seen."""
    pairs = p.pairs()
    rows = sum(p.lengths) if p.paged else p.s_kv
    queries = int(np.prod(p.queries))
    size = numpy_dtype(p.dtype).itemsize
    return Case(
        kernel="indexer",
        name=p.name,
        dtype=p.dtype,
        make_inputs=functools.partial(make_inputs, p),
        outputs=functools.partial(outputs, p),
        expect=functools.partial(expect, p),
        run=functools.partial(run, p),
        bound=kernel.BOUND,
        flops=2 * p.heads * (p.d + 1) * pairs,
        bytes=(queries * p.heads + rows) * p.d * size + 4 * (queries * p.heads + pairs),
        macs=p.heads * p.d * pairs,
        integers=(functools.partial(make_inputs, p, draw=exact_values),) if pairs else (),
        drop_term=functools.partial(drop_term, p) if pairs else None,
        peers=peers,
        layouts=layouts or {},
    )


def verify_cases() -> list[Case]:
    """Small, odd and hostile queries, keys and pages."""
    f8 = "f8e4m3fn"
    dtypes = ("bf16", f8, "f16", "f32")
    ranges = (
        (0, 290),
        (0, 1),
        (289, 290),
        (63, 65),
        (100, 100),
        (200, 90),
        (-7, 64),
        (64, 999),
    )
    lengths = (130, 0, 1, 64, 65, 200)
    small = {"heads": 8, "d": 64}
    paged = {"s_q": 2, "lengths": lengths}
    problems = [
        *(Problem("plain", 2, 200, dtype=d) for d in dtypes),
        *(Problem("ranges", 8, 290, ranges=ranges, dtype=d, **small) for d in ("bf16", f8)),
        Problem("late_range", 3, 2400, ranges=((1500, 1601), (1000, 1100)), heads=4, d=32),
        Problem("odd_heads", 3, 100, heads=5, d=40),
        Problem("h32", 2, 130, heads=32),
        Problem("one_head", 3, 70, heads=1, d=16, dtype="f32"),
        Problem("no_queries", 0, 100, **small),
        Problem("no_keys", 3, 0, **small),
        *(Problem("paged", dtype=d, **paged, **small) for d in dtypes),
        Problem("paged_h64", 1, lengths=(70, 129)),
        Problem("paged_bytes", dtype=f8, fused=True, **paged, **small),
        Problem("paged_bytes_h64", 1, lengths=(100,), dtype=f8, fused=True),
        *(Problem(f"page_{n}", page=n, **paged, **small) for n in (1, 16, 20, 256)),
        Problem("long_request", 1, lengths=(2200, 5), heads=4, d=32),
        Problem("four_queries", 4, lengths=(3, 90), **small),
    ]
    skewed = Problem("skewed", 2, 90, heads=8, d=64)
    layouts = {"q": Layout(skew=1), "k": Layout(skew=3), "logits": Layout(skew=1)}
    return [make_case(p) for p in problems] + [make_case(skewed, layouts=layouts)]


def _prefill_peers() -> tuple[Peer, ...]:
    """PyTorch recipes for nearly full ranges; what is not seen is masked by none of them."""

    def whole(q: Any, k: Any, w: Any, *ranges: Any) -> Callable[[], Any]:
        import torch

        w = w.to(q.dtype)

        def call() -> Any:
            scores = torch.relu(torch.einsum("qhd,kd->qhk", q, k))
            return torch.einsum("qhk,qh->qk", scores, w)

        return call

    def by_queries(q: Any, k: Any, w: Any, *ranges: Any) -> Callable[[], Any]:
        import torch

        kt, w = k.T.contiguous(), w.to(q.dtype)

        def call() -> Any:
            out = torch.empty(len(q), len(k), dtype=q.dtype)
            for t in range(len(q)):
                out[t] = w[t] @ (q[t] @ kt).relu_()
            return out

        return call

    def by_chunks(q: Any, k: Any, w: Any, *ranges: Any, keys: int) -> Callable[[], Any]:
        import torch

        kt, w = k.T.contiguous(), w.to(q.dtype)

        def call() -> Any:
            out = torch.empty(len(q), len(k), dtype=q.dtype)
            for first in range(0, len(k), keys):
                some = kt[:, first : first + keys]
                for t in range(len(q)):
                    out[t, first : first + keys] = w[t] @ (q[t] @ some).relu_()
            return out

        return call

    chunks = functools.partial(by_chunks, keys=1024)
    return (
        torch_peer("einsum, relu, weighted sum in f32", whole, "f32"),
        torch_peer("query by query in f32", by_queries, "f32"),
        torch_peer("by query and 1024 keys in f32", chunks, "f32"),
        torch_peer("by query and 1024 keys", chunks),
    )


def _decode_peers() -> tuple[Peer, ...]:
    """PyTorch recipes on keys in one piece, which all requests have as many of."""

    def keys_of(cache: Any, table: Any, lengths: Any) -> Any:
        pages = -(-int(lengths[0]) // cache.shape[1])
        rows = cache[table[:, :pages].long()].flatten(1, 2)[:, : int(lengths[0])]
        return rows.transpose(1, 2).contiguous()

    def batched(q: Any, cache: Any, w: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        import torch

        kt, q, w = keys_of(cache, table, lengths), q[:, 0], w.to(q.dtype)
        return lambda: torch.bmm(w, torch.bmm(q, kt).relu_())

    def by_request(q: Any, cache: Any, w: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        kt, q, w = keys_of(cache, table, lengths), q[:, 0], w.to(q.dtype)
        return lambda: [w[b] @ (q[b] @ kt[b]).relu_() for b in range(len(q))]

    def by_chunks(q: Any, cache: Any, w: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        kt, q, w, keys = keys_of(cache, table, lengths), q[:, 0], w.to(q.dtype), 1024
        kt = [part.contiguous() for one in kt for part in one.split(keys, 1)]
        each = len(kt) // len(q)
        return lambda: [w[i // each] @ (q[i // each] @ k).relu_() for i, k in enumerate(kt)]

    return (
        torch_peer("bmm, relu, bmm in f32", batched, "f32"),
        torch_peer("request by request in f32", by_request, "f32"),
        torch_peer("by request and 1024 keys in f32", by_chunks, "f32"),
        torch_peer("request by request", by_request),
    )


def bench_cases() -> list[Case]:
    """DeepSeek-V3.2's 64 heads of 128: the last 512 queries of a prompt, and decoding."""
    causal = tuple((0, 8192 - 511 + t) for t in range(512))
    prefill = Problem("prefill_q512_s8192", 512, 8192, ranges=causal)
    decode = Problem("decode_b8_s32768", 1, lengths=(32768,) * 8)
    return [make_case(prefill, _prefill_peers()), make_case(decode, _decode_peers())]
