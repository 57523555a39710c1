"""Waits that are missing or too weak, of every counter of every generation.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from amd_faults import Fault, Program, counted, words

# Two loads, of which each is awaited alone.
_LOADS = """
  global_load_{word} v2, v1, s[6:7]
  global_load_{word} v3, v1, s[6:7] offset:256
  {first}
  v_lshlrev_b32_e32 v4, 1, v2
  {second}
  v_add_{add} v4, v4, v3
  global_store_{word} v1, v4, s[4:5]
"""
# Two words of LDS, of which each is awaited alone, and a scalar load.
_MIXED = """
  ds_{write} v1, v0
  ds_{write} v1, v1 offset:256
  {dsone}
  ds_{read} v2, v1
  ds_{read} v3, v1 offset:256
  {dstwo}
  v_add_{add} v2, v0, v2
  {dsthree}
  v_add_{add} v4, v2, v3
  {load} s8, s[6:7], 0x4
  {scalar}
  v_add_{add} v4, s8, v4
  global_store_{word} v1, v4, s[4:5]
"""

OLD = {"word": "dword", "add": "u32_e32", "write": "write_b32", "read": "read_b32",
       "load": "s_load_dword"}  # fmt: skip
NEW = {"word": "b32", "add": "nc_u32_e32", "write": "store_b32", "read": "load_b32",
       "load": "s_load_b32"}  # fmt: skip
VM = {"first": "s_waitcnt vmcnt(1)", "second": "s_waitcnt vmcnt(0)"}
LGKM = {"dsone": "s_waitcnt lgkmcnt(0) // one", "dstwo": "s_waitcnt lgkmcnt(1) // two",
        "dsthree": "s_waitcnt lgkmcnt(0) // three",
        "scalar": "s_waitcnt lgkmcnt(0) // scalar"}  # fmt: skip
LOADCNT = {"first": "s_wait_loadcnt 0x1", "second": "s_wait_loadcnt 0x0"}
DSCNT = {"dsone": "s_wait_dscnt 0x0 // one", "dstwo": "s_wait_dscnt 0x1 // two",
         "dsthree": "s_wait_dscnt 0x0 // three",
         "scalar": "s_wait_kmcnt 0x0 // scalar"}  # fmt: skip


def loads(arch: str, lanes: int, words_of: dict[str, str]) -> Program:
    return Program(
        f"loads-{arch}", _LOADS.format(**words_of), words(lanes, source=64 + lanes),
        3 * counted(lanes) + 64, arch=arch, block=lanes,
    )  # fmt: skip


def mixed(arch: str, lanes: int, words_of: dict[str, str]) -> Program:
    return Program(
        f"mixed-{arch}", _MIXED.format(**words_of), words(lanes), 6 * counted(lanes) + 1,
        arch=arch, block=lanes, lds=512,
    )  # fmt: skip


LOADS = [loads("gfx90a", 64, OLD | VM), loads("gfx1100", 32, NEW | VM),
         loads("gfx1201", 32, NEW | LOADCNT)]  # fmt: skip
MIXED = [mixed("gfx942", 64, OLD | LGKM), mixed("gfx1100", 32, NEW | LGKM),
         mixed("gfx1201", 32, NEW | DSCNT)]  # fmt: skip


def of_loads(program: Program) -> list[Fault]:
    """Each wait too weak by one, and absent; a result overwritten before it is there."""
    arch = program.arch
    one, none = (
        ("s_wait_loadcnt 0x1", "s_wait_loadcnt 0x0")
        if arch == "gfx1201"
        else ("s_waitcnt vmcnt(1)", "s_waitcnt vmcnt(0)")
    )
    use, last = ("v_lshlrev_b32_e32 v4",), (", v4, v3",)
    two = one.replace("1)", "2)").replace("x1", "x2")
    return [
        Fault(f"first-load-too-weak-{arch}", program, {one: two}, "in-flight", use),
        Fault(f"first-load-unawaited-{arch}", program, {one: "s_nop 0"}, "in-flight", use),
        Fault(f"second-load-too-weak-{arch}", program, {none: one}, "in-flight", last),
        Fault(f"second-load-unawaited-{arch}", program, {none: "s_nop 0"}, "in-flight", last),
        Fault(f"overwritten-in-flight-{arch}", program,
              {one: "v_mov_b32_e32 v3, 0\n  " + one}, "in-flight", ("v_mov_b32_e32 v3",)),
    ]  # fmt: skip


def of_mixed(program: Program) -> list[Fault]:
    """The waits for LDS and for a scalar load, each absent and, of LDS, too weak by one."""
    arch = program.arch
    rows = {row.split("// ")[1]: row.strip() for row in program.body.split("\n") if "//" in row}
    weaker = rows["two"].replace("(1)", "(2)").replace("0x1", "0x2")
    last = rows["three"].replace("(0)", "(1)").replace("0x0", "0x1")
    return [
        Fault(f"lds-too-weak-{arch}", program, {rows["two"]: weaker}, "in-flight",
              (", v0, v2",)),
        Fault(f"lds-unawaited-{arch}", program, {rows["two"]: "s_nop 0"}, "in-flight",
              (", v0, v2",)),
        Fault(f"second-lds-too-weak-{arch}", program, {rows["three"]: last}, "in-flight",
              (", v2, v3",)),
        Fault(f"scalar-unawaited-{arch}", program, {rows["scalar"]: "s_nop 0"}, "in-flight",
              (", s8, v4",)),
    ]  # fmt: skip


# gfx12 has a counter for each kind: a wait of the wrong one covers nothing.
WRONG = [
    Fault("loadcnt-for-lds", MIXED[2], {"s_wait_dscnt 0x1 // two": "s_wait_loadcnt 0x0"},
          "in-flight", (", v0, v2",)),
    Fault("dscnt-for-a-load", LOADS[2], {"s_wait_loadcnt 0x0": "s_wait_dscnt 0x0"},
          "in-flight", (", v4, v3",)),
    Fault("storecnt-for-a-load", LOADS[2], {"s_wait_loadcnt 0x1": "s_wait_storecnt 0x0"},
          "in-flight", ("v_lshlrev_b32_e32 v4",)),
    Fault("dscnt-for-a-scalar-load", MIXED[2],
          {"s_wait_kmcnt 0x0 // scalar": "s_wait_dscnt 0x0 // scalar"}, "in-flight",
          (", s8, v4",)),
    Fault("vscnt-for-a-load", LOADS[1], {"s_waitcnt vmcnt(1)": "s_waitcnt_vscnt null, 0x0"},
          "in-flight", ("v_lshlrev_b32_e32 v4",)),
    Fault("lgkmcnt-for-a-load", LOADS[0], {"s_waitcnt vmcnt(0)": "s_waitcnt lgkmcnt(0)"},
          "in-flight", (", v4, v3",)),
    Fault("scalar-loads-by-their-order", MIXED[0],
          {"s_load_dword s8, s[6:7], 0x4": "s_load_dword s8, s[6:7], 0x4\n"
           "  s_load_dword s9, s[6:7], 0x8",
           "lgkmcnt(0) // scalar": "lgkmcnt(1) // scalar"}, "in-flight", (", s8, v4",)),
]  # fmt: skip

FAULTS = [
    *(fault for program in LOADS for fault in of_loads(program)),
    *(fault for program in MIXED for fault in of_mixed(program)),
    *WRONG,
]
