"""Writes docs/emulator-amdgpu-coverage.md: what shows that each opcode is right.

    python amd_coverage.py [--check]

Opcodes are those of coverage_opcodes.py that the emulator takes. Evidence is what was
executed, by the emulator's own statistics, on one thread: in a run of the corpus whose
results are right, in a program of asm_families.py, or in a run of a GoogleTest that breaks
no rule.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import collections
import functools
import sys
from pathlib import Path

# A script has its own folder alone.
sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "ptx")]

import amd_assembly  # noqa: E402
import amd_cases  # noqa: E402
import asm_families  # noqa: E402
import asm_rows  # noqa: E402
import case as corpus  # noqa: E402
import coverage  # noqa: E402
import coverage_opcodes  # noqa: E402
from coverage_opcodes import GPUS, opcodes_in  # noqa: E402
from coverage_table import table_row  # noqa: E402

from tilewright import emulator  # noqa: E402

DOCUMENT = coverage.ROOT / "docs" / "emulator-amdgpu-coverage.md"
KINDS = ("foreign", "assembly", "unit test")

_HEAD = """# What shows that the AMD emulator is right

Made by `python test/emulator/amdgpu/amd_coverage.py`; a test fails where it is stale. It lists
every opcode that the emulator takes, of each GPU, and what evidence there is for it:

- **foreign**: a program that Triton or clang compiled executes it, and its results are right.
- **assembly**: no such program does, but one of `test/emulator/amdgpu/asm_*.py`, whose results
  NumPy judges.
- **unit test**: neither does, but a GoogleTest of `test/unit/emulator/amdgpu`, by a run that
  breaks no rule.
- **none**.

Opcodes are found by decoding every number of every encoding's opcode field
(`coverage_opcodes.py`), so those are missing that need operands of their own kind; what was
executed of them has a row all the same. Encodings of an opcode (`_e32`, `_e64`, `_dpp`,
`_sdwa`) are not told apart, and forms, such as a matrix instruction's formats, neither.
Whether an opcode was executed is read from the emulator's statistics.

"""

Evidence = dict[tuple[str, str], dict[str, set[str]]]  # of GPU and opcode, by kind


def collect() -> Evidence:
    """What executes each opcode."""
    found: Evidence = collections.defaultdict(lambda: collections.defaultdict(set))

    def add(gpu: str, text: str, kind: str, who: str) -> None:
        for opcode in opcodes_in(text):
            found[gpu, opcode][kind].add(who)

    for case, gpu in amd_cases.PAIRS:
        options = {"statistics": True, "threads": 1, **amd_cases.checks(case, gpu)}
        seen = coverage.Statements(emulator.Device(gpu, **options))
        assert not corpus.mismatches(case, corpus.run(case, gpu, seen)), case.name
        for text in seen.texts:
            add(gpu, text, "foreign", case.program)
    for family in asm_families.FAMILIES:
        for gpu in GPUS:
            if not family.of(gpu):
                continue
            code = amd_assembly.assemble(asm_rows.text_of(family, gpu), gpu)
            if code is None:
                raise SystemExit("clang 22 and lld are needed: scripts/debian-packages.txt")
            wrong, texts = asm_rows.run(family, gpu, code)
            assert not wrong, wrong
            for text in texts:
                add(gpu, text, "assembly", family.name)
    for text, tests in coverage.own("amdgpu").items():
        gpu, _, instruction = text.partition(" ")
        for test in tests:
            add(gpu, instruction, "unit test", test)
    return found


def kind_of(evidence: dict[str, set[str]]) -> str:
    """The strongest that there is."""
    return next((kind for kind in KINDS if evidence.get(kind)), "none")


@functools.cache
def document() -> str:
    """The text of the document."""
    found = collect()
    families: dict[str, dict[str, dict[str, dict]]] = {}
    for gpu in GPUS:
        taken = dict(coverage_opcodes.accepted(gpu))
        for one, opcode in found:
            if one == gpu:
                taken.setdefault(opcode, "Others")
        for opcode, family in taken.items():
            opcodes = families.setdefault(family, {})
            opcodes.setdefault(opcode, {})[gpu] = found.get((gpu, opcode), {})
    # An opcode is of one family, whichever GPU's encoding it was found in.
    places: dict[str, str] = {}
    for family, opcodes in families.items():
        for opcode in opcodes:
            if family != "Others":
                places.setdefault(opcode, family)
    rows: dict[str, dict[str, dict[str, dict]]] = collections.defaultdict(dict)
    for family, opcodes in families.items():
        for opcode, gpus in opcodes.items():
            rows[places.get(opcode, family)].setdefault(opcode, {}).update(gpus)
    return _HEAD + _summary(rows) + "".join(_family(name, rows[name]) for name in rows)


def _summary(rows: dict[str, dict[str, dict[str, dict]]]) -> str:
    """How many opcodes of each GPU have which evidence."""
    text = table_row("GPU", "opcodes", *KINDS, "none") + table_row(
        "---", *["---:"] * (len(KINDS) + 2)
    )
    for gpu in GPUS:
        counts = collections.Counter(
            kind_of(gpus[gpu])
            for opcodes in rows.values()
            for gpus in opcodes.values()
            if gpu in gpus
        )
        numbers = [sum(counts.values()), *(counts[kind] for kind in (*KINDS, "none"))]
        text += table_row(gpu, *map(str, numbers))
    return text


def _family(name: str, opcodes: dict[str, dict[str, dict]]) -> str:
    """A table: of each opcode who executes it, and which GPUs have what."""
    text = (
        f"\n## {name}\n\n" + table_row("opcode", *GPUS, "executed by") + table_row(*["---"] * 7)
    )
    for opcode in sorted(opcodes):
        gpus = opcodes[opcode]
        cells = [kind_of(gpus[gpu]) if gpu in gpus else "" for gpu in GPUS]
        text += table_row(f"`{opcode}`", *cells, _examples(gpus))
    return text


def _examples(gpus: dict[str, dict]) -> str:
    """One of each kind that the row has."""
    examples = []
    for kind in KINDS:
        names = set().union(
            *(one[kind] for one in gpus.values() if kind_of(one) == kind and kind in one)
        )
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            examples.append(min(names) + more)
    return ", ".join(examples)


if __name__ == "__main__":
    coverage.write(DOCUMENT, document)
