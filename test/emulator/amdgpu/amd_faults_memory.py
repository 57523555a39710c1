"""Faults of addresses and of undefined data, in global and private memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import amd_faults
import numpy as np
from amd_faults import Fault, Program, counted, words

from tilewright.emulator import Device

# out[i] = in[i] + 5, for i < 100, by 128 work-items.
MASKED = Program(
    "masked",
    """
  s_movk_i32 s8, 0x64
  v_cmp_gt_u32_e32 vcc, s8, v0
  s_and_saveexec_b64 s[10:11], vcc
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  v_add_u32_e32 v3, 5, v2
  global_store_dword v1, v3, s[4:5]
""",
    words(100),
    counted(100) + 5,
    block=128,
)

# Of 64 numbers in a buffer of 64 dwords, what is beyond it reads zero.
BUFFER = Program(
    "buffer",
    """
  s_mov_b32 s8, s6
  s_and_b32 s9, s7, 0xffff
  s_movk_i32 s10, 0x100
  s_mov_b32 s11, 0x00020000
  buffer_load_dword v2, v1, s[8:11], 0 offen offset:128
  s_waitcnt vmcnt(0)
  global_store_dword v1, v2, s[4:5]
""",
    words(64),
    np.concatenate([counted(64)[32:], np.zeros(32, np.uint32)]),
    block=64,
)

# Two private dwords, of which the second comes back.
SCRATCH = Program(
    "scratch",
    """
  v_mov_b32_e32 v3, 0
  v_lshlrev_b32_e32 v4, 1, v1
  scratch_store_dword v3, v1, off
  scratch_store_dword v3, v4, off offset:4
  s_waitcnt vmcnt(0)
  scratch_load_dword v5, v3, off offset:4
  s_waitcnt vmcnt(0)
  global_store_dword v1, v5, s[4:5]
""",
    words(64),
    8 * counted(64),
    block=64,
    scratch=8,
)

# Two groups of 64 count in in[0], and keep what was there before.
ATOMIC = Program(
    "atomic",
    """
  v_mov_b32_e32 v2, 0
  v_mov_b32_e32 v3, 1
  v_mov_b32_e32 v6, 0
  global_atomic_add v4, v2, v3, s[6:7] sc0
  s_waitcnt vmcnt(0)
  v_cmp_ne_u32_e32 vcc, -1, v4
  s_cbranch_vccz DONE
  global_store_dword v1, v6, s[4:5]
DONE:
""",
    words(64),
    np.zeros(64, np.uint32),
    block=64,
)

# A table in the code object's read-only segment, which a scalar load reads.
TABLE = Program(
    "table",
    """
  s_getpc_b64 s[8:9]
HERE:
  s_add_u32 s8, s8, table-HERE
  s_addc_u32 s9, s9, 0
  s_load_dwordx2 s[10:11], s[8:9], 0x8
  v_mov_b32_e32 v5, 0
  s_waitcnt lgkmcnt(0)
  s_add_u32 s10, s10, s11
  v_mov_b32_e32 v2, s10
  global_store_dword v5, v2, s[4:5]
""",
    words(1),
    np.array([7], np.uint32),
    block=64,
    more="""
  .p2align 4
table:
  .long 1, 2, 3, 4
