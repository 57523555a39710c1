# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program is drawn from a sequence of choices, and made smaller by making that smaller.

Each choice is an integer from 0 on, where lower is simpler; a sequence that ends early goes
on with zeros. So every sequence is a program, and reducing one needs to know nothing of
programs: parts are left out, and numbers lowered, as long as the program still fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence


class Choices:
    """A source of integers that remembers them: random ones, or a former sequence."""

    def __init__(self, source: random.Random | Sequence[int]) -> None:
        self._random = source if isinstance(source, random.Random) else None
        self._former = () if self._random else tuple(source)
        self.made: list[int] = []

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        if self._random:
            choice = self._random.randint(0, high - low)
        elif len(self.made) < len(self._former):
            choice = min(self._former[len(self.made)], high - low)
        else:
            choice = 0
        self.made.append(choice)
        return low + choice


def reduce(
    choices: Sequence[int], fails: Callable[[tuple[int, ...]], bool], budget: int
) -> tuple[int, ...]:
    """A sequence for which `fails` still holds, shorter and lower than the one given.

    `fails` is asked at most `budget` times, and never twice for one sequence.
    """
    best = _trimmed(choices)
    seen = {best}

    def accept(candidate: Sequence[int]) -> bool:
        nonlocal best, budget
        smaller = _trimmed(candidate)
        if budget <= 0 or smaller in seen or _size(smaller) >= _size(best):
            return False
        seen.add(smaller)
        budget -= 1
        if not fails(smaller):
            return False
        best = smaller
        return True

    improved = True
    while improved and budget > 0:
        improved = False
        for width in (64, 32, 16, 8, 4, 2, 1):
            at = len(best)
            while at > 0:  # the end of a program first: what came before stays as it is
                at -= width
                start, stop = max(at, 0), max(at, 0) + width
                improved |= accept(best[:start] + best[stop:])
                improved |= accept(best[:start] + (0,) * (stop - start) + best[stop:])
        for at in range(len(best)):
            while (
                at < len(best)
                and best[at]
                and (
                    accept(best[:at] + (best[at] // 2,) + best[at + 1 :])
                    or accept(best[:at] + (best[at] - 1,) + best[at + 1 :])
                )
            ):
                improved = True
    return best


def _trimmed(choices: Sequence[int]) -> tuple[int, ...]:
    """Without the zeros at the end, which mean nothing."""
    end = len(choices)
    while end and not choices[end - 1]:
        end -= 1
    return tuple(choices[:end])


def _size(choices: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    return len(choices), sum(choices), choices
