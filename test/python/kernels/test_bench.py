# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bench engine: what it measures, against whom, and what it writes."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import re
import subprocess
import sys
import threading
import time

import ml_dtypes
import numpy as np
import pytest

from tilewright import runtime
from tilewright.kernels import (
    attention_cases,
    gemm_cases,
    moe_cases,
    registry,
    rmsnorm,
    softmax,
    sparse_mla_cases,
    swiglu,
)
from tilewright.testing import bench
from tilewright.testing.case import Peer
from tilewright.testing.machine import Machine, measure_machine
from tilewright.testing.peers import numpy_peer, to_torch
from tilewright.testing.threads import (
    OtherProcesses,
    on_all_cores,
    set_openblas_threads,
    wait_until_idle,
)
from tilewright.testing.timing import MIN_ROUNDS, interleaved_samples

MACHINE = Machine(
    cpu="a CPU",
    cores=2,
    peak_gflops={"f32": {1: 100.0, 2: 200.0}, "bf16": {1: 50.0, 2: 400.0}},
    read_gbps={1: 20.0, 2: 30.0},
    copy_gbps={1: 10.0, 2: 15.0},
    last_cache_bytes=1 << 20,
)


def test_limit_is_the_slower_of_compute_and_memory():
    assert MACHINE.limit("f32", int(1e11), 1, 0, 1) == ("compute", pytest.approx(1.0))
    assert MACHINE.limit("f32", 1, int(30e9), 0, 2) == ("memory", pytest.approx(1.0))
    # bf16 may be widened: where its own arithmetic is slower, f32's is the limit.
    assert MACHINE.limit("bf16", int(1e11), 1, 0, 1) == ("compute", pytest.approx(1.0))
    assert MACHINE.limit("bf16", int(1e11), 1, 0, 2) == ("compute", pytest.approx(0.25))
    assert MACHINE.limit("i8", int(1e11), 1, 0, 1) == ("compute", pytest.approx(1.0))
    # f8 is exact in bf16, and counts where that has an instruction.
    assert MACHINE.limit("f8e4m3fn", int(1e11), 1, 0, 2) == ("compute", pytest.approx(0.25))


def test_what_is_written_moves_as_fast_as_in_a_copy():
    giga = 10**9
    assert MACHINE.limit("f32", 1, 20 * giga, 10 * giga, 1)[1] == pytest.approx(2.0)
    # 2 GB of writes with 2 GB of reads, and 20 GB of reads alone.
    assert MACHINE.limit("f32", 1, 24 * giga, 2 * giga, 1)[1] == pytest.approx(1.4)
    # More is written than read: all of it as in a copy.
    assert MACHINE.limit("f32", 1, 10 * giga, 9 * giga, 1)[1] == pytest.approx(1.0)


def test_sets_are_eight_times_the_last_cache():
    assert MACHINE.sets_beyond_cache(1 << 20) == 8
    assert MACHINE.sets_beyond_cache((1 << 20) - 1) == 9
    assert MACHINE.sets_beyond_cache(1 << 30) == 1


def test_machine_json():
    record = json.loads(json.dumps(MACHINE.as_json()))
    assert record["peak_gflops"]["f32"] == {"1": 100.0, "2": 200.0}
    assert record["read_gbps"] == {"1": 20.0, "2": 30.0}
    assert record.keys() == {
        "cpu", "cores", "last_cache_bytes", "peak_gflops", "read_gbps", "copy_gbps",
    }  # fmt: skip
    assert Machine.from_json(record) == MACHINE


def test_limits_are_the_best_measured_and_bf16_without_instructions_is_f32s(monkeypatch):
    def measured(f32, read):
        gflops = {"f32": f32, "bf16": None, "i8": None}
        found = {"cpu": "a CPU", "gflops": gflops, "read_gbps": read, "copy_gbps": read / 2}
        return found | {"last_cache_bytes": 1 << 20}

    repeats = {
        1: [measured(90.0, 20.0), measured(80.0, 25.0), *3 * [measured(1.0, 1.0)]],
        2: [measured(150.0, 22.0), measured(180.0, 21.0), *3 * [measured(1.0, 1.0)]],
    }
    monkeypatch.setattr(runtime, "measure_limits", lambda count: repeats[count].pop())
    machine = measure_machine([2, 1])
    assert machine.peak_gflops == {"f32": {1: 90, 2: 180}, "bf16": {1: 90, 2: 180}}
    assert machine.read_gbps == {1: 25, 2: 25}  # what one thread reads, two can
    assert machine.copy_gbps == {1: 12.5, 2: 12.5}
    assert not any(repeats.values())  # five of each
    assert machine.better(dataclasses.replace(machine, read_gbps={1: 30.0})).read_gbps == {
        1: 30, 2: 25
    }  # fmt: skip


