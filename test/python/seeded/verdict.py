"""What becomes of a fault: refused, found by an emulator, a wrong result, or unseen.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
from pathlib import Path

from tilewright import KernelFault, _compiler
from tilewright.runtime import load
from tilewright.testing.verify import execute, judge

from . import bounds, machine_code, probes
from .code import code_object, digest
from .seeds import RULES, Fault
from .subjects import Subject

CHANNELS, VERIFIER, EMULATOR, RESULT = "verify-channels", "verifier", "emulator", "result"
BOUNDS, REGISTERS = "bounds", "registers"
SAME, NEEDLESS, SURVIVED = "same code", "needless", "survived"
CAUGHT = (CHANNELS, VERIFIER, EMULATOR, RESULT, BOUNDS, REGISTERS)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Who caught it, and what was said; `code` tells artifacts apart.

    `by` is one of:
        verify-channels: the pass refused it;
        verifier: an operation's verifier, or another pass;
        emulator: a fault, by its rule;
        result: the numbers are wrong;
        bounds: an assertion of `bounds`, on an emulator;
        registers: a wrong result, where registers begin with extreme numbers;
        same code: the machine code is that of the sound kernel;
        needless: a barrier that `redundant` shows to order nothing;
        survived: none of these.
    """

    by: str
    text: str = ""
    code: str = ""

    @property
    def is_caught(self) -> bool:
        return self.by in CAUGHT


def compiled(subject: Subject, stage: str, ir: str, path: Path) -> Verdict | None:
    """Goes on with `ir` behind a stage to an artifact at `path`; a verdict where it cannot.

    Raises ValueError for a text that is no IR, which is a mistake of the seeds.
    """
    options = subject.options | {"output": str(path), "replace": (stage, ir)}
    result = _compiler.compile(subject.ir, options)
    if result["ok"]:
        return None
    said = [d["message"] for d in result["diagnostics"] if d["severity"] == "error"]
    text = said[0] if said else result["fault"]
    if re.search(r"expected|undeclared|redefinition|invalid kind", text):
        raise ValueError(f"the seed at {stage} is no IR: {text}")
    by_pass = said and "channel" in text and not text.startswith("'")
    return Verdict(CHANNELS if by_pass else VERIFIER, text)


def stages(subject: Subject) -> dict[str, str]:
    """The IR after each stage of the compiler."""
    result = _compiler.compile(subject.ir, subject.options | {"stages": True})
    return result["stages"]


def sound_code(subject: Subject, stage: str, ir: str) -> str:
    """The digest of the code where nothing is taken out of a stage."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        path = Path(folder) / "kernel.so"
        refused = compiled(subject, stage, ir, path)
        assert refused is None, refused
        return digest(path)


def examine(subject: Subject, fault: Fault, known: dict[str, Verdict]) -> Verdict:
    """Compiles a fault and runs the subject's cases; `known` are verdicts on codes."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        path = Path(folder) / "kernel.so"
        refused = compiled(subject, fault.stage, fault.text, path)
        if refused:
            return refused
        code = digest(path)
        if code in known:
            return known[code]
        _launch_instead(subject, path)
        by, text = _run(subject)
        return Verdict(by, text, code)


def examine_bounds(subject: Subject, fault: Fault, text: str) -> Verdict:
    """Runs a fault of `text` with assertions on every access. Survives what comes behind their
    stage. Of a guard that is an offset by then, its own comparison of an index is asserted."""
    if list(RULES).index(fault.stage) > list(RULES).index(bounds.STAGE):
        return Verdict(SURVIVED)
    if fault.stage == bounds.BUFFERS:
        probed = bounds.probed(text, fault.line)
        by, said = _run_changed(subject, fault.stage, probed) if probed else (SURVIVED, "")
    else:
        by, said = run_asserted(subject, _lowered(subject, fault))
    return Verdict(BOUNDS, said) if by in (EMULATOR, RESULT) else Verdict(by, said)


def examine_registers(subject: Subject, fault: Fault, text: str) -> Verdict:
    """Runs a fault of `distribute` with extreme numbers in registers that were never written.
    Survives where that alone is noticed, of the sound `text`."""
    if fault.stage != "distribute":
        return Verdict(SURVIVED)
    by, said = run_with_spoiled_registers(subject, fault.text)
    if by == SURVIVED or run_with_spoiled_registers(subject, text)[0] != SURVIVED:
        return Verdict(SURVIVED)
    return Verdict(REGISTERS, said)


def run_with_spoiled_registers(subject: Subject, text: str) -> tuple[str, str]:
    """Runs the subject's cases on a text of `distribute`, until one of them notices."""
    for spoiled in probes.with_spoiled_registers(text):
        by, said = _run_changed(subject, "distribute", spoiled)
        if by != SURVIVED:
            break
    return by, said