""",
)


def freed(device: Device) -> list[Any]:
    """Arguments of MASKED, whose input an earlier launch read and the host then freed."""
    module = device.load(amd_faults.vector(MASKED.name))
    out, source = words(100)(device)
    module.launch("kernel", grid=1, block=128, args=[out, source])
    address = source.address
    source.free()
    return [out, address]


def null(device: Device) -> list[Any]:
    return [device.empty(100, np.uint32), 0]


def unwritten(device: Device) -> list[Any]:
    return [device.empty(100, np.uint32), device.empty(100, np.uint32)]


LOAD, STORE = ("global_load_dword v2",), ("global_store_dword v1",)
FAULTS = [
    Fault("missing-mask", MASKED, {"s_and_saveexec_b64 s[10:11], vcc": "s_nop 0"},
          "out-of-bounds", LOAD, ("out-of-bounds", "in-flight")),
    Fault("mask-of-one-too-many", MASKED, {"0x64": "0x65"}, "out-of-bounds", LOAD),
    Fault("load-one-past-the-end", MASKED, {"v1, s[6:7]": "v1, s[6:7] offset:4"},
          "out-of-bounds", LOAD),
    Fault("load-before-the-start", MASKED, {"v1, s[6:7]": "v1, s[6:7] offset:-4"},
          "out-of-bounds", LOAD),
    Fault("store-one-past-the-end", MASKED, {"v1, v3, s[4:5]": "v1, v3, s[4:5] offset:4"},
          "out-of-bounds", STORE),
    Fault("stride-of-eight", MASKED, {"v_lshlrev_b32_e32 v1, 2": "v_lshlrev_b32_e32 v1, 3"},
          "out-of-bounds", LOAD),
    Fault("use-after-free", MASKED, {}, "use-after-free", LOAD, arguments=freed),
    Fault("null-pointer", MASKED, {}, "out-of-bounds", LOAD, arguments=null),
    Fault("uninitialised-input", MASKED, {}, "uninitialised", (), arguments=unwritten),
    Fault("uninitialised-operand", MASKED, {"5, v2": "5, v9"}, "uninitialised", ()),
    Fault("uninitialised-address", MASKED, {"v2, v1, s[6:7]": "v2, v9, s[6:7]"},
          "uninitialised", LOAD),
    Fault("uninitialised-base", MASKED, {"v1, s[6:7]": "v1, s[20:21]"},
          "uninitialised", LOAD),
    Fault("uninitialised-mask", MASKED, {"s8, v0": "s8, v9"}, "uninitialised",
          ("s_and_saveexec",)),
    Fault("store-to-the-arguments", MASKED, {"v3, s[4:5]": "v3, s[0:1]"}, "read-only",
          STORE, ("out-of-bounds",)),
    Fault("arguments-past-the-end", MASKED, {"s[4:7], s[0:1], 0x0": "s[4:7], s[0:1], 0x8"},
          "out-of-bounds", ("s_load_dwordx4",), ("uninitialised",)),
    Fault("buffer-past-its-array", BUFFER, {"0x100": "0x180"}, "out-of-bounds",
          ("buffer_load",)),
    Fault("buffer-of-no-kind", BUFFER, {"0x00020000": "0xc0020000"}, "descriptor",
          ("buffer_load",), ("uninitialised",)),
    Fault("buffer-without-a-size", BUFFER, {"s_movk_i32 s10, 0x100": "s_nop 0"},
          "uninitialised", ("buffer_load",)),
    Fault("buffer-by-an-undefined-offset", BUFFER, {"v2, v1, s[8:11]": "v2, v9, s[8:11]"},
          "uninitialised", ("buffer_load",)),
    Fault("scratch-out-of-range", SCRATCH,
          {"v4, off offset:4": "v4, off offset:8"}, "out-of-bounds",
          ("v4, off offset:8",), ("uninitialised",)),
    Fault("scratch-before-the-start", SCRATCH, {"v1, off\n": "v1, off offset:-4\n"},
          "out-of-bounds", ("scratch_store_dword v3, v1",)),
    Fault("scratch-nobody-wrote", SCRATCH,
          {"scratch_store_dword v3, v4, off offset:4": "s_nop 0"}, "uninitialised", ()),
    Fault("atomic-misaligned", ATOMIC, {"v3, s[6:7]": "v3, s[6:7] offset:2"}, "misaligned",
          ("global_atomic",), ("uninitialised",)),
    Fault("atomic-on-the-arguments", ATOMIC, {"v3, s[6:7]": "v3, s[0:1]"}, "read-only",
          ("global_atomic",), ("uninitialised",)),
    Fault("atomic-past-the-end", ATOMIC, {"v3, s[6:7]": "v3, s[6:7] offset:256"},
          "out-of-bounds", ("global_atomic",), ("uninitialised",)),
    Fault("atomic-that-is-not-awaited", ATOMIC, {"  s_waitcnt vmcnt(0)\n": ""}, "in-flight",
          ("v_cmp_ne",)),
    Fault("write-to-the-code", TABLE, {"v5, v2, s[4:5]": "v5, v2, s[8:9]"}, "read-only",
          ("global_store",), ("uninitialised",)),
    Fault("table-past-the-end", TABLE, {"0x8": "0x80000"}, "out-of-bounds",
          ("s_load_dwordx2",), ("uninitialised",)),
]  # fmt: skip
