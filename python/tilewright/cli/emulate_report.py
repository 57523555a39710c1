"""What an emulated launch executed, as tables.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tilewright.cli.console import stdout, table
from tilewright.cli.units import size

SECTOR = 32
ROWS = 20


def summary(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(what, how much) of a launch as a whole."""
    warps, lanes = report["warp_instructions"], report["thread_instructions"]

    def extent(name: str) -> str:
        return " x ".join(str(n) for n in report[name])

    yield "kernel", f"{report['kernel']} ({report['target']} on {report['device']})"
    yield "grid, block", f"{extent('grid')} blocks of {extent('block')} threads"
    if report.get("cluster", [1, 1, 1]) != [1, 1, 1]:
        yield "cluster", extent("cluster")
    yield "shared memory", size(report["shared_bytes"])
    yield "warp instructions", f"{warps:,}"
    if warps:
        yield "lanes active", f"{100 * lanes / (warps * report['lanes_per_warp']):.1f} %"
    if report["multiply_adds"]:
        yield "multiply-adds of matrix instructions", f"{report['multiply_adds']:,}"
    for space in ("global", "shared"):
        read, written = (report[f"{space}_{way}_bytes"] for way in ("read", "written"))
        yield f"{space} memory", f"{size(read)} read, {size(written)} written"
    yield "emulated in", f"{report['seconds']:.3f} s"


def accesses(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines that access memory, those that waste most first. `excess` is what they take
    beyond what they need: sectors of 32 bytes, or cycles of shared memory's banks."""
    found = []
    for line in report["lines"]:
        if line["global_sectors"]:
            needed = -(-line["global_bytes"] // SECTOR)
            found.append(
                {**line, "space": "global", "taken": line["global_sectors"], "needed": needed}
            )
        elif line["shared_wavefronts"]:
            found.append(
                {
                    **line,
                    "space": "shared",
                    "taken": line["shared_wavefronts"],
                    "needed": line["shared_ideal"],
                }
            )
    for line in found:
        line["excess"] = max(line["taken"] - line["needed"], 0)
    return sorted(found, key=lambda line: (-line["excess"], line["line"]))


def divergent(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines that were executed with lanes missing, those where most were first."""
    rows = [
        {**line, "missing": line["executions"] * report["lanes_per_warp"] - line["lanes"]}
        for line in report["lines"]
    ]
    return sorted((r for r in rows if r["missing"]), key=lambda r: (-r["missing"], r["line"]))


def sources(report: dict[str, Any]) -> list[tuple[str, int, int]]:
    """(file, line, executions) of source lines, the most executed first."""
    sums: dict[tuple[str, int], int] = {}
    for line in report["lines"]:
        if "file" in line:
            place = (line["file"], line["source_line"])
            sums[place] = sums.get(place, 0) + line["executions"]
    return sorted(((*place, n) for place, n in sums.items()), key=lambda row: -row[2])


def place(line: dict[str, Any]) -> str:
    """Where the source of a line stands; "" where nothing tells."""
    return f"{line['file']}:{line['source_line']}" if "file" in line else ""


def instruction(line: dict[str, Any]) -> str:
    """The text of a line's instruction, on one line."""
    return " ".join(line.get("text", "").split())


def show(report: dict[str, Any]) -> None:
    """Prints the report."""
    from rich.markup import escape

    console = stdout()
    shown = table("", "")
    for what, much in summary(report):
        shown.add_row(what, escape(much))
    console.print(shown)

    total = report["warp_instructions"] or 1
    shown = table("instruction", ">executions", ">%")
    for row in report["opcodes"][:ROWS]:
        shown.add_row(row["name"], f"{row['executions']:,}", _percent(row["executions"], total))
    _print(console, shown, len(report["opcodes"]))

    rows = sources(report)
    if rows:
        shown = table("source line", ">executions", ">%")
        for file, line, executions in rows[:ROWS]:
            shown.add_row(
                escape(f"{file}:{line}"), f"{executions:,}", _percent(executions, total)
            )
        _print(console, shown, len(rows))

    rows = accesses(report)
    if rows:
        shown = table(
            ">line",
            "access",
            "memory",
            ">executions",
            ">sectors or cycles",
            ">needed",
            "source",
        )
        for row in rows[:ROWS]:
            shown.add_row(
                str(row["line"]), escape(instruction(row)), row["space"],
                f"{row['executions']:,}", f"{row['taken']:,}", f"{row['needed']:,}",
                escape(place(row)),
            )  # fmt: skip
        _print(console, shown, len(rows))

    rows = divergent(report)
    if rows:
        shown = table(">line", "executed with lanes missing", ">executions", ">lanes", "source")
        for row in rows[:ROWS]:
            lanes = row["lanes"] / max(row["executions"], 1)
            shown.add_row(
                str(row["line"]), escape(instruction(row)), f"{row['executions']:,}",
                f"{lanes:.1f}", escape(place(row)),
            )  # fmt: skip
        _print(console, shown, len(rows))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


def _print(console: Any, shown: Any, rows: int) -> None:
    """The table, and how many rows it leaves out."""
    console.print(shown)
    if rows > ROWS:
        console.print(f"[dim]and {rows - ROWS} more[/]")
