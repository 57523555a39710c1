"""`PYTHONPATH=test/python python -m mutation [COUNT] [SEED]`: the table of outcomes by kind.

Mutants that are wrong are written with their text; the status says whether there were any.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import sys
from collections import Counter

from .fleet import judged
from .mutations import sample


def main() -> int:
    """Prints the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    table: Counter[tuple[str, str]] = Counter()
    for mutant, verdict in judged(sample(count, seed)):
        table[mutant.kind, verdict.outcome] += 1
        if verdict.is_wrong or "-v" in sys.argv:
            lines = mutant.text.splitlines()[mutant.first - 1 : mutant.last]
            print(f"==== {verdict.outcome}: {mutant.kernel}, {mutant.kind} {mutant.detail!r}")
            print("\n".join(lines), f"\n---- {verdict.text}\n", flush=True)
    outcomes = sorted({o for _, o in table})
    print("| mutation | " + " | ".join(outcomes) + " |")
    print("| --- |" + " ---: |" * len(outcomes))
    for kind in sorted({k for k, _ in table}):
        print(f"| {kind} | " + " | ".join(str(table[kind, o]) for o in outcomes) + " |")
    sums = (sum(n for (_, o), n in table.items() if o == outcome) for outcome in outcomes)
    print("| all | " + " | ".join(map(str, sums)) + " |")
    return any(o.startswith("WRONG") for _, o in table)


if __name__ == "__main__":
    sys.exit(main())
