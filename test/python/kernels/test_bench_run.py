# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs of `tilewright bench`: progress, and a report that no way of ending loses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tilewright.cli import bench as command
from tilewright.cli import main
from tilewright.kernels import registry
from tilewright.testing import bench as engine
from tilewright.testing import bench_worker, machine, threads
from tilewright.testing.bench_worker import WorkerDied, new_report
from tilewright.testing.machine import Machine

MACHINE = {
    "machine": {"cpu": "a CPU", "cores": 1, "peak_gflops": {"f32": {"1": 1.0}},
                "read_gbps": {"1": 1.0}, "copy_gbps": {"1": 1.0}, "last_cache_bytes": 0}
}  # fmt: skip


def _measurement(case: str) -> dict:
    return {
        "kernel": "gemm", "case": case, "dtype": "f32", "device": "cpu", "threads": 1,
        "median_s": 1.0, "flops": 10**9, "bytes": 10, "written": 0, "limit": "compute",
        "read_gbps": None, "copy_gbps": None, "limit_fraction": 0.5, "peers": {},
        "recipes": {}, "best_peer": None, "speedup_vs_best_peer": None,
        "max_error_over_bound": 0.5, "other_cores": 0.0,
    }  # fmt: skip


N512 = [{"case": "gemm/n512/f32"}, _measurement("n512")]
N1024 = [{"case": "gemm/n1024/f32"}, _measurement("n1024")]


@pytest.fixture
def worker(monkeypatch):
    """Puts a worker in place that writes records and then does as `end` says."""

    def put(records, end="", raw=""):
        lines = "".join(json.dumps(record) + "\n" for record in records) + raw
        program = f"import os, signal, time\nprint({lines!r}, end='', flush=True)\n{end}"
        monkeypatch.setattr(
            bench_worker, "_command", lambda *_: [sys.executable, "-c", program]
        )

    return put


def test_a_whole_run(worker, capsys, tmp_path):
    worker([MACHINE, *N512, *N1024])
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    assert report["machine"] == MACHINE["machine"]
    assert [record["case"] for record in report["results"]] == ["n512", "n1024"]
    assert report["complete"] is True
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert report["origin"]["command"] == "tilewright bench gemm --threads " + ",".join(
        map(str, sorted({1, len(os.sched_getaffinity(0))}))
    )
    assert report["origin"]["versions"].keys() >= {"tilewright", "LLVM", "Python", "numpy"}
    captured = capsys.readouterr()
    cases = len(registry.bench_cases(["gemm"]))
    assert captured.err == f"[1/{cases}] gemm/n512/f32\n[2/{cases}] gemm/n1024/f32\n"
    assert "n1024" in captured.out
    assert "Other processes" not in captured.out


def test_a_disturbed_run_says_so(worker, capsys):
    worker([MACHINE, *N512, _measurement("n1024") | {"other_cores": 0.81}])
    assert main(["bench", "gemm"]) == 0
    assert "Other processes kept up to 0.8 cores busy" in capsys.readouterr().out


def test_a_terminal_has_a_bar_that_names_the_case_before_it_runs(monkeypatch):
    from rich.console import Console

    monkeypatch.setattr(command, "stderr", lambda: Console(stderr=True, force_terminal=True))
    progress = command._Progress(2)
    progress.show(MACHINE)
    for begun, record in enumerate([N512[0], N1024[0]]):
        progress.show(record)
        (task,) = progress._bar.tasks
        assert (task.description, task.completed) == (record["case"], begun)


def test_the_report_is_written_after_each_record(worker, monkeypatch, tmp_path):
    worker([MACHINE, *N512, *N1024])
    path = tmp_path / "report.json"
    written = []

    def write(path, report):
        written.append((len(report["results"]), report["complete"]))

    monkeypatch.setattr(command, "write_json", write)
    assert main(["bench", "gemm", "--json", str(path)]) == 0
    assert written == [(0, False), (0, False), (1, False), (1, False), (2, False), (2, True)]


def test_better_limits_hold_for_all_results(worker, tmp_path):
    better = {"machine": MACHINE["machine"] | {"peak_gflops": {"f32": {"1": 4.0}}}}
    worker([MACHINE, *N512, better, *N1024])
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    assert report["machine"] == better["machine"]
    assert [r["limit_fraction"] for r in report["results"]] == [0.25, 0.5]


def test_memory_limits_beside_a_row_stay(worker, tmp_path):
    beside = {"limit": "memory", "read_gbps": 0.5, "copy_gbps": 0.4, "limit_fraction": 0.7}
    bound = [N512[0], N512[1] | {"flops": 1} | beside]
    better = {"machine": MACHINE["machine"] | {"read_gbps": {"1": 9.0}}}
    worker([MACHINE, *bound, better])
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    (found,) = report["results"]
    assert (found["limit"], found["limit_fraction"]) == ("memory", 0.7)
    assert report["machine"]["read_gbps"] == {"1": 9.0}


def test_limits_seen_beside_a_row_are_the_machines(worker, tmp_path):
    beside = {"limit": "memory", "read_gbps": 3.456, "copy_gbps": 0.4}
    worker([MACHINE, N512[0], N512[1] | beside])
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 0
    machine = json.loads(path.read_text())["machine"]
    assert (machine["read_gbps"], machine["copy_gbps"]) == ({"1": 3.46}, {"1": 1.0})


