"""`PYTHONPATH=test/python python -m seeded.judge_mistakes`: who catches mistakes in passes.

Each mistake of `mistakes` is made in a copy of the tree, which is then built; lit's tests of
GPU code and the subjects' cases on both emulators run there. Takes a minute or more for each.
The copy is build/mistakes, or `--tree DIR`, another working tree that is built already.
`--json FILE` keeps what was found, for `python -m seeded.report`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .mistakes import MISTAKES, ROOT, Mistake
from .subjects import DEVICES

TARGETS = [
    "tilewright-opt",
    "tilewright_python_compiler",
    "tilewright_python_runtime",
    "tilewright_cuda_driver",
    "tilewright_hip_driver",
]
TESTS = ["simt", "cuda", "hip"]  # of lit


@dataclasses.dataclass(frozen=True)
class Catch:
    """What noticed a mistake: names of lit's tests, and what each emulated device said."""

    lit: list[str]
    emulators: dict[str, str]


def _run(tree: Path, *command: str, **options: object) -> subprocess.CompletedProcess:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, cwd=tree, text=True, **pipes, **options)


def copied() -> Path:
    """A copy of what git knows of this tree, configured."""
    tree = ROOT / "build" / "mistakes"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        source, copy = ROOT / name, tree / name
        if not source.is_file():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copy(source, copy)
    if not (tree / "build/build.ninja").exists():
        pybind = _run(tree, sys.executable, "-m", "pybind11", "--cmakedir").stdout.strip()
        done = _run(
            tree, "cmake", "-G", "Ninja", "-S", ".", "-B", "build",
            f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind}",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
    return tree


def build(tree: Path) -> None:
    """Builds what the tests need. Raises RuntimeError where the compiler refuses."""
    done = _run(tree, "ninja", "-C", "build", "-j", "2", *TARGETS)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:])


def failing_lit_tests(tree: Path) -> list[str]:
    """The names of lit's tests that fail."""
    arguments = ["lit", "--", "--filter", f"({'|'.join(TESTS)})/"]
    lit = _run(tree, sys.executable, "scripts/run_tests.py", *arguments)
    counted = re.search(r"(\d+) passed, (\d+) failed", lit.stdout)
    assert counted, lit.stdout
    assert int(counted[1]) + int(counted[2]) > len(TESTS), lit.stdout
    return sorted(set(re.findall(r"^FAILED (\S+)", lit.stdout, re.MULTILINE)))


def emulators(tree: Path) -> dict[str, str]:
    """What the emulated devices say, of those that say anything."""
    with tempfile.TemporaryDirectory(prefix="mistakes-") as cache:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{tree}/python:{tree}/test/python",
            "TILEWRIGHT_CACHE_DIR": cache,
        }
        said = {}
        for device in DEVICES:
            ran = _run(tree, sys.executable, "-m", "seeded.sound", device, env=environment)
            if ran.returncode:
                said[device] = ran.stdout.strip().split("\n")[-1]
        return said


def judge(tree: Path, mistake: Mistake) -> Catch:
    """Makes the mistake in the tree, and takes it back."""
    path = tree / mistake.file
    sound = path.read_text()
    try:
        path.write_text(mistake.applied(tree))
        build(tree)
        return Catch(failing_lit_tests(tree), emulators(tree))
    finally:
        path.write_text(sound)


def main() -> int:
    """Prints a line for each mistake; the status says whether one was not caught."""
    parser = argparse.ArgumentParser(
        prog="python -m seeded.judge_mistakes", description=__doc__
    )
    parser.add_argument("words", nargs="*", help="of the mistakes that are wanted")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--tree", type=Path, metavar="DIR")
    asked = parser.parse_args()
    tree = asked.tree or copied()
    build(tree)
    catch = Catch(failing_lit_tests(tree), emulators(tree))
    assert catch == Catch([], {}), catch
    kept, missed, started = [], 0, time.monotonic()
    wanted = [m for m in MISTAKES if not asked.words or any(w in m.what for w in asked.words)]
    for mistake in wanted:
        catch = judge(tree, mistake)
        by = [*catch.lit, *catch.emulators]
        missed += not by
        kept.append({"what": mistake.what, "file": mistake.file, **dataclasses.asdict(catch)})
        minutes = (time.monotonic() - started) / 60
        said = ", ".join(by) or "NOT CAUGHT"
        print(f"{minutes:5.1f} min  {mistake.what}: {said}", flush=True)
        if asked.json:
            Path(asked.json).write_text(json.dumps(kept, indent=0))
    print(f"{len(wanted) - missed} of {len(wanted)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
