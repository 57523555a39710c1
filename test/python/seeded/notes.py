"""Why faults survive, by reading: what no program here decides.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Note:
    """A reason, and the faults that it is the reason of: those of a kind whose kernel and text
    begin with what is given; of some lines and on one vendor's device where that is given."""

    reason: str
    kind: str
    kernels: tuple[str, ...]
    what: str = ""
    lines: tuple[int, ...] = ()
    device: str = ""

    def tells_of(self, fault: dict) -> bool:
        return (
            fault["kind"] == self.kind
            and fault["kernel"].startswith(self.kernels)
            and fault["what"].startswith(self.what)
            and fault["device"].startswith(self.device)
            and (not self.lines or fault["line"] in self.lines)
        )


# Lines are those of the stages when the page was written: another compiler may ask for others.
NOTES: list[Note] = [
    Note(
        "What is read of memory that others write has no use: in the machine code only those "
        "of the rows that use it load it, and they wrote it themselves.",
        "barrier",
        ("attention",),
        lines=(198,),
    ),
    Note(
        "Stores behind the last place of an expert, which no store of the loop before is at: "
        "`insert-barriers` would have to know that places are below their count.",
        "barrier",
        ("moe_permute",),
        "simt.barrier global",
    ),
    Note(
        "Stores to LDS are under way at the barrier that only the wave itself reads, whose own "
        "operations LDS does in order.",
        "wait",
        ("attention", "moe_permute"),
    ),
    Note(
        "Stores to LDS are under way at the barrier, and another one that waits for them comes "
        "before anybody reads what they wrote.",
        "wait",
        ("mla_decode",),
    ),
    Note(
        "LLVM has the same wait, for a value that was loaded, wherever a lane of the wave "
        "loads one; in no case is there a wave without such a lane.",
        "wait",
        ("moe_gate",),
    ),
    Note(
        "It keeps LLVM from moving accesses over the barrier. Without it LLVM moves some, and "
        "none that another wave meets.",
        "fence",
        ("mla_decode",),
        "llvm.fence",
    ),
    Note(
        "Registers of a row that lie beyond it were never written, and LLVM takes for them "
        "what is at hand: here what leaves the maximum as it is.",
        "mask",
        ("moe_gate",),
        "%131 = arith.select",
    ),
]


def reason_of(fault: dict) -> str:
    """The reason of a survivor. Raises LookupError where nobody knows one."""
    for note in NOTES:
        if note.tells_of(fault):
            return note.reason
    raise LookupError(f"nobody knows why it survives: {fault}")
