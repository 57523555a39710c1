"""Checks of cp.async in all its forms, of tensor maps that a program changes, and of matrix
stores by generic addresses.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import random

import numpy as np
from coverage_pattern import Form
from forms_elementwise import accepted, parts_of
from forms_harness import Bench, check

BYTES = np.frombuffer(random.Random(13).randbytes(512), np.uint8)
_WAIT = "cp.async.commit_group; cp.async.wait_group 0;\n"


def _copied(form: Form, number: int) -> tuple[str, bytes]:
    """The copy of 16 bytes or fewer to %r1 from %d1, and what is there then."""
    parts = parts_of(form)
    size = next(
        (int(p[1:]) for p in form.name.split(".") if p[:1] == "#" and p[1:].isdigit()), 16
    )
    count = size
    last = ""
    if "#bytes" in form.name:
        count = size // 2
        last = f", {count}"
    elif "#ignore" in form.name:
        count = 0 if number % 2 else size
        last = ", %p1" if number % 2 else ", %p2"
    policy = ", %d80" if "L2::cache_hint" in parts else ""
    text = f"{form.mnemonic} [%r1], [%d1], {size}{last}{policy};\n"
    return text, BYTES[:count].tobytes().ljust(size, b"\0").ljust(16, b"\xff")


@check
def asynchronous_copies(bench: Bench) -> None:
    forms = [f for f in accepted("Asynchronous copies", "cp.async") if "shared" in f.mnemonic
             and "mbarrier" not in f.mnemonic]  # fmt: skip
    arrivals = list(accepted("Asynchronous copies", "cp.async.mbarrier"))
    device = bench.device()
    arrays = {"results": device.zeros(16 * (len(forms) + len(arrivals)), np.uint8),
              "data": device.array(BYTES)}  # fmt: skip
    text = "ld.param.u64 %d100, [results]; ld.param.u64 %d1, [data]; mov.u32 %r1, memory;\n"
    text += "setp.eq.u32 %p1, 0, 0; setp.ne.u32 %p2, 0, 0; mov.u32 %r2, barrier;\n"
    text += "createpolicy.fractional.L2::evict_first.b64 %d80; cvt.u64.u32 %d2, %r2;"
    text += "cvta.shared.u64 %d2, %d2;\n"
    expected = b""
    show = (
        "ld.shared.v2.b64 {{%d10, %d11}}, [%r1]; st.global.v2.b64 [%d100+{}], {{%d10, %d11}};\n"
    )
    fill = "st.shared.v2.b64 [%r1], {-1, -1};\n"
    for number, form in enumerate(forms):
        body, wanted = _copied(form, number)
        expected += wanted
        text += fill + body + _WAIT + show.format(16 * number)
    for number, form in enumerate(arrivals, len(forms)):
        # An arrival that counts is one more than the phase waits for.
        noinc = "noinc" in parts_of(form)
        barrier = "%r2" if "shared" in parts_of(form) else "%d2"
        text += "mbarrier.init.shared.b64 [%r2], 1;\n"
        text += f"{fill}cp.async.cg.shared.global [%r1], [%d1], 16;\n"
        text += f"{form.mnemonic} [{barrier}];\n"
        text += "" if noinc else "mbarrier.arrive.shared.b64 _, [%r2];\n"
        text += f"W{number}: mbarrier.try_wait.parity.shared.b64 %p3, [%r2], 0;"
        text += f"@!%p3 bra W{number};\n"
        text += show.format(16 * number) + "mbarrier.inval.shared.b64 [%r2];\n"
        expected += BYTES[:16].tobytes()
    shared = ".shared .align 16 .b8 memory[16]; .shared .align 8 .b64 barrier;"
    bench.run(text, arrays, block=1, shared=shared, device=device)
    got = arrays["results"].numpy().tobytes()
    for number, form in enumerate([*forms, *arrivals]):
        place = slice(16 * number, 16 * number + 16)
        assert got[place] == expected[place], form.sample


# Fields of a tensor map: what the instruction writes, and the map that has it.
_FIELDS = {
    "rank": 0x0, "box_dim": 8, "global_dim": 8, "global_stride": 64, "element_stride": 1,
    "elemtype": 2, "interleave_layout": 0, "swizzle_mode": 0, "swizzle_atomicity": 0,
    "fill_mode": 0,
}  # fmt: skip
_SCOPES = ("cta", "cluster", "gpu", "sys")


@check
def tensor_maps(bench: Bench) -> None:
    """A map of another tensor is made one of 8 words, field by field, in each space; then a
    fence of each scope publishes it, and it loads."""
    fields = accepted("Tensor copies", "tensormap.replace")
    fences = accepted("Barriers and fences", "fence.proxy.tensormap::generic.acquire")
    scopes = [next(p for p in parts_of(form) if p in _SCOPES) for form in fences]
    for space in ("shared", "global", ""):
        for scope in scopes:
            mine = [f for f in fields if _space(f) == space]
            _change_map(bench, space, scope, mine)


def _space(form: Form) -> str:
    return next((one for one in ("global", "shared") if one in parts_of(form)), "")


def _change_map(bench: Bench, space: str, scope: str, fields: list[Form]) -> None:
    device = bench.device()
    data = np.arange(32, dtype=np.uint32) + 100
    source = device.array(data)
    arrays = {"results": device.zeros(8, np.uint32), "copy": device.zeros(128, np.uint8),
              "target": source}  # fmt: skip
    other = device.array(np.zeros(4, np.uint16))
    made = device.tensor_map(other, dtype="u16", sizes=[16], strides=[], box=[16],
                             element_strides=[1], swizzle="none")  # fmt: skip
    text = "mov.b64 %d1, map; cvta.param.u64 %d1, %d1; ld.param.u64 %d2, [copy];"
    text += "mov.u32 %r1, staged;\n"
    text += "ld.param.u64 %d3, [target]; ld.param.u64 %d100, [results]; mov.u32 %r5, %tid.x;\n"
    text += "setp.ne.u32 %p0, %r5, 0; mov.u32 %r2, barrier; mov.u32 %r3, memory;\n"
    # Each lane moves a word of the map to where it is changed.
    text += "mad.wide.u32 %d4, %r5, 4, %d1; ld.b32 %r6, [%d4];\n"
    if space == "shared":
        text += "mad.lo.u32 %r7, %r5, 4, %r1; st.shared.b32 [%r7], %r6; bar.warp.sync -1;\n"
        address = "%r1"
    else:
        text += "mad.wide.u32 %d5, %r5, 4, %d2; st.global.b32 [%d5], %r6; bar.warp.sync -1;\n"
        address = "%d2"
    for form in fields:
        name = parts_of(form)[2]
        # The stride is of a second dimension, which this map does not have.
        indexed = name in ("box_dim", "global_dim", "global_stride", "element_stride")
        value = "%d3" if name == "global_address" else str(_FIELDS[name])
        place = "0, " if indexed else ""
        text += f"@!%p0 {form.mnemonic} [{address}], {place}{value};\n"
    text += "bar.warp.sync -1;\n"
    if space == "shared":
        copy = "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release"
        text += f"{copy}.{scope}.sync.aligned [%d2], [%r1], 128;\n"
    else:
        text += f"fence.proxy.tensormap::generic.release.{scope};\n"
    text += f"fence.proxy.tensormap::generic.acquire.{scope} [%d2], 128;\n"
    text += "@!%p0 mbarrier.init.shared.b64 [%r2], 1; fence.mbarrier_init.release.cluster;"
    text += "fence.proxy.async; bar.warp.sync -1;\n"
    text += "@!%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 32;\n"
    load = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes"
    text += f"@!%p0 {load} [%r3], [%d2, {{0}}], [%r2];\n"
    text += "W: mbarrier.try_wait.parity.shared.b64 %p3, [%r2], 0; @!%p3 bra W;\n"
    text += (
        "setp.lt.u32 %p4, %r5, 8; mad.lo.u32 %r7, %r5, 4, %r3; @%p4 ld.shared.b32 %r8, [%r7];\n"
    )
    text += "mad.wide.u32 %d6, %r5, 4, %d100; @%p4 st.global.b32 [%d6], %r8;\n"
    shared = (".shared .align 128 .b8 staged[128]; .shared .align 128 .b8 memory[128];"
              ".shared .align 8 .b64 barrier;")  # fmt: skip
    bench.run(text, {**arrays, "map": made}, shared=shared, device=device)
    assert (arrays["results"].numpy() == data[:8]).all(), (space, scope)


@check
def matrix_stores(bench: Bench) -> None:
    """stmatrix by generic addresses: lane l has elements 2 (l % 4) and the next of row l / 4,
    and of transposed ones of column l / 4; and match.all."""
    forms = accepted("Matrix moves", "stmatrix")
    device = bench.device()
    results = device.zeros((len(forms), 4, 8, 8), np.uint16)
    flags = device.zeros(4, np.uint32)
    text = "ld.param.u64 %d100, [results]; ld.param.u64 %d101, [flags]; mov.u32 %r1, memory;"
    text += "mov.u32 %r2, %tid.x;\n"
    text += "cvt.u64.u32 %d1, %r1; cvta.shared.u64 %d1, %d1;\n"
    for i in range(4):
        # Elements are 1000 i + 2 lane and one more.
        text += f"mad.lo.u32 %r{10 + i}, %r2, 0x20002, {(1000 * i + 1) << 16 | 1000 * i};\n"
    text += "mad.lo.u32 %r3, %r2, 16, %r1; mad.wide.u32 %d2, %r2, 16, %d1;\n"
    text += "mad.wide.u32 %d3, %r2, 16, %d100;\n"
    for at, form in enumerate(forms):
        count = int(next(p for p in parts_of(form) if p in ("x1", "x2", "x4"))[1])
        registers = ", ".join(f"%r{10 + i}" for i in range(count))
        address = "%r3" if "shared" in parts_of(form) else "%d2"
        text += "st.shared.v2.b64 [%r3], {0, 0}; bar.warp.sync -1;\n"
        text += f"{form.mnemonic} [{address}], {{{registers}}};\nbar.warp.sync -1;\n"
        text += "ld.shared.v2.b64 {%d5, %d6}, [%r3];"
        text += f"st.global.v2.b64 [%d3+{512 * at}], {{%d5, %d6}};\n"
    text += "shr.u32 %r20, %r2, 5; cvt.u64.u32 %d20, %r20; cvt.u64.u32 %d21, %r2;"
    text += "setp.eq.u32 %p5, %r2, 3;\n"
    for at, (kind, value) in enumerate(
        (("b32", "%r20"), ("b64", "%d20"), ("b32", "%r2"), ("b64", "%d21"))
    ):
        text += f"match.all.sync.{kind} %r21, {value}, -1;"
        text += f"@%p5 st.global.b32 [%d101+{4 * at}], %r21;\n"
    shared = ".shared .align 128 .b8 memory[512];"
    bench.run(text, {"results": results, "flags": flags}, shared=shared, device=device)
    assert flags.numpy().tolist() == [0xFFFFFFFF, 0xFFFFFFFF, 0, 0]
    for form, got in zip(forms, results.numpy()):
        count = int(next(p for p in parts_of(form) if p in ("x1", "x2", "x4"))[1])
        for i in range(4):
            matrix = 1000 * i + np.arange(64).reshape(8, 8)
            matrix = matrix.T if "trans" in parts_of(form) else matrix
            assert (got[i] == (matrix if i < count else 0)).all(), form.mnemonic
