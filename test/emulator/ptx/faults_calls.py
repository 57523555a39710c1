"""Faults of calls, parameters, local memory, tables of branches, and printf.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Fault, Program, counted, words

from tilewright.emulator import Device

# triangle(n) = n + ... + 1, by recursion; each activation keeps n in local memory.
CALLS = Program(
    "calls",
    """
  .param .b32 a;
  .param .b32 r;
  and.b32 %v, %t, 7;
  st.param.b32 [a], %v;
  call.uni (r), triangle, (a);
  ld.param.b32 %w, [r];
  st.global.u32 [%to], %w;
""",
    words(32),
    np.array([n % 8 * (n % 8 + 1) // 2 for n in range(32)], np.uint32),
    globals="""
.func (.param .b32 sum) triangle(.param .b32 n)
{
  .reg .pred %q;
  .reg .b32 %x, %y;
  .reg .b64 %l;
  .local .align 8 .b8 kept[16];
  .param .b32 less;
  .param .b32 rest;
  ld.param.b32 %x, [n];
  mov.u64 %l, kept;
  st.local.u32 [%l+12], %x;
  mov.u32 %y, 0;
  setp.eq.u32 %q, %x, 0;
  @%q bra OVER;
  sub.u32 %x, %x, 1;
  st.param.b32 [less], %x;
  call.uni (rest), triangle, (less);
  ld.param.b32 %y, [rest];
OVER:
  ld.local.u32 %x, [%l+12];
  add.u32 %y, %y, %x;
  st.param.b32 [sum], %y;
  ret;
}
""",
)

# A local array of four words, of which a table of branches chooses one.
CHOICE = Program(
    "choice",
    """
  .local .align 16 .b8 four[16];
  mov.u64 %d0, four;
  cvta.local.u64 %d1, %d0;
  st.local.v4.u32 [%d0], {10, 20, 30, 40};
  and.b32 %i, %t, 3;
  mul.wide.u32 %d2, %i, 4;
  add.s64 %d3, %d1, %d2;
  ld.u32 %v, [%d3];
  CASES: .branchtargets ZERO, ONE;
  and.b32 %k, %t, 1;
  brx.idx %k, CASES;
ZERO:
  add.u32 %v, %v, 1;
ONE:
  st.global.u32 [%to], %v;
""",
    words(32),
    (10 * (counted(32) % 4 + 1) + (counted(32) % 2 == 0)).astype(np.uint32),
)

# Each thread prints its number, with a text.
PRINT = Program(
    "print",
    """
  .local .align 8 .b8 list[16];
  .param .b64 f;
  .param .b64 l;
  .param .b32 n;
  mov.u64 %d0, list;
  cvta.local.u64 %d1, %d0;
  mov.u64 %d2, text;
  cvta.global.u64 %d2, %d2;
  mov.u64 %d3, word;
  cvta.global.u64 %d3, %d3;
  st.local.u32 [%d0], %t;
  st.local.u64 [%d0+8], %d3;
  st.param.b64 [f], %d2;
  st.param.b64 [l], %d1;
  call.uni (n), vprintf, (f, l);
  ld.param.b32 %v, [n];
  setp.gt.u32 %p0, %v, 0;
  selp.u32 %v, 1, 0, %p0;
  st.global.u32 [%to], %v;
""",
    words(32),
    np.ones(32, np.uint32),
    globals="""
.extern .func (.param .b32 n) vprintf(.param .b64 f, .param .b64 l);
.global .align 1 .b8 text[7] = {37, 100, 32, 37, 115, 10, 0};
.global .align 1 .b8 word[3] = {104, 105, 0};
""",
)

# A function through a pointer: %t + 1 or %t + 2.
POINTER = Program(
    "pointer",
    """
  .param .b32 a;
  .param .b32 r;
  mov.u64 %d0, one;
  mov.u64 %d1, two;
  and.b32 %i, %t, 1;
  setp.eq.u32 %p0, %i, 0;
  selp.b64 %d2, %d0, %d1, %p0;
  st.param.b32 [a], %t;
  FORM: .callprototype (.param .b32 _) _ (.param .b32 _);
  call (r), %d2, (a), FORM;
  ld.param.b32 %v, [r];
  st.global.u32 [%to], %v;
""",
    words(32),
    counted(32) + 1 + counted(32) % 2,
    globals="""
.func (.param .b32 r) one(.param .b32 n)
{
  .reg .b32 %x;
  ld.param.b32 %x, [n];
  add.u32 %x, %x, 1;
  st.param.b32 [r], %x;
}
.func (.param .b32 r) two(.param .b32 n)
{
  .reg .b32 %x;
  ld.param.b32 %x, [n];
  add.u32 %x, %x, 2;
  st.param.b32 [r], %x;
}
""",
)

# A structure by value: an address and a count.
STRUCTURE = Program(
    "structure",
    """
  ld.param.u64 %d0, [pair];
  ld.param.u32 %n, [pair+8];
  setp.ge.u32 %p0, %t, %n;
  @%p0 bra DONE;
  add.s64 %d1, %d0, %off;
  ld.global.u32 %v, [%d1];
  st.global.u32 [%to], %v;
