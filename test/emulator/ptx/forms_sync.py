"""Checks of mbarriers, barriers and fences: in every form that the decoder takes they make
wait and let go as the manual says, and order what the race check looks at.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re

import numpy as np
from coverage_pattern import Form
from forms_elementwise import accepted, parts_of
from forms_harness import Bench, check

# mbarriers. A scenario is code of one thread that leaves answers in %p1, %p2 and %p3.


def _address(form: Form) -> str:
    """The scenario's mbarrier by the form's state space: %r1, %r2 or %d1."""
    parts = parts_of(form)
    return "%r2" if "shared::cluster" in parts else "%r1" if "shared" in parts else "%d1"


def _answer(number: int, parity: int) -> str:
    return f"mbarrier.test_wait.parity.shared.b64 %p{number}, [%r1], {parity};\n"


def _init(count: int) -> str:
    return f"mbarrier.init.shared.b64 [%r1], {count};\n"


def _scenario(form: Form) -> tuple[str, int]:
    """The code and the answers, bit by bit."""
    parts = parts_of(form)
    name, at = form.mnemonic, _address(form)
    after = _answer(2, 0)
    if parts[0] == "init":
        return (
            f"{name} [{at}], 1;\n{_answer(1, 0)}mbarrier.arrive.shared.b64 _, [%r1];\n{after}",
            2,
        )
    if parts[0] == "inval":
        # What was an mbarrier may be one again.
        body = f"{_init(1)}{name} [{at}];\n{_init(1)}{_answer(1, 0)}"
        return f"{body}mbarrier.arrive.shared.b64 _, [%r1];\n{after}", 2
    if parts[0] in ("arrive", "arrive_drop"):
        return _arrival(form)
    if parts[0] in ("test_wait", "try_wait"):
        operand = "0" if "parity" in parts else "%d3"
        last = ", 100" if "#hint" in form.name else ""
        first = "mbarrier.arrive.shared.b64 %d3, [%r1];\n"
        wait = f"{name} %p{{}}, [{at}], {operand}{last};\n"
        over = "mbarrier.arrive.shared.b64 _, [%r1];\n"
        return _init(2) + first + wait.format(1) + over + wait.format(2), 2
    if parts[0] == "pending_count":
        body = f"{_init(3)}mbarrier.arrive.noComplete.shared.b64 %d3, [%r1], 1;\n"
        return f"{body}{name} %r3, %d3;\nsetp.eq.u32 %p1, %r3, 3;\n", 1
    other = "mbarrier.complete_tx.relaxed.cta.shared.b64 [%r1], 16;\n"
    expect = "mbarrier.expect_tx.relaxed.cta.shared.b64 [%r1], 16;\n"
    if parts[0] == "expect_tx":
        expect = f"{name} [{at}], 16;\n"
    else:
        other = f"{name} [{at}], 16;\n"
    arrive = "mbarrier.arrive.shared.b64 _, [%r1];\n"
    return _init(1) + expect + arrive + _answer(1, 0) + other + after, 2


def _arrival(form: Form) -> tuple[str, int]:
    parts = parts_of(form)
    name, at = form.mnemonic, _address(form)
    drops = parts[0] == "arrive_drop"
    last = _answer(3, 1)
    finish = "mbarrier.arrive.shared.b64 _, [%r1];\n"
    if "noComplete" in parts:
        body = f"{_init(3)}{name} %d3, [{at}], 1;\n{_answer(1, 0)}"
        # Of the next phase's three a drop leaves two.
        next_phase = finish * (2 if drops else 3)
        return body + finish * 2 + _answer(2, 0) + next_phase + last, 6
    if "expect_tx" in parts:
        body = f"{_init(2)}{name} _, [{at}], 16;\n" + finish + _answer(1, 0)
        done = "mbarrier.complete_tx.relaxed.cta.shared.b64 [%r1], 16;\n"
        return body + done + _answer(2, 0) + finish * (1 if drops else 2) + last, 6
    count = ", 2" if "#count" in form.name else ""
    arrivals = 2 if count else 1
    body = (
        f"{_init(arrivals + 1)}{name} _, [{at}]{count};\n{_answer(1, 0)}{finish}{_answer(2, 0)}"
    )
    return body + finish * (1 if drops else arrivals + 1) + last, 6


@check
def mbarriers(bench: Bench) -> None:
    """What a phase waits for, and that it waits."""
    forms = accepted("mbarrier", "mbarrier")
    scenarios = [_scenario(form) for form in forms]
    device = bench.device()
    results = device.zeros(len(forms), np.uint32)
    text = "ld.param.u64 %d100, [results]; mov.u32 %r100, barriers;\n"
    for at, (body, _) in enumerate(scenarios):
        text += (
            f"add.u32 %r1, %r100, {8 * at}; cvt.u64.u32 %d1, %r1; cvta.shared.u64 %d1, %d1;\n"
        )
        text += "mapa.shared::cluster.u32 %r2, %r1, 0;\n"
        text += "".join(f"setp.ne.u32 %p{i}, 0, 0;" for i in (1, 2, 3)) + "\n" + body
        text += "selp.u32 %r4, 1, 0, %p1; selp.u32 %r5, 2, 0, %p2; selp.u32 %r6, 4, 0, %p3;\n"
        text += "add.u32 %r4, %r4, %r5; add.u32 %r4, %r4, %r6;"
        text += f"st.global.b32 [%d100+{4 * at}], %r4;\n"
    shared = f".shared .align 8 .b64 barriers[{len(forms)}];"
    bench.run(text, {"results": results}, block=1, shared=shared, device=device)
    wrong = [
        (form.sample, got, expected)
        for form, (_, expected), got in zip(forms, scenarios, results.numpy().tolist())
        if got != expected
    ]
    assert not wrong, wrong[:10]


# Barriers of a block of two warps: each warp reads what the other one wrote.


def _exchange(form: Form) -> tuple[str, int | None]:
    """Code that stores the thread's number before a barrier and loads the other warp's after
    it to %r9; and what a reduction must give in %r8."""
    parts = parts_of(form)
    count = ", 64" if "#count" in form.name else ""
    store = "st.shared.b32 [%r2], %r100;\n"
    load = "ld.shared.b32 %r9, [%r3];\n"
    if "arrive" in parts:
        # Warp 1 tells warp 0, which has nothing to tell.
        wait = form.mnemonic.replace("arrive", "sync")
        body = f"{store}@%p0 bra A; {form.mnemonic} 0, 64; mov.b32 %r9, %r7; bra E;\n"
        return body + f"A: {wait} 0, 64;\n{load}E:\n", None
    if "red" not in parts:
        return f"{store}{form.mnemonic} 0{count};\n{load}", None
    if "popc" in parts:
        return f"{store}{form.mnemonic} %r8, 0{count}, %p1;\n{load}", 48
    result = f"{form.mnemonic} %p2, 0{count}, %p1; selp.u32 %r8, 1, 0, %p2;\n"
    return store + result + load, int("or" in parts)


@check
def barriers(bench: Bench) -> None:
    """The race check says whether a barrier orders what it should."""
    forms = accepted("Barriers and fences", "bar")
    plain = [f for f in forms if not {"warp", "cluster"}.intersection(parts_of(f))]
    device = bench.device()
    results = device.zeros((len(plain), 2, 64), np.uint32)
    text = "ld.param.u64 %d100, [results]; mov.u32 %r100, %tid.x; mov.u32 %r101, words;\n"
    text += "mad.wide.u32 %d100, %r100, 4, %d100; xor.b32 %r7, %r100, 32;\n"
    text += "setp.lt.u32 %p0, %r100, 32; and.b32 %r6, %r100, 3; setp.ne.u32 %p1, %r6, 0;\n"
    for at, form in enumerate(plain):
        body, _ = _exchange(form)
        body = re.sub(r"\b([AE])\b(?=[:;])", rf"\g<1>{at}", body)
        text += f"mad.lo.u32 %r2, %r100, 4, %r101; add.u32 %r2, %r2, {256 * at};\n"
        text += (
            f"mad.lo.u32 %r3, %r7, 4, %r101; add.u32 %r3, %r3, {256 * at}; mov.b32 %r8, 0;\n"
        )
        # On a barrier of its own all come together before the next form.
        text += body + f"bar.sync 1; st.global.b32 [%d100+{512 * at}], %r9;"
        text += f"st.global.b32 [%d100+{512 * at + 256}], %r8;\n"
    shared = f".shared .align 4 .b8 words[{256 * len(plain)}];"
    bench.run(text, {"results": results}, block=64, shared=shared, device=device)
    for form, got in zip(plain, results.numpy()):
        _, reduced = _exchange(form)
        assert (got[0] == np.arange(64) ^ 32).all(), form.sample
        assert reduced is None or (got[1] == reduced).all(), (form.sample, got[1])


@check
def cluster_barriers(bench: Bench) -> None:
    """Each of two blocks reads what the other one wrote; relaxed arrivals need fences."""
    forms = accepted("Barriers and fences", "barrier.cluster")
    arrivals = [f.mnemonic for f in forms if "arrive" in parts_of(f)]
    waits = [f.mnemonic for f in forms if "wait" in parts_of(f)]
    rounds = [(a, waits[i % len(waits)]) for i, a in enumerate(arrivals)]
    rounds += [(arrivals[0], wait) for wait in waits]
    device = bench.device()
    results = device.zeros((len(rounds), 2), np.uint32)
    text = (
        "ld.param.u64 %d100, [results]; mov.u32 %r100, %cluster_ctarank; mov.u32 %r1, words;\n"
    )
    text += "mad.wide.u32 %d100, %r100, 4, %d100; xor.b32 %r2, %r100, 1;\n"
    text += "mapa.shared::cluster.u32 %r3, %r1, %r2; setp.ne.u32 %p0, %tid.x, 0;\n"
    for at, (arrive, wait) in enumerate(rounds):
        fence = "fence.acq_rel.cluster;\n" if "relaxed" in arrive else ""
        text += (
            f"@!%p0 st.shared.b32 [%r1+{4 * at}], %r100;\n{fence}{arrive};\n{wait};\n{fence}"
        )
        text += f"@!%p0 ld.shared::cluster.b32 %r4, [%r3+{4 * at}];"
        text += f"@!%p0 st.global.b32 [%d100+{8 * at}], %r4;\n"
    text += "barrier.cluster.arrive; barrier.cluster.wait;\n"
    shared = f".shared .align 4 .b8 words[{4 * len(rounds)}];"
    bench.run(text, {"results": results}, grid=2, cluster=2, shared=shared, device=device)
    assert (results.numpy() == [1, 0]).all()


@check
def fences(bench: Bench) -> None:
    """Warp 0 writes, fences and raises a flag; warp 1 sees the flag, fences and reads."""
    forms = accepted("Barriers and fences", "fence") + accepted("Barriers and fences", "membar")
    forms = [f for f in forms if not {"proxy", "mbarrier_init"}.intersection(parts_of(f))]
    text = "ld.param.u64 %d100, [results]; mov.u32 %r100, %tid.x; mov.u32 %r1, words;\n"
    text += "setp.ge.u32 %p0, %r100, 32; and.b32 %r101, %r100, 31; setp.ne.u32 %p2, %r101, 0;\n"
    text += "@%p2 bra DONE;\n"
    for at, form in enumerate(forms):
        parts = parts_of(form)
        release = acquire = form.mnemonic
        if "acquire" in parts:
            release = "fence.acq_rel.cluster"
        elif "release" in parts:
            acquire = "fence.acq_rel.cluster"
        text += f"@%p0 bra READ{at};\n"
        text += f"st.shared.b32 [%r1+{8 * at}], {at + 1};\n{release};\n"
        text += f"st.relaxed.cta.shared.b32 [%r1+{8 * at + 4}], {at + 1}; bra NEXT{at};\n"
        text += f"READ{at}: ld.relaxed.cta.shared.b32 %r2, [%r1+{8 * at + 4}];\n"
        text += f"setp.ne.u32 %p1, %r2, {at + 1}; @%p1 bra READ{at};\n{acquire};\n"
        text += f"ld.shared.b32 %r3, [%r1+{8 * at}]; st.global.b32 [%d100+{4 * at}], %r3;\n"
        text += f"NEXT{at}:\n"
    text += "DONE:\n"
    device = bench.device()
    results = device.zeros(len(forms), np.uint32)
    # The flags start lowered.
    zero = "mov.u32 %r4, words; mad.lo.u32 %r4, %tid.x, 4, %r4;"
    zero += "".join(
        f"st.shared.b32 [%r4+{256 * i}], 0;" for i in range(-(-len(forms) * 8 // 256))
    )
    shared = f".shared .align 4 .b8 words[{-(-len(forms) * 8 // 256) * 256}];"
    bench.run(zero + "bar.sync 0;\n" + text, {"results": results}, block=64, shared=shared,
              device=device)  # fmt: skip
    assert results.numpy().tolist() == list(range(1, len(forms) + 1))