def _lowered(subject: Subject, fault: Fault) -> str:
    """The text of `bounds.STAGE` that a fault becomes, without AMD's buffers."""
    if fault.stage == bounds.STAGE:
        return fault.text
    stages = _stages_behind(subject, fault.stage, fault.text)
    if bounds.BUFFERS in stages:
        names = list(stages)
        in_front = stages[names[names.index(bounds.BUFFERS) - 1]]
        stages = _stages_behind(subject, bounds.BUFFERS, in_front)
    return stages[bounds.STAGE]


def _stages_behind(subject: Subject, stage: str, text: str) -> dict[str, str]:
    """The IR after each stage, where it goes on with `text` behind one of them."""
    options = subject.options | {"stages": True, "replace": (stage, text)}
    return _compiler.compile(subject.ir, options)["stages"]


def run_asserted(subject: Subject, text: str) -> tuple[str, str]:
    """Runs the subject's cases on the text of `bounds.STAGE` with assertions."""
    return _run_changed(subject, bounds.STAGE, bounds.asserted(text))


def is_always_true(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether the mask that the fault takes out of `text` is true wherever a case comes by;
    asked for after `examine_bounds`, which compares each index with its extent, and so is
    the same question for a guard of `prove-bounds`."""
    if fault.stage == "prove-bounds":
        return bounds.are_all_known(_lowered(subject, fault))
    probed = bounds.probed(text, fault.line)
    if probed is None or fault.stage not in ("distribute", bounds.BUFFERS, bounds.STAGE):
        return False
    return _run_changed(subject, fault.stage, probed)[0] == SURVIVED


def is_dropped(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether what the selection of `text` keeps out matters to no case: extreme numbers in
    its place change no result, or its address alone is another one."""
    if probes.is_of_dropped_loads(text, fault.line):
        return True
    texts = probes.spoiled(text, fault.line)
    return texts is not None and _survive(subject, fault.stage, texts)


def stores_the_same(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether in all cases the threads that a branch of `text` keeps out would store what is
    there already."""
    probe = probes.compared(text, fault.line)
    return probe is not None and _survive(subject, fault.stage, [probe])


def _survive(subject: Subject, stage: str, texts: list[str]) -> bool:
    return all(_run_changed(subject, stage, text)[0] == SURVIVED for text in texts)


def waits_anyway(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether AMD's code without the fault's wait waits for LDS at every barrier."""
    elf = _machine_code(subject, fault.stage, fault.text)
    return elf is not None and machine_code.waits_for_lds(elf)


def leaves_only_stores(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether AMD's code without the fault's wait has only stores to LDS under way at any
    barrier."""
    elf = _machine_code(subject, fault.stage, fault.text)
    return elf is not None and machine_code.waits_for_lds(elf, but_for_stores=True)


def keeps_order(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether AMD's code without the fault's fence has the accesses, waits and barriers of
    `text` in their order."""
    codes = [_machine_code(subject, fault.stage, ir) for ir in (text, fault.text)]
    return None not in codes and machine_code.have_same_order(*codes)


def keeps_accesses(subject: Subject, fault: Fault, text: str) -> bool:
    """Whether AMD's code without a fence of LDS alone has the accesses and barriers of `text`
    in their order, and waits for LDS at every barrier."""
    if "wavefront" not in fault.what:
        return False
    sound, faulty = (_machine_code(subject, fault.stage, ir) for ir in (text, fault.text))
    if sound is None or faulty is None:
        return False
    is_same = machine_code.have_same_order(sound, faulty, with_waits=False)
    return is_same and machine_code.waits_for_lds(faulty)


def _machine_code(subject: Subject, stage: str, ir: str) -> bytes | None:
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        path = Path(folder) / "kernel.so"
        refused = compiled(subject, stage, ir, path)
        assert refused is None, refused
        return code_object(path)


def _run_changed(subject: Subject, stage: str, text: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        path = Path(folder) / "kernel.so"
        refused = compiled(subject, stage, text, path)
        if refused:
            raise ValueError(f"a probe at {stage} is refused: {refused}")
        _launch_instead(subject, path)
        return _run(subject)


def _launch_instead(subject: Subject, path: Path) -> None:
    outputs = subject.switch.kernel._module.outputs or None
    subject.switch.instead = load(path, outputs, subject.device)


def _run(subject: Subject) -> tuple[str, str]:
    """Runs the cases on random data and on integers, until one of them notices."""
    subject.switch.calls = 0
    for case in subject.cases:
        runs = [(case.make_inputs(case.generator()), False)]
        runs += [(make(case.generator(1 + i)), True) for i, make in enumerate(case.integers)]
        for inputs, exact in runs:
            try:
                execution = execute(case, subject.device, inputs)
            except KernelFault as error:
                return EMULATOR, str(error)
            wrong = judge(case, inputs, execution, exact).reason
            if wrong:
                return RESULT, wrong
    assert subject.switch.calls, f"{subject.name} was not launched"
    return SURVIVED, ""
