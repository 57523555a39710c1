# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases of topk: rows with ties, NaN and ranges, and real sizes with peers.

What is outside a row's range holds NaN, the largest there is.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tilewright.kernels.topk import reference, topk
from tilewright.testing import Case, Expected, Peer, Spec, Tensors, numpy_dtype
from tilewright.testing.peers import numpy_peer, torch_peer


@dataclasses.dataclass(frozen=True)
class Problem:
    """Rows to select from.

    `ranges` are the valid elements of each row, cycled over the rows; all where there are
    none. `spoil` puts values of its own into normal ones.
    """

    name: str
    rows: int
    n: int
    k: int
    dtype: str = "f32"
    ranges: tuple[tuple[int, int], ...] = ()
    spoil: Callable[[np.ndarray], None] | None = None


def make_inputs(problem: Problem, rng: np.random.Generator) -> Tensors:
    """Normal values, spoiled where the problem says so, with NaN outside the ranges."""
    p = problem
    x = rng.standard_normal((p.rows, p.n), np.float32)
    if p.spoil:
        p.spoil(x)
    inputs = {"x": x.astype(numpy_dtype(p.dtype))}
    if p.ranges:
        ranges = np.resize(np.array(p.ranges, np.int32), (p.rows, 2))
        at = np.arange(p.n)
        inputs["x"][(at < ranges[:, :1]) | (at >= ranges[:, 1:])] = np.nan
        inputs |= {"starts": ranges[:, 0].copy(), "ends": ranges[:, 1].copy()}
    return inputs


def make_case(problem: Problem, peers: tuple[Peer, ...] = ()) -> Case:
    """The record of one problem; its cost counts each element once."""
    p = problem

    def outputs(inputs: Tensors) -> dict[str, Spec]:
        return {"indices": Spec((p.rows, p.k), np.dtype(np.int32))}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        return {"indices": Expected(reference(k=p.k, **inputs))}

    return Case(
        kernel="topk",
        name=p.name,
        dtype=p.dtype,
        make_inputs=functools.partial(make_inputs, p),
        outputs=outputs,
        expect=expect,
        run=lambda target, inputs, results: topk(k=p.k, **inputs, **results, target=target),
        bound="exact",
        flops=p.rows * p.n,
        bytes=p.rows * p.n * numpy_dtype(p.dtype).itemsize + 4 * p.rows * p.k,
        macs=p.rows * p.n,
        peers=peers,
    )


def _few_values(x: np.ndarray) -> None:
    np.round(x, out=x)


def _constant(x: np.ndarray) -> None:
    """Each row of one value: numbers, both infinities, NaN, zeros of both signs."""
    x[...] = np.resize(np.array([1, -2.5, np.inf, -np.inf, np.nan, 0], np.float32), len(x))[
        :, None
    ]
    x[5::6, ::3] = -0.0


def _specials(x: np.ndarray) -> None:
    """NaN more and fewer than k, infinities more and fewer than k, hardly any number."""
    x[0, ::2] = np.nan
    x[1, 3::50] = np.nan
    x[1, 4::70] = -np.nan
    x[2, ::2] = np.inf
    x[3, 7::60] = np.inf
    x[3, 8::60] = np.nan
    x[4] = -np.inf
    x[4, 5::90] = 0.5
    x[5, :] = -np.inf


def _near_zero(x: np.ndarray) -> None:
    """Numbers below the normal ones, zeros of both signs among them."""
    x *= 1e-40
    x[:, ::5] = 0.0
    x[:, 1::5] = -0.0


def _neighbours(x: np.ndarray) -> None:
    """Floats that differ in their last bits, in rows of either sign."""
    bits = 0x3F800000 + (np.abs(x) * 40).astype(np.int32)
    x[...] = bits.view(np.float32)
    x[1::2] *= -1


def _ascending(x: np.ndarray) -> None:
    """Rows in order, the second one descending."""
    x.sort(1)
    x[1] = x[1, ::-1]


def verify_cases() -> list[Case]:
    """Small, odd and hostile rows."""
    ranges = ((0, 700), (13, 500), (37, 37), (90, 80), (-5, 20), (650, 900), (69, 169), (8, 9))
    problems = [
        *(Problem("odd", 3, 1237, 45, d) for d in ("f32", "bf16", "f16")),
        *(Problem(f"n{n}_k{k}", 2, n, k) for n, k in ((1, 1), (33, 1), (100, 100), (70, 200))),
        *(Problem("few_values", 3, 900, 100, d, spoil=_few_values) for d in ("f32", "bf16")),
        *(Problem("constant", 6, 300, 41, d, spoil=_constant) for d in ("f32", "bf16")),
        *(Problem("specials", 6, 400, 60, d, spoil=_specials) for d in ("f32", "f16")),
        Problem("near_zero", 2, 500, 200, spoil=_near_zero),
        Problem("neighbours", 4, 600, 50, spoil=_neighbours),
        Problem("ascending", 2, 5000, 64, spoil=_ascending),
        *(Problem("ranges", 8, 700, 100, d, ranges=ranges) for d in ("f32", "bf16")),
        Problem("ranges_few_values", 8, 700, 40, ranges=ranges, spoil=_few_values),
        # More elements than a step in and before the range.
        Problem("late_range", 1, 9001, 77, ranges=((4099, 8999),)),
        Problem("many_rows", 130, 40, 5),
        Problem("long_row", 1, 262144, 2048),
        Problem("long_row_few_values", 1, 262143, 2048, spoil=_few_values),
        Problem("no_rows", 0, 16, 4),
        Problem("no_columns", 2, 0, 4),
        Problem("no_k", 2, 16, 0),
    ]
    return [make_case(problem) for problem in problems]


def _peers() -> tuple[Peer, ...]:
    """Recipes for rows without ties or NaN, whole."""

    def argpartition(x: np.ndarray, k: int) -> Callable[[], Any]:
        return lambda: np.argpartition(x, x.shape[1] - k, axis=1)[:, -k:]

    def argpartition_by_row(x: np.ndarray, k: int) -> Callable[[], Any]:
        return lambda: [np.argpartition(one, len(one) - k)[-k:] for one in x]

    def partition_and_compare(x: np.ndarray, k: int) -> Callable[[], Any]:
        def row(one: np.ndarray) -> np.ndarray:
            return np.flatnonzero(one >= np.partition(one, len(one) - k)[-k])

        return lambda: [row(one) for one in x]

    def torch_topk(x: Any, k: int) -> Callable[[], Any]:
        import torch

        return lambda: torch.topk(x, k, sorted=False)

    def torch_topk_sorted(x: Any, k: int) -> Callable[[], Any]:
        import torch

        return lambda: torch.topk(x, k)

    k = 2048
    return (
        numpy_peer("argpartition", functools.partial(argpartition, k=k)),
        numpy_peer("argpartition, row by row", functools.partial(argpartition_by_row, k=k)),
        numpy_peer("partition, compare", functools.partial(partition_and_compare, k=k)),
        torch_peer("topk, sorted=False", functools.partial(torch_topk, k=k)),
        torch_peer("topk", functools.partial(torch_topk_sorted, k=k)),
    )


def bench_cases() -> list[Case]:
    """DeepSeek-V3.2's 2048 of long contexts: prefill and decoding rows."""
    problems = [Problem(f"r{r}_n{n}_k2048", r, n, 2048) for r, n in ((64, 65536), (4, 262144))]
    return [make_case(problem, _peers()) for problem in problems]
