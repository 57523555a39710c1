"""The forms of PTX instructions that evidence is asked for, as patterns.

A pattern is a mnemonic in which

    {a,b}   alternatives that each get a row of the table
    <a,b>   alternatives that are listed in the row; one may be empty
    (a)     what an instruction needs to be complete and the form leaves open

and the operands of an instruction in short: `T` a register of the last type of the mnemonic,
`T0` of its first, `W` of twice the width of the last, `h r d q p` a register of 16, 32, 64 or
128 bits or a predicate, `Nx` a vector of N registers of class x, `[x]` an address; anything
else is itself. Which of the forms the emulator accepts, it is asked (coverage.py).

`beyond` are those of newer architectures than a device may have: of them the unit tests
execute all that the decoder takes, and say which.

`open` are modifiers that the form does not look at: those of another pattern. `default` are
modifiers that an instruction has where it names no other of theirs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import coverage_matrix as matrix

INTEGERS = "s16,u16,s32,u32,s64,u64"
FLOATS = "f16,f16x2,bf16,bf16x2,f32,f64"
BITS = "b16,b32,b64"
BYTES = "b8,u8,s8,b16,u16,s16,b32,u32,s32,f32,b64,u64,s64,f64,b128"
COMPARISONS = "eq,ne,lt,le,gt,ge,lo,ls,hi,hs,equ,neu,ltu,leu,gtu,geu,num,nan"
SCOPES = ("cta", "cluster", "gpu", "sys")
ORDERS = ("weak", "volatile", "mmio", "relaxed", "acquire", "release", "acq_rel", "sc")
SPACES = ("global", "shared", "shared::cluster", "local", "param", "const")
# Where data is cached; `L2::cache_hint` has a policy as operand.
HINTS = (
    "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "L1::evict_first", "L1::evict_last",
    "L1::evict_normal", "L1::evict_unchanged", "L1::no_allocate", "L2::64B", "L2::128B",
    "L2::256B", "L2::cache_hint", "L2::evict_first", "L2::evict_last", "L2::evict_normal",
)  # fmt: skip
TYPES = frozenset(
    [
        "pred",
        "b8",
        "b16",
        "b32",
        "b64",
        "b128",
        "u8",
        "u16",
        "u32",
        "u64",
        "s8",
        "s16",
        "s32",
        "s64",
        "f16",
        "bf16",
        "tf32",
        "f32",
        "f64",
        "f16x2",
        "bf16x2",
        "f32x2",
        "u16x2",
        "s16x2",
        "e4m3",
        "e5m2",
        "e4m3x2",
        "e5m2x2",
        "e2m1x2",
        "e2m3x2",
        "e3m2x2",
        "ue8m0x2",
        "b1",
        "u4",
        "s4",
        "u2",
        "s2",
    ]
)
# Modifiers whose order tells instructions apart.
ORDERED = TYPES | {"row", "col"}


# Modifiers whose order says nothing, and those that it matters for.
Key = tuple[frozenset[str], tuple[str, ...]]


@dataclass(frozen=True)
class Form:
    """One form: the row that it belongs to, what it is called there, an instruction of it,
    and what tells instructions of it from others."""

    family: str
    row: str
    name: str
    mnemonic: str
    sample: str
    pattern: Pattern
    opcode: str
    key: Key


@dataclass(frozen=True)
class Pattern:
    """A pattern of the table below. `body` makes all of a sample where one instruction is
    not enough."""

    family: str
    text: str
    operands: str | Callable[[list[str]], str]
    open: frozenset[str] = frozenset()
    default: tuple[tuple[str, frozenset[str]], ...] = ()
    body: str = ""
    beyond: bool = False

    def _expand(self) -> Iterator[tuple[list[str], str, str, list[str]]]:
        """All modifiers with the opcode first, the row, the name in it, and the modifiers
        that the form looks at."""
        pieces = re.findall(r"[{<(][^}>)]*[}>)]|[^{<(]+", self.text)
        choices = [p[1:-1].split(",") if p[0] in "{<(" else [p] for p in pieces]
        for chosen in itertools.product(*choices):
            whole = row = looked = ""
            named = []
            for piece, one in zip(pieces, chosen):
                one = f".{one}" if one[:1] in ("#", "%") else one
                whole += one
                row += one if piece[0] not in "<(" else ""
                named += [one.strip(".")] if piece[0] == "<" and one else []
                looked += one if piece[0] != "(" else ""
            yield _parts(whole), row.replace("..", "."), ".".join(named), _parts(looked)

    def forms(self) -> Iterator[Form]:
        for parts, row, name, looked in self._expand():
            if callable(self.operands):
                operands = self.operands(parts)
            else:
                operands = _operands(self.operands, parts)
            mnemonic = ".".join(one for one in parts if one[0] not in "#%")
            sample = f"{mnemonic} {operands};"
            if self.body:
                sample = self.body.replace("@", sample)
            key = self.key(looked[1:])
            yield Form(self.family, row.strip("."), name or "-", mnemonic, sample, self,
                       looked[0], key)  # fmt: skip

    def key(self, modifiers: list[str]) -> Key:
        """What is left of an instruction's modifiers when those that are open are away."""
        seen = [one for one in modifiers if one not in self.open]
        for default, others in self.default:
            if not others.intersection(seen):
                seen.append(default)
        ordered = tuple(one for one in seen if one in ORDERED)
        return frozenset(one for one in seen if one not in ORDERED), ordered


