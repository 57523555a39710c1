"""Asynchronous copies, barriers, groups, printing, clocks: what needs more than one warp's
own progress.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from case import Arrays, Case, Expected, Launch
from numerics import dot

BOTH = ("sm_80", "sm_90a")


def _copies_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "in": rng.integers(1, 256, 512, np.uint8),
        "out": np.zeros(3200, np.uint8),
        "a": rng.standard_normal((100, 136)).astype(np.float16),
        "b": rng.standard_normal((136, 120)).astype(np.float16),
    }


def _copies(inputs: Arrays) -> dict[str, Expected]:
    data, out = inputs["in"], np.zeros(3200, np.uint8)
    for at, size in ((0, 128), (512, 256), (1024, 512), (1536, 512)):
        out[at : at + size] = data[:size]
    lane = np.arange(32)
    for at, size, count in (
        (2048, 16, np.minimum(lane, 16)),
        (2560, 8, np.minimum(lane, 8)),
        (3072, 4, lane % 2 * 4),
    ):
        inside = np.arange(size) < count[:, None]
        part = data[: 32 * size].reshape(32, size)
        out[at : at + 32 * size] = np.where(inside, part, 0).reshape(-1)
    return {"out": Expected(out), "c": dot(inputs["a"], inputs["b"])}


def _barrier_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "steps": rng.integers(-1000, 1000, (3, 7, 64), np.int32),
        "x": rng.integers(-10, 10, 128, np.int32),
        "others": np.zeros((4, 128), np.int32),
    }


def _barriers(inputs: Arrays) -> dict[str, Expected]:
    made = inputs["steps"][:, :, ::-1] * 3 + np.arange(7)[:, None]
    x, others = inputs["x"], np.zeros((4, 128), np.int32)
    i = np.arange(128)
    for round_ in range(3):
        pairs = i if round_ == 0 else i[64:]  # the first pair has one round only
        others[round_, pairs] = x[pairs ^ 33] + round_
    positive = (x.reshape(2, 64) > 0).sum(1)
    others[3] = np.repeat(positive, 64)
    return {
        "made": Expected(made.astype(np.int32)),
        "others": Expected(others),
        "left": Expected(x[:96][::-1].copy()),
    }


def _group_inputs(rng: np.random.Generator) -> Arrays:
    return {
        "x": rng.integers(-100, 100, 150, np.int32),
        "even": rng.integers(-100, 100, 256, np.int32),
        "arrived": np.zeros(1, np.uint32),
        "generation": np.zeros(1, np.uint32),
    }


def _groups(inputs: Arrays) -> dict[str, Expected]:
    v = np.zeros(192, np.int64)
    v[:150] = inputs["x"]
    warp, half, four = (v.reshape(-1, n) for n in (32, 16, 4))

    def spread(values: np.ndarray, n: int) -> np.ndarray:
        return np.repeat(values, n)

    threes = (v % 3 == 0).reshape(-1, 32)
    rank = np.cumsum(threes, 1) - 1
    positive = (warp > 0).sum(1)
    ballot = ((four > 0) * (1 << np.arange(4))).sum(1)
    columns = [
        spread(warp.sum(1), 32),
        spread(half.max(1), 16),
        spread(four[:, 2], 4) + np.arange(192) // 4 % 4,
        np.cumsum(half, 1).reshape(-1),
        (np.cumsum(warp, 1) - warp).reshape(-1),
        spread(ballot | ((four > 50).any(1) << 8), 4),
        np.where(threes, threes.sum(1)[:, None] * 1000 + rank, 0).reshape(-1),
        np.where(v > 0, spread(positive, 32), 32 - spread(positive, 32)),
    ]
    return {
        "tiles": Expected(np.stack(columns, 1)[:150].astype(np.int32)),
        **_rounds(inputs),
        "arrived": Expected(np.zeros(1, np.uint32)),
        "generation": Expected(np.array([3], np.uint32)),
    }


def _rounds(inputs: Arrays) -> dict[str, Expected]:
    steps = [inputs["even"]]
    for _ in range(3):
        steps.append(np.roll(steps[-1], -1) + np.roll(steps[-1], 1))
    return {"even": Expected(steps[2]), "odd": Expected(steps[3])}


PRINTED = np.array([1, 9, 3, 0, 2, 7, 63, 5], np.int32)
REALS = np.array([3.14159, -1.5e300, 0.1])


def _text() -> tuple[str, ...]:
    lines = ["no arguments"]
    for i, v in enumerate(PRINTED.tolist()):
        if v > 2:
            kind = "odd" if v % 2 else "even"
            lines.append(f"{i}: {v:5d}|{v * 255:<6x}|{kind}|{chr(97 + i)}|{v << 40}")
    a, b, c = REALS[0], REALS[1], float(np.float32(REALS[2]))
    lines.append(f"{a:.3f} {b:e} {c:g} {-a:8.2f} % {2**32 - 1} 0x1234")
    return tuple(lines)


def _print_inputs(rng: np.random.Generator) -> Arrays:
    x = rng.integers(0, 60, 64, np.int32)
    return {"print": PRINTED, "d": REALS, "x": x, "assert": _with(x, 95), "trap": _with(x, 63)}


def _with(x: np.ndarray, value: int) -> np.ndarray:
    changed = x.copy()
    changed[45] = value
    return changed


def _clock_inputs(rng: np.random.Generator) -> Arrays:
    return {"flags": np.zeros(9, np.uint32)}


def _clocks(inputs: Arrays) -> dict[str, Expected]:
    rows = []
    for bz in range(2):
        for by in range(3):
            for bx in range(2):
                for lane in range(24):
                    eq = 1 << lane
                    masks = [eq, 2 * eq - 1, 2**32 - 2 * eq, 2**32 - eq]
                    x, y, z = lane % 4, lane // 4 % 3, lane // 12
                    row = [x, y, z, 4, 3, 2, bx, by, bz, 2, 3, 2, lane, *masks, 1, 1024, 1]
                    rows.append(row)
    data = [[10 * i for i in range(64)]]
    for _ in range(8):
        data.append([data[-1][(i + 1) % 64] + 1 for i in range(64)])
    return {
        "times": Expected(np.full(64, 7, np.int32)),
        "registers": Expected(np.array(rows, np.uint32)),
        "data": Expected(np.array(data, np.int32)),
        "flags": Expected(np.ones(9, np.uint32)),
    }


def _printing(name: str, launch: Launch, **how: object) -> Case:
    return Case(
        name=name,
        program="print",
        archs=BOTH,
        make_inputs=_print_inputs,
        outputs={"out": ((64,), np.int32)},
        launches=lambda arch: [launch],
        reference=lambda inputs: {},
        **how,
    )


CASES = [
    Case(
        name="cp_async",
        program="cp_async",
        archs=BOTH,
        make_inputs=_copies_inputs,
        outputs={"c": ((100, 120), np.float32)},
        launches=lambda arch: [
            Launch("copies", (1, 1, 1), (32, 1, 1), ["in", "out"]),
            Launch(
                "product",
                (2, 2, 1),
                (128, 1, 1),
                ["a", "b", "c", np.int32(100), np.int32(120), np.int32(136)],
                shared=3 * 2 * (64 * 40 + 32 * 72),
            ),
        ],
        reference=_copies,
        covers="cp.async ca 4 8 16, cg 16, src-size, groups; three stages, ldmatrix, mma",
    ),
    Case(
        name="named_barriers",
        program="named_barriers",
        archs=BOTH,
        make_inputs=_barrier_inputs,
        outputs={"made": ((3, 7, 64), np.int32), "left": ((96,), np.int32)},
        launches=lambda arch: [
            Launch("pipeline", (3, 1, 1), (128, 1, 1), ["steps", "made", np.int32(7)]),
            Launch("pairs", (1, 1, 1), (128, 1, 1), ["x", "others"]),
            Launch("leavers", (1, 1, 1), (128, 1, 1), ["x", "left"]),
        ],
        reference=_barriers,
        covers="bar.sync, bar.arrive and bar.red with numbers and counts from registers",
    ),
    Case(
        name="groups",
        program="groups",
        archs=BOTH,
        make_inputs=_group_inputs,
        outputs={"tiles": ((150, 8), np.int32), "odd": ((256,), np.int32)},
        launches=lambda arch: [
            Launch("tiles", (3, 1, 1), (64, 1, 1), ["x", "tiles", np.int32(150)]),
            Launch(
                "grid_rounds",
                (4, 1, 1),
                (64, 1, 1),
                ["even", "odd", "arrived", "generation", np.int32(256)],
            ),
        ],
        reference=_groups,
        covers="tiles, coalesced groups, scans; a barrier of the grid by atomics",
    ),
    Case(
        name="grid_sync",
        program="grid_sync",
        archs=BOTH,
        make_inputs=lambda rng: {"even": rng.integers(-100, 100, 256, np.int32)},
        outputs={"odd": ((256,), np.int32)},
        launches=lambda arch: [
            Launch(
                "rounds",
                (4, 1, 1),
                (64, 1, 1),
                ["even", "odd", np.int32(256)],
                cooperative=True,
            )
        ],
        reference=_rounds,
        covers="grid.sync: envreg1 and envreg2 point to a workspace",
    ),
    _printing(
        "print",
        Launch("print", (2, 1, 1), (4, 1, 1), ["print", "d"]),
        text=_text(),
        covers="vprintf with all kinds of arguments",
    ),
    _printing(
        "assert", Launch("check", (1, 1, 1), (64, 1, 1), ["assert", "out"]), error="assert"
    ),
    _printing("trap", Launch("stop", (1, 1, 1), (64, 1, 1), ["trap", "out"]), error="trap"),
    Case(
        name="clocks",
        program="clocks",
        archs=BOTH,
        make_inputs=_clock_inputs,
        outputs={
            "times": ((64,), np.int32),
            "registers": ((288, 20), np.uint32),
            "data": ((9, 64), np.int32),
        },
        launches=lambda arch: [
            Launch("time_passes", (2, 1, 1), (32, 1, 1), ["times"]),
            Launch("registers", (2, 3, 2), (4, 3, 2), ["registers"], shared=1024),
            Launch("pass_on", (9, 1, 1), (64, 1, 1), ["data", "flags"]),
        ],
        reference=_clocks,
        covers="clock64, globaltimer, nanosleep, special registers, release and acquire",
    ),
]
