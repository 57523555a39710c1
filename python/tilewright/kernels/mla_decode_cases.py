# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of mla_decode: ragged, empty and hostile requests, and real sizes with peers.

Whatever the kernel must not use is filled against it: table entries past a request's last
page with numbers that are no block, cache rows past its length with NaN.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.mla_decode import SPLIT_KEYS, cached_rows, mla_decode
from tilewright.testing import (
    ATTENTION_BOUND,
    Attended,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    attend,
    numpy_dtype,
)
from tilewright.testing.peers import numpy_peer, torch_peer
from tilewright.testing.threads import on_all_cores

GARBAGE = (-1, 2**31 - 1, -(2**31))  # in table entries that no request uses


@dataclasses.dataclass(frozen=True)
class Problem:
    """One set of requests; `page` 0 is a dense cache. `scale` None is d ** -0.5.

    In memory each block is followed by `between` rows that belong to nobody.
    """

    name: str
    lengths: tuple[int, ...]
    heads: int = 16
    s_q: int = 1
    d_v: int = 512
    d_rope: int = 64
    page: int = 64
    dtype: str = "bf16"
    causal: bool = True
    scale: float | None = None
    between: int = 0

    @property
    def d(self) -> int:
        return self.d_v + self.d_rope

    @property
    def factor(self) -> float:
        """What the scores are multiplied by."""
        return self.d**-0.5 if self.scale is None else self.scale

    def arguments(self, inputs: Tensors) -> Tensors:
        """The inputs as mla_decode takes them: the cache without what is between blocks."""
        rows = inputs["cache"].shape[1] - self.between
        return {**inputs, "cache": inputs["cache"][:, :rows]}

    def visible(self, length: int) -> np.ndarray:
        """How many keys each of the s_q * heads query rows of a request sees."""
        query = np.arange(self.s_q * self.heads) // self.heads
        return (
            np.maximum(0, length - self.s_q + 1 + query) if self.causal else query * 0 + length
        )


