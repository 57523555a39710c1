"""Code objects: what is read of them, damaged ones, reports, and the command line.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import amd_assembly
import bundles
import numpy as np
import pytest
from case import program_of

from tilewright import emulator

ADD = program_of("triton_add", "gfx942")


def launch(device: emulator.Device, code: bytes, n: int = 1000) -> np.ndarray:
    """Triton's addition of `n` elements in arrays of 1000."""
    module = device.load(code)
    x = device.array(np.arange(1000, dtype=np.float32), "x")
    out = device.empty(1000, np.float32, "out")
    module.launch("add", grid=8, block=256, args=[x, x, out, n, 0, 0])
    return out.numpy()


def test_kernels_and_their_parameters() -> None:
    kernel = emulator.Device("gfx942").load(ADD).kernels["add"]
    assert [(p.type, p.offset, p.bytes) for p in kernel.parameters] == [
        ("u64", 0, 8), ("u64", 8, 8), ("u64", 16, 8), ("b32", 24, 4), ("u64", 32, 8),
        ("u64", 40, 8),
    ]  # fmt: skip
    assert kernel.parameter_bytes == 48
    assert kernel.max_threads == (256, 1, 1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"", "no code object"),
        (b"some text", "no code object"),
        (b"__CLANG_OFFLOAD_BUNDLE__ and so on", "bundle of code objects is damaged"),
        (b"CCOB and so on", "compressed bundle of code objects is damaged"),
        (bundles.bundle({}), "has none for gfx942; it has: host-x86_64"),
        (b"\x7fELF", "damaged"),
        (ADD[:18] + b"\x3e\x00" + ADD[20:], "not for AMD"),
        (ADD[:16] + b"\x01\x00" + ADD[18:], "not linked"),
        (ADD[:48] + b"\x2c" + ADD[49:], "not emulated"),
        (program_of("triton_add", "gfx1100"), "for gfx1100, and the device is gfx942"),
    ],
)
def test_what_is_none(code: bytes, message: str) -> None:
    with pytest.raises(emulator.CodeObjectError, match=message):
        emulator.Device("gfx942").load(code)


@pytest.mark.parametrize("form", [0, 1, 2, 3])
def test_bundles(form: int) -> None:
    """Plain, and compressed in each version: the device's entry is taken, with what the GPU
    has turned off."""
    codes = {
        bundles.target("gfx1100"): program_of("triton_add", "gfx1100"),
        bundles.target("gfx942:xnack+"): b"for another mode",
        bundles.target("gfx942:sramecc+:xnack-"): ADD,
    }
    made = bundles.bundle(codes)
    if form:
        made = bundles.compress(made, form)
    assert np.array_equal(launch(emulator.Device("gfx942"), made), 2 * np.arange(1000))
    with pytest.raises(emulator.CodeObjectError, match=r"none for gfx90a; it has: .*gfx1100"):
        emulator.Device("gfx90a").load(made)


def test_damaged_bundles() -> None:
    """Whatever a list of entries holds, there is the code object or an error."""
    random = np.random.default_rng(5)
    plain = bundles.bundle({bundles.target("gfx942"): ADD}, align=64)
    packed = bundles.compress(plain, 3)
    device = emulator.Device("gfx942", threads=1)
    sound = 0
    for number in range(400):
        code = bytearray(packed if number % 4 == 0 else plain)
        # The lists, sizes and names, which come first.
        for place in random.integers(0, 200, 1 + number % 3):
            code[int(place)] = int(random.integers(256))
        with contextlib.suppress(emulator.CodeObjectError):
            sound += "add" in device.load(bytes(code[: len(code) - number % 50])).kernels
    assert 0 < sound < 400


