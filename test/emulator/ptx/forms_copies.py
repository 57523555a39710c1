"""Checks of bulk and tensor copies, asynchronous stores and reductions, prefetches and cache
control: every form that the decoder takes, in a cluster of one block.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import random
import re

import numpy as np
from coverage_pattern import Form, register_class
from forms_atomics import combine, value_of
from forms_elementwise import accepted, parts_of, width
from forms_exact import FORMATS, Number, decode
from forms_harness import Bench, check

SIZE = 256
BYTES = np.frombuffer(random.Random(11).randbytes(SIZE), np.uint8)

# %d100 the results, %d101 the data, %r1 shared memory, %r2 an mbarrier there, %r3 and %r4 the
# same two as shared::cluster addresses, %d80 a cache policy; one thread.
_START = """ld.param.u64 %d100, [results]; ld.param.u64 %d101, [data];
mov.u32 %r1, memory; mov.u32 %r2, barrier; mov.u32 %r20, 0;
mapa.shared::cluster.u32 %r3, %r1, 0; mapa.shared::cluster.u32 %r4, %r2, 0;
createpolicy.fractional.L2::evict_first.b64 %d80; mov.b16 %h1, 1;
mbarrier.init.shared.b64 [%r2], 1; fence.mbarrier_init.release.cluster; fence.proxy.async;
"""
_SHARED = ".shared .align 128 .b8 memory[1024]; .shared .align 8 .b64 barrier;"


class Kernel:
    """Code that forms add to; each has so many bytes of the results."""

    def __init__(self) -> None:
        self.text = _START
        self.phase = 0

    def expect(self, count: int) -> None:
        self.text += f"mbarrier.arrive.expect_tx.shared.b64 _, [%r2], {count};\n"

    def wait(self) -> None:
        label = f"WAIT{self.phase}"
        self.text += (
            f"{label}: mbarrier.try_wait.parity.shared.b64 %p1, [%r2], {self.phase % 2};"
        )
        self.text += f"@!%p1 bra {label};\n"
        self.phase += 1

    def fill(self, offset: int, data: bytes) -> None:
        """Words of constants to shared memory, for asynchronous instructions to read."""
        for i in range(0, len(data), 4):
            word = int.from_bytes(data[i : i + 4], "little")
            self.text += f"st.shared.b32 [%r1+{offset + i}], {word};"
        self.text += "fence.proxy.async;\n"

    def show(self, at: int, count: int, offset: int = 0) -> None:
        for i in range(0, count, 4):
            self.text += (
                f"ld.shared.b32 %r9, [%r1+{offset + i}]; st.global.b32 [%d100+{at + i}], %r9;\n"
            )

    def done(self) -> None:
        self.text += "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;\n"

    def run(self, bench: Bench, results: np.ndarray, **more: object) -> bytes:
        device = bench.device()
        arrays = {"results": device.array(results), "data": device.array(BYTES)}
        given = {name: make(device) for name, make in more.items()}  # type: ignore[operator]
        bench.run(self.text, {**arrays, **given}, block=1, shared=_SHARED, device=device,
                  words=64)  # fmt: skip
        return arrays["results"].numpy().tobytes()


def _bytes(form: Form) -> bool:
    return "mbarrier::complete_tx::bytes" in parts_of(form)


@check
def bulk_copies(bench: Bench) -> None:
    forms = [f for f in accepted("Bulk copies", "cp.async.bulk") if "_group" not in f.row
             or "bulk_group" in f.row]  # fmt: skip
    kernel = Kernel()
    expected = b""
    for number, form in enumerate(forms):
        parts = parts_of(form)
        at, start = number * 64, number * 16 % 192
        policy = ", %d80" if "L2::cache_hint" in parts else ""
        mask = ", %h1" if "multicast::cluster" in parts else ""
        source = BYTES[start : start + 64].tobytes()
        if "prefetch" in parts:
            kernel.text += f"{form.mnemonic} [%d101], 64{policy};\n"
            expected += bytes(64)
            continue
        expected += source
        if parts[2:4] == ["global", "shared"] or "bulk_group" in parts:
            kernel.fill(512, source)
            mnemonic = form.mnemonic.replace(".shared.", ".shared::cta.")
            kernel.text += f"{mnemonic} [%d100+{at}], [%r1+512], 64{policy};\n"
            kernel.done()
            continue
        to, barrier = ("[%r3]", "[%r4]") if "shared::cluster" in parts else ("[%r1]", "[%r2]")
        read = f"[%d101+{start}]"
        if "global" not in parts:
            kernel.fill(512, source)
            read = "[%r1+512]"
        kernel.expect(64)
        kernel.text += f"{form.mnemonic} {to}, {read}, 64, {barrier}{mask}{policy};\n"
        kernel.wait()
        kernel.show(at, 64)
    kernel.text += "cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;\n"
    got = kernel.run(bench, np.zeros(64 * len(forms), np.uint8))
    for number, form in enumerate(forms):
        place = slice(64 * number, 64 * number + 64)
        assert got[place] == expected[place], form.mnemonic


def _reduction(parts: list[str]) -> tuple[str, str]:
    operations = ("add", "min", "max", "inc", "dec", "and", "or", "xor")
    kind = next((one for one in parts if re.fullmatch(r"(b?f|[usb])\d+", one)), "u32")
    return next(one for one in parts if one in operations), kind


def _same(kind: str, x: int, y: int) -> bool:
    if x == y or kind not in FORMATS:
        return x == y
    return decode(kind, x).order() == decode(kind, y).order() == Number(False, 0).order()


@check
def bulk_reductions(bench: Bench) -> None:
    """cp.reduce.async.bulk to global memory and to a block's, and red.async."""
    forms = accepted("Bulk copies", "cp.reduce") + accepted("Bulk copies", "red.async")
    kernel, rng = Kernel(), random.Random(3)
    before, wanted = b"", []
    for number, form in enumerate(forms):
        parts = parts_of(form)
        operation, kind = _reduction(parts)
        size, at = width(kind) // 8, 16 * number
        memory = [value_of(rng, kind) for _ in range(16 // size)]
        values = [value_of(rng, kind) for _ in range(16 // size)]
        old = b"".join(one.to_bytes(size, "little") for one in memory)
        new = b"".join(one.to_bytes(size, "little") for one in values)
        to_global = "bulk_group" in parts
        if form.opcode == "red":
            values = values[:1]
        wanted.append([combine(operation, kind, m, v) for m, v in zip(memory, values)]
                      + memory[len(values) :])  # fmt: skip
        before += old if to_global else bytes(16)
        if to_global:
            kernel.fill(512, new)
            policy = ", %d80" if "L2::cache_hint" in parts else ""
            kernel.text += f"{form.mnemonic} [%d100+{at}], [%r1+512], 16{policy};\n"
            kernel.done()
            continue
        kernel.fill(0, old)
        if form.opcode == "red":
            letter = register_class(kind)
            kernel.expect(size)
            address = ("%r3", "%r4") if "shared::cluster" in parts else ("%d3", "%d4")
            kernel.text += "cvt.u64.u32 %d3, %r1; cvta.shared.u64 %d3, %d3;"
            kernel.text += "cvt.u64.u32 %d4, %r2; cvta.shared.u64 %d4, %d4;"
            kernel.text += f"mov.b{8 * size} %{letter}10, {values[0]};"
            kernel.text += f"{form.mnemonic} [{address[0]}], %{letter}10, [{address[1]}];\n"
        else:
            kernel.fill(512, new)
            kernel.expect(16)
            kernel.text += f"{form.mnemonic} [%r3], [%r1+512], 16, [%r4];\n"
        kernel.wait()
        kernel.show(at, 16)
    got = kernel.run(bench, np.frombuffer(before, np.uint8).copy())
    for number, form in enumerate(forms):
        _, kind = _reduction(parts_of(form))
        size = width(kind) // 8
        data = got[16 * number : 16 * number + 16]
        found = [int.from_bytes(data[i : i + size], "little") for i in range(0, 16, size)]
        assert all(_same(kind, x, y) for x, y in zip(found, wanted[number])), (
            form.mnemonic, found, wanted[number],
        )  # fmt: skip


@check
def asynchronous_stores(bench: Bench) -> None:
    forms = accepted("Bulk copies", "st.async")
    kernel = Kernel()
    kernel.text += "cvt.u64.u32 %d3, %r1; cvta.shared.u64 %d3, %d3;"
    kernel.text += "cvt.u64.u32 %d4, %r2; cvta.shared.u64 %d4, %d4;\n"
    for i in range(4):
        word = int.from_bytes(BYTES[4 * i : 4 * i + 4].tobytes(), "little")
        kernel.text += f"mov.b32 %r{10 + i}, {word};"
        double = int.from_bytes(BYTES[8 * i : 8 * i + 8].tobytes(), "little")
        kernel.text += f"mov.b64 %d{10 + i}, {double};\n"
    for number, form in enumerate(forms):
        parts = parts_of(form)
        count = next((int(one[1]) for one in parts if one in ("v2", "v4")), 1)
        kind = parts[-1]
        letter = register_class(kind)
        registers = ", ".join(f"%{letter}{10 + i}" for i in range(count))
        value = f"{{{registers}}}" if count > 1 else registers
        address = ("%r3", "%r4") if "shared::cluster" in parts else ("%d3", "%d4")
        kernel.fill(0, bytes(16))
        kernel.expect(count * width(kind) // 8)
        kernel.text += f"{form.mnemonic} [{address[0]}], {value}, [{address[1]}];\n"
        kernel.wait()
        kernel.show(16 * number, 16)
    got = kernel.run(bench, np.zeros(16 * len(forms), np.uint8))
    for number, form in enumerate(forms):
        parts = parts_of(form)
        count = next((int(one[1]) for one in parts if one in ("v2", "v4")), 1)
        size = count * width(parts[-1]) // 8
        expected = BYTES[:size].tobytes().ljust(16, b"\0")
        assert got[16 * number : 16 * number + 16] == expected, form.mnemonic


@check
def tensor_copies(bench: Bench) -> None:
    """Of a tensor of 4 in each dimension a box of 4 by 2 by 1, ... at 0, 1, 1, ...; of u32."""
    names = ("cp.async.bulk.tensor", "cp.async.bulk.prefetch", "cp.reduce.async.bulk.tensor")
    # Copies of pixels are TensorCopyTest's.
    forms = [
        form
        for name in names
        for form in accepted("Tensor copies", name)
        if ".im2col" not in form.row
    ]
    for form in forms:
        _copy_tensor(bench, form)


def _copy_tensor(bench: Bench, form: Form) -> None:
    parts = parts_of(form)
    rank = int(next(one for one in parts if re.fullmatch(r"\dd", one))[0])
    box = (4, 2, 1, 1, 1)[:rank]
    start = (0, 1, 2, 1, 2)[:rank]
    tensor = np.arange(4**rank, dtype=np.uint32).reshape((4,) * rank) * 3 + 1
    place = tuple(slice(s, s + b) for s, b in zip(start[::-1], box[::-1]))
    count = int(np.prod(box))
    values = (np.arange(count, dtype=np.uint32) * 5 + 2).reshape(box[::-1])
    kernel = Kernel()
    coordinates = ", ".join(str(one) for one in start)
    at = f"[map, {{{coordinates}}}]"
    policy = ", %d80" if "L2::cache_hint" in parts else ""
    expected = tensor.copy()
    shown = np.zeros(16, np.uint32)
    if "prefetch" in parts:
        kernel.text += f"{form.mnemonic} {at}{policy};\n"
    elif "bulk_group" in parts:
        kernel.fill(0, values.tobytes())
        kernel.text += f"{form.mnemonic} {at}, [%r1]{policy};\n"
        kernel.done()
        if form.mnemonic.startswith("cp.reduce"):
            operation, _ = _reduction(parts)
            pairs = zip(tensor[place].reshape(-1).tolist(), values.reshape(-1).tolist())
            combined = [combine(operation, "u32", m, v) for m, v in pairs]
            expected[place] = np.array(combined, np.uint32).reshape(box[::-1])
        else:
            expected[place] = values
    else:
        to, barrier = ("[%r3]", "[%r4]") if "shared::cluster" in parts else ("[%r1]", "[%r2]")
        mask = ", %h1" if "multicast::cluster" in parts else ""
        kernel.expect(4 * count)
        kernel.text += f"{form.mnemonic} {to}, {at}, {barrier}{mask}{policy};\n"
        kernel.wait()
        kernel.show(0, 4 * count)
        shown[:count] = tensor[place].reshape(-1)
    device = bench.device()
    arrays = {"results": device.zeros(16, np.uint32), "data": device.array(BYTES)}
    data = device.array(tensor)
    strides = [4 * 4**i for i in range(1, rank)]
    made = device.tensor_map(data, dtype="u32", sizes=[4] * rank, strides=strides, box=box,
                             element_strides=[1] * rank)  # fmt: skip
    # The map's address is generic, of a parameter.
    kernel.text = kernel.text.replace("[map,", "[%d70,")
    kernel.text = "mov.b64 %d70, map; cvta.param.u64 %d70, %d70;\n" + kernel.text
    bench.run(kernel.text, {**arrays, "map": made}, block=1, shared=_SHARED, device=device)
    assert (data.numpy() == expected).all(), form.mnemonic
    assert (arrays["results"].numpy() == shown).all(), form.mnemonic
