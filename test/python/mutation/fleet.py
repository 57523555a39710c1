"""Judges mutants in processes of their own, so that a crash or an endless run is a verdict.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from .mutations import Mutant
from .verdict import Verdict, judge

SECONDS = 60  # a mutant takes a tenth of one; the rest is for a busy machine


def _work(pipe: Connection) -> None:
    while True:
        mutant = pipe.recv()
        with contextlib.redirect_stdout(io.StringIO()):
            verdict = judge(mutant)
        pipe.send(verdict)


class _Worker:
    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.mutant: Mutant | None = None
        self.started = 0.0

    def begin(self, mutant: Mutant) -> None:
        self.mutant, self.started = mutant, time.monotonic()
        self.pipe.send(mutant)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def judged(mutants: list[Mutant], workers: int = 2) -> Iterator[tuple[Mutant, Verdict]]:
    """The verdict of each mutant, in the order in which they are found."""
    waiting = list(reversed(mutants))
    busy = [_Worker() for _ in range(min(workers, len(mutants)))]
    for worker in busy:
        worker.begin(waiting.pop())
    while busy:
        ready = wait([w.pipe for w in busy], timeout=1.0)
        for worker in list(busy):
            late = time.monotonic() - worker.started > SECONDS
            if worker.pipe not in ready and not late:
                continue
            mutant = worker.mutant
            try:
                verdict = worker.pipe.recv() if worker.pipe in ready else None
            except EOFError:
                worker.process.join()
                verdict = Verdict("WRONG death", f"exit code {worker.process.exitcode}")
            if verdict is None:
                verdict = Verdict("WRONG hang", f"not done after {SECONDS} s")
            if verdict.outcome in ("WRONG death", "WRONG hang"):
                worker.end()
                busy[busy.index(worker)] = worker = _Worker()
            yield mutant, verdict
            if waiting:
                worker.begin(waiting.pop())
            else:
                worker.end()
                busy.remove(worker)