def draw_cache(
    problem: Problem, rng: np.random.Generator, rows_of: Callable[[int], np.ndarray]
) -> Tensors:
    """`cache`, `lengths` and, where paged, `table` with the rows that `rows_of(n)` draws.

    Pages are scattered over the blocks; one block in the middle belongs to nobody.
    """
    dtype = numpy_dtype(problem.dtype)
    lengths = np.array(problem.lengths, np.int32)
    longest = max((1, *problem.lengths))
    if not problem.page:
        shape = (len(lengths), longest + 3 + problem.between, problem.d)
        cache = np.full(shape, np.nan, dtype)
        for b, length in enumerate(lengths):
            cache[b, :length] = rows_of(length)
        return {"cache": cache, "lengths": lengths}
    page = problem.page
    pages = [-(-length // page) for length in problem.lengths]
    order = rng.permutation(sum(pages) + 1)[: sum(pages)].astype(np.int32)
    cache = np.full((sum(pages) + 1, page + problem.between, problem.d), np.nan, dtype)
    table = rng.choice(GARBAGE, (len(lengths), -(-longest // page) + 1)).astype(np.int32)
    for b, length in enumerate(lengths):
        mine, order = order[: pages[b]], order[pages[b] :]
        table[b, : pages[b]] = mine
        rows = rows_of(length).astype(dtype)
        for number, block in enumerate(mine):
            part = rows[number * page : (number + 1) * page]
            cache[block, : len(part)] = part
    return {"cache": cache, "lengths": lengths, "table": table}


def random_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Normal queries and rows."""
    shape = (len(problem.lengths), problem.s_q, problem.heads, problem.d)
    q = rng.standard_normal(shape, np.float32).astype(numpy_dtype(problem.dtype))
    rest = draw_cache(problem, rng, lambda n: rng.standard_normal((n, problem.d), np.float32))
    return {"q": q, **rest}


def uniform_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Zero queries over rows of -1, 0 and 1: `out` is a mean, exact for 2^i keys."""
    shape = (len(problem.lengths), problem.s_q, problem.heads, problem.d)
    rest = draw_cache(problem, rng, lambda n: rng.integers(-1, 2, (n, problem.d)))
    return {"q": np.zeros(shape, numpy_dtype(problem.dtype)), **rest}


def winner_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Each head's query is a row of the cache, of signs: that row wins by far.

    Its score is d, every other at most d - 2, so that with a scale of 100 all other
    probabilities are 0 in f32 and `out` is the row itself, exactly. The cache holds d rows
    that differ from it in one column each: a score that lost any one of its terms would
    make two rows share.
    """
    chosen: list[np.ndarray] = []

    def rows_of(length: int) -> np.ndarray:
        families = -(-length // (problem.d + 1))
        winners = rng.choice([-1.0, 1.0], (families, problem.d))
        rows = np.repeat(winners, problem.d + 1, 0)[:length]
        member = np.arange(length) % (problem.d + 1)
        flipped = np.flatnonzero(member)
        rows[flipped, member[flipped] - 1] *= -1
        whole = max(1, length // (problem.d + 1))
        chosen.append(winners[rng.integers(0, whole, (problem.s_q, problem.heads))])
        return rng.permutation(rows)

    rest = draw_cache(problem, rng, rows_of)
    return {"q": np.stack(chosen).astype(numpy_dtype(problem.dtype)), **rest}


def outputs(problem: Problem, inputs: Tensors) -> dict[str, Spec]:
    batch, s_q, heads, _ = inputs["q"].shape
    return {
        "out": Spec((batch, s_q, heads, problem.d_v), numpy_dtype(problem.dtype)),
        "lse": Spec((batch, heads, s_q), np.dtype(np.float32)),
    }


def expect(problem: Problem, inputs: Tensors, exact_out: bool = False) -> dict[str, Expected]:
    """Both outputs with their bounds; `exact_out` asks for `out` to the bit."""
    specs = outputs(problem, inputs)
    inputs = problem.arguments(inputs)
    values = {name: np.zeros(spec.shape) for name, spec in specs.items()}
    bounds = {name: np.zeros(spec.shape) for name, spec in specs.items()}

    def request(b: int) -> Attended:
        length = problem.lengths[b]
        keys = cached_rows(inputs["cache"], inputs.get("table"), b, length)
        q = inputs["q"][b].reshape(-1, problem.d)
        valid = np.arange(length) < problem.visible(length)[:, None]
        return attend(q, keys, keys[:, : problem.d_v], valid, problem.factor, problem.dtype)

    for b, attended in enumerate(on_all_cores(request, range(len(problem.lengths)))):
        for target, part in ((values, "value"), (bounds, "bound")):
            out, lse = getattr(attended.out, part), getattr(attended.lse, part)
            target["out"][b] = out.reshape(target["out"][b].shape)
            target["lse"][b] = lse.reshape(problem.s_q, problem.heads).T
    if exact_out:
        bounds["out"][...] = 0
    return {name: Expected(values[name], bounds[name]) for name in specs}


def run(problem: Problem, target: str, inputs: Tensors, results: Tensors) -> None:
    mla_decode(
        **problem.arguments(inputs),
        **results,
        d_v=problem.d_v,
        scale=problem.factor,
        causal=problem.causal,
        target=target,
    )


def make_case(
    problem: Problem,
    make_inputs: Callable[[Problem, np.random.Generator], Tensors] = random_inputs,
    *,
    exact_out: bool = False,
    peers: tuple[Peer, ...] = (),
) -> Case:
    """The record of one problem; its cost counts visible keys, and cached rows once."""
    seen = sum(int(problem.visible(length).sum()) for length in problem.lengths)
    rows = len(problem.lengths) * problem.s_q * problem.heads
    itemsize = numpy_dtype(problem.dtype).itemsize
    macs = seen * (problem.d + problem.d_v)
    pages = sum(-(-length // problem.page) for length in problem.lengths) if problem.page else 0
    moved = rows * (problem.d + problem.d_v) + sum(problem.lengths) * problem.d
    return Case(
        kernel="mla_decode",
        name=problem.name,
        dtype=problem.dtype,
        make_inputs=functools.partial(make_inputs, problem),
        outputs=functools.partial(outputs, problem),
        expect=functools.partial(expect, problem, exact_out=exact_out),
        run=functools.partial(run, problem),
        bound="exact; lse: " + ATTENTION_BOUND if exact_out else ATTENTION_BOUND,
        flops=2 * macs,
        bytes=moved * itemsize + 4 * (rows + pages + len(problem.lengths)),
        macs=macs,
        peers=peers,
    )


def _peers() -> tuple[Peer, ...]:
    """Recipes for equal lengths on a contiguous cache, which is made untimed."""

    def contiguous(cache: Any, lengths: Any, table: Any) -> Any:
        length, page = int(lengths[0]), cache.shape[1]
        return cache[table[:, : length // page]].reshape(len(lengths), length, cache.shape[2])

    def numpy_matmul(q: Any, cache: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        q, k = q[:, 0], contiguous(cache, lengths, table)
        v, scale = np.ascontiguousarray(k[..., :512]), np.float32(q.shape[-1] ** -0.5)

        def call() -> Any:
            scores = q @ k.swapaxes(1, 2)
            scores *= scale
            scores -= scores.max(-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(-1, keepdims=True)
            return scores @ v

        return call

    def absorbed(q: Any, cache: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        import torch

        q, k = q[:, 0], contiguous(cache, lengths, table.long())
        kt, v, scale = k.transpose(1, 2), k[..., :512], q.shape[-1] ** -0.5

        def call() -> Any:
            scores = torch.bmm(q, kt).float()
            return torch.bmm(torch.softmax(scores * scale, -1).to(q.dtype), v)

        return call

    def absorbed_by_request(*inputs: Any) -> Callable[[], Any]:
        import torch

        q, k = inputs[0][:, 0], contiguous(*inputs[1:3], inputs[3].long())
        scale = q.shape[-1] ** -0.5
        pairs = [(q[b], k[b], k[b, :, :512]) for b in range(len(q))]

        def call() -> Any:
            return [
                torch.softmax((qb @ kb.T).float() * scale, -1).to(q.dtype) @ vb
                for qb, kb, vb in pairs
            ]

        return call

    def sdpa(q: Any, cache: Any, lengths: Any, table: Any) -> Callable[[], Any]:
        import torch

        # Multi-query attention: the heads of a request are the queries of one head.
        k = contiguous(cache, lengths, table.long())[:, None]
        v = k[..., :512].contiguous()
        return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v)

    return (
        numpy_peer("absorbed matmuls in f32", numpy_matmul, "f32"),
        torch_peer("absorbed bmm", absorbed),
        torch_peer("absorbed bmm in f32", absorbed, "f32"),
        torch_peer("absorbed matmuls, request by request", absorbed_by_request),
        torch_peer("SDPA as multi-query attention", sdpa),
    )


def verify_cases() -> list[Case]:
    """Small, odd and hostile requests."""
    split = SPLIT_KEYS
    problems = [
        Problem("ragged_paged", (100, 0, 64, 1)),
        Problem("ragged_paged", (65, 0, 127), dtype="f16"),
        Problem("ragged_paged", (65, 0, 127), dtype="f32"),
        Problem("h128", (130, 63, 0), heads=128),
        Problem("h80", (70, 5), heads=80),
        Problem("h3_d128", (77, 140, 20), heads=3, d_v=128, dtype="f32"),
        Problem("dense", (20, 140, 0), heads=3, page=0),
        Problem("dense_splits", (split + 1, 7), page=0, d_v=128, dtype="f16"),
        Problem("splits", (2 * split + 52, split, 0, split + 1, 3)),
        Problem("page16", (33, 95), page=16),
        Problem("page128_split_end", (split - 1, 129), page=128, d_v=128),
        Problem("s_q2_causal", (1, 2, 0, 65, split + 1), s_q=2),
        Problem("s_q3_h5_causal", (1, 2, 66), s_q=3, heads=5, d_v=128, dtype="f32"),
        Problem("s_q2_full", (1, 70), s_q=2, causal=False),
        Problem("space_between_blocks", (100, 30), between=3),
        Problem("space_between_requests", (40, 130), page=0, between=1),
        Problem("all_empty", (0, 0)),
        Problem("no_requests", ()),
        Problem("peaked", (200, 64), scale=4.0),
    ]
    cases = [make_case(problem) for problem in problems]
    uniform = Problem("mean_exact", (64, 2 * split, 1, 16))
    cases += [
        make_case(dataclasses.replace(uniform, dtype=dtype), uniform_inputs, exact_out=True)
        for dtype in ("bf16", "f32")
    ]
    winner = Problem("winner_exact", (97, split + 300), scale=100.0)
    cases += [
        make_case(dataclasses.replace(winner, dtype=dtype), winner_inputs, exact_out=True)
        for dtype in ("bf16", "f32")
    ]
    return cases


def bench_cases() -> list[Case]:
    """The sizes of DeepSeek-V2-Lite and V3, full caches."""
    peers = _peers()
    return [
        make_case(Problem(f"h{heads}_s{length}", (length,) * 4, heads=heads), peers=peers)
        for length in (4096, 32768)
        for heads in (16, 128)
    ]
