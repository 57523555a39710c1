"""`PYTHONPATH=test/python python -m seeded [NAME...]`: seeds faults in the library's kernels.

A NAME is the beginning of a case's, such as `gemm/pipelined`. `--json FILE` keeps what became
of each fault, for `python -m seeded.report`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections import Counter

from tilewright.testing.verify import PASS, verify_case

from .campaign import findings
from .fleet import apart
from .subjects import DEVICES, groups, subjects
from .verdict import CAUGHT, SURVIVED


def main() -> int:
    """Prints a line for each subject; the status says whether a fault survived."""
    parser = argparse.ArgumentParser(prog="python -m seeded", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--device", action="append", help="both emulated ones by default")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--masks", type=int, default=16, help="so many masks of a stage at most (16)"
    )
    asked = parser.parse_args()
    started, kept, totals = time.monotonic(), [], Counter()
    for device in asked.device or DEVICES:
        for cases in groups():
            if asked.names and not cases[0].id.startswith(tuple(asked.names)):
                continue
            for case in cases:  # which also fills the cache: this process compiles nothing
                sound = apart(functools.partial(verify_case, case, device))
                assert sound.status == PASS, sound
            for subject in subjects(cases, device):
                counts: Counter[str] = Counter()
                for finding in findings(subject, asked.masks, asked.jobs):
                    counts[finding.verdict.by] += 1
                    kept.append(finding.as_json())
                    if finding.verdict.by == SURVIVED:
                        fault = finding.fault
                        print(
                            f"  survived: {fault.stage}:{fault.line}: {fault.kind}: "
                            f"{fault.what}",
                            flush=True,
                        )
                totals += counts
                said = ", ".join(f"{n} {by}" for by, n in counts.most_common())
                minutes = (time.monotonic() - started) / 60
                print(f"{minutes:5.1f} min  {device}  {subject.name}: {said}", flush=True)
                if asked.json:
                    with open(asked.json, "w") as file:
                        json.dump(kept, file, indent=0)
    caught = sum(totals[by] for by in CAUGHT)
    count = caught + totals[SURVIVED]
    print(f"{caught} of {count} caught, {100 * caught / max(count, 1):.1f} %: {dict(totals)}")
    return 1 if totals[SURVIVED] else 0


if __name__ == "__main__":
    sys.exit(main())
