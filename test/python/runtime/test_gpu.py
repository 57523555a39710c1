"""Kernels on emulated GPUs from Python: launches, messages, faults, and what is missing.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tilewright import runtime

from . import gpu_artifacts
from .artifacts import Scalar, Tensor
from .gpu_artifacts import ADD_BODY, ADD_PARAMS, N

DEVICES = ["cuda-emulator:sm_80", "hip-emulator:gfx942"]


@pytest.fixture(params=DEVICES)
def gpu(request) -> str:
    return request.param


# ---- launches ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("cuda-emulator", "cuda:sm_80"),
        ("cuda-emulator:sm_90a", "cuda:sm_80"),
        ("hip-emulator", "hip:gfx942"),
        ("hip-emulator:gfx1100", "hip:gfx1100"),
    ],
)
def test_one_artifact_for_all(gpu_artifact, name, target):
    kernel = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), 2, name)
    assert kernel.target == target
    a = np.arange(1001, dtype=np.float32)
    np.testing.assert_array_equal(kernel(a, 2 * a), 3 * a)


def test_devices_take_turns(gpu_artifact):
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    kernels = [
        runtime.load(path, -1, d)
        for d in (*DEVICES, "cuda-emulator:sm_90a", "hip-emulator:gfx1100")
    ]
    for i in range(8):
        a = np.full(10 + i, i, np.float32)
        np.testing.assert_array_equal(kernels[i % 4](a, a), 2 * a)


def test_executed_instructions(gpu_artifact, gpu):
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    array = np.ones(128, np.float32)
    counts = [runtime.device_info(gpu)["instructions"]]
    for n in (1, 1, 3):
        add(np.tile(array, n), np.tile(array, n))
        counts.append(runtime.device_info(gpu)["instructions"])
    first, second, third = np.diff(counts)
    assert first == second > 0
    assert third == 3 * first


def test_what_a_device_is(gpu):
    info = runtime.device_info(gpu.split(":")[0])
    assert info["name"] == gpu
    assert info["target"] == gpu.replace("-emulator", "")
    assert info["device_type"] == (2 if gpu.startswith("cuda") else 10)
    assert info["device_id"] > 0  # 0 is the device of who names none


def test_the_cpu_does_not_count():
    info = runtime.device_info("cpu")
    assert info["name"] == "cpu"
    assert info["device_type"] == 1
    assert info["instructions"] is None
    with pytest.raises(ValueError, match="device 'tpu' is unknown"):
        runtime.device_info("tpu")


def test_torch(gpu_artifact, gpu):
    torch = pytest.importorskip("torch")
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    a = torch.randn(333)
    result = add(a, a)
    assert isinstance(result, torch.Tensor)
    assert torch.equal(result, a + a)


def test_threads(gpu_artifact, gpu):
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    wrong = []

    def work(t: int) -> None:
        for i in range(5):
            a = np.full(100 + t, i, np.float32)
            if not (add(a, a) == 2 * a).all():
                wrong.append(t)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def add_in_a_child(add, a: np.ndarray) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        right = False
        try:
            right = bool((add(a, a) == 2 * a).all())
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_child_of_a_process_whose_threads_launch(gpu_artifact, gpu):
    """A lock that another thread holds when the process forks is nobody's in the child."""
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    a = np.arange(300, dtype=np.float32)
    goes_on = True

    def work() -> None:
        while goes_on:
            add(a, a)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(12):
            add_in_a_child(add, a)
    finally:
        goes_on = False
        for thread in threads:
            thread.join()
    assert (add(a, a) == 2 * a).all()


def test_a_child_of_a_process_whose_threads_load(gpu_artifact, gpu):
    """Nor does a child wait for code that a thread of its parent was loading."""
    artifact = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    a = np.arange(300, dtype=np.float32)
    kernels = [runtime.load(artifact, -1, gpu) for _ in range(12)]
    goes_on = True

    def work() -> None:
        while goes_on:
            runtime.load(artifact, -1, gpu)(a, a)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for add in kernels:
            add_in_a_child(add, a)
    finally:
        goes_on = False
        for thread in threads:
            thread.join()


