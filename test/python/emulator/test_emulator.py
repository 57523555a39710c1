"""The Python interface of the emulator: devices, memory, modules, arguments, faults.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import gc
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from emulator import programs
from tilewright.emulator import Device, EmulatorError, EmulatorFault, Pixels, PtxError


@pytest.fixture
def gpu() -> Device:
    return Device("sm_80", max_steps=100_000)


def scaled(gpu: Device, x: np.ndarray, block: int = 128, n: int | None = None):
    """The output buffer of the scale kernel."""
    out = gpu.empty(x.shape, np.float32)
    module = gpu.load(programs.SCALE)
    n = x.size if n is None else n
    module.launch("scale", -(-n // block), block, args=[out, gpu.array(x), 2.5, n])
    return out


def test_launch(gpu: Device) -> None:
    x = np.arange(1000, dtype=np.float32)
    assert (scaled(gpu, x).numpy() == 2.5 * x).all()


@pytest.mark.parametrize("order", ["forward", "reverse", 3])
@pytest.mark.parametrize("threads", [1, 2, None])
def test_orders_and_threads(order: str | int, threads: int | None) -> None:
    x = np.arange(1000, dtype=np.float32)
    assert (scaled(Device("sm_90a", order, threads), x).numpy() == 2.5 * x).all()


def test_import_loads_no_compiler() -> None:
    code = (
        "import sys, tilewright.emulator as e; e.Device('sm_80')\n"
        "maps = open('/proc/self/maps').read()\n"
        "assert 'tilewright._compiler' not in sys.modules\n"
        "assert 'LLVM' not in maps and 'MLIR' not in maps"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_kernels(gpu: Device) -> None:
    kernels = gpu.load(programs.PARAMETERS).kernels
    assert list(kernels) == ["parameters"]
    kernel = kernels["parameters"]
    types = ["u64", "u8", "s16", "s32", "s64", "f32", "f64", "b16", "b8"]
    assert [p.type for p in kernel.parameters] == types
    assert [p.offset for p in kernel.parameters] == [0, 8, 10, 12, 16, 24, 32, 40, 48]
    assert [p.bytes for p in kernel.parameters][-1] == 12
    assert kernel.parameter_bytes == 60
    assert str(kernel.parameters[-1]) == ".b8 h[12]"
    assert kernel.required_threads is None


def test_arguments(gpu: Device) -> None:
    module = gpu.load(programs.PARAMETERS)
    out = gpu.zeros(56, np.uint8)
    half = np.float16(1.5)
    structure = np.arange(12, dtype=np.uint8).tobytes()
    module.launch("parameters", 1, 1, args=[out, 255, -2, -3, -4, 0.1, 0.1, half, structure])
    got = out.numpy().tobytes()
    assert got[0] == 255
    assert np.frombuffer(got, np.int16, 1, 2) == -2
    assert np.frombuffer(got, np.int32, 1, 4) == -3
    assert np.frombuffer(got, np.int64, 1, 8) == -4
    assert np.frombuffer(got, np.float32, 1, 16) == np.float32(0.1)
    assert np.frombuffer(got, np.float64, 1, 24) == 0.1
    assert np.frombuffer(got, np.float16, 1, 32) == half
    assert got[40:52] == structure


@pytest.mark.parametrize(
    ("index", "wrong", "message"),
    [
        (0, 1.5, "no float"),
        (0, "x", "a str is no argument"),
        (0, np.zeros(3), "device.array"),
        (1, 256, "256 does not fit"),
        (2, 2**15, "does not fit"),
        (3, np.int64(1), "takes 4 bytes, and int64 has 8"),
        (3, np.float32(1), "is an integer"),
        (5, np.int32(1), "is a float"),
        (7, 1.5, "NumPy scalar"),
        (8, b"short", "takes 12 bytes"),
        (8, 1, "structure"),
    ],
)
def test_wrong_arguments(gpu: Device, index: int, wrong: object, message: str) -> None:
    module = gpu.load(programs.PARAMETERS)
    args = [0, 1, 2, 3, 4, 5.0, 6.0, np.float16(7), bytes(12)]
    args[index] = wrong
    with pytest.raises(TypeError, match=f"argument {index} of parameters.*{message}"):
        module.launch("parameters", 1, 1, args=args)


def test_wrong_launches(gpu: Device) -> None:
    module = gpu.load(programs.SCALE)
    with pytest.raises(TypeError, match="takes 4 arguments, not 1"):
        module.launch("scale", 1, 1, args=[1])
    with pytest.raises(EmulatorError, match="no kernel other.*scale"):
        module.launch("other", 1, 1)
    with pytest.raises(EmulatorError, match="at most 1024"):
        module.launch("scale", 1, 2048, args=[0, 0, 0.0, 0])
    with pytest.raises(EmulatorError, match="clusters need sm_90"):
        module.launch("scale", 2, 32, cluster=2, args=[0, 0, 0.0, 0])
    with pytest.raises(EmulatorError, match="shared memory"):
        module.launch("scale", 1, 32, shared=1 << 20, args=[0, 0, 0.0, 0])


@pytest.mark.parametrize(
    "dtype", [np.int8, np.float64, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]
)
def test_dtypes(gpu: Device, dtype: type) -> None:
    x = np.arange(24).reshape(2, 3, 4).astype(dtype)
    buffer = gpu.array(x[:, ::-1])
    assert buffer.shape == (2, 3, 4)
    assert buffer.nbytes == x.nbytes
    got = buffer.numpy()
    assert got.dtype == x.dtype
    assert (got.view(np.uint8) == np.ascontiguousarray(x[:, ::-1]).view(np.uint8)).all()


def test_memory_is_freed(gpu: Device) -> None:
    buffer = gpu.empty(1000)
    assert gpu.memory_used == 4000
    buffer.free()
    buffer.free()
    assert gpu.memory_used == 0
    with pytest.raises(EmulatorError, match="was freed"):
        buffer.numpy()
    gpu.array([1.0])
    gc.collect()
    assert gpu.memory_used == 0
    with pytest.raises(MemoryError):
        Device("sm_80", memory_bytes=1000).empty(1001, np.uint8)


def test_variables(gpu: Device) -> None:
    module = gpu.load(programs.PARAMETERS)
    address, size = module.variable("table")
    assert (size, address % 8) == (24, 0)
    assert gpu.memory_used == 24
    module.unload()
    assert gpu.memory_used == 0
    with pytest.raises(EmulatorError, match="no kernel"):
        module.launch("parameters", 1, 1)


def test_syntax_error(gpu: Device) -> None:
    with pytest.raises(PtxError, match="line 12, column 21") as caught:
        gpu.load(
            programs.SCALE.replace("ld.param.u64 %rd1, [out];", "ld.param.u64 %rd1 [out];")
        )
    assert (caught.value.line, caught.value.column) == (12, 21)
    with pytest.raises(PtxError, match="not modelled") as caught:
        gpu.load(programs.SCALE.replace("mul.f32", "mul.bogus.f32"))
    assert caught.value.line > 4
    with pytest.raises(PtxError, match="for sm_90a, and the device is sm_80"):
        gpu.load(programs.SCALE.replace("sm_80", "sm_90a"))
    with pytest.raises(EmulatorError, match="no device sm_70"):
        Device("sm_70")


def test_out_of_bounds(gpu: Device) -> None:
    with pytest.raises(EmulatorFault) as caught:
        scaled(gpu, np.zeros(100, np.float32), block=32, n=101)
    [fault] = caught.value.faults
    assert fault.rule == "out-of-bounds"
    assert (fault.kernel, fault.block, fault.thread) == ("scale", (3, 0, 0), (4, 0, 0))
    assert fault.instruction.startswith("ld.global.f32")
    assert (fault.file, fault.source_line) == ("scale.cu", 7)
    assert fault.instruction in programs.SCALE.splitlines()[fault.line - 1]
    for part in ("out-of-bounds", "float32[100]", "scale.cu:7", "rule: "):
        assert part in str(caught.value)
    # The device goes on with no trace of it.
    assert (scaled(gpu, np.ones(4, np.float32)).numpy() == 2.5).all()


def test_use_after_free(gpu: Device) -> None:
    module = gpu.load(programs.COPY)
    x = gpu.array(np.zeros(1, np.uint32))
    address = x.address
    x.free()
    with pytest.raises(TypeError, match="freed"):
        module.launch("copy", 1, 1, args=[gpu.zeros(1), x])
    with pytest.raises(EmulatorFault) as caught:
        module.launch("copy", 1, 1, args=[gpu.zeros(1), address])
    assert caught.value.faults[0].rule == "use-after-free"


def test_undefined_data_reaches_the_host(gpu: Device) -> None:
    out, x = gpu.empty(2, np.uint32), gpu.empty(1, np.uint32)
    gpu.load(programs.COPY).launch("copy", 1, 1, args=[out, x])
    with pytest.raises(EmulatorFault) as caught:
        out.numpy()
    [fault] = caught.value.faults
    assert (fault.rule, fault.kernel, fault.line) == ("uninitialised", "", 0)
    assert "4 of them came from undefined data, the first at byte 0" in fault.message
    assert out.numpy(undefined=False).shape == (2,)
    x.write(41)
    gpu.load(programs.COPY).launch("copy", 1, 1, args=[out, x])
    assert out.numpy()[0] == 42
    with pytest.raises(EmulatorFault, match="never written, the first at byte 4"):
        out.numpy(never_written=True)


def test_race() -> None:
    for order in ("forward", "reverse"):
        device = Device("sm_80", order)
        out = device.empty(64, np.uint32)
        with pytest.raises(EmulatorFault, match="race") as caught:
            device.load(programs.RACE).launch("race", 1, 64, args=[out])
        assert {f.rule for f in caught.value.faults} <= {"race", "uninitialised"}
    unchecked = Device("sm_80", shared_races=False, uninitialised=False)
    out = unchecked.empty(64, np.uint32)
    unchecked.load(programs.RACE).launch("race", 1, 64, args=[out])


def test_max_steps() -> None:
    device = Device("sm_80", max_steps=1000)
    with pytest.raises(EmulatorFault, match="more than 1000 instructions"):
        device.load(programs.LOOP).launch("loop", 1, 1)


def test_report() -> None:
    device = Device("sm_80", statistics=True)
    scaled(device, np.arange(256, dtype=np.float32))
    report = device.report
    assert (report["kernel"], report["grid"], report["block"]) == (
        "scale",
        [2, 1, 1],
        [128, 1, 1],
    )
    opcodes = {o["name"]: o["executions"] for o in report["opcodes"]}
    assert opcodes["ld.global.f32"] == opcodes["ret"] == 8
    assert device.instructions == report["warp_instructions"] == sum(opcodes.values())
    scaled(device, np.arange(256, dtype=np.float32))
    assert device.instructions == 2 * report["warp_instructions"]
    assert report["global_read_bytes"] == report["global_written_bytes"] == 1024
    load = next(row for row in report["lines"] if row["text"].startswith("ld.global"))
    assert (load["executions"], load["lanes"], load["source_line"]) == (8, 256, 7)
    assert (load["global_bytes"], load["global_sectors"]) == (1024, 32)


def test_trace(gpu: Device) -> None:
    x = np.arange(64, dtype=np.float32)
    out = gpu.empty(64)
    lines: list[tuple[int, str]] = []
    module = gpu.load(programs.SCALE)
    args = [out, gpu.array(x), 2.0, 64]
    module.launch("scale", 1, 64, args=args, trace=(0, 1, lambda *row: lines.append(row)))
    [product] = [text for _, text in lines if "mul.f32" in text]
    assert product == "ffffffff mul.f32 %f3, %f1, %f2  // %f3 = 64 66 68 70 ..., " + (
        "%f1 = 2 2 2 2 ..., %f2 = 32 33 34 35 ..."
    )
    assert lines[-1][1].endswith("ret")
    with pytest.raises(ZeroDivisionError):
        module.launch("scale", 1, 64, args=args, trace=(0, 1, lambda *row: 1 / 0))


def test_tensor_map(gpu: Device) -> None:
    buffer = gpu.zeros((64, 128), np.float16)
    made = gpu.tensor_map(
        buffer, dtype=np.float16, sizes=(128, 64), strides=(256,), box=(64, 32), swizzle="128"
    )
    assert len(made.data) == 128
    with pytest.raises(EmulatorError, match="tensor map"):
        gpu.tensor_map(buffer, dtype="f16", sizes=(128, 64), strides=(255,), box=(64, 32))
    with pytest.raises(ValueError, match="strides"):
        gpu.tensor_map(buffer, dtype="f16", sizes=(128, 64), strides=(2, 256), box=(64, 32))


def test_tensor_map_keeps_its_memory(gpu: Device) -> None:
    sizes = {"sizes": (64,), "strides": (), "box": (64,)}
    made = gpu.tensor_map(gpu.zeros(64, np.float32), dtype=np.float32, **sizes)
    assert gpu.memory_used == 256
    del made
    assert gpu.memory_used == 0


def test_im2col_map(gpu: Device) -> None:
    buffer = gpu.zeros((2, 8, 8, 16), np.float16)
    sizes = {"sizes": (16, 8, 8, 2), "strides": (32, 256, 2048)}
    box = Pixels(lower=(-1, -1), upper=(-1, -1), channels=16, count=64)
    assert len(gpu.tensor_map(buffer, dtype=np.float16, box=box, **sizes).data) == 128
    with pytest.raises(ValueError, match="lower of a tensor map of rank 4 are 2, not 1"):
        gpu.tensor_map(buffer, dtype=np.float16, box=Pixels((0,), (0, 0), 16, 64), **sizes)
    with pytest.raises(EmulatorError, match="pixels of a column, 2000"):
        gpu.tensor_map(buffer, dtype="f16", box=Pixels((0, 0), (0, 0), 16, 2000), **sizes)


def test_numbers_out_of_range(gpu: Device) -> None:
    with pytest.raises(ValueError, match="threads"):
        Device("sm_80", threads=-1)
    module = gpu.load(programs.SCALE)
    for shared in (-1, 2**32 + 8):
        with pytest.raises(EmulatorError, match=f"no {shared} bytes"):
            module.launch("scale", 1, 1, shared=shared, args=[0, 0, 1.0, 0])


def test_instructions_are_shown_on_one_line() -> None:
    gpu = Device("sm_80")
    text = programs.SCALE.replace("%f1, %f2;", "%f1,\n\t%f9;")
    with pytest.raises(PtxError, match="%f9"):
        gpu.load(text)
    module = gpu.load(programs.SCALE.replace("ld.global.f32 %f2,", "ld.global.f32\n\t%f2, "))
    with pytest.raises(EmulatorFault) as raised:
        module.launch("scale", 1, 1, args=[0, 16, 1.0, 1])
    assert raised.value.faults[0].instruction == "ld.global.f32 %f2, [%rd4]"


def test_order_is_checked() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Device("sm_80", "backwards")
