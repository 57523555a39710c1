"""The hand-made faults of PTX: what a program is, and where all are.

The programs are in faults_*.py, by topic. A program is the body of a kernel; its first
parameter is the array that holds its results.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import fault
from fault import Fault, counted, words

__all__ = ["Fault", "Program", "counted", "everything", "unusual", "words"]

# Of out, %out is the address, %to that of the thread's own word; %in and %from likewise.
_HEAD = """.version 8.3
.target {arch}
.address_size 64
{globals}
.visible .entry kernel({parameters}){directives}
{{
  .reg .pred %p<8>;
  .reg .b32 %r<32>, %t, %v, %w, %n, %a, %i, %k;
  .reg .f32 %f<8>;
  .reg .b64 %d<16>, %out, %in, %to, %from, %off;
  ld.param.u64 %out, [out];
  ld.param.u64 %in, [in];
  mov.u32 %t, %tid.x;
  mul.wide.u32 %off, %t, 4;
  add.s64 %to, %out, %off;
  add.s64 %from, %in, %off;
"""


@dataclass(frozen=True)
class Program(fault.Program):
    """A kernel in PTX, of whose arguments `out` and `in` come first, then those of `more`."""

    arch: str = "sm_80"
    more: str = ""
    _: KW_ONLY
    globals: str = ""
    directives: str = ""

    @property
    def text(self) -> str:
        parameters = ".param .u64 out, .param .u64 in" + (", " + self.more if self.more else "")
        head = _HEAD.format(
            arch=self.arch,
            globals=self.globals,
            parameters=parameters,
            directives=self.directives,
        )
        return head + self.body.strip("\n") + "\n  ret;\n}\n"


def everything() -> list[Fault]:
    """All faults, of all files."""
    import faults_async
    import faults_barriers
    import faults_calls
    import faults_cluster
    import faults_grid
    import faults_hopper
    import faults_matrix
    import faults_memory
    import faults_pipeline
    import faults_warp

    files = (
        faults_memory,
        faults_barriers,
        faults_async,
        faults_matrix,
        faults_pipeline,
        faults_hopper,
        faults_grid,
        faults_cluster,
        faults_calls,
        faults_warp,
    )
    return [fault for file in files for fault in file.FAULTS]


def unusual() -> list[Program]:
    """Programs that are right and look as if they were not."""
    import sound_memory
    import sound_sync

    return [*sound_memory.PROGRAMS, *sound_sync.PROGRAMS]