def test_turns_are_interleaved_and_rotated():
    log = []
    slow = [lambda i=i: (log.append(f"slow{i}"), time.sleep(0.03)) for i in range(2)]
    quick = [lambda: (log.append("quick"), time.sleep(0.021))]
    samples = interleaved_samples(
        {"slow": slow, "quick": quick}, {"slow": 0.03, "quick": 0.021}
    )
    assert min(samples["quick"]) >= 0.021
    assert min(samples["slow"]) >= 0.03
    assert len(log) == 2 * len(samples["slow"]) == 2 * len(samples["quick"])
    assert len(log) >= 2 * MIN_ROUNDS
    assert set(log[1::2]) == {"quick"}
    assert all(a != b for a, b in zip(log[0::2], log[2::2], strict=False))


def test_short_functions_are_called_many_times_a_sample():
    calls = []
    samples = interleaved_samples({"short": [lambda: calls.append(1)]}, {"short": 1e-5})
    assert len(calls) == 2000 * len(samples["short"])


def test_long_functions_have_the_least_rounds():
    calls = []
    samples = interleaved_samples({"long": [lambda: calls.append(1)]}, {"long": 60.0})
    assert len(calls) == len(samples["long"]) == MIN_ROUNDS == 7


def test_peers_threads_go_to_sleep():
    a = np.ones((400, 400), np.float32)
    assert set_openblas_threads(2)
    a @ a
    assert wait_until_idle()


def test_a_thread_that_works_is_not_idle():
    # Work of its own, outside of Python, for a good while.
    work = threading.Thread(
        target=hashlib.pbkdf2_hmac, args=("sha512", b"word", b"salt", 300_000)
    )
    work.start()
    assert not wait_until_idle(0.05)
    work.join()
    assert wait_until_idle()


def test_work_on_all_cores_keeps_its_order_and_blas_its_threads(monkeypatch):
    from tilewright.testing import threads

    assert set_openblas_threads(2)
    getters = list(threads._openblas_functions("get"))  # SciPy brings one of its own
    assert getters

    def threads_of_blas() -> int:
        (threads_of_all,) = {get() for get in getters}
        return threads_of_all

    assert on_all_cores(lambda i: (i, threads_of_blas()), range(50)) == [
        (i, 1) for i in range(50)
    ]
    assert threads_of_blas() == 2
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda i: 1 // i, [1, 0])
    assert threads_of_blas() == 2


def test_other_processes_are_told_from_this_one():
    others = OtherProcesses()
    spin = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) as spinning:
        spinning.stdout.readline()
        time.sleep(0.5)
        seen = others.cores()
        spinning.kill()
    assert seen > 0.1


def _toy(**changes):
    """A case of the library whose kernel is NumPy's product."""

    def run(device, inputs, outputs):
        np.matmul(inputs["a"], inputs["b"], out=outputs["out"])

    return dataclasses.replace(
        gemm_cases.make_case("toy", 64, 64, 64, peers=True), run=run, **changes
    )


@pytest.fixture
def no_runtime(monkeypatch):
    monkeypatch.setattr(bench, "set_threads", lambda count: None)


def test_measurement_has_the_documented_fields(no_runtime):
    results = list(bench.bench_case(_toy(), "cpu", [1, 2], MACHINE))
    assert [r.threads for r in results] == [2, 1]
    record = json.loads(json.dumps(dataclasses.asdict(results[0])))
    assert record.keys() == {
        "kernel", "case", "dtype", "device", "threads", "median_s", "flops", "bytes", "written",
        "read_gbps", "copy_gbps", "limit", "limit_fraction", "peers", "best_peer",
        "speedup_vs_best_peer", "max_error_over_bound", "rounds", "recipes", "looks", "sets",
        "other_cores",
    }  # fmt: skip
    assert record["peers"].keys() == {"numpy", "torch"}
    assert record["best_peer"] == min(record["peers"], key=record["peers"].get)
    best = record["peers"][record["best_peer"]]
    assert record["speedup_vs_best_peer"] == pytest.approx(best / record["median_s"])
    assert 0 < record["max_error_over_bound"] <= 1
    assert record["rounds"].keys() == {"tilewright", "numpy", "torch"}
    assert record["rounds"]["tilewright"] >= MIN_ROUNDS
    assert record["looks"]["torch"].keys() == {"matmul", "linear"}
    assert record["recipes"]["numpy"] == "matmul in f32"


def _machine(**changes):
    return dataclasses.replace(MACHINE, **changes)


class Gauge:
    """Memory that reads with 8 and 4 GB/s in turns, and copies with half of that."""

    def __init__(self, machine):
        self.calls = 0

    def measure(self, threads):
        self.calls += 1
        read = 8.0 if self.calls % 2 else 4.0
        return {"read_gbps": read, "copy_gbps": read / 2}


