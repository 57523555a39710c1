"""Calls with the caller's own workspace: from C, C++ and Python, on CPUs and emulated GPUs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import importlib
import sys
import zipfile

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.library import Library, build

from .kernels_to_build import row_sums
from .test_build import DEVICES, compiled, output

# row_sums of 6 x 16 needs 384 bytes. What lies behind them stays as it was.
PROGRAM_C = r"""
#include "probe.h"
#include <stdio.h>

static void say(probe_status status) {
  printf("%d %s\n", (int)status, status ? probe_last_error() : "");
}

int main(int count, char **arguments) {
  probe_stream *stream = NULL;
  probe_device *device = NULL;
  void *memory = NULL;
  if (probe_device_open(count > 1 ? arguments[1] : "cpu", &device) != PROBE_OK ||
      (count > 1 && probe_stream_create(device, &stream) != PROBE_OK) ||
      probe_memory_allocate(device, 512, &memory) != PROBE_OK ||
      probe_memory_fill(device, NULL, memory, 7, 512) != PROBE_OK)
    return puts(probe_last_error()), 1;
  float x[96], y[6];
  for (int i = 0; i < 96; ++i)
    x[i] = (float)i;
  int64_t wide[2] = {6, 16};
  uint64_t bytes = 0;
  probe_tensor X = {x, 1, 0, 2, PROBE_DL_FLOAT, 32, 1, wide, NULL, 0};
  probe_tensor Y = {y, 1, 0, 1, PROBE_DL_FLOAT, 32, 1, wide, NULL, 0};
  probe_row_sums_workspace(&bytes, stream, &X, &Y);
  for (int i = 0; i < 2; ++i) {
    y[5] = -1;
    say(probe_row_sums_with_workspace(memory, bytes, stream, &X, &Y));
    printf("%g %g\n", y[0], y[5]);
  }
  unsigned char there[512];
  probe_memory_copy(device, NULL, there, memory, 512);
  printf("%d %d %d %d\n", (int)bytes, there[7], there[384], there[511]);
  y[5] = -1;
  say(probe_row_sums_with_workspace(memory, bytes - 1, stream, &X, &Y));
  say(probe_row_sums_with_workspace(NULL, bytes, stream, &X, &Y));
  say(probe_row_sums_with_workspace((char *)memory + 4, bytes, stream, &X, &Y));
  say(probe_row_sums_with_workspace(memory, bytes, stream, NULL, &Y));
  printf("%g\n", y[5]);
  float z[4];
  Y.data = z, wide[0] = 4;
  Y.rank = X.rank = 1;
  say(probe_scale_with_workspace(NULL, 0, stream, &X, 2.0f, &Y));
  wide[0] = (int64_t)1 << 57;
  X.rank = 2, X.type_bits = 16, X.data = (void *)64, Y.data = (void *)((uint64_t)3 << 61);
  say(probe_row_sums_workspace(&bytes, NULL, &X, &Y));
  probe_memory_free(device, memory);
  probe_stream_destroy(stream);
  probe_device_close(device);
  return 0;
}
"""

PROGRAM_CPP = r"""
#include "probe.hpp"
#include <cstdio>
#include <vector>

