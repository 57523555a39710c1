# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who is worth timing: a quick look at every contestant before the rounds.

A peer library often has a recipe that is a hundred times slower than its best on this
machine (bf16 products without bf16 instructions). Seven rounds of it would tell nothing.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tilewright.testing.case import Case, Peer, Tensors
from tilewright.testing.threads import wait_until_idle

OURS = ("tilewright", "")

# A contestant is a library and its recipe, as functions to be called in rotation.
Key = tuple[str, str]
Functions = Sequence[Callable[[], Any]]

# Calls under so many seconds are short: a look at them may be off, and rounds cost little.
SHORT = 0.05
# A library this many times slower than the fastest peer gets no rounds; the figure of the
# look stands for it. The first is for fastest peers whose calls are short.
FAR = 3.0
FAR_WHERE_LONG = 2.0
# Recipes of one library this close to its best are told apart by rounds, if they are short.
CLOSE = 1.25
# From this many seconds on, a first call's own cost (pages, threads) is lost in the call.
LONG = 1.0
ENDLESS = 10.0
# A recipe is not called again where that would be long and it was this many times slower
# than its library's best: at other cases (one look tells if it is BY_FAR, or the call would
# be ENDLESS), and at the same case.
HOPELESS = 10.0
BY_FAR = 30.0
SURE = 1.5


def quick_look(functions: Functions) -> float:
    """Seconds of a call, roughly: the best of three, of two from SHORT on, of one from LONG.

    Every function is called at least once, unless the first call is long.
    """
    calls = 0
    best = float("inf")
    while calls < (1 if best >= LONG else max(len(functions), 2 if best >= SHORT else 3)):
        start = time.perf_counter()
        functions[calls % len(functions)]()
        best = min(best, time.perf_counter() - start)
        calls += 1
    return best


@dataclasses.dataclass(frozen=True)
class Look:
    """What a look at a recipe told: its time, and how many times that of its best sibling.

    `least` are the seconds that the machine's limits allow for the work.
    """

    case: str
    threads: int
    least: float
    seconds: float
    times_best: float


class Experience:
    """The last two looks at each recipe of a kernel and dtype, over the cases of a run."""

    def __init__(self) -> None:
        self._looks: dict[tuple[str, str, Key], list[Look]] = {}

    def hopeless(self, case: Case, key: Key, threads: int, least: float) -> bool:
        """Whether a look would be long, and cannot find its library's best recipe.

        It is long if the time grows as the work does. It is in vain for a recipe that, in
        this case with other threads, was slower than a sibling by more than threads make
        of a difference; and for one that in other cases was HOPELESS, even if it alone
        gained from more threads: at two looks, or at one by far or where the call would be
        endless (a look may have been disturbed).
        """
        looks = self._looks.get((case.kernel, case.dtype, key), [])
        last = looks[-1] if looks else None
        expected = last.seconds * least / last.least if last else 0.0
        if expected < LONG:
            return False
        difference = max(threads / last.threads, last.threads / threads)
        if last.case == case.id and last.times_best >= SURE * difference:
            return True
        gain = max(1.0, threads / max(look.threads for look in looks))
        least_times = min(look.times_best for look in looks)
        sure = len(looks) == 2 or expected >= ENDLESS or least_times >= BY_FAR
        return sure and least_times >= HOPELESS * gain

    def learn(self, case: Case, looks: dict[Key, float], threads: int, least: float) -> None:
        """Remembers the looks at one case."""
        best = best_of_each(looks)
        for key, seconds in looks.items():
            look = Look(case.id, threads, least, seconds, seconds / looks[best[key[0]]])
            known = self._looks.setdefault((case.kernel, case.dtype, key), [])
            known[:] = [*known[-1:], look]


class Field:
    """The contestants of one case; a recipe is prepared when it is first wanted."""

    def __init__(self, case: Case, sets: Sequence[Tensors], ours: Functions) -> None:
        self.case = case
        self.peers: dict[Key, Peer] = {(p.name, p.recipe): p for p in case.peers}
        self.functions: dict[Key, Functions] = {OURS: ours}
        self._sets = sets

    def prepare(self, wanted: Iterable[Key]) -> None:
        """Converts the inputs for peers; recipes that do not work here are dropped."""
        for key in wanted:
            if key in self.peers and key not in self.functions:
                self._try(key, lambda key=key: self._enter(key))

    def look(self, wanted: Iterable[Key]) -> dict[Key, float]:
        """A quick look at each of the prepared contestants in `wanted`."""
        looks: dict[Key, float] = {}
        for key in wanted:
            if key in self.functions:
                self._try(key, lambda key=key: looks.update({key: self._look(key)}))
        return looks

    def _enter(self, key: Key) -> None:
        prepare = self.peers[key].prepare
        self.functions[key] = [prepare(inputs) for inputs in self._sets]

    def _look(self, key: Key) -> float:
        wait_until_idle()
        return quick_look(self.functions[key])

    def _try(self, key: Key, step: Callable[[], None]) -> None:
        """Runs a step of a peer; one that fails is named on stderr, unless not installed."""
        try:
            step()
        except Exception as error:
            if key == OURS:
                raise
            del self.peers[key]
            self.functions.pop(key, None)
            if not isinstance(error, ImportError):
                what = f"{type(error).__name__}: {error}".splitlines()[0]
                name, recipe = key
                print(f"{self.case.id}: {name} ({recipe}) fails: {what}", file=sys.stderr)


def best_of_each(looks: dict[Key, float]) -> dict[str, Key]:
    """The fastest recipe of each library."""
    best: dict[str, Key] = {}
    for key, seconds in looks.items():
        if key[0] not in best or seconds < looks[best[key[0]]]:
            best[key[0]] = key
    return best


def worth_rounds(looks: dict[Key, float]) -> list[Key]:
    """The contestants to time in rounds: ours, and what could be the fastest peer."""
    best = best_of_each(looks)
    peers = [looks[key] for name, key in best.items() if name != OURS[0]]
    fastest = min(peers, default=0.0)
    enough = fastest * (FAR if fastest < SHORT else FAR_WHERE_LONG)

    def worth(key: Key) -> bool:
        first = best[key[0]]
        if key == OURS or looks[first] > enough:
            return key == OURS
        return key == first or looks[key] <= min(SHORT, CLOSE * looks[first])

    return [key for key in looks if worth(key)]
