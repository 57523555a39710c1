"""Too few wait states between dependent instructions: each class of hazard that hardware
leaves to the program.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from amd_faults import Fault, Program, counted, words

# Every hazard of vector and scalar instructions; `need` is what must stand before.
VECTOR = Program(
    "vector-hazards",
    """
  v_mov_b32_e32 v20, 0
  s_nop 0
  v_readfirstlane_b32 s8, v20
  v_mov_b32_e32 v2, 3
  s_nop 4 // scalar to memory
  global_load_dword v3, v1, s[6:7] offset:0
  s_waitcnt vmcnt(0)
  v_readfirstlane_b32 s12, v2
  s_nop 3 // lane
  v_readlane_b32 s13, v3, s12
  v_readfirstlane_b32 s14, v2
  s_nop 1 // scalar
  v_add_u32_e32 v4, s14, v3
  v_cmp_eq_u32_e32 vcc, v0, v0
  v_mov_b32_e32 v5, 1.0
  s_nop 2 // fmas
  v_div_fmas_f32 v6, v5, v5, v5
  v_add_u32_e32 v7, 1, v0
  s_nop 1 // dpp
  v_mov_b32_dpp v8, v7 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf
  v_exp_f32_e32 v9, v5
  s_nop 0 // transcendental
  v_add_f32_e32 v10, v9, v9
  v_add_u32_e32 v11, 1, v0
  s_nop 0 // read lane
  v_readlane_b32 s15, v11, 3
  v_dot4_i32_i8 v12, v5, v5, v2
  s_nop 2 // dot
  v_mov_b32_e32 v13, v12
  s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 2), 0
  s_nop 1 // setreg
  s_getreg_b32 s16, hwreg(HW_REG_MODE, 0, 2)
  v_cmpx_eq_u32_e64 s[18:19], v0, v0
  s_nop 4 // exec to dpp
  v_mov_b32_dpp v14, v7 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf
  v_mov_b32_sdwa v15, v0 dst_sel:BYTE_1 dst_unused:UNUSED_PAD src0_sel:BYTE_0
  s_nop 0 // part
  v_lshrrev_b32_e32 v16, 8, v15
  global_store_dword v1, v16, s[4:5]
""",
    words(64),
    counted(64),
    block=64,
)

# A store of four dwords, whose data must stay for a while.
WIDE = Program(
    "wide-store",
    """
  v_lshlrev_b32_e32 v2, 4, v0
  v_mov_b32_e32 v4, v0
  v_mov_b32_e32 v5, v0
  v_mov_b32_e32 v6, v0
  v_mov_b32_e32 v7, v0
  global_store_dwordx4 v2, v[4:7], s[4:5]
  s_nop 1
  v_mov_b32_e32 v5, 0
""",
    words(256),
    np.repeat(counted(64), 4),
    block=64,
)

# Loads a word to LDS by M0.
DIRECT = Program(
    "direct",
    """
  s_mov_b32 s8, s6
  s_and_b32 s9, s7, 0xffff
  s_movk_i32 s10, 0x100
  s_mov_b32 s11, 0x00020000
  s_mov_b32 m0, 0
  s_nop 0 // M0
  buffer_load_dword v1, s[8:11], 0 offen lds
  s_waitcnt vmcnt(0)
  ds_read_b32 v3, v1
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""",
    words(64),
    counted(64),
    block=64,
    lds=256,
)

# A product of ones: 4 x 4 x 4 of f16 in each of 16 blocks, so that all sums are 4.
_PRODUCT = """
  v_mov_b32_e32 v4, 0x3c003c00
  v_mov_b32_e32 v5, 0x3c003c00
  v_mov_b32_e32 v8, 0
  v_mov_b32_e32 v9, 0
  v_mov_b32_e32 v10, 0
  v_mov_b32_e32 v11, 0
  s_nop 1 // before
  {product} v[8:11], v[4:5], v[4:5], v[8:11]
{after}
  global_store_dword v1, v8, s[4:5]
