"""bench/static: loops and kinds of instructions by small texts, and a product of ours.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tilewright.emulator import Device

FOLDER = Path(__file__).resolve().parents[3] / "bench" / "static"

# Plain modules that import each other by name, as `python bench/static` runs them.
sys.path.insert(0, str(FOLDER))
import emulation  # noqa: E402
import figures  # noqa: E402
import gcn  # noqa: E402
import loops  # noqa: E402
import machine  # noqa: E402
import ours  # noqa: E402
import problems  # noqa: E402
import report  # noqa: E402
import sass  # noqa: E402
import tools  # noqa: E402

sys.path.remove(str(FOLDER))


def sass_text(*lines: str) -> str:
    """What nvdisasm prints of instructions, with addresses 16 apart; labels end in a colon."""
    text, address = ['\t.section\t.text.k,"ax",@progbits', "k:"], 0
    for line in lines:
        if line.endswith(":"):
            text.append(line)
        else:
            text.append(f"        /*{address:04x}*/                   {line} ;")
            address += 16
    return "\n".join(text)


def main_of(isa, code):
    return loops.main_loop(
        code, isa.multiply_adds, lambda one: isa.kind(one) in figures.GLOBAL_LOADS
    )


def opcodes(loop: loops.Loop) -> list[str]:
    return [one.opcode for one in loop.body]


# ---- NVIDIA --------------------------------------------------------------------------------

NESTED = sass_text(
    "MOV R1, c[0x0][0x28]",
    ".L_x_0:",
    "LDG.E.128 R4, [R2.64]",
    ".L_x_1:",
    "STS.U16 [R8], R4",
    "@P0 BRA `(.L_x_1)",
    "LDSM.16.MT88.4 R12, [R8]",
    "LDS.64 R16, [R9]",
    "HMMA.16816.F32.BF16 R20, R12.reuse, R16, R20",
    "@!P1 BRA `(.L_x_2)",
    "HMMA.16816.F32.BF16 R24, R12, R18, R24",
    ".L_x_2:",
    "@!P2 BRA P3, `(.L_x_0)",
    "EXIT",
    ".L_x_3:",
    "BRA `(.L_x_3)",
)


def test_loops_in_loops():
    found = loops.find_loops(sass.parse(NESTED))
    assert [loop.header for loop in found] == [0x10, 0x20]  # nothing comes to the last one
    outer, inner = found
    assert inner.addresses < outer.addresses
    assert opcodes(inner) == ["STS.U16", "BRA"]


def test_the_main_loop_brings_operands():
    main = main_of(sass, sass.parse(NESTED))
    assert main.loop.header == 0x10
    assert [loop.header for loop in main.inner] == [0x20]
    found = figures.loop_figures(main, sass)
    assert found["instructions"] == 9
    assert found["matrix_instructions"] == found["mma_units"] == 2
    assert found["instructions_per_mma"] == 4.5
    assert found["kinds"] == {
        "branch": 3, "matrix": 2, "global load": 1, "shared store": 1, "ldmatrix": 1,
        "shared load": 1,
    }  # fmt: skip
    assert found["global_load_bytes"] == [16]
    assert found["shared_load_bytes"] == [8, 16]


def test_a_loop_that_only_multiplies_is_not_all():
    """The loop over the depth of a tile is inside the one that copies tiles."""
    code = sass.parse(
        sass_text(
            ".L_x_0:",
            "LDGSTS.E.BYPASS.LTC128B.128 [R2], [R4.64]",
            ".L_x_1:",
            "HMMA.1688.F32.TF32 R20, R12, R16, R20",
            "@P0 BRA `(.L_x_1)",
            "@P1 BRA `(.L_x_0)",
            "EXIT",
        )
    )
    main = main_of(sass, code)
    assert opcodes(main.loop)[0].startswith("LDGSTS")
    found = figures.loop_figures(main, sass)
    assert found["mma_units"] == 0.5  # m16n8k8 is half of m16n8k16
    assert found["instructions_per_mma"] == 8
    assert found["global_load_bytes"] == [16]


def test_code_without_a_loop_has_no_main_loop():
    straight = sass_text("HMMA.16816.F32 R20, R12, R16, R20", "@P0 EXIT", "NOP", "EXIT")
    assert loops.find_loops(sass.parse(straight)) == []
    assert main_of(sass, sass.parse(straight)) is None
    idle = sass_text("EXIT", ".L_x_0:", "BRA `(.L_x_0)")
    assert main_of(sass, sass.parse(idle)) is None
    assert loops.find_loops([]) == []


def test_branches_that_reconverge():
    """BSYNC goes to where its BSSY says, past what other threads still run."""
    code = sass.parse(
        sass_text(
            ".L_x_0:",
            "BSSY B0, `(.L_x_2)",
            "@P0 BRA `(.L_x_1)",
            "BSYNC B0",
            ".L_x_1:",
            "IADD3 R1, R1, 0x1, RZ",
            ".L_x_2:",
            "HMMA.16816.F32 R20, R12, R16, R20",
            "@P1 BRA `(.L_x_0)",
            "EXIT",
        )
    )
    assert code[2].targets == (0x40,)
    assert not code[2].falls
    assert len(main_of(sass, code).loop.body) == 6


def test_a_guard_that_never_holds():
    (one, _) = sass.parse("/*0010*/ @!PT LDS RZ, [RZ] ;\n/*0020*/ EXIT ;")
    assert (one.opcode, sass.kind(one), sass.width(one)) == ("NOP", "other", 0)


@pytest.mark.parametrize(
    ("opcode", "kind", "width"),
    [
        ("IMAD.MOV.U32", "move", 0),
        ("IMAD.WIDE", "integer", 0),
        ("LDGSTS.E.LTC128B.64", "async copy", 8),
        ("LDG.E.U16.CONSTANT", "global load", 2),
        ("LDS", "shared load", 4),
        ("LDSM.16.M88.2", "ldmatrix", 8),
        ("LDL.LU", "local", 0),
        ("HADD2.F32", "convert", 0),
        ("F2FP.BF16.PACK_AB", "convert", 0),
        ("MUFU.EX2", "float", 0),
        ("LDGDEPBAR", "wait", 0),
        ("SHFL.BFLY", "shuffle", 0),
    ],
)
def test_kinds_of_nvidia(opcode, kind, width):
    one = loops.Instruction(0, opcode)
    assert (sass.kind(one), sass.width(one)) == (kind, width)


# ---- AMD -----------------------------------------------------------------------------------

AMD = """
0000000000001000 <k>:
\ts_mov_b32 s9, 0                            // 000000001000: BE890080
\tglobal_load_dwordx4 v[4:7], v[2:3], off    // 000000001004: DC5C8000 047F0002
\tv_mfma_f32_32x32x8_bf16 a[0:15], v[4:5], v[6:7], a[0:15]// 00000000100C: D3E08060 0582A138
\ts_cbranch_execz 1                          // 000000001014: BF880001 <k+0x1c>
\tds_read2st64_b64 v[8:11], v1 offset1:4     // 000000001018: D8F00400 08000001
\tv_mfma_f32_16x16x16_bf16 a[0:3], v[4:5], v[6:7], a[0:3]// 00000000101C: D3E08060 0582A138
\ts_cbranch_scc0 65525                       // 000000001024: BF84FFF5 <k+0x4>
\ts_endpgm                                   // 000000001028: BF810000
\ts_nop 0                                    // 00000000102C: BF800000

