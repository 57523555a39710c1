"""Writes docs/emulator-coverage.md: what shows that each form of each instruction is right.

    python coverage.py [--check]

Forms are those of coverage_forms.py that the emulator accepts. Evidence is what was executed,
by the emulator's own statistics: in a run of the corpus whose results are right (`foreign`),
or in a launch of a GoogleTest that passes and whose launch breaks no rule (`own`).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import collections
import functools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import case as corpus
import cases
import coverage_forms
import coverage_table
import forms_harness
from case import Case, TensorMap
from coverage_pattern import Form

from tilewright import emulator

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "emulator-coverage.md"
UNIT = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build") / "bin" / "unit"
TABLE = ROOT / "emulators" / "ptx" / "DecodeModule.cpp"
# Opcodes of which operands tell forms apart.
SHAPES = frozenset(
    (
        "mov",
        "setp",
        "shfl",
        "match",
        "elect",
        "bar",
        "barrier",
        "mbarrier",
        "cp",
        "wgmma",
        "call",
    )
)

_MODULE = """.version 9.0
.target sm_90a
.address_size 64
.global .align 8 .b8 variable[8];
.const .align 16 .b8 constant[64];
.func callee() { ret; }
.visible .entry k(.param .align 16 .b8 a[64])
{
.reg .pred %p<10>; .reg .b16 %h<10>; .reg .b32 %r<300>; .reg .b64 %d<100>; .reg .b128 %q<10>;
SAMPLE
ret;
}
"""


@dataclass
class Evidence:
    """The programs and tests that executed instructions of a form."""

    form: Form
    foreign: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)


@functools.cache
def accepted() -> list[Form]:
    """The forms that the emulator accepts, each once."""
    device = emulator.Device("sm_90a")
    found: dict[tuple, Form] = {}
    for pattern in coverage_forms.all_patterns():
        for form in pattern.forms():
            place = (form.opcode, form.key, pattern.open)
            if place in found:
                continue
            if pattern.beyond or pattern.known or accepts(device, form):
                found[place] = form
    return list(found.values())


def accepts(device: emulator.Device, form: Form) -> bool:
    """Whether the emulator decodes an instruction of the form."""
    try:
        device.load(_MODULE.replace("SAMPLE", form.sample))
    except emulator.PtxError:
        return False
    return True


def decoder_opcodes() -> set[str]:
    """The opcodes of the decoder's table."""
    text = TABLE.read_text()
    table = text[
        text.index("const Row rows[]") : text.index(
            "std::unordered_map<std::string_view, FamilyDecoder> map"
        )
    ]
    return set(re.findall(r'"(\w+)"', table))


def without_form(opcodes: set[str]) -> set[str]:
    """Those of `opcodes` that no form has. Every form of multimem is refused."""
    return opcodes - {form.opcode for form in accepted()} - {"multimem"}


# What was executed.


def modifiers(statement: str) -> tuple[str, list[str]]:
    """The opcode of an instruction, and its modifiers with what its operands add."""
    text = re.sub(r"^\s*@!?\s*[%\w$]+\s+", "", statement).strip().rstrip(";").strip()
    mnemonic, _, operands = text.partition(" ") if " " in text else text.partition("\t")
    opcode, *parts = re.split(r"\.", mnemonic.split()[0])
    parts = [_SAME.get(part, part) for part in parts]
    return opcode, parts + list(_shape(opcode, parts, operands.strip()))


_SAME = {"shared::cta": "shared", "param::entry": "param", "param::func": "param"}


def _shape(opcode: str, parts: list[str], operands: str) -> Iterator[str]:
    """Pseudo-modifiers for what tells forms of one mnemonic apart."""
    items = _split(operands)
    if opcode == "mov" and len(items) == 2:
        to, source = items
        if to.startswith("{"):
            yield f"#unpack{len(_split(to[1:-1]))}"
        elif source.startswith("{"):
            yield f"#pack{len(_split(source[1:-1]))}"
        elif source in _SPECIAL or source.startswith("%envreg"):
            yield source
        elif re.match(r"[A-Za-z_$]", source) and source != "WARP_SZ":
            yield "#address"
    elif opcode in ("setp", "shfl", "match", "elect") and items and "|" in items[0]:
        yield "#pair"
    elif opcode in ("bar", "barrier") and not {"warp", "cluster"}.intersection(parts):
        if len(items) > ("red" in parts) * 2 + 1:
            yield "#count"
    elif opcode == "mbarrier":
        start = 0 if items[0].startswith("[") else 1
        if {"arrive", "arrive_drop"}.intersection(parts) and len(items) > start + 1:
            yield "#count"
        if "try_wait" in parts and len(items) == 4:
            yield "#hint"
    elif opcode == "cp" and {"ca", "cg"}.intersection(parts):
        yield f"#{int(items[2], 0)}"
        if len(items) > 3 + ("L2::cache_hint" in parts):
            yield "#ignore" if re.match(r"!?%?p", items[3]) else "#bytes"
    elif opcode == "wgmma" and "mma_async" in parts:
        yield "#a-registers" if items[1].startswith("{") else "#a-descriptor"
    elif opcode == "call" and re.search(r"%\w+\s*,", operands) and items[0][:1] != "_":
        if any(item.startswith("%") for item in items):
            yield "#indirect"


