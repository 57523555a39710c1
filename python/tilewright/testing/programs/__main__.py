# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`python -m tilewright.testing.programs`: hunt for programs that a device gets wrong."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

from tilewright import _compiler
from tilewright.testing.programs.hunt import Failure, hunt, replayed


def main() -> int:
    """Draw and examine, or replay; 1 where a program fails."""
    parser = argparse.ArgumentParser(prog="python -m tilewright.testing.programs",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--count", type=int, default=1000, help="how many programs to draw")
    parser.add_argument("--seconds", type=float, default=math.inf,
                        help="begin none after so many")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="other seeds draw other programs")
    parser.add_argument("--jobs", type=int, default=1, help="processes that draw")
    parser.add_argument("--device", default="cpu", help="where programs run")
    parser.add_argument("--corpus", type=Path, default=Path("found-programs"),
                        help="folder for the programs that fail")  # fmt: skip
    parser.add_argument("--replay", type=Path, nargs="+", help="programs of a corpus to run")
    options = parser.parse_args()
    try:
        _compiler.resolve_target(options.device)
    except ValueError as error:
        parser.error(str(error))
    if options.replay:
        return _replay(options.replay, options.device)
    start = time.monotonic()

    def show(total, failures: list[Failure]) -> None:
        seconds = time.monotonic() - start
        counts = ", ".join(f"{n} {status}" for status, n in sorted(total.items()))
        rate = sum(total.values()) / seconds
        print(f"{seconds:7.0f} s  {counts}  ({rate:.1f} programs/s)", flush=True)
        for failure in failures:
            path = failure.write(options.corpus)
            print(f"{path}\n{failure.verdict.status}: {failure.verdict.reason}")
            print(failure.program.text(), flush=True)

    total, failures = hunt(
        options.count, options.seed, options.device, options.jobs, show, options.seconds
    )
    print(f"{sum(total.values())} programs, {len(failures)} failures kept")
    return 1 if failures else 0


def _replay(paths: list[Path], device: str) -> int:
    failed = 0
    for path in paths:
        verdict = replayed(path, device)
        failed += verdict.failed
        print(f"{path}: {verdict.status} {verdict.reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