"""
FOUR = np.full(64, 0x40800000, np.uint32)
SIXTEEN = np.full(64, 0x41800000, np.uint32)


def product(arch: str, mnemonic: str, after: str, expected: np.ndarray) -> Program:
    return Program(
        f"product-{mnemonic[11:]}-{arch}".replace("_", "-"),
        _PRODUCT.format(product=mnemonic, after=after),
        words(64), expected, arch=arch, block=64,
    )  # fmt: skip


# With as many wait states as the result takes.
PRODUCTS = [
    (product("gfx90a", "v_mfma_f32_4x4x4f16", "  s_nop 4 // after", FOUR), "s_nop 3"),
    (product("gfx90a", "v_mfma_f32_16x16x16f16", "  s_nop 7\n  s_nop 2 // after", SIXTEEN),
     "s_nop 1"),
    (product("gfx942", "v_mfma_f32_4x4x4_16b_f16", "  s_nop 4 // after", FOUR), "s_nop 3"),
    (product("gfx942", "v_mfma_f32_16x16x16_f16", "  s_nop 6 // after", SIXTEEN), "s_nop 5"),
    (product("gfx950", "v_mfma_f32_16x16x16_f16", "  s_nop 7 // after", SIXTEEN), "s_nop 6"),
]  # fmt: skip

# A product whose factor is the result of another: 16 x 16 x 16 of f16, all sums 16.
WMMA = Program(
    "wmma",
    "\n".join(f"  v_mov_b32_e32 v{n}, 0x3c003c00" for n in range(8, 16))
    + """
  v_wmma_f16_16x16x16_f16 v[16:19], v[8:11], v[8:11], 0
  v_nop
  v_wmma_f16_16x16x16_f16 v[24:27], v[16:19], v[8:11], 0
  v_and_b32_e32 v24, 0xffff, v24
  global_store_b32 v1, v24, s[4:5]
""",
    words(32),
    np.full(32, 0x5C00, np.uint32),
    arch="gfx1201",
)
WMMA11 = Program(
    "wmma11",
    "\n".join(f"  v_mov_b32_e32 v{n}, 0x3c003c00" for n in range(8, 16))
    + """
  v_mov_b32_e32 v40, 0
"""
    + "\n".join(f"  v_mov_b32_e32 v{n}, 0" for n in range(16, 24))
    + """
  v_wmma_f16_16x16x16_f16 v[16:23], v[8:15], v[8:15], v[16:23]
  v_nop
  v_and_b32_e32 v24, 0xffff, v16
  global_store_b32 v1, v24, s[4:5]
""",
    words(32),
    np.full(32, 0x4C00, np.uint32),
    arch="gfx1100",
)

SWAP = Program(
    "swap",
    """
  v_mov_b32_e32 v2, v0
  v_mov_b32_e32 v3, v0
  s_nop 1
  v_permlane32_swap_b32_e32 v2, v3
  global_store_dword v1, v2, s[4:5]
""",
    words(64),
    counted(64) % 32,
    arch="gfx950",
    block=64,
)


# On gfx11 one waits for the result of a transcendental instruction.
TRANSCENDENTAL = Program(
    "transcendental-gfx1100",
    """
  v_cvt_f32_u32_e32 v2, v0
  v_exp_f32_e32 v2, v2
  s_waitcnt_depctr 0xfff
  v_mul_f32_e32 v3, 0, v2
  global_store_b32 v1, v3, s[4:5]
