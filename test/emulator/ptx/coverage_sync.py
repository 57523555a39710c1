"""The forms of instructions that synchronise, copy and branch.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from coverage_pattern import SPACES, TYPES, Pattern, expand_operands, opened


def patterns() -> Iterator[Pattern]:
    """Those of the families."""
    yield from _warps()
    yield from _barriers()
    yield from _copies()
    yield from _control()


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


# Elements of tensor maps; of floating-point ones what lies outside may be NaN.
MAP_INTEGERS = "u8,u16,u32,s32,u64,s64"
MAP_FLOATS = "f16,bf16,f32,f64,tf32"


def ofmap(which: str) -> frozenset[str]:
    """What a pattern of tensor maps leaves open: element types and fills, or dimensions and
    swizzles."""
    if which == "kind":
        return opened(MAP_INTEGERS, MAP_FLOATS, "zero,nan")
    return opened("1d,2d,3d,4d,5d,none,32B,64B,128B")


def _coordinates(before: str, after: str) -> Callable[[list[str]], str]:
    """Operands of a tensor copy: those before the tensor, the tensor, those after."""

    def operands(parts: list[str]) -> str:
        rank = int(next(part for part in parts if re.fullmatch(r"\dd", part))[0])
        tensor = "[%d9, {" + ", ".join(f"%r{i}" for i in range(rank)) + "}]"
        rest = after
        if "im2col" in parts:
            rest += ", {" + ", ".join(f"%h{i + 1}" for i in range(rank - 2)) + "}"
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
    form = "ca,cg,shared,global,#4,#8,#16,#bytes,#ignore"
    for hint in ("L2::64B", "L2::128B", "L2::256B"):
        yield Pattern(
            family, f"cp.async(.cg.shared.global).<{hint}>", "[r], [d], 16",
            opened(form, "L2::cache_hint"),
        )  # fmt: skip
    yield Pattern(
        family, "cp.async(.cg.shared.global).<L2::cache_hint>", "[r], [d], 16, d",
        opened(form, "L2::64B,L2::128B,L2::256B"),
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
    yield Pattern(
        family, f"{reduce}.global.shared.bulk_group.L2::cache_hint(.add.u32)",
        "[d], [r], r, d", opened("add,min,max,inc,dec,and,or,xor,noftz") | TYPES,
    )  # fmt: skip
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
    yield Pattern(
        family, f"{copy}.shared::cluster.global{tx}.multicast::cluster<,.L2::cache_hint>",
        _coordinates("[%r9]", "[%r8]"), tile,
    )  # fmt: skip
    yield Pattern(family, f"{copy}.global.shared.bulk_group<,.L2::cache_hint>",
                  _coordinates("", "[%r8]"), tile)  # fmt: skip
    yield Pattern(family, f"cp.async.bulk.prefetch.tensor.{rank}.L2.global<,.L2::cache_hint>",
                  _coordinates("", ""), tile)  # fmt: skip
    pixels = "cp.async.bulk.tensor.{3d,4d,5d}"
    yield Pattern(
        family, f"{pixels}.<shared,shared::cluster>.global.im2col{tx}<,.L2::cache_hint>",
        _coordinates("[%r9]", "[%r8]"),
    )  # fmt: skip
    yield Pattern(
        family,
        f"{pixels}.shared::cluster.global.im2col{tx}.multicast::cluster<,.L2::cache_hint>",
        _coordinates("[%r9]", "[%r8]"),
    )  # fmt: skip
    yield Pattern(
        family, f"{pixels}.global.shared.im2col_no_offs.bulk_group<,.L2::cache_hint>",
        _coordinates("", "[%r8]"),
    )  # fmt: skip
    yield Pattern(
        family, "cp.async.bulk.prefetch.tensor.{3d,4d,5d}.L2.global.im2col<,.L2::cache_hint>",
        _coordinates("", ""),
    )  # fmt: skip
    reduce = f"cp.reduce.async.bulk.tensor.{rank}.global.shared"
    yield Pattern(
        family, f"{reduce}.<add,min,max,inc,dec,and,or,xor>.bulk_group",
        _coordinates("", "[%r8]"), tile | {"L2::cache_hint"},
    )  # fmt: skip
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
    maps, swizzles = "Tensor maps", "{none,32B,64B,128B}"
    yield Pattern(maps, f"map.<1d,2d,3d,4d,5d>.{swizzles}", "", ofmap("kind"), known=True)
    for kinds, fills in ((MAP_INTEGERS, "<zero>"), (MAP_FLOATS, "<zero,nan>")):
        yield Pattern(maps, f"map.{{{kinds}}}.{fills}", "", ofmap("size"), known=True)
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
        return expand_operands(f"[r], [d], {size}{more}", parts)

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