def test_memory_is_measured_before_each_of_our_turns(no_runtime, monkeypatch):
    monkeypatch.setattr(bench, "MemoryGauge", Gauge)

    def steady(contestants, seconds):
        assert list(contestants)[:2] == [bench.GAUGE, bench.OURS]
        for _ in range(7):
            contestants[bench.GAUGE][0]()
        return {key: [2e-3] * 7 for key in contestants}

    monkeypatch.setattr(bench, "interleaved_samples", steady)
    starved = _machine(peak_gflops={"f32": {1: 1e6}})
    (measured,) = bench.bench_case(_toy(peers=()), "cpu", [1], starved)
    # The look at the gauge is its first call; of seven rounds four are at 4 and 2 GB/s.
    assert (measured.read_gbps, measured.copy_gbps) == (4.0, 2.0)
    least = (measured.bytes - 2 * measured.written) / 4e9 + 2 * measured.written / 2e9
    assert measured.limit_fraction == pytest.approx(least / 2e-3)
    monkeypatch.undo()
    monkeypatch.setattr(bench, "set_threads", lambda count: None)
    (measured,) = bench.bench_case(_toy(peers=()), "cpu", [1], MACHINE)
    assert (measured.read_gbps, measured.limit) == (None, "compute")


def test_what_memory_limits_goes_through_more_than_a_cache_holds(no_runtime):
    starved = _machine(peak_gflops={"f32": {1: 1e6}})
    (measured,) = bench.bench_case(_toy(peers=()), "cpu", [1], starved)
    assert (measured.limit, measured.bytes) == ("memory", 3 * 64 * 64 * 4)
    assert measured.written == 64 * 64 * 4
    assert measured.sets == 171
    (measured,) = bench.bench_case(_toy(peers=()), "cpu", [1], MACHINE)
    assert (measured.limit, measured.sets) == ("compute", 1)


@pytest.mark.parametrize("real", [True, False])
def test_what_is_beyond_a_limit_is_measured_again(no_runtime, monkeypatch, real):
    slow = _machine(peak_gflops={"f32": {1: 1e-6}}, read_gbps={1: 1e3}, copy_gbps={1: 1e3})
    again = _machine(peak_gflops={"f32": {1: 1e4}}) if real else slow
    calls, told = [], []
    monkeypatch.setattr(bench, "measure_machine", lambda n: calls.append(n) or again)
    (measured,) = bench.bench_case(
        _toy(peers=()), "cpu", [1], slow, on_machine=lambda machine: told.append(machine)
    )
    assert calls == [[1]]
    assert [machine.peak_gflops["f32"][1] for machine in told] == [1e4 if real else 1e-6]
    assert measured.beyond is not real
    if not real:
        assert "gemm/toy/f32: with 1 threads it took 0.00 times" in measured.objection()


def test_a_wrong_kernel_is_not_timed(no_runtime):
    def wrong(device, inputs, outputs):
        outputs["out"][...] = 0

    with pytest.raises(bench.WrongResult, match="beyond the bound"):
        next(bench.bench_case(dataclasses.replace(_toy(), run=wrong), "cpu", [1], MACHINE))


def test_rotated_inputs_are_the_same_numbers_elsewhere(no_runtime):
    seen = []

    def prepare(inputs):
        seen.append(inputs)
        return lambda: None

    case = _toy(peers=(Peer("there", "", prepare),), rotate=3)
    next(bench.bench_case(case, "cpu", [1], MACHINE))
    assert len({inputs["a"].ctypes.data for inputs in seen}) == 3
    for inputs in seen:
        assert inputs["a"].ctypes.data % 64 == 0
        np.testing.assert_array_equal(inputs["a"], seen[0]["a"])


def test_missing_and_broken_peers(no_runtime, capsys):
    def missing(inputs):
        raise ImportError("no module named peer")

    def broken(inputs):
        raise RuntimeError("no compiler\nand more")

    def fails_when_called(inputs):
        return lambda: broken(inputs)

    peers = (
        Peer("missing", "", missing),
        Peer("broken", "jit", broken),
        Peer("late", "jit", fails_when_called),
        Peer("there", "good", lambda inputs: lambda: time.sleep(0.01)),
        Peer("there", "bad", broken),
    )
    one, two = bench.bench_case(_toy(peers=peers), "cpu", [1, 2], MACHINE)
    assert one.peers.keys() == two.peers.keys() == {"there"}
    assert one.looks.keys() == {"there"}
    assert one.looks["there"].keys() == {"good"}
    errors = capsys.readouterr().err
    assert "toy/f32: broken (jit) fails: RuntimeError: no compiler\n" in errors
    assert errors.count("late (jit) fails: RuntimeError: no compiler\n") == 1
    assert "missing" not in errors