def _parts(mnemonic: str) -> list[str]:
    return [part for part in re.split(r"\.(?![xyz]\b)", mnemonic) if part]


def register_class(kind: str) -> str:
    """h, r, d, q or p for a type."""
    if kind == "pred":
        return "p"
    if kind[0] in "eu" and "m" in kind:
        return "h"
    bits = int(re.search(r"\d+", kind)[0]) * (2 if kind.endswith("x2") else 1)  # type: ignore[index]
    return "h" if bits <= 16 else "r" if bits == 32 else "d" if bits == 64 else "q"


def _operands(text: str, parts: list[str]) -> str:
    types = [one for one in parts if one in TYPES]
    wide = {"h": "r", "r": "d", "d": "q"}
    vector = next((int(p[1:]) for p in parts if p in ("v2", "v4", "v8")), 1)
    count = itertools.count()

    def register(kind: str) -> str:
        return f"%{kind}{next(count)}"

    def one(token: str) -> str:
        token = token.strip()
        if token.startswith("[") and token[1:-1] in ("d", "r"):
            return f"[{register(token[1:-1])}]"
        if token in ("p|p", "r|p"):
            return "|".join(register(kind) for kind in token.split("|"))
        if token in ("h", "r", "d", "q", "p", "f", "g"):
            return register(token)
        if match := re.fullmatch(r"(\d+)([hrdq])", token):
            return "{" + ", ".join(register(match[2]) for _ in range(int(match[1]))) + "}"
        if token in ("T", "V", "W") or re.fullmatch(r"T\d", token):
            kind = register_class(types[int(token[1:])] if token[1:] else types[-1])
            if token == "V" and vector > 1:
                return "{" + ", ".join(register(kind) for _ in range(vector)) + "}"
            return register(wide[kind] if token == "W" and "wide" in parts else kind)
        return token

    return ", ".join(one(token) for token in text.split(",")) if text else ""


def opened(*groups: tuple[str, ...] | str) -> frozenset[str]:
    """Modifiers that a form leaves open."""
    found: set[str] = set()
    for group in groups:
        found.update(group.split(",") if isinstance(group, str) else group)
    return frozenset(found)


def all_patterns() -> list[Pattern]:
    """Every pattern, by family."""
    return [*_arithmetic(), *_bits(), *_moves(), *_memory(), *_atomics(), *_warps(),
            *_barriers(), *_copies(), *matrix.patterns(), *_control()]  # fmt: skip


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


def _warps() -> Iterator[Pattern]:
    family = "Warp-wide instructions"
    yield Pattern(family, "shfl.sync.<up,down,bfly,idx>.b32", "r, r, 1, 31, -1")
    yield Pattern(family, "shfl.sync.<up,down,bfly,idx>.b32<#pair>", "r|p, r, 1, 31, -1")
    yield Pattern(family, "vote.sync.<all,any,uni>.pred", "p, p, -1")
    yield Pattern(family, "vote.sync.ballot.b32", "r, p, -1")
    yield Pattern(family, "match.<any,all>.sync.<b32,b64>", "r, T, -1")
    yield Pattern(family, "match.all.sync.<b32,b64>.<#pair>", "r|p, T, -1")
    yield Pattern(family, "redux.sync.<add,min,max>.<u32,s32>", "r, r, -1")
    yield Pattern(family, "redux.sync.<and,or,xor>.b32", "r, r, -1")
    yield Pattern(family, "redux.sync.<min,max><,.abs><,.NaN>.f32", "r, r, -1", beyond=True)
    yield Pattern(family, "elect.sync", "r|p, -1", opened("#pair"))
    yield Pattern(family, "activemask.b32", "r")


