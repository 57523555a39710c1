# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who is timed in rounds, and who is not called again, by a clock that the tests move."""

from __future__ import annotations

import types

import numpy as np
import pytest

from tilewright.kernels import gemm_cases
from tilewright.testing import bench, contest
from tilewright.testing.case import Case, Expected, Peer, Spec
from tilewright.testing.contest import OURS, Experience, quick_look, worth_rounds
from tilewright.testing.machine import Machine

# One operation takes a second at least, and half of one with two threads.
MACHINE = Machine(
    "a CPU", 2, {"f32": {1: 1e-7, 2: 2e-7}}, {1: 1.0, 2: 1.0}, {1: 1.0, 2: 1.0}, 0
)


@pytest.fixture
def clock(monkeypatch):
    """Calls of `clock.call(seconds)` take that long, and are counted by name."""
    moved = types.SimpleNamespace(now=0.0, calls=[])

    def call(name, *seconds):
        left = list(seconds)

        def function():
            moved.calls.append(name)
            moved.now += left.pop(0) if len(left) > 1 else left[0]

        return function

    moved.call = call
    fake = types.SimpleNamespace(perf_counter=lambda: moved.now)
    monkeypatch.setattr(contest, "time", fake)
    monkeypatch.setattr(bench, "set_threads", lambda count: None)
    return moved


@pytest.mark.parametrize(
    ("seconds", "calls", "best"),
    [
        ([0.04, 0.02, 0.03], 3, 0.02),
        ([0.06, 0.05, 0.03], 2, 0.05),
        ([0.4, 0.3, 0.2], 2, 0.3),
        ([1.5, 0.5, 0.5], 1, 1.5),
        ([30.0, 1.0], 1, 30.0),
        ([5e-3, 2e-3, 1e-3, 0.0], 3, 1e-3),
    ],
)
def test_a_look_has_fewer_calls_the_longer_they_are(clock, seconds, calls, best):
    assert quick_look([clock.call("one", *seconds)]) == pytest.approx(best)
    assert len(clock.calls) == calls


def test_a_look_calls_every_function_in_rotation(clock):
    quick_look([clock.call(i, 0.5) for i in range(4)])
    assert clock.calls == [0, 1, 2, 3]


@pytest.mark.parametrize(("best", "far"), [(0.04, 3.0), (0.06, 2.0)])
def test_rounds_are_for_what_could_be_the_best_peer(best, far):
    looks = {OURS: 100.0, ("a", "good"): best, ("a", "not"): 1.3 * best}
    looks["b", "only"] = 0.99 * far * best
    assert worth_rounds(looks) == [OURS, ("a", "good"), ("b", "only")]
    looks["b", "only"] = 1.01 * far * best
    assert worth_rounds(looks) == [OURS, ("a", "good")]
    # However fast we are, the fastest peer is timed.
    looks[OURS] = 1e-3
    assert worth_rounds(looks) == [OURS, ("a", "good")]
    assert worth_rounds({OURS: 1.0}) == [OURS]


def test_short_recipes_near_the_best_are_told_apart_by_rounds():
    looks = {OURS: 0.1, ("a", "good"): 0.01, ("a", "near"): 0.012, ("a", "not"): 0.013}
    assert worth_rounds(looks) == [OURS, ("a", "good"), ("a", "near")]
    # A far library gets no rounds for any of its recipes.
    looks |= {("b", "good"): 0.04, ("b", "near"): 0.04}
    assert worth_rounds(looks) == [OURS, ("a", "good"), ("a", "near")]


def _case(size: float) -> Case:
    return gemm_cases.make_case(f"n{size}", 8, 4, 4)


GOOD, BAD = ("a", "good"), ("a", "bad")


def _known(*looks: tuple[int, int, float]) -> Experience:
    """After looks of (case size, threads, times the best) at a recipe; the best takes 1 s."""
    experience = Experience()
    for size, threads, times in looks:
        seconds = {GOOD: float(size), BAD: times * size}
        experience.learn(_case(size), seconds, threads, float(size))
    return experience


@pytest.mark.parametrize(
    ("looks", "size", "threads", "hopeless"),
    [
        ([], 2, 1, False),
        ([(1, 1, 29.0)], 0.1, 1, False),  # one look may have been disturbed
        ([(1, 1, 29.0)], 0.4, 1, True),  # and yet: the call would take over ten seconds
        ([(1, 1, 31.0)], 2, 1, True),
        ([(1, 1, 31.0)], 2, 2, True),
        ([(1, 1, 31.0)], 2, 4, False),  # it may gain from more threads
        ([(1, 1, 11.0), (1, 2, 11.0)], 2, 1, True),
        ([(1, 1, 11.0), (1, 2, 11.0)], 2, 2, True),
        ([(1, 1, 50.0), (1, 2, 9.0)], 2, 1, False),
        ([(1, 1, 9.0), (1, 2, 50.0)], 2, 1, False),
        ([(1, 1, 9.0), (1, 2, 11.0), (2, 1, 11.0)], 3, 1, True),  # the last two count
        ([(1, 1, 19.0), (2, 1, 50.0)], 3, 2, False),
        ([(1, 1, 21.0), (2, 1, 50.0)], 3, 2, True),
        # In the same case: slower by more than threads can make of a difference.
        ([(2, 1, 2.9)], 2, 2, False),
        ([(2, 1, 3.1)], 2, 2, True),
        ([(2, 2, 3.1)], 2, 1, True),
        ([(2, 1, 3.1)], 2, 4, False),
        ([(2, 1, 9.9)], 0.5, 2, False),  # another case
    ],
)
def test_hopeless_recipes(looks, size, threads, hopeless):
    experience = _known(*looks)
    assert experience.hopeless(_case(size), BAD, threads, float(size)) == hopeless
    assert not experience.hopeless(_case(size), GOOD, threads, float(size))
    other = gemm_cases.make_case("other", 8, 4, 4, "bf16")
    assert not experience.hopeless(other, BAD, threads, float(size))


