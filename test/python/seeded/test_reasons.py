"""Reasons for which a fault counts as needless, and real faults that have none of them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools

import pytest

from . import bounds, machine_code, origins, probes, redundant, seeds, verdict
from .fleet import apart
from .subjects import DEVICES
from .test_faults import subject

CUDA, HIP = DEVICES


# ---- Waits -----------------------------------------------------------------------------------

WAIT, STORE = "s_waitcnt lgkmcnt(0)", "ds_write_b32 v0, v1"
ONE = "s_waitcnt lgkmcnt(1)"


def machine(*lines: str) -> list[machine_code.Instruction]:
    """A function as llvm-objdump prints one; `-> N` behind a branch is the line it goes to."""
    text = "0000000000001000 <kernel>:\n"
    for number, line in enumerate([*lines, "s_endpgm"]):
        code, _, target = line.partition(" -> ")
        place = f" <kernel+0x{4 * int(target):x}>" if target else ""
        text += f"\t{code}  // {0x1000 + 4 * number:012X}: BF8CC07F{place}\n"
    [function] = machine_code.parsed(text)
    return function


@pytest.mark.parametrize(
    "lines",
    [
        (STORE, WAIT, "s_barrier"),
        (STORE, "s_waitcnt vmcnt(0) lgkmcnt(0)", "v_add_u32_e32 v0, v0, v1", "s_barrier"),
        ("s_load_dword s0, s[4:5], 0x0", "global_load_dword v0, v[2:3], off", "s_barrier"),
        # Lanes exchange words by the LDS unit and not through its memory.
        (STORE, WAIT, "ds_swizzle_b32 v1, v0 offset:swizzle(SWAP,4)", "s_barrier"),
        # Both ways to the barrier have one.
        (STORE, "s_cbranch_scc0 2 -> 4", WAIT, "s_branch 1 -> 5", WAIT, "s_barrier"),
        # A loop whose end waits for what its beginning did.
        ("s_nop 0", "s_barrier", STORE, WAIT, "s_cbranch_vccnz 65531 -> 1"),
    ],
)
def test_lds_is_idle(lines):
    assert machine_code.is_idle_at_barriers(machine(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        (STORE, "s_barrier"),
        (STORE, "s_waitcnt lgkmcnt(1)", "s_barrier"),
        (STORE, "s_waitcnt vmcnt(0)", "s_barrier"),
        (WAIT, "ds_read_b64 v[0:1], v2", "s_barrier"),
        (WAIT, "flat_store_dword v[0:1], v2", "s_barrier"),
        # One way has none.
        (STORE, "s_cbranch_execz 1 -> 3", WAIT, "s_barrier"),
        # What the first iteration has not done, the others have.
        ("s_nop 0", "s_barrier", STORE, "s_cbranch_vccnz 65531 -> 1"),
        # Unknown: loads to LDS, which another counter counts, and calls.
        ("buffer_load_dword v0, s[0:3], 0 offen lds", WAIT, "s_barrier"),
        ("global_load_lds_dword v[0:1], off", WAIT, "s_barrier"),
        ("s_swappc_b64 s[30:31], s[4:5]", "s_barrier"),
        ("s_nop 0", "s_branch 100 -> 100"),
    ],
)
def test_lds_may_be_busy(lines):
    assert not machine_code.is_idle_at_barriers(machine(*lines))


@pytest.mark.parametrize(
    ("lines", "is_so"),
    [
        ((STORE, "s_barrier"), True),
        ((WAIT, "ds_write2st64_b64 v0, v[2:3], v[4:5]", "s_barrier"), True),
        (("ds_read_b64 v[0:1], v2", WAIT, STORE, "s_barrier"), True),
        (("ds_read_b64 v[0:1], v2", STORE, "s_barrier"), False),
        ((STORE, "ds_read_b64 v[0:1], v2", "s_barrier"), False),
        ((STORE, "ds_add_u32 v0, v1", "s_barrier"), False),
        ((STORE, "flat_store_dword v[0:1], v2", "s_barrier"), False),
    ],
)
def test_only_stores_are_under_way(lines, is_so):
    assert machine_code.is_idle_at_barriers(machine(*lines), but_for_stores=True) is is_so


OWN_STORES = """\
func.func @kernel() {
  tile.kernel (%b) in (%n) {
    %s = tile.alloc "s" at 0 : memref<1xf32, #tile.space<shared>>
    %p = tile.alloc "p" at 64 : memref<512xf32, #tile.space<shared>>
    scf.for %k = %c0 to %n step %c1 {
      simt.barrier
      BEHIND
      tile.parallel (%i) in (512) {
        memref.store %f, %p[%i] : memref<512xf32, #tile.space<shared>>
      }
      simt.barrier
      tile.parallel (%i) in (1) {
        %0 = memref.load %p[%c0] : memref<512xf32, #tile.space<shared>>
        memref.store %c-1_f32, %s[%c0] : memref<1xf32, #tile.space<shared>>
      }
    }
    simt.barrier
    %1 = memref.load %s[%c0] : memref<1xf32, #tile.space<shared>>
  }
}"""


@pytest.mark.parametrize(
    ("behind", "free"),
    [
        ("", [True, False, False]),
        # All threads read what the first one stored, or something unknown does.
        ("%2 = memref.load %s[%c0] : memref<1xf32, #tile.space<shared>>", [False] * 3),
        ("simt.unknown %s", [False] * 3),
    ],
)
def test_stores_that_no_other_wave_meets(behind, free):
    text = redundant.Text(OWN_STORES.replace("BEHIND", behind))
    places = [i for i, line in enumerate(text.lines) if "simt.barrier" in line]
    assert [text.is_free_of_stores(place) for place in places] == free


def test_a_wait_that_is_gone_by_twice():
    """What is stored in front of a barrier without a wait is under way at the next one that
    has none: its own, in the next iteration."""
    text = OWN_STORES.replace(
        "      simt.barrier\n      tile.parallel (%i) in (1)", "      BOTH"
    )
    lines = (
        text.replace("BEHIND\n", "").replace("BOTH", "tile.parallel (%i) in (1)").split("\n")
    )
    place = next(i for i, line in enumerate(lines) if "simt.barrier" in line)
    # Read in front of it, which only the iteration before has stored.
    read = "      %3 = memref.load %s[%c0] : memref<1xf32, #tile.space<shared>>"
    assert redundant.Text("\n".join(lines)).is_free_of_stores(place) is False
    lines = [line for line in lines if "%p[" not in line]
    assert redundant.Text("\n".join(lines)).is_free_of_stores(place)
    lines.insert(place, read)
    assert not redundant.Text("\n".join(lines)).is_free_of_stores(place)


def test_a_line_that_is_no_instruction_is_refused():
    with pytest.raises(ValueError, match="no instruction"):
        machine_code.parsed("0000000000001000 <kernel>:\n\t<unknown>\n")


def test_waits_of_a_kernel():
    """Some waits LLVM has as well, others are the only ones."""
    sound = subject("softmax/long", HIP)
    text = apart(functools.partial(verdict.stages, sound))["hip-convert-to-rocdl"]
    waits = [f for f in seeds.seed("hip-convert-to-rocdl", text) if f.kind == "wait"]
    said = [
        apart(functools.partial(verdict.waits_anyway, sound, fault, text)) for fault in waits
    ]
    for fault, is_needless in zip(waits, said):
        if is_needless:
            assert apart(functools.partial(verdict.examine, sound, fault, {})).by == "survived"
    assert True in said
    assert False in said


def test_waits_behind_stores_of_a_kernel():
    """Stores may be under way at some barriers, of what the same wave reads; at others a race
    is found."""
    sound = subject("moe_permute/aligned", HIP)
    texts = apart(functools.partial(verdict.stages, sound))
    text = texts["hip-convert-to-rocdl"]
    waits = [f for f in seeds.seed("hip-convert-to-rocdl", text) if f.kind == "wait"]
    free = [f for f in waits if redundant.is_free_of_stores(texts, f)]
    only = [
        f for f in free if apart(functools.partial(verdict.leaves_only_stores, sound, f, text))
    ]
    assert only
    for fault in only:
        assert apart(functools.partial(verdict.examine, sound, fault, {})).by == "survived"
    for fault in [f for f in waits if f not in free][:3]:
        assert apart(functools.partial(verdict.examine, sound, fault, {})).is_caught


# ---- Barriers --------------------------------------------------------------------------------

ONE_WAVE = """\
func.func @kernel() {
  tile.kernel (%b) in (%n) {
    %p = tile.alloc "p" at PLACE : memref<COUNTxi32, #tile.space<shared>>
    %s = tile.alloc "s" at 0 : memref<128xi32, #tile.space<shared>>
    tile.parallel (%i) in (1) {
      %0 = memref.load %p[%c7] : memref<COUNTxi32, #tile.space<shared>>
    }
    simt.barrier
    tile.parallel (%i) in (128) attributes {simt.dealt = #tile.layout<LAYOUT>} {
      memref.store %f, %s[INDEX] : memref<128xi32, #tile.space<shared>>
    }
  }
}"""
DIGITS = "[vector 2:1, warp 8:1, lane 8:8], replicate [lane 8:1]"


@pytest.mark.parametrize(
    ("place", "count", "layout", "index", "is_one_wave"),
    [
        ("0", "8", DIGITS, "%i", True),
        ("0", "16", "[warp 8:1, lane 8:8, vector 2:1]", "%i", True),
        ("0", "16", DIGITS, "%i", False),
        ("4", "8", DIGITS, "%i", False),
        ("0", "8", "[vector 2:1, lane 8:8, warp 8:1]", "%i", False),
        ("0", "8", "[vector 2:1, warp 8:1, lane 8:8], replicate [warp 2:8]", "%i", False),
        ("0", "8", DIGITS, "%j", False),
    ],
)
def test_what_only_the_first_wave_meets(place, count, layout, index, is_one_wave):
    """The first thread reads what only its wave stores to, or others as well."""
    text = ONE_WAVE.replace("PLACE", place).replace("COUNT", count)
    kernel = redundant.Text(text.replace("LAYOUT", layout).replace("INDEX", index))
    barrier = next(i for i, line in enumerate(kernel.lines) if "simt.barrier" in line)
    assert kernel.is_needless(barrier, of_waves=True) is is_one_wave
    assert not kernel.is_needless(barrier)


PASSED_BY = """\
func.func @kernel() {
  tile.kernel (%b) in (%n) {
    %p = tile.alloc "p" at 0 : memref<512xi32, #tile.space<shared>>
    BEFORE
    scf.for %k = %c0 to %n step %c1 {
      FIRST
      simt.barrier
      LAST
    }
    simt.barrier
    tile.parallel (%i) in (512) {
      memref.store %f, %p[%i] : memref<512xi32, #tile.space<shared>>
    }
  }
}"""
READ = "%0 = memref.load %p[%c0] : memref<512xi32, #tile.space<shared>>"


@pytest.mark.parametrize(
    ("place", "is_needless"), [("FIRST", True), ("LAST", False), ("BEFORE", False)]
)
def test_barriers_of_a_loop_that_may_have_no_iteration(place, is_needless):
    text = PASSED_BY.replace(place, READ)
    for other in ("BEFORE", "FIRST", "LAST"):
        text = text.replace(other, "")
    kernel = redundant.Text(text)
    barrier = max(i for i, line in enumerate(kernel.lines) if "simt.barrier" in line)
    assert kernel.is_needless(barrier) is is_needless


# ---- Fences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        # Arithmetic may be anywhere.
        (["s_nop 0", "s_cbranch_scc0 2 -> 4", STORE, WAIT, "s_barrier", "s_nop 1"], True),
        (["s_cbranch_scc0 2 -> 3", STORE, "s_barrier", WAIT], False),
        (["s_cbranch_scc0 2 -> 3", WAIT, STORE, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 3", "ds_write_b32 v0, v2", WAIT, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 4", STORE, WAIT, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 3", STORE, WAIT, "s_barrier", "s_barrier"], False),
        # Waits that follow each other are one.
        (["s_cbranch_scc0 2 -> 5", STORE, ONE, "s_nop 0", WAIT, "s_barrier"], True),
        (["s_cbranch_scc0 2 -> 4", STORE, WAIT, ONE, "s_barrier"], True),
        (["s_cbranch_scc0 2 -> 3", STORE, ONE, WAIT, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 4", ONE, STORE, WAIT, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 4", STORE, ONE, ONE, "s_barrier"], False),
        (["s_cbranch_scc0 2 -> 4", STORE, "s_waitcnt vmcnt(0)", WAIT, "s_barrier"], False),
    ],
)
def test_the_order_of_accesses(changed, is_same, monkeypatch):
    sound = ["s_cbranch_scc0 2 -> 4", STORE, "s_nop 0", WAIT, "s_barrier"]
    codes = {b"sound": machine(*sound), b"changed": machine(*changed)}
    monkeypatch.setattr(machine_code, "disassembled", lambda elf: elf)
    monkeypatch.setattr(machine_code, "parsed", lambda elf: [codes[elf]])
    assert machine_code.have_same_order(b"sound", b"changed") is is_same


LOAD = "global_load_dword v2, v[4:5], off"


ALWAYS, READS = "s_cbranch_scc0 3 -> ", ("ds_read_b32 v0, v1", "ds_read2_b64 v[2:5], v6")
FLAG = "global_load_dword v8, v[6:7], off sc1"


@pytest.mark.parametrize(
    ("target", "sound", "changed", "is_same"),
    [
        (1, [*READS, STORE], [READS[1], READS[0], STORE], True),
        (1, [*READS, STORE], [READS[0], STORE, READS[1]], False),
        (1, [*READS, STORE], [READS[0], READS[0], STORE], False),
        (1, [READS[0], WAIT, READS[1]], [READS[1], WAIT, READS[0]], False),
        (1, [FLAG, LOAD], [LOAD, FLAG], False),
        # Somebody comes in between the two.
        (2, [*READS, STORE], [READS[1], READS[0], STORE], False),
    ],
)
def test_loads_that_follow_each_other(target, sound, changed, is_same, monkeypatch):
    branch = f"{ALWAYS}{target}"
    codes = {b"sound": machine(branch, *sound), b"changed": machine(branch, *changed)}
    monkeypatch.setattr(machine_code, "disassembled", lambda elf: elf)
    monkeypatch.setattr(machine_code, "parsed", lambda elf: [codes[elf]])
    assert machine_code.have_same_order(b"sound", b"changed") is is_same


@pytest.mark.parametrize(
    ("changed", "what", "is_same"),
    [
        ([LOAD, STORE, WAIT, "s_waitcnt vmcnt(0)", "s_barrier"], "wavefront", True),
        ([LOAD, STORE, WAIT, "s_waitcnt vmcnt(0)", "s_barrier"], "workgroup", False),
        ([LOAD, STORE, "s_waitcnt vmcnt(0)", "s_barrier"], "wavefront", False),
        ([STORE, WAIT, LOAD, "s_barrier"], "wavefront", False),
        ([LOAD, WAIT, "s_barrier", STORE], "wavefront", False),
    ],
)
def test_accesses_with_other_waits(changed, what, is_same, monkeypatch):
    sound = [LOAD, STORE, WAIT, "s_barrier", "s_waitcnt vmcnt(0)"]
    codes = {b"sound": machine(*sound), b"changed": machine(*changed)}
    monkeypatch.setattr(machine_code, "disassembled", lambda elf: elf)
    monkeypatch.setattr(machine_code, "parsed", lambda elf: [codes[elf]])
    monkeypatch.setattr(verdict, "_machine_code", lambda subject, stage, ir: ir)
    fence = seeds.Fault("hip-convert-to-rocdl", "fence", 1, what, b"changed")
    assert verdict.keeps_accesses(None, fence, b"sound") is is_same


# ---- Stores of all threads -------------------------------------------------------------------

BRANCH = """\
func.func @kernel() {
  simt.barrier
  scf.if %c {
    %0 = memref.load %a[%i] : memref<4xi32, #tile.space<shared>>
    %1 = arith.addi %0, %x : i32
    memref.store %1, %b[%i] : memref<4xi32, #tile.space<shared>>
  }
  BEHIND
  simt.barrier
  memref.store %x, %b[%i] : memref<4xi32, #tile.space<shared>>
}"""


def test_stores_are_compared_with_what_is_there():
    text = probes.compared(BRANCH.replace("BEHIND", ""), 3)
    assert text is not None
    assert text.count("memref.store %1") == 1  # the sound one
    behind = text[text.index("scf.if %probe {") :]
    assert "%there0 = memref.load %b[%i]" in behind
    assert "arith.cmpi ne, %there0, %1 : i32" in behind
    assert text.count("simt.barrier") == 4


@pytest.mark.parametrize(
    "behind",
    [
        # It matters which of two stores is the last one.
        "memref.store %x, %b[%i] : memref<4xi32, #tile.space<shared>>",
        "scf.if %c {\n    memref.store %x, %b[%i] : memref<4xi32>\n  }",
        "scf.for %k = %i to %n step %j {\n    memref.store %x, %b[%k] : memref<4xi32>\n  }",
    ],
)
def test_stores_next_to_others_are_not_compared(behind):
    assert probes.compared(BRANCH.replace("BEHIND", behind), 3) is None


LOOP = """\
func.func @kernel() {
  simt.barrier
  BEFORE
  scf.for %k = %i to %n step %j {
    FIRST
    scf.if %c {
      memref.store %x, %b[%i] : memref<4xi32, #tile.space<shared>>
    }
    scf.for %l = %i to %n step %j {
      simt.barrier
      memref.store %l, %b[%i] : memref<4xi32, #tile.space<shared>>
    }
    LAST
  }
}"""
NEXT_TO = "%1 = memref.load %b[%i] : memref<4xi32, #tile.space<shared>>"


@pytest.mark.parametrize(
    ("place", "line", "is_compared"),
    [
        ("LAST", "simt.barrier", True),
        # The iteration before ends with it, or the loop may have none inside.
        ("LAST", "", False),
        ("LAST", "memref.store %x, %b[%i] : memref<4xi32>", False),
        ("LAST", f"simt.barrier\n    {NEXT_TO}", False),
        ("FIRST", NEXT_TO, False),
        ("BEFORE", NEXT_TO, False),
        ("BEFORE", f"{NEXT_TO}\n  simt.barrier", True),
    ],
)
def test_stores_in_a_loop_are_compared(place, line, is_compared):
    text = LOOP.replace(place, line if place == "LAST" else line + "\n")
    if place != "LAST":
        text = text.replace("LAST", "simt.barrier")
    for other in ("BEFORE", "FIRST"):
        text = text.replace(other, "")
    lines = text.split("\n")
    branch = next(i for i, one in enumerate(lines) if "scf.if" in one)
    assert (probes.compared(text, branch + 1) is not None) is is_compared


@pytest.mark.parametrize(
    "line", ["simt.barrier", "%9 = memref.atomic_rmw addi %x, %b[%i] : (i32) -> i32"]
)
def test_branches_with_other_effects_are_not_compared(line):
    lines = BRANCH.replace("BEHIND", "").split("\n")
    assert probes.compared("\n".join([*lines[:5], f"    {line}", *lines[5:]]), 3) is None


def test_what_all_threads_store():
    """A constant that one thread stores may be stored by all; what it adds to may not."""
    sound = subject("moe_permute/aligned", CUDA)
    text = apart(functools.partial(verdict.stages, sound))["distribute"]
    lines, said = text.split("\n"), {}
    for fault in seeds.seed("distribute", text):
        if "cmpi ult" not in fault.what or not fault.what.startswith("scf.if"):
            continue
        body = "\n".join(lines[fault.line : fault.line + 20]).split("    }\n")[0]
        is_constant = "memref.store %c0_i32, " in body
        kind = "constant" if is_constant else "sum" if "%c3 = " in body else None
        if kind:
            same = functools.partial(verdict.stores_the_same, sound, fault, text)
            said[kind] = apart(same)
            if kind == "sum":
                found = apart(functools.partial(verdict.examine, sound, fault, {}))
                assert found.is_caught, found
    assert said == {"constant": True, "sum": False}


# ---- Values that are dropped -----------------------------------------------------------------

SELECTS = """\
  %2 = arith.select %c, %0, %z : index
  %3 = arith.select %c, %1, %z : index
  %4 = memref.load %a[%2, %3] : memref<4x4xf32, #tile.space<shared>>
  %5 = arith.select CONDITION, %4, %f : f32
  func.return"""


@pytest.mark.parametrize(("condition", "is_dropped"), [("%c", True), ("%d", False)])
def test_loads_that_are_dropped(condition, is_dropped):
    text = SELECTS.replace("CONDITION", condition)
    assert probes.is_of_dropped_loads(text, 1) is is_dropped


@pytest.mark.parametrize(
    "line",
    [
        "%6 = arith.addi %2, %z : index",
        "%6 = arith.addf %4, %f : f32",
        "%6 = arith.select %c, %f, %4 : f32",
        "memref.store %f, %a[%2, %z] : memref<4x4xf32, #tile.space<shared>>",
    ],
)
def test_loads_with_another_use_are_not_dropped(line):
    text = SELECTS.replace("CONDITION", "%c").replace("func.return", line)
    assert not probes.is_of_dropped_loads(text, 1)


def test_extreme_numbers_in_place_of_what_is_selected():
    [nan, greatest, least] = probes.spoiled(SELECTS.replace("CONDITION", "%c"), 4)
    assert (
        "%spoiled = arith.constant 0x7FC00000 : f32 %5 = arith.select %c, %4, %spoiled" in nan
    )
    assert "0x7F7FFFFF" in greatest
    assert "0xFF7FFFFF" in least
    assert probes.spoiled(SELECTS, 1) is None  # an index has no such numbers


@pytest.mark.parametrize(
    ("name", "number", "is_dropped"), [("gemm/few", 0, True), ("gemm/deep", -1, False)]
)
def test_operands_beyond_a_tile(name, number, is_dropped):
    """Rows that a tile has not make results that are dropped; what is beyond it along K is
    added to all of them."""
    sound = subject(name, HIP)
    text = apart(functools.partial(verdict.stages, sound))["distribute"]
    faults = list(seeds.seed("distribute", text))
    selects = [fault for fault in faults if probes.spoiled(text, fault.line) is not None]
    fault = selects[number]
    assert apart(functools.partial(verdict.is_dropped, sound, fault, text)) is is_dropped
    found = apart(functools.partial(verdict.examine, sound, fault, {}))
    assert found.is_caught is not is_dropped, found


# ---- Registers -------------------------------------------------------------------------------


def test_extreme_numbers_in_registers():
    text = (
        '%0 = tile.alloc "a" : memref<2xf32, #tile.space<local>>\n'
        '%1 = tile.alloc "b" at 0 : memref<2xf32, #tile.space<shared>>\n'
        '%2 = tile.alloc "c" : memref<2xi32, #tile.space<local>>'
    )
    for bits, spoiled in zip(
        ("0x7FC00000", "0x7F7FFFFF", "0xFF7FFFFF"), probes.with_spoiled_registers(text)
    ):
        first, *others = spoiled.split("\n")
        assert f"arith.constant {bits} : f32" in first
        assert first.count("memref.store") == 2
        assert others == text.split("\n")[1:]


def test_registers_beyond_a_row():
    """That are reduced with those of the row, where a mask of `moe_gate` lets them in."""
    sound = subject("moe_gate/odd", HIP)
    text = apart(functools.partial(verdict.stages, sound))["distribute"]
    masks = [
        fault
        for fault in seeds.seed("distribute", text)
        if "arith.select" in fault.what and "%c72" in fault.what
    ]
    assert len(masks) > 2
    examine = functools.partial(verdict.examine_registers, sound)
    assert apart(functools.partial(examine, masks[1], text)).by == verdict.REGISTERS
    # Where the sound text is found out as well, nothing was shown.
    assert apart(functools.partial(examine, masks[1], masks[1].text)).by == verdict.SURVIVED


# ---- Places ----------------------------------------------------------------------------------

CHANNEL = """\
  %c = simt.channel %a : memref<1x8xf32> -> <1, memref<8xf32>>
  simt.put %c[%c0] if %0 {
  scf.for %i = %c0 to %n step %c1 {
    %t = simt.get %c[%i]
    simt.barrier
    simt.put %c[%next] {"""


@pytest.mark.parametrize(
    ("later", "line", "made"),
    [
        ("nvvm.barrier0\nnvvm.barrier0", 1, 3),
        ("nvvm.barrier0\nnvvm.barrier0", 2, 4),
        ("nvvm.barrier0\nnvvm.barrier0\nnvvm.barrier0", 2, 4),
        ("nvvm.barrier0\nnvvm.barrier0\nnvvm.barrier0", 3, 5),  # in front of the put
        ("nvvm.barrier0", 1, None),
    ],
)
def test_which_barrier_it_was(later, line, made):
    texts = {"insert-barriers": CHANNEL, "cuda-convert-to-nvvm": later}
    fault = seeds.Fault("cuda-convert-to-nvvm", "barrier", line, "nvvm.barrier0", "")
    assert origins.barrier_of(texts, fault) == made


# ---- Guards ----------------------------------------------------------------------------------


def test_accesses_that_assertions_do_not_know():
    known = "%0 = memref.load %a[%i] : memref<4xf32, #tile.space<shared>>"
    unknown = "%0 = vector.gather_load %a[%i] : memref<4xf32, #tile.space<shared>>"
    assert bounds.are_all_known(known)
    assert not bounds.are_all_known(f"{known}\n{unknown}")
