"""Takes waits, barriers and masks out of code objects: `python amd_mutations.py [NAME...]`.

Each that a case executes is replaced, one at a time: a wait or a barrier by s_nop, the saving
of EXEC (s_and_saveexec) by a move that leaves EXEC as it is. What is left runs in two orders
of waves, and is reported, gives the same results, or wrong ones without a report.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import collections
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "ptx")]

import amd_cases  # noqa: E402
import case as corpus  # noqa: E402

from tilewright import emulator  # noqa: E402

NOP = 0xBF800000
EXEC = 126
ORDERS = ("forward", "reverse")
STEPS = 1_000_000


@dataclass(frozen=True)
class Mutant:
    """One instruction of a code object, by its offset in the loaded object."""

    kind: str
    offset: int
    text: str


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: "reported", "same" or "wrong"; by which rules."""

    case: str
    arch: str
    kind: str
    offset: int
    text: str
    outcome: str
    rules: tuple[str, ...]


def kind_of(text: str) -> str | None:
    """What taking an instruction out would be."""
    mnemonic = text.partition(" ")[0]
    if mnemonic in ("s_barrier", "s_barrier_wait"):
        return "barrier"
    if mnemonic.startswith(("s_waitcnt_vscnt", "s_wait_storecnt")) or mnemonic in (
        "s_wait_alu", "s_waitcnt_depctr", "s_wait_idle",
    ):  # fmt: skip
        return None  # of stores, or of time alone
    if mnemonic.startswith(("s_waitcnt", "s_wait_")):
        return "wait"
    return "mask" if mnemonic.startswith("s_and_saveexec") else None


def executed(case: corpus.Case, arch: str) -> list[Mutant]:
    """Those that the case's launches execute."""
    device = emulator.Device(arch, statistics=True)
    corpus.run(case, arch, device)
    found = ((kind_of(one["text"]), one) for one in device.report["lines"])
    return [Mutant(kind, one["line"], one["text"]) for kind, one in found if kind]


def apply(code: bytes, mutant: Mutant) -> bytes:
    """The code object without the instruction."""
    at = _file_offset(code, mutant.offset)
    (word,) = struct.unpack_from("<I", code, at)
    if mutant.kind == "mask":
        # s_mov_b64 (or b32) of the same destination, from EXEC.
        wide = "_b64" in mutant.text
        word = 0xBE800000 | (word & 0x7F0000) | wide << 8 | EXEC
    else:
        word = NOP
    return code[:at] + struct.pack("<I", word) + code[at + 4 :]


def _file_offset(code: bytes, address: int) -> int:
    """Where an address of the loaded object is in the file."""
    (table,) = struct.unpack_from("<Q", code, 32)
    size, count = struct.unpack_from("<HH", code, 54)
    for number in range(count):
        kind, _, offset, virtual, _, length = struct.unpack_from(
            "<IIQQQQ", code, table + number * size
        )
        if kind == 1 and virtual <= address < virtual + length:
            return offset + address - virtual
    raise ValueError(f"{address:#x} is in no segment")


def judge(case: corpus.Case, arch: str, mutant: Mutant) -> Verdict:
    """Runs a mutant."""
    code = apply(corpus.program_of(case.program, arch), mutant)
    outcome, rules = "same", set()
    for order in ORDERS:
        try:
            arrays = corpus.run(
                case, arch, emulator.Device(arch, order=order, max_steps=STEPS), code
            )
        except emulator.EmulatorFault as fault:
            rules |= {one.rule for one in fault.faults}
            continue
        if corpus.mismatches(case, arrays):
            outcome = "wrong"
    if rules:
        outcome = "reported"
    return Verdict(
        case.name, arch, mutant.kind, mutant.offset, mutant.text, outcome, tuple(sorted(rules))
    )


def verdicts(names: list[str]) -> Iterator[Verdict]:
    """Of all mutants of the named cases, or of all cases."""
    for case, arch in amd_cases.PAIRS:
        if not names or case.name in names:
            for mutant in executed(case, arch):
                yield judge(case, arch, mutant)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases; all by default")
    parser.add_argument("--json", type=Path, help="write every verdict there")
    options = parser.parse_args()
    found = []
    for verdict in verdicts(options.names):
        found.append(verdict)
        if verdict.outcome == "wrong":
            print(f"{verdict.case} {verdict.arch} {verdict.offset:#x}: {verdict.text}: wrong")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    counts = collections.Counter((one.kind, one.outcome) for one in found)
    for kind in ("wait", "barrier", "mask"):
        line = ", ".join(f"{counts[kind, o]} {o}" for o in ("reported", "same", "wrong"))
        print(f"{kind}: {line}")


if __name__ == "__main__":
    main()
