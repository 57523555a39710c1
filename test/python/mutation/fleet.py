"""Judges mutants in processes of their own, so that a crash or an endless run is a verdict.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from .mutations import Mutant
from .verdict import Verdict, explained, judge

# A mutant takes a tenth of a second. On a busy machine, or where it waits for something, the
# clock says less than the work that was done.
WORK_SECONDS, CLOCK_SECONDS = 20, 300


def _work(pipe: Connection) -> None:
    while True:
        mutant, ended = pipe.recv()
        with contextlib.redirect_stdout(io.StringIO()):
            verdict = explained(mutant, ended) if ended else judge(mutant)
        pipe.send(verdict)


class _Worker:
    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.mutant: Mutant | None = None
        self.ended: Verdict | None = None
        self.started = self.before = 0.0

    def begin(self, mutant: Mutant, ended: Verdict | None = None) -> None:
        """Has a mutant judged, or how it `ended` a worker before explained."""
        self.mutant, self.ended = mutant, ended
        self.started, self.before = time.monotonic(), self._worked()
        self.pipe.send((mutant, ended))

    def is_late(self) -> bool:
        """Whether the mutant has had more than enough time."""
        if time.monotonic() - self.started > CLOCK_SECONDS:
            return True
        return self._worked() - self.before > WORK_SECONDS

    def _worked(self) -> float:
        """Seconds of a CPU that the process has used."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

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
            if worker.pipe not in ready and not worker.is_late():
                continue
            mutant = worker.mutant
            try:
                verdict = worker.pipe.recv() if worker.pipe in ready else None
            except EOFError:
                worker.process.join()
                verdict = Verdict("WRONG death", f"exit code {worker.process.exitcode}")
            if verdict is None:
                verdict = Verdict("WRONG hang", f"not done after {WORK_SECONDS} s of work")
            before = worker.ended
            if verdict.outcome in ("WRONG death", "WRONG hang"):
                worker.end()
                busy[busy.index(worker)] = worker = _Worker()
                if before is None:
                    worker.begin(mutant, verdict)
                    continue
                verdict = before  # of which no explanation came
            yield mutant, verdict
            if waiting:
                worker.begin(waiting.pop())
            else:
                worker.end()
                busy.remove(worker)
