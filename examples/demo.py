"""DeepSeek's kernels on this machine: compiled, checked, and timed beside their peers.

usage: demo.py [--plot FILE] [KERNEL...]
(mla_decode, indexer, topk, sparse_mla, moe, devices, emulator; all by default)

Each kernel is compiled from Python with an empty cache, its result is compared with a naive
float64 reference element by element, and it is timed in turns with the same work in NumPy,
and in PyTorch where that is installed. Then kernels of the library run from one source on the
CPU and on emulated GPUs of two vendors, and the emulators execute GPU kernels that other
compilers wrote. Ends with a non-zero status if a check fails.

--plot draws the speeds under this machine's limits, and the best peers'; the suffix of FILE is
the format (svg, png, pdf).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

# Before anything is imported: peers' threads sleep while ours run, and compile times are
# those of a first use.
os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
cache = tempfile.TemporaryDirectory(prefix="tilewright-demo-")
os.environ["TILEWRIGHT_CACHE_DIR"] = cache.name

import demo_devices  # noqa: E402
import demo_emulator  # noqa: E402
import demo_peers as peers  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402

from tilewright.cli.console import table  # noqa: E402
from tilewright.cli.units import rate, seconds  # noqa: E402
from tilewright.kernels import (  # noqa: E402
    indexer_cases,
    mla_decode_cases,
    moe_cases,
    sparse_mla_cases,
    topk_cases,
)
from tilewright.testing import Case, roofline  # noqa: E402
from tilewright.testing.bench import Measurement, WrongResult, bench_case  # noqa: E402
from tilewright.testing.machine import Machine, measure_machine  # noqa: E402
from tilewright.testing.memory import guard  # noqa: E402

# The tables after the first, by the name that asks for one.
TABLES = {"devices": demo_devices, "emulator": demo_emulator}
LENGTHS = (4096, 2777, 3601, 4095)


class Entry(NamedTuple):
    """One line of the table: a case, and its shape in words."""

    case: Case
    shape: str


def entries() -> list[Entry]:
    """The kernels of the demo, at sizes of DeepSeek-V2-Lite and V3."""
    mla, sparse, moe = mla_decode_cases, sparse_mla_cases, moe_cases
    found = [
        Entry(
            mla.make_case(mla.Problem(f"h{heads}", LENGTHS, heads=heads), peers=peers.MLA),
            f"{heads} heads, {len(LENGTHS)} requests of up to {max(LENGTHS)} keys, page 64",
        )
        for heads in (16, 128)
    ]
    # DeepSeek Sparse Attention: scores of all keys, the best of them, attention over these.
    index = indexer_cases.Problem("decode", 8, 32768)
    found.append(
        Entry(
            indexer_cases.make_case(index, peers.INDEXER),
            "64 heads of 128, 8 queries, 32768 keys",
        )
    )
    rows = topk_cases.Problem("decode", 8, 32768, peers.SELECTED)
    found.append(
        Entry(topk_cases.make_case(rows, peers.TOPK), "2048 of 32768 keys, 8 queries, f32")
    )
    chosen = sparse.Problem("decode", s_q=8, s_kv=8192, topk=peers.SELECTED, heads=128)
    found.append(
        Entry(
            sparse.make_case(chosen, peers=peers.SPARSE_MLA),
            "128 heads, 8 queries, 2048 of 8192 keys",
        )
    )
    layer = moe.Problem("v2lite", tokens=512, hidden=2048, inner=1408, experts=64, top_k=6)
    found.append(
        Entry(
            moe.make_case(layer, peers=peers.MOE),
            "512 tokens, hidden 2048, 64 experts of 1408, top-6",
        )
    )
    return found


def first_run(case: Case) -> float:
    """Seconds of a kernel's first call, which compiles it."""
    inputs = case.make_inputs(case.generator())
    outputs = {name: guard(spec).view for name, spec in case.outputs(inputs).items()}
    start = time.perf_counter()
    case.run("cpu", inputs, outputs)
    return time.perf_counter() - start


def measure(entry: Entry, machine: Machine, threads: int) -> tuple[float, Measurement]:
    """Seconds of compilation, and the measurement; raises WrongResult on a failed check."""
    first = first_run(entry.case)
    (measured,) = bench_case(entry.case, "cpu", [threads], machine)
    if measured.beyond:
        raise WrongResult(measured.objection())
    return max(0.0, first - measured.median_s), measured


def row(shape: str, compile_s: float, measured: Measurement) -> list[str]:
    """A line of the table."""
    speedup = measured.speedup_vs_best_peer
    return [
        measured.kernel,
        shape,
        seconds(compile_s),
        seconds(measured.median_s),
        rate(vars(measured)),
        f"{100 * measured.limit_fraction:.0f} % of {measured.limit}",
        f"{speedup:.2f} x {measured.best_peer}" if speedup else "",
        f"{measured.max_error_over_bound:.3f}",
    ]


def run_cpu(
    chosen: list[Entry], console: Console, failures: list[str], plot: Path | None
) -> None:
    """Measures the entries, shows the limits of this machine and the table, and draws both."""
    threads = len(os.sched_getaffinity(0))
    shown = table(
        "kernel (bf16)", "shape", ">compiled in", ">runs in", ">speed", ">share of limit",
        ">times peer", ">error / bound",
    )  # fmt: skip
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    results: list[Measurement] = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("measuring this machine", total=len(chosen) + 1)
        machine = measure_machine([threads])
        for entry in chosen:
            progress.update(task, advance=1, description=f"{entry.case.kernel}: {entry.shape}")
            try:
                compile_s, measured = measure(entry, machine, threads)
                results.append(measured)
                shown.add_row(*row(entry.shape, compile_s, measured))
            except WrongResult as error:
                failures.append(f"{entry.case.id}: {error}")
                shown.add_row(entry.case.kernel, entry.shape, *[""] * 5, "[bold red]wrong[/]")

    peak = ", ".join(f"{x[threads]:.0f} GFLOP/s {t}" for t, x in machine.peak_gflops.items())
    ways = {"read": machine.read_gbps[threads], "copied": machine.copy_gbps[threads]}
    memory = ", ".join(f"{gbps:.0f} GB/s {way}" for way, gbps in ways.items())
    console.print(f"{machine.cpu}, {threads} threads: {peak}, {memory}")
    console.print(shown)
    if plot and results:
        report = {"machine": machine.as_json(), "results": list(map(asdict, results))}
        roofline.draw(report, plot)
        console.print(f"The picture is in {plot}.", markup=False)


def main() -> int:
    """Run the demo; return the exit status."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the speeds")
    options = parser.parse_args()
    wanted = options.kernels
    chosen = [e for e in entries() if not wanted or e.case.kernel in wanted]
    tables = [made for name, made in TABLES.items() if not wanted or name in wanted]
    if not chosen and not tables:
        print(__doc__, file=sys.stderr)
        return 2
    if options.plot:
        try:
            roofline.check(options.plot)
        except roofline.CannotDraw as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    failures: list[str] = []
    if chosen:
        run_cpu(chosen, console, failures, options.plot)
    for made in tables:
        shown = made.new_table()
        made.run(shown, failures)
        console.print(shown)
    for failure in failures:
        console.print("[bold red]wrong result[/] ", end="")
        console.print(failure, markup=False)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