def _barriers() -> Iterator[Pattern]:
    family = "Barriers and fences"
    for opcode in ("bar<,.cta>", "barrier<,.cta>"):
        aligned = "<,.aligned>" if opcode.startswith("barrier") else ""
        yield Pattern(family, f"{opcode}.sync{aligned}", "0")
        yield Pattern(family, f"{opcode}.sync{aligned}<#count>", "0, 64")
        yield Pattern(family, f"{opcode}.arrive{aligned}<#count>", "0, 64")
        yield Pattern(family, f"{opcode}.red.popc{aligned}.u32", "r, 0, p")
        yield Pattern(family, f"{opcode}.red.popc{aligned}.u32<#count>", "r, 0, 64, p")
        yield Pattern(family, f"{opcode}.red.<and,or>{aligned}.pred", "p, 0, p")
        yield Pattern(family, f"{opcode}.red.<and,or>{aligned}.pred.<#count>", "p, 0, 64, p")
    yield Pattern(family, "bar.warp.sync", "-1")
    yield Pattern(family, "barrier.cluster.arrive<,.release,.relaxed><,.aligned>", "")
    yield Pattern(family, "barrier.cluster.wait<,.acquire><,.aligned>", "")
    yield Pattern(family, "membar.<cta,gl,sys>", "")
    scopes = "<cta,cluster,gpu,sys>"
    yield Pattern(family, f"fence<,.sc,.acq_rel,.acquire,.release>.{scopes}", "")
    yield Pattern(family, "fence.acquire.sync_restrict::shared::cluster.cluster", "")
    yield Pattern(family, "fence.release.sync_restrict::shared::cta.cluster", "")
    yield Pattern(family, "fence.mbarrier_init.release.cluster", "")
    yield Pattern(family, "fence.proxy.alias", "")
    yield Pattern(family, "fence.proxy.async<,.global,.shared,.shared::cluster>", "")
    generic = "fence.proxy.async::generic"
    yield Pattern(family, f"{generic}.acquire.sync_restrict::shared::cluster.cluster", "")
    yield Pattern(family, f"{generic}.release.sync_restrict::shared::cta.cluster", "")
    yield Pattern(family, f"fence.proxy.tensormap::generic.release.{scopes}", "")
    yield Pattern(family, f"fence.proxy.tensormap::generic.acquire.{scopes}", "[d], 128")
    family = "mbarrier"
    space = "<.shared,>"
    remote = "<.shared,.shared::cluster,>"
    orders = "<,.release.cta,.release.cluster,.relaxed.cta,.relaxed.cluster>"
    away = opened("#sink")
    yield Pattern(family, f"mbarrier.init{space}.b64", "[d], 4")
    yield Pattern(family, f"mbarrier.inval{space}.b64", "[d]")
    for kind in ("arrive", "arrive_drop"):
        one = f"mbarrier.{kind}"
        yield Pattern(family, f"{one}{orders}{remote}.b64", "_, [d]", away)
        yield Pattern(family, f"{one}{orders}{remote}.b64.<#count>", "_, [d], 2", away)
        yield Pattern(
            family, f"{one}.expect_tx{orders}{remote}.b64", "_, [d], 16", away | {"#count"}
        )
        yield Pattern(
            family, f"{one}.noComplete{orders}{space}.b64", "d, [d], 1", away | {"#count"}
        )
    waits = "<,.acquire.cta,.acquire.cluster,.relaxed.cta,.relaxed.cluster>"
    for kind in ("test_wait", "try_wait"):
        away = opened("#hint")
        yield Pattern(family, f"mbarrier.{kind}{waits}{space}.b64", "p, [d], d", away)
        yield Pattern(family, f"mbarrier.{kind}.parity{waits}{space}.b64", "p, [d], r", away)
    yield Pattern(family, "mbarrier.try_wait(.parity.shared.b64)<#hint>", "p, [d], r, r",
                  opened("parity", SPACES, "acquire,relaxed,cta,cluster,b64"))  # fmt: skip
    yield Pattern(family, "mbarrier.pending_count.b64", "r, d")
    orders = "<,.relaxed.cta,.relaxed.cluster>"
    yield Pattern(family, f"mbarrier.{{expect_tx,complete_tx}}{orders}{remote}.b64", "[d], 16")


