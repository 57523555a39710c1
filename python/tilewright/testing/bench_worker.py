# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Benchmarks in a process of their own, whose peers were told to let their threads sleep.

`run` starts `python -m tilewright.testing.bench_worker`, which prints one JSON record a
line: the machine first, then measurements and failures as they come.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tilewright.testing.threads import PEER_ENVIRONMENT


def run(
    kernels: Sequence[str] = (),
    device: str = "cpu",
    threads: Sequence[int] = (1, 2),
    on_result: Callable[[dict[str, Any]], None] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """The report of `tilewright bench`, and a sentence for each case that failed.

    `on_result` is called with each measurement. Raises ValueError for a kernel name that
    selects nothing, RuntimeError where the worker died.
    """
    from tilewright.kernels import registry

    registry.bench_cases(kernels)  # a wrong name is an error here, not in the worker
    command = [sys.executable, "-m", "tilewright.testing.bench_worker", *kernels]
    command += ["--device", device, "--threads", ",".join(map(str, threads))]
    report: dict[str, Any] = {"machine": None, "results": []}
    failures: list[str] = []
    with subprocess.Popen(
        command, env=os.environ | PEER_ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as worker:
        for line in worker.stdout:
            record = json.loads(line)
            if "machine" in record:
                report["machine"] = record["machine"]
            elif "failure" in record:
                failures.append(record["failure"])
            else:
                report["results"].append(record)
                if on_result:
                    on_result(record)
    if worker.returncode:
        raise RuntimeError(f"the benchmark's process ended with code {worker.returncode}")
    return report, failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmarks named on the command line, printing a record a line."""
    parser = argparse.ArgumentParser(prog="python -m tilewright.testing.bench_worker")
    parser.add_argument("kernels", nargs="*")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", default="1,2")
    options = parser.parse_args(arguments)

    from tilewright.kernels import registry
    from tilewright.testing.bench import bench_case
    from tilewright.testing.machine import measure_machine

    def emit(record: dict[str, Any]) -> None:
        print(json.dumps(record), flush=True)

    threads = [int(count) for count in options.threads.split(",")]
    machine = measure_machine(threads)
    emit({"machine": machine.as_json()})
    for case in registry.bench_cases(options.kernels):
        try:
            for measurement in bench_case(case, options.device, threads, machine):
                emit(dataclasses.asdict(measurement))
        except Exception as error:  # one kernel's failure is not the others'
            emit({"failure": f"{case.id}: {type(error).__name__}: {error}"})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
