# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How large the code of a GPU kernel is: as compiled, in a library, and by other compilers."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import tilewright

FOLDER = Path(tilewright.__file__).resolve().parents[2] / "bench" / "static"
PROBLEM = "gemm_nn/bf16/128x128x32/s3/t128"
TARGETS = ("cuda:sm_80", "hip:gfx942")
PEERS = ("triton", "tilelang")


@dataclasses.dataclass(frozen=True)
class Image:
    """The code of one kernel: as text of PTX or as a code object, or zstd's of either."""

    target: str
    by: str
    form: str
    bytes: int


def measure() -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Images of the product of bench/static as dicts, and why some are missing.

    Raises RuntimeError where a compiler fails.
    """
    found: list[Image] = []
    missing: dict[str, str] = {}
    for target in TARGETS:
        plain = "PTX" if target.startswith("cuda:") else "code object"
        # In a process of its own: what compiles must be able to fork.
        said = _run([sys.executable, "-m", "tilewright.testing.aot_sizes", target])
        if "missing" in said:
            return [], {"bench/static": said["missing"]}
        found += [
            Image(target, "tilewright", plain, said["plain"]),
            Image(target, "tilewright", f"{plain}, in a library", said["packed"]),
        ]
        for peer in PEERS:
            if peer == "tilelang" and not target.startswith("cuda:"):
                continue  # it needs a ROCm toolkit to come to a code object
            said = _run([sys.executable, str(FOLDER / "size.py"), peer, target, PROBLEM])
            if "missing" in said:
                missing[peer] = said["missing"]
            else:
                found.append(Image(target, peer, plain, said["bytes"]))
    return [dataclasses.asdict(image) for image in found], missing


def environment() -> dict[str, str]:
    """This process's, for others that import this package."""
    package = str(Path(tilewright.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


def _run(command: list[str]) -> dict[str, Any]:
    run = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]
        raise RuntimeError(f"{' '.join(command[1:])}: {last}")
    return json.loads(run.stdout.splitlines()[-1])


# ---- frames of zstd ------------------------------------------------------------------------

_MAGIC = b"\x28\xb5\x2f\xfd"


def frames(data: bytes) -> list[tuple[int, int]]:
    """(bytes, bytes unpacked) of each frame of zstd in `data` that says its size, as RFC 8878
    lays them out."""
    found = []
    for match in re.finditer(re.escape(_MAGIC), data):
        try:
            found.append(_frame(data, match.start()))
        except (struct.error, ValueError):  # four bytes that only look like one
            continue
    return found


def _frame(data: bytes, start: int) -> tuple[int, int]:
    descriptor = data[start + 4]
    is_single, has_checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    width = (is_single, 2, 4, 8)[descriptor >> 6]
    if descriptor & 0b1000 or not width:
        raise ValueError("reserved, or of no known size")
    at = start + 5 + (1 - is_single) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(data[at : at + width], "little") + 256 * (width == 2)
    at += width
    is_last = False
    while not is_last:
        low, high = struct.unpack_from("<HB", data, at)
        head = low | high << 16
        is_last, kind, length = bool(head & 1), head >> 1 & 3, head >> 3
        if kind == 3:
            raise ValueError("a reserved kind of block")
        at += 3 + (1 if kind == 1 else length)
    at += 4 * has_checksum
    if at > len(data):
        raise ValueError("it ends early")
    return at - start, size


def main() -> None:
    """Compiles our product for one target into an object and prints the sizes of its image."""
    [target] = sys.argv[1:]
    if not (FOLDER / "ours.py").is_file():
        print(json.dumps({"missing": f"there is no {FOLDER}: run this in a checkout"}))
        return
    sys.path.insert(0, str(FOLDER))
    import ours
    import problems

    from tilewright.compiler.driver import as_objects

    [problem] = problems.select([PROBLEM])
    with as_objects():
        kernel = ours.gemm(problem, target)
    [(packed, plain)] = frames(Path(kernel.path).read_bytes())
    print(json.dumps({"plain": plain, "packed": packed}))


if __name__ == "__main__":
    main()
