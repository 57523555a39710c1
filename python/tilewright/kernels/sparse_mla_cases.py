# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of sparse_mla: hostile index lists, and real sizes with peers.

Rows that no valid entry names hold NaN, and entries past a list's length name such rows.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.sparse_mla import sparse_mla
from tilewright.testing import (
    ATTENTION_BOUND,
    U32,
    Attended,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    attend,
    numpy_dtype,
    output_rounding,
)
from tilewright.testing.peers import torch_peer
from tilewright.testing.threads import on_all_cores

# What entries that do not count may say.
NO_ROW = (-1, -(2**31), 2**31 - 1)


@dataclasses.dataclass(frozen=True)
class Problem:
    """Queries over lists of rows.

    `invalid` is the share of entries that name no row, `repeats` whether a row may be named
    twice; `lengths` the entries of each list that count, `sinks` the attention sinks, each
    cycled over queries or heads. With `shards`, the rows stand in that many equal parts and
    each query, in turn, draws from one.
    """

    name: str
    s_q: int
    s_kv: int
    topk: int
    heads: int = 16
    d_v: int = 512
    d_rope: int = 64
    dtype: str = "bf16"
    invalid: float = 0.0
    repeats: bool = False
    lengths: tuple[int, ...] = ()
    sinks: tuple[float, ...] = ()
    shards: int = 1

    @property
    def d(self) -> int:
        return self.d_v + self.d_rope

    @property
    def scale(self) -> float:
        return self.d**-0.5

    def valid(self, inputs: Tensors) -> np.ndarray:
        """Which entries [s_q, topk] count."""
        indices = inputs["indices"]
        inside = (indices >= 0) & (indices < self.s_kv)
        if "topk_length" not in inputs:
            return inside
        return inside & (np.arange(self.topk) < inputs["topk_length"][:, None])


def make_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Normal queries and rows under random lists."""
    p, dtype = problem, numpy_dtype(problem.dtype)
    shard = p.s_kv // p.shards
    indices = np.empty((p.s_q, p.topk), np.int32)
    for t in range(p.s_q):
        start = t % p.shards * shard
        indices[t] = start + rng.choice(shard, p.topk, replace=p.repeats)
    indices[rng.random(indices.shape) < p.invalid] = rng.choice((*NO_ROW, p.s_kv))
    inputs = {
        "q": rng.standard_normal((p.s_q, p.heads, p.d), np.float32).astype(dtype),
        "kv": rng.standard_normal((p.s_kv, p.d), np.float32).astype(dtype),
        "indices": indices,
    }
    if p.sinks:
        inputs["attn_sink"] = np.resize(np.array(p.sinks, np.float32), p.heads)
    if p.lengths:
        inputs["topk_length"] = np.resize(np.array(p.lengths, np.int32), p.s_q)
    unused = np.setdiff1d(np.arange(p.s_kv), indices[p.valid(inputs)])
    inputs["kv"][unused] = np.nan
    return inputs


def one_row_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Each list names one row, 2^i times: `out` is that row, exactly.

    On integers: the scores are equal in any order of summation, and so is every sum.
    """
    inputs = make_inputs(problem, rng)
    inputs["indices"][...] = inputs["indices"][:, :1]
    for name in ("q", "kv"):
        inputs[name] = rng.integers(-4, 5, inputs[name].shape).astype(inputs[name].dtype)
    return inputs


def outputs(problem: Problem, inputs: Tensors) -> dict[str, Spec]:
    p = problem
    per_head = Spec((p.s_q, p.heads), np.dtype(np.float32))
    out = Spec((p.s_q, p.heads, p.d_v), numpy_dtype(p.dtype))
    return {"out": out, "max_logits": per_head, "lse": per_head}


