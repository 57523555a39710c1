"""Programs made of CUDA's libraries: CUB, libcu++, cooperative groups, the heap, SIMD.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case, Expected, Launch

BOTH = ("sm_80", "sm_90a")


def _launch(kernel: str, grid: int, block: int, *args: Any) -> Launch:
    return Launch(kernel, (grid, 1, 1), (block, 1, 1), args)


def _cub_inputs(rng: np.random.Generator) -> Arrays:
    small = rng.integers(-50, 50, 1000).astype(np.float32)
    return {
        "small": small,
        "ints": rng.integers(-50, 50, 2048, np.int32),
        "keys": rng.integers(0, 2**32, 1024, np.uint32),
        "floats": rng.standard_normal(1024).astype(np.float32),
        "positive": rng.integers(0, 50, 128, np.int32),
        "bytes": rng.integers(0, 256, 2048, np.uint8),
        "bins": np.zeros(256, np.uint32),
    }


def _cub(given: Arrays) -> dict[str, Expected]:
    small = np.pad(given["small"].astype(np.float64), (0, 24)).reshape(8, 128)
    ranked = np.pad(given["small"], (0, 24), constant_values=-1e30).reshape(8, 128)
    ints = given["ints"].reshape(4, 512)
    keys = given["keys"].reshape(2, 512)
    order = np.argsort(keys, axis=1, kind="stable")
    positive = given["positive"].reshape(4, 32)
    pairs = np.stack([given["positive"], np.roll(given["positive"], -17)], 1).reshape(4, 64)
    scans = positive.cumsum(1) + 1000 * positive.sum(1, keepdims=True)
    return {
        "sums": Expected(small.sum(1)),  # of integers: exact in any order
        "best": Expected(ranked.max(1).astype(np.float64)),
        "best_at": Expected((ranked.argmax(1) + 128 * np.arange(8)).astype(np.int32)),
        "scan": Expected((ints.cumsum(1) - ints).astype(np.int32).ravel()),
        "keys": Expected(np.take_along_axis(keys, order, 1).ravel()),
        "values": Expected(order.astype(np.int32).ravel()),
        "floats": Expected(np.sort(given["floats"].reshape(2, 512)).astype(np.float64).ravel()),
        "warp_scans": Expected(scans.astype(np.int32).ravel()),
        "warp_sorted": Expected(np.sort(pairs).astype(np.int32).ravel()),
        "bins": Expected(np.bincount(given["bytes"], minlength=256).astype(np.uint32)),
    }


def _pipeline_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.standard_normal(1024).astype(np.float32),
        "count": np.zeros(1, np.int32),
        "lock": np.array([1, 0, 0, 0], np.int32),
        "chain": np.zeros(8, np.uint32),
        "flags": np.zeros(4, np.uint32),
    }


def _pipelines(given: Arrays) -> dict[str, Expected]:
    x = given["x"]
    tiles = x.reshape(8, 128)[:, ::-1] + np.arange(8, dtype=np.float32)[:, None]
    mixed = 0
    for _ in range(128):
        mixed = (mixed * 3 + 1) % 2**32
    tiled = Expected(tiles.astype(np.float64).ravel())
    return {
        "doubled": Expected((x.reshape(4, 256)[:, ::-1] * 2).astype(np.float64).ravel()),
        "piped": tiled,
        "roles": tiled,
        "latched": Expected(3 * np.arange(96, dtype=np.int32)[::-1]),
        "count": Expected(np.array([6], np.int32)),
        "chain": Expected(np.array([3031, 128, mixed, 1, 2, 3, 4, 0], np.uint32)),
    }


def _tiles(given: Arrays) -> dict[str, Expected]:
    x = given["x"]
    fours = x.reshape(4, 64)
    two = np.concatenate([np.repeat(fours.sum(1), 64), np.repeat(fours[:, 37], 64)])
    labelled, odd = np.zeros(256, np.int64), np.full(256, -1)
    for start in range(0, 256, 32):
        for i in range(start, start + 32):
            same = [j for j in range(start, start + 32) if x[j] % 3 == x[i] % 3]
            labelled[i] = x[same].sum() * 100 + same.index(i)
            odds = [j for j in range(start, start + 32) if x[j] % 2]
            if x[i] % 2:
                odd[i] = len(odds) * 100 + odds.index(i) + 10000 * x[odds[0]]
    return {
        "two": Expected(two.astype(np.int32)),
        "by_value": Expected(np.concatenate([labelled, odd]).astype(np.int32)),
    }


def _heap(given: Arrays) -> dict[str, Expected]:
    i = np.arange(64)
    values = np.arange(20)[::-1] ** 2  # the last one made is the first
    sums = [int(values[:: t + 1].sum()) for t in range(32)]
    return {
        "areas": Expected(np.where(i % 2, i**2, 3 * i).astype(np.float64)),
        "sums": Expected(np.array(sums, np.int32)),
        "made": Expected(np.array([1, 0, 1], np.int32)),
    }


def _lane_inputs(rng: np.random.Generator) -> Arrays:
    x, y = rng.integers(0, 2**32, (2, 200), np.uint32)
    x[:6] = [0, 2**32 - 1, 0x80808080, 0x7F7F7F7F, 0x80008000, 0x7FFF8001]
    y[:6] = [0, 0x80008000, 2**32 - 1, 0x01017FFF, 0x80008000, 0xFFFF7FFF]
    return {"x": x, "y": y}


def _lanes(given: Arrays) -> dict[str, Expected]:
    def parts(word: np.ndarray, dtype: Any) -> np.ndarray:
        return word.view(dtype).reshape(len(word), -1).astype(np.int64)

    def join(values: np.ndarray) -> np.ndarray:
        narrow = np.uint16 if values.shape[1] == 2 else np.uint8
        return values.astype(narrow).reshape(-1).view(np.uint32)

    x, y = given["x"], given["y"]
    (s2, t2), (u2, v2) = ([parts(w, d) for w in (x, y)] for d in (np.int16, np.uint16))
    (s4, t4), (u4, v4) = ([parts(w, d) for w in (x, y)] for d in (np.int8, np.uint8))
    s, t = (w.view(np.int32).astype(np.int64) for w in (x, y))
    wrapped = (s + t).astype(np.int32).astype(np.int64)
    wrapped2 = (s2 + t2).astype(np.int16).astype(np.int64)
    rows = [
        join(s2 + t2), join(s4 + t4), join(s4 - t4), join(abs(u4 - v4)), join(abs(s4 - t4)),
        join((u4 + v4 + 1) >> 1), join((u4 + v4) >> 1), join(-(s4 > t4).astype(int)),
        join(-(u2 <= v2).astype(int)), join((u4 == v4).astype(int)), join(np.maximum(s4, t4)),
        join(np.minimum(u2, v2)), join(np.clip(s2 + t2, -(2**15), 2**15 - 1)),
        join(np.clip(u4 + v4, 0, 255)), join(np.clip(s4 - t4, -128, 127)),
        join(np.clip(-s2, -(2**15), 2**15 - 1)), join(abs(s4)), abs(u4 - v4).sum(1),
        abs(s2 - t2).sum(1), join(np.minimum(np.minimum(u2, v2), 5)),
        join(np.maximum(np.minimum(wrapped2, s2), 0)), np.maximum(wrapped, 77),
        join(np.maximum(u2, v2)), (u2 >= v2) @ [2, 1],
    ]  # fmt: skip
    return {"out": Expected(np.stack([row.astype(np.uint32) for row in rows]))}


CASES = [
    Case(
        name="cub",
        program="cub",
        archs=BOTH,
        make_inputs=_cub_inputs,
        outputs={
            "sums": ((8,), np.float32),
            "best": ((8,), np.float32),
            "best_at": ((8,), np.int32),
            "scan": ((2048,), np.int32),
            "values": ((1024,), np.int32),
            "warp_scans": ((128,), np.int32),
            "warp_sorted": ((256,), np.int32),
        },
        launches=lambda arch: [
            _launch("block_sum", 8, 128, "small", "sums", np.int32(1000)),
            _launch("block_best", 8, 128, "small", "best", "best_at", np.int32(1000)),
            _launch("block_scan", 4, 128, "ints", "scan"),
            _launch("radix_sort", 2, 128, "keys", "values"),
            _launch("merge_sort", 2, 128, "floats"),
            _launch("warps", 1, 128, "positive", "warp_scans", "warp_sorted"),
            _launch("block_histogram", 4, 128, "bytes", "bins"),
        ],
        reference=_cub,
        covers="CUB's algorithms of a block and of a warp",
    ),
    Case(
        name="pipelines",
        program="pipelines",
        archs=BOTH,
        make_inputs=_pipeline_inputs,
        outputs={
            "doubled": ((1024,), np.float32),
            "piped": ((1024,), np.float32),
            "roles": ((1024,), np.float32),
            "latched": ((96,), np.int32),
        },
        launches=lambda arch: [
            _launch("barrier_copy", 1, 64, "x", "doubled", np.int32(1024)),
            _launch("pipeline", 1, 128, "x", "piped", np.int32(1024)),
            _launch("roles", 1, 160, "x", "roles", np.int32(1024)),
            _launch("latch", 1, 96, "latched"),
            _launch("semaphore", 6, 1, "count", "lock"),
            _launch("chain", 4, 32, "chain", "flags"),
        ],
        reference=_pipelines,
        covers="libcu++: cuda::barrier, pipeline, latch, semaphore, atomic wait and notify",
    ),
    Case(
        name="tiles",
        program="tiles",
        archs=BOTH,
        make_inputs=lambda rng: {"x": rng.integers(0, 100, 256, np.int32)},
        outputs={"two": ((512,), np.int32), "by_value": ((512,), np.int32)},
        launches=lambda arch: [
            _launch("two_warps", 1, 256, "x", "two"),
            _launch("by_value", 1, 256, "x", "by_value"),
        ],
        reference=_tiles,
        covers="groups of several warps in the system's shared memory, labelled partitions",
    ),
    Case(
        name="heap",
        program="heap",
        archs=BOTH,
        make_inputs=lambda rng: {},
        outputs={
            "areas": ((64,), np.float32),
            "sums": ((32,), np.int32),
            "made": ((3,), np.int32),
        },
        launches=lambda arch: [
            _launch("objects", 1, 64, "areas"),
            _launch("list", 1, 32, "sums", np.int32(20)),
            _launch("too_much", 1, 1, "made"),
        ],
        reference=_heap,
        covers="malloc and free, operator new, virtual functions",
    ),
    Case(
        name="lanes",
        program="lanes",
        archs=BOTH,
        make_inputs=_lane_inputs,
        outputs={"out": ((24, 200), np.uint32)},
        launches=lambda arch: [_launch("lanes", 2, 128, "x", "y", "out", np.int32(200))],
        reference=_lanes,
        covers="SIMD intrinsics on bytes and halves",
    ),
]
