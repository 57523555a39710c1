"""Checks of atomic operations: every operation, type, scope, order and space that the
decoder takes, one lane after the other.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
from coverage_pattern import Form, register_class
from forms_arithmetic import total
from forms_elementwise import accepted, integer, parts_of, width
from forms_exact import FORMATS, Number, decode, encode
from forms_harness import Bench, check

LANES = 32
OPERATIONS = ("add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas")


def combine(operation: str, kind: str, memory: int, value: int, compared: int = 0) -> int:
    """What an element is after an operation, by bits."""
    mask = (1 << width(kind)) - 1
    if operation == "exch":
        return value
    if operation == "cas":
        return value if memory == compared else memory
    if kind in FORMATS:
        a, b = decode(kind, memory), decode(kind, value)
        if operation == "add":
            return encode(kind, total(a, b))
        return encode(kind, (min if operation == "min" else max)(a, b, key=Number.order))
    a, b = integer(kind, memory), integer(kind, value)
    results = {
        "add": a + b, "min": min(a, b), "max": max(a, b), "inc": 0 if a >= b else a + 1,
        "dec": b if a == 0 or a > b else a - 1, "and": a & b, "or": a | b, "xor": a ^ b,
    }  # fmt: skip
    return results[operation] & mask


def _elements(form: Form) -> tuple[int, str, int]:
    """Registers of an operand, the type of an element, and elements of a register."""
    parts = parts_of(form)
    vector = next((int(one[1:]) for one in parts if one in ("v2", "v4", "v8")), 1)
    kind = parts[-1]
    if kind.endswith("x2"):
        return vector, kind[:-2], 2
    return vector, kind, 1


def value_of(rng: random.Random, kind: str) -> int:
    if kind in FORMATS:
        number = Fraction(rng.randrange(-64, 64), 8)
        return encode(kind, Number(number < 0, abs(number)))
    return rng.choice([rng.getrandbits(width(kind)), rng.randrange(6)])


def _operation(form: Form) -> str:
    return next(one for one in parts_of(form) if one in OPERATIONS)


class _Plan:
    """One form's memory, operands and results: 16 bytes of memory, which all lanes work on."""

    def __init__(self, form: Form) -> None:
        rng = random.Random(form.mnemonic)
        self.form = form
        self.registers, self.kind, self.parts = _elements(form)
        count = self.registers * self.parts
        operation = _operation(form)
        self.start = [value_of(rng, self.kind) for _ in range(count)]
        self.values = [[value_of(rng, self.kind) for _ in range(count)] for _ in range(LANES)]
        memory = list(self.start)
        self.compared, self.before = [], []
        for lane in range(LANES):
            # Half of the comparisons hold.
            compared = memory if lane % 2 == 0 else [x ^ 1 for x in memory]
            self.compared.append(list(compared))
            self.before.append(list(memory))
            memory = [
                combine(operation, self.kind, m, v, c)
                for m, v, c in zip(memory, self.values[lane], compared)
            ]
        self.after = memory

    def pack(self, elements: Iterable[int]) -> bytes:
        size = width(self.kind) // 8
        return b"".join(one.to_bytes(size, "little") for one in elements).ljust(16, b"\0")

    def unpack(self, data: bytes) -> list[int]:
        size = width(self.kind) // 8
        count = self.registers * self.parts
        return [int.from_bytes(data[i * size : (i + 1) * size], "little") for i in range(count)]


def _same(kind: str, operation: str) -> Callable[[int, int], bool]:
    """Zeros of either sign are as good from min and max."""
    if kind in FORMATS and operation != "exch":
        return lambda x, y: (
            x == y or decode(kind, x).order() == decode(kind, y).order() == (0, 0)
        )
    return int.__eq__