# ---- messages ------------------------------------------------------------------------------

# say(A, times): each block prints its first element `times` times, and fails where that is
# negative.
SAY_PARAMS = [Tensor("A", "f32", ["n"]), Scalar("times", "i64")]
SAY_BODY = """
  tw_message_site_v1 sites[] = {
      {sizeof(*sites), "first", "say.py:3:5", TW_PRINT_F64, 0},
      {sizeof(*sites), "it is not negative", "say.py:4:5", TW_PRINT_NONE, 1}};
  void *messages = host->messages(context, sites, 2);
  pack_word(&p, words[0]);
  pack_word(&p, words[1]);
  pack_word(&p, words[3]);
  pack_word(&p, (uint64_t)messages);
  memset(sites, 0, sizeof(sites));  /* which the runtime has copied */
  return start(host, context, "say", (words[1] + 127) / 128, 0, &p);
"""


@pytest.fixture
def say(gpu_artifact, gpu):
    return runtime.load(gpu_artifact(SAY_PARAMS, N, SAY_BODY, name="say"), None, gpu)


def test_prints(say, capsys):
    say(np.arange(300, dtype=np.float32), 2)
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == [
        "first: 0 (block 0)",
        "first: 0 (block 0)",
        "first: 128 (block 1)",
        "first: 128 (block 1)",
        "first: 256 (block 2)",
        "first: 256 (block 2)",
    ]


