"""Faults that the emulator does not report, each with the reason.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from amd_faults import Fault, Program, counted, words
from amd_faults_memory import BUFFER


def through_memory(name: str, arch: str, wait: str, load: str, barrier: str) -> Program:
    """Two waves exchange their numbers through global memory."""
    return Program(
        name,
        f"""
  v_xor_b32_e32 v2, 0x80, v1
  global_store_b32 v1, v0, s[6:7]
  {wait}
  {barrier}
  global_load_b32 v3, v2, s[6:7]
  {load}
  global_store_b32 v1, v3, s[4:5]
""",
        words(64), counted(64) ^ 32, arch=arch, block=64,
    )  # fmt: skip


STORES = [
    through_memory("stores-gfx1100", "gfx1100", "s_waitcnt_vscnt null, 0x0",
                   "s_waitcnt vmcnt(0)", "s_barrier"),
    through_memory("stores-gfx1201", "gfx1201", "s_wait_storecnt 0x0", "s_wait_loadcnt 0x0",
                   "s_barrier_signal -1\n  s_barrier_wait -1"),
]  # fmt: skip

# A register that the descriptor asks for.
REGISTERS = Program(
    "registers",
    """
  v_mov_b32_e32 v100, v0
  global_store_dword v1, v100, s[4:5]
""",
    words(64),
    counted(64),
    block=64,
)

MISSED: list[tuple[Fault, str]] = [
    *((Fault(f"store-unawaited-{program.arch}", program, {wait: "s_nop 0"}, "race",
             ("global_load",)),
       "a barrier is taken to order stores to global memory, waited for or not")
      for program, wait in zip(STORES, ("s_waitcnt_vscnt null, 0x0", "s_wait_storecnt 0x0"),
                               strict=True)),
    (Fault("register-that-is-not-allocated", REGISTERS,
           {".amdhsa_next_free_vgpr 256": ".amdhsa_next_free_vgpr 8",
            ".amdhsa_accum_offset 128": ".amdhsa_accum_offset 8"}, "limit", ("v_mov",)),
     "a wave has all registers, whatever its descriptor asks for"),
    (Fault("buffer-too-short", BUFFER, {"0x100": "0xfc"}, "out-of-bounds", ("buffer_load",)),
     "what lies outside a buffer's range reads zero, and compilers mask lanes so"),
]  # fmt: skip
