"""What an H100 answered, as files of vectors/h100, and how they are replayed.

    python hardware_vectors.py JOBS RESULTS    # writes the files from a run of the jobs

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hardware import jobs_of_corpus, run
from hardware_rows import Row, module_of
from jobs import Job, Result

FOLDER = Path(__file__).resolve().parent / "vectors" / "h100"
# Products of a matrix job that are kept: of each kind of numbers, and the special values.
_KEPT_MMA, _KEPT_WGMMA = (0, 1, 3, 5, 22, 23), (1, 4, 22, 23)
# Foreign programs that are kept whole: nvcc's use of the matrix instructions.
_KEPT_PROGRAMS = ("case-mma-sm_80", "case-mma_fp8-sm_90a", "case-wmma-sm_80")


def save(name: str, head: Any, arrays: dict[str, np.ndarray]) -> None:
    """Writes vectors/h100/NAME.npz.xz."""
    data = io.BytesIO()
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(data, head=text, **arrays)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.npz.xz"
    path.write_bytes(lzma.compress(data.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def load(name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """What `save` wrote."""
    raw = lzma.decompress((FOLDER / f"{name}.npz.xz").read_bytes())
    with np.load(io.BytesIO(raw)) as data:
        arrays = {key: data[key] for key in data.files}
    return json.loads(arrays.pop("head").tobytes()), arrays


# Rows: one instruction in many lanes.


def keep_rows(jobs: Path, results: Path) -> None:
    """All rows: instruction, operands, results."""
    head: list[list[Any]] = []
    arrays: dict[str, np.ndarray] = {}
    known: dict[bytes, str] = {}
    for path in sorted(jobs.glob("row-*.npz")):
        job, result = Job.load(path), Result.load(results / path.name)
        assert result.digest == job.digest(), path.name
        assert not result.error, result.error
        for i, (text, source, to, size) in enumerate(job.about["rows"]):
            operands = job.buffers[source]
            key = known.setdefault(operands.tobytes(), f"s{len(known)}")
            arrays[key] = operands.view(np.uint64)
            got = result.buffers.get(to, job.buffers[to]).view(f"u{size}")
            arrays[f"r{len(head)}"] = got
            kernel = job.ptx.split(f".entry k{i}(")[1].split("}\n")[0]
            head.append([text, key, len(got), _result(kernel), _sources(kernel)])
    save("rows", head, arrays)


def _result(kernel: str) -> str:
    """The register that a kernel stores."""
    lines = kernel.strip().split("\n")
    register = lines[-1].split("], ")[1].split(";")[0]
    if register == "%r111":
        return next(line for line in lines if line.startswith("selp.b32 %r111"))[
            len("selp.b32 %r111, 1, 0, ") :
        ].rstrip(";")
    return register


def _sources(kernel: str) -> list[str]:
    """The registers that a kernel loads."""
    word = r"(?:mov\.b64|cvt\.u(?:16|32)\.u64) (%\w+), %d110;"
    return [
        predicate or register
        for register, predicate in re.findall(
            rf"\[%d100\+\d+\];\n{word}(?: and[^\n]*\nsetp\.ne\.b32 (%p\d+))?", kernel
        )
    ]


def rows() -> list[tuple[Row, np.ndarray, np.ndarray]]:
    """The rows with their operands and what the device answered."""
    head, arrays = load("rows")
    found = []
    for number, (text, key, lanes, result, registers) in enumerate(head):
        row = Row(text, result, tuple((one, "") for one in registers), lanes)
        found.append((row, arrays[key].reshape(-1, lanes), arrays[f"r{number}"]))
    return found


def answer(batch: list[tuple[Row, np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """What the emulator answers to rows, as many as a module has."""
    job = module_of("rows", [(row, operands) for row, operands, _ in batch])
    result = run(job, threads=1)
    return [
        result.buffers.get(to, job.buffers[to]).view(f"u{size}")
        for _, _, to, size in job.about["rows"]
    ]


# Matrix products: whole jobs, fewer products.


def keep_products(jobs: Path, results: Path) -> None:
    head: list[Any] = []
    arrays: dict[str, np.ndarray] = {}
    for path in sorted(jobs.glob("*mma-*.npz")):
        if path.name.startswith("form-"):
            continue
        job, result = Job.load(path), Result.load(results / path.name)
        assert result.digest == job.digest(), path.name
        assert not result.error, result.error
        kept = _KEPT_WGMMA if job.name.startswith("wgmma") else _KEPT_MMA
        text, entries = job.ptx.split(".visible", 1)
        kernels = [f".visible{one}" for one in f"{entries}".split(".visible")]
        launches = []
        for kernel, launch, (sample, source, to, size) in zip(
            kernels, job.launches, job.about["rows"]
        ):
            if job.name.startswith("wgmma") and ".m64n8k" not in sample:
                continue
            blocks = launch.grid[0]
            number = len(arrays) // 2
            chosen = [one for one in kept if one < blocks]
            arrays[f"s{number}"] = job.buffers[source].reshape(blocks, -1)[chosen]
            after = result.buffers.get(to, job.buffers[to])
            arrays[f"r{number}"] = after.reshape(blocks, -1)[chosen]
            launches.append([launch.kernel, launch.block[0], number, sample, size])
            text += kernel
        head.append([job.name, text, launches])
    save("products", head, arrays)


def products() -> Iterator[tuple[Job, list[tuple[str, np.ndarray]]]]:
    """Jobs, and for each launch the instruction and what the device answered."""
    from jobs import Launch

    head, arrays = load("products")
    for name, text, launches in head:
        buffers, calls, expected = [], [], []
        for kernel, threads, number, sample, size in launches:
            source, got = arrays[f"s{number}"], arrays[f"r{number}"]
            at = len(buffers)
            args = [["buffer", at, 0], ["buffer", at + 1, 0]]
            calls.append(Launch(kernel, (len(source), 1, 1), (threads, 1, 1), args))
            buffers += [source.reshape(-1), np.full(got.size, 0xA5, np.uint8)]
            expected.append((sample, got.reshape(-1).view(f"u{size}")))
        yield Job(name, text, buffers, calls), expected


# Foreign programs: what each buffer held at the end.


def keep_programs(results: Path) -> None:
    head, arrays = {}, {}
    for name in _KEPT_PROGRAMS:
        result = Result.load(results / f"{name}.npz")
        assert not result.error, result.error
        head[name] = result.digest
        arrays |= {f"{name}:{i}": after for i, after in result.buffers.items()}
    save("programs", head, arrays)


def programs() -> Iterator[tuple[Job, dict[int, np.ndarray]]]:
    """Jobs, and what the device left in the buffers that it changed."""
    head, arrays = load("programs")
    for job in jobs_of_corpus():
        if job.name in head:
            assert job.digest() == head[job.name], f"{job.name} is no longer what was run"
            own = [key for key in arrays if key.startswith(f"{job.name}:")]
            yield job, {int(key.rsplit(":", 1)[1]): arrays[key] for key in own}


def main() -> None:
    parser = argparse.ArgumentParser(description="writes vectors/h100")
    parser.add_argument("jobs", type=Path)
    parser.add_argument("results", type=Path)
    options = parser.parse_args()
    keep_rows(options.jobs, options.results)
    keep_products(options.jobs, options.results)
    keep_programs(options.results)


if __name__ == "__main__":
    main()
