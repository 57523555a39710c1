# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes reports of `tilewright bench` as a page: limits, a picture, a table by kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tilewright.cli.bench_emulator import DISTURBED
from tilewright.cli.units import rate, seconds, size
from tilewright.testing import roofline
from tilewright.testing.bars import BARS, NEAR, judge

Report = Mapping[str, Any]
Row = Mapping[str, Any]

HEAD = """# Benchmarks

Kernels of the library on a CPU, beside NumPy and PyTorch doing the same work and beside the
limits of the machine, all measured in one run. `make bench` writes this page anew;
[bench/README.md](../bench/README.md) says how things are measured and what each figure means.

**of limit** is the least time that the machine's own limits allow over the time taken. A
row that memory limits has its limit measured beside it, since that of a virtual machine changes
from second to second; the table of limits has the best of the run.
**times peer** is the time of the best peer over ours. **required** is what the row must reach,
and **holds** whether it does: a ratio also holds at {compute} % of the compute limit, or
{memory} % of the memory limit, where that is nearer ("at the limit").
"""

_NO_ORIGIN = {"command": "tilewright bench", "date": "an unknown day", "versions": {}}


class UnusableReport(ValueError):
    """A report has no machine or no results to make a page of."""


def write(path: Path, reports: Mapping[str, Report]) -> list[Path]:
    """Writes the page of reports, by the name that the page gives each, and a picture of each
    beside it; gives the files.

    Raises UnusableReport, roofline.CannotDraw, and OSError.
    """
    pictures = [
        path.with_name(f"{path.stem}{'' if len(reports) == 1 else f'-{number}'}.svg")
        for number in range(1, len(reports) + 1)
    ]
    text = page(reports, [picture.name for picture in pictures])
    for picture, report in zip(pictures, reports.values()):
        roofline.draw(report, picture)
    path.write_text(text)
    return [path, *pictures]


def page(reports: Mapping[str, Report], pictures: Sequence[str]) -> str:
    """The text of the page; `pictures` are where the pictures are, seen from it."""
    near = {name: f"{100 * share:.0f}" for name, share in NEAR.items()}
    parts = [HEAD.format(**near)]
    for (name, report), picture in zip(reports.items(), pictures):
        if not report.get("machine") or not report.get("results"):
            raise UnusableReport(f"{name}: the run measured no machine or no case")
        parts.append(_machine(name, report, picture))
        kernels = dict.fromkeys(row["kernel"] for row in report["results"])
        parts += [_kernel(kernel, report) for kernel in kernels]
    return "\n".join(parts)


def _machine(name: str, report: Report, picture: str) -> str:
    """The machine of a report, what ran on it and how well, and the picture."""
    machine = report["machine"]
    rows = report["results"]
    origin = report.get("origin") or _NO_ORIGIN
    versions = ", ".join(f"{what} {version}" for what, version in origin["versions"].items())
    threads = ", ".join(map(str, sorted({row["threads"] for row in rows})))
    facts = [
        ("machine", f"{machine['cpu']}, {machine['cores']} cores, "
                    f"last-level cache {size(machine['last_cache_bytes'])}"),
        ("date", origin["date"]),
        ("command", f"`{origin['command']}`"),
        ("threads", threads),
        ("versions", versions),
        ("report", name),
    ]  # fmt: skip
    lines = [f"## {machine['cpu']}", "", "| | |", "| --- | --- |"]
    lines += [f"| {what} | {value} |" for what, value in facts]
    lines += ["", *_warnings(report), *_limits(machine), "", _summary(rows), ""]
    lines += [f"![Speeds under the limits of the machine]({picture})", "", _left_out(rows)]
    return "\n".join(line for line in lines if line is not None)


def _warnings(report: Report) -> list[str]:
    """What a reader must know before the figures."""
    rows = report["results"]
    found = []
    disturbed = [row["other_cores"] for row in rows if row["other_cores"] > DISTURBED]
    if disturbed:
        found.append(
            f"**Other processes were busy** during {len(disturbed)} of {len(rows)} rows, with "
            f"up to {max(disturbed):.1f} cores: these figures are no measure of the kernels or "
            "their peers. Rows that they disturbed have a `~` before the time."
        )
    if not report["complete"]:
        found.append("**The run was cut short**: cases are missing.")
    if report["failures"]:
        listed = "\n".join(f"- {failure}" for failure in report["failures"])
        found.append(f"**The run failed**:\n\n{listed}")
    return [line for warning in found for line in (warning, "")]