_SPECIAL = frozenset(coverage_forms.SPECIAL.split(",")) | {"%is_explicit_cluster"}


def _split(operands: str) -> list[str]:
    """Operands, which commas outside brackets separate."""
    items, depth, start = [], 0, 0
    for at, c in enumerate(operands):
        depth += (c in "[{(") - (c in "]})")
        if c == "," and depth == 0:
            items.append(operands[start:at].strip())
            start = at + 1
    rest = operands[start:].strip()
    return [*items, rest] if rest else items


def foreign() -> dict[str, set[str]]:
    """The statements that programs of the corpus execute, each with the programs."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for case, arch in cases.PAIRS:
        # One thread: whether a block that waits backs off must not depend on the host.
        seen = Statements(emulator.Device(arch, statistics=True, threads=1))
        if case.error:
            # Of a program that stops itself, the statement that does.
            texts = {_last(case, arch, seen)}
        else:
            assert not corpus.mismatches(case, corpus.run(case, arch, seen)), case.name
            texts = seen.texts
        for text in texts | set(_maps(case, arch)):
            found[text].add(case.program)
    return found


def _maps(case: Case, arch: str) -> Iterator[str]:
    """The tensor maps that a case makes, as statements of their own."""
    for launch in case.launches(arch):
        for given in launch.args:
            if isinstance(given, TensorMap):
                kind = forms_harness.map_type(given.dtype)
                yield forms_harness.map_text(len(given.sizes), given.swizzle, kind, given.fill)


def _last(case: Case, arch: str, device: Statements) -> str:
    """The statement that a program stops itself by."""
    try:
        corpus.run(case, arch, device)
    except emulator.EmulatorFault as fault:
        return fault.faults[0].instruction
    raise AssertionError(f"{case.name} does not stop")


class Statements:
    """A device, or a module of one, that collects the statements which launches execute."""

    def __init__(self, device: object, inner: object = None, texts: set[str] | None = None):
        self.device, self.inner = device, device if inner is None else inner
        self.texts: set[str] = set() if texts is None else texts

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def load(self, text: str) -> Statements:
        return Statements(self.device, self.device.load(text), self.texts)

    def launch(self, *args: object, **named: object) -> None:
        self.inner.launch(*args, **named)
        report = self.device.report
        self.texts |= {" ".join(line["text"].split()) for line in report["lines"]}
        # Of several statements on a line the report names the first alone.
        names = {one["name"] for one in report["opcodes"]}
        self.texts |= {name for name in names if name.split(".")[0] not in SHAPES}


def own(vendor: str = "ptx") -> dict[str, set[str]]:
    """The statements that GoogleTests of an emulator execute, each with the tests."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    programs = sorted(UNIT.glob(f"emulator_{vendor}_*"))
    if not programs:
        raise SystemExit(f"{UNIT} has no emulator_{vendor}_*: `make build` builds them")
    with tempfile.TemporaryDirectory() as folder:
        for program in programs:
            lines = Path(folder) / program.name
            variable = f"TILEWRIGHT_{vendor.upper()}_EVIDENCE"
            environment = {**os.environ, variable: str(lines)}
            done = subprocess.run(
                [program, "--gtest_brief=1"], env=environment, capture_output=True
            )
            if done.returncode:
                raise SystemExit(f"{program.name} fails:\n{done.stdout.decode()[-2000:]}")
            for line in lines.read_text().splitlines() if lines.exists() else ():
                test, text = line.split("\t", 1)
                found[text].add(test)
    return found


# Evidence of forms.


def collect() -> tuple[list[Evidence], list[str]]:
    """The evidence of each form, and what was executed that no form stands for."""
    evidence = [Evidence(form) for form in accepted()]
    by_opcode: dict[str, dict] = collections.defaultdict(lambda: collections.defaultdict(dict))
    for one in evidence:
        by_opcode[one.form.opcode][one.form.pattern][one.form.key] = one
    unknown: set[str] = set()
    for texts, add in (
        (foreign(), "foreign"),
        (own(), "own"),
        (forms_harness.executed(), "own"),
    ):
        for text, who in texts.items():
            opcode, parts = modifiers(text)
            hits = [
                table[key]
                for pattern, table in by_opcode[opcode].items()
                if (key := pattern.key(parts)) in table
            ]
            for hit in hits:
                getattr(hit, add).update(who)
            if not hits:
                unknown.add(f"{text}  [{min(who)}]")
    known = [one for one in evidence if one.own or not one.form.pattern.beyond]
    return known, sorted(unknown)


@functools.cache
def document() -> str:
    """The text of docs/emulator-coverage.md."""
    evidence, unknown = collect()
    if unknown:
        raise SystemExit("no form of coverage_forms.py stands for\n" + "\n".join(unknown))
    if missing := without_form(decoder_opcodes()):
        raise SystemExit(f"opcodes of the decoder's table without a row: {sorted(missing)}")
    return coverage_table.render(evidence)


def write(path: Path, make: Callable[[], str]) -> None:
    """Writes a document, or with --check says whether it is what it should be."""
    parser = argparse.ArgumentParser(description=f"writes {path.name}")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = make()
    if options.check:
        sys.exit(0 if path.read_text() == text else f"{path} is stale")
    path.write_text(text)


if __name__ == "__main__":
    write(DOCUMENT, document)
