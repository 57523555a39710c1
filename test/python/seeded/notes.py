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
        "Iterations of a loop store to different elements of the output. `insert-barriers` "
        "takes two stores to one tensor for a conflict, whatever their indices.",
        "barrier",
        ("softmax_long_row", "rmsnorm_long_row", "moe_permute"),
        "simt.barrier global",
    ),
    Note(
        "What is read of memory that others write has no use: in the machine code only the one "
        "thread, or those of the rows, that use it load it, and they wrote it themselves.",
        "barrier",
        ("attention", "moe_permute"),
        lines=(64, 70, 198),
    ),
    Note(
        "Another barrier stands beside it, and stores of iterations are to different elements.",
        "barrier",
        ("moe_permute",),
        "rocdl.s.barrier",
    ),
    Note(
        "It orders what is in front of a loop that always runs, as a split has keys; the "
        "barrier behind the last write in the loop does the same.",
        "barrier",
        ("mla_decode",),
        lines=(200, 221),
    ),
    Note(
        "Lanes of a warp read what a lane of the same warp wrote. The emulator of PTX runs the "
        "lanes of a warp in lockstep, which NVIDIA's hardware does not promise: it would have "
        "to keep account of lanes to see this.",
        "barrier",
        ("attention", "grouped_gemm"),
        device="cuda",
    ),
    Note(
        "Loads from LDS are under way at the barrier. The emulator takes them for done there, "
        "though nothing promises that they are before what another wave writes next.",
        "wait",
        ("sparse_mla",),
        lines=(1990,),
    ),
    Note(
        "Stores to LDS are under way at the barrier that only the wave itself reads, whose own "
        "operations LDS does in order.",
        "wait",
        ("attention",),
        lines=(3922,),
    ),
    Note(
        "LLVM has the same wait in front of the barrier, for a value that was loaded.",
        "wait",
        ("",),
        "rocdl.s.waitcnt",
    ),
    Note(
        "It keeps LLVM from moving accesses over the barrier. Without it LLVM moves some, and "
        "none that another wave meets.",
        "fence",
        ("",),
        "llvm.fence",
    ),
    Note(
        "All threads store the same number there.",
        "mask",
        ("moe_permute", "grouped_gemm"),
        "scf.if",
    ),
    Note(
        "Rows of an instruction that its tile has not: what is read there, inside of the tile, "
        "makes results that are dropped.",
        "mask",
        ("gemm", "mla_decode", "attention"),
        device="hip",
    ),
    Note(
        "Registers of a row that lie beyond it were never written, and LLVM takes for them "
        "what is at hand: here what leaves the maximum as it is.",
        "mask",
        ("moe_gate",),
        "%131 = arith.select",
    ),
    Note(
        "The number of a token's place: it is stored only where a token was counted, and none "
        "is counted beyond the last.",
        "mask",
        ("moe_permute",),
        "tile.store",
    ),
]


def reason_of(fault: dict) -> str:
    """The reason of a survivor. Raises LookupError where nobody knows one."""
    for note in NOTES:
        if note.tells_of(fault):
            return note.reason
    raise LookupError(f"nobody knows why it survives: {fault}")