def test_recipes_share_converted_inputs_while_these_live():
    from tilewright.testing import peers

    seen = []

    def prepare(a, b):
        seen.append(a)
        return lambda: None

    inputs = {"a": np.ones((2, 2), np.float16), "b": np.ones((2, 2), np.float16)}
    for recipe in ("one", "two"):
        numpy_peer(recipe, prepare, "f32").prepare(inputs)
    assert seen[0].dtype == np.float32
    assert seen[0] is seen[1]
    before = len(peers._conversions)
    del inputs
    gc.collect()
    assert len(peers._conversions) == before - 2


SMALL = [
    *(gemm_cases.make_case("nn", 33, 34, 64, d, peers=True) for d in ("f32", "bf16", "f16")),
    gemm_cases.make_case("int", 32, 32, 64, "i8", peers=True),
    gemm_cases.make_case("nt", 5, 34, 64, "bf16", transpose_b=True, peers=True),
    *(softmax.make_case("rows", 9, 40, d, peers=True) for d in ("f32", "bf16")),
    *(rmsnorm.make_case("rows", 9, 40, d, peers=True) for d in ("f32", "bf16")),
    *(
        attention_cases.make_case(
            "heads", 20, 20, 32, d, heads=4, kv_heads=2, causal=c, peers=True
        )
        for d in ("f32", "bf16")
        for c in (False, True)
    ),
    swiglu._case("tokens", 9, 40, peers=True),
    sparse_mla_cases.make_case(
        sparse_mla_cases.Problem("lists", s_q=18, s_kv=90, topk=40, heads=3),
        peers=sparse_mla_cases._peers(),
    ),
    sparse_mla_cases.make_case(
        sparse_mla_cases.Problem("shards", s_q=6, s_kv=90, topk=20, heads=3, shards=3),
        peers=sparse_mla_cases._peers(3),
    ),
    moe_cases.make_case(
        moe_cases.Problem("layer", 19, 96, 40, experts=8, top_k=2, shared=32),
        peers=moe_cases._peers(2),
    ),
]


def _as_numpy(result) -> np.ndarray:
    if isinstance(result, list):
        result = np.array(result)
    if not isinstance(result, np.ndarray):
        result = result.float().numpy() if result.is_floating_point() else result.numpy()
    return result.astype(np.float64)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_every_peer_does_the_same_work(case):
    pytest.importorskip("torch")
    inputs = case.make_inputs(case.generator())
    expected = case.expect(inputs)["out"].value
    tolerance = 1e-5 if case.dtype == "f32" else 3e-2
    without_numpy = case.kernel in ("sparse_mla", "moe")
    assert {peer.name for peer in case.peers} == {"torch"} | (
        set() if without_numpy else {"numpy"}
    )
    for peer in case.peers:
        if peer.recipe == "torch.compile":
            continue  # takes a C++ compiler and half a minute
        result = _as_numpy(peer.prepare(inputs)()).reshape(expected.shape)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            result, expected, atol=tolerance * scale, err_msg=peer.recipe
        )


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_tensors_share_memory_and_bits(dtype):
    torch = pytest.importorskip("torch")
    array = np.array([1.5, -2.0, 0.25]).astype(dtype)
    tensor = to_torch(array)
    assert tensor.data_ptr() == array.ctypes.data
    assert tensor.to(torch.float32).tolist() == [1.5, -2.0, 0.25]


def test_case_names_are_those_of_the_table():
    table = """gemm n512 n1024 n2048 n4096
    gemm_skinny m1 m4 m16
    attention causal_h8_s2048_d128 full_h8_s2048_d64 gqa_h32_kv8_s1024_d128
    softmax r4096_n4096
    rmsnorm r4096_n4096
    rope t4096 t4096_halves t4096_mla_h16
    act_quant t4096 t4096_ue8m0
    swiglu t4096
    mla_decode h16_s4096 h128_s4096 h16_s32768 h128_s32768
    indexer prefill_q512_s8192 decode_b8_s32768
    topk r64_n65536_k2048 r4_n262144_k2048
    sparse_mla decode_h128 prefill_h128
    moe_gate v3_t4096 v4_t4096
    moe v2lite_t1 v2lite_t512"""
    cases = registry.bench_cases()
    for line in table.splitlines():
        kernel, *names = line.split()
        assert list(dict.fromkeys(c.name for c in cases if c.kernel == kernel)) == names
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.peers and case.bytes for case in cases)


def test_selection_by_name():
    cases = registry.bench_cases(["gemm/n1024", "softmax"])
    assert {c.kernel for c in cases} == {"gemm", "softmax"}
    assert {c.name for c in cases if c.kernel == "gemm"} == {"n1024"}
    assert [c.id for c in registry.bench_cases(["gemm/n1024/i8"])] == ["gemm/n1024/i8"]
    with pytest.raises(ValueError, match=re.escape("no case is named 'gem'; the kernels are")):
        registry.bench_cases(["gem"])
