"""Why faults survive, by reading: what no program here decides.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Note:
    """A reason, and the faults that it is the reason of: those of a kind whose kernel and
    text begin with what is given."""

    reason: str
    kinds: tuple[str, ...]
    kernels: tuple[str, ...]
    what: str = ""

    def tells_of(self, fault: dict) -> bool:
        return (
            fault["kind"] in self.kinds
            and fault["kernel"].startswith(self.kernels)
            and fault["what"].startswith(self.what)
        )


NOTES: list[Note] = [
    Note(
        "Iterations of a loop store to different columns of the output. `insert-barriers` "
        "takes two stores to one tensor for a conflict, whatever their indices.",
        ("barrier",),
        ("softmax_long_row", "rmsnorm_long_row"),
        "simt.barrier global",
    ),
    Note(
        "Lanes of a warp read what a lane of the same warp wrote: rows are dealt out to warps. "
        "Emulators run the lanes of a warp in lockstep, as AMD's hardware does; NVIDIA's does "
        "not promise it. The emulator of PTX would have to keep account of lanes to see it.",
        ("barrier",),
        ("attention", "mla_decode", "sparse_mla", "grouped_gemm", "moe_"),
        "simt.barrier",
    ),
]


def reason_of(fault: dict) -> str:
    """The reason of a survivor. Raises LookupError where nobody knows one."""
    for note in NOTES:
        if note.tells_of(fault):
            return note.reason
    raise LookupError(f"nobody knows why it survives: {fault}")
