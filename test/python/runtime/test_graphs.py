"""Graphs of launches: those of tilewright.Graph, and captures by others.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import gc
import threading
import weakref
from ctypes import byref, c_uint64, c_void_p

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import runtime

from .artifacts import Tensor
from .device_memory import ACTIVE, BLOCKING, GLOBAL, INVALIDATED, NONE, Array, Driver
from .gpu_artifacts import N
from .test_gpu import SAY_BODY, SAY_PARAMS

DEVICES = ["cuda-emulator:sm_80", "hip-emulator:gfx942"]
COUNT = 300
VALUES = np.arange(COUNT, dtype=np.float32)

# triple(A, C): C = 2 * A + A, by way of a workspace.
TRIPLE_PARAMS = [Tensor("A", "f32", ["n"]), Tensor("C", "f32", ["n"], "w")]
TRIPLE_BODY = """
  uint64_t n = words[1];
  void *twice = host->workspace(context, (int64_t)(4 * n));
  parameters first = {.size = 0};
  float two = 2;
  pack_word(&first, words[0]);
  pack_word(&first, (uint64_t)twice);
  pack(&first, &two, 4);
  pack_word(&first, 1);
  pack_word(&first, n);
  pack_word(&first, n);
  pack_word(&first, 1);
  pack_word(&first, n);
  pack_word(&first, 1);
  int32_t status = start(host, context, "scale", (n + 127) / 128, 0, &first);
  if (status)
    return status;
  pack_word(&p, (uint64_t)twice);
  pack_word(&p, words[0]);
  pack_word(&p, words[3]);
  pack_word(&p, n);
  return start(host, context, "add", (n + 127) / 128, 0, &p);
