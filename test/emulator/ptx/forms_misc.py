"""Checks of single forms that no other file has: packed conversions, special registers,
addresses, cache control, odd barriers and branches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from coverage_matrix import shape_of
from forms_arithmetic import same_elements
from forms_elementwise import accepted, convert, operands, parts_of, register, width
from forms_exact import Number, decode, encode
from forms_harness import Bench, Item, check, elementwise

from tilewright import emulator


def _pairs() -> Iterator[Item]:
    a, b, c = operands()
    for form in accepted("Conversion", "cvt.<rn,rz>"):
        kind = parts_of(form)[-2][:-2]
        expected = [
            convert(parts_of(form), kind, "f32", x) << 16
            | convert(parts_of(form), kind, "f32", y)
            for x, y in zip(a, b)
        ]
        matches = functools.partial(same_elements, kind, (0, 16))
        yield Item(f"{form.mnemonic} %r9, %r0, %r1;", "b32 %r9", expected, matches)


def _quotients() -> Iterator[Item]:
    """Of numbers between 1/4 and 4, within 2 units of the last place; subnormal ones are 0."""
    a, b, c = operands()

    def near(kind: str, bound: float, got: int, expected: int) -> bool:
        x, y = decode(kind, got).value, decode(kind, expected).value
        return abs(x - y) <= bound * abs(y)

    def middling(bits: int) -> Fraction:
        return Fraction((bits & 0x7FFFFF) + 0x200000, 1 << 22)

    scale = (
        "and.b32 %r3, %r{0}, 0x7fffff; add.u32 %r3, %r3, 0x200000; cvt.rn.f32.u32 %r{1}, %r3;"
    )
    scale += "mul.f32 %r{1}, %r{1}, 0f34800000;"  # 2^-22
    for how in ("approx", "full"):
        numbers = [middling(x) / middling(y) for x, y in zip(a, b)]
        # Operands are rounded to f32 where they have 24 bits and one more.
        expected = [encode("f32", Number(False, one)) for one in numbers]
        text = scale.format(0, 4) + scale.format(1, 5) + f"div.{how}.ftz.f32 %r9, %r4, %r5;"
        yield Item(text, "b32 %r9", expected, functools.partial(near, "f32", 2.0**-20))
        tiny = f"mov.b32 %r4, 0x00400000; div.{how}.ftz.f32 %r9, %r4, %r4; abs.f32 %r9, %r9;"
        yield Item(
            tiny,
            "b32 %r9",
            [0x7FFFFFFF] * len(a),
            functools.partial(same_elements, "f32", (0,)),
        )
    roots = [encode("f64", Number(False, Fraction(float(middling(x)) ** -0.5))) for x in a]
    text = scale.format(0, 4) + "cvt.f64.f32 %d4, %r4; rsqrt.approx.ftz.f64 %d9, %d4;"
    yield Item(text, "b64 %d9", roots, functools.partial(near, "f64", 2.0**-20))


def _bits() -> Iterator[Item]:
    a, b, c = operands()
    for kind in ("b16", "b32", "b64"):
        size = width(kind)
        expected = [(x & (1 << size) - 1) >> min(y & 0xFF, size) for x, y in zip(a, b)]
        text = (
            f"and.b32 %r8, %r1, 0xff; shr.{kind} {register(kind, 9)}, {register(kind, 0)}, %r8;"
        )
        yield Item(text, f"{kind} {register(kind, 9)}", expected)
    for name, combine in (("and", int.__and__), ("or", int.__or__)):
        # The predicate is whether the word is not zero, combined with the given one.
        expected = [combine(int((x & y) & 0xFFFF != 0), int(z & 1)) for x, y, z in zip(a, b, c)]
        text = "and.b32 %r7, %r0, 0xffff; and.b32 %r8, %r2, 1; setp.ne.b32 %p1, %r8, 0;"
        text += f"lop3.{name}.b32 %r9|%p9, %r7, %r1, %r1, 0xc0, %p1;"
        yield Item(text, "pred %p9", expected)
    for kind in ("s16", "s64"):
        mask = (1 << width(kind)) - 1
        text = f"mov.{kind} {register(kind, 9)}, {register(kind, 0)};"
        yield Item(text, f"b{width(kind)} {register(kind, 9)}", [x & mask for x in a])


@check
def odd_arithmetic(bench: Bench) -> None:
    elementwise(bench, [*_pairs(), *_quotients(), *_bits()], operands())


@check
def special_registers(bench: Bench) -> None:
    """Those that say where a thread is, and clocks, which do not go back."""
    names = {
        "%warpid": lambda t: t // 32, "%nwarpid": lambda t: 64, "%gridid": lambda t: 1,
        "%aggr_smem_size": lambda t: 1024 + 128, "%total_smem_size": lambda t: 1024 + 128,
        "%reserved_smem_offset_begin": lambda t: 1024 + 128, "%envreg0": lambda t: 0,
        "%clock_hi": lambda t: 0,
    }  # fmt: skip
    pairs = ("%clock", "%clock64", "%globaltimer_lo", "%globaltimer_hi", "%globaltimer")
    device = bench.device()
    results = device.zeros((len(names) + len(pairs), 64), np.uint32)
    text = "ld.param.u64 %d100, [results]; mov.u32 %r100, %tid.x;"
    text += "mad.wide.u32 %d100, %r100, 4, %d100;\n"
    for at, name in enumerate(names):
        wide = name == "%gridid"
        text += (
            f"mov.u64 %d1, {name}; cvt.u32.u64 %r1, %d1;" if wide else f"mov.u32 %r1, {name};"
        )
        text += f"st.global.b32 [%d100+{256 * at}], %r1;\n"
    for at, name in enumerate(pairs):
        kind, letter = ("u64", "d") if name in ("%clock64", "%globaltimer") else ("u32", "r")
        text += f"mov.{kind} %{letter}1, {name}; mov.{kind} %{letter}2, {name};"
        text += f"setp.ge.{kind} %p1, %{letter}2, %{letter}1; selp.u32 %r3, 1, 0, %p1;"
        text += f"st.global.b32 [%d100+{256 * (len(names) + at)}], %r3;\n"
    shared = ".shared .b8 some[128];"
    bench.run(text + "mov.u32 %r5, some;", {"results": results}, block=64, shared=shared,
              device=device)  # fmt: skip
    got = results.numpy()
    for at, (name, expected) in enumerate(names.items()):
        assert got[at].tolist() == [expected(t) for t in range(64)], (name, got[at])
    # The low word of the timer may start again between the two.
    assert (got[len(names) :] == 1).mean() > 0.9


@check
def addresses(bench: Bench) -> None:
    """Addresses of each space to generic ones and back; where they lie; other blocks' words."""
    spaces = {"global": "word", "shared": "some", "local": "own", "const": "constant"}
    device = bench.device()
    results = device.zeros(32, np.uint32)
    text = "ld.param.u64 %d100, [results]; .local .b32 own; mov.u32 %r60, %cluster_ctarank;\n"
    text += "setp.ne.u32 %p0, %r60, 0; @%p0 bra DONE;\n"
    count = 0

    def same(kind: str, x: str, y: str) -> str:
        nonlocal count
        count += 1
        return (f"setp.eq.{kind} %p1, {x}, {y}; selp.u32 %r50, 1, 0, %p1;"
                f"st.global.b32 [%d100+{4 * count - 4}], %r50;\n")  # fmt: skip

    for space, name in [*spaces.items(), ("shared::cluster", "some"), ("param", "results")]:
        text += (
            f"mov.u64 %d1, {name}; cvta.{space}.u64 %d2, %d1; cvta.to.{space}.u64 %d3, %d2;\n"
        )
        text += same("u64", "%d1", "%d3")
    text += "mov.u64 %d1, results; cvta.param.u64 %d2, %d1; isspacep.param %p2, %d2;"
    text += "selp.u32 %r4, 1, 0, %p2;\n"
    text += same("u32", "%r4", "1") + "isspacep.param %p2, %d100; selp.u32 %r4, 1, 0, %p2;\n"
    text += same("u32", "%r4", "0")
    # A word of block 1 by each form of mapa, and whose it is.
    text += "mov.u32 %r1, some; cvt.u64.u32 %d1, %r1; cvta.shared.u64 %d2, %d1;\n"
    text += "mapa.shared::cluster.u64 %d3, %d1, 1; getctarank.shared::cluster.u64 %r2, %d3;\n"
    text += same("u32", "%r2", "1")
    text += "mapa.u64 %d4, %d2, 1; getctarank.u64 %r2, %d4;\n" + same("u32", "%r2", "1")
    text += "cvta.to.shared::cluster.u64 %d5, %d4;\n" + same("u64", "%d5", "%d3")
    text += "cvta.shared::cluster.u64 %d6, %d3;\n" + same("u64", "%d6", "%d4")
    text += "DONE: barrier.cluster.arrive; barrier.cluster.wait;\n"
    shared = ".shared .b32 some; .global .b32 word = 5;\n.const .b32 constant = 7;\n"
    bench.run(
        text, {"results": results}, grid=2, cluster=2, block=1, shared=shared, device=device
    )
    assert results.numpy()[:count].tolist() == [1] * count, results.numpy()[:count]