def test_lines_that_do_not_fit(say, capsys):
    say(np.zeros(256, np.float32), 9000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16384 + 1
    assert lines[-1] == "say: 1616 more lines are lost: a launch keeps 16384"


def test_assertions(say, capsys):
    a = np.ones(600, np.float32)
    a[[128, 256, 512]] = -1
    for _ in range(2):
        with pytest.raises(runtime.KernelFault) as caught:
            say(a, 1)
        assert str(caught.value) == "say.py:4:5: say: it is not negative (block 1)"
    assert len(capsys.readouterr().out.splitlines()) == 10
    say(abs(a), 0)
    assert capsys.readouterr().out == ""


# ---- faults --------------------------------------------------------------------------------

OUTSIDE_BODY = """
  pack_word(&p, words[0]);
  pack_word(&p, words[1]);
  return start(host, context, "outside", 1, 0, &p);
"""


def test_faults_are_the_emulators(gpu_artifact, gpu, capfd):
    path = gpu_artifact([Tensor("C", "f32", ["n"], "w")], N, OUTSIDE_BODY, name="outside")
    outside = runtime.load(path, None, gpu)
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    c = np.ones(10, np.float32)
    for _ in range(2):
        with pytest.raises(
            runtime.CheckError, match="out-of-bounds: it writes 4 bytes"
        ) as caught:
            outside(c)
        (fault,) = caught.value.faults
        assert (fault.rule, fault.kernel, fault.thread) == (
            "out-of-bounds",
            "outside",
            (0, 0, 0),
        )
        np.testing.assert_array_equal(add(c, c), 2 * c)  # nothing is spoilt
    assert capfd.readouterr().err == ""


def test_faults_of_threads_are_their_own(gpu_artifact, gpu):
    path = gpu_artifact([Tensor("C", "f32", ["n"], "w")], N, OUTSIDE_BODY, name="outside")
    outside = runtime.load(path, None, gpu)
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), -1, gpu)
    failed = []

    def work(kernel, *arguments) -> None:
        for _ in range(10):
            try:
                kernel(*arguments)
            except runtime.KernelFault:
                failed.append(kernel)

    a = np.ones(10, np.float32)
    threads = [threading.Thread(target=work, args=args) for args in [(outside, a), (add, a, a)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [outside] * 10


# ---- what is missing -----------------------------------------------------------------------


def test_no_image(gpu_artifact, kernel):
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    with pytest.raises(RuntimeError, match="add: the artifact has no image for cpu"):
        runtime.load(path)
    with pytest.raises(RuntimeError, match="hip-emulator:gfx950 does not run code for hip:"):
        runtime.load(path, None, "hip-emulator:gfx950")


@pytest.mark.parametrize("name", ["cuda-emulator:sm_9", "hip-emulator:gfx9", "cuda-emulator:"])
def test_no_such_gpu(gpu_artifact, name):
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    with pytest.raises(
        RuntimeError, match=f"device '{name}': there is no device .*emulator has"
    ):
        runtime.load(path, None, name)


LOAD = """
import sys
from tilewright import runtime
try:
    runtime.load(sys.argv[1], None, sys.argv[2])
    print("loaded")
except Exception as error:
    print(error)
"""


def _load(path, device: str, **environment: str) -> str:
    """What loading in another process says."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, path, device],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "variable"),
    [("cuda", "TILEWRIGHT_CUDA_DRIVER"), ("hip", "TILEWRIGHT_HIP_DRIVER")],
)
def test_drivers_by_name(gpu_artifact, tmp_path, name, variable):
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    said = _load(path, name, **{variable: str(tmp_path / "nothing.so")})
    assert said.startswith(f"device '{name}': {variable} names a library that does not load: ")
    # The C library is none.
    said = _load(path, f"{name}-emulator", **{variable: "libc.so.6"})
    assert said.startswith(f"device '{name}-emulator': the library of ")
    # What LD_LIBRARY_PATH would do to a machine with a GPU.
    stub = "cuda-stub/libcuda.so.1" if name == "cuda" else "hip-stub/libamdhip64.so"
    library = gpu_artifacts.BUILD / "lib" / stub
    assert _load(path, name, **{variable: str(library)}) == "loaded"
    assert _load(path, f"{name}-emulator", **{variable: str(library)}) == "loaded"
    arch = "sm_86" if name == "cuda" else "gfx950"
    wanted = "cuda:sm_90" if name == "cuda" else "hip:gfx942"
    said = _load(path, wanted, **{variable: str(library), "TILEWRIGHT_EMULATOR_ARCH": arch})
    assert said.startswith(
        f"device '{wanted}': this machine has {arch}; the device '{name}-emu"
    )


@pytest.mark.parametrize(
    ("name", "library"), [("cuda", "libcuda.so.1"), ("hip", "libamdhip64.so")]
)
def test_no_driver(gpu_artifact, name, library):
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    said = _load(path, name)
    if said == "loaded" or "finds no GPU" in said:
        pytest.skip("this machine has the driver")
    assert f"no {library}, the library of" in said
    assert said.endswith(f"the device '{name}-emulator' needs neither a GPU nor a driver")


def test_symbol_is_not_taken_for_the_drivers(gpu_artifact):
    """A process with emulated GPUs still finds the machine's own driver, if there is one."""
    program = (
        "import ctypes, sys\nfrom tilewright import runtime\n"
        "runtime.load(sys.argv[1], None, 'cuda-emulator')\n"
        "runtime.load(sys.argv[1], None, 'hip-emulator')\n"
        "for name in ('libcuda.so.1', 'libamdhip64.so'):\n"
        "    try: assert not hasattr(ctypes.CDLL(name), 'cuTilewrightDevice')\n"
        "    except OSError: pass\n"
    )
    path = gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add")
    subprocess.run(
        [sys.executable, "-c", program, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )


def test_arguments_are_checked_as_on_the_cpu(gpu_artifact, gpu):
    add = runtime.load(gpu_artifact(ADD_PARAMS, N, ADD_BODY, name="add"), None, gpu)
    a = np.ones(4, np.float32)
    with pytest.raises(runtime.LaunchError, match="expected n = 4"):
        add(a, a, np.ones(5, np.float32))
    with pytest.raises(runtime.LaunchError, match="'C' shares memory with argument 'A'"):
        add(a, np.ones(4, np.float32), a)
    with pytest.raises(runtime.LaunchError, match="dtype float64"):
        add(a.astype(np.float64), a, a)
