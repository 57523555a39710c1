# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The k largest elements of each row, of any length: the selector of sparse attention.

What DeepSeek-V3.2 does to the logits of its indexer (DeepSeek Sparse Attention) before
sparse_mla, with a result that is the same on every device.

    valid[r, j] = max(starts[r], 0) <= j < min(ends[r], n)
    j before i  = x[r, j] > x[r, i], or they are equal and j < i
    indices[r]  = the first min(k, number of valid j) of the valid j in that order,
                  ascending; the rest of the row is -1

    x       [rows, n]     f32, bf16 or f16
    starts  [rows] i32    optional: 0 where not given
    ends    [rows] i32    optional: n where not given
    indices [rows, k] i32

NaN is larger than every number, and all NaN are equal; so are 0.0 and -0.0. An element that
is -infinity may be selected like any other. What is not valid is not used and may hold
anything. Everything is exact.

One block selects from one row at a time, in three steps. The maxima of groups of elements
give a bound below the k-th largest: k of them reach it. What reaches the bound, little more
than k elements of a row of unequal ones, is listed by position. The k-th largest of the list
is found by bisection of the keys that the floats order by, and ties with it are counted from
the left. No buffer has a size that a row of equal elements could exceed.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, full, require

# Keys: 32-bit integers in the order of the floats. No float has LEAST.
LEAST = -(2**31)
INF_KEY = 0x7F800000
NAN_KEY = INF_KEY + 1

STEP = 4096  # elements of a row that are looked at in one step
WORD = 32  # elements whose selection is one word of bits


@dataclasses.dataclass(frozen=True)
class Steps:
    """How many elements one step of a block takes."""

    blocks: int  # at a time: each has a workspace that a whole row fits
    threads: int
    listed: int  # listed elements that are moved
    counted: int  # keys that are counted
    written: int  # listed elements that are told apart


# The CPU takes what registers hold. On a GPU a step waits for memory, however long it is.
ON_CPU = Steps(blocks=32, threads=256, listed=128, counted=512, written=1024)
ON_GPU = Steps(blocks=128, threads=512, listed=512, counted=2048, written=1024)