@check
def caches(bench: Bench) -> None:
    """Hints change no data; what is discarded may be written anew."""
    device = bench.device()
    data = device.array(np.arange(64, dtype=np.uint32))
    text = "ld.param.u64 %d1, [data]; .local .align 4 .b32 own; mov.u64 %d2, own;\n"
    for form in accepted("Caches", "prefetch") + accepted("Caches", "prefetchu"):
        parts = parts_of(form)
        if "tensormap" in parts:
            text += "mov.u64 %d3, data; cvta.param.u64 %d4, %d3;\n"
            text += f"{form.mnemonic} [{'%d3' if 'param' in parts else '%d4'}];\n"
            continue
        text += f"{form.mnemonic} [{'%d2' if 'local' in parts else '%d1'}];\n"
    for form in accepted("Caches", "applypriority"):
        text += f"{form.mnemonic} [%d1], 128;\n"
    for form in accepted("Caches", "createpolicy"):
        parts = parts_of(form)
        last = {"fractional": "", "range": ", [%d1], 128, 256", "cvt": ", %d80"}[parts[0]]
        text += (
            f"{form.mnemonic} %d80{last};\nld.global.L2::cache_hint.b32 %r1, [%d1+4], %d80;\n"
        )
        text += "st.global.L2::cache_hint.b32 [%d1+8], %r1, %d80; st.global.b32 [%d1+8], 2;\n"
    for form in accepted("Caches", "discard"):
        text += f"{form.mnemonic} [%d1+128], 128;\n"
        for i in range(32, 64):
            text += f"st.global.b32 [%d1+{4 * i}], {i};"
    bench.run(text, {"data": data}, block=1, device=device)
    assert (data.numpy() == np.arange(64)).all()