int main() {
  std::vector<float> x(96, 1.0f), y(6);
  const probe::tensor X(x.data(), {6, 16}), Y(y.data(), {6});
  const auto bytes = probe::row_sums_workspace(X, Y);
  const probe::device host("cpu");
  const probe::buffer<char> memory(host, bytes);
  probe::row_sums_with_workspace(memory.data(), bytes, X, Y);
  std::printf("%g\n", y[5]);
  try {
    probe::row_sums_with_workspace(x.data(), bytes, X, Y);
  } catch (const probe::error &error) {
    std::puts(error.what());
  }
}
"""


@pytest.mark.parametrize("where", DEVICES)
def test_c(folder, tmp_path, where):
    lines = output(compiled(folder, tmp_path, PROGRAM_C), where)
    assert lines[:4] == ["0 ", "120 1400"] * 2
    written = np.float32(2 * 1).tobytes()[3]  # of Doubled[0, 1]
    assert lines[4] == f"384 {written} 7 7"
    assert lines[5] == (
        "2 probe_row_sums: the workspace has 383 bytes, and this call needs 384; "
        "probe_row_sums_workspace says how many"
    )
    assert "has 0 bytes (a null pointer), and this call needs 384" in lines[6]
    assert lines[7].endswith("; it begins at a multiple of 64 bytes")
    assert lines[8].startswith("2 probe_row_sums: argument 'X' is a null pointer")
    assert lines[9] == "-1"
    assert lines[10] == "0 "
    assert lines[11] == (
        "5 probe_row_sums: these sizes ask for a workspace of a negative size, or of more "
        "than 2^63 - 1 bytes"
    )


def test_c_without_a_stream(folder, tmp_path):
    assert output(compiled(folder, tmp_path, PROGRAM_C))[:4] == ["0 ", "120 1400"] * 2


def test_cpp(folder, tmp_path):
    said, refused = output(compiled(folder, tmp_path, PROGRAM_CPP))
    assert said == "16"
    assert "the workspace shares memory with argument 'X'" in refused or "multiple" in refused


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The probe library for the CPU as a package."""
    folder = tmp_path_factory.mktemp("site")
    library = Library("spacious", ["cpu:x86-64-v3"])
    library.add("row_sums", row_sums, [{"columns": 16}])
    built = build(library, folder, wheel=True)
    [wheel] = [f for f in built.files if f.endswith(".whl")]
    zipfile.ZipFile(folder / wheel).extractall(folder)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("spacious")
    sys.path.remove(str(folder))


def aligned(size: int, shift: int = 0) -> np.ndarray:
    """Bytes that begin `shift` behind a multiple of 64."""
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + shift
    return memory[start : start + size]


def test_python(package):
    x, y = np.ones((6, 16), np.float32), np.zeros(6, np.float32)
    memory = aligned(package.row_sums_workspace(x, y))
    package.row_sums(x, y, workspace=memory)
    np.testing.assert_array_equal(y, 16)
    assert (memory.view(np.float32) == 2).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda m: m[:383], ValueError, "has 383 bytes, and this call needs 384"),
        (lambda m: aligned(384, 4), ValueError, "begins at a multiple of 64"),
        (lambda m: aligned(768)[::2], ValueError, "the workspace is not contiguous"),
        (lambda m: m.tobytes(), TypeError, "the workspace is bytes; it takes arrays"),
        (lambda m: np.broadcast_to(m, (2, 384)), ValueError, "the workspace is"),
    ],
)
def test_wrong_workspaces_in_python(package, change, error, message):
    x, y = np.ones((6, 16), np.float32), np.zeros(6, np.float32)
    with pytest.raises(error, match=message):
        package.row_sums(x, y, workspace=change(aligned(384)))
    assert not y.any()


def test_memory_of_an_argument_is_no_workspace(package):
    memory = aligned(768)
    x = memory[:384].view(np.float32).reshape(6, 16)
    y = memory[384 : 384 + 24].view(np.float32)
    for begin, name in ((0, "X"), (384, "Sums")):
        shared = f"the workspace shares memory with argument '{name}'; pass separate memory"
        with pytest.raises(ValueError, match=shared):
            package.row_sums(x, y, workspace=memory[begin : begin + 384])


@tilewright.jit(debug=True)
def checked(X, Y):
    rows = T.dynamic("rows")
    X: T.Tensor((rows,), "float32")
    Y: T.Tensor((rows,), "float32")
    Middle = T.alloc_global((rows,), "float32")
    with T.Kernel(rows) as row:
        Middle[row] = X[row] * 2
    with T.Kernel(rows) as row:
        Y[row] = Middle[row]


def test_a_kernel_compiled_for_checking(tmp_path):
    """Its launch function calls the checker; what it needs can be asked all the same."""
    library = Library("probe", ["cpu:x86-64-v3"])
    library.add("checked", checked)
    build(library, tmp_path)
    program = r"""
#include "probe.h"
#include <stdio.h>

int main(void) {
  float x[5] = {1, 2, 3, 4, 5}, y[5];
  int64_t rows = 5;
  uint64_t bytes = 0;
  probe_tensor X = {x, 1, 0, 1, PROBE_DL_FLOAT, 32, 1, &rows, NULL, 0}, Y = X;
  Y.data = y;
  if (probe_checked_workspace(&bytes, NULL, &X, &Y) != PROBE_OK ||
      probe_checked(NULL, &X, &Y) != PROBE_OK)
    return puts(probe_last_error()), 1;
  printf("%d %g\n", (int)bytes, y[4]);
  return 0;
}
"""
    assert output(compiled(tmp_path, tmp_path, program)) == ["64 10"]
