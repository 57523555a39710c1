"""The test runner's own rules: a suite cannot pass by crashing or by running nothing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "run_tests.py"

JUNIT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="1 != 2">line 7</failure></testcase>
<testcase classname="a" name="broken"><error message="fixture"/></testcase>
<testcase classname="a" name="left_out"><skipped message="no GPU"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The script as a module, with its logs in a temporary folder."""
    spec = importlib.util.spec_from_file_location("run_tests", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run_tests", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LOGS", tmp_path)
    return module


def run_main(runner, monkeypatch, capsys, *, report: str | None, status: int):
    """main() with one suite, a process that leaves `report` and ends with `status`."""
    program = (
        f"import sys; text = {report!r}\n"
        "if text is not None: open(sys.argv[1], 'w').write(text)\n"
        f"print('its output'); sys.exit({status})"
    )

    def commands(path, arguments):
        yield "program", [sys.executable, "-c", program, str(path)]

    monkeypatch.setattr(runner, "SUITES", {"only": commands})
    monkeypatch.setattr(sys, "argv", ["run_tests.py"])
    code = runner.main()
    return code, capsys.readouterr().out.splitlines()


def test_last_line_counts_every_outcome(runner, monkeypatch, capsys):
    code, lines = run_main(runner, monkeypatch, capsys, report=JUNIT, status=1)
    assert code == 1
    assert lines[-1] == "1 passed, 2 failed, 1 skipped"
    assert "FAILED a.bad" in lines
    assert "    line 7" in lines


def test_all_passed(runner, monkeypatch, capsys):
    good = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>"
    code, lines = run_main(runner, monkeypatch, capsys, report=good, status=0)
    assert code == 0
    assert lines[-1] == "2 passed, 0 failed, 0 skipped"


def test_what_runs_is_shown_now_and_then(runner, monkeypatch, capsys):
    good = "<testsuite><testcase name='a'/></testsuite>"
    _, lines = run_main(runner, monkeypatch, capsys, report=good, status=0)
    assert "    only: its output" not in lines
    monkeypatch.setattr(runner, "SECONDS_BETWEEN_LINES", 0)
    _, lines = run_main(runner, monkeypatch, capsys, report=good, status=0)
    assert lines[0] == "    only: its output"


def test_counts_are_left_for_who_sums_suites_up(runner, monkeypatch, capsys):
    run_main(runner, monkeypatch, capsys, report=JUNIT, status=1)
    count = (runner.LOGS / "test-only.count").read_text()
    assert count == "1 passed, 2 failed, 1 skipped\n"


def test_crash_without_a_report_fails(runner, monkeypatch, capsys):
    code, lines = run_main(runner, monkeypatch, capsys, report=None, status=-11)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"
    assert "    its output" in lines


def test_bad_status_with_a_clean_report_fails(runner, monkeypatch, capsys):
    good = "<testsuite><testcase name='a'/></testsuite>"
    code, lines = run_main(runner, monkeypatch, capsys, report=good, status=3)
    assert code == 1
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_empty_suite_fails(runner, monkeypatch, capsys):
    code, lines = run_main(runner, monkeypatch, capsys, report="<testsuite/>", status=0)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"


def test_unknown_suite_is_a_usage_error(runner, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run_tests.py", "nonsense"])
    assert runner.main() == 2
    assert "usage" in capsys.readouterr().err
