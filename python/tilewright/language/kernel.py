"""`T.Kernel`: a grid of independent blocks.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

from .registry import Flag, Static, operation


class KernelSpec:
    """A T.Kernel that is to be opened: grid extents and the hint of threads, whose number is
    the product of what `block` holds."""

    __slots__ = ("grid", "threads", "block")

    def __init__(self, grid: tuple, threads: int | None, block: tuple | None) -> None:
        self.grid, self.threads, self.block = grid, threads, block


@operation
def Kernel(k, *grid, threads: Static = None, is_cpu: Flag = False):
    """A grid of up to three extents; `as` names the block's coordinates, the first fastest.
    Without extents it is one block.

    `threads` is a hint (a number, or up to three that are multiplied): GPU backends honour
    it where they can, and choose by what fragments take of the registers where it is left
    out; the CPU ignores it. `is_cpu` is TileLang's; the target decides.
    """
    grid = grid or (1,)
    if len(grid) > 3:
        k.fail(
            f"T.Kernel with {len(grid)} grid extents",
            rule="a grid has at most three",
            hint="merge extents and take them apart with // and %",
        )
    for extent in grid:
        if isinstance(extent, int) and extent < 0:
            k.fail(
                f"T.Kernel: the grid extent {extent} is negative",
                hint="an extent of 0 runs nothing",
            )
    if math.prod(extent for extent in grid if isinstance(extent, int)) >= 2**63:
        k.fail(f"T.Kernel: {grid} are too many blocks", rule="their number has 64 bits")
    count = block = None
    if threads is not None:
        count = 1
        block = tuple(threads) if isinstance(threads, (tuple, list)) else (threads,)
        for n in block:
            if not isinstance(n, int) or n < 1:
                k.fail(
                    f"T.Kernel: {threads!r} is no number of threads",
                    hint="threads=128, or leave it out",
                )
            count *= n
        if count > 1024:
            k.fail(
                f"T.Kernel: threads={count}",
                rule="a block has at most 1024 threads",
                hint="it is a hint only; 128 or 256 suit most kernels",
            )
    return KernelSpec(grid, count, block)


@operation
def grid_sync(k):
    """Every block waits here for all blocks of its grid, and sees what they wrote.

    Where blocks do not run at once, as on the CPU, the kernel is split here: a tile, a
    variable or a value read from memory may not live across it.
    """
    if k.kernel is None:
        k.fail(
            "T.grid_sync outside a kernel",
            rule="blocks of one grid wait for each other",
            hint="leave it out: kernels run in order",
        )
    if k.parallel or k.branches or any(loop.kind == "while" for loop in k.loops):
        what = "T.Parallel" if k.parallel else "a branch or `while`"
        k.fail(
            f"T.grid_sync inside {what}",
            rule="all blocks reach it: it stands in the body of T.Kernel, or in counted "
            "loops there",
            hint="put it in front of or after the loop"
            if k.parallel
            else "guard the work around it, and let every block reach it",
        )
    k.builder.effects += 1
    k.builder.op("tile.grid_sync")