""",
    words(32),
    np.zeros(32, np.uint32),
    arch="gfx1100",
)


def too_few(name: str, states: str, fewer: str, at: str) -> Fault:
    """VECTOR with fewer wait states."""
    return Fault(name, VECTOR, {states: fewer}, "hazard", (at,))


FAULTS = [
    Fault("scalar-to-memory", VECTOR,
          {"offset:0": "offset:0\n  v_readfirstlane_b32 s6, v20\n"
           "  global_load_dword v3, v20, s[6:7] offset:4"}, "hazard", ("offset:4",),
          ("hazard", "out-of-bounds", "in-flight", "uninitialised")),
    too_few("lane-select", "s_nop 3 // lane", "s_nop 2", "s13, v3, s12"),
    too_few("scalar-to-vector", "s_nop 1 // scalar\n", "s_nop 0\n", "v4, s14, v3"),
    too_few("vcc-to-div-fmas", "s_nop 2 // fmas", "s_nop 1", "v_div_fmas"),
    too_few("vector-to-dpp", "s_nop 1 // dpp", "s_nop 0", "v_mov_b32_dpp v8"),
    too_few("transcendental", "s_nop 0 // transcendental", "", "v_add_f32_e32 v10"),
    too_few("vector-to-readlane", "s_nop 0 // read lane", "", "s15, v11"),
    too_few("dot-product", "s_nop 2 // dot", "s_nop 1", "v_mov_b32_e32 v13"),
    too_few("setreg-getreg", "s_nop 1 // setreg", "s_nop 0", "s_getreg"),
    too_few("exec-to-dpp", "s_nop 4 // exec to dpp", "s_nop 3", "v_mov_b32_dpp v14"),
    too_few("part-of-a-register", "s_nop 0 // part", "", "v_lshrrev_b32_e32 v16"),
    Fault("wide-store-overwritten", WIDE, {"s_nop 1": "s_nop 0"}, "hazard",
          ("v_mov_b32_e32 v5, 0",)),
    Fault("m0-to-a-load-to-lds", DIRECT, {"  s_nop 0 // M0\n": ""}, "hazard",
          ("buffer_load",)),
    *(Fault(f"{program.name}-read-early", program,
            {[row for row in program.body.split("\n") if "// after" in row][0].strip(): fewer},
            "hazard", ("global_store",)) for program, fewer in PRODUCTS),
    *(Fault(f"{program.name}-factor-late", program, {"s_nop 1 // before": "s_nop 0"},
            "hazard", ("v_mfma",)) for program, _ in PRODUCTS),
    Fault("factor-without-a-lane-map", PRODUCTS[3][0], {"v_mov_b32_e32 v5, 0x3c003c00":
          "v_mov_b32_e32 v15, 0x3c003c00"}, "uninitialised", ()),
    Fault("accumulator-nobody-set", PRODUCTS[2][0], {"v_mov_b32_e32 v8, 0\n": "s_nop 0\n"},
          "uninitialised", ()),
    Fault("wmma-after-its-factor", WMMA, {"  v_nop\n": ""}, "hazard",
          ("v[24:27], v[16:19]",)),
    Fault("wmma-without-a-factor", WMMA, {"v_mov_b32_e32 v9, 0x3c003c00": "s_nop 0"},
          "uninitialised", ()),
    Fault("wmma-of-two-halves", WMMA11, {"v_mov_b32_e32 v9, 0x3c003c00":
          "v_cvt_f16_u16_e32 v9.l, v0.l\n  v_mov_b16_e32 v9.h, v9.l"}, "convergence",
          ("v_wmma",)),
    Fault("transcendental-on-gfx1100", TRANSCENDENTAL, {"s_waitcnt_depctr 0xfff": "s_nop 7"},
          "hazard", ("v_mul",)),
    Fault("transcendental-in-two-on-gfx1100", TRANSCENDENTAL, {"  s_waitcnt_depctr 0xfff\n": "",
          "v_mul_f32_e32 v3, 0, v2":
          "v_dual_mul_f32 v3, 0, v2 :: v_dual_mov_b32 v4, 0"}, "hazard", ("v_dual_mul",)),
    Fault("swap-too-early", SWAP, {"s_nop 1": "s_nop 0"}, "hazard", ("v_permlane32",)),
]  # fmt: skip
