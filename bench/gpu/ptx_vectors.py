"""Runs jobs on an NVIDIA GPU and keeps what memory holds after each, bit for bit.

    python ptx_vectors.py JOBS RESULTS [--library libcuda.so.1] [--workers 8] [--limit 480]

JOBS is a folder of jobs (jobs.py), of any size; RESULTS gets a file for each, as it is done,
and facts.json about device and driver. A job that ends in an error, or that hangs, costs no
other one its answer: workers are processes, and one that has lost its context is replaced.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from driver import Driver, DriverError
from jobs import Job, Result

# Seconds that one job may take, its compilation included.
_PATIENCE = 60
# How a worker ends whose last job cost it the context; that job has its result.
_LOST = 3


class Worker:
    """A process that runs some of the jobs, one after the other, and is started anew after
    the one that ended it."""

    def __init__(self, options: argparse.Namespace, names: list[str]) -> None:
        self.options, self.names = options, names
        self.process: subprocess.Popen | None = None
        self.since = 0.0

    def _done(self, name: str) -> bool:
        return (self.options.results / f"{name}.npz").exists()

    def tend(self) -> bool:
        """Looks after the process; whether there is more to do."""
        left = [name for name in self.names if not self._done(name)]
        now = time.monotonic()
        if len(left) != len(self.names):
            self.since = now
        if self.process is not None and now - self.since > _PATIENCE:
            self.process.kill()
            self.process.wait()
            self._give_up(left, f"no answer in {_PATIENCE} seconds")
            left = left[1:]
        elif self.process is not None and self.process.poll() not in (None, _LOST):
            if left and len(left) == len(self.names):
                self._give_up(left, f"its process ended with {self.process.returncode}")
                left = left[1:]
        self.names = left
        if left and (self.process is None or self.process.poll() is not None):
            self.since = now
            self.process = subprocess.Popen(
                [sys.executable, __file__, self.options.jobs, self.options.results,
                 "--library", self.options.library, "--worker"],
                stdin=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert self.process.stdin is not None
            self.process.stdin.write("\n".join(left))
            self.process.stdin.close()
        return bool(left)

    def _give_up(self, left: list[str], error: str) -> None:
        job = Job.load(self.options.jobs / f"{left[0]}.npz")
        Result(job.name, job.digest(), error=error).save(self.options.results)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()


def work(options: argparse.Namespace, names: list[str]) -> None:
    """What a worker does: runs jobs until they are done, or the context is lost."""
    driver = Driver(options.library)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)  # printf of kernels goes there
        run_all(options, driver, names, printed)


def run_all(options: argparse.Namespace, driver: Driver, names: list[str], printed: IO) -> None:
    """Runs the jobs; does not return where one has cost the context."""
    for name in names:
        job = Job.load(options.jobs / f"{name}.npz")
        printed.truncate(0)
        printed.seek(0)
        fatal = False
        try:
            result = driver.run(job)
        except DriverError as error:
            result = Result(job.name, job.digest(), error=str(error))
            fatal = error.fatal
        printed.seek(0)
        result.text = printed.read().decode(errors="replace")
        result.save(options.results)
        if fatal:
            os._exit(_LOST)


def main() -> None:
    parser = argparse.ArgumentParser(description="runs jobs on an NVIDIA GPU")
    parser.add_argument("jobs", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--library", default="libcuda.so.1", help="name or path of the driver")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=480, help="seconds for all of it")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options, sys.stdin.read().split("\n"))
        return
    options.results.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    facts = Driver(options.library).facts()
    facts["date"] = datetime.date.today().isoformat()
    (options.results / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    names = sorted(path.stem for path in options.jobs.glob("*.npz"))
    workers = [Worker(options, names[i :: options.workers]) for i in range(options.workers)]
    try:
        while sum(one.tend() for one in workers):
            if time.monotonic() - start > options.limit:
                break
            time.sleep(0.05)
    finally:
        for one in workers:
            one.stop()
    done = list(options.results.glob("*.npz"))
    failed = [one for one in map(Result.load, done) if one.error]
    for one in failed:
        print(f"{one.name}: {one.error[:300]}")
    print(f"{facts['device']}: {len(done)} of {len(names)} jobs, {len(failed)} with errors, "
          f"{time.monotonic() - start:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