def _coordinates(before: str, after: str) -> Callable[[list[str]], str]:
    """Operands of a tensor copy: those before the tensor, the tensor, those after."""

    def operands(parts: list[str]) -> str:
        rank = int(next(part for part in parts if re.fullmatch(r"\dd", part))[0])
        tensor = "[%d9, {" + ", ".join(f"%r{i}" for i in range(rank)) + "}]"
        rest = after
        rest += ", %h0" if "multicast::cluster" in parts else ""
        rest += ", %d8" if "L2::cache_hint" in parts else ""
        return ", ".join(one for one in (before, tensor, rest.strip(", ")) if one)

    return operands


def _copies() -> Iterator[Pattern]:
    family = "Asynchronous copies"
    sizes = opened("L2::64B,L2::128B,L2::256B,L2::cache_hint")
    for hint, size, data in [("ca", "<#4,#8,#16>", None), ("cg", "<#16>", None)]:
        del data
        for more, operand in (("", ""), ("<#bytes>", ", r"), ("<#ignore>", ", p")):
            yield Pattern(
                family, f"cp.async.{{{hint}}}(.shared.global)" + size + more,
                _sized(operand), sizes | {"shared", "global"},
            )  # fmt: skip
    for hint in ("L2::64B", "L2::128B", "L2::256B"):
        yield Pattern(family, f"cp.async(.cg.shared.global).<{hint}>", "[r], [d], 16",
                      opened("ca,cg,shared,global,#4,#8,#16,#bytes,#ignore,L2::cache_hint"))  # fmt: skip
    yield Pattern(
        family, "cp.async(.cg.shared.global).<L2::cache_hint>", "[r], [d], 16, d",
        opened("ca,cg,shared,global,#4,#8,#16,#bytes,#ignore,L2::64B,L2::128B,L2::256B"),
    )  # fmt: skip
    yield Pattern(family, "cp.async.commit_group", "")
    yield Pattern(family, "cp.async.wait_group", "0")
    yield Pattern(family, "cp.async.wait_all", "")
    yield Pattern(family, "cp.async.mbarrier.arrive<,.noinc><.shared,>.b64", "[d]")
    family = "Bulk copies"
    tx = ".mbarrier::complete_tx::bytes"
    bulk = "cp.async.bulk"
    yield Pattern(family, f"{bulk}.<shared,shared::cluster>.global{tx}", "[r], [d], r, [r]")
    yield Pattern(
        family,
        f"{bulk}.<shared,shared::cluster>.global{tx}.L2::cache_hint",
        "[r], [d], r, [r], d",
    )
    yield Pattern(
        family, f"{bulk}.shared::cluster.global{tx}.multicast::cluster", "[r], [d], r, [r], h"
    )
    yield Pattern(
        family,
        f"{bulk}.shared::cluster.global{tx}.multicast::cluster.L2::cache_hint",
        "[r], [d], r, [r], h, d",
    )
    yield Pattern(family, f"{bulk}.shared::cluster.shared{tx}", "[r], [r], r, [r]")
    yield Pattern(family, f"{bulk}.global.shared.bulk_group", "[d], [r], r")
    yield Pattern(family, f"{bulk}.global.shared.bulk_group.L2::cache_hint", "[d], [r], r, d")
    yield Pattern(family, f"{bulk}.prefetch.L2.global", "[d], r")
    yield Pattern(family, f"{bulk}.prefetch.L2.global.L2::cache_hint", "[d], r, d")
    yield Pattern(family, f"{bulk}.commit_group", "")
    yield Pattern(family, f"{bulk}.wait_group<,.read>", "0")
    operations = "{add,min,max,inc,dec,and,or,xor}<,.noftz>"
    kinds = "<u32,s32,b32,u64,s64,b64,f16,bf16,f32,f64>"
    reduce = "cp.reduce.async.bulk"
    yield Pattern(
        family, f"{reduce}.global.shared.bulk_group.{operations}.{kinds}", "[d], [r], r"
    )
    yield Pattern(family, f"{reduce}.global.shared.bulk_group.L2::cache_hint(.add.u32)", "[d], [r], r, d",
                  opened("add,min,max,inc,dec,and,or,xor,noftz") | TYPES)  # fmt: skip
    yield Pattern(
        family, f"{reduce}.shared::cluster.shared{tx}.{operations}.{kinds}", "[r], [r], r, [r]"
    )
    yield Pattern(
        family,
        "st.async<,.weak><,.cluster><.shared::cluster,>"
        + f"<{tx},>"
        + "<,.v2,.v4>.<b32,u32,s32,f32,b64,u64,s64,f64>",
        "[r], V, [r]",
    )
    yield Pattern(
        family,
        "red.async.relaxed.cluster<.shared::cluster,>"
        + tx
        + ".<add,min,max,inc,dec,and,or,xor>.<u32,s32,u64,b32>",
        "[r], T, [r]",
    )
    family = "Tensor copies"
    rank = "{1d,2d,3d,4d,5d}"
    copy = f"cp.async.bulk.tensor.{rank}"
    tile = opened("tile")
    yield Pattern(family, f"{copy}.<shared,shared::cluster>.global{tx}<,.L2::cache_hint>",
                  _coordinates("[%r9]", "[%r8]"), tile)  # fmt: skip
    yield Pattern(family, f"{copy}.shared::cluster.global{tx}.multicast::cluster<,.L2::cache_hint>",
                  _coordinates("[%r9]", "[%r8]"), tile)  # fmt: skip
    yield Pattern(family, f"{copy}.global.shared.bulk_group<,.L2::cache_hint>",
                  _coordinates("", "[%r8]"), tile)  # fmt: skip
    yield Pattern(family, f"cp.async.bulk.prefetch.tensor.{rank}.L2.global<,.L2::cache_hint>",
                  _coordinates("", ""), tile)  # fmt: skip
    yield Pattern(family, f"cp.reduce.async.bulk.tensor.{rank}.global.shared.<add,min,max,inc,dec,and,or,xor>.bulk_group",
                  _coordinates("", "[%r8]"), tile | {"L2::cache_hint"})  # fmt: skip
    fields = {
        "b64": ("global_address", "global_stride"),
        "b32": ("rank", "box_dim", "global_dim", "element_stride", "elemtype",
                "interleave_layout", "swizzle_mode", "swizzle_atomicity", "fill_mode"),
    }  # fmt: skip
    indexed = ("box_dim", "global_dim", "global_stride", "element_stride")
    for kind, names in fields.items():
        for name in names:
            value = "0" if name == "swizzle_atomicity" else "T"
            yield Pattern(
                family, f"tensormap.replace.tile.{{{name}}}<.shared,.global,>.b1024.{kind}",
                f"[d], {'0, ' if name in indexed else ''}{value}",
            )  # fmt: skip
    yield Pattern(
        family,
        "tensormap.cp_fenceproxy.global.shared.tensormap::generic.release"
        ".<cta,cluster,gpu,sys>.sync.aligned",
        "[d], [r], 128",
    )


