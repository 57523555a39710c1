"""`python -m seeded.sound [DEVICE...]`: the cases of the subjects on the compiler as it is.

Prints the first thing that is wrong on each device; the status says whether there was any.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import os
import sys

from .fleet import ENVIRONMENT
from .subjects import DEVICES, groups


def main() -> int:
    """Runs every case until one fails."""
    from tilewright.testing.verify import PASS, verify_case

    os.environ.update(ENVIRONMENT)
    wrong = 0
    for device in sys.argv[1:] or DEVICES:
        for case in (case for cases in groups() for case in cases):
            result = verify_case(case, device)
            if result.status != PASS:
                print(f"{device}: {case.id}: {result.reason}", flush=True)
                wrong += 1
                break
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
