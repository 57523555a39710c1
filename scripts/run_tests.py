"""Run the test suites and count: the last line is `N passed, N failed, N skipped`.

usage: run_tests.py [lit] [unit] [python] [-- ARGUMENT...]

Every suite runs even where an earlier one fails. A suite that crashes, leaves no report or
runs no test counts as a failure. Arguments after `--` go to the runner (with one suite).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("TILEWRIGHT_BUILD_DIR", "build")
LOGS = BUILD / "logs"
FAILURES_SHOWN = 10
SECONDS_BETWEEN_LINES = 60  # of progress, where the output is no terminal
LINES_SHOWN = 25
MOST_PROCESSES = 8  # of pytest: one may take a gigabyte


@dataclass
class Tally:
    """What became of the tests of one suite: counts, and (name, text) of each failure."""

    passed: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    def read_junit(self, report: Path) -> int:
        """Add the tests of a JUnit file; return how many there were."""
        cases = list(ElementTree.parse(report).iter("testcase"))
        for case in cases:
            bad = [e for e in case if e.tag in ("failure", "error")]
            name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
            if bad:
                text = "\n".join(e.text or e.get("message") or "" for e in bad)
                self.failures.append((name, text.strip()))
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.skipped += 1
            else:
                self.passed += 1
        return len(cases)


def lit_commands(report: Path, arguments: list[str]) -> Iterator[tuple[str, list[str]]]:
    """lit is one command."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    llvm = next(line for line in cache.splitlines() if line.startswith("LLVM_ROOT_DIR:"))
    lit = Path(llvm.split("=", 1)[1]) / "bin" / "lit"
    yield "lit", [
        sys.executable, str(lit.resolve()), "-v", "--xunit-xml-output", str(report),
        *arguments, str(BUILD / "test" / "lit"),
    ]  # fmt: skip


def unit_commands(report: Path, arguments: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each GoogleTest program that CMake knows is one command."""
    listing = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=BUILD, check=True, capture_output=True
    )
    for test in json.loads(listing.stdout)["tests"]:
        command = [*test["command"], f"--gtest_output=xml:{report}", *arguments]
        yield test["name"], command


def python_commands(report: Path, arguments: list[str]) -> Iterator[tuple[str, list[str]]]:
    """pytest is one command, with a process on each core: most tests compile, on one."""
    spread = ["-n", "auto", f"--maxprocesses={MOST_PROCESSES}", "--dist", "worksteal"]
    yield "pytest", [
        sys.executable, "-m", "pytest", f"--junitxml={report}", *spread, *arguments,
    ]  # fmt: skip


SUITES = {"lit": lit_commands, "unit": unit_commands, "python": python_commands}


def run_logged(command: list[str], log, label: str) -> int:
    """Run a command with its output in a log, and show its last line: on a terminal always,
    else now and then, so that nobody is left wondering.
    """
    live = sys.stdout.isatty()
    due = time.monotonic() + SECONDS_BETWEEN_LINES
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    for line in process.stdout:
        log.write(line)
        log.flush()
        if live:
            print(f"\r{label:8} {line.strip()[:60]}\033[K", end="", flush=True)
        elif time.monotonic() >= due:
            print(f"    {label}: {line.strip()[:80]}", flush=True)
            due = time.monotonic() + SECONDS_BETWEEN_LINES
    return process.wait()


def run_suite(suite: str, arguments: list[str]) -> Tally:
    """Run one suite, its output in build/logs/<suite>.log."""
    tally = Tally()
    log_path = LOGS / f"test-{suite}.log"
    report = LOGS / f"test-{suite}.xml"
    seen = 0
    with log_path.open("w") as log:
        for name, command in SUITES[suite](report, arguments):
            report.unlink(missing_ok=True)
            failed_before = len(tally.failures)
            status = run_logged(command, log, suite)
            if report.exists():
                seen += tally.read_junit(report)
            if not report.exists() or (status != 0 and len(tally.failures) == failed_before):
                tail = "\n".join(log_path.read_text().splitlines()[-LINES_SHOWN:])
                tally.failures.append((name, f"ended with status {status}\n{tail}"))
    if seen == 0 and not tally.failures:
        tally.failures.append((suite, "the suite ran no test"))
    return tally


def show(suite: str, tally: Tally, seconds: float) -> None:
    """One line for the suite, then its first failures."""
    clear = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{clear}{suite:8} {count_line(tally)}   {seconds:.0f} s", flush=True)
    (LOGS / f"test-{suite}.count").write_text(count_line(tally) + "\n")
    for name, text in tally.failures[:FAILURES_SHOWN]:
        lines = text.splitlines()
        shown = lines if len(lines) <= LINES_SHOWN else ["...", *lines[-LINES_SHOWN:]]
        print(f"\nFAILED {name}")
        print("\n".join(f"    {line}" for line in shown))
    if len(tally.failures) > FAILURES_SHOWN:
        print(f"\n... and {len(tally.failures) - FAILURES_SHOWN} more:")
        print("\n".join(f"FAILED {name}" for name, _ in tally.failures[FAILURES_SHOWN:]))
    if tally.failures:
        print(f"\nthe whole output is in {LOGS / f'test-{suite}.log'}\n", flush=True)


def count_line(tally: Tally) -> str:
    """`N passed, N failed, N skipped`."""
    return f"{tally.passed} passed, {len(tally.failures)} failed, {tally.skipped} skipped"


def main() -> int:
    """Run the named suites; return the exit status."""
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    suites, arguments = sys.argv[1:split] or list(SUITES), sys.argv[split + 1 :]
    unknown = [s for s in suites if s not in SUITES]
    if unknown or (arguments and len(suites) > 1):
        print(__doc__, file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    total = Tally()
    for suite in suites:
        start = time.monotonic()
        tally = run_suite(suite, arguments)
        show(suite, tally, time.monotonic() - start)
        total.passed += tally.passed
        total.skipped += tally.skipped
        total.failures += tally.failures
    print(count_line(total), flush=True)
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
