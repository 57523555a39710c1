# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Timing several functions against each other: interleaved, warmed up, medians."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from tilewright.testing.threads import wait_until_idle

Key = TypeVar("Key", bound=Hashable)

MIN_ROUNDS = 7
MAX_ROUNDS = 31
# Rounds are added to the least number until a contest has lasted this long.
SECONDS = 1.0
# One sample lasts at least this long: shorter functions are called several times.
SAMPLE_SECONDS = 0.002


def interleaved_medians(
    contestants: dict[Key, Sequence[Callable[[], Any]]],
) -> dict[Key, float]:
    """Median seconds of one call for each contestant, taken in turns.

    A contestant is one function, or several to be called in rotation (each on data of its
    own). Before its turn every thread of the process is asleep.
    """
    turns = {key: itertools.cycle(functions) for key, functions in contestants.items()}
    calls = {}
    estimate = 0.0
    for key, functions in contestants.items():
        for function in functions:  # first calls: compilation, page faults, caches
            function()
        once = min(_sample(turns[key], 1) for _ in range(2))
        calls[key] = max(1, round(SAMPLE_SECONDS / max(once, 1e-9)))
        estimate += once * calls[key]
    rounds = min(MAX_ROUNDS, max(MIN_ROUNDS, round(SECONDS / max(estimate, 1e-9))))
    samples: dict[Key, list[float]] = {key: [] for key in contestants}
    for _ in range(rounds):
        for key, turn in turns.items():
            wait_until_idle()
            samples[key].append(_sample(turn, calls[key]))
    return {key: statistics.median(times) for key, times in samples.items()}


def _sample(turn: itertools.cycle, calls: int) -> float:
    """Seconds of one call, from `calls` of them."""
    functions = [next(turn) for _ in range(calls)]
    start = time.perf_counter()
    for function in functions:
        function()
    return (time.perf_counter() - start) / calls