def _limits(machine: Mapping[str, Any]) -> list[str]:
    """The table of the machine's limits."""
    counts = list(machine["read_gbps"])
    heads = ["1 thread" if n == "1" else f"{n} threads" for n in counts]
    lines = [f"| measured limit | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(counts)]
    for dtype, peaks in machine["peak_gflops"].items():
        cells = " | ".join(f"{peaks[n]:.0f}" for n in counts)
        lines.append(f"| {dtype} multiply-adds, GFLOP/s | {cells} |")
    for way, what in (("read", "reading memory"), ("copy", "copying memory, both ways")):
        cells = " | ".join(f"{machine[f'{way}_gbps'][n]:.1f}" for n in counts)
        lines.append(f"| {what}, GB/s | {cells} |")
    return lines


def _summary(rows: Sequence[Row]) -> str:
    """How many of the rows hold of which something is required, and what has no row."""
    asked = [verdicts for row in rows if (verdicts := judge(row, rows))]
    held = sum(all(v.holds for v in verdicts) for verdicts in asked)
    said = f"Of {len(asked)} rows with a required speed, {held} hold."
    missing = [bar for bar in BARS if not any(bar.covers(row) for row in rows)]
    if missing:
        names = dict.fromkeys(
            " ".join([bar.kernel, *bar.cases, *bar.dtypes]) for bar in missing
        )
        said += f" Required and not measured: {', '.join(names)}."
    return said


def _left_out(rows: Sequence[Row]) -> str | None:
    """Which kernels the picture has no place for."""
    shown = {id(row) for row in roofline.drawn(rows)}
    left = dict.fromkeys(row["kernel"] for row in rows if id(row) not in shown)
    if not left:
        return None
    return f"Not in the picture, for lack of arithmetic: {', '.join(left)}.\n"


def _kernel(kernel: str, report: Report) -> str:
    """The table of one kernel: its rows by case as they came, the fewest threads first."""
    rows = [row for row in report["results"] if row["kernel"] == kernel]
    cases = list(dict.fromkeys((row["case"], row["dtype"]) for row in rows))
    rows.sort(key=lambda row: (cases.index((row["case"], row["dtype"])), row["threads"]))
    lines = [
        f"### {kernel}",
        "",
        "| case | dtype | threads | time | rate | of limit | best peer | its time "
        "| times peer | required | holds |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- | --- |",
    ]
    lines += [f"| {' | '.join(_cells(row, report['results']))} |" for row in rows]
    return "\n".join([*lines, ""])


def _cells(row: Row, rows: Sequence[Row]) -> list[str]:
    best, speedup = row["best_peer"], row["speedup_vs_best_peer"]
    verdicts = judge(row, rows)
    return [
        row["case"],
        row["dtype"],
        str(row["threads"]),
        ("~ " if row["other_cores"] > DISTURBED else "") + seconds(row["median_s"]),
        rate(row),
        _of_limit(row),
        f"{best}: {row['recipes'][best]}" if best else "",
        seconds(row["peers"][best]) if best else "",
        f"{speedup:.2f}" if speedup else "",
        "; ".join(str(verdict.bar) for verdict in verdicts),
        "; ".join(map(_word, verdicts)),
    ]


def _of_limit(row: Row) -> str:
    """How near a row came to its limit, and where that was measured beside it, what it was."""
    share = f"{100 * row['limit_fraction']:.0f} %"
    if row["limit"] == "compute" or not row.get("read_gbps"):
        return f"{share} ({row['limit']})"
    gbps = row["bytes"] / (row["median_s"] * row["limit_fraction"]) / 1e9
    return f"{share} of {gbps:.1f} GB/s"


def _word(verdict: Any) -> str:
    """Whether a row holds at a bar, and what it reaches where the table does not say."""
    if verdict.at_limit:
        return "at the limit"
    if verdict.reached is None:
        return "not measured"
    if verdict.bar.of in ("peer", "limit"):
        return "yes" if verdict.holds else "**no**"
    return f"{'yes' if verdict.holds else '**no**'}, {verdict.reached:.2f}"
