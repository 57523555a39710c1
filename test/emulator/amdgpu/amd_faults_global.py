"""Races on global memory between work-groups.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from amd_faults import Fault, Program, counted, words

_CHECKS = {"global_races": True}

# Each of two work-groups stores its number in a word of its own.
GROUPS = Program(
    "groups",
    """
  v_lshlrev_b32_e64 v1, 2, s2
  v_mov_b32_e32 v2, s2
  global_store_dword v1, v2, s[4:5]
""",
    words(2),
    counted(2),
    grid=2,
    block=1,
    checks=_CHECKS,
)

# Each of two work-groups counts in one word.
COUNT = Program(
    "count",
    """
  v_mov_b32_e32 v1, 0
  v_mov_b32_e32 v2, 1
  global_atomic_add v1, v2, s[4:5]
""",
    lambda device: [device.zeros(1, np.uint32), 0],
    np.array([2], np.uint32),
    grid=2,
    block=1,
    checks=_CHECKS,
)

# One work-group hands numbers to the other, which polls a flag behind them.
_HANDED = """
  v_mov_b32_e32 v3, 0
  s_cmp_lg_u32 s2, 0
  s_cbranch_scc1 READER
  v_add_{add} v2, 7, v0
  global_store_{word} v1, v2, s[6:7] // data
  {release}
  v_mov_b32_e32 v4, 1
  {one}
  global_store_{word} v3, v4, s[6:7] offset:256 {store} // flag
  s_endpgm
READER:
  s_sleep 1
  global_load_{word} v4, v3, s[6:7] offset:256 {load} // poll
  {wait}
  v_readfirstlane_b32 s8, v4
  s_cmp_eq_u32 s8, 0
  s_cbranch_scc1 READER
  {acquire}
  global_load_{word} v2, v1, s[6:7] // take
  {wait}
  global_store_{word} v1, v2, s[4:5]
"""
_CDNA = {"add": "u32_e32", "word": "dword", "wait": "s_waitcnt vmcnt(0)",
         "one": "s_mov_b64 exec, 1"}  # fmt: skip
_RDNA = {"add": "nc_u32_e32", "word": "b32", "one": "s_mov_b32 exec_lo, 1"}
_WORDS = {
    "gfx90a": _CDNA | {"release": "s_waitcnt vmcnt(0)", "store": "", "load": "glc",
                       "acquire": "buffer_wbinvl1_vol"},
    "gfx942": _CDNA | {"release": "buffer_wbl2 sc1\n  s_waitcnt vmcnt(0)", "store": "sc1",
                       "load": "sc1", "acquire": "buffer_inv sc1"},
    "gfx1100": _RDNA | {"release": "s_waitcnt_vscnt null, 0x0", "store": "", "load": "glc",
                        "wait": "s_waitcnt vmcnt(0)", "acquire": "buffer_gl0_inv"},
    "gfx1201": _RDNA | {"release": "s_wait_storecnt 0x0", "store": "scope:SCOPE_DEV",
                        "load": "scope:SCOPE_DEV", "wait": "s_wait_loadcnt 0x0",
                        "acquire": "global_inv scope:SCOPE_DEV"},
}  # fmt: skip


def handed(arch: str) -> Program:
    lanes = 64 if arch.startswith("gfx9") else 32
    return Program(
        f"handed-{arch}",
        _HANDED.format(**_WORDS[arch]),
        lambda device: [device.empty(lanes, np.uint32), device.zeros(65, np.uint32)],
        counted(lanes) + 7,
        arch=arch,
        grid=2,
        block=lanes,
        checks=_CHECKS,
    )


HANDED = {arch: handed(arch) for arch in _WORDS}

FAULTS = [
    Fault("two-groups-one-word", GROUPS, {"v_lshlrev_b32_e64 v1, 2, s2":
          "v_mov_b32_e32 v1, 0\n  v_mov_b32_e32 v3, 0",
          "v2, s[4:5]\n": "v2, s[4:5]\n  global_store_dword v1, v3, s[4:5] offset:4\n"},
          "race", ("v2, s[4:5]",)),
    Fault("store-and-atomic-of-two-groups", COUNT, {"global_atomic_add":
          "global_store_dword v1, v2, s[4:5]\n  global_atomic_add"}, "race",
          ("global_store", "global_atomic")),
    *(Fault(f"flag-but-old-cache-{arch}", program, {_WORDS[arch]["acquire"]: "s_nop 0"}, "race",
            ("// take",))
      for arch, program in HANDED.items()),
    *(Fault(f"flag-of-one-group-{arch}", program,
            {f"{_WORDS[arch]['load']} // poll": "// poll"}, "race", ("// poll", "// flag"),
            also=("race",))
      for arch, program in HANDED.items()),
    # Where stores have a scope, too.
    *(Fault(f"flag-stored-for-one-group-{arch}", HANDED[arch],
            {f"{_WORDS[arch]['store']} // flag": "// flag"}, "race", ("// poll", "// flag"),
            also=("race",))
      for arch in ("gfx942", "gfx1201")),
]  # fmt: skip
