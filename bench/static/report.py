"""What is asked of our code beside the best peer's, and the tables.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ours
from rich.markup import escape

from tilewright.cli.console import stdout, table

# How many times the best peer's instructions per MMA ours may have.
FACTOR = 1.05

# Kinds of instructions and how the table calls them.
KINDS = {
    "matrix": "mma", "ldmatrix": "ldsm", "shared load": "lds", "shared store": "sts",
    "async copy": "async", "global load": "ldg", "local": "local", "integer": "int",
    "move": "move", "float": "float", "convert": "cvt", "shuffle": "shfl", "wait": "wait",
    "branch": "bra",
}  # fmt: skip

NONE_MET = dict.fromkeys(
    ("few_instructions", "no_spill", "no_conflict", "same_widest_load", "same_occupancy"),
    False,
)

Row = dict[str, Any]


def best_peer(rows: Iterable[Row]) -> Row | None:
    """Of a problem's rows the peer's with the fewest instructions per MMA, if it can be one
    that spills nothing."""
    peers = [row for row in rows if row["by"] != ours.NAME]
    return min(peers, key=lambda r: (_spills(r), r["instructions_per_mma"]), default=None)


def judge(rows: list[Row]) -> dict[str, Any] | None:
    """The criteria of a problem on a target; None where every peer is missing.

    Where ours is missing it meets none of them.
    """
    mine = next((row for row in rows if row["by"] == ours.NAME), None)
    peer = best_peer(rows)
    if peer is None:
        return None
    about = {"problem": peer["problem"], "target": peer["target"], "best_peer": peer["by"]}
    if mine is None:
        return about | {"instructions_ratio": None, "executed_ratio": None, **NONE_MET}
    ratio = mine["instructions_per_mma"] / peer["instructions_per_mma"]
    executed_ratio = None
    if mine["executed"] and peer["executed"]:
        executed_ratio = mine["executed"]["per_mma"] / peer["executed"]["per_mma"]
    few = ratio <= FACTOR
    if mine["inner_loops"]:
        # Their instructions were counted once, whatever runs: only execution can tell.
        few = few and executed_ratio is not None and executed_ratio <= FACTOR
    return about | {
        "instructions_ratio": ratio,
        "executed_ratio": executed_ratio,
        "few_instructions": few,
        "no_spill": not _spills(mine),
        "no_conflict": _has_no_conflict(mine),
        "same_widest_load": all(
            max(mine[kind], default=0) >= max(peer[kind], default=0)
            for kind in ("global_load_bytes", "shared_load_bytes")
        ),
        "same_occupancy": mine["occupancy"]["warps"] >= peer["occupancy"]["warps"],
    }


def _spills(row: Row) -> bool:
    """Whether a thread keeps in memory what it has no registers for."""
    return row["resources"]["spill_bytes"] > 0 or row["kinds"].get("local", 0) > 0


def _has_no_conflict(row: Row) -> bool | None:
    """Whether no read of the main loop waits for a bank; None where nothing was executed."""
    executed = row["executed"]
    return executed and executed["read_cycles"] <= executed["read_cycles_least"]


def grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of one problem and target together, in their order."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["target"], row["problem"]), []).append(row)
    return list(groups.values())


# ---- tables --------------------------------------------------------------------------------


def show(report: dict[str, Any]) -> None:
    """Prints the tables of a report, by target."""
    for target in dict.fromkeys(row["target"] for row in report["rows"]):
        rows = [row for row in report["rows"] if row["target"] == target]
        stdout().print(_figures(target, rows))
        stdout().print(_kinds(target, rows))
    if report["criteria"]:
        stdout().print(_criteria(report["criteria"]))
    for name, reason in report["missing"].items():
        stdout().print(f"not here: {name}: {reason}", markup=False)


def _figures(target: str, rows: list[Row]) -> Any:
    shown = table(
        "problem", "by", ">instr/MMA", ">executed", ">ldg B", ">lds B", ">banks", ">regs",
        ">spill", ">stack", ">shared", ">blocks", ">warps", "limit",
        title=f"{target}: the main loop, and what the kernel takes (static figures, no speed)",
    )  # fmt: skip
    for group in grouped(rows):
        for index, row in enumerate(group):
            needs, live, executed = row["resources"], row["occupancy"], row["executed"] or {}
            inner = "~" if row["inner_loops"] else ""
            shown.add_row(
                row["problem"] if index == 0 else "",
                row["by"],
                f"{inner}{row['instructions_per_mma']:.2f}",
                f"{executed['per_mma']:.2f}" if executed else "",
                ",".join(map(str, row["global_load_bytes"])),
                ",".join(map(str, row["shared_load_bytes"])),
                _conflicts(executed),
                str(needs["registers"]),
                str(needs["spill_bytes"]),
                str(needs["stack_bytes"]),
                str(needs["shared_bytes"]),
                str(live["blocks"]),
                str(live["warps"]),
                live["limit"],
            )
        shown.add_section()
    return shown


def _conflicts(executed: Row) -> str:
    """Cycles of banks over those without conflicts."""
    least = executed.get("read_cycles_least")
    return f"{executed['read_cycles'] / least:.2f}x" if least else ""


def _kinds(target: str, rows: list[Row]) -> Any:
    shown = table(
        "problem", "by", *(f">{short}" for short in KINDS.values()), ">other",
        title=f"{target}: kinds of instructions in the main loop",
    )  # fmt: skip
    for group in grouped(rows):
        for index, row in enumerate(group):
            kinds = row["kinds"]
            other = sum(kinds.values()) - sum(kinds.get(kind, 0) for kind in KINDS)
            shown.add_row(
                row["problem"] if index == 0 else "",
                row["by"],
                *(str(kinds.get(kind, 0) or "") for kind in KINDS),
                str(other or ""),
            )
        shown.add_section()
    return shown


def _criteria(criteria: list[Row]) -> Any:
    shown = table(
        "problem", "target", "best peer", ">instr/MMA", ">executed", f"at most {FACTOR}x",
        "no spill", "no conflict", "widest load", "occupancy",
        title="Tilewright beside the best peer",
    )  # fmt: skip
    for one in criteria:
        shown.add_row(
            one["problem"],
            one["target"],
            escape(one["best_peer"]),
            *(
                "" if one[ratio] is None else f"{one[ratio]:.2f}x"
                for ratio in ("instructions_ratio", "executed_ratio")
            ),
            *(
                "" if one[name] is None else "yes" if one[name] else "[bold red]no[/]"
                for name in NONE_MET
            ),
        )  # fmt: skip
    return shown