def test_too_many_arguments_in_registers() -> None:
    text = amd_assembly.kernel("gfx942", "  s_endpgm", lds=12344)
    code = amd_assembly.assemble(text, "gfx942")
    assert code is not None, "clang 22 and lld are in the packages"
    # The descriptor starts with the sizes of LDS, private memory and arguments.
    preload = code.index(struct.pack("<3I", 12344, 0, 16)) + 58
    for count, message in ((16, None), (17, "asks for 17 dwords"), (127, "a wave has 16")):
        changed = code[:preload] + struct.pack("<H", count) + code[preload + 2 :]
        with (
            pytest.raises(emulator.CodeObjectError, match=message)
            if message
            else contextlib.nullcontext()
        ):
            emulator.Device("gfx942").load(changed)


@pytest.mark.parametrize("debug", ["-gdwarf-2", "-gdwarf-4", "-gdwarf-5", "-gdwarf64"])
def test_source_lines(debug: str) -> None:
    """Of every version of the table, in 32 and 64 bits: each instruction's own line."""
    body = "\n".join(f"\n  v_mov_b32_e32 v{number}, 0" for number in range(2, 200))
    text = amd_assembly.kernel("gfx942", f"{body}\n  s_endpgm")
    code = amd_assembly.assemble(text, "gfx942", debug)
    assert code is not None, "clang 22 and lld are in the packages"
    device = emulator.Device("gfx942", statistics=True)
    device.load(code).launch("kernel", grid=1, block=64, args=[0, 0])
    lines = text.splitlines()
    found = [(one["text"], one) for one in device.report["lines"]]
    moves = [(words, one) for words, one in found if words.startswith("v_mov_b32_e32 v")]
    assert len(moves) >= 198
    for words, one in moves:
        assert words in lines[one["source_line"] - 1]
        assert one["file"].endswith("text.s")


def test_damaged_line_tables() -> None:
    """A fault's report has the source line or none, whatever the table holds."""
    text = amd_assembly.kernel("gfx942", "  global_load_dword v2, v1, s[4:5]\n  s_endpgm")
    code = amd_assembly.assemble(text, "gfx942")
    assert code is not None, "clang 22 and lld are in the packages"
    names = code.index(b".debug_line")
    random = np.random.default_rng(7)
    begin = code.index(b"text.s") - 64  # in the table's header, or its strings
    for _ in range(300):
        damaged = bytearray(code)
        for place in random.integers(begin, min(begin + 256, names), 2):
            damaged[int(place)] = int(random.integers(256))
        with contextlib.suppress(emulator.CodeObjectError):
            module = emulator.Device("gfx942", threads=1).load(bytes(damaged))
            with pytest.raises(emulator.EmulatorFault) as found:
                module.launch("kernel", grid=1, block=64, args=[0, 0])
            assert found.value.faults[0].rule == "out-of-bounds"


def test_cut_short_anywhere() -> None:
    for length in range(0, len(ADD), 5):
        device = emulator.Device("gfx942", threads=1)
        with contextlib.suppress(emulator.CodeObjectError):
            device.load(ADD[:length])
        assert device.memory_used < 2 * len(ADD) + 2**16


def test_damaged_anywhere() -> None:
    """Whatever a file holds, there is a result or an error, and never more."""
    random = np.random.default_rng(3)
    sound = 0
    for number in range(1500):
        code = bytearray(ADD)
        # Headers and metadata, or code and descriptors.
        places = random.integers(0, 1536 if number % 2 else len(ADD), 1 + number % 4)
        code[int(places[0])] ^= 1 << int(random.integers(8))
        for place in places[1:]:
            code[int(place)] = int(random.integers(256))
        device = emulator.Device("gfx942", threads=1, max_steps=2000, memory_bytes=2**26)
        with contextlib.suppress(emulator.EmulatorError, MemoryError, TypeError):
            launch(device, bytes(code))
            sound += 1
    assert sound > 100


