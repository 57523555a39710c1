# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawing many programs with hypothesis, which shrinks those that fail."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import functools
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import hypothesis
from hypothesis import strategies

from tilewright.testing.programs.drawing import draw_program
from tilewright.testing.programs.execute import CRASH, REFUSED, Verdict
from tilewright.testing.programs.program import Program, from_json, to_json
from tilewright.testing.programs.worker import Worker

_integers = functools.cache(strategies.integers)


@strategies.composite
def programs(draw: Callable) -> Program:
    """Programs that mean something; integers shrink, and so do they."""
    return draw_program(lambda low, high: draw(_integers(low, high)))


@dataclasses.dataclass(frozen=True)
class Failure:
    """A program that failed, as small as it could be made, and how."""

    program: Program
    verdict: Verdict

    @property
    def signature(self) -> str:
        """What failures of one cause have in common, as far as a message tells."""
        first = self.verdict.reason.strip().splitlines()[:1]
        last = self.verdict.reason.strip().splitlines()[-1:]
        words = last if self.verdict.status == CRASH else first
        return self.verdict.status + ": " + re.sub(r"[\w.]*\d[\w.]*", "N", " ".join(words))

    def write(self, folder: Path) -> Path:
        """Put it into a corpus: the text to read, the program to replay."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "found": f"{self.verdict.status}: {self.verdict.reason}".splitlines(),
            "text": self.program.text().splitlines(),
            "program": to_json(self.program),
        }
        text = json.dumps(document, indent=1)
        path = folder / f"{self.verdict.status}-{zlib.crc32(text.encode()):08x}.json"
        path.write_text(text + "\n")
        return path


def replayed(path: Path, device: str = "cpu") -> Verdict:
    """The verdict on a program of a corpus today."""
    program = from_json(json.loads(path.read_text())["program"])
    with Worker(device) as worker:
        return worker.examine(program)


class Found(Exception):
    """A program failed."""


def draw_and_examine(
    count: int, seed: int, worker: Worker, known: set[str] = frozenset()
) -> tuple[collections.Counter, list[Failure]]:
    """Draw so many programs and examine each: how many had which status, and the failures.

    Drawing stops at a first failure that is none of the `known` signatures, which is then
    shrunk. The same seed draws the same programs.
    """
    counts: collections.Counter = collections.Counter()
    failures: list[Failure] = []
    shrinking = False

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @hypothesis.given(programs())
    def examine(program: Program) -> None:
        nonlocal shrinking
        verdict = worker.examine(program)
        if not shrinking:
            counts[verdict.status] += 1
        if not verdict.failed:
            return
        failure = Failure(program, verdict)
        if failure.signature in known:
            return
        shrinking = True
        failures.append(failure)
        raise Found(failure.signature)

    try:
        examine()
    except (Found, hypothesis.errors.Flaky):
        # The last one that hypothesis ran is the smallest that failed.
        return counts, failures[-1:]
    return counts, []


_worker: Worker | None = None


def _batch(
    count: int, seed: int, device: str, known: frozenset[str]
) -> tuple[collections.Counter, list[Failure]]:
    """A share of a hunt, in a process of its own."""
    global _worker
    if _worker is None:
        _worker = Worker(device)
    return draw_and_examine(count, seed, _worker, known)


def hunt(
    count: int,
    seed: int,
    device: str = "cpu",
    jobs: int = 1,
    batch: int = 100,
    on_batch: Callable[[collections.Counter, list[Failure]], None] | None = None,
) -> tuple[collections.Counter, list[Failure]]:
    """Examine about `count` programs in batches on `jobs` processes.

    `on_batch` is called with the totals so far and the failures that are new.
    """
    total: collections.Counter = collections.Counter()
    found: list[Failure] = []
    known: set[str] = set()
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        pending, number = set(), 0
        while pending or sum(total.values()) < count:
            while len(pending) < jobs and sum(total.values()) + len(pending) * batch < count:
                pending.add(
                    pool.submit(_batch, batch, seed * 1_000_000 + number, device,
                                frozenset(known))
                )  # fmt: skip
                number += 1
            done, pending = concurrent.futures.wait(
                pending, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                counts, failures = future.result()
                total += counts
                found += failures
                # A wrong result tells nothing of its cause, so those are looked at again.
                known |= {f.signature for f in failures if f.verdict.status in (REFUSED, CRASH)}
                if on_batch:
                    on_batch(total, failures)
    return total, found