def test_a_failed_case_is_in_the_report_and_the_others_run(worker, capsys, tmp_path):
    failure = "gemm/n512/f32: WrongResult: all wrong"
    worker([MACHINE, N512[0], {"failure": failure}, *N1024])
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 1
    assert f"error: {failure}\n" in capsys.readouterr().err
    report = json.loads(path.read_text())
    assert report["failures"] == [failure]
    assert [record["case"] for record in report["results"]] == ["n1024"]


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("os._exit(3)", "ended with code 3"),
    ],
)
@pytest.mark.parametrize("raw", ["", '{"kernel": "gemm", "med'])
def test_a_worker_that_dies(worker, capsys, tmp_path, end, how, raw):
    worker([MACHINE, *N512, N1024[0]], end, raw)
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 1
    captured = capsys.readouterr()
    assert f"error: the benchmark's process {how} while gemm/n1024/f32 ran" in captured.err
    assert "n512" in captured.out
    report = json.loads(path.read_text())
    assert [record["case"] for record in report["results"]] == ["n512"]
    assert report["complete"] is False


def test_a_worker_that_dies_first(worker, capsys):
    worker([], "os._exit(3)")
    assert main(["bench", "gemm"]) == 1
    captured = capsys.readouterr()
    assert "ended with code 3 while it measured the machine" in captured.err
    assert captured.out == ""


def test_an_interrupt_ends_the_worker_and_keeps_what_there_is(
    worker, monkeypatch, capsys, tmp_path
):
    started = tmp_path / "pid"
    worker(
        [MACHINE, *N512, N1024[0]],
        f"open({str(started)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)",
    )
    show = command._Progress.show

    def interrupted(progress, record):
        show(progress, record)
        if record == N1024[0]:
            while not started.exists() or not started.read_text():
                time.sleep(0.01)
            raise KeyboardInterrupt

    monkeypatch.setattr(command._Progress, "show", interrupted)
    path = tmp_path / "report.json"
    assert main(["bench", "gemm", "--json", str(path)]) == 130
    captured = capsys.readouterr()
    assert "n512" in captured.out
    assert "error: interrupted: 1 measurements done" in captured.err
    assert [r["case"] for r in json.loads(path.read_text())["results"]] == ["n512"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_a_terminated_run_leaves_its_report(tmp_path):
    path = tmp_path / "report.json"
    lines = "".join(json.dumps(r) + "\n" for r in [MACHINE, *N512, N1024[0]])
    worker = f"import time\nprint({lines!r}, end='', flush=True)\ntime.sleep(60)"
    program = (
        "import sys\nfrom tilewright.cli import main\n"
        "from tilewright.testing import bench_worker\n"
        # As the real worker does, this one ends with its parent.
        f"worker = 'from tilewright.testing.bench_worker import _end_with_parent as end\\n'"
        f" 'end()\\n' + {worker!r}\n"
        "bench_worker._command = lambda *_: [sys.executable, '-c', worker]\n"
        f"main(['bench', 'gemm', '--json', {str(path)!r}])"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe) as run:
        while b"n1024" not in run.stderr.readline():
            pass
        run.send_signal(signal.SIGTERM)
        # Both pipes are at their end only when the worker, which has them too, is gone.
        run.communicate(timeout=30)
    assert run.returncode == -signal.SIGTERM
    report = json.loads(path.read_text())
    assert [record["case"] for record in report["results"]] == ["n512"]
    assert report["complete"] is False


def test_a_run_fills_the_report_it_was_given(worker):
    worker([MACHINE, *N512], "os._exit(1)")
    report = new_report()
    with pytest.raises(WorkerDied):
        bench_worker.run(["gemm"], report=report)
    assert len(report["results"]) == 1
    with pytest.raises(ValueError, match="no case is named 'gem'"):
        bench_worker.run(["gem"])


def test_the_worker_names_each_case_before_it_runs(monkeypatch):
    records = []
    limits = Machine("a CPU", 1, {"f32": {1: 1.0}}, {1: 1.0}, {1: 1.0}, 0)
    monkeypatch.setattr(machine, "measure_machine", lambda threads: limits)
    monkeypatch.setattr(bench_worker, "_emitter", lambda: records.append)

    def bench_case(case, device, counts, machine, experience, on_machine):
        seen.append(experience)
        assert records[-1] == {"case": case.id}
        raise RuntimeError("no speed")
        yield

    seen = []
    monkeypatch.setattr(engine, "bench_case", bench_case)
    assert bench_worker.main(["moe_gate", "moe_permute", "--threads", "1"]) == 0
    assert records == [
        {"machine": limits.as_json()},
        {"case": "moe_gate/v3_t4096/f32"},
        {"failure": "moe_gate/v3_t4096/f32: RuntimeError: no speed"},
        {"case": "moe_gate/v4_t4096/f32"},
        {"failure": "moe_gate/v4_t4096/f32: RuntimeError: no speed"},
        {"case": "moe_permute/v2lite_t512/bf16"},
        {"failure": "moe_permute/v2lite_t512/bf16: RuntimeError: no speed"},
    ]
    assert seen[0] is seen[1]


def test_what_libraries_print_is_no_record():
    program = (
        "import os\nfrom tilewright.testing.bench_worker import _emitter\n"
        "emit = _emitter()\nos.write(1, b'chatter')\nemit({'case': 'a'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b'{"case": "a"}\n', b"chatter")


def test_peers_keep_the_memory_they_freed():
    program = (
        "import numpy as np, resource\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    np.ones(1 << 26, np.uint8)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "print(faults(), faults())"
    )
    environment = os.environ | threads.PEER_ENVIRONMENT
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    first, second = map(int, done.stdout.split())
    assert second < 8 < first


def test_the_table_has_cases_as_they_came_and_threads_in_order(worker, capsys):
    records = [
        _measurement(case) | {"threads": count} for case in ("b", "a") for count in (2, 1)
    ]
    worker([MACHINE, *records])
    assert main(["bench", "gemm"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = [(row[1], row[3]) for row in rows if row[:1] == ["gemm"]]
    assert shown == [("b", "1"), ("b", "2"), ("a", "1"), ("a", "2")]