"""


@T.prim_func
def double(A: T.Tensor((COUNT,), "float32"), C: T.Tensor((COUNT,), "float32")):
    with T.Kernel(T.ceildiv(COUNT, 128), threads=128) as block:
        for i in T.Parallel(128):
            C[block * 128 + i] = 2 * A[block * 128 + i]


@pytest.fixture(params=DEVICES)
def gpu(request) -> str:
    return request.param


@pytest.fixture
def driver(gpu):
    yield Driver(gpu)
    Array.current_stream = c_void_p()


@pytest.fixture
def triple(gpu_artifact, gpu):
    return runtime.load(gpu_artifact(TRIPLE_PARAMS, N, TRIPLE_BODY, name="triple"), None, gpu)


@pytest.fixture
def say(gpu_artifact, gpu):
    return runtime.load(gpu_artifact(SAY_PARAMS, N, SAY_BODY, name="say"), None, gpu)


# ---- recording and replaying ---------------------------------------------------------------


def test_replays_are_launches(gpu, driver, triple):
    twice = tilewright.compile(double, target=gpu)
    a, b, c = (Array(driver, x) for x in (VALUES, -VALUES, -VALUES))
    with tilewright.Graph(gpu) as graph:
        twice(a, b)
        triple(b, c)
        triple(c, b)
    assert graph.launches == 3
    assert graph.device == gpu
    assert "3 launches" in repr(graph)
    np.testing.assert_array_equal(c.read(), -VALUES)  # nothing has run
    for values in (VALUES, VALUES[::-1].copy()):
        a.write(values)
        for _ in range(2):
            c.write(0.0)
            graph.replay()
            np.testing.assert_array_equal(c.read(), 6 * values)
            np.testing.assert_array_equal(b.read(), 18 * values)
    twice(a, b)  # as if there were no graph
    np.testing.assert_array_equal(b.read(), 2 * a.read())


def test_the_same_program_on_the_cpu():
    kernel = tilewright.compile(double)
    a, b, c = VALUES.copy(), np.zeros(COUNT, np.float32), np.zeros(COUNT, np.float32)
    with tilewright.Graph("cpu") as graph:
        kernel(a, b)
        kernel(b, C=c)
        d = tilewright.compile(double, out_idx=1)(c)
    assert not c.any()
    for factor in (1, 3):
        a[:] = factor * VALUES
        graph.replay()
        np.testing.assert_array_equal(c, 4 * a)
        np.testing.assert_array_equal(d, 8 * a)


def test_a_replay_fails_as_a_launch_does(kernel):
    body = 'host->fault(context, "no", "here.py:1:1", 3);'
    faulty = kernel([], body=body, name="faulty")
    with tilewright.Graph("cpu") as graph:
        faulty()
    for _ in range(2):
        with pytest.raises(runtime.KernelFault, match="no"):
            graph.replay()


def test_what_launches_use_is_kept(gpu, driver, triple):
    triple(VALUES, np.empty_like(VALUES))  # which loads its code
    used = driver.used()
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    kept = [weakref.ref(x) for x in (a, c)]
    with tilewright.Graph(gpu) as graph:
        triple(a, c)
    memory = c.memory.value
    del a, c, triple
    gc.collect()
    graph.replay()
    c = kept[1]()
    assert c is not None
    assert c.memory.value == memory
    np.testing.assert_array_equal(c.read(), 3 * VALUES)
    del c, graph
    gc.collect()
    assert [one() for one in kept] == [None, None]
    assert driver.used() == used


def test_a_buffer_is_kept_from_growing():
    buffer = bytearray(VALUES.tobytes())
    copy = tilewright.compile(double)
    c = np.zeros(COUNT, np.float32)
    with tilewright.Graph("cpu") as graph:
        copy(memoryview(buffer).cast("f"), c)
    with pytest.raises(BufferError):
        buffer.extend(b"more")
    graph.replay()
    np.testing.assert_array_equal(c, 2 * VALUES)
    del graph
    buffer.extend(b"more")


def test_replays_go_to_the_current_stream(gpu, driver, triple):
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    with tilewright.Graph(gpu) as graph:
        triple(a, c)
    Array.current_stream = stream = driver.stream()
    driver.begin(stream, GLOBAL)
    with pytest.raises(ValueError, match="a graph cannot be a part of another"):
        graph.replay()
    captured = c_void_p()
    driver.end(stream, byref(captured))
    graph.replay()
    np.testing.assert_array_equal(c.read(), 3 * VALUES)


def test_other_threads_launch(gpu, driver, triple):
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    with tilewright.Graph(gpu) as graph:
        thread = threading.Thread(target=triple, args=(a, c))
        thread.start()
        thread.join()
        np.testing.assert_array_equal(c.read(), 3 * VALUES)
    assert graph.launches == 0


@pytest.mark.every_device
def test_threads_replay_one_graph(device):
    """At once, with the workspaces of one recording, while its owner lets it go."""
    n = T.dynamic("n")

    @T.prim_func
    def turned(A: T.Tensor((n,), "float32"), C: T.Tensor((n,), "float32")):
        W = T.alloc_global((n,), "float32")
        with T.Kernel(T.ceildiv(n, 64), threads=64) as block:
            for i in T.Parallel(64):
                W[block * 64 + i] = 2 * A[block * 64 + i]
        with T.Kernel(T.ceildiv(n, 64), threads=64) as block:
            for i in T.Parallel(64):
                C[block * 64 + i] = W[n - 1 - (block * 64 + i)]

    a, c = VALUES.copy(), np.zeros_like(VALUES)
    if device != "cpu":
        driver = Driver(device)
        a, c = Array(driver, a), Array(driver, c)
    launch = tilewright.compile(turned, target=device)
    graph = tilewright.Graph(device)
    with graph:
        launch(a, c)
        launch(a, c)
    failures = []

    def replay(graph):
        try:
            for _ in range(30):
                graph.replay()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=replay, args=(graph,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    del graph
    gc.collect()
    for thread in threads:
        thread.join()
    assert not failures
    np.testing.assert_array_equal(c if device == "cpu" else c.read(), 2 * VALUES[::-1])


def test_a_kernel_that_is_dropped_spoils_no_recording(gpu, driver, triple, gpu_artifact):
    other = runtime.load(gpu_artifact(TRIPLE_PARAMS, N, TRIPLE_BODY, name="triple"), None, gpu)
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    other(a, c)
    c.write(0.0)
    with tilewright.Graph(gpu) as graph:
        del other
        triple(a, c)
    graph.replay()
    np.testing.assert_array_equal(c.read(), 3 * VALUES)


# ---- errors --------------------------------------------------------------------------------


def test_wrong_uses(gpu):
    graph = tilewright.Graph(gpu)
    with pytest.raises(RuntimeError, match="the graph is empty: launch kernels in `with"):
        graph.replay()
    with graph:
        with pytest.raises(RuntimeError, match="this thread records a graph already"):
            tilewright.Graph("cpu").__enter__()
        with pytest.raises(RuntimeError, match="is being recorded; replay it after"):
            graph.replay()
    with pytest.raises(RuntimeError, match="no kernel was launched in its `with` block"):
        graph.replay()
    with pytest.raises(RuntimeError, match="recorded once"):
        graph.__enter__()
    with pytest.raises(RuntimeError, match="ends it"):
        graph.__exit__(None, None, None)
    with pytest.raises(ValueError, match="device 'tpu' is unknown"):
        tilewright.Graph("tpu")
    with pytest.raises(TypeError):
        tilewright.Graph()


def test_an_exception_leaves_nothing(gpu, driver, triple):
    a, c = Array(driver, VALUES), Array(driver, -VALUES)
    graph = tilewright.Graph(gpu)

    def record() -> None:
        with graph:
            triple(a, c)
            raise KeyError

    with pytest.raises(KeyError):
        record()
    with pytest.raises(RuntimeError, match="the recording of the graph failed"):
        graph.replay()
    triple(a, c)
    np.testing.assert_array_equal(c.read(), 3 * VALUES)


def test_a_refused_launch_is_not_recorded(gpu, driver, triple, say):
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    cpu = tilewright.compile(double)
    with tilewright.Graph(gpu) as graph:
        with pytest.raises(runtime.LaunchError, match=f"'A' is in the host's .* on {gpu}, or"):
            triple(VALUES, c)
        with pytest.raises(runtime.LaunchError, match="size"):
            triple(a, Array(driver, VALUES[1:].copy()))
        with pytest.raises(RuntimeError, match="say: it prints or asserts, .* outside of the"):
            say(a, 1)
        with pytest.raises(RuntimeError, match=f"for cpu.* one of {gpu}"):
            cpu(VALUES, VALUES.copy())
        triple(a, c)
    assert graph.launches == 1
    graph.replay()
    np.testing.assert_array_equal(c.read(), 3 * VALUES)


# ---- captures by others --------------------------------------------------------------------


@pytest.fixture
def capture(driver):
    """`capture(flags)`: the library's current stream, which captures as torch.cuda.graph does;
    `capture.end()` gives what it captured, ready to run."""

    class Capture:
        def __call__(self, flags: int) -> c_void_p:
            Array.current_stream = self.stream = driver.stream(flags)
            driver.begin(self.stream, GLOBAL)
            return self.stream

        def end(self) -> c_void_p:
            graph, executable = c_void_p(), c_void_p()
            driver.end(self.stream, byref(graph))
            driver.instantiate(byref(executable), graph, c_uint64(0))
            driver.destroy_graph(graph)
            assert driver.status(self.stream) == NONE
            return executable

    return Capture()


@pytest.mark.parametrize("flags", [0, 1])
def test_launches_are_captured(gpu, driver, gpu_artifact, capture, flags):
    """Among them the first of a kernel, whose code is loaded meanwhile."""
    path = gpu_artifact(TRIPLE_PARAMS, N, TRIPLE_BODY, name="triple")
    triple = runtime.load(path, None, gpu)
    twice = tilewright.compile(double, target=gpu)
    a, b, c = (Array(driver, x) for x in (VALUES, -VALUES, -VALUES))
    stream = capture(flags)
    triple(a, b)
    twice(b, c)
    assert driver.status(stream) == ACTIVE
    executable = capture.end()
    np.testing.assert_array_equal(b.read(), -VALUES)
    del triple, twice  # but not the code that the graph runs
    gc.collect()
    for values in (VALUES, 5 * VALUES):
        a.write(values)
        for _ in range(2):
            driver.launch(executable, stream)
            np.testing.assert_array_equal(c.read(), 6 * values)
    driver.destroy_executable(executable)


def test_what_cannot_be_captured(driver, triple, say, capture):
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    stream = capture(BLOCKING)
    with pytest.raises(runtime.LaunchError, match="argument 'A' is in the host's memory"):
        triple(VALUES, c)
    with pytest.raises(RuntimeError, match="say: it prints or asserts"):
        say(a, 1)
    Array.current_stream = c_void_p()  # which would wait for the other
    with pytest.raises(
        RuntimeError, match=r"the stream takes no work: .*(?i:capture_?implicit)"
    ):
        triple(a, c)
    Array.current_stream = stream
    assert driver.status(stream) == ACTIVE
    triple(a, c)
    executable = capture.end()
    driver.launch(executable, stream)
    np.testing.assert_array_equal(c.read(), 3 * VALUES)
    driver.destroy_executable(executable)


def test_a_capture_that_has_failed(driver, triple, capture):
    a, c = Array(driver, VALUES), Array(driver, VALUES)
    stream = capture(BLOCKING)
    with pytest.raises(RuntimeError):
        driver.synchronize(stream)
    assert driver.status(stream) == INVALIDATED
    with pytest.raises(RuntimeError, match="due to a previous error during capture"):
        triple(a, c)
    with pytest.raises(RuntimeError):
        capture.end()
    triple(a, c)
    np.testing.assert_array_equal(c.read(), 3 * VALUES)


def test_a_graph_while_another_captures(gpu, driver, triple, capture):
    a, b, c = (Array(driver, VALUES) for _ in range(3))
    capture(1)
    triple(a, b)
    with tilewright.Graph(gpu) as graph:
        triple(a, c)
    executable = capture.end()
    graph.replay()
    np.testing.assert_array_equal(c.read(), 3 * VALUES)
    np.testing.assert_array_equal(b.read(), VALUES)
    driver.destroy_executable(executable)
