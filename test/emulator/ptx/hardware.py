"""Jobs for a GPU out of what runs on the emulator, and the same jobs on the emulator.

    python hardware.py FOLDER        # writes every job

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import case as corpus
import cases
import forms
import numpy as np
from forms_harness import CHECKS, Bench

from tilewright import emulator
from tilewright.emulator import arguments, tensor_map
from tilewright.emulator.module import extent

sys.path.append(str(Path(__file__).resolve().parents[3] / "bench" / "gpu"))

from jobs import Job, Launch, Result, changed

assert forms.MODULES


def for_driver(ptx: str) -> str:
    """The text as a driver of CUDA 13.0 takes it. The emulator takes more: a newer version
    that the program does not need, `.shared` where only `.shared::cta` is written down, and
    special registers as operands of any instruction."""
    ptx = re.sub(r"^\.version 9\.[1-9]", ".version 9.0", ptx, flags=re.M)
    opcodes = r"cp\.async\.bulk|cp\.reduce\.async\.bulk|tensormap\.replace"
    bulk = rf"^(.*\b(?:{opcodes})\b.*?\.shared)(?=\.)"
    ptx = re.sub(bulk, r"\1::cta", ptx, flags=re.M)
    ptx = ptx.replace("setp.ne.u32 %p0, %tid.x, 0;",
                      "mov.u32 %r39, %tid.x;\nsetp.ne.u32 %p0, %r39, 0;")  # fmt: skip
    return ptx.replace("mad.lo.u32 %r4, %tid.x, 4, %r4;",
                       "mov.u32 %r39, %tid.x;\nmad.lo.u32 %r4, %r39, 4, %r4;")  # fmt: skip


class Recorder:
    """A device of the emulator that also makes a job of what it is given."""

    def __init__(self, arch: str, **options: Any) -> None:
        self._inner = emulator.Device(arch, **options)
        self._memory: list[Any] = []
        self._before: list[np.ndarray] = []
        self._maps: dict[bytes, dict[str, Any]] = {}
        self.texts: list[str] = []
        self.launches: list[Launch] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def array(self, values: Any, name: str = "") -> Any:
        return self._keep(self._inner.array(values, name), np.asarray(values))

    def zeros(self, shape: Any, dtype: Any = np.float32, name: str = "") -> Any:
        return self._keep(self._inner.zeros(shape, dtype, name))

    def empty(self, shape: Any, dtype: Any = np.float32, name: str = "") -> Any:
        return self._keep(self._inner.empty(shape, dtype, name))

    def _keep(self, buffer: Any, values: np.ndarray | None = None) -> Any:
        before = np.zeros(buffer.nbytes, np.uint8)
        if values is not None and buffer.nbytes:
            before = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._memory.append(buffer)
        self._before.append(before)
        return buffer

    def tensor_map(self, buffer: Any, *, dtype: Any, sizes: Any, strides: Any, box: Any,
                   element_strides: Any = None, swizzle: Any = "none", fill: str = "zero",
                   interleave: Any = "none") -> Any:  # fmt: skip
        made = self._inner.tensor_map(
            buffer, dtype=dtype, sizes=sizes, strides=strides, box=box,
            element_strides=element_strides, swizzle=swizzle, fill=fill, interleave=interleave,
        )  # fmt: skip

        def whole(numbers: Sequence[int]) -> list[int]:
            return [int(one) for one in numbers]

        options: dict[str, Any] = {
            "buffer": next(i for i, one in enumerate(self._memory) if one is buffer),
            "element": tensor_map.ELEMENTS[tensor_map._element(dtype)],
            "sizes": whole(sizes),
            "strides": whole(strides),
            "element_strides": whole(element_strides or (1,) * len(sizes)),
            "interleave": tensor_map.INTERLEAVES[str(interleave)],
            "swizzle": tensor_map.SWIZZLES[str(swizzle)],
            "fill": tensor_map.FILLS[fill],
        }
        if isinstance(box, emulator.Pixels):
            options["pixels"] = [whole(box.lower), whole(box.upper), box.channels, box.count]
        else:
            options["box"] = whole(box)
        self._maps[made.data] = options
        return made

    def load(self, text: str | bytes) -> Any:
        self.texts.append(text.decode() if isinstance(text, bytes) else text)
        return _RecordedModule(self, self._inner.load(text))

    def argument(self, parameter: Any, given: Any) -> list[Any]:
        """An argument as a job has it."""
        for index, buffer in enumerate(self._memory):
            if given is buffer:
                return ["buffer", index, 0]
            if isinstance(given, int) and 0 <= given - buffer.address < max(buffer.nbytes, 1):
                return ["buffer", index, given - buffer.address]
        if isinstance(given, emulator.TensorMap):
            return ["map", self._maps[given.data]]
        return ["bytes", arguments.convert(parameter, given).hex()]

    def job(self, name: str, **about: Any) -> Job:
        assert len(set(self.texts)) == 1, f"{name} has several programs"
        return Job(name, for_driver(self.texts[0]), self._before, self.launches, about)


class _RecordedModule:
    def __init__(self, device: Recorder, inner: Any) -> None:
        self._device, self._inner = device, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def launch(self, name: str, grid: Any, block: Any, cluster: Any = None, shared: int = 0,
               args: Sequence[Any] = (), *, cooperative: bool = False) -> None:  # fmt: skip
        kernel = self._inner.kernels[name]
        given = [self._device.argument(p, one) for p, one in zip(kernel.parameters, args)]
        self._device.launches.append(
            Launch(name, extent("grid", grid, 1), extent("block", block, 1), given,
                   extent("cluster", cluster or 1, 1), shared, cooperative)
        )  # fmt: skip
        self._inner.launch(name, grid, block, cluster, shared, args, cooperative=cooperative)


class _RecordingBench(Bench):
    def __init__(self) -> None:
        super().__init__()
        self.devices: list[Recorder] = []

    def device(self) -> Any:
        self.devices.append(Recorder(self.arch, statistics=True, threads=1))
        return self.devices[-1]


def jobs_of_checks() -> Iterator[Job]:
    """Every launch of every check of forms."""
    for name, check in CHECKS.items():
        bench = _RecordingBench()
        check(bench)
        for number, device in enumerate(bench.devices):
            if device.launches and "trap;" not in device.texts[0]:
                yield device.job(f"form-{name}-{number:03}", check=name)


# The compute capability of the device that foreign programs are to run on.
_RUNS_ON_90 = ("sm_80", "sm_86", "sm_89", "sm_90", "sm_90a")


def jobs_of_corpus() -> Iterator[Job]:
    """Every case of the foreign programs; `outputs` are names, numbers and types of what its
    reference speaks of."""
    for case, arch in cases.PAIRS:
        if case.error or arch not in _RUNS_ON_90:
            continue
        device = Recorder(arch)
        corpus.run(case, arch, device)
        names = [*case.inputs(), *case.outputs]
        yield device.job(f"case-{case.name}-{arch}", case=case.name, arch=arch, arrays=names)


def run(job: Job, **options: Any) -> Result:
    """A job on the emulator, with its architecture; EmulatorError where that fails."""
    arch = re.search(r"^\.target\s+(\w+)", job.ptx, re.M)
    assert arch is not None
    device = emulator.Device(arch[1], **options)
    module = device.load(job.ptx)
    memory = [device.array(one) for one in job.buffers]
    for launch in job.launches:
        kernel = module.kernels[launch.kernel]
        args = [_argument(device, memory, one) for one in launch.args]
        args = [
            one.to_bytes(p.bytes, "little") if isinstance(one, int) else one
            for p, one in zip(kernel.parameters, args)
        ]
        module.launch(
            launch.kernel, launch.grid, launch.block,
            None if launch.cluster == (1, 1, 1) else launch.cluster, launch.shared, args,
            cooperative=launch.cooperative,
        )  # fmt: skip
    after = [one.numpy(undefined=False) for one in memory]
    return Result(job.name, job.digest(), changed(job, after), device.output)


def _argument(device: Any, memory: list[Any], given: list[Any]) -> Any:
    kind, *rest = given
    if kind == "buffer":
        return memory[rest[0]].address + rest[1]
    if kind == "bytes":
        return bytes.fromhex(rest[0])
    options = dict(rest[0])
    pixels = options.pop("pixels", None)

    def name(names: dict[str, int], number: int) -> str:
        return next(one for one, value in names.items() if value == number)

    return device.tensor_map(
        memory[options["buffer"]],
        dtype=name(tensor_map.ELEMENTS, options["element"]),
        sizes=options["sizes"], strides=options["strides"],
        box=emulator.Pixels(*pixels) if pixels else options["box"],
        element_strides=options["element_strides"],
        swizzle=name(tensor_map.SWIZZLES, options["swizzle"]),
        fill=name(tensor_map.FILLS, options["fill"]),
        interleave=name(tensor_map.INTERLEAVES, options["interleave"]),
    )  # fmt: skip


def assemble(ptx: str) -> list[tuple[int, str]]:
    """What ptxas has against a text: lines and messages; none if it takes it."""
    target = re.search(r"^\.target\s+(\w+)", ptx, re.M)
    assert target is not None
    arch = "sm_90a" if target[1] == "sm_90a" else "sm_90"
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        done = subprocess.run(
            ["ptxas", f"-arch={arch}", "-O1", "-o", "/dev/null", file.name],
            capture_output=True, text=True,
        )  # fmt: skip
    found = re.findall(r", line (\d+); (?:error|fatal)\s*: (.*)", done.stderr)
    if done.returncode and not found:
        found = [(0, done.stderr.strip()[-300:])]
    return [(int(line), message) for line, message in found]


def all_jobs() -> Iterator[Job]:
    import hardware_matrix
    import hardware_rows

    yield from hardware_rows.jobs()
    yield from hardware_matrix.jobs()
    yield from jobs_of_checks()
    yield from jobs_of_corpus()


def main() -> None:
    parser = argparse.ArgumentParser(description="writes the jobs for a GPU")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    count = 0
    for job in all_jobs():
        job.save(options.folder)
        count += 1
    print(f"{count} jobs")


if __name__ == "__main__":
    main()