@check
def branches(bench: Bench) -> None:
    """brx.idx, calls that return with .uni, and stacks of both widths."""
    device = bench.device()
    results = device.zeros((3, 32), np.uint32)
    text = "ld.param.u64 %d100, [results]; mov.u32 %r1, %tid.x;"
    text += "mad.wide.u32 %d100, %r1, 4, %d100;\n"
    text += "rem.u32 %r2, %r1, 3; T: .branchtargets A, B, C;\nbrx.idx %r2, T;\n"
    for label, value in zip("ABC", (10, 20, 30)):
        text += f"{label}: mov.b32 %r3, {value}; bra JOIN;\n"
    text += "JOIN: st.global.b32 [%d100], %r3; mov.b32 %r2, 1; U: .branchtargets A2, B2;\n"
    text += "brx.idx.uni %r2, U;\nA2: mov.b32 %r3, 1; bra LAST;\nB2: mov.b32 %r3, 2;\n"
    text += "LAST: st.global.b32 [%d100+128], %r3;\n"
    text += "stacksave.u32 %r10; alloca.u32 %r11, 16, 16; st.local.b32 [%r11], %r1;\n"
    text += "ld.local.b32 %r12, [%r11]; call same; stackrestore.u32 %r10;\n"
    text += "st.global.b32 [%d100+256], %r12;\n"
    bench.run(text, {"results": results}, shared=".func same() { ret.uni; }\n", device=device)
    got = results.numpy()
    assert got[0].tolist() == [10 * (t % 3 + 1) for t in range(32)]
    assert (got[1] == 2).all()
    assert got[2].tolist() == list(range(32))
    for stop in ("trap", "brkpt"):
        with pytest.raises(emulator.EmulatorFault) as fault:
            bench.run(f"{stop};", {}, block=1)
        assert [one.rule for one in fault.value.faults] == ["trap"]
        bench.statements.add(stop)


@check
def double_products(bench: Bench) -> None:
    """mma of f64: elements of a lane as the manual's figures have them."""
    rng = np.random.default_rng(5)
    lane = np.arange(32)
    for form in accepted("mma", "mma.sync.aligned.{m8n8k4"):
        m, n, k = shape_of(["mma", *parts_of(form)])
        a, b, c = (rng.integers(-8, 9, size) / 8.0 for size in ((m, k), (k, n), (m, n)))
        rows = m // 8
        left = [
            a[lane // 4 + 8 * (i % rows), lane % 4 + 4 * (i // rows)]
            for i in range(m * k // 32)
        ]
        right = [b[lane % 4 + 4 * i, lane // 4] for i in range(k * n // 32)]
        place = [(lane // 4 + 8 * (i // 2), 2 * (lane % 4) + i % 2) for i in range(m * n // 32)]
        device = bench.device()
        source = device.array(np.array([*left, *right, *(c[at] for at in place)]))
        results = device.zeros((len(place), 32), np.float64)
        text = "ld.param.u64 %d100, [source]; ld.param.u64 %d101, [results];"
        text += "mov.u32 %r1, %tid.x;\n"
        text += "mad.wide.u32 %d100, %r1, 8, %d100; mad.wide.u32 %d101, %r1, 8, %d101;\n"
        firsts = itertools.chain(
            range(20, 20 + len(left)), range(40, 40 + len(right)), range(60, 60 + len(place))
        )
        for i, number in enumerate(firsts):
            text += f"ld.global.b64 %d{number}, [%d100+{256 * i}];"
        text += f"{form.sample}\n"
        for i in range(len(place)):
            text += f"st.global.b64 [%d101+{256 * i}], %d{i};"
        bench.run(text, {"source": source, "results": results}, device=device)
        product = c + a @ b
        for at, got in zip(place, results.numpy()):
            assert (got == product[at]).all(), form.mnemonic
