"""Whether kernels are as fast in other words, and with more elementwise work.

    .venv/bin/python bench/robustness [KERNEL...] [--each] [--keep DIR] [--json FILE]

Rewrites the source of library kernels, checks the results and times both in turns on one
thread. Ends with 1 where a variant is wrong or reaches less than 90 % of the speed.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from pathlib import Path

from tilewright.testing.threads import PEER_ENVIRONMENT


def main() -> int:
    """Measures, shows a table and writes a report; gives the exit code."""
    from comparison import LEAST, chosen, compare
    from rewrite import REWRITINGS
    from variant import KINDS

    from tilewright.cli.console import stderr, stdout, table, write_json
    from tilewright.cli.units import seconds
    from tilewright.testing.machine import cpu_name
    from tilewright.testing.report import origin

    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="or KERNEL/CASE/DTYPE")
    parser.add_argument("--each", action="store_true", help="each rewriting by itself, too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the variants here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report")
    options = parser.parse_args()
    try:
        cases = chosen(options.kernels)
    except ValueError as error:
        parser.error(str(error))
    kinds = [*KINDS, *(REWRITINGS if options.each else ())]

    shown = table("case", "variant", ">original", ">variant", ">share", "")
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, case in enumerate(cases, 1):
            stderr().print(f"[{number}/{len(cases)}] {case.id}", markup=False)
            for result in compare(case, kinds, folder):
                results.append(result)
                times = seconds(result.original_s), seconds(result.variant_s)
                word = result.wrong.partition("\n")[0] or ("" if result.holds else "slow")
                shown.add_row(result.case, result.kind, *times, f"{result.share:.2f}", word)
                write_json(
                    options.json,
                    {
                        "origin": origin((), "cpu", [1]) | {"command": "bench/robustness"},
                        "cpu": cpu_name(),
                        "least": LEAST,
                        "results": [dataclasses.asdict(result) for result in results],
                    },
                )
    stdout().print(shown)
    required = [result for result in results if result.kind in KINDS]
    held = sum(result.holds for result in required)
    stdout().print(f"{held} of {len(required)} variants have {100 * LEAST:.0f} % of the speed")
    return 0 if held == len(required) else 1


if __name__ == "__main__":
    if os.environ.get("OMP_WAIT_POLICY") is None:
        # Freed memory stays, as in benchmarks: glibc reads its settings when it starts.
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | PEER_ENVIRONMENT)
    sys.exit(main())