def _body(plan: _Plan, at: int, space: str, address: str) -> str:
    form = plan.form
    kind = parts_of(form)[-1]
    bits = width(kind)
    letter = register_class(kind)
    names = [[f"%{letter}{base + i}" for i in range(plan.registers)] for base in (0, 10, 20)]
    if letter == "q":
        names = [["%q0"], ["%q1"], ["%q2"]]
    values, compared, results = names
    text = ""
    for which, registers in ((0, values), (1, compared)):
        place = f"[%d101+{(at * 2 + which) * LANES * 16}"
        for i, register in enumerate(registers):
            text += f"ld.global.b{bits} {register}, {place}+{i * bits // 8}];"

    def group(registers: list[str]) -> str:
        return "{" + ", ".join(registers) + "}" if plan.registers > 1 else registers[0]

    operands = [group(values)]
    if _operation(form) == "cas":
        operands.insert(0, group(compared))
    result = f"{group(results)}, " if form.opcode == "atom" else ""
    text += f"{form.mnemonic} {result}[{address}], {', '.join(operands)};\n"
    if result:
        for i, register in enumerate(results):
            text += f"st.global.b{bits} [%d102+{at * LANES * 16 + i * bits // 8}], {register};"
    return text + "\n"


@check
def atomics(bench: Bench) -> None:
    forms = list(accepted("Atomic operations", "atom") + accepted("Atomic operations", "red"))
    by_space: dict[str, list[Form]] = {}
    for form in forms:
        parts = parts_of(form)
        space = next(
            (one for one in ("global", "shared", "shared::cluster") if one in parts), ""
        )
        by_space.setdefault(space, []).append(form)
    failures = []
    for space, members in by_space.items():
        for start in range(0, len(members), 128):
            failures += _run(bench, space, [_Plan(f) for f in members[start : start + 128]])
    assert not failures, "\n".join(failures[:20])


def _run(bench: Bench, space: str, plans: list[_Plan]) -> list[str]:
    device = bench.device()
    operands = b"".join(
        plan.pack(one)
        for plan in plans
        for rows in (plan.values, plan.compared)
        for one in rows
    )
    start = b"".join(plan.pack(plan.start) for plan in plans)
    arrays = {
        "memory": device.array(np.frombuffer(start, np.uint8)),
        "operands": device.array(np.frombuffer(operands, np.uint8)),
        "results": device.zeros(len(plans) * LANES * 16, np.uint8),
    }
    text = "ld.param.u64 %d100, [memory]; ld.param.u64 %d101, [operands];\n"
    text += "ld.param.u64 %d102, [results]; mov.u32 %r100, %tid.x;\n"
    text += "mad.wide.u32 %d101, %r100, 16, %d101; mad.wide.u32 %d102, %r100, 16, %d102;\n"
    text += "mov.u32 %r102, words; setp.ne.u32 %p0, %r100, 0;\n"
    shared = space.startswith("shared")
    for at in range(len(plans) if shared else 0):
        text += f"@!%p0 ld.global.v2.b64 {{%d90, %d91}}, [%d100+{16 * at}];"
        text += f"@!%p0 st.shared.v2.b64 [%r102+{16 * at}], {{%d90, %d91}};\n"
    text += "bar.warp.sync -1;\n"
    for at, plan in enumerate(plans):
        address = f"%r102+{16 * at}" if shared else f"%d100+{16 * at}"
        text += _body(plan, at, space, address)
    text += "bar.warp.sync -1;\n"
    for at in range(len(plans) if shared else 0):
        text += f"@!%p0 ld.shared.v2.b64 {{%d90, %d91}}, [%r102+{16 * at}];"
        text += f"@!%p0 st.global.v2.b64 [%d100+{16 * at}], {{%d90, %d91}};\n"
    words = f".shared .align 16 .b8 words[{16 * len(plans)}];"
    bench.run(text, arrays, block=LANES, shared=words, device=device)
    memory = arrays["memory"].numpy().tobytes()
    results = arrays["results"].numpy().tobytes()
    failures = []
    for at, plan in enumerate(plans):
        same = _same(plan.kind, _operation(plan.form))
        after = plan.unpack(memory[16 * at :])
        if not all(map(same, after, plan.after)):
            failures.append(f"{plan.form.mnemonic}: memory {after}, not {plan.after}")
        for lane in range(LANES if plan.form.opcode == "atom" else 0):
            got = plan.unpack(results[(at * LANES + lane) * 16 :])
            if not all(map(same, got, plan.before[lane])):
                failures.append(
                    f"{plan.form.mnemonic}: lane {lane} got {got}, not {plan.before[lane]}"
                )
                break
    return failures