def expect(problem: Problem, inputs: Tensors, exact_out: bool = False) -> dict[str, Expected]:
    """The three outputs with their bounds; `exact_out` asks for `out` to the bit."""
    specs = outputs(problem, inputs)
    values = {name: np.zeros(spec.shape) for name, spec in specs.items()}
    bounds = {name: np.zeros(spec.shape) for name, spec in specs.items()}
    valid = problem.valid(inputs)
    kv = inputs["kv"].astype(np.float64)

    def query(t: int) -> Attended:
        rows = kv[inputs["indices"][t, valid[t]]]
        sees = np.ones((problem.heads, len(rows)), bool)
        v = rows[:, : problem.d_v]
        return attend(inputs["q"][t], rows, v, sees, problem.scale, problem.dtype)

    for t, plain in enumerate(on_all_cores(query, range(problem.s_q))):
        keep, keep_error = _kept_by_sink(plain.lse, inputs.get("attn_sink"))
        values["out"][t] = plain.out.value * keep
        bounds["out"][t] = plain.out.bound * keep + keep_error * np.abs(plain.out.value)
        values["lse"][t], bounds["lse"][t] = plain.lse.value, plain.lse.bound
        values["max_logits"][t], bounds["max_logits"][t] = plain.peak.value, plain.peak.bound
    if exact_out:
        bounds["out"][...] = 0
    else:
        bounds["out"] = output_rounding(0, bounds["out"], problem.dtype)
    return {name: Expected(values[name], bounds[name]) for name in specs}


