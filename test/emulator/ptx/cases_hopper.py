"""mbarriers, bulk copies, clusters and the small instructions of sm_90.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case, Expected, Launch
from numerics import BF16

BOTH = ("sm_80", "sm_90a")
HOPPER = ("sm_90a",)


def _barrier_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.integers(-1000, 1000, (7, 32), np.int32),
        "copied": rng.integers(0, 2**31, (64, 4), np.int32),
    }


def _barriers(inputs: Arrays) -> dict[str, Expected]:
    made = (inputs["x"] + np.arange(7)[:, None])[:, ::-1]
    i = np.arange(64)
    rounds = i % 8 + 1
    return {
        "slots": Expected(made.astype(np.int32)),
        # Completed, not before its time, and with a count that was right.
        "counts": Expected(np.full(64, 5, np.int32)),
        "reversed": Expected(inputs["copied"][::-1].copy()),
        # The sum with the partner doubles in every further round.
        "rounds": Expected(((i + (i ^ 8)) * 2 ** (rounds - 1)).astype(np.int32)),
    }


def _barriers_hopper(inputs: Arrays) -> dict[str, Expected]:
    polls = np.array([0, 0, 1, 0, 1], np.int32)
    return _barriers(inputs) | {"polls": Expected(polls)}


def _barrier_launches(arch: str) -> list[Launch]:
    launches = [
        Launch("slots", (1, 1, 1), (64, 1, 1), ["x", "slots", np.int32(7)]),
        Launch("counts", (1, 1, 1), (64, 1, 1), ["counts"]),
        Launch("copies", (1, 1, 1), (64, 1, 1), ["copied", "reversed"]),
        Launch("library", (1, 1, 1), (64, 1, 1), ["rounds"]),
    ]
    if arch == "sm_90a":
        launches.append(Launch("transactions", (1, 1, 1), (32, 1, 1), ["polls"]))
    return launches


BARRIER_OUTPUTS = {
    "slots": ((7, 32), np.int32),
    "counts": ((64,), np.int32),
    "reversed": ((64, 4), np.int32),
    "rounds": ((64,), np.int32),
}


def _bulk_inputs(rng: np.random.Generator) -> Arrays:
    reduced = np.zeros((7, 64), np.uint32)
    reduced[[2, 4]] = [[2**31 - 1], [2**32 - 1]]
    return {
        "small": rng.integers(0, 256, (5, 48), np.uint8),
        "large": rng.integers(0, 256, (3, 1008), np.uint8),
        "words": rng.integers(0, 2**32, (3, 64), np.uint32),
        "reduced": reduced,
        "x": rng.integers(-20, 20, (3, 32)).astype(np.float32),
        "f": np.zeros(64, np.float32),
        "d": np.zeros(32),
        "h": np.zeros((2, 128), np.float16),
        "b": np.zeros(128, BF16),
        "ring": rng.integers(-1000, 1000, (8, 64), np.int32),
    }


def _bulk(inputs: Arrays) -> dict[str, Expected]:
    words = inputs["words"]
    long = words.view(np.uint64)
    reduced = [
        words.sum(0, dtype=np.uint32),
        long.sum(0, dtype=np.uint64).view(np.uint32),
        words.view(np.int32).min(0).view(np.uint32),
        words.max(0),
        np.bitwise_and.reduce(words, 0),
        np.bitwise_or.reduce(words, 0),
        np.bitwise_xor.reduce(words, 0),
    ]
    x = inputs["x"].astype(np.float64)
    total = x.sum(0)
    # Word i of a row of halves holds 2 x low and x high; both halves of the row are alike.
    pairs = np.tile(np.stack([2 * total, total], 1).reshape(-1), 2)
    largest = np.tile(np.stack([2 * x, x], 2).max(0).reshape(-1), 2)
    rank = np.arange(8) % 4
    sent = inputs["ring"] * (rank + 1)[:, None].astype(np.int32)
    return {
        "small_out": Expected(inputs["small"] ^ np.uint8(0x5A)),
        "large_out": Expected(inputs["large"] ^ np.uint8(0x5A)),
        "reduced": Expected(np.stack(reduced)),
        "f": Expected(np.concatenate([total, -total])),
        "d": Expected(total),
        "h": Expected(np.stack([pairs, np.maximum(largest, 0)])),
        "b": Expected(pairs),
        "ring_out": Expected(np.roll(sent.reshape(2, 4, 64), 1, 1).reshape(8, 64)),
    }


def _bulk_launches(arch: str) -> list[Launch]:
    return [
        Launch(
            "there_and_back",
            (5, 1, 1),
            (32, 1, 1),
            ["small", "small_out", np.int32(48)],
            shared=48,
        ),
        Launch(
            "there_and_back",
            (3, 1, 1),
            (64, 1, 1),
            ["large", "large_out", np.int32(1008)],
            shared=1008,
        ),
        Launch("reductions", (3, 1, 1), (32, 1, 1), ["words", "reduced"]),
        Launch("float_reductions", (3, 1, 1), (32, 1, 1), ["x", "f", "d", "h", "b"]),
        Launch("ring", (8, 1, 1), (64, 1, 1), ["ring", "ring_out"], cluster=(4, 1, 1)),
    ]


def _cluster_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "data": np.minimum(rng.exponential(50, 3000), 255).astype(np.uint8),
        "bins": np.zeros(256, np.uint32),
        "x": rng.integers(-1000, 1000, (2, 4, 32), np.int32),
        "sent": rng.integers(-1000, 1000, 8, np.int32),
    }


def _cluster(inputs: Arrays) -> dict[str, Expected]:
    grid, cluster = (4, 3, 2), (2, 3, 1)
    shapes = []
    for z in range(grid[2]):
        for y in range(grid[1]):
            for x in range(grid[0]):
                at = [v % c for v, c in zip((x, y, z), cluster)]
                which = [v // c for v, c in zip((x, y, z), cluster)]
                count = [g // c for g, c in zip(grid, cluster)]
                rank = at[0] + cluster[0] * (at[1] + cluster[1] * at[2])
                shapes.append([*at, *cluster, rank, 6, *which, *count, 1, 1])
    x = inputs["x"]
    lane = np.arange(32)
    seen = np.zeros((2, 4, 32, 3), np.int32)
    for row in range(2):
        for column in range(4):
            # Ranks are column % 2 + 2 row: flipping bit 0 is the neighbour in the row.
            beside, below = x[row, column ^ 1], x[row ^ 1, column]
            seen[row, column, :, 0] = beside[31 - lane]
            seen[row, column, :, 1] = below[(lane + 5) % 32]
            # The one diagonally across wrote what its own neighbour had, times 7.
            seen[row, column, :, 2] = x[row ^ 1, column][31 - lane] * 7
    return {
        "shapes": Expected(np.array(shapes, np.uint32)),
        "bins": Expected(np.bincount(inputs["data"], minlength=256).astype(np.uint32)),
        "seen": Expected(seen),
        "received": Expected(np.stack([inputs["sent"], inputs["sent"] * 3], 1)),
    }


def _cluster_launches(arch: str) -> list[Launch]:
    return [
        Launch("shapes", (4, 3, 2), (32, 1, 1), ["shapes"], cluster=(2, 3, 1)),
        Launch(
            "histogram",
            (8, 1, 1),
            (64, 1, 1),
            ["data", "bins", np.int32(3000)],
            cluster=(4, 1, 1),
        ),
        Launch("neighbours", (4, 2, 1), (32, 1, 1), ["x", "seen"], cluster=(2, 2, 1)),
        Launch("signals", (8, 1, 1), (32, 1, 1), ["sent", "received"], cluster=(4, 1, 1)),
    ]


def _misc_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "data": rng.integers(-1000, 1000, 96, np.int32),
        "x": rng.integers(-1000, 1000, 64, np.int32),
        "wide": rng.integers(-1000, 1000, (64, 4), np.int32),
        "f": np.zeros(8, np.float32),
        "ones": np.zeros(8, BF16),
        "y": rng.integers(-20, 20, 64).astype(np.float32),
    }


def _misc(inputs: Arrays) -> dict[str, Expected]:
    total = inputs["y"].astype(np.float64).sum()
    return {
        "data": Expected(inputs["data"] + np.int32(6)),
        "elected": Expected(np.ones(64, np.int32)),
        "hinted": Expected(inputs["x"] * 3),
        "turned": Expected(inputs["wide"][:, ::-1].copy()),
        "f": Expected(np.array([total, -total, 0, 0, total, total, 2 * total, 2 * total])),
        "ones": Expected(np.array([64.0] * 4 + [0.0] * 4)),
        "groups": Expected(np.repeat(np.arange(2), 128).astype(np.int32)),
    }


CASES = [
    *(
        Case(
            name="mbarriers" if arch == "sm_80" else f"mbarriers_{arch}",
            program="mbarriers",
            archs=(arch,),
            make_inputs=_barrier_inputs,
            outputs=BARRIER_OUTPUTS | ({"polls": ((5,), np.int32)} if arch != "sm_80" else {}),
            launches=_barrier_launches,
            reference=_barriers if arch == "sm_80" else _barriers_hopper,
            covers="arrive, test_wait, noComplete, cp.async arrivals, cuda::barrier; expect_tx",
        )
        for arch in BOTH
    ),
    Case(
        name="bulk",
        program="bulk",
        archs=HOPPER,
        make_inputs=_bulk_inputs,
        outputs={
            "small_out": ((5, 48), np.uint8),
            "large_out": ((3, 1008), np.uint8),
            "ring_out": ((8, 64), np.int32),
        },
        launches=_bulk_launches,
        reference=_bulk,
        covers="cp.async.bulk both ways and between blocks, cp.reduce.async.bulk",
    ),
    Case(
        name="cluster",
        program="cluster",
        archs=HOPPER,
        make_inputs=_cluster_inputs,
        outputs={
            "shapes": ((24, 16), np.uint32),
            "seen": ((2, 4, 32, 3), np.int32),
            "received": ((8, 2), np.int32),
        },
        launches=_cluster_launches,
        reference=_cluster,
        covers="mapa, ld red st.async on shared::cluster, remote arrivals, special registers",
    ),
    Case(
        name="hopper_misc",
        program="hopper_misc",
        archs=HOPPER,
        make_inputs=_misc_inputs,
        outputs={
            "elected": ((64,), np.int32),
            "hinted": ((64,), np.int32),
            "turned": ((64, 4), np.int32),
            "groups": ((256,), np.int32),
        },
        launches=lambda arch: [
            *[Launch("dependent", (3, 1, 1), (32, 1, 1), ["data"])] * 2,
            Launch("elections", (1, 1, 1), (64, 1, 1), ["elected"]),
            Launch("hints", (2, 1, 1), (32, 1, 1), ["x", "hinted", "wide", "turned"]),
            Launch("vectors", (2, 1, 1), (32, 1, 1), ["f", "y", "ones"]),
            Launch("registers", (1, 1, 1), (256, 1, 1), ["groups"]),
        ],
        reference=_misc,
        covers="griddepcontrol, elect.sync, cache hints, vector atomics, setmaxnreg",
    ),
]
