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
        "Stores of probabilities to LDS are under way at the barrier, in rows that only the "
        "wave itself reads, and LDS does a wave's operations in order. The barrier is there "
        "for zeros in place of values beyond the last one, which other waves read: behind "
        "these come loads of the first product, which are waited for.",
        "wait",
        ("attention",),
    ),
    Note(
        "Stores of a turn to a list are under way at the barrier in front of the next turn, "
        "which writes other places: a word counts up, and each word has places of its own. "
        "The barrier in front of those that read the list has a wait of its own.",
        "wait",
        ("topk",),
    ),
    Note(
        "Stores behind the last of the selected, where no store of the loop before is at: "
        "`insert-barriers` would have to know how many were selected.",
        "barrier",
        ("topk",),
        lines=(1114, 1018),
    ),
]


def reason_of(fault: dict) -> str:
    """The reason of a survivor. Raises LookupError where nobody knows one."""
    for note in NOTES:
        if note.tells_of(fault):
            return note.reason
    raise LookupError(f"nobody knows why it survives: {fault}")
