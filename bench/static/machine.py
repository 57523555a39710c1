"""What a GPU's core holds, and how many blocks of a kernel that makes.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Resources:
    """What a kernel takes. `registers` are of a thread, with AMD's `agprs` among them;
    `spill_bytes` is what a thread spills (loads and stores of it are counted, where both are
    known), `stack_bytes` its local or scratch memory."""

    threads: int
    registers: int
    agprs: int
    sgprs: int
    spill_bytes: int
    stack_bytes: int
    shared_bytes: int


@dataclasses.dataclass(frozen=True)
class Core:
    """Limits of a multiprocessor or compute unit, of which registers are a part's: `parts`
    schedulers or SIMDs with `registers` for each lane of a warp."""

    lanes: int
    parts: int
    registers: int
    register_granule: int
    warps_of_a_part: int
    blocks: int
    shared_bytes: int
    shared_granule: int
    shared_reserved: int


def _nvidia(kibibytes: int, warps: int, blocks: int) -> Core:
    # 65536 registers in four parts of 512 a lane; the system keeps a KiB of a block.
    return Core(32, 4, 512, 8, warps, blocks, kibibytes << 10, 128, 1024)


def _cdna(kibibytes: int, granule: int) -> Core:
    # Registers of both kinds are one file of 512 a lane; there are 16 barriers for blocks.
    return Core(64, 4, 512, 8, 8, 16, kibibytes << 10, granule, 0)


CORES = {
    "sm_80": _nvidia(164, 16, 32),
    "sm_86": _nvidia(100, 12, 16),
    "sm_89": _nvidia(100, 12, 24),
    "gfx942": _cdna(64, 512),
    "gfx950": _cdna(160, 1280),
}


@dataclasses.dataclass(frozen=True)
class Occupancy:
    """Blocks that are live on a core at once, and what allows no more of them."""

    blocks: int
    warps: int
    limit: str


def occupancy(arch: str, needs: Resources) -> Occupancy:
    """How many blocks of a kernel a core of `arch` holds."""
    core = CORES[arch]
    warps = -(-needs.threads // core.lanes)
    of_a_part = core.registers // _up(max(needs.registers, 1), core.register_granule)
    shared = _up(needs.shared_bytes + core.shared_reserved, core.shared_granule)
    limits = {
        "registers": of_a_part * core.parts // warps,
        "shared": core.shared_bytes // shared if shared else core.blocks,
        "threads": core.warps_of_a_part * core.parts // warps,
        "blocks": core.blocks,
    }
    limit = min(limits, key=lambda name: limits[name])
    return Occupancy(limits[limit], limits[limit] * warps, limit)


def _up(number: int, granule: int) -> int:
    return -(-number // granule) * granule
