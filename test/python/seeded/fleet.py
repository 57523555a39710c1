"""Examines faults in processes of their own, so that a crash or an endless run is a verdict.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any

# A fault takes a second. Emulators end what runs endlessly, by a limit on steps.
CLOCK_SECONDS = 300

# Each process has a device of its own, made when it is first used.
ENVIRONMENT = {
    "TILEWRIGHT_EMULATOR_CHECKS": "global-races",
    "TILEWRIGHT_EMULATOR_THREADS": "1",
}


class Lost(RuntimeError):
    """A process that gave no answer."""


def _answer(pipe: Any, order: str, work: Callable[[], Any]) -> None:
    os.environ.update(ENVIRONMENT, TILEWRIGHT_EMULATOR_ORDER=order)
    try:
        pipe.send((work(), None))
    except BaseException:
        pipe.send((None, traceback.format_exc()))


class Task:
    """One call in a process, which begins at once. `order` is that of warps and blocks."""

    def __init__(self, work: Callable[[], Any], order: str = "forward") -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_answer, args=(theirs, order, work), daemon=True)
        self.process.start()
        theirs.close()
        self.started = time.monotonic()

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.started > CLOCK_SECONDS

    def result(self) -> Any:
        """What the call gave. Raises Lost where it gave nothing, with the reason."""
        try:
            if not self.pipe.poll(max(0.0, self.started + CLOCK_SECONDS - time.monotonic())):
                raise Lost(f"not done after {CLOCK_SECONDS} s")
            value, failure = self.pipe.recv()
        except EOFError:
            self.process.join()
            raise Lost(f"it died with exit code {self.process.exitcode}") from None
        finally:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        if failure:
            raise RuntimeError(failure)
        return value


def apart(work: Callable[[], Any], order: str = "forward") -> Any:
    """The result of a call in a process of its own."""
    return Task(work, order).result()


def each(
    works: Iterable[tuple[Any, Callable[[], Any]]], jobs: int
) -> Iterator[tuple[Any, Any]]:
    """(key, result) of each (key, call), as they are done; a result may be a Lost."""
    waiting = iter(works)
    busy: dict[Any, tuple[Any, Task]] = {}
    while True:
        while len(busy) < jobs and (following := next(waiting, None)):
            task = Task(following[1])
            busy[task.pipe] = following[0], task
        if not busy:
            return
        ready = set(wait(list(busy), timeout=1.0))
        for pipe, (key, task) in list(busy.items()):
            if pipe in ready or task.is_late:
                del busy[pipe]
                try:
                    yield key, task.result()
                except Lost as lost:
                    yield key, lost
