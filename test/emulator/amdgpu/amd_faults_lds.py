"""Faults in LDS, and of barriers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from amd_faults import Fault, Program, counted, words

# out[i] = i with its 64 turned over: two waves exchange their numbers through LDS.
EXCHANGE = Program(
    "exchange",
    """
  v_xor_b32_e32 v2, 0x100, v1
  ds_write_b32 v1, v0
  s_waitcnt lgkmcnt(0)
  s_barrier
  ds_read_b32 v3, v2
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""",
    words(128),
    counted(128) ^ 64,
    block=128,
    lds=512,
)

# The same through flat addresses, whose operations a barrier orders only after a wait.
FLAT = Program(
    "flat",
    """
  s_mov_b64 s[8:9], src_shared_base
  v_xor_b32_e32 v4, 0x100, v1
  v_mov_b32_e32 v2, v1
  v_mov_b32_e32 v3, s9
  v_mov_b32_e32 v5, s9
  flat_store_dword v[2:3], v0
  s_waitcnt vmcnt(0) lgkmcnt(0)
  s_barrier
  flat_load_dword v6, v[4:5]
  s_waitcnt vmcnt(0) lgkmcnt(0)
  global_store_dword v1, v6, s[4:5]
""",
    words(128),
    counted(128) ^ 64,
    block=128,
    lds=512,
)

# Four waves count in LDS, two dwords of which are one number.
COUNTER = Program(
    "counter",
    """
  v_mov_b32_e32 v2, 0
  v_mov_b32_e32 v4, 0
  v_mov_b32_e32 v5, 0
  v_mov_b32_e32 v3, 1
  v_cmp_eq_u32_e32 vcc, 0, v0
  s_and_saveexec_b64 s[8:9], vcc
  ds_write_b64 v2, v[4:5]
  s_mov_b64 exec, s[8:9]
  s_waitcnt lgkmcnt(0)
  s_barrier // once it is zero
  ds_add_u32 v2, v3
  s_waitcnt lgkmcnt(0)
  s_barrier // once all have added
  ds_read_b64 v[6:7], v2
  s_waitcnt lgkmcnt(0)
  v_add_u32_e32 v6, v6, v7
  global_store_dword v1, v6, s[4:5]
""",
    words(256),
    np.full(256, 256, np.uint32),
    block=256,
    lds=8,
)

# A load from global memory to LDS, which lanes of the other wave read.
STAGED = Program(
    "staged",
    """
  v_readfirstlane_b32 s12, v0
  s_lshl_b32 s12, s12, 2
  s_mov_b32 m0, s12
  s_mov_b32 s8, s6
  s_and_b32 s9, s7, 0xffff
  s_movk_i32 s10, 0x200
  s_mov_b32 s11, 0x00020000
  buffer_load_dword v1, s[8:11], 0 offen lds
  s_waitcnt vmcnt(0)
  s_barrier
  v_xor_b32_e32 v2, 0x100, v1
  ds_read_b32 v3, v2
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""",
    words(128),
    counted(128) ^ 64,
    block=128,
    lds=512,
)

# Two in one: each lane's pair of dwords, written and read in another order.
PAIRS = Program(
    "pairs",
    """
  v_lshlrev_b32_e32 v2, 3, v0
  ds_write2_b32 v2, v0, v1 offset1:1
  s_waitcnt lgkmcnt(0)
  ds_read_b64 v[4:5], v2
  s_waitcnt lgkmcnt(0)
  v_add_u32_e32 v4, v4, v5
  global_store_dword v1, v4, s[4:5]
""",
    words(64),
    5 * counted(64),
    block=64,
    lds=512,
)

# Of gfx12, whose barrier has two halves.
SPLIT = Program(
    "split",
    """
  v_xor_b32_e32 v2, 0x80, v1
  ds_store_b32 v1, v0
  s_wait_dscnt 0x0
  s_barrier_signal -1
  s_barrier_wait -1
  ds_load_b32 v3, v2
  s_wait_dscnt 0x0
  global_store_b32 v1, v3, s[4:5]
""",
    words(64),
    counted(64) ^ 32,
    arch="gfx1201",
    block=64,
    lds=256,
)

# The first wave waits for a word that the second sets.
SIGNAL = Program(
    "signal",
    """
  v_mov_b32_e32 v2, 0
  v_mov_b32_e32 v3, 0
  v_mov_b32_e32 v4, 1
  ds_write_b32 v2, v3
  s_waitcnt lgkmcnt(0)
  s_barrier
  v_cmp_gt_u32_e32 vcc, 64, v0
  s_cbranch_vccz SET
WAIT:
  s_sleep 1
  ds_add_rtn_u32 v5, v2, v3
  s_waitcnt lgkmcnt(0)
  v_cmp_eq_u32_e32 vcc, 1, v5
  s_cbranch_vccz WAIT
  s_branch OUT
SET:
  ds_wrxchg_rtn_b32 v5, v2, v4
  s_waitcnt lgkmcnt(0)
OUT:
  global_store_dword v1, v4, s[4:5]
