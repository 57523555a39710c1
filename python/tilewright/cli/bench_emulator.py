"""`tilewright bench --emulator`: the emulators' speed on other compilers' programs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilewright.cli.console import CliError, UsageError, stderr, stdout, table, write_json
from tilewright.cli.units import seconds

# Where other processes keep more cores busy than this, times are not what they could be.
DISTURBED = 0.1

NOTE = (
    "M instr./s leaves MMA, matrix instructions, out of the count. It and GMAC/s are over the\n"
    "whole time of a launch; `outside` and `in` are over the time outside and in MMA, from\n"
    "launches that measure it. Checks: all that are on by default."
)


def bench_emulator(programs: Sequence[str], threads: Sequence[int], json: Path | None) -> None:
    """Measures, shows and writes; the report is written anew after each program."""
    from tilewright.testing import emulator_bench as engine
    from tilewright.testing.bench import WrongResult
    from tilewright.testing.foreign import NoCheckout

    try:
        pairs = engine.select(programs)
    except ValueError as error:
        raise UsageError(str(error)) from None
    except NoCheckout as error:
        raise CliError(str(error)) from None

    report = engine.new_report(threads)
    to_stdout = str(json) == "-"
    ended: CliError | None = None
    try:
        report["startup"] = [engine.measure_startup(*one) for one in engine.STARTED]
        report["parse"] = engine.measure_parse()
        for number, (program, arch) in enumerate(pairs, 1):
            line = f"[{number}/{len(pairs)}] {program}/{arch}"
            stderr().print(line, markup=False, soft_wrap=True)
            try:
                measured = engine.bench_program(program, arch, threads)
                report["results"] += [dataclasses.asdict(one) for one in measured]
            except WrongResult as error:
                report["failures"].append(f"{program}/{arch}: {error}")
            if not to_stdout:
                write_json(json, report)
        report["complete"] = True
    except KeyboardInterrupt:
        ended = CliError(f"interrupted: {len(report['results'])} measurements done", 130)

    if not to_stdout:
        _show(report)
    write_json(json, report)
    if ended:
        raise ended
    if report["failures"]:
        raise CliError("\n".join(report["failures"]))


def _show(report: dict[str, Any]) -> None:
    """Start-up and parsing, then a line for each program and number of threads."""
    machine = report["machine"]
    stdout().print(f"{machine['cpu']}, {machine['cores']} cores", markup=False)
    for startup in report["startup"]:
        name = f"{startup['program']}.{startup['arch']}"
        stdout().print(f"start-up, with a device and {name}: {seconds(startup['median_s'])}")
    if parse := report["parse"]:
        name = f"{parse['program']}.{parse['arch']}"
        took = seconds(parse["median_s"])
        stdout().print(f"loading {name}, {parse['lines']:,} lines: {took}")
    shown = table(
        "program", "arch", ">threads", ">instructions", ">of them MMA", ">multiply-adds",
        ">time", ">M instr./s", ">outside", ">GMAC/s", ">in", ">speed-up", ">error / bound",
    )  # fmt: skip
    for record in report["results"]:
        # A speed-up of one thread over itself says nothing.
        speedup = record["speedup"] if record["threads"] > 1 else None
        shown.add_row(
            record["program"],
            record["arch"],
            str(record["threads"]),
            f"{record['warp_instructions']:,}",
            f"{record['mma_instructions']:,}",
            f"{record['multiply_adds']:,}",
            seconds(record["median_s"]),
            f"{record['warp_instructions_per_s'] / 1e6:.2f}",
            f"{record['warp_instructions_per_outside_s'] / 1e6:.2f}",
            f"{record['multiply_adds_per_s'] / 1e9:.2f}",
            f"{record['multiply_adds_per_mma_s'] / 1e9:.2f}",
            f"{speedup:.2f}" if speedup else "",
            f"{record['max_error_over_bound']:.3f}",
        )
    stdout().print(shown)
    stdout().print(NOTE)
    others = max((record["other_cores"] for record in report["results"]), default=0.0)
    if others > DISTURBED:
        stdout().print(f"Other processes kept up to {others:.1f} cores busy: run it again.")