def _sized(more: str) -> Callable[[list[str]], str]:
    """Operands of cp.async, whose size the pseudo-modifier `#N` names."""

    def operands(parts: list[str]) -> str:
        size = next(part[1:] for part in parts if re.fullmatch(r"#\d+", part))
        return _operands(f"[r], [d], {size}{more}", parts)

    return operands


def _control() -> Iterator[Pattern]:
    family = "Control"
    yield Pattern(family, "bra<,.uni>", "L", body="L: @")
    yield Pattern(
        family, "brx.idx<,.uni>", "r, targets", body="L: targets: .branchtargets L; @"
    )
    yield Pattern(family, "call<,.uni>", "callee", opened("#indirect"))
    yield Pattern(family, "call<#indirect>", "d, proto", opened("uni"),
                  body="proto: .callprototype _ (); @")  # fmt: skip
    yield Pattern(family, "ret<,.uni>", "")
    yield Pattern(family, "{exit,trap,brkpt}", "")
    family = "System"
    yield Pattern(family, "nanosleep.u32", "20")
    yield Pattern(family, "setmaxnreg.<inc,dec>.sync.aligned.u32", "64")
    yield Pattern(family, "griddepcontrol.<launch_dependents,wait>", "")
    yield Pattern(family, "mapa<.shared::cluster,>.<u32,u64>", "T, T, r")
    yield Pattern(family, "getctarank<.shared::cluster,>.<u32,u64>", "r, T")
    yield Pattern(family, "pmevent<,.mask>", "1")
    yield Pattern(family, "{alloca}.<u32,u64>", "T, T, 16")
    yield Pattern(family, "{stacksave,stackrestore}.<u32,u64>", "T")
