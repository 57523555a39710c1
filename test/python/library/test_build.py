"""Libraries that are built: what C and C++ programs see of them, on the CPU and on emulated
GPUs, and what becomes of builds that fail.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

import tilewright
from tilewright.compiler.device_code import ptxas_version
from tilewright.library import BuildError, Library, SpecError, build, read_spec

from .conftest import make_library
from .kernels_to_build import add_integers, broken, row_sums, scale

DOCS = Path(__file__).resolve().parents[3] / "docs"
LIB = Path(tilewright.__path__[-1]).parents[1] / "lib"
# Nothing of Python, nor of the compiler.
ENVIRONMENT = {
    "TILEWRIGHT_CUDA_DRIVER": str(LIB / "libtilewright_cuda_driver.so"),
    "TILEWRIGHT_HIP_DRIVER": str(LIB / "libtilewright_hip_driver.so"),
}

PROGRAM_C = r"""
#include "probe.h"
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
  return printf("%s: %s\n", what, probe_last_error()), 1;
}

int main(int count, char **arguments) {
  probe_stream *stream = NULL;
  probe_device *device = NULL;
  if (count > 1 && (probe_device_open(arguments[1], &device) != PROBE_OK ||
                    probe_stream_create(device, &stream) != PROBE_OK))
    return failed("device");
  float x[100], y[100];
  for (int i = 0; i < 100; ++i)
    x[i] = (float)i, y[i] = -1;
  int64_t shape[1] = {100};
  probe_tensor X = {x, 1, 0, 1, PROBE_DL_FLOAT, 32, 1, shape, NULL, 4 * sizeof(float)};
  probe_tensor Y = {y, 1, 0, 1, PROBE_DL_FLOAT, 32, 1, shape, NULL, 0};
  shape[0] = 96;
  if (probe_scale(stream, &X, 0.5f, &Y) != PROBE_OK)
    return failed("scale");
  printf("%g %g %g\n", y[0], y[95], y[96]);
  shape[0] = 95;
  if (probe_scale(stream, &X, 0.5f, &Y) == PROBE_ERROR_ARGUMENT)
    puts(probe_last_error());

  int64_t wide[2] = {6, 16}, rows = 6;
  uint64_t bytes = 0;
  char text[400];
  X.rank = 2, X.shape = wide, X.byte_offset = 0, Y.shape = &rows;
  if (probe_row_sums(stream, &X, &Y) != PROBE_OK ||
      probe_row_sums_workspace(&bytes, stream, &X, &Y) != PROBE_OK ||
      probe_row_sums_explain(text, sizeof(text), stream, &X, &Y) != PROBE_OK)
    return failed("row_sums");
  printf("%g %g, %d bytes\n%s\n", y[0], y[5], (int)bytes, text);
  wide[1] = 9;
  if (probe_row_sums(stream, &X, &Y) == PROBE_ERROR_ARGUMENT)
    puts(probe_last_error());
  wide[1] = 16;
  probe_choose("probe_row_sums", "of_8");
  if (probe_row_sums(stream, &X, &Y) == PROBE_ERROR_ARGUMENT)
    puts(probe_last_error());
  if (probe_choose("probe_row_sums", "of_9") == PROBE_ERROR_INVALID)
    puts(probe_last_error());
  probe_choose("probe_row_sums", NULL);
  if (probe_row_sums(stream, &X, &Y) != PROBE_OK)
    return failed("row_sums again");
  if (probe_row_sums(stream, NULL, &Y) == PROBE_ERROR_ARGUMENT)
    puts(probe_last_error());
  probe_stream_destroy(stream);
  probe_device_close(device);
  return 0;
}
"""

PROGRAM_CPP = r"""
#include "probe.hpp"
#include <cstdio>
#include <vector>

