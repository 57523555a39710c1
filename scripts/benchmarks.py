"""Writes docs/benchmarks.md and its picture from reports of `tilewright bench --json`.

    .venv/bin/tilewright bench --threads 1,2 --json bench/results/DATE-cpu-NAME.json
    .venv/bin/python scripts/benchmarks.py bench/results/DATE-cpu-NAME.json

Each report is of one machine and has a section of its own.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
sys.path.insert(0, str(ROOT / "python"))


def named(path: Path) -> str:
    """How the page names a report: a link to one of the checkout."""
    path = path.resolve()
    if not path.is_relative_to(ROOT / "bench"):
        return f"`{path.name}`"
    link = os.path.relpath(path, PAGE.parent)
    return f"[{path.relative_to(ROOT)}]({link})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page and says what was written."""
    from tilewright.cli import bench_page
    from tilewright.testing import roofline

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write (docs/)")
    options = parser.parse_args(arguments)
    try:
        reports = {named(path): json.loads(path.read_text()) for path in options.reports}
        written = bench_page.write(options.page, reports)
    except (OSError, ValueError, roofline.CannotDraw) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
