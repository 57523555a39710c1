"""The forms of PTX instructions that evidence is asked for: all patterns, those of
arithmetic and memory here.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Iterator

import coverage_matrix
import coverage_sync
from coverage_pattern import HINTS, ORDERS, SCOPES, SPACES, TYPES, Pattern, opened

INTEGERS = "s16,u16,s32,u32,s64,u64"
FLOATS = "f16,f16x2,bf16,bf16x2,f32,f64"
BITS = "b16,b32,b64"
BYTES = "b8,u8,s8,b16,u16,s16,b32,u32,s32,f32,b64,u64,s64,f64,b128"
COMPARISONS = "eq,ne,lt,le,gt,ge,lo,ls,hi,hs,equ,neu,ltu,leu,gtu,geu,num,nan"


def all_patterns() -> list[Pattern]:
    """Every pattern, by family."""
    return [*_arithmetic(), *_bits(), *_moves(), *_memory(), *_atomics(),
            *coverage_matrix.patterns(), *coverage_sync.patterns()]  # fmt: skip


def _arithmetic() -> Iterator[Pattern]:
    family = "Integer arithmetic"
    yield Pattern(family, f"{{add,sub}}<,.sat,.cc>.<{INTEGERS},u16x2,s16x2>", "T, T, T")
    yield Pattern(family, "{addc,subc}<,.cc>.<u32,s32,u64,s64>", "T, T, T")
    yield Pattern(family, f"mul.<lo,hi,wide>.<{INTEGERS}>", "W, T, T")
    yield Pattern(family, f"mad.<lo,hi,wide><,.sat,.cc>.<{INTEGERS}>", "W, T, T, W")
    yield Pattern(family, "madc.<lo,hi><,.cc>.<u32,s32,u64,s64>", "T, T, T, T")
    yield Pattern(family, "mul24.<lo,hi>.<u32,s32>", "T, T, T")
    yield Pattern(family, "mad24.<lo,hi><,.sat>.<u32,s32>", "T, T, T, T")
    yield Pattern(family, f"{{div,rem}}.<{INTEGERS}>", "T, T, T")
    yield Pattern(family, f"{{min,max}}<,.relu>.<{INTEGERS},u16x2,s16x2>", "T, T, T")
    yield Pattern(family, f"{{abs,neg}}.<{INTEGERS}>", "T, T")
    yield Pattern(family, f"sad.<{INTEGERS}>", "T, T, T, T")
    yield Pattern(family, "dp4a.<u32,s32>.<u32,s32>", "r, r, r, r")
    yield Pattern(family, "dp2a.<lo,hi>.<u32,s32>.<u32,s32>", "r, r, r, r")
    yield Pattern(
        family,
        "{vadd4,vsub4,vavrg4,vabsdiff4,vmin4,vmax4}.<u32,s32>.<u32,s32>.<u32,s32><,.sat,.add>",
        "r, r, r, r",
    )
    family = "Floating-point arithmetic"
    rounding = "<,.rn,.rz,.rm,.rp>"
    finish = "<,.ftz><,.sat>"
    yield Pattern(family, f"{{add,sub,mul}}{rounding}{finish}.<{FLOATS}>", "T, T, T")
    yield Pattern(family, f"fma{rounding}{finish}<,.relu>.<{FLOATS}>", "T, T, T, T")
    yield Pattern(
        family, f"{{add,sub}}{rounding}<,.sat>.<f32>.<f16,bf16>", "T0, T, T0", beyond=True
    )
    yield Pattern(family, f"fma{rounding}<,.sat>.<f32>.<f16,bf16>", "T0, T, T, T0", beyond=True)
    yield Pattern(family, f"{{add,sub,mul}}{rounding}<,.ftz>.f32x2", "d, d, d", beyond=True)
    yield Pattern(family, f"fma{rounding}<,.ftz>.f32x2", "d, d, d, d", beyond=True)
    yield Pattern(family, f"mad{rounding}{finish}.<f32,f64>", "T, T, T, T")
    yield Pattern(family, f"{{min,max}}<,.ftz><,.NaN><,.xorsign.abs>.<{FLOATS}>", "T, T, T")
    yield Pattern(family, f"{{abs,neg}}<,.ftz>.<{FLOATS}>", "T, T")
    yield Pattern(family, "div<.approx,.full,.rn,.rz,.rm,.rp><,.ftz>.<f32,f64>", "T, T, T")
    yield Pattern(family, "{rcp,sqrt,rsqrt}<.approx,.rn,.rz,.rm,.rp><,.ftz>.<f32,f64>", "T, T")
    yield Pattern(family, f"{{sin,cos,lg2,ex2,tanh}}.approx<,.ftz>.<{FLOATS}>", "T, T")
    yield Pattern(family, "copysign.<f32,f64>", "T, T, T")
    tests = "finite,infinite,number,notanumber,normal,subnormal"
    yield Pattern(family, f"testp.<{tests}>.<f32,f64>", "p, T")
    family = "Comparison and selection"
    comparisons = opened(COMPARISONS)
    booleans = opened("and,or,xor")
    compared = f"{INTEGERS},{BITS},{FLOATS}"
    yield Pattern(
        family, f"setp.<{COMPARISONS}><,.ftz>.{{{compared}}}", "p, T, T", booleans | {"#pair"}
    )
    away = comparisons | TYPES | {"ftz"}
    yield Pattern(family, "setp(.lt).<and,or,xor>(.s32)", "p, T, T, p", away | {"#pair"})
    yield Pattern(family, "setp(.lt)<#pair>(.s32)", "p|p, T, T", away | booleans)
    results = "u32,s32,f32,u16,s16,f16,bf16,f16x2,bf16x2"
    yield Pattern(
        family, f"set.<{COMPARISONS}><,.ftz>.{{{results}}}.{{{compared}}}", "T0, T, T", booleans
    )
    yield Pattern(family, "set(.lt).<and,or,xor>(.u32.s32)", "r, r, r, p", away)
    yield Pattern(family, f"selp.<{INTEGERS},{BITS},f32,f64>", "T, T, T, p")
    yield Pattern(family, f"slct<,.ftz>.<{INTEGERS},{BITS},f32,f64>.<s32,f32>", "T0, T0, T0, r")
    family = "Conversion"
    whole = "u8,s8,u16,s16,u32,s32,u64,s64"
    real = "f16,bf16,f32,f64"
    nearest, integral = ".rn,.rna,.rz,.rm,.rp", ".rni,.rzi,.rmi,.rpi"
    yield Pattern(family, f"cvt<,.sat>.{{{whole}}}.<{whole}>", "T0, T")
    yield Pattern(family, f"cvt<{integral}><,.ftz><,.sat>.{{{whole}}}.<{real}>", "T0, T")
    yield Pattern(family, f"cvt<{nearest}><,.sat><,.ftz>.{{{real}}}.<{whole}>", "T0, T")
    how = f"<,{nearest},{integral}><,.ftz><,.sat,.satfinite><,.relu><,.satfinite>"
    yield Pattern(family, f"cvt{how}.{{{real},tf32}}.<{real}>", "T0, T")
    finite = "<,.relu><,.satfinite><,.relu>"
    yield Pattern(family, f"cvt.<rn,rz>{finite}.{{f16x2,bf16x2}}.f32", "r, r, r")
    yield Pattern(family, f"cvt.rn{finite}.{{e4m3x2,e5m2x2}}.f32", "h, r, r")
    yield Pattern(family, f"cvt.rn{finite}.{{e4m3x2,e5m2x2}}.<f16x2,bf16x2>", "h, r")
    yield Pattern(family, f"cvt.rn{finite}.{{f16x2,bf16x2}}.<e4m3x2,e5m2x2>", "r, h")
    small = "<e2m1x2,e2m3x2,e3m2x2>"
    yield Pattern(family, f"cvt.rn.satfinite<,.relu>.{small}.f32", "h, r, r", beyond=True)
    yield Pattern(family, f"cvt.rn<,.relu>.{{f16x2}}.{small}", "r, h", beyond=True)
    yield Pattern(
        family, "cvt.<rz,rp><,.satfinite>.ue8m0x2.<f32,bf16x2>", "h, r, r", beyond=True
    )
    yield Pattern(family, "cvt.rn.bf16x2.ue8m0x2", "r, h", beyond=True)
    yield Pattern(family, "cvt.pack.sat.<u16,s16>.s32", "r, r, r")
    yield Pattern(family, "cvt.pack.sat.<u8,s8,u4,s4,u2,s2>.s32.b32", "r, r, r, r")


def _bits() -> Iterator[Pattern]:
    family = "Bits"
    yield Pattern(family, f"{{and,or,xor}}.<{BITS},pred>", "T, T, T")
    yield Pattern(family, f"not.<{BITS},pred>", "T, T")
    yield Pattern(family, f"cnot.<{BITS}>", "T, T")
    yield Pattern(family, "lop3.b32", "r, r, r, r, 0x96")
    yield Pattern(family, "lop3.<and,or>.b32", "r|p, r, r, r, 0x96, p")
    yield Pattern(family, f"shl.<{BITS}>", "T, T, r")
    yield Pattern(family, f"shr.<{BITS},{INTEGERS}>", "T, T, r")
    yield Pattern(family, "shf.<l,r>.<clamp,wrap>.b32", "r, r, r, r")
    yield Pattern(family, "bfe.<u32,s32,u64,s64>", "T, T, r, r")
    yield Pattern(family, "bfi.<b32,b64>", "T, T, T, r, r")
    yield Pattern(family, "bfind<,.shiftamt>.<u32,s32,u64,s64>", "r, T")
    yield Pattern(family, "brev.<b32,b64>", "T, T")
    yield Pattern(family, "{clz,popc}.<b32,b64>", "r, T")
    yield Pattern(family, "prmt.b32<,.f4e,.b4e,.rc8,.ecl,.ecr,.rc16>", "r, r, r, r")
    yield Pattern(family, "fns.b32", "r, r, r, r")
    yield Pattern(family, "szext.<clamp,wrap>.<u32,s32>", "r, r, r")
    yield Pattern(family, "bmsk.<clamp,wrap>.b32", "r, r, r")


SPECIAL = (
    "%tid.x,%tid.y,%tid.z,%ntid.x,%ntid.y,%ntid.z,%ctaid.x,%ctaid.y,%ctaid.z,%nctaid.x,"
    "%nctaid.y,%nctaid.z,%laneid,%warpid,%nwarpid,%smid,%nsmid,%clusterid.x,%clusterid.y,"
    "%clusterid.z,%nclusterid.x,%nclusterid.y,%nclusterid.z,%cluster_ctaid.x,"
    "%cluster_ctaid.y,%cluster_ctaid.z,%cluster_nctaid.x,%cluster_nctaid.y,"
    "%cluster_nctaid.z,%cluster_ctarank,%cluster_nctarank,%lanemask_eq,%lanemask_le,"
    "%lanemask_lt,%lanemask_ge,%lanemask_gt,%dynamic_smem_size,%total_smem_size,"
    "%aggr_smem_size,%reserved_smem_offset_begin,%clock,%clock_hi,%clock64,%globaltimer,"
    "%globaltimer_lo,%globaltimer_hi,%gridid,%activemask,%envreg0,%envreg1,%envreg2"
)


def _special(parts: list[str]) -> str:
    name = parts[-1]
    wide = name in ("%clock64", "%globaltimer", "%gridid")
    return f"{'%d0' if wide else '%r0'}, {name}"


def _moves() -> Iterator[Pattern]:
    family = "Moves"
    packs = opened("#address,#pack2,#pack4,#unpack2,#unpack4")
    yield Pattern(family, f"mov.<{INTEGERS},{BITS},f32,f64,pred,b128>", "T, T", packs)
    for kind, register in (("b32", "h"), ("b64", "r")):
        yield Pattern(family, f"mov.{kind}.<#pack2>", f"T, 2{register}")
        yield Pattern(family, f"mov.{kind}.<#unpack2>", f"2{register}, T")
    yield Pattern(family, "mov.b64.<#pack4>", "T, 4h")
    yield Pattern(family, "mov.b64.<#unpack4>", "4h, T")
    yield Pattern(family, "mov.b128.<#pack2>", "q, 2d")
    yield Pattern(family, "mov.b128.<#unpack2>", "2d, q")
    yield Pattern(family, "mov(.u64)<#address>", "d, variable", TYPES)
    yield Pattern(family, "mov(.pred)<%is_explicit_cluster>", "p, %is_explicit_cluster", TYPES)
    yield Pattern(family, f"mov(.u32).<{SPECIAL}>", _special, TYPES)
    spaces = "global,shared,shared::cluster,local,const,param"
    yield Pattern(family, f"cvta<,.to>.<{spaces}>.u64", "d, d", opened("#address"))
    yield Pattern(family, f"isspacep.<{spaces}>", "p, d")


def _memory() -> Iterator[Pattern]:
    family = "Loads and stores"
    away = opened(SCOPES, ORDERS, HINTS)
    kinds = f"<,.v2,.v4,.v8>.<{BYTES}>"
    for space, address in [("global", "d"), ("shared", "r"), ("shared::cluster", "r"),
                           ("local", "r"), ("", "d")]:  # fmt: skip
        yield Pattern(family, f"ld.{{{space}}}{kinds}", f"V, [{address}]", away)
        yield Pattern(family, f"st.{{{space}}}{kinds}", f"[{address}], V", away)
    yield Pattern(family, f"ld.param{kinds}", "V, [a]", away)
    yield Pattern(family, f"ld.const{kinds}", "V, [constant]", away)
    yield Pattern(family, f"ldu.<global,>{kinds}", "V, [d]", away)
    yield Pattern(
        family, f"st.param.<{BYTES}>", "[x], T", away | {"v2", "v4"},
        body="{ .param .align 16 .b8 x[16]; @ }",
    )  # fmt: skip
    orders = ",".join(
        [".weak", ".volatile", *(f".{o}.{s}" for o in ("relaxed", "acquire") for s in SCOPES)]
    )
    spaces = ".global,.shared,.shared::cluster,"
    away = opened(HINTS, ("v2", "v4", "v8")) | TYPES
    yield Pattern(family, f"ld<{orders}>{{{spaces}}}(.b32)", "r, [d]", away)
    orders = orders.replace("acquire", "release")
    yield Pattern(family, f"st<{orders}>{{{spaces}}}(.b32)", "[d], r", away)
    away = opened(HINTS, ("v2", "v4", "v8")) | TYPES
    yield Pattern(family, "ld.mmio.relaxed.sys.{global,}(.b32)", "r, [d]", away)
    yield Pattern(family, "st.mmio.relaxed.sys.{global,}(.b32)", "[d], r", away)
    away = opened(SCOPES, ORDERS, SPACES, ("v2", "v4", "v8")) | TYPES
    levels = (
        "L1::evict_first,L1::evict_last,L1::evict_normal,L1::evict_unchanged,L1::no_allocate"
    )
    sizes = "L2::64B,L2::128B,L2::256B"
    for opcode, data, hints in (
        ("ld", "r, [d]", f"ca,cg,cs,lu,cv,nc,{levels},{sizes}"),
        ("st", "[d], r", f"wb,cg,cs,wt,{levels}"),
    ):
        yield Pattern(
            family, f"{opcode}(.global).<{hints}>(.b32)", data,
            away | {"L2::cache_hint"},
        )  # fmt: skip
        yield Pattern(
            family, f"{opcode}(.global).<L2::cache_hint>(.b32)", f"{data}, d",
            away | opened(HINTS) - {"L2::cache_hint"},
        )  # fmt: skip
    family = "Caches"
    yield Pattern(
        family, "prefetch<.global,.local,>.<L1,L2,L2::evict_last,L2::evict_normal>", "[d]"
    )
    yield Pattern(family, "prefetch.<param,const,>.tensormap", "[d]")
    yield Pattern(family, "prefetchu.L1", "[d]")
    yield Pattern(family, "discard.<global,>.L2", "[d], 128")
    yield Pattern(family, "applypriority.<global,>.L2::evict_normal", "[d], 128")
    levels = "L2::evict_last,L2::evict_normal,L2::evict_first,L2::evict_unchanged"
    second = "<,.L2::evict_first,.L2::evict_unchanged>"
    yield Pattern(family, f"createpolicy.fractional.<{levels}>{second}.b64", "d")
    yield Pattern(
        family, f"createpolicy.range<,.global>.<{levels}>{second}.b64", "d, [d], r, r"
    )
    yield Pattern(family, "createpolicy.cvt.L2.b64", "d, d")


def _atomics() -> Iterator[Pattern]:
    family = "Atomic operations"
    operations = "add,min,max,inc,dec,and,or,xor"
    kinds = "u32,s32,u64,s64,b32,b64,f32,f64,f16,f16x2,bf16,bf16x2"
    scope = (("gpu", frozenset(SCOPES)),)
    scopes = "<.cta,.cluster,.gpu,.sys>"
    vector = "<,.v2,.v4,.v8>"
    away = opened(ORDERS, SPACES, HINTS)
    shape = f"{{{operations}}}<,.noftz>{vector}.<{kinds}>"
    for opcode, data in (("atom", "V, [d], V"), ("red", "[d], V")):
        yield Pattern(family, f"{opcode}{scopes}.{shape}", data, away, scope)
        spaces = "<.global,.shared,.shared::cluster,>"
        yield Pattern(family, f"{opcode}{spaces}.{shape}", data, opened(ORDERS, SCOPES, HINTS))
    for swap, data in (("exch", "T, [d], T"), ("cas", "T, [d], T, T")):
        swapped = f"{{{swap}}}.<b16,b32,b64,b128>"
        yield Pattern(family, f"atom{scopes}.{swapped}", data, away, scope)
        yield Pattern(
            family, f"atom<.global,.shared,.shared::cluster,>.{swapped}", data,
            opened(ORDERS, SCOPES, HINTS),
        )  # fmt: skip
    named = opened(operations, "exch,cas,noftz,v2,v4,v8,L2::cache_hint", SPACES) | TYPES
    order = (("relaxed", frozenset(ORDERS)), *scope)
    for opcode, orders, data in (
        ("atom", "relaxed,acquire,release,acq_rel", "r, [d], r"),
        ("red", "relaxed,release", "[d], r"),
    ):
        yield Pattern(
            family, f"{opcode}.<{orders}>.<cta,cluster,gpu,sys>(.global.add.u32)", data, named,
            order,
        )  # fmt: skip
