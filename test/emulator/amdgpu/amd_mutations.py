"""Code objects with one synchronisation taken out or weakened, and what the emulator says.

Each that a case executes (`amd_mutants.py` says which there are) is changed, one at a time.
What is left runs in two orders of waves with all checks on. It must be reported, or every byte
of its results must be that of the program: then `amd_mutation_reasons.py` says why. A mutant
whose results differ without a report is a miss.

    python amd_mutations.py [CASE...] [--arch gfx942] [--kind wait] [--json FILE] [--jobs 2]

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "ptx")]

import amd_cases  # noqa: E402
import amd_mutants  # noqa: E402
import case as corpus  # noqa: E402
from amd_mutants import Mutant  # noqa: E402
from trials import Fault, Recorder, Trial, key, outcome_of, print_tables  # noqa: E402

from tilewright import emulator  # noqa: E402

# What is counted of each instruction.
FIELDS = ("executions", "lanes", "ended_loads", "ended_lds_stores", "ended_stores")
ORDERS = ("forward", "reverse")
# Another seed of the inputs than a case's own.
OTHER_INPUTS = 20_25


class Runner:
    """Runs changed code objects of a case, with the work-groups one after the other so that a
    run can be repeated."""

    orders = ORDERS

    def __init__(self, case: corpus.Case, arch: str) -> None:
        inputs = case.inputs()
        self.case = replace(case, make_inputs=lambda _: inputs)
        self.arch = arch
        self.text: bytes = corpus.program_of(case.program, arch)
        self.texts: dict[int, str] = {}
        self.max_steps = 0
        self._sound: dict[str, dict[str, bytes]] = {}
        self._never_written = True
        self.known: frozenset[Fault] = frozenset()
        # Races of the program as it is: a launch that is reported ends the case, so each of
        # them may have some to add.
        while True:
            runs = [self._execute(self.text, order)[0] for order in ORDERS]
            races = {one for faults in runs for one in faults if one[0] == "race"}
            if not races:
                break
            self.known |= races
        for order in ORDERS:
            faults, results, _ = self._execute(self.text, order)
            if faults and self._never_written:
                self._never_written = False  # the program leaves some of its outputs alone
                faults, results, _ = self._execute(self.text, order)
            assert not faults, (case.name, arch, faults)
            self._sound[order] = results
        self.trial = functools.lru_cache(maxsize=64)(self._run)
        self.mutants = list(amd_mutants.mutants(self.text, arch, self.texts))

    @functools.cached_property
    def other(self) -> Runner:
        """The same case on other inputs."""
        make = amd_cases.BY_NAME[self.case.name].make_inputs
        inputs = make(np.random.default_rng(OTHER_INPUTS))
        return Runner(replace(self.case, make_inputs=lambda _: inputs), self.arch)

    def _execute(
        self, code: bytes, order: str
    ) -> tuple[frozenset[Fault], dict[str, bytes], Recorder]:
        device = emulator.Device(
            self.arch,
            order,
            threads=1,
            global_races=True,
            statistics=True,
            max_steps=self.max_steps,
        )
        recorder = Recorder(device, self.known, FIELDS, texts=self.texts)
        faults: frozenset[Fault] = frozenset()
        results = {}
        try:
            launch, buffers = corpus.prepare(self.case, self.arch, recorder, code)
            launch()
            never = self._never_written
            for name, buffer in buffers.items():
                results[name] = buffer.numpy(never_written=never).tobytes()
        except emulator.EmulatorFault as fault:
            faults = frozenset(key(one) for one in fault.faults) - self.known
        except emulator.EmulatorError as error:
            faults = frozenset({("refused", str(error))})
        if code is self.text:
            most = sum(counts[0] for counts in recorder.counts.values())
            self.max_steps = max(self.max_steps, 2 * most)
        return faults, results, recorder

    def _run(self, code: bytes, order: str) -> Trial:
        faults, results, recorder = self._execute(code, order)
        return Trial(faults, results == self._sound[order], recorder.counts)

    def judge(self, mutant: Mutant) -> tuple[list[str], bool]:
        """The rules that a mutant breaks in either order, and whether its results are those
        of the program in both."""
        rules: set[str] = set()
        same = True
        for order in ORDERS:
            trial = self.trial(mutant.apply(self.text), order)
            rules |= {fault[0] for fault in trial.faults}
            if rules:
                break
            same = same and trial.same
        return sorted(rules), same


def records_of(name: str, arch: str, kind: str | None = None) -> list[dict[str, Any]]:
    """What became of each mutant of a case."""
    import amd_mutation_reasons

    runner = Runner(amd_cases.BY_NAME[name], arch)
    records = []
    for mutant in runner.mutants:
        if kind not in (None, mutant.kind):
            continue
        rules, same = runner.judge(mutant)
        quiet = same and not rules
        reason = amd_mutation_reasons.decide(runner, mutant) if quiet else None
        records.append(
            {"case": name, "arch": arch, "kind": mutant.kind, "line": f"{mutant.line:#x}",
             "text": mutant.text, "change": mutant.change, "rules": rules,
             "outcome": outcome_of(rules, same, reason),
             "reason": reason.name if reason else "", "detail": reason.detail if reason else ""}
        )  # fmt: skip
    return records


def _work(job: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    return records_of(*job)


def main() -> None:
    """Judges the mutants of the cases asked for, and prints tables by kind, GPU and reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="all by default")
    parser.add_argument("--arch")
    parser.add_argument("--kind", choices=amd_mutants.KINDS)
    parser.add_argument("--json", type=Path, help="write every record there, as they come")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    import amd_mutation_reasons  # noqa: F401  as it is now, not when a worker begins

    jobs = [
        (case.name, arch, options.kind)
        for case, arch in amd_cases.PAIRS
        if (not options.cases or case.name in options.cases) and options.arch in (None, arch)
    ]
    records: list[dict[str, Any]] = []
    start = time.monotonic()
    with multiprocessing.Pool(options.jobs, maxtasksperchild=8) as pool:
        for found in pool.imap_unordered(_work, jobs):
            records += found
            for one in found:
                if one["outcome"] in ("missed", "unexplained"):
                    place = f"{one['case']}.{one['arch']}:{one['line']}"
                    print(f"{one['outcome']:11} {place}: {one['text']}: {one['change']}")
            sys.stdout.flush()
            if options.json:
                options.json.write_text(json.dumps(records, indent=1) + "\n")
    for arch in sorted({one["arch"] for one in records}):
        print(f"\n{arch}")
        print_tables([one for one in records if one["arch"] == arch], amd_mutants.KINDS)
    print("\nall GPUs")
    print_tables(records, amd_mutants.KINDS)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
