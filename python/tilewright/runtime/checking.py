"""What a launch in checking mode raises.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from tilewright._runtime import KernelFault
from tilewright.faults import Fault, of_records


class CheckError(KernelFault):
    """A kernel compiled with `debug=` broke rules. The text has every report; `faults` has
    them as records, in the order in which they arose."""

    def __init__(self, message: str, faults: list[Fault]) -> None:
        super().__init__(message)
        self.faults = faults

    @classmethod
    def of_records(cls, message: str, records: str) -> CheckError:
        """The error of a launch: the runtime's reports as a text, and as a JSON array."""
        return cls(message, of_records(records))