0000000000001100 <other>:
\ts_endpgm                                   // 000000001100: BF810000
"""


def test_a_loop_of_amd():
    code = gcn.parse(AMD, "k")
    assert len(code) == 9
    main = main_of(gcn, code)
    assert main.loop.header == 0x1004
    found = figures.loop_figures(main, gcn)
    assert found["mma_units"] == 1.5  # 16x16x16 is half of 32x32x8
    assert found["instructions_per_mma"] == 4
    assert (found["global_load_bytes"], found["shared_load_bytes"]) == ([16], [16])
    assert loops.find_loops(gcn.parse(AMD, "other")) == []


@pytest.mark.parametrize(
    ("opcode", "operands", "kind", "width"),
    [
        ("buffer_load_dwordx4", "v1, s[0:3], 0 offen lds", "async copy", 16),
        ("buffer_load_ushort", "v1, v2, s[0:3], 0 offen", "global load", 2),
        ("ds_read_u16_d16_hi", "v1, v2", "shared load", 2),
        ("ds_read_b64_tr_b16", "v[0:1], v2", "ldmatrix", 8),
        ("ds_bpermute_b32", "v1, v2, v3", "shuffle", 0),
        ("scratch_load_dwordx2", "v[0:1], off, s1", "local", 0),
        ("v_accvgpr_read_b32", "v1, a1", "move", 0),
        ("v_fma_f32", "v1, v2, v3, v4", "float", 0),
        ("v_cvt_pk_bf16_f32", "v1, v2, v3", "convert", 0),
        ("v_lshl_add_u32", "v1, v2, 1, v3", "integer", 0),
        ("s_waitcnt", "lgkmcnt(0)", "wait", 0),
    ],
)
def test_kinds_of_amd(opcode, operands, kind, width):
    one = loops.Instruction(0, opcode, operands)
    assert (gcn.kind(one), gcn.width(one)) == (kind, width)


# ---- PTX and the emulator ------------------------------------------------------------------

PTX = """
.version 8.0
.target sm_80
.address_size 64
.visible .entry rows(.param .u32 pitch)
{
  .reg .b32 %r<12>;
  .reg .pred %p;
  .shared .align 16 .b8 tile[4096];
  ld.param.u32 %r1, [pitch];
  mov.u32 %r2, %tid.x;
  shl.b32 %r3, %r2, 4;
  mov.u32 %r4, tile;
  add.u32 %r3, %r3, %r4;
  mov.u32 %r9, 0;
$fill:
  st.shared.v4.b32 [%r3], {%r9, %r9, %r9, %r9};
  add.u32 %r3, %r3, 512;
  add.u32 %r9, %r9, 1;
  setp.lt.u32 %p, %r9, 8;
  @%p bra $fill;
  bar.sync 0;
  and.b32 %r2, %r2, 15;
  mad.lo.u32 %r3, %r2, %r1, %r4;
  ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r5, %r6}, [%r3];
  ret;
}
"""


@pytest.mark.parametrize(("pitch", "cycles"), [(16, 2), (128, 16), (144, 2)])
def test_banks_of_ldmatrix(pitch, cycles):
    """Two matrices of eight rows: rows in one bank take eight cycles, spread ones one."""
    text = emulation.with_probes(PTX, "rows")
    device = Device("sm_80", statistics=True)
    device.load(text).launch("rows", grid=1, block=32, args=[np.uint32(pitch)])
    lines = device.report["lines"]
    found = emulation.executed(lines, {line["line"] for line in lines})
    assert (found.read_cycles, found.read_cycles_least) == (cycles, 2)
    # What probes and their preparation add is not the program's.
    plain = Device("sm_80")
    plain.load(PTX).launch("rows", grid=1, block=32, args=[np.uint32(pitch)])
    assert found.instructions == plain.report["warp_instructions"]


def test_loops_of_ptx():
    (loop,) = loops.find_loops(sass.parse_ptx(PTX, "rows"))
    assert opcodes(loop)[1:] == ["st.shared.v4.b32", "add.u32", "add.u32", "setp.lt.u32", "bra"]


# ---- occupancy and criteria ----------------------------------------------------------------


def needs(threads: int, registers: int, shared: int) -> machine.Resources:
    return machine.Resources(threads, registers, 0, 0, 0, 0, shared)


@pytest.mark.parametrize(
    ("arch", "resources", "blocks", "limit"),
    [
        ("sm_80", needs(128, 128, 16384), 4, "registers"),
        ("sm_80", needs(256, 129, 16384), 1, "registers"),
        ("sm_80", needs(128, 64, 81920), 2, "shared"),
        ("sm_80", needs(1024, 32, 0), 2, "registers"),
        ("sm_80", needs(1024, 16, 0), 2, "threads"),
        ("sm_80", needs(32, 16, 0), 32, "blocks"),
        ("gfx942", needs(256, 128, 16384), 4, "registers"),
        ("gfx942", needs(256, 256, 32768), 2, "registers"),
        ("gfx942", needs(256, 129, 65536), 1, "shared"),
    ],
)
def test_occupancy(arch, resources, blocks, limit):
    found = machine.occupancy(arch, resources)
    assert (found.blocks, found.limit) == (blocks, limit)


def row(by: str, per_mma: float, ran: float, **others) -> dict:
    return {
        "problem": "p",
        "target": "t",
        "by": by,
        "instructions_per_mma": per_mma,
        "inner_loops": 0,
        "kinds": {"matrix": 8},
        "global_load_bytes": [16],
        "shared_load_bytes": [4, 16],
        "resources": {"spill_bytes": 0},
        "occupancy": {"warps": 8},
        "executed": {"per_mma": ran, "read_cycles": 64, "read_cycles_least": 64},
        **others,
    }


def test_criteria():
    peers = [row("Triton", 2.0, 3.0), row("TileLang", 1.5, 2.0, resources={"spill_bytes": 8})]
    found = report.judge([row(ours.NAME, 2.1, 9.0), *peers])
    assert found["best_peer"] == "Triton"  # the other one spills
    assert all(found[name] for name in report.NONE_MET)
    # Where instructions of inner loops were counted once, what was executed decides.
    found = report.judge([row(ours.NAME, 2.1, 9.0, inner_loops=1), *peers])
    assert not found["few_instructions"]
    worse = {"kinds": {"local": 1}, "shared_load_bytes": [8], "occupancy": {"warps": 4}}
    worse["executed"] = {"per_mma": 3.0, "read_cycles": 65, "read_cycles_least": 64}
    found = report.judge([row(ours.NAME, 2.11, 3.0, **worse), *peers])
    assert not any(found[name] for name in report.NONE_MET)
    assert not any(report.judge(peers)[name] for name in report.NONE_MET)
    assert report.judge([row(ours.NAME, 2.0, 3.0)]) is None
    # What was not executed has no cycles of banks to judge by.
    found = report.judge([row(ours.NAME, 2.1, 0, executed=None), *peers])
    assert found["no_conflict"] is None


# ---- from end to end -----------------------------------------------------------------------


@pytest.mark.parametrize("target", problems.TARGETS)
def test_a_product_of_ours(target):
    (problem,) = problems.select(["gemm_nt/bf16/128x128x32/s3/t128"])
    found = figures.measure(problem, ours.compiled(problem, target), emulate=True)
    assert json.loads(json.dumps(found)) == found
    assert sum(found["kinds"].values()) == found["instructions"]
    assert found["kinds"]["matrix"] == found["matrix_instructions"] > 0
    assert found["executed"]["per_mma"] >= 1
    assert found["executed"]["share_of_work"] <= 1
    assert found["executed"]["read_cycles"] >= found["executed"]["read_cycles_least"] > 0
    assert found["occupancy"]["blocks"] >= 1


def test_wrong_names_are_told():
    for option, said in (("--kernel=gem_", "gemm_nn/bf16"), ("--target=cuda:sm_1", "sm_80")):
        run = subprocess.run(
            [sys.executable, str(FOLDER), option], capture_output=True, text=True
        )
        assert run.returncode == 2
        assert said in run.stderr


def test_a_missing_tool_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(tools.MissingTool, match="no gone: get it by x"):
        tools._find(("gone",), (), "get it by x")
