"""Checks of loads and stores: every space, vector, type, order and cache hint that the
decoder takes, byte by byte.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
from coverage_pattern import Form, register_class
from forms_elementwise import accepted, integer, parts_of, width
from forms_harness import Bench, check

# Bytes that a thread has of each memory.
SLOT = 32
THREADS = 32
BYTES = bytes(random.Random(7).randrange(256) for _ in range(SLOT * THREADS))

_START = f"""ld.param.u64 %d100, [results]; mov.u32 %r100, %tid.x;
mul.lo.u32 %r101, %r100, {SLOT}; mad.wide.u32 %d100, %r100, 64, %d100;
"""
# How %d101 (or, for shared memory, %r102) becomes the address of the thread's slot.
_FROM_GLOBAL = f"ld.param.u64 %d101, [data]; mad.wide.u32 %d101, %r100, {SLOT}, %d101;\n"
_SHARED = "mov.u32 %r102, memory; add.u32 %r102, %r102, %r101; cvt.u64.u32 %d102, %r102;\n"
_LOCAL = f".local .align 16 .b8 own[{SLOT}]; mov.u32 %r102, own;\n"


def _copy(to: str, source: str) -> str:
    """Copies the slot, by words."""
    return "".join(f"ld.{source}+{i}]; st.{to}+{i}], %r99;\n" for i in range(0, SLOT, 4))


def _space(form: Form) -> str:
    spaces = ("global", "shared::cluster", "shared", "local", "param", "const")
    return next((one for one in spaces if one in parts_of(form)), "")


def _elements(form: Form) -> tuple[int, str]:
    """How many registers, and the type of each."""
    parts = parts_of(form)
    count = next((int(one[1:]) for one in parts if re.fullmatch(r"v\d", one)), 1)
    return count, parts[-1]


def _registers(count: int, kind: str, first: int) -> list[str]:
    return [f"%{register_class(kind)}{first + i}" for i in range(count)]


def _vector(registers: list[str], form: Form) -> str:
    is_vector = any(re.fullmatch(r"v\d", one) for one in parts_of(form))
    return "{" + ", ".join(registers) + "}" if is_vector else registers[0]


def _show(registers: list[str], at: int) -> str:
    """Stores registers to the results, eight bytes for each."""
    lines = ""
    for i, register in enumerate(registers):
        place = f"[%d100+{at + 8 * i}]"
        if register[1] == "q":
            lines += f"mov.b128 {{%d90, %d91}}, {register};"
            lines += f"st.global.v2.b64 {place}, {{%d90, %d91}};\n"
        else:
            bits = {"h": 16, "r": 32, "d": 64}[register[1]]
            lines += f"st.global.b{bits} {place}, {register};\n"
    return lines


def _loaded(form: Form, data: bytes) -> list[int]:
    """What registers hold after a load of `data`: 64 bits of each, two of one of 128."""
    count, kind = _elements(form)
    size = width(kind) // 8
    found = []
    for i in range(count):
        value = int.from_bytes(data[i * size : (i + 1) * size], "little")
        if size == 16:
            found += [value & (1 << 64) - 1, value >> 64]
        else:
            found.append(integer(kind, value) & ((1 << max(width(kind), 16)) - 1))
    return found


_GLOBALS = (
    f".shared .align 16 .b8 memory[{SLOT * THREADS}];\n"
    f".const .align 16 .b8 constant[{SLOT}] = {{{', '.join(str(b) for b in BYTES[:SLOT])}}};\n"
)


def _run(bench: Bench, forms: list[Form], body: Callable[[Form, int], str], start: str,
         args: dict) -> np.ndarray:  # fmt: skip
    """The results of one kernel with `body` of each form: 8 words of each thread."""
    device = bench.device()
    results = device.zeros((len(forms), THREADS, 8), np.uint64)
    data = device.array(np.frombuffer(BYTES, np.uint8))
    text = _START + start
    for at, form in enumerate(forms):
        text += body(form, at * THREADS * 64)
    given = {"results": results, "data": data, **args}
    bench.run(text, given, block=THREADS, shared=_GLOBALS, device=device)
    return results.numpy()


def _compare(
    forms: list[Form], got: np.ndarray, expected: Callable[[Form, int], list[int]]
) -> None:
    failures = []
    for form, found in zip(forms, got):
        for thread in range(THREADS):
            wanted = expected(form, thread)
            if found[thread, : len(wanted)].tolist() != wanted:
                failures.append(
                    f"{form.sample} in thread {thread}: {found[thread]} not {wanted}"
                )
                break
    assert not failures, "\n".join(failures[:20])


def _slot(space: str, thread: int) -> bytes:
    if space in ("param", "const"):
        return BYTES[:SLOT]
    return BYTES[thread * SLOT : (thread + 1) * SLOT]


_ADDRESS = {"global": "%d101", "": "%d101", "shared": "%r102", "shared::cluster": "%r102",
            "local": "%r102", "const": "constant", "param": "values"}  # fmt: skip


@check
def loads(bench: Bench) -> None:
    every = accepted("Loads and stores", "ld")
    by_space: dict[str, list[Form]] = {}
    for form in every:
        by_space.setdefault(_space(form), []).append(form)
    for space, forms in by_space.items():
        start = _FROM_GLOBAL
        if space.startswith("shared"):
            start += _SHARED + _copy("shared.b32 [%r102", "global.b32 %r99, [%d101")
        elif space == "local":
            start += _LOCAL + _copy("local.b32 [%r102", "global.b32 %r99, [%d101")

        def body(form: Form, at: int, space: str = space) -> str:
            count, kind = _elements(form)
            registers = _registers(count, kind, 0)
            mnemonic = form.mnemonic
            policy = ", %d80" if "L2::cache_hint" in mnemonic else ""
            made = "createpolicy.fractional.L2::evict_first.b64 %d80;" if policy else ""
            load = (
                f"{made}{mnemonic} {_vector(registers, form)}, [{_ADDRESS[space]}]{policy};\n"
            )
            return load + _show(registers, at)

        got = _run(bench, forms, body, start, {"values": BYTES[:SLOT]})
        _compare(forms, got, lambda form, thread, s=space: _loaded(form, _slot(s, thread)))


@check
def stores(bench: Bench) -> None:
    every = [
        f for f in accepted("Loads and stores", "st")
        if _space(f) != "param" and not f.mnemonic.startswith("st.async")
    ]  # fmt: skip
    by_space: dict[str, list[Form]] = {}
    for form in every:
        by_space.setdefault(_space(form), []).append(form)
    for space, forms in by_space.items():
        # Registers that hold the thread's bytes, of each width.
        start = _FROM_GLOBAL
        for i in range(4):
            start += f"ld.global.b64 %d{i}, [%d101+{8 * i}];"
        for i in range(8):
            start += (
                f"ld.global.b32 %r{i}, [%d101+{4 * i}]; ld.global.b16 %h{i}, [%d101+{2 * i}];"
            )
        start += "mov.b128 %q0, {%d0, %d1};\n"
        start += _SHARED if space.startswith("shared") else _LOCAL if space == "local" else ""

        def body(form: Form, at: int, space: str = space) -> str:
            count, kind = _elements(form)
            mnemonic = form.mnemonic
            policy = ", %d80" if "L2::cache_hint" in mnemonic else ""
            made = "createpolicy.fractional.L2::evict_first.b64 %d80;" if policy else ""
            registers = _vector(_registers(count, kind, 0), form)
            if space in ("global", ""):
                return f"{made}{mnemonic} [%d100+{at}], {registers}{policy};\n"
            read = {"local": "local"}.get(space, "shared")
            back = _copy(f"global.b32 [%d100+{at}", f"{read}.b32 %r99, [%r102")
            clear = "".join(f"st.{read}.b32 [%r102+{i}], 0;" for i in range(0, SLOT, 4))
            return f"{clear}{mnemonic} [%r102], {registers};\n{back}"

        got = _run(bench, forms, body, start, {})

        def expected(form: Form, thread: int) -> list[int]:
            count, kind = _elements(form)
            size = width(kind) // 8
            # Elements of a byte are the low bytes of 16-bit registers.
            step = max(size, 2)
            slot = _slot("global", thread)
            data = b"".join(slot[i * step : i * step + size] for i in range(count))
            data += bytes(-len(data) % 8)
            return np.frombuffer(data, np.uint64).tolist()

        _compare(forms, got, expected)


@check
def parameters_of_calls(bench: Bench) -> None:
    """st.param of every type, and what the callee loads of it."""
    forms = list(accepted("Loads and stores", "st.param"))
    device = bench.device()
    results = device.zeros((len(forms), 2), np.uint64)
    callee = (
        ".func (.param .align 16 .b8 back[16]) same(.param .align 16 .b8 given[16])\n{\n"
        ".reg .b64 %d<2>;\nld.param.v2.b64 {%d0, %d1}, [given];\n"
        "st.param.v2.b64 [back], {%d0, %d1};\nret;\n}\n"
    )
    text = "ld.param.u64 %d100, [results]; mov.b64 %d0, 0x8877665544332211;"
    text += "cvt.u32.u64 %r0, %d0; cvt.u16.u64 %h0, %d0; mov.b128 %q0, {%d0, %d0};\n"
    for at, form in enumerate(forms):
        kind = parts_of(form)[-1]
        text += "{ .param .align 16 .b8 x[16]; .param .align 16 .b8 y[16];\n"
        text += "st.param.v2.b64 [x], {0, 0};\n"
        text += f"st.param.{kind} [x], %{register_class(kind)}0;\ncall (y), same, (x);\n"
        text += "ld.param.v2.b64 {%d1, %d2}, [y];"
        text += f"st.global.v2.b64 [%d100+{16 * at}], {{%d1, %d2}}; }}\n"
    bench.run(text, {"results": results}, block=1, shared=callee, device=device)
    for form, got in zip(forms, results.numpy().tolist()):
        bits = width(parts_of(form)[-1])
        value = 0x88776655443322118877665544332211 & ((1 << bits) - 1)
        assert got == [value & (1 << 64) - 1, value >> 64], form.sample
