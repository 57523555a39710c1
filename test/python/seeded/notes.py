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


OPEN = "Not looked up yet."

# Lines are those of the stages when the page was written: another compiler may ask for others.
NOTES: list[Note] = [
    Note(
        "Stores behind the last place of an expert, which no store of the loop before is at: "
        "`insert-barriers` would have to know that places are below their count.",
        "barrier",
        ("moe_permute",),
        "simt.barrier global",
    ),
    Note(
        "Of an entry that does not count columns beyond `d_v` of another row are loaded. They "
        "are in no value, and the score that they make is dropped.",
        "mask",
        ("sparse_mla",),
    ),
    Note(
        "Between `simt.get` and the next barrier only the threads that put elements of an item "
        "change them. That barrier stands there for what they changed, and does for what was "
        "put as well.",
        "barrier",
        ("mla_decode",),
        "simt.barrier",
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
        ("mla_decode", "grouped_gemm"),
    ),
    Note(
        "LLVM has the same wait in a branch that a wave passes by only where none of its lanes "
        "has columns of the row, and each wave has such lanes.",
        "wait",
        ("moe_gate",),
    ),
    Note(
        "It keeps LLVM from moving accesses over the barrier. Without it LLVM has loads that "
        "come behind the barrier in another order, and moves none over it.",
        "fence",
        ("grouped_gemm",),
        "llvm.fence",
    ),
    Note(
        "It keeps LLVM from moving accesses over the barrier. Without it LLVM moves none, and "
        "has one wait where there were two.",
        "fence",
        ("attention",),
        "llvm.fence",
    ),
    Note(
        "The barrier in front of it, which `insert-barriers` put there for a tile, stands "
        "behind the same stores to global memory, and NVIDIA's orders these too.",
        "barrier",
        ("topk",),
        "simt.barrier global",
        lines=(202,),
        device="cuda",
    ),
    Note(
        "Turns write different places of a list: a word counts up, and each word has places of "
        "its own.",
        "barrier",
        ("topk",),
        lines=(572, 500),
    ),
    Note(
        "Stores behind the last of the selected, where no store of the loop before is at: "
        "`insert-barriers` would have to know how many were selected.",
        "barrier",
        ("topk",),
        lines=(1249, 1153),
    ),
    Note(
        "All threads store the same number, the least, and the first one reads it behind the "
        "next barrier.",
        "mask",
        ("topk",),
    ),
    Note(OPEN, "barrier", ("topk",), device="hip"),
    Note(OPEN, "wait", ("topk",), device="hip"),
    Note(OPEN, "fence", ("topk", "sparse_mla"), device="hip"),
]


def reason_of(fault: dict) -> str:
    """The reason of a survivor. Raises LookupError where nobody knows one."""
    for note in NOTES:
        if note.tells_of(fault):
            return note.reason
    raise LookupError(f"nobody knows why it survives: {fault}")
