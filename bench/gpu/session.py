"""Everything that is measured on a GPU, in one call: `python bench/gpu/session.py --help`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packing
import unpacking

HERE = Path(__file__).resolve().parent
DIST = packing.ROOT / "dist" / "gpu"
# Of the session's time, what verification may take at most, and how many processes share it:
# most of a case is compiling.
VERIFY_SHARE = 0.5
# Of what is left then: measuring, and bench/static's problems. The rest is for drawn programs.
MEASURE_SHARE = 0.5
TILES_SHARE = 0.4
VERIFY_PROCESSES = 12

EXAMPLES = """
examples:
  python bench/gpu/session.py pack                        on a build machine: dist/gpu
  python bench/gpu/session.py run --out results           on the GPU machine
  python bench/gpu/session.py run --device cuda-emulator:sm_80 --small --smoke --programs 20
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    asked = _arguments(arguments)
    try:
        return _pack(asked) if asked.command == "pack" else _run(asked)
    except (packing.PackError, unpacking.SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python bench/gpu/session.py",
        description="Verify and measure on a GPU machine that has CUDA, PyTorch, Triton, "
        "pybind11, cmake and g++, and neither LLVM 22 nor a network.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    pack = commands.add_parser("pack", help="make the archives, on a machine with a build")
    pack.add_argument("--build", type=Path, default=packing.ROOT / "build", metavar="FOLDER")
    pack.add_argument("--to", type=Path, default=DIST, metavar="FOLDER",
                      help="where it goes (default: dist/gpu, which git ignores)")  # fmt: skip
    pack.add_argument("--level", type=int, choices=range(10), default=9, metavar="0-9",
                      help="of xz: 9 (the default) takes minutes, 0 seconds")  # fmt: skip
    run = commands.add_parser("run", help="unpack, build, verify and measure")
    run.add_argument("--archive", type=Path, default=DIST, metavar="FOLDER")
    run.add_argument("--device", default="cuda", help="cuda, or an emulator for a trial")
    run.add_argument("--out", type=Path, default=Path("."), metavar="FOLDER",
                     help="where the reports go")  # fmt: skip
    run.add_argument("--work", type=Path, metavar="FOLDER",
                     help="to unpack and build in (default: a temporary folder)")  # fmt: skip
    run.add_argument("--minutes", type=float, default=9.0, help="for all of it (default: 9)")
    run.add_argument("--smoke", action="store_true", help="verify one case of each kernel")
    run.add_argument("--small", action="store_true", help="small sizes, for a trial")
    run.add_argument("--programs", type=int, default=5000, metavar="COUNT",
                     help="draw no more programs than these (default: 5000)")  # fmt: skip
    return parser.parse_args(arguments)


def _pack(asked: argparse.Namespace) -> int:
    for archive in packing.pack(asked.build, asked.to, asked.level):
        print(f"{archive}: {archive.stat().st_size / 2**20:.1f} MiB")
    return 0


def _run(asked: argparse.Namespace) -> int:
    """All steps; the reports of those that ended are there whatever becomes of the next."""
    begun = time.monotonic()
    unpacking.require_tools()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tilewright-gpu-") as folder:
        work = (asked.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        steps: dict[str, float] = {}
        manifest = _timed(steps, "unpack", lambda: unpacking.unpack(asked.archive, work))
        _timed(steps, "build", lambda: unpacking.build(work))
        session = _Session(asked, work, begun, steps, manifest)
        verified = _timed(steps, "verify", session.verify)
        measured = _timed(steps, "measure", session.measure)
        compared = _timed(steps, "same tiles", session.same_tiles)
        drawn = _timed(steps, "programs", session.programs)
        session.write()
    return 0 if verified and measured and compared and drawn else 1


def _timed(steps: dict[str, float], name: str, step: Callable[[], Any]) -> Any:
    print(f"== {name}", flush=True)
    begun = time.monotonic()
    try:
        return step()
    finally:
        steps[name] = round(time.monotonic() - begun, 1)


class _Session:
    """Verification and measurements with the extensions that were built."""

    def __init__(
        self, asked: argparse.Namespace, work: Path, begun: float, steps: dict, manifest: dict
    ) -> None:
        self.asked, self.work = asked, work
        self.environment = unpacking.environment(work)
        self.ends = begun + 60 * asked.minutes
        self.report: dict[str, Any] = {"commit": manifest["commit"], "steps_s": steps}
        self.device = self._device()
        date = datetime.date.today().isoformat()
        words = re.sub(r"[^a-z0-9]+", "-", self.device["name"].lower()).strip("-")
        self.path = asked.out / f"{date}-{words}-session.json"
        self.report |= {"date": date, "device": self.device}

    def _device(self) -> dict[str, Any]:
        """The device's full string, and what the driver calls it."""
        code = (
            "import json, sys; from tilewright import runtime; d = sys.argv[1];"
            "i = runtime.device_info(d); name = i['name']; emulated = 'emulator' in name\n"
            "if not emulated:\n"
            "    sys.path.insert(0, sys.argv[2]); from driver import Driver\n"
            "    name = Driver().facts()['device']\n"
            "print(json.dumps({'string': i['name'], 'name': name, 'emulated': emulated}))"
        )
        said = self._python(["-c", code, self.asked.device, str(HERE)], capture=True)
        if said.returncode:
            last = said.stderr.strip().splitlines()[-1:]
            raise unpacking.SetupError(f"--device {self.asked.device}: {''.join(last)}")
        return json.loads(said.stdout)

    def verify(self) -> bool:
        """`tilewright verify`, a few kernels at a time; whether every case of every kernel
        passed in the time that there is."""
        ends = time.monotonic() + VERIFY_SHARE * (self.ends - time.monotonic())
        code = (
            "from tilewright.kernels import registry;"
            "print(*dict.fromkeys(case.kernel for case in registry.verify_cases()))"
        )
        kernels = self._python(["-c", code], capture=True).stdout.split()

        def one(kernel: str) -> tuple[list[dict], int | str]:
            path = self.work / f"verify-{kernel}.json"
            command = ["-m", "tilewright", "verify", "-q", kernel, "-d", self.asked.device]
            command += ["--json", str(path), *(["--smoke"] if self.asked.smoke else [])]
            status = self._limited(command, ends - time.monotonic())
            return json.loads(path.read_text())["results"] if path.exists() else [], status

        workers = min(VERIFY_PROCESSES, len(os.sched_getaffinity(0)))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            done = dict(zip(kernels, pool.map(one, kernels)))
        results = [result for found, _ in done.values() for result in found]
        passed = sum(one["status"] == "pass" for one in results)
        self.report["verify"] = {
            "cases": len(results),
            "passed": passed,
            "failed": [one for one in results if one["status"] != "pass"],
            "not_done": {
                kernel: status for kernel, (found, status) in done.items() if not found
            },
        }
        self.write()
        print(f"{passed} of {len(results)} cases pass", flush=True)
        return bool(kernels) and all(status == 0 for _, status in done.values())

    def measure(self) -> bool:
        """The benchmarks, with the time that is left; whether all of them have figures."""
        path = self.work / "measure.json"
        seconds = MEASURE_SHARE * (self.ends - time.monotonic())
        command = [str(HERE / "measure.py"), self.asked.device, str(path)]
        command += ["--seconds", f"{0.9 * seconds:.0f}"]
        command += ["--small"] if self.asked.small else []
        status = self._limited(command, seconds)
        measured = json.loads(path.read_text()) if path.exists() else {"failures": ["none"]}
        self.report |= measured | {"measure_status": status}
        return status == 0 and not measured["failures"]

    def same_tiles(self) -> bool:
        """bench/static's problems, with the time that is left; whether all have figures of
        ours. Their sizes are for a GPU alone."""
        if self.device["emulated"]:
            self.report["same_tiles"] = "needs a GPU"
            return True
        path = self.work / "same-tiles.json"
        seconds = TILES_SHARE * (self.ends - time.monotonic())
        command = [str(HERE / "same_tiles.py"), str(path), "--seconds", f"{0.8 * seconds:.0f}"]
        status = self._limited(command, seconds)
        self.report["same_tiles"] = json.loads(path.read_text()) if path.exists() else status
        return status == 0

    def programs(self) -> bool:
        """Drawn programs, until the time is over; whether all were right. Those that fail are
        kept beside the report."""
        seconds = 0.7 * (self.ends - time.monotonic())
        kept = self.asked.out.resolve() / "programs"
        command = ["-m", "tilewright.testing.programs", "--device", self.asked.device]
        command += ["--count", str(self.asked.programs), "--seconds", f"{seconds:.0f}"]
        command += ["--jobs", str(len(os.sched_getaffinity(0))), "--corpus", str(kept)]
        said = self._python(command, capture=True)
        last = (said.stdout.strip().splitlines() or [said.stderr.strip()])[-1]
        print(last, flush=True)
        self.report["programs"] = {"said": last, "status": said.returncode}
        return said.returncode == 0

    def write(self) -> None:
        """The report, so far."""
        self.path.write_text(json.dumps(self.report, indent=1) + "\n")
        print(self.path, flush=True)

    def _limited(self, command: list[str], seconds: float) -> int | str:
        """The exit status of a Python command, or that it took too long."""
        try:
            return self._python(command, timeout=max(seconds, 1.0)).returncode
        except subprocess.TimeoutExpired:
            return f"ended after {seconds:.0f} s"

    def _python(
        self, command: list[str], *, capture: bool = False, timeout: float | None = None
    ) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *command], env=self.environment, capture_output=capture,
            text=True, timeout=timeout, cwd=os.fspath(packing.ROOT),
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