def test_recipes_whose_call_is_short_are_always_called():
    experience = _known((1, 1, 50.0))
    assert experience.hopeless(_case(2), BAD, 1, 1 / 49)
    assert not experience.hopeless(_case(2), BAD, 1, 1 / 51)


def _peer(clock, name: str, recipe: str, *seconds: float) -> Peer:
    return Peer(name, recipe, lambda inputs: clock.call((name, recipe), *seconds))


@pytest.fixture
def toy(clock, monkeypatch):
    """Makes cases whose kernel takes `seconds`; a round takes the times of `samples`."""
    samples = {}

    def rounds(chosen, seconds):
        return {key: [samples.get(key, seconds[key])] * 7 for key in chosen}

    monkeypatch.setattr(bench, "interleaved_samples", rounds)

    def make(seconds, *peers, size=1, samples_of=()):
        samples.update(samples_of)
        takes = clock.call("ours", seconds)

        def run(target, inputs, outputs):
            takes()
            outputs["out"][...] = 0

        return Case(
            "toy", f"n{size}", "f32", lambda rng: {"x": np.zeros(4, np.float32)},
            lambda inputs: {"out": Spec((4,), np.dtype(np.float32))},
            lambda inputs: {"out": Expected(np.zeros(4))}, run, "exact", size, 0, size,
            peers=peers,
        )  # fmt: skip

    return make


def test_a_far_library_reports_its_look(clock, toy):
    case = toy(
        2.0, _peer(clock, "near", "x", 3.0), _peer(clock, "far", "y", 10.0),
        _peer(clock, "far", "z", 20.0),
    )  # fmt: skip
    (record,) = bench.bench_case(case, "cpu", [1], MACHINE)
    assert record.peers == {"near": 3.0, "far": 10.0}
    assert record.rounds == {"tilewright": 7, "near": 7, "far": 0}
    assert record.recipes == {"near": "x", "far": "y"}
    assert record.looks == {"near": {"x": 3.0}, "far": {"y": 10.0, "z": 20.0}}
    assert record.best_peer == "near"
    assert clock.calls.count(("far", "y")) == 1


def test_a_look_is_never_the_best_peer(clock, toy):
    case = toy(
        2.0, _peer(clock, "near", "x", 3.0), _peer(clock, "far", "y", 10.0),
        samples_of={("near", "x"): 11.0},
    )  # fmt: skip
    (record,) = bench.bench_case(case, "cpu", [1], MACHINE)
    assert record.peers == {"near": 11.0, "far": 10.0}
    assert record.best_peer == "near"
    assert record.speedup_vs_best_peer == pytest.approx(5.5)


def test_a_hopeless_recipe_is_not_called_again(clock, toy):
    experience = Experience()
    records = []
    for size in (1, 2, 3):
        good = _peer(clock, "a", "good", 0.2 * size)
        case = toy(1.0, good, _peer(clock, "a", "bad", 4.0 * size), size=size)
        records += bench.bench_case(case, "cpu", [1, 2], MACHINE, experience)
    # Most threads come first. Fewer make it no better, but one look may be wrong.
    assert [record.threads for record in records] == [2, 1] * 3
    bad = [record.looks["a"]["bad"] for record in records]
    assert bad == [4.0, None, 8.0, None, None, None]
    assert clock.calls.count(("a", "bad")) == 2
    good = [record.peers["a"] for record in records[::2]]
    assert good == [pytest.approx(0.2 * size) for size in (1, 2, 3)]


def test_the_last_recipe_of_a_library_is_called_however_hopeless(clock, toy):
    def breaks(inputs):
        raise RuntimeError("not for this shape")

    experience = Experience()
    case = toy(1.0, _peer(clock, "a", "good", 2.0), _peer(clock, "a", "bad", 60.0))
    list(bench.bench_case(case, "cpu", [1], MACHINE, experience))
    case = toy(1.0, Peer("a", "good", breaks), _peer(clock, "a", "bad", 60.0))
    (record,) = bench.bench_case(case, "cpu", [1], MACHINE, experience)
    assert record.peers == {"a": 60.0}
    assert record.looks == {"a": {"bad": 60.0}}