int main(int count, char **arguments) {
  std::vector<std::int64_t> x{1, 2, 1ll << 40}, z(3);
  try {
    probe::device device(count > 1 ? arguments[1] : "cpu");
    probe::stream stream(device);
    probe::buffer<std::int64_t> there(device, 3);
    there.upload(x.data());
    probe::add(probe::tensor(there, {3}), -1, probe::tensor(there, {3}), stream);
  } catch (const probe::error &error) {
    std::puts(error.what());
  }
  try {
    probe::device device(count > 1 ? arguments[1] : "cpu");
    probe::stream stream(device);
    probe::buffer<std::int64_t> from(device, 3), to(device, 3);
    from.upload(x.data());
    const probe::tensor X(from, {3}), Z(to, {3});
    const probe::tensor copied = X;
    probe::add(copied, -1, Z, stream);
    stream.synchronize();
    to.download(z.data());
    std::printf("%lld %lld %lld\n", (long long)z[0], (long long)z[1], (long long)z[2]);
    std::puts(probe::add_explain(X, -1, Z, stream).c_str());
    std::printf("%d\n", (int)probe::add_workspace(X, -1, Z, stream));
    std::vector<float> half(3);
    probe::add(probe::tensor(half.data(), {3}), 1, Z, stream);
  } catch (const probe::error &error) {
    std::printf("%d %s\n", error.code(), error.what());
  }
  std::vector<std::int32_t> strided{1, 0, 2, 0, 3, 0}, dense(3);
  try {
    probe::add(probe::tensor(strided.data(), {3}, {2}), 1, probe::tensor(dense.data(), {3}));
  } catch (const probe::error &error) {
    std::puts(error.what());
  }
}
"""

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


def compiled(folder: Path, into: Path, text: str, shared: bool = False) -> Path:
    """A program linked with the library of `folder`."""
    is_c = "std::" not in text
    source = into / ("program.c" if is_c else "program.cpp")
    source.write_text(text)
    program = into / f"program_{source.suffix[1:]}_{'so' if shared else 'a'}"
    link = (
        [f"-L{folder}", "-lprobe", f"-Wl,-rpath,{folder}"]
        if shared
        else [folder / "libprobe.a", "-lpthread", "-ldl"]
    )
    compiler = ["gcc", "-std=c99"] if is_c else ["g++", "-std=c++17"]
    subprocess.run(
        [*compiler, *WARNINGS, f"-I{folder}", source, *link, "-o", program], check=True
    )
    return program


def output(program: Path, *arguments: str, **environment: str) -> list[str]:
    run = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT | environment,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()


DEVICES = {
    "cpu": "cpu:x86-64-v3",
    "cuda-emulator:sm_80": "cuda:sm_80",
    "hip-emulator:gfx942": "hip:gfx942",
}


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "archive"])
@pytest.mark.parametrize("where", DEVICES)
def test_c(folder, tmp_path, where, shared):
    lines = output(compiled(folder, tmp_path, PROGRAM_C, shared), where)
    assert lines[0] == "2 49.5 -1"
    assert lines[1].endswith("has size 95 in dimension 0; n must be a multiple of 4")
    assert lines[2] == f"120 1400, {6 * 16 * 4} bytes"
    assert lines[3] == (
        f"probe_row_sums: build of_16 (2 of 3) for {DEVICES[where]}, the first that takes the "
        "arguments, as"
    )
    assert lines[4].startswith("  not of_8: ")
    assert lines[5] == "probe_row_sums: none of its 3 builds takes these arguments"
    assert "of_16_half" in lines[8]
    assert "has size 16 in dimension 1; expected 8" in lines[9]
    assert "no build 'of_9'" in lines[10]
    assert "argument 'X' is a null pointer" in lines[11]


def test_c_without_a_stream(folder, tmp_path):
    assert output(compiled(folder, tmp_path, PROGRAM_C))[0] == "2 49.5 -1"


@pytest.mark.parametrize("where", DEVICES)
def test_cpp(folder, tmp_path, where):
    lines = output(compiled(folder, tmp_path, PROGRAM_CPP), where)
    assert "int64: add_integers: argument 'Z' shares memory with argument 'X'" in lines[2]
    assert lines[3] == "0 1 1099511627775"
    assert lines[4].startswith(f"probe_add: build int64 (2 of 2) for {DEVICES[where]}")
    assert lines[6] == "0"
    assert lines[7] == "2 probe_add: none of its 2 builds takes these arguments"
    assert "has stride 2 in dimension 0" in lines[-2]


def test_cpp_without_exceptions(folder):
    subprocess.run(
        ["g++", "-std=c++17", *WARNINGS, "-fno-exceptions", "-fsyntax-only", f"-I{folder}"]
        + ["-include", "probe.hpp", "-x", "c++", "/dev/null"],
        check=True,
    )


def test_no_gpu_is_one_sentence(folder, tmp_path):
    program = compiled(folder, tmp_path, PROGRAM_C)
    run = subprocess.run(
        [program, "cuda"], capture_output=True, text=True,
        env={"TILEWRIGHT_CUDA_DRIVER": "/no/such/driver.so"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stdout.count("\n") == 1
    assert "/no/such/driver.so" in run.stdout


# ---- what is written -----------------------------------------------------------------------


def test_files(folder):
    assert sorted(f.name for f in folder.iterdir()) == [
        "libprobe.a", "libprobe.so", "manifest.json", "probe.h", "probe.hpp", "probe.pc",
        "probeConfig.cmake", "probeConfigVersion.cmake",
    ]  # fmt: skip
    header = (folder / "probe.h").read_text()
    assert "Sums[row] is the sum over X[row, :]." in header
    assert "X: float16 [rows, 16], read" in header
    assert "n is a multiple of 4." in header
    assert "Y = by * X." in header
    assert "Z = X + n." in header
    assert "X: float32 [n], read, at a multiple of 8 bytes (cuda)" in header
    assert "tw_" not in header.replace("tw_thread_pool", "")
    assert max(map(len, header.splitlines())) <= 100


def test_manifest(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["name"], manifest["release"], manifest["licence"]) == (
        "probe", "1.2.3", "MIT",
    )  # fmt: skip
    names = [f["name"] for f in manifest["functions"]]
    assert names == ["probe_scale", "probe_row_sums", "probe_add"]
    builds = manifest["functions"][1]["builds"]
    assert [b["name"] for b in builds] == ["of_8", "of_16", "of_16_half"]
    assert builds[2]["arguments"] == {"columns": "16", "dtype": "'float16'"}
    jsonschema.validate(manifest, json.loads((DOCS / "manifest.schema.json").read_text()))
    assert [a["assembler"] for a in builds[2]["artifacts"]] == [
        None, ptxas_version(), None,
    ]  # fmt: skip
    on_amd = builds[2]["artifacts"][2]
    assert on_amd["target"] == "hip:gfx942"
    assert len(on_amd["device_kernels"]) == 2
    assert all(0 < k["registers"] < 256 for k in on_amd["device_kernels"])
    assert all(k["spilled_bytes"] == 0 for k in on_amd["device_kernels"])
    artifact = builds[2]["artifacts"][0]
    assert artifact["device_kernels"] is None
    assert artifact["target"] == "cpu:x86-64-v3"
    assert "avx2" in artifact["features"]
    assert artifact["parameters"][0] == {
        "name": "X", "kind": "tensor", "dtype": "float16", "shape": ["rows", 16],
        "reads": True, "writes": False, "alignment": 2,
    }  # fmt: skip


def test_same_bytes_with_any_number_of_processes(folder, tmp_path):
    build(make_library(), tmp_path, jobs=1)
    for file in folder.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


def test_same_bytes_from_another_folder_and_compiler_file(tmp_path, monkeypatch):
    """Nothing of where the sources lie, and when the compiler was installed, is in it."""
    kernels = Path(__file__).with_name("kernels_to_build.py").read_text()
    spec = """