def _kept_by_sink(lse: Expected, sink: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The share [heads, 1] of the output that a sink leaves, and its error."""
    if sink is None:
        return np.ones((len(lse.value), 1)), np.zeros((len(lse.value), 1))
    with np.errstate(over="ignore", invalid="ignore"):
        keep = 1.0 / (1.0 + np.exp(sink.astype(np.float64) - lse.value))
    keep = np.where(np.isinf(lse.value), 0.0, keep)  # a row that sees nothing is 0 already
    finite = np.where(np.isfinite(sink), np.abs(sink.astype(np.float64)), 0.0)
    error = keep * (1 - keep) * (lse.bound + 8 * U32 * (1 + finite)) + 4 * U32 * keep
    return keep[:, None], error[:, None]


def run(problem: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    sparse_mla(**inputs, **results, d_v=problem.d_v, scale=problem.scale, target=target)


def make_case(
    problem: Problem,
    draw: Callable[[Problem, np.random.Generator], Tensors] = make_inputs,
    *,
    exact_out: bool = False,
    peers: tuple[Peer, ...] = (),
) -> Case:
    """The record of one problem; its cost counts every entry, and each row at most once."""
    p = problem
    lengths = np.resize(np.array(p.lengths or (p.topk,)), p.s_q)
    entries = int(np.minimum(lengths, p.topk).sum())
    macs = p.heads * entries * (p.d + p.d_v)
    moved = p.s_q * p.heads * (p.d + p.d_v) + min(entries, p.s_kv) * p.d
    return Case(
        kernel="sparse_mla",
        name=p.name,
        dtype=p.dtype,
        make_inputs=functools.partial(draw, p),
        outputs=functools.partial(outputs, p),
        expect=functools.partial(expect, p, exact_out=exact_out),
        run=functools.partial(run, p),
        bound="exact; lse: " + ATTENTION_BOUND if exact_out else ATTENTION_BOUND,
        flops=2 * macs,
        bytes=moved * numpy_dtype(p.dtype).itemsize + 4 * (entries + 2 * p.s_q * p.heads),
        macs=macs,
        peers=peers,
    )


def _peers(shards: int = 1) -> tuple[Peer, ...]:
    """PyTorch recipes for lists that are full and valid, of rows in so many shards."""

    def gathered(q: Any, kv: Any, indices: Any) -> Callable[[], Any]:
        import torch

        scale, step = q.shape[-1] ** -0.5, 16
        flat = indices.long().reshape(-1)

        def call() -> Any:
            parts = []
            for t in range(0, len(q), step):
                some = q[t : t + step]
                chosen = flat[t * indices.shape[1] : (t + step) * indices.shape[1]]
                rows = kv.index_select(0, chosen).view(len(some), -1, kv.shape[1])
                scores = torch.bmm(some, rows.transpose(1, 2)).float() * scale
                p = torch.softmax(scores, -1).to(q.dtype)
                parts.append(torch.bmm(p, rows[..., :512]))
            return torch.cat(parts)

        return call

    def gathered_one(q: Any, kv: Any, indices: Any) -> Callable[[], Any]:
        import torch

        scale, lists = q.shape[-1] ** -0.5, indices.long()

        def call() -> Any:
            parts = []
            for one, chosen in zip(q, lists, strict=True):
                rows = kv.index_select(0, chosen)
                p = torch.softmax((one @ rows.T).float() * scale, -1).to(q.dtype)
                parts.append(p @ rows[:, :512])
            return torch.stack(parts)

        return call

    def masked_dense(q: Any, kv: Any, indices: Any) -> Callable[[], Any]:
        import torch

        if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            q, kv = q.float(), kv.float()  # bf16 products would take minutes
        scale, step, size = q.shape[-1] ** -0.5, 16 if shards == 1 else 1, len(kv) // shards
        keys = kv.nan_to_num().split(size)  # a mask does not hide NaN of rows in no list
        values = [some[:, :512].contiguous() for some in keys]
        first = torch.arange(len(q)) % shards * size
        mask = torch.full((len(q), 1, size), float("-inf"))
        mask.scatter_(2, (indices.long() - first[:, None])[:, None], 0.0)

        def call() -> Any:
            parts = []
            for t in range(0, len(q), step):
                some, shard = q[t : t + step], t % shards
                scores = (some.reshape(-1, kv.shape[1]) @ keys[shard].T).float() * scale
                scores = scores.view(len(some), -1, size) + mask[t : t + step]
                p = torch.softmax(scores, -1).to(q.dtype).view(-1, size)
                parts.append(p @ values[shard])
            return torch.cat(parts)

        return call

    return (
        torch_peer("index_select and bmm in f32, 16 queries at a time", gathered, "f32"),
        torch_peer("index_select and matmuls in f32, query by query", gathered_one, "f32"),
        torch_peer("index_select and bmm, 16 queries at a time", gathered),
        torch_peer("index_select and matmuls, query by query", gathered_one),
        torch_peer("matmuls over all rows of a request under a mask", masked_dense),
    )


def verify_cases() -> list[Case]:
    """Small, odd and hostile lists."""
    inf = float("inf")
    problems = [
        Problem("plain", s_q=3, s_kv=300, topk=128),
        Problem("plain", s_q=2, s_kv=100, topk=70, dtype="f16"),
        Problem("plain", s_q=2, s_kv=100, topk=70, dtype="f32"),
        Problem("h128", s_q=2, s_kv=200, topk=100, heads=128),
        Problem("h3_d128", s_q=5, s_kv=90, topk=33, heads=3, d_v=128, dtype="f32"),
        Problem("invalid_entries", s_q=4, s_kv=150, topk=100, invalid=0.5),
        Problem("all_invalid", s_q=2, s_kv=64, topk=64, invalid=1.1, sinks=(0.0, -inf, inf)),
        Problem("repeated_rows", s_q=3, s_kv=20, topk=130, repeats=True),
        Problem("lengths", s_q=6, s_kv=400, topk=130, lengths=(0, 1, 64, 65, 130, 1000)),
        Problem("sinks", s_q=3, s_kv=90, topk=64, heads=5, sinks=(0.0, 3.0, -inf, inf, 60.0)),
        Problem(
            "everything",
            s_q=4,
            s_kv=200,
            topk=150,
            heads=80,
            invalid=0.3,
            repeats=True,
            lengths=(150, 0, 3, 90),
            sinks=(1.0, -2.0, -inf),
        ),
        Problem("no_queries", s_q=0, s_kv=10, topk=4),
    ]
    exact = Problem(
        "one_row_exact", s_q=4, s_kv=50, topk=128, repeats=True, lengths=(1, 64, 2, 128)
    )
    return [make_case(problem) for problem in problems] + [
        make_case(dataclasses.replace(exact, dtype=dtype), one_row_inputs, exact_out=True)
        for dtype in ("bf16", "f32")
    ]


def bench_cases() -> list[Case]:
    """DeepSeek-V3.2: 2048 rows of 8192, 128 heads; each decoding request has its own rows."""
    decode = Problem("decode_h128", s_q=8, s_kv=8 * 8192, topk=2048, heads=128, shards=8)
    prefill = Problem("prefill_h128", s_q=256, s_kv=8192, topk=2048, heads=128)
    return [make_case(p, peers=_peers(p.shards)) for p in (decode, prefill)]
