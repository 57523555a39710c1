"""What a hand-made fault is, and how to run one: a sound PTX program, and one change to it.

The programs are in faults_*.py, by topic. A program is the body of a kernel; its first
parameter is the array that holds its results.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tilewright.emulator import Device

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
class Program:
    """A sound kernel. `arguments` makes its arguments: out, in, and those of `more`."""

    name: str
    body: str
    arguments: Callable[[Device], list[Any]]
    expected: np.ndarray
    arch: str = "sm_80"
    more: str = ""
    globals: str = ""
    directives: str = ""
    grid: int = 1
    block: int = 32
    cluster: int = 1
    checks: dict[str, Any] = field(default_factory=dict)

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


@dataclass(frozen=True)
class Fault:
    """`changes` of a program's text that break it, or other `arguments`. It is reported by
    `rule`, at a line that has one of `at` in it; `at` is empty where the host reads
    undefined data. `also` are rules that may be broken as a consequence, maybe at earlier
    lines; without them, the first report is the one."""

    name: str
    program: Program
    changes: dict[str, str]
    rule: str
    at: tuple[str, ...]
    also: tuple[str, ...] = ()
    arguments: Callable[[Device], list[Any]] | None = None

    @property
    def text(self) -> str:
        text = self.program.text
        for old, new in self.changes.items():
            assert text.count(old) == 1, f"{self.name}: {text.count(old)} times {old!r}"
            text = text.replace(old, new)
        return text

    def lines(self) -> set[int]:
        """The lines at which it may be reported."""
        rows = self.text.split("\n")
        found = {n for n, row in enumerate(rows, 1) if any(part in row for part in self.at)}
        assert len(found) == len(self.at), f"{self.name}: {self.at} are at lines {found}"
        return found or {0}


def run(
    program: Program,
    order: str | int,
    text: str | None = None,
    arguments: Callable[[Device], list[Any]] | None = None,
) -> np.ndarray:
    """The results of a program; EmulatorFault where it is reported."""
    device = Device(program.arch, order, 1, max_steps=20_000, **program.checks)
    module = device.load(text or program.text)
    args = (arguments or program.arguments)(device)
    module.launch(
        "kernel",
        grid=program.grid,
        block=program.block,
        cluster=program.cluster,
        args=args,
    )
    return args[0].numpy(never_written=True)


def words(count: int, *more: Any, source: int | None = None) -> Callable[[Device], list[Any]]:
    """Arguments: `count` words of results, an input of the numbers from 0 on (`source` of
    them, or as many), and what else there is."""

    def make(device: Device) -> list[Any]:
        numbers = np.arange(source or count, dtype=np.uint32)
        return [device.empty(count, np.uint32), device.array(numbers), *more]

    return make


def counted(count: int) -> np.ndarray:
    """The numbers from 0 on."""
    return np.arange(count, dtype=np.uint32)


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
