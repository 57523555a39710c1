# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Benchmarks in a process of their own, whose peers were told how to behave.

`run` starts `python -m tilewright.testing.bench_worker`, which prints one JSON record a
line: the machine first, then the name of each case before it runs, and measurements and
failures as they come.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from tilewright.testing.report import Record, lift_limits, new_report, origin, restate
from tilewright.testing.threads import PEER_ENVIRONMENT


class WorkerDied(RuntimeError):
    """The worker ended before its last case; the message says in which one."""


def run(
    kernels: Sequence[str] = (),
    device: str = "cpu",
    threads: Sequence[int] = (1, 2),
    report: Record | None = None,
    on_record: Callable[[Record], None] = lambda record: None,
) -> Record:
    """Runs the benchmarks and gives `report`, filled as they go: whatever ends them, what
    was measured is in it.

    `on_record` is called with each record after it is in the report: {"machine"}, {"case"}
    with the name of a case that begins, {"failure"} with a sentence, or a measurement.
    Raises ValueError for a kernel name that selects nothing, WorkerDied.
    """
    from tilewright.kernels import registry

    registry.bench_cases(kernels)  # a wrong name is an error here, not in the worker
    report = new_report() if report is None else report
    report["origin"] = origin(kernels, device, threads)
    stage = "it measured the machine"
    # In a session of its own the worker gets no Ctrl-C, which is ours to answer.
    worker = subprocess.Popen(
        _command(kernels, device, threads),
        env=os.environ | PEER_ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for line in worker.stdout:
            if not line.endswith("\n"):
                break  # it died while it wrote
            record = json.loads(line)
            if "kernel" in record:
                report["results"].append(record)
                lift_limits(report, record)
            elif "case" in record:
                stage = f"{record['case']} ran"
            elif "failure" in record:
                report["failures"].append(record["failure"])
            else:
                report["machine"] = record["machine"]
                restate(report)
            on_record(record)
    except BaseException:
        worker.kill()
        raise
    finally:
        worker.stdout.close()
        worker.wait()
    if worker.returncode:
        raise WorkerDied(f"the benchmark's process {_end(worker.returncode)} while {stage}")
    report["complete"] = True
    return report


def _command(kernels: Sequence[str], device: str, threads: Sequence[int]) -> list[str]:
    command = [sys.executable, "-m", "tilewright.testing.bench_worker", *kernels]
    return [*command, "--device", device, "--threads", ",".join(map(str, threads))]


def _end(code: int) -> str:
    if code > 0:
        return f"ended with code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmarks named on the command line, printing a record a line."""
    parser = argparse.ArgumentParser(prog="python -m tilewright.testing.bench_worker")
    parser.add_argument("kernels", nargs="*")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", default="1,2")
    options = parser.parse_args(arguments)

    from tilewright.kernels import registry
    from tilewright.testing.bench import bench_case
    from tilewright.testing.contest import Experience
    from tilewright.testing.machine import Machine, measure_machine

    emit = _emitter()
    threads = [int(count) for count in options.threads.split(",")]
    known: list[Machine] = []

    def on_machine(machine: Machine) -> None:
        known.append(machine)
        emit({"machine": machine.as_json()})

    on_machine(measure_machine(threads))
    experience = Experience()
    for case in registry.bench_cases(options.kernels):
        emit({"case": case.id})
        try:
            setting = (options.device, threads, known[-1], experience, on_machine)
            for measured in bench_case(case, *setting):
                emit(dataclasses.asdict(measured))
                if measured.beyond:
                    emit({"failure": measured.objection()})
        except Exception as error:  # one kernel's failure is not the others'
            emit({"failure": f"{case.id}: {type(error).__name__}: {error}"})
    return 0


def _emitter() -> Callable[[Record], None]:
    """What writes a record to stdout, which libraries that print get no more of."""
    records = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return lambda record: print(json.dumps(record), file=records, flush=True)


def _end_with_parent() -> None:
    """Has the kernel end this process with its parent: nobody reads what it measures."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    _end_with_parent()
    raise SystemExit(main())
