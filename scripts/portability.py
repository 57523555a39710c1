"""Writes docs/portability.md: which kernels of the library run on which devices.

    .venv/bin/tilewright verify -q -d cpu -d cuda-emulator:sm_80 ... --json verify.json
    .venv/bin/python scripts/portability.py verify.json...

Without a file it writes the page anew from docs/portability.json, which holds what the last
files came to.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = ROOT / "docs" / "portability.json"
PAGE = ROOT / "docs" / "portability.md"

HEAD = """# Portability

Written by `scripts/portability.py` from runs of `tilewright verify --json` on {date}. Each
kernel of the library has one source, and its cases are the same on every device: a naive
float64 reference, a bound for each element, poisoned outputs, guarded memory, and integers that
must be exact where the kernel is a product. A cell says how many cases passed, and the largest
error over its bound.

The devices with `-emulator` execute the GPU's own code ([devices.md](devices.md)); that is
evidence of right results and none of speed: what GPUs get is the first, general lowering
([target-cuda.md](target-cuda.md), [target-hip.md](target-hip.md)).

"""

TAIL = """
What is counted here runs with `tilewright verify -d DEVICE`. Parts of it run on each emulated
GPU in every test.
"""


def summarise(reports: Iterable[dict], date: str) -> dict:
    """What reports of `tilewright verify` come to, by kernel and device."""
    kernels: dict[str, dict[str, dict]] = {}
    for report in reports:
        for result in report["results"]:
            cell = kernels.setdefault(result["kernel"], {}).setdefault(
                result["device"], {"cases": 0, "passed": 0, "worst": 0.0, "failed": []}
            )
            cell["cases"] += 1
            if result["status"] == "pass":
                cell["passed"] += 1
                cell["worst"] = round(max(cell["worst"], result["max_error_over_bound"]), 3)
            else:
                cell["failed"].append(f"{result['case']}: {result['status']}")
    return {"date": date, "kernels": kernels}


def _cell(cell: dict | None) -> str:
    if cell is None:
        return ""
    count = f"{cell['passed']}" if cell["passed"] == cell["cases"] else (
        f"**{cell['passed']} of {cell['cases']}**"
    )  # fmt: skip
    return f"{count}, {cell['worst']:.2f}"


def page(summary: dict) -> str:
    """The whole page."""
    kernels = summary["kernels"]
    devices = list(dict.fromkeys(device for cells in kernels.values() for device in cells))
    lines = [
        f"| kernel | {' | '.join(f'`{device}`' for device in devices)} |",
        f"| --- |{' --- |' * len(devices)}",
    ]
    lines += [
        f"| {name} | {' | '.join(_cell(cells.get(device)) for device in devices)} |"
        for name, cells in kernels.items()
    ]
    totals = []
    for device in devices:
        cells = [c[device] for c in kernels.values() if device in c]
        passed, cases = (sum(c[what] for c in cells) for what in ("passed", "cases"))
        totals.append(f"**{passed} of {cases}**")
    lines.append(f"| **all** | {' | '.join(totals)} |")
    failed = [
        f"- {name} on `{device}`, {what}"
        for name, cells in kernels.items()
        for device, cell in cells.items()
        for what in cell["failed"]
    ]
    told = ["\nWhat did not pass:\n", *failed] if failed else []
    return HEAD.format(date=summary["date"]) + "\n".join([*lines, *told]) + "\n" + TAIL


def main() -> None:
    """Summarise the files, if there are some, and write the page."""
    if files := sys.argv[1:]:
        reports = [json.loads(Path(file).read_text()) for file in files]
        summary = summarise(reports, datetime.date.today().isoformat())
        SUMMARY.write_text(json.dumps(summary, indent=1) + "\n")
    PAGE.write_text(page(json.loads(SUMMARY.read_text())))


if __name__ == "__main__":
    main()