def test_a_report_names_the_source() -> None:
    device = emulator.Device("gfx942")
    module = device.load(program_of("transpose", "gfx942"))
    x = device.array(np.zeros((64, 32), np.float32), "x")
    out = device.empty((32, 64), np.float32)
    with pytest.raises(emulator.EmulatorFault) as caught:
        module.launch("transpose", (1, 3), (32, 8), args=[x, out, 65, 32])
    fault = caught.value.faults[0]
    assert fault.rule == "out-of-bounds"
    assert "byte 8192 of x, which has 8192" in fault.message
    assert fault.block == (0, 2, 0)
    assert fault.file.endswith("transpose.hip")
    assert fault.source_line == 9
    assert fault.instruction.startswith("global_load_dword")


def test_undefined_results_reach_the_host() -> None:
    device = emulator.Device("gfx942")
    module = device.load(ADD)
    x, out = device.empty(1000, np.float32), device.empty(1000, np.float32)
    module.launch("add", grid=8, block=256, args=[x, x, out, 1000, 0, 0])
    with pytest.raises(emulator.EmulatorFault, match="came from undefined data"):
        out.numpy()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"block": 512}, "allows work-groups of 256 work-items, not 512"),
        ({"shared": 2**17}, "of LDS, and gfx942 has 65536"),
        ({"cluster": 2}, "no clusters"),
    ],
)
def test_launches_that_no_device_takes(changes: dict, message: str) -> None:
    device = emulator.Device("gfx942")
    with pytest.raises(emulator.EmulatorError, match=message):
        device.load(ADD).launch(
            "add", **({"grid": 8, "block": 256} | changes), args=[0, 0, 0, 0, 0, 0]
        )


def test_what_was_executed() -> None:
    device = emulator.Device("gfx942", statistics=True)
    assert np.array_equal(launch(device, ADD), 2 * np.arange(1000))
    report = device.report
    assert report["lanes_per_warp"] == 64
    assert report["global_read_bytes"] == 8000
    assert report["global_written_bytes"] == 4000
    assert sum(o["executions"] for o in report["opcodes"]) == report["warp_instructions"]
    loads = [line for line in report["lines"] if line["text"].startswith("global_load")]
    assert sum(line["global_sectors"] for line in loads) == 2 * 125
    assert sum(line["lanes"] for line in loads) == 2000


def command(*arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tilewright", "emulate", *map(str, arguments)],
        capture_output=True, text=True,
    )  # fmt: skip


def test_command_line_calls_a_damaged_file_no_code_object(tmp_path: Path) -> None:
    path = tmp_path / "add.hsaco"
    path.write_bytes(b"junk")
    ran = command(path)
    assert ran.returncode == 1
    assert "this is no code object" in ran.stderr


def test_command_line(tmp_path: Path) -> None:
    path = tmp_path / "add.hsaco"
    path.write_bytes(ADD)
    listed = command(path)
    assert listed.returncode == 0
    assert "blocks of at most 256" in listed.stdout
    arguments = ["--kernel", "add", "--grid", "4", "--block", "256"]
    for one in ("ones:f32:1000", "ones:f32:1000", "out:f32:1000", "i32:1000", "i64:0", "i64:0"):
        arguments += ["--arg", one]
    ran = command(path, *arguments, "--report", tmp_path / "report.json")
    assert ran.returncode == 0, ran.stderr
    assert "2. 2. 2." in ran.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["device"] == "gfx942"
    assert report["lines"]
    shown = command(path, *arguments, "--report", "text")
    assert "v_add_f32_e32" in shown.stdout
    page = command(path, *arguments, "--report", tmp_path / "page.html")
    assert page.returncode == 0, page.stderr
    wrong = command(path, *arguments[:-2], "--arg", "i32:1")
    assert wrong.returncode != 0
    assert "Traceback" not in wrong.stderr
    path.write_bytes(bundles.bundle({bundles.target("gfx942"): ADD}))
    bundled = command(path)
    assert bundled.stdout == listed.stdout
    path.write_bytes(ADD[:1000])
    cut = command(path)
    assert cut.returncode != 0
    assert "damaged" in cut.stderr
