# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Timing several functions against each other: warmed up, interleaved, in rounds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from tilewright.testing.threads import wait_until_idle

Key = TypeVar("Key", bound=Hashable)

MIN_ROUNDS = 7
MAX_ROUNDS = 31
# Rounds are added to the least number until a contest has lasted this long.
SECONDS = 1.0
# One sample lasts at least this long: shorter functions are called several times.
SAMPLE_SECONDS = 0.02


def interleaved_samples(
    contestants: Mapping[Key, Sequence[Callable[[], Any]]],
    seconds: Mapping[Key, float],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Key, list[float]]:
    """Seconds of one call for each contestant, in each of at least MIN_ROUNDS rounds.

    A contestant is one function, or several to be called in rotation (each on data of its
    own), all of which were called before; `seconds` says what a call takes, roughly. In a
    round the contestants take turns, and before each turn every thread of the process is
    asleep. `clock` tells the seconds: `time.process_time` leaves out those in which another
    process had the core.
    """
    turns = {key: itertools.cycle(functions) for key, functions in contestants.items()}
    calls = {key: max(1, round(SAMPLE_SECONDS / max(seconds[key], 1e-9))) for key in turns}
    round_seconds = sum(seconds[key] * calls[key] for key in turns)
    rounds = min(MAX_ROUNDS, max(MIN_ROUNDS, round(SECONDS / max(round_seconds, 1e-9))))
    samples: dict[Key, list[float]] = {key: [] for key in contestants}
    for _ in range(rounds):
        for key, turn in turns.items():
            wait_until_idle()
            samples[key].append(_sample(turn, calls[key], clock))
    return samples


def _sample(turn: itertools.cycle, calls: int, clock: Callable[[], float]) -> float:
    """Seconds of one call, from `calls` of them."""
    functions = [next(turn) for _ in range(calls)]
    start = clock()
    for function in functions:
        function()
    return (clock() - start) / calls