[library]
name = "same"
targets = ["cpu:x86-64-v3", "cuda:sm_80", "hip:gfx942"]
[functions.scale]
kernel = "kernels.py:scale"
"""
    written = []
    for place in ("here", "und dört"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "kernels.py").write_text(kernels)
        (tmp_path / place / "kernels.toml").write_text(spec)
        library = read_spec(tmp_path / place / "kernels.toml")
        monkeypatch.setattr("tilewright.compiler.cache.keys.compiler_id", lambda p=place: p)
        built = build(library, tmp_path / place / "out", wheel=True)
        written.append({name: (built.folder / name).read_bytes() for name in built.files})
    assert written[0] == written[1]
    assert len(written[0]) == 9


def test_pkg_config_and_cmake(folder, tmp_path):
    if not shutil.which("cmake"):
        pytest.fail("cmake is part of the set-up")
    (tmp_path / "program.cpp").write_text(PROGRAM_CPP)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(user CXX)\n"
        "find_package(probe 1.2 CONFIG REQUIRED)\nadd_executable(shared program.cpp)\n"
        "target_link_libraries(shared PRIVATE probe::probe)\n"
        "add_executable(static program.cpp)\n"
        "target_link_libraries(static PRIVATE probe::probe_static)\n"
    )
    for command in (
        ["cmake", "-S", ".", "-B", "b", f"-Dprobe_DIR={folder}"],
        ["cmake", "--build", "b"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    for name in ("shared", "static"):
        assert output(tmp_path / "b" / name)[3] == "0 1 1099511627775"
    pc = (folder / "probe.pc").read_text()
    assert "Version: 1.2.3" in pc
    assert "-lprobe" in pc


# ---- damage --------------------------------------------------------------------------------


def _sections(file: Path) -> dict[str, tuple[int, int]]:
    """Offset and size by name."""
    text = subprocess.run(
        ["readelf", "-SW", file], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.partition("]")[2].split() for line in text.splitlines() if "]" in line)
    return {r[0]: (int(r[3], 16), int(r[4], 16)) for r in rows if len(r) > 5 and r[0] != "Name"}


@pytest.mark.parametrize("section", ["probe_code", "probe_constants"])
def test_a_changed_library_is_refused(folder, tmp_path, section):
    program = compiled(folder, tmp_path, PROGRAM_C, shared=True)
    offset, size = _sections(folder / "libprobe.so")[section]
    data = bytearray((folder / "libprobe.so").read_bytes())
    data[offset + size - 1 if section == "probe_constants" else offset + size // 3] ^= 0x10
    (tmp_path / "libprobe.so").write_bytes(data)
    run = subprocess.run(
        [program], capture_output=True, text=True, env={"LD_LIBRARY_PATH": str(tmp_path)}
    )
    assert run.returncode == 1
    assert "probe: the library has other" in run.stdout
    with pytest.raises(tilewright.ArtifactError, match="has other"):
        tilewright.library.load(tmp_path / "libprobe.so")


def test_a_breakpoint_is_no_damage(folder, tmp_path):
    """A debugger writes into the code in memory; the file is whole."""
    text = PROGRAM_C.replace(
        "int main(int count, char **arguments) {",
        "#include <stdlib.h>\n#include <sys/mman.h>\n"
        "int main(int count, char **arguments) {\n"
        "  char *code = (char *)(uintptr_t)probe_add_explain;\n"
        "  char *page = code - ((uintptr_t)code & 4095);\n"
        "  if (mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC)) return 3;\n"
        "  *code = (char)0xcc;\n",
    )
    lines = output(compiled(folder, tmp_path, text, shared=True))
    assert lines[0] == "2 49.5 -1"


def test_a_truncated_library_is_refused(folder, tmp_path):
    data = (folder / "libprobe.so").read_bytes()
    (tmp_path / "libprobe.so").write_bytes(data[: len(data) // 2])
    with pytest.raises(tilewright.ArtifactError, match="truncated"):
        tilewright.library.load(tmp_path / "libprobe.so")


# ---- builds that fail ----------------------------------------------------------------------


def test_all_that_fails_is_reported_and_nothing_is_written(tmp_path):
    library = Library("some", ["cpu:x86-64-v3", "cuda:sm_80"])
    library.add("scale", scale)
    library.add("broken", broken)
    library.add("misused", row_sums, [{"rows": 4}])
    done = []
    with pytest.raises(BuildError, match="4 of 6") as caught:
        build(library, tmp_path / "new", on_done=done.append)
    assert len(done) == 6
    reasons = {str(f.job): f.reason for f in caught.value.failures}
    assert set(reasons) == {
        f"{name}/default for {target}"
        for name in ("broken", "misused")
        for target in ("cpu:x86-64-v3", "cuda:sm_80")
    }
    assert "undefined_name" in reasons["broken/default for cuda:sm_80"]
    assert "rows" in reasons["misused/default for cuda:sm_80"]
    assert not (tmp_path / "new").exists()


def test_a_library_is_for_one_architecture(tmp_path):
    library = Library("some", ["cpu:x86-64-v3", "cpu:neoverse-v2"])
    library.add("scale", scale)
    with pytest.raises(BuildError, match="1 of 2") as caught:
        build(library, tmp_path / "new")
    [failure] = caught.value.failures
    assert "cpu:neoverse-v2 is of another architecture than this machine" in failure.reason


def test_builds_of_a_function_have_the_same_parameters(tmp_path):
    def either(first: bool):
        return row_sums(8) if first else add_integers("int32")

    library = Library("some", ["cpu:x86-64-v3"])
    library.add("either", either, [{"first": True}, {"first": False}])
    with pytest.raises(SpecError, match="differ in their parameters"):
        build(library, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_killed_build_leaves_what_was_there(tmp_path):
    (tmp_path / "libprobe.so").write_text("the one before")
    script = (
        "from library.conftest import make_library\n"
        "from tilewright.library import build\n"
        f"build(make_library(), {str(tmp_path)!r}, on_done=lambda r: print(r.job, flush=True))"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TILEWRIGHT_CACHE_LIMIT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    assert (tmp_path / "libprobe.so").read_text() == "the one before"
    assert not (tmp_path / "probe.h").exists()


def test_the_command(tmp_path, capsys):
    from tilewright.cli import main

    kernels = Path(__file__).with_name("kernels_to_build.py")
    spec = tmp_path / "kernels.toml"
    spec.write_text(
        '[library]\nname = "one"\ntargets = ["cpu:x86-64-v3"]\n[functions.scale]\n'
        f'kernel = "{kernels}:scale"\n'
    )
    assert main(["build", str(spec), "-o", str(tmp_path / "out"), "-j", "1"]) == 0
    assert "libone.so" in capsys.readouterr().out
    spec.write_text(spec.read_text() + f'[functions.bad]\nkernel = "{kernels}:broken"\n')
    assert main(["build", str(spec), "-o", str(tmp_path / "out")]) == 1
    assert "bad/default for cpu:x86-64-v3: " in capsys.readouterr().err
    assert main(["build", str(tmp_path / "no.toml"), "-o", str(tmp_path / "out")]) == 2
    (tmp_path / "file").write_text("")
    spec.write_text(spec.read_text().partition("[functions.bad]")[0])
    assert main(["build", str(spec), "-o", str(tmp_path / "file" / "out")]) == 1
    assert "cannot write into" in capsys.readouterr().err
