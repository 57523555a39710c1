# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs are examined in a process of their own, so that one may crash or hang.

The worker reads a program as a line of JSON and answers with its verdict as another. Its
cache of kernels lies in memory where it can, since no program comes twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import traceback

from tilewright.testing.programs.execute import CRASH, HANG, Verdict, examine
from tilewright.testing.programs.program import Program, from_json, to_json

# Far more than any drawn program takes on a busy machine.
_SECONDS = 600.0
# Kernels are unloaded, and their files removed, only when a worker ends.
_PROGRAMS = 1000


class Worker:
    """A process that examines programs on a device, started anew where it ended."""

    def __init__(self, device: str = "cpu", seconds: float = _SECONDS) -> None:
        self.device, self.seconds = device, seconds
        self._process: subprocess.Popen | None = None
        self._served = 0
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self._folder = tempfile.mkdtemp(prefix="tilewright-programs-", dir=memory)
        self._said = open(os.path.join(self._folder, "stderr"), "w+b")  # noqa: SIM115

    def examine(self, program: Program) -> Verdict:
        """The verdict on a program; crash or hang where the worker does not answer."""
        process = self._running()
        self._said.seek(0)
        self._said.truncate()
        line = json.dumps(to_json(program)).encode() + b"\n"
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except OSError:
            return self._ended()
        ready, _, _ = select.select([process.stdout], [], [], self.seconds)
        if not ready:
            self._stop()
            return Verdict(HANG, f"no answer within {self.seconds:.0f} s")
        answer = process.stdout.readline()
        self._served += 1
        return Verdict(**json.loads(answer)) if answer else self._ended()

    def command(self) -> list[str]:
        """What the process runs."""
        return [sys.executable, "-m", __name__, self.device]

    def _running(self) -> subprocess.Popen:
        if self._served >= _PROGRAMS:
            self._stop()
        if self._process is None:
            cache = os.path.join(self._folder, "cache")
            shutil.rmtree(cache, ignore_errors=True)
            self._served = 0
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=os.environ | {"TILEWRIGHT_CACHE_DIR": cache, "TMPDIR": self._folder},
            )
        return self._process

    def _ended(self) -> Verdict:
        """The verdict on what ended the worker: its status and its last words."""
        status = self._process.wait()
        self._process = None
        self._said.seek(0)
        words = self._said.read().decode(errors="replace").strip().splitlines()
        return Verdict(CRASH, f"status {status}: " + "\n".join(words[:12]))

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def close(self) -> None:
        """End the process and remove its files."""
        self._stop()
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve(device: str) -> None:
    """Answer programs on standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a program prints is no answer
    for line in sys.stdin:
        try:
            verdict = examine(from_json(json.loads(line)), device)
        except Exception:  # a fault of the interpreter is a finding as well
            verdict = Verdict(CRASH, traceback.format_exc())
        with contextlib.suppress(BrokenPipeError):
            answers.write(json.dumps(dataclasses.asdict(verdict)) + "\n")
            answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