def reference(
    x: np.ndarray,
    k: int,
    *,
    starts: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> np.ndarray:
    """`indices` of the definition in float64, one row at a time."""
    rows, n = x.shape
    indices = np.full((rows, k), -1, np.int32)
    for r in range(rows):
        start = 0 if starts is None else max(0, int(starts[r]))
        end = n if ends is None else min(n, int(ends[r]))
        valid = x[r, start:end].astype(np.float64)
        nan = np.isnan(valid)
        number = np.where(nan, np.inf, valid)
        # Of the keys the last counts most: NaN first, then by number, then by position.
        order = np.lexsort((np.arange(len(valid)), -number, ~nan))
        chosen = np.sort(order[:k]) + start
        indices[r, : len(chosen)] = chosen
    return indices


@T.macro
def key_of(number):
    """The key of a float: equal floats have equal keys, larger ones larger keys."""
    bits = T.reinterpret(number, T.int32)
    key = T.if_then_else(bits < 0, bits ^ 0x7FFFFFFF, bits)
    key = T.if_then_else(key == -1, 0, key)  # -0.0
    return T.if_then_else(T.isnan(number), NAN_KEY, key)


@T.macro
def number_of(key):
    """The float of a key; of LEAST, -infinity."""
    bits = T.if_then_else(key < 0, key ^ 0x7FFFFFFF, key)
    return T.if_then_else(key == LEAST, -T.infinity(T.float32), T.reinterpret(bits, T.float32))


@T.macro
def count_from(Keys, block, size, least, tally, number):
    """`number[0]`: how many of the first `size` keys of a row are at least `least`."""
    counted = tally.shape[0]
    T.clear(tally)
    for step in T.serial(T.ceildiv(size, counted)):
        for i in T.Parallel(counted):
            at = step * counted + i
            tally[i] += T.if_then_else(at < size and Keys[block, at] >= least, 1, 0)
    T.reduce_sum(tally, number, dim=0)


@functools.cache
def topk_kernel(group: int, dtype: str, target: str) -> Any:
    """The compiled kernel; rows, their length and k stay dynamic.

    `group` elements share a maximum. Short groups give a better bound, long ones fewer
    maxima.
    """
    rows, n, k = T.dynamic("rows"), T.dynamic("n"), T.dynamic("k")
    groups_of_step, words = STEP // group, STEP // WORD
    steps = ON_CPU if target.startswith("cpu") else ON_GPU
    listed, written_at_once = steps.listed, steps.written

    @T.prim_func
    def topk(
        X: T.Tensor([rows, n], dtype),
        Starts: T.Tensor([rows], T.int32),
        Ends: T.Tensor([rows], T.int32),
        Indices: T.Tensor([rows, k], T.int32),
    ):
        blocks = T.min(rows, steps.blocks)
        Peaks = T.alloc_global([blocks, T.ceildiv(n, group)], T.int32)
        Keys = T.alloc_global([blocks, n], T.int32)
        Places = T.alloc_global([blocks, n], T.int32)

        with T.Kernel(blocks, threads=steps.threads) as block:
            x = T.alloc_fragment([groups_of_step, group], T.float32)
            peak = T.alloc_fragment([groups_of_step], T.float32)
            top = T.alloc_fragment([1], T.float32)
            bit = T.alloc_fragment([words, WORD], T.int32)
            word = T.alloc_fragment([words], T.int32)
            to = T.alloc_fragment([words], T.int32)
            tally = T.alloc_fragment([steps.counted], T.int32)
            number = T.alloc_fragment([1], T.int32)
            lo, hi = T.alloc_var(T.int32), T.alloc_var(T.int32)
            mid = T.alloc_var(T.int32)
            reached, above = T.alloc_var(T.int32), T.alloc_var(T.int32)
            found, written = T.alloc_var(T.int32), T.alloc_var(T.int32)
            ties = T.alloc_var(T.int32)

            for row in T.serial(block, rows, blocks):
                start, end = T.max(Starts[row], 0), T.min(Ends[row], n)
                first = start // group
                groups = T.ceildiv(end, group) - first

                # 1. The maximum of each group that has a valid element.
                T.fill(top, -T.infinity(T.float32))
                for step in T.serial(T.ceildiv(groups, groups_of_step)):
                    base = first * group + step * STEP
                    if base >= start and base + STEP <= end:
                        for i, j in T.Parallel(groups_of_step, group):
                            x[i, j] = T.cast(X[row, base + i * group + j], T.float32)
                    else:
                        for i, j in T.Parallel(groups_of_step, group):
                            at = base + i * group + j
                            x[i, j] = T.if_then_else(
                                at >= start and at < end,
                                T.cast(X[row, at], T.float32),
                                -T.infinity(T.float32),
                            )
                    T.reduce_max(x, peak, dim=1)
                    T.reduce_max(peak, top, dim=0, clear=False)
                    for i in T.Parallel(groups_of_step):
                        if step * groups_of_step + i < groups:
                            Peaks[block, step * groups_of_step + i] = key_of(peak[i])

                # The bound: k or few more maxima reach it, or it is below all.
                lo, hi = LEAST, key_of(top[0]) + 1
                reached = groups
                while reached > k + k // 8 and lo + 1 < hi:
                    mid = (lo & hi) + ((lo ^ hi) >> 1)
                    count_from(Peaks, block, groups, mid, tally, number)
                    if number[0] >= k:
                        lo, reached = mid, number[0]
                    else:
                        hi = mid
                bound = number_of(T.min(lo, INF_KEY))

                # 2. The list of what is not less: as bits, of which each turn takes the
                # lowest of every word.
                found = 0
                for step in T.serial(T.ceildiv(end - first * group, STEP)):
                    upto = T.alloc_shared([words], T.int32)
                    picked = T.alloc_shared([STEP + words], T.int32)
                    base = first * group + step * STEP
                    if base >= start and base + STEP <= end:
                        for i, j in T.Parallel(words, WORD):
                            value = T.cast(X[row, base + i * WORD + j], T.float32)
                            bit[i, j] = T.if_then_else(value < bound, 0, T.int32(1) << j)
                    else:
                        for i, j in T.Parallel(words, WORD):
                            at = base + i * WORD + j
                            value = T.cast(X[row, at], T.float32)
                            outside = at < start or at >= end
                            bit[i, j] = T.if_then_else(
                                outside or value < bound, 0, T.int32(1) << j
                            )
                    T.reduce_sum(bit, word, dim=1)
                    for i in T.Parallel(words):
                        to[i] = T.popcount(word[i])
                    T.reduce_max(to, number, dim=0)
                    T.cumsum(to, upto, dim=0)
                    here = upto[words - 1]
                    for i in T.Parallel(words):
                        to[i] = upto[i] - to[i]
                    for _ in T.serial(number[0]):
                        for i in T.Parallel(words):
                            # A power of two: where it is, its float's exponent says.
                            lowest = T.cast(word[i] & -word[i], T.float32)
                            exponent = T.reinterpret(lowest, T.int32) >> 23 & 255
                            # Words without a bit write behind what is picked.
                            slot = T.if_then_else(word[i] != 0, to[i], STEP + i)
                            picked[slot] = i * WORD + exponent - 127
                        for i in T.Parallel(words):
                            to[i] += 1
                            word[i] = word[i] & (word[i] - 1)
                    for part in T.serial(T.ceildiv(here, listed)):
                        for i in T.Parallel(listed):
                            one = part * listed + i
                            if one < here:
                                at = base + picked[one]
                                Places[block, found + one] = at
                                Keys[block, found + one] = key_of(T.cast(X[row, at], T.float32))
                    found = found + here

                # 3. The k-th largest of the list has a key from lo to hi - 1; `above` are
                # larger than these, and where more than one key is left, all are selected.
                lo, hi = T.if_then_else(lo > INF_KEY, LEAST, lo), key_of(top[0]) + 1
                reached, above = found, 0
                while reached > k and lo + 1 < hi:
                    mid = (lo & hi) + ((lo ^ hi) >> 1)
                    count_from(Keys, block, found, mid, tally, number)
                    if number[0] >= k:
                        lo, reached = mid, number[0]
                    else:
                        hi, above = mid, number[0]
                ties, written = k - above, 0
                for step in T.serial(T.ceildiv(found, written_at_once)):
                    key = T.alloc_shared([written_at_once], T.int32)
                    hit = T.alloc_shared([written_at_once], T.int32)
                    rank = T.alloc_shared([written_at_once], T.int32)
                    for i in T.Parallel(written_at_once):
                        at = step * written_at_once + i
                        key[i] = T.if_then_else(at < found, Keys[block, at], LEAST)
                        hit[i] = T.if_then_else(
                            at < found and key[i] >= lo and key[i] < hi, 1, 0
                        )
                    T.cumsum(hit, rank, dim=0)
                    for i in T.Parallel(written_at_once):
                        tie = hit[i] > 0 and rank[i] <= ties
                        hit[i] = T.if_then_else(key[i] >= hi or tie, 1, 0)
                    ties = ties - rank[written_at_once - 1]
                    T.cumsum(hit, rank, dim=0)
                    for i in T.Parallel(written_at_once):
                        if hit[i] > 0:
                            Indices[row, written + rank[i] - 1] = Places[
                                block, step * written_at_once + i
                            ]
                    written = written + rank[written_at_once - 1]
                for step in T.serial(T.ceildiv(k - written, written_at_once)):
                    for i in T.Parallel(written_at_once):
                        Indices[row, written + step * written_at_once + i] = -1

    return tilewright.compile(topk, target=target)


def topk(
    x: Any,
    k: int,
    *,
    starts: Any = None,
    ends: Any = None,
    indices: Any = None,
    target: str = "cpu",
) -> Any:
    """The positions of the k largest valid elements of each row of `x`, ascending.

    Shapes and dtypes are those of the module's docstring; `indices` is made where not
    given. Raises ValueError where shapes or dtypes do not fit together.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"x is {dtype} and must be f32, bf16 or f16")
    require(len(x.shape) == 2, f"x is {tuple(x.shape)}: [rows, n] is needed")
    require(k >= 0, f"k is {k} and must not be negative")
    rows, n = x.shape
    require(n < 2**31 - STEP, f"x has rows of {n}: positions are 32-bit integers")
    if starts is None:
        starts = full(x, (rows,), 0, "i32")
    if ends is None:
        ends = full(x, (rows,), n, "i32")
    if indices is None:
        indices = empty(x, (rows, k), "i32")
    # About 2 k maxima: half of them reach the bound.
    group = next((g for g in (32, 16, 8) if n >= 2 * k * g), 4)
    topk_kernel(group, dtype, target)(x, starts, ends, indices)
    return indices
