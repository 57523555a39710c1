"""Programs do the same whatever transformations run on them: none, or one alone.

A transformation is a pass that makes code better and that no other pass needs. With all of
them programs run in test_drawn.py.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import pytest

from programs.partial import PartialWorker
from tilewright.testing.programs import examine_range

EVERYWHERE = ["canonicalize", "cse", "prove-bounds", "loop-invariant-code-motion"]
ON_GPUS = [
    *EVERYWHERE,
    "spread-rows",
    "vectorize-accesses",
    "swizzle-tiles",
    "narrow-loops",
]
TRANSFORMATIONS = {
    "cpu": [
        *EVERYWHERE,
        "cpu-specialize-sizes",
        "cpu-fit-tiles",
        "cpu-fuse-blocks",
        "cpu-split-blocks",
        "cpu-split-sums",
        "cpu-fuse-loops",
        "cpu-merge-steps",
        "cpu-forward-copies",
        "cpu-share-panels",
        "cpu-finish-products",
        "cpu-trim-rows",
        "cpu-prefetch-blocks",
        "cpu-read-in-place",
        "cpu-split-panels",
        "cpu-prefetch-steps",
        "cpu-skip-unit-scales",
        "cpu-stream-stores",
        "cpu-overlap-blocks",
        "cpu-native-casts",
        "cpu-native-math",
    ],
    "cuda-emulator:sm_80": ON_GPUS,
    "hip-emulator:gfx942": [*ON_GPUS, "hip-buffer-accesses"],
}
SEED = 2028
COUNT, COUNT_ON_GPUS = 12, 3

RUNS = [
    pytest.param(target, alone, id=f"{target}-{alone or 'none'}")
    for target, passes in TRANSFORMATIONS.items()
    for alone in ["", *passes]
]


@pytest.mark.parametrize(("target", "alone"), RUNS)
def test_one_transformation_alone(target, alone):
    passes = TRANSFORMATIONS[target]
    count = COUNT if target == "cpu" else COUNT_ON_GPUS
    first = COUNT * (passes.index(alone) + 1 if alone else 0)  # other programs for each
    with PartialWorker(target, [p for p in passes if p != alone]) as worker:
        counts, failures = examine_range(SEED, range(first, first + count), worker)
    assert not failures, f"{failures[0].verdict}\n{failures[0].program.text()}"
    assert counts["pass"] >= 0.9 * count, counts  # few are drawn that mean nothing
