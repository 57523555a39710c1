"""Faults of branches, of what is executed, and between work-groups.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from amd_faults import Fault, Program, words

# The logarithm of a number that a scalar load brings, by a loop.
LOGARITHM = Program(
    "logarithm",
    """
  s_load_dword s8, s[6:7], 0x7c
  s_mov_b32 s9, 0
  s_waitcnt lgkmcnt(0)
  s_cmp_gt_u32 s8, 31
  s_cbranch_scc1 STOP
AGAIN:
  s_cmp_le_u32 s8, 1
  s_cbranch_scc1 OVER
  s_lshr_b32 s8, s8, 1
  s_add_u32 s9, s9, 1
  s_branch AGAIN
STOP:
  s_trap 2
OVER:
  v_mov_b32_e32 v2, s9
  v_mov_b32_e32 v3, 0
  global_store_dword v3, v2, s[4:5]
""",
    words(1, source=32),
    np.array([4], np.uint32),
    block=64,
)

# A function that doubles s8, called by its address.
CALL = Program(
    "call",
    """
  s_mov_b32 s8, 21
  s_getpc_b64 s[10:11]
HERE:
  s_add_u32 s10, s10, double-HERE
  s_addc_u32 s11, s11, 0
  s_swappc_b64 s[30:31], s[10:11]
  v_mov_b32_e32 v2, s8
  v_mov_b32_e32 v3, 0
  global_store_dword v3, v2, s[4:5]
""",
    words(1),
    np.array([42], np.uint32),
    block=64,
    more="""
double:
  s_lshl_b32 s8, s8, 1
  s_setpc_b64 s[30:31]
""",
)

# Where all lanes agree, the wave takes a short way.
VOTE = Program(
    "vote",
    """
  v_mov_b32_e32 v2, 1
  v_cmp_gt_u32_e32 vcc, 64, v0
  s_cbranch_vccz ELSE
  v_mov_b32_e32 v2, 2
ELSE:
  global_store_dword v1, v2, s[4:5]
""",
    words(128),
    np.repeat(np.array([2, 1], np.uint32), 64),
    block=128,
)

# Data in the code has no line of its own: the one before it counts.
DATA = ("s_load_dword s8",)
FAULTS = [
    Fault("endless-loop", LOGARITHM, {"s_lshr_b32 s8, s8, 1": "s_lshr_b32 s8, s8, 0"},
          "limit", ("s_cmp_le", "scc1 OVER", "s_lshr", "s_add_u32", "s_branch")),
    Fault("trap", LOGARITHM, {"s8, 31": "s8, 30"}, "trap", ("s_trap",)),
    Fault("condition-of-undefined-scalars", LOGARITHM, {"s_cmp_gt_u32 s8, 31":
          "s_cmp_gt_u32 s20, 31"}, "uninitialised", ("scc1 STOP",), ("trap",)),
    Fault("condition-nobody-set", LOGARITHM, {"  s_cmp_gt_u32 s8, 31\n": ""},
          "uninitialised", ("scc1 STOP",), ("trap",)),
    Fault("scalar-load-past-the-end", LOGARITHM, {"0x7c": "0x80"}, "out-of-bounds",
          ("s_load_dword s8",), ("uninitialised",)),
    Fault("branch-out-of-the-code", LOGARITHM, {"s_branch AGAIN": "s_branch 0x7000"},
          "unsupported", ()),
    Fault("no-instruction", LOGARITHM, {"s_mov_b32 s9, 0\n": ".long 0xffffffff\n"},
          "unsupported", DATA),
    Fault("instruction-of-gfx950", LOGARITHM,
          {"s_mov_b32 s9, 0\n": "s_mov_b32 s9, 0\n  .long 0x7e04b303 // swap\n"},
          "unsupported", ("s_mov_b32 s9",)),
    Fault("call-out-of-the-code", CALL, {"double-HERE": "double-HERE+0x100000"},
          "out-of-bounds", ("s_swappc",)),
    Fault("call-of-an-undefined-address", CALL, {"s_swappc_b64 s[30:31], s[10:11]":
          "s_swappc_b64 s[30:31], s[40:41]"}, "uninitialised", ("s_swappc",),
          ("out-of-bounds",)),
    Fault("return-to-nowhere", CALL, {"s_setpc_b64 s[30:31]": "s_setpc_b64 s[28:29]"},
          "uninitialised", ("s_setpc",), ("out-of-bounds",)),
    Fault("vote-of-undefined-lanes", VOTE, {"64, v0": "64, v9"}, "uninitialised",
          ("s_cbranch_vccz",)),
    Fault("vote-on-a-mask-nobody-set", VOTE, {"v_cmp_gt_u32_e32 vcc, 64, v0": "s_nop 0"},
          "uninitialised", ("s_cbranch_vccz",)),
]  # fmt: skip
