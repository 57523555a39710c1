# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sorting of token rows by expert, before the grouped GEMMs of a mixture of experts.

The mapping and expansion of TileKernels (get_fused_mapping, expand_to_fused), with an
order that is fixed: the rows of an expert stand by token, then by slot.

    counts[e]   = number of (t, k) with ids[t, k] == e
    offsets[e]  = sum over experts before e of their counts, each rounded up to `align`
    positions[t, k] = offsets[e] + number of earlier (t', k') with the same expert e;
                      -1 where ids[t, k] names no expert
    slots[p]    = t * top_k + k of the entry that stands at p; -1 where none does
    rows[p, :]  = x[slots[p] // top_k, :], or 0 where slots[p] is -1

    ids       [tokens, top_k] i32    -1 (or any number that is no expert) for none
    x         [tokens, hidden]       bf16, f16 or f32
    counts    [experts] i32
    offsets   [experts + 1] i32      the last one is the end of the last expert's rows
    positions [tokens, top_k] i32
    slots     [capacity] i32         capacity = tokens * top_k + experts * (align - 1)
    rows      [capacity, hidden]     of x's dtype

Everything is exact: integers and copies of rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require, reshaped
from tilewright.testing import Case, Expected, Spec, Tensors, numpy_dtype
from tilewright.testing.peers import numpy_peer, torch_peer


class Permuted(NamedTuple):
    """The five outputs, as the module's docstring defines them."""

    counts: Any
    offsets: Any
    positions: Any
    slots: Any
    rows: Any


def capacity(tokens: int, top_k: int, experts: int, align: int) -> int:
    """Rows that suffice whatever the counts are."""
    return tokens * top_k + experts * (align - 1)


def reference(ids: np.ndarray, x: np.ndarray, experts: int, *, align: int = 1) -> Permuted:
    """The definition, one entry at a time."""
    tokens, top_k = ids.shape
    counts = np.zeros(experts, np.int32)
    positions = np.full((tokens, top_k), -1, np.int32)
    for e in range(experts):
        counts[e] = np.count_nonzero(ids == e)
    offsets = np.zeros(experts + 1, np.int32)
    offsets[1:] = np.cumsum(-(-counts // align) * align)
    slots = np.full(capacity(tokens, top_k, experts, align), -1, np.int32)
    placed = offsets[:-1].copy()
    for t in range(tokens):
        for k in range(top_k):
            e = ids[t, k]
            if 0 <= e < experts:
                positions[t, k] = placed[e]
                slots[placed[e]] = t * top_k + k
                placed[e] += 1
    rows = np.zeros((len(slots), x.shape[1]), x.dtype)
    rows[slots >= 0] = x[slots[slots >= 0] // top_k]
    return Permuted(counts, offsets, positions, slots, rows)


@functools.cache
def moe_permute_kernel(
    experts: int, top_k: int, hidden: int, align: int, dtype: str, target: str
) -> Any:
    """The compiled kernel of one model; the number of tokens stays dynamic."""
    entries, tokens = T.dynamic("entries"), T.dynamic("tokens")
    places = T.dynamic("places")
    BE = 256  # entries of `ids` looked at in one step

    @T.prim_func
    def moe_permute(
        Ids: T.Tensor([entries], T.int32),
        X: T.Tensor([tokens, hidden], dtype),
        Counts: T.Tensor([experts], T.int32),
        Offsets: T.Tensor([experts + 1], T.int32),
        Positions: T.Tensor([entries], T.int32),
        Slots: T.Tensor([places], T.int32),
        Rows: T.Tensor([places, hidden], dtype),
    ):
        BP = T.choose("BP", [16, 8, 4])  # rows moved by one block

        # 1. One block per expert counts its entries; entries of no expert keep place -1.
        with T.Kernel(experts, threads=128) as expert:
            hit = T.alloc_fragment([BE], T.int32)
            count = T.alloc_fragment([1], T.int32)
            T.clear(count)
            for step in T.serial(T.ceildiv(entries, BE)):
                for i in T.Parallel(BE):
                    entry = step * BE + i
                    hit[i] = T.if_then_else(entry < entries and Ids[entry] == expert, 1, 0)
                    if expert == 0:
                        Positions[entry] = -1
                T.reduce_sum(hit, count, dim=0, clear=False)
            Counts[expert] = count[0]

        # 2. One block per expert places its entries, and marks the pads after them.
        with T.Kernel(experts, threads=128) as expert:
            padded = T.alloc_fragment([experts], T.int32)
            first = T.alloc_fragment([1], T.int32)
            hit = T.alloc_shared([BE], T.int32)
            rank = T.alloc_shared([BE], T.int32)
            place = T.alloc_var(T.int32)
            for e in T.Parallel(experts):
                padded[e] = T.if_then_else(e < expert, T.ceildiv(Counts[e], align) * align, 0)
            T.reduce_sum(padded, first, dim=0)
            Offsets[expert] = first[0]
            end = first[0] + T.ceildiv(Counts[expert], align) * align
            place = first[0]
            for step in T.serial(T.ceildiv(entries, BE)):
                for i in T.Parallel(BE):
                    entry = step * BE + i
                    hit[i] = T.if_then_else(entry < entries and Ids[entry] == expert, 1, 0)
                T.cumsum(hit, rank, dim=0)
                for i in T.Parallel(BE):
                    if hit[i] > 0:
                        Positions[step * BE + i] = place + rank[i] - 1
                        Slots[place + rank[i] - 1] = step * BE + i
                place = place + rank[BE - 1]
            last = T.if_then_else(expert == experts - 1, places, end)
            for step in T.serial(T.ceildiv(last - place, BE)):
                for i in T.Parallel(BE):
                    if place + step * BE + i < last:
                        Slots[place + step * BE + i] = -1
            if expert == experts - 1:
                Offsets[experts] = end

        # 3. Rows go to their places.
        with T.Kernel(T.ceildiv(places, BP), threads=128) as bx:
            source = T.alloc_shared([BP], T.int32)
            tile = T.alloc_shared([BP, hidden], dtype)
            for i in T.Parallel(BP):
                slot = Slots[bx * BP + i]
                source[i] = T.if_then_else(slot < 0, -1, slot // top_k)
            T.gather(X, source, tile)
            T.copy(tile, Rows[bx * BP, 0])

    return tilewright.compile(moe_permute, target=target)


def moe_permute(
    ids: Any,
    x: Any,
    experts: int,
    *,
    align: int = 1,
    out: Permuted | None = None,
    target: str = "cpu",
) -> Permuted:
    """The rows of `x` [tokens, hidden] sorted by the experts `ids` [tokens, top_k] names.

    Shapes and dtypes are those of the module's docstring; outputs are made where not given.
    Raises ValueError where shapes or dtypes do not fit together.
    """
    (tokens, top_k), hidden = ids.shape, x.shape[1]
    require(dtype_of(ids) == "i32", f"ids are {dtype_of(ids)} and must be i32")
    require(x.shape[0] == tokens, f"x has {x.shape[0]} rows and ids {tokens}: one per token")
    require(align >= 1, f"align is {align} and must be at least 1")
    places = capacity(tokens, top_k, experts, align)
    if out is None:
        out = Permuted(
            empty(ids, (experts,)),
            empty(ids, (experts + 1,)),
            empty(ids, (tokens, top_k)),
            empty(ids, (places,)),
            empty(x, (places, hidden)),
        )
    kernel = moe_permute_kernel(experts, top_k, hidden, align, dtype_of(x), target)
    flat, positions = (reshaped(a, (tokens * top_k,)) for a in (ids, out.positions))
    kernel(flat, x, out.counts, out.offsets, positions, out.slots, out.rows)
    return out


def _case(
    name: str,
    tokens: int,
    top_k: int,
    experts: int,
    hidden: int,
    *,
    dtype: str = "bf16",
    align: int = 1,
    chosen: Callable[[np.random.Generator, tuple[int, int]], np.ndarray] | None = None,
) -> Case:
    """The record of one permutation; `chosen` draws the ids, distinct ones by default."""

    def make_inputs(rng: np.random.Generator) -> Tensors:
        if chosen is None:
            ids = rng.random((tokens, experts)).argsort(1)[:, :top_k]
        else:
            ids = chosen(rng, (tokens, top_k))
        x = rng.standard_normal((tokens, hidden), np.float32)
        return {"ids": ids.astype(np.int32), "x": x.astype(numpy_dtype(dtype))}

    def outputs(inputs: Tensors) -> dict[str, Spec]:
        i32, places = np.dtype(np.int32), capacity(tokens, top_k, experts, align)
        return {
            "counts": Spec((experts,), i32),
            "offsets": Spec((experts + 1,), i32),
            "positions": Spec((tokens, top_k), i32),
            "slots": Spec((places,), i32),
            "rows": Spec((places, hidden), numpy_dtype(dtype)),
        }

    def expect(inputs: Tensors) -> dict[str, Expected]:
        permuted = reference(**inputs, experts=experts, align=align)._asdict()
        return {name: Expected(value) for name, value in permuted.items()}

    def run(target: str, inputs: Tensors, results: Tensors) -> None:
        moe_permute(
            **inputs, experts=experts, align=align, out=Permuted(**results), target=target
        )

    places = capacity(tokens, top_k, experts, align)
    moved = (tokens + places) * hidden * numpy_dtype(dtype).itemsize
    return Case(
        kernel="moe_permute",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=outputs,
        expect=expect,
        run=run,
        bound="exact",
        flops=0,
        bytes=moved + 4 * (2 * tokens * top_k + 2 * experts + 1 + places),
        macs=0,
        peers=_peers(experts, top_k) if align == 1 else (),
    )


def _peers(experts: int, top_k: int) -> tuple:
    """A stable sort by expert and a copy of rows, in NumPy and in PyTorch."""

    def numpy_argsort(ids: Any, x: Any) -> Callable[[], Any]:
        def call() -> Any:
            flat = ids.reshape(-1)
            slots = np.argsort(flat, kind="stable")
            positions = np.empty_like(slots)
            positions[slots] = np.arange(len(slots))
            counts = np.bincount(flat, minlength=experts)
            return counts, np.cumsum(counts), positions, slots, x.take(slots // top_k, 0)

        return call

    def torch_argsort(ids: Any, x: Any) -> Callable[[], Any]:
        import torch

        def call() -> Any:
            flat = ids.view(-1)
            slots = torch.argsort(flat, stable=True)
            positions = torch.empty_like(slots)
            positions[slots] = torch.arange(len(slots))
            counts = torch.bincount(flat, minlength=experts)
            rows = x.index_select(0, slots // top_k)
            return counts, torch.cumsum(counts, 0), positions, slots, rows

        return call

    def torch_sort(ids: Any, x: Any) -> Callable[[], Any]:
        import torch

        def call() -> Any:
            ordered, slots = torch.sort(ids.view(-1), stable=True)
            offsets = torch.searchsorted(ordered, torch.arange(experts + 1, dtype=ids.dtype))
            positions = torch.argsort(slots)
            return offsets.diff(), offsets, positions, slots, x[slots // top_k]

        return call

    return (
        numpy_peer("stable argsort and take", numpy_argsort),
        torch_peer("stable argsort and index_select", torch_argsort),
        torch_peer("sort and searchsorted", torch_sort),
    )


def verify_cases() -> list[Case]:
    """Odd counts, empty experts, tokens without experts, pads."""

    def to_one(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return np.full(shape, 5)

    def with_none(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return rng.choice([-1, 0, 2, 7, 8, 2**31 - 1, -(2**31)], shape)

    return [
        _case("v2lite", 43, 6, 64, 256),
        _case("v2lite_one_token", 1, 6, 64, 2048),
        _case("many_tokens", 301, 8, 16, 24, dtype="f32"),
        _case("one_expert_takes_all", 70, 4, 9, 40, dtype="f16", chosen=to_one),
        _case("tokens_without_experts", 90, 3, 8, 40, chosen=with_none),
        _case("aligned", 37, 6, 64, 33, align=16),
        _case("aligned_without_experts", 20, 2, 8, 64, align=3, chosen=with_none),
        _case("no_tokens", 0, 6, 64, 64),
        _case("no_tokens_aligned", 0, 3, 4, 64, align=8),
    ]


def bench_cases() -> list[Case]:
    """The rows of a DeepSeek-V2-Lite layer."""
    return [_case("v2lite_t512", 512, 6, 64, 2048)]