DONE:
""",
    lambda device: _structure(device, 20),
    counted(20),
    more=".param .align 8 .b8 pair[16]",
)


def _structure(device: Device, count: int, address: int | None = None) -> list[Any]:
    out, source = words(20)(device)
    raw = np.array([source.address if address is None else address, count], np.uint64)
    return [out, source, raw.tobytes()]


_RECURSE = "call.uni (rest)"

FAULTS = [
    Fault("recursion-without-end", CALLS, {"setp.eq.u32 %q, %x, 0;": "setp.eq.u32 %q, %x, 99;"},
          "limit", (_RECURSE,)),
    Fault("recursion-with-large-frames", CALLS,
          {"kept[16]": "kept[131072]"}, "limit", (_RECURSE,)),
    Fault("result-not-stored", CALLS, {"st.param.b32 [sum], %y;": ""}, "uninitialised", ()),
    Fault("result-stored-on-one-way-only", CALLS,
          {"st.param.b32 [sum], %y;": "@!%q st.param.b32 [sum], %y;"}, "uninitialised", ()),
    Fault("argument-not-stored", CALLS, {"st.param.b32 [less], %x;": ""}, "uninitialised",
          ("@%q bra OVER",)),
    Fault("argument-of-a-caller-not-stored", CALLS, {"st.param.b32 [a], %v;": ""},
          "uninitialised", ("@%q bra OVER",)),
    Fault("local-past-the-end", CALLS, {"st.local.u32 [%l+12]": "st.local.u32 [%l+16]"},
          "out-of-bounds", ("st.local",)),
    Fault("local-misaligned", CALLS, {"st.local.u32 [%l+12]": "st.local.u32 [%l+10]"},
          "misaligned", ("st.local",)),
    Fault("local-not-written", CALLS, {"st.local.u32 [%l+12], %x;": ""}, "uninitialised", ()),
    Fault("local-index-too-high", CHOICE, {"and.b32 %i, %t, 3;": "and.b32 %i, %t, 7;"},
          "out-of-bounds", ("ld.u32",)),
    Fault("local-vector-misaligned", CHOICE, {"[%d0], {10": "[%d0+8], {10"}, "misaligned",
          ("st.local",)),
    Fault("local-in-part-not-written", CHOICE,
          {"st.local.v4.u32 [%d0], {10, 20, 30, 40};": "st.local.v2.u32 [%d0], {10, 20};"},
          "uninitialised", ()),
    Fault("branch-index-too-high", CHOICE, {"and.b32 %k, %t, 1;": "and.b32 %k, %t, 3;"},
          "out-of-bounds", ("brx.idx",)),
    Fault("branch-index-undefined", CHOICE, {"and.b32 %k, %t, 1;": ""}, "uninitialised",
          ("brx.idx",)),
    Fault("local-as-global", CHOICE, {"ld.u32 %v, [%d3]": "ld.global.u32 %v, [%d3]"},
          "out-of-bounds", ("ld.global",)),
    Fault("print-pattern-at-nothing", PRINT, {"mov.u64 %d2, text;": "mov.u64 %d2, 64;"},
          "out-of-bounds", ("call.uni",)),
    Fault("print-pattern-without-end", PRINT, {"text[7] = {37, 100, 32, 37, 115, 10, 0}":
           "text[6] = {37, 100, 32, 37, 115, 10}"}, "out-of-bounds", ("call.uni",)),
    Fault("print-text-is-a-number", PRINT, {"st.local.u64 [%d0+8], %d3;":
           "st.local.u64 [%d0+8], %off;"}, "out-of-bounds", ("call.uni",)),
    Fault("print-argument-not-stored", PRINT, {"st.local.u32 [%d0], %t;": ""}, "uninitialised",
          ("call.uni",)),
    Fault("print-list-not-stored", PRINT, {"st.param.b64 [l], %d1;": ""}, "uninitialised",
          ("call.uni",)),
    Fault("print-more-than-there-is", PRINT,
          {"text[7] = {37, 100, 32, 37, 115, 10, 0}":
           "text[8] = {37, 100, 37, 115, 37, 100, 10, 0}"},
          "out-of-bounds", ("call.uni",)),
    Fault("pointer-undefined", POINTER, {"selp.b64 %d2, %d0, %d1, %p0;": ""}, "uninitialised",
          ("call (r)",)),
    Fault("pointer-to-data", POINTER, {"mov.u64 %d1, two;": "mov.u64 %d1, %out;"},
          "out-of-bounds", ("call (r)",)),
    Fault("pointer-off-by-some", POINTER, {"mov.u64 %d1, two;": "mov.u64 %d1, two;\n"
           "  add.s64 %d1, %d1, 4;"}, "out-of-bounds", ("call (r)",)),
    Fault("pointer-to-another-kind", POINTER,
          {"two(.param .b32 n)": "two(.param .b64 n)", "  ld.param.b32 %x, [n];\n"
           "  add.u32 %x, %x, 2;": "  mov.u32 %x, 2;"}, "unsupported", ("call (r)",)),
    Fault("structure-count-too-high", STRUCTURE, {}, "out-of-bounds", ("ld.global",),
          arguments=lambda device: _structure(device, 21)),
    Fault("structure-address-of-the-host", STRUCTURE, {}, "out-of-bounds", ("ld.global",),
          arguments=lambda device: _structure(device, 20, np.zeros(20).ctypes.data)),
    Fault("structure-address-null", STRUCTURE, {}, "out-of-bounds", ("ld.global",),
          arguments=lambda device: _structure(device, 20, 0)),
    Fault("structure-misaligned", STRUCTURE, {"%d0, [pair]": "%d0, [pair+4]"}, "misaligned",
          ("[pair+4]",)),
    Fault("structure-past-the-end", STRUCTURE, {"[pair+8]": "[pair+16]"}, "out-of-bounds",
          ("[pair+16]",)),
    Fault("memory-of-no-size", STRUCTURE, {}, "out-of-bounds", ("st.global",),
          arguments=lambda device: [device.empty(0, np.uint32), *_structure(device, 20)[1:]]),
]  # fmt: skip
