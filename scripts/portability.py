"""Writes docs/portability.md: which kernels of the library run on which devices.

    .venv/bin/tilewright verify -q -d cpu -d cuda-emulator:sm_80 ... --json all.json
    .venv/bin/tilewright verify -q --smoke -d cuda-emulator:sm_86 ... --json smoke.json
    .venv/bin/python scripts/portability.py all.json smoke.json

docs/portability.json holds what the files came to. A kernel on a device that no file has stays
in it as it was; without a file the page is written anew from it.

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

Written by `scripts/portability.py` from runs of `tilewright verify --json`. Each kernel of the
library has one source, and its cases are the same on every device: a naive float64 reference, a
bound for each element, poisoned outputs, guarded memory, and integers that must be exact where
the kernel is a product. A cell says how many cases passed, and the largest error over its
bound.

The devices with `-emulator` execute the GPU's own code ([devices.md](devices.md)); that is
evidence of right results and none of speed ([target-cuda.md](target-cuda.md),
[target-hip.md](target-hip.md)).

"""

TAIL = """
What is counted here runs with `tilewright verify -d DEVICE`. Parts of it run on each emulated
GPU in every test.
"""

SMOKE = """
On {devices} it is one case of each kernel and dtype (`--smoke`); they run what they share with
the others of their vendor.
"""


def summarise(reports: Iterable[dict], date: str, former: dict | None = None) -> dict:
    """What reports of `tilewright verify` come to, by kernel and device, beside what a former
    summary has of other devices."""
    results = [result for report in reports for result in report["results"]]
    dates = dict((former or {}).get("dates", {})) | {r["device"]: date for r in results}
    anew = {(result["kernel"], result["device"]) for result in results}
    kernels: dict[str, dict[str, dict]] = {
        name: {device: cell for device, cell in cells.items() if (name, device) not in anew}
        for name, cells in (former or {}).get("kernels", {}).items()
    }
    for result in results:
        cell = kernels.setdefault(result["kernel"], {}).setdefault(
            result["device"], {"cases": 0, "passed": 0, "worst": 0.0, "failed": []}
        )
        cell["cases"] += 1
        if result["status"] == "pass":
            cell["passed"] += 1
            cell["worst"] = round(max(cell["worst"], result["max_error_over_bound"]), 3)
        else:
            cell["failed"].append(f"{result['case']}: {result['status']}")
    return {"dates": dates, "kernels": kernels}


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
    devices = list(summary["dates"])
    lines = [
        f"| kernel | {' | '.join(f'`{device}`' for device in devices)} |",
        f"| --- |{' --- |' * len(devices)}",
    ]
    lines += [
        f"| {name} | {' | '.join(_cell(cells.get(device)) for device in devices)} |"
        for name, cells in kernels.items()
    ]
    counts = {
        device: [
            sum(cells[device][what] for cells in kernels.values() if device in cells)
            for what in ("passed", "cases")
        ]
        for device in devices
    }
    totals = [f"**{passed} of {cases}**" for passed, cases in counts.values()]
    lines.append(f"| **all** | {' | '.join(totals)} |")
    lines.append(f"| run on | {' | '.join(summary['dates'].values())} |")
    most = max(cases for _, cases in counts.values())
    fewer = [f"`{device}`" for device, (_, cases) in counts.items() if cases < most]
    failed = [
        f"- {name} on `{device}`, {what}"
        for name, cells in kernels.items()
        for device, cell in cells.items()
        for what in cell["failed"]
    ]
    told = ["\nWhat did not pass:\n", *failed] if failed else []
    smoke = SMOKE.format(devices=", ".join(fewer)) if fewer else ""
    return HEAD + "\n".join([*lines, *told]) + "\n" + smoke + TAIL


def main() -> None:
    """Summarise the files, if there are some, and write the page."""
    if files := sys.argv[1:]:
        reports = [json.loads(Path(file).read_text()) for file in files]
        former = json.loads(SUMMARY.read_text()) if SUMMARY.exists() else None
        summary = summarise(reports, datetime.date.today().isoformat(), former)
        SUMMARY.write_text(json.dumps(summary, indent=1) + "\n")
    PAGE.write_text(page(json.loads(SUMMARY.read_text())))


if __name__ == "__main__":
    main()
