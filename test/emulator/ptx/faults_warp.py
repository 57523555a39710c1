"""Faults of instructions of a whole warp, and of registers that warps give each other.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from faults import Fault, Program, counted, words

# The sum of a warp, by shuffles; how many are odd, and who is equal.
VOTES = Program(
    "votes",
    """
  ld.global.u32 %v, [%from];
  and.b32 %r0, %v, 1;
  setp.ne.u32 %p0, %r0, 0;
  vote.sync.ballot.b32 %r1, %p0, -1;
  popc.b32 %r1, %r1;
  match.any.sync.b32 %r2, %r0, 0xffffffff;
  popc.b32 %r2, %r2;
  redux.sync.add.u32 %r3, %v, -1;
  bar.warp.sync -1;
  shfl.sync.down.b32 %r4|%p1, %v, 1, 31, -1;
  add.u32 %w, %r1, %r2;
  add.u32 %w, %w, %r3;
  @%p1 add.u32 %w, %w, %r4;
  st.global.u32 [%to], %w;
""",
    words(32),
    (16 + 16 + 496 + np.where(counted(32) < 31, counted(32) + 1, 0)).astype(np.uint32),
)

# One lane is elected and stores for all; sm_90.
ELECT = Program(
    "elect",
    """
  .shared .align 4 .b32 sum;
  mov.u32 %a, sum;
  elect.sync %r0|%p0, -1;
  @%p0 st.shared.u32 [%a], 7;
  bar.warp.sync -1;
  ld.shared.u32 %v, [%a];
  st.global.u32 [%to], %v;
""",
    words(32),
    np.full(32, 7, np.uint32),
    "sm_90a",
)

# A warpgroup gives registers to another.
REGISTERS = Program(
    "registers",
    """
  setp.ge.u32 %p0, %t, 128;
  @%p0 bra GIVE;
  setmaxnreg.inc.sync.aligned.u32 208;
  bra BOTH;
GIVE:
  setmaxnreg.dec.sync.aligned.u32 40;
BOTH:
  st.global.u32 [%to], %t;
""",
    words(256),
    counted(256),
    "sm_90a",
    directives=" .maxntid 256 .maxnreg 128",
    block=256,
)

_VOTE, _MATCH = "vote.sync", "match.any"
_ODD = "  setp.ne.u32 %p2, %t, 3;\n"

FAULTS = [
    Fault("vote-without-a-lane", VOTES, {"  vote": _ODD + "  @%p2 vote"}, "convergence",
          (_VOTE,)),
    Fault("vote-after-a-branch", VOTES,
          {"  vote.sync.ballot.b32 %r1, %p0, -1;\n": "  @%p0 bra ODD;\n  mov.u32 %r1, 0;\n"
           "  bra MORE;\nODD:\n  vote.sync.ballot.b32 %r1, %p0, -1;\nMORE:\n"}, "convergence",
          (_VOTE, _MATCH)),
    Fault("match-without-a-lane", VOTES, {"  match": _ODD + "  @%p2 match"}, "convergence",
          (_MATCH,)),
    Fault("match-not-in-its-mask", VOTES, {"%r0, 0xffffffff": "%r0, 0x7fffffff"},
          "convergence", (_MATCH,)),
    Fault("redux-without-a-lane", VOTES, {"  redux": _ODD + "  @%p2 redux"}, "convergence",
          ("redux",)),
    Fault("redux-of-undefined-data", VOTES, {"ld.global.u32 %v, [%from];":
           "setp.ne.u32 %p2, %t, 9;\n  @%p2 ld.global.u32 %v, [%from];"}, "uninitialised", ()),
    Fault("warp-barrier-without-a-lane", VOTES, {"  bar.warp.sync":
          _ODD + "  @%p2 bar.warp.sync"},
          "convergence", ("bar.warp.sync", "shfl.sync")),
    Fault("warp-barrier-not-in-its-mask", VOTES, {"bar.warp.sync -1": "bar.warp.sync 0xffff"},
          "convergence", ("bar.warp.sync",)),
    Fault("warp-barrier-of-undefined-mask", VOTES, {"bar.warp.sync -1": "bar.warp.sync %k"},
          "uninitialised", ("bar.warp.sync",)),
    Fault("shuffle-masks-differ", VOTES, {"1, 31, -1": "1, 31, %n", "  shfl":
           "  setp.lt.u32 %p2, %t, 16;\n  selp.b32 %n, -1, 0xffff0000, %p2;\n  shfl"},
          "convergence", ("shfl.sync",)),
    Fault("shuffle-beyond-its-party", VOTES, {"1, 31, -1": "1, 31, %n", "  shfl":
           "  setp.lt.u32 %p2, %t, 16;\n  selp.b32 %n, 0xffff, 0xffff0000, %p2;\n  shfl"},
          "uninitialised", ()),
    Fault("elect-in-a-branch", ELECT,
          {"  elect": "  setp.lt.u32 %p2, %t, 16;\n  @%p2 bra LOW;\n  bra HIGH;\nLOW:\n  elect",
           "  bar.warp.sync": "HIGH:\n  bar.warp.sync"}, "convergence",
          ("elect.sync", "bar.warp.sync")),
    Fault("elected-by-the-wrong-mask", ELECT, {"%p0, -1": "%p0, 1"}, "convergence",
          ("elect.sync",)),
    Fault("elected-and-not-looked-at", ELECT, {"@%p0 st.shared.u32 [%a], 7;":
           "st.shared.u32 [%a], %t;"}, "race", ("st.shared",)),
    Fault("nobody-elected", ELECT, {"@%p0 st.shared": "@!%p0 st.shared", "-1;\n  @": "1;\n  @"},
          "convergence", ("elect.sync",)),
    Fault("registers-that-nobody-gives", REGISTERS, {"setmaxnreg.dec.sync.aligned.u32 40;": ""},
          "limit", ("setmaxnreg.inc",)),
    Fault("registers-more-than-given", REGISTERS, {"u32 208": "u32 224"}, "limit",
          ("setmaxnreg.inc",)),
    Fault("registers-given-that-are-not-had", REGISTERS, {"u32 40": "u32 136"}, "limit",
          ("setmaxnreg.dec", "setmaxnreg.inc")),
    Fault("registers-taken-that-are-had", REGISTERS, {"u32 208": "u32 120"}, "limit",
          ("setmaxnreg.inc",)),
    Fault("registers-by-a-part-of-a-warp", REGISTERS,
          {"%t, 128": "%t, 136"}, "barrier-divergence", ("setmaxnreg.inc", "setmaxnreg.dec"),
          ("limit",)),
    Fault("registers-by-a-part-of-a-warpgroup", REGISTERS, {"%t, 128": "%t, 160"}, "limit",
          ("setmaxnreg.inc",)),
]  # fmt: skip