""",
    words(128),
    np.full(128, 1, np.uint32),
    block=128,
    lds=4,
)

READ = ("ds_read_b32 v3",)
FAULTS = [
    Fault("missing-barrier", EXCHANGE, {"  s_barrier\n": ""}, "race", ("ds_write", "ds_read"),
          ("uninitialised",)),
    Fault("store-unawaited-at-the-barrier", EXCHANGE, {"  s_waitcnt lgkmcnt(0)\n  s_barrier":
          "  s_barrier"}, "race", ("ds_write", "ds_read"), ("uninitialised",)),
    Fault("words-of-two-waves-are-one", EXCHANGE,
          {"ds_write_b32 v1": "v_and_b32_e32 v5, 0xff, v1\n  ds_write_b32 v5"}, "race",
          ("ds_write",), ("uninitialised",)),
    Fault("one-wave-passes-the-barrier-by", EXCHANGE,
          {"  s_barrier": "  v_cmp_gt_u32_e32 vcc, 64, v0\n  s_cbranch_vccz BY\n"
           "  s_barrier\nBY:"}, "race", ("ds_write", "ds_read"), ("uninitialised",)),
    Fault("barrier-before-the-write", EXCHANGE,
          {"  ds_write_b32": "  s_barrier\n  ds_write_b32",
           "lgkmcnt(0)\n  s_barrier": "lgkmcnt(0)\n  s_nop 0"}, "race", ("ds_write", "ds_read"),
          ("uninitialised",)),
    Fault("lds-stride-of-eight", EXCHANGE,
          {"ds_write_b32 v1": "v_lshlrev_b32_e32 v5, 3, v0\n  ds_write_b32 v5"},
          "out-of-bounds", ("ds_write",), ("uninitialised", "race")),
    Fault("lds-past-the-declared-size", EXCHANGE,
          {".amdhsa_group_segment_fixed_size 512": ".amdhsa_group_segment_fixed_size 256"},
          "out-of-bounds", ("ds_write", "ds_read"), ("uninitialised",)),
    Fault("lds-nobody-wrote", EXCHANGE, {"ds_write_b32 v1, v0": "s_nop 0"},
          "uninitialised", ()),
    Fault("lds-by-an-undefined-address", EXCHANGE, {"v3, v2": "v3, v9"}, "uninitialised",
          READ),
    Fault("lds-read-in-flight", EXCHANGE,
          {"lgkmcnt(0)\n  global_store": "lgkmcnt(1)\n  global_store"}, "in-flight",
          ("global_store",)),
    Fault("flat-without-a-wait", FLAT, {"s_waitcnt vmcnt(0) lgkmcnt(0)\n  s_barrier":
          "s_waitcnt vmcnt(0)\n  s_barrier"}, "race", ("flat_store", "flat_load")),
    Fault("flat-missing-barrier", FLAT, {"  s_barrier\n": ""}, "race",
          ("flat_store", "flat_load"), ("uninitialised",)),
    Fault("flat-lds-out-of-range", FLAT, {"0x100, v1": "0x200, v1"}, "out-of-bounds",
          ("flat_load",), ("uninitialised",)),
    Fault("flat-by-half-an-address", FLAT, {"v_mov_b32_e32 v5, s9": "s_nop 0"},
          "uninitialised", ("flat_load",)),
    Fault("counter-that-was-not-set", COUNTER, {"ds_write_b64 v2, v[4:5]": "s_nop 0"},
          "uninitialised", ()),
    Fault("counter-set-late", COUNTER, {"  s_barrier // once it is zero\n": ""}, "race",
          ("ds_write", "ds_add"), ("race", "uninitialised")),
    Fault("counter-read-early", COUNTER, {"  s_barrier // once all have added\n": ""},
          "race", ("ds_add", "ds_read"), ("race",)),
    Fault("lds-atomic-misaligned", COUNTER, {"ds_add_u32 v2, v3": "ds_add_u32 v2, v3 offset:2"},
          "misaligned", ("ds_add",)),
    Fault("staged-without-a-wait", STAGED, {"  s_waitcnt vmcnt(0)\n": ""}, "in-flight",
          ("ds_read",), ("race",)),
    Fault("staged-wait-after-the-barrier", STAGED,
          {"  s_waitcnt vmcnt(0)\n  s_barrier": "  s_barrier\n  s_waitcnt vmcnt(0)"},
          "race", ("ds_read", "buffer_load"), ("in-flight",)),
    Fault("staged-past-the-end", STAGED, {"s_lshl_b32 s12, s12, 2": "s_lshl_b32 s12, s12, 3"},
          "out-of-bounds", ("buffer_load",), ("uninitialised",)),
    Fault("pair-misaligned", PAIRS, {"ds_write2_b32": "v_add_u32_e32 v2, 2, v2\n"
          "  ds_write2_b32"}, "misaligned", ("ds_write2",), ("uninitialised", "out-of-bounds")),
    Fault("half-a-pair", PAIRS, {"ds_write2_b32 v2, v0, v1 offset1:1": "ds_write_b32 v2, v0"},
          "uninitialised", ()),
    Fault("pair-too-close", PAIRS, {"v_lshlrev_b32_e32 v2, 3": "v_lshlrev_b32_e32 v2, 1"},
          "misaligned", ("ds_write2",), ("uninitialised",)),
    Fault("signalled-twice", SPLIT, {"s_barrier_wait -1": "s_barrier_signal -1 // again"},
          "deadlock", ("// again",)),
    Fault("waited-without-a-signal", SPLIT, {"  s_barrier_signal -1\n": ""}, "deadlock",
          ("s_barrier_wait",)),
    Fault("signalled-and-not-waited", SPLIT, {"  s_barrier_wait -1\n": ""}, "race",
          ("ds_store", "ds_load"), ("uninitialised",)),
    Fault("signal-nobody-gives", SIGNAL, {"ds_wrxchg_rtn_b32 v5, v2, v4":
          "ds_wrxchg_rtn_b32 v5, v2, v3"}, "limit",
          ("s_sleep", "ds_add_rtn", "vcc, 1, v5", "s_cbranch_vccz WAIT"), ("deadlock",)),
    Fault("barrier-in-one-way", SIGNAL, {"SET:": "SET:\n  s_barrier // here"}, "limit",
          ("s_sleep", "ds_add_rtn", "vcc, 1, v5", "s_cbranch_vccz WAIT"), ("deadlock",)),
]  # fmt: skip
