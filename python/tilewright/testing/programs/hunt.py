# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawing many programs, and making those that fail small."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import json
import math
import random
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from tilewright.testing.programs.choices import Choices, reduce
from tilewright.testing.programs.drawing import draw_program
from tilewright.testing.programs.execute import CRASH, REFUSED, Verdict
from tilewright.testing.programs.program import Program, from_json, to_json
from tilewright.testing.programs.worker import Worker

# Failures of these kinds say what is wrong; a wrong result does not.
_TOLD = (REFUSED, CRASH)
# Programs of one share of a hunt.
_BATCH = 20
# Programs that may be looked at to make one that fails smaller.
_REDUCTIONS = 400


def drawn(choices: Choices) -> Program:
    """The program of a source of choices."""
    return draw_program(choices.integer)


def numbered(seed: int, number: int) -> Choices:
    """The choices of one program of a hunt: the same on every machine."""
    return Choices(random.Random(f"{seed} {number}"))


@dataclasses.dataclass(frozen=True)
class Failure:
    """A program that failed, as small as it could be made, and how."""

    program: Program
    verdict: Verdict

    @property
    def told(self) -> bool:
        """Whether the verdict says what is wrong, so that one of its kind is enough."""
        return self.verdict.status in _TOLD and "crashed" not in self.verdict.reason

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


def reduced(choices: Choices, failure: Failure, worker: Worker) -> Failure:
    """The same failure of a program as small as it can be made."""
    kept = failure

    def fails(sequence: tuple[int, ...]) -> bool:
        nonlocal kept
        program = drawn(Choices(sequence))
        if program == kept.program:
            return True
        found = Failure(program, worker.examine(program))
        if not found.verdict.failed or found.verdict.status != failure.verdict.status:
            return False
        if failure.told and found.signature != failure.signature:
            return False
        kept = found
        return True

    reduce(choices.made, fails, _REDUCTIONS)
    return kept


def examine_range(
    seed: int, numbers: range, worker: Worker, known: frozenset[str] = frozenset()
) -> tuple[collections.Counter, list[Failure]]:
    """Draw and examine programs: how many had which status, and the failures, reduced.

    Failures whose signature is `known` are counted and not kept.
    """
    counts: collections.Counter = collections.Counter()
    failures: list[Failure] = []
    for number in numbers:
        choices = numbered(seed, number)
        program = drawn(choices)
        verdict = worker.examine(program)
        counts[verdict.status] += 1
        failure = Failure(program, verdict)
        if verdict.failed and failure.signature not in known:
            failures.append(reduced(choices, failure, worker))
            if failure.told:
                known |= {failure.signature}
    return counts, failures


_worker: Worker | None = None


def _batch(
    seed: int, numbers: range, device: str, known: frozenset[str]
) -> tuple[collections.Counter, list[Failure]]:
    """A share of a hunt, in a process of its own."""
    global _worker
    if _worker is None:
        _worker = Worker(device)
    return examine_range(seed, numbers, _worker, known)


def hunt(
    count: int,
    seed: int,
    device: str = "cpu",
    jobs: int = 1,
    on_batch: Callable[[collections.Counter, list[Failure]], None] | None = None,
    seconds: float = math.inf,
) -> tuple[collections.Counter, list[Failure]]:
    """Examine `count` programs on `jobs` processes, or as many as are begun in some seconds.

    `on_batch` is called with the totals so far and the failures that are new.
    """
    ends = time.monotonic() + seconds
    total: collections.Counter = collections.Counter()
    found: list[Failure] = []
    known: frozenset[str] = frozenset()
    shares = [range(at, min(at + _BATCH, count)) for at in range(0, count, _BATCH)]
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        pending: set = set()
        while pending or shares:
            if time.monotonic() > ends:
                shares.clear()
            while shares and len(pending) < jobs:
                pending.add(pool.submit(_batch, seed, shares.pop(0), device, known))
            if not pending:
                break
            done, pending = concurrent.futures.wait(
                pending, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                counts, failures = future.result()
                total += counts
                found += failures
                known |= {f.signature for f in failures if f.told}
                if on_batch:
                    on_batch(total, failures)
    return total, found
