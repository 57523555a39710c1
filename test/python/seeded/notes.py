"""Why faults survive, by reading: what no program here decides.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Note:
    """A reason, and the faults that it is the reason of: those of a kind whose kernel and
    text begin with what is given, on some lines where they are given."""

    reason: str
    kinds: tuple[str, ...]
    kernels: tuple[str, ...]
    what: str = ""
    lines: tuple[int, ...] = ()

    def tells_of(self, fault: dict) -> bool:
        return (
            fault["kind"] in self.kinds
            and fault["kernel"].startswith(self.kernels)
            and fault["what"].startswith(self.what)
            and (not self.lines or fault["line"] in self.lines)
        )


NOTES: list[Note] = [
    Note(
        "Iterations of a loop store to different elements of the output. `insert-barriers` "
        "takes two stores to one tensor for a conflict, whatever their indices.",
        ("barrier",),
        ("softmax_long_row", "rmsnorm_long_row", "moe_permute"),
        "simt.barrier global",
    ),
    Note(
        "What is read of memory that others write has no use: LLVM loads it only in the one "
        "thread, or for the rows, that use it, and those wrote it themselves.",
        ("barrier",),
        ("attention", "moe_permute"),
        "simt.barrier",
        lines=(70, 198),
    ),
    Note(
        "Lanes of a warp read what a lane of the same warp wrote. The emulator of PTX runs the "
        "lanes of a warp in lockstep, which NVIDIA's hardware does not promise: it would have "
        "to keep account of lanes to see this.",
        ("barrier",),
        ("attention", "mla_", "sparse_mla", "grouped_gemm", "moe_"),
        "simt.barrier",
    ),
    Note(
        "What it waits for has ended: LLVM has a wait of its own in front, as it has where a "
        "loaded value is used. The emulator keeps account of every operation.",
        ("wait",),
        ("",),
        "rocdl.s.waitcnt",
    ),
    Note(
        "It keeps LLVM from moving accesses over the barrier. Without it LLVM moves some, and "
        "none that another wave meets.",
        ("fence",),
        ("",),
        "llvm.fence",
    ),
    Note(
        "All threads store the same number there.",
        ("mask",),
        ("moe_permute", "grouped_gemm"),
        "scf.if",
    ),
    Note(
        "Rows of an instruction that its tile has not: what is read there, inside of the tile, "
        "makes results that are dropped.",
        ("mask",),
        ("gemm", "mla_decode", "sparse_mla", "attention", "grouped_gemm"),
        "",
    ),
    Note(
        "Registers of a row that lie beyond it were never written, and LLVM takes for them "
        "what is at hand: here what leaves the maximum as it is.",
        ("mask",),
        ("moe_gate",),
        "%131 = arith.select",
    ),
    Note(
        "The number of a token's place: it is stored only where a token was counted, and none "
        "is counted beyond the last.",
        ("mask",),
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
