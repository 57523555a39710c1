"""The C interface of libraries does not change unseen: names, declarations, layouts.

abi.txt has the declarations of the sample library's header. A line that goes or changes breaks
programs that were compiled before; a new one is added to the file with what needs it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# What links against this has to find it: DLPack's structure, written down from its standard.
LAYOUT = """
#include "sample.h"
#include <stddef.h>
typedef struct { int32_t device_type; int32_t device_id; } Device;
typedef struct { uint8_t code; uint8_t bits; uint16_t lanes; } Type;
typedef struct {
  void *data; Device device; int32_t ndim; Type dtype; int64_t *shape; int64_t *strides;
  uint64_t byte_offset;
} DLTensor;
#define SAME(OURS, THEIRS) \\
  _Static_assert(offsetof(sample_tensor, OURS) == offsetof(DLTensor, THEIRS), #OURS)
_Static_assert(sizeof(sample_tensor) == sizeof(DLTensor) && sizeof(DLTensor) == 48, "size");
SAME(data, data); SAME(device_type, device); SAME(rank, ndim); SAME(type_code, dtype);
SAME(shape, shape); SAME(strides, strides); SAME(byte_offset, byte_offset);
_Static_assert(offsetof(sample_tensor, device_id) == 12, "device_id");
_Static_assert(offsetof(sample_tensor, type_bits) == 21, "type_bits");
_Static_assert(offsetof(sample_tensor, type_lanes) == 22, "type_lanes");
_Static_assert(sizeof(sample_status) == 4 && sizeof(sample_type_code) == 4, "enumerations");
_Static_assert(offsetof(sample_device_info_v1, target) == 16, "target");
_Static_assert(offsetof(sample_device_info_v1, device_type) == 24, "device_type");
_Static_assert(offsetof(sample_device_info_v1, instructions) == 32, "instructions");
_Static_assert(sizeof(sample_device_info_v1) == 40, "device_info");
"""


def declarations(header: str) -> list[str]:
    """The declarations of a C header, each on one line, without comments and macros."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    text = re.sub(r"^#.*$", " ", text, flags=re.M).replace('extern "C" {', " ")
    found, depth, current = [], 0, ""
    for character in text:
        if character == "}" and depth == 0:
            break  # of extern "C"
        depth += {"{": 1, "}": -1}.get(character, 0)
        current += character
        if character == ";" and depth == 0:
            found.append(" ".join(current.split()))
            current = ""
    return found


def symbols(*command: object) -> set[str]:
    """The names that nm lists."""
    output = subprocess.check_output(["nm", *map(str, command)], text=True)
    rows = (line.split() for line in output.splitlines())
    return {row[-1] for row in rows if len(row) > 1 and row[-2] != "A"}


@pytest.fixture(scope="module")
def header(sample) -> str:
    """The text of sample.h."""
    return (sample.folder / "sample.h").read_text()


def test_the_declarations_are_those_on_record(header):
    recorded = (HERE / "abi.txt").read_text().splitlines()
    found = declarations(header)
    assert len(found) > 30
    gone, new = set(recorded) - set(found), set(found) - set(recorded)
    assert not gone, "declarations went or changed, which breaks programs that were compiled"
    assert not new, "new declarations: add them to abi.txt"


def test_structures_are_laid_out_as_dlpack_says(sample, tmp_path):
    source = tmp_path / "layout.c"
    source.write_text(LAYOUT)
    subprocess.run(
        ["gcc", "-std=c11", "-fsyntax-only", f"-I{sample.folder}", source], check=True
    )


def test_the_libraries_have_the_headers_symbols_and_no_more(sample, header):
    declared = set(re.findall(r"SAMPLE_API\s[^;(]*?(sample_\w+)(?=\()", header))
    assert len(declared) > 20
    shared = symbols("-D", "--defined-only", sample.folder / "libsample.so")
    assert shared == declared | {"tw_library", "tw_thread_pool_v2"}
    archive = symbols("-g", "--defined-only", sample.folder / "libsample.a")
    assert archive == declared | {"tw_thread_pool_v2"}


def test_they_need_libc_alone(sample):
    needed = subprocess.check_output(
        ["readelf", "-d", sample.folder / "libsample.so"], text=True
    )
    libraries = set(re.findall(r"NEEDED.*\[(.*)\]", needed))
    assert libraries <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def test_a_reader_of_declarations():
    text = '#define A 1\nextern "C" {\nenum e { A, /* ; */ B };\nint\nf(int); }\nint g;'
    assert declarations(text) == ["enum e { A, B };", "int f(int);"]
