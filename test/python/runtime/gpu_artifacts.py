"""Artifacts with code for GPUs: kernels that clang compiles, launch functions that gcc does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import artifacts
from .artifacts import ROOT, Symbol, Tensor
from .test_symbols import BUILD as BUILD

KERNELS = ROOT / "test/unit/runtime/gpu_kernels.c"
CLANG = shutil.which("clang-22") or "/usr/lib/llvm-22/bin/clang"

# What every launch function can use: parameters by value, in order.
PROLOGUE = """
#include <string.h>
typedef struct { char bytes[128]; uint64_t size; } parameters;
static void pack(parameters *p, const void *value, uint64_t size) {
  p->size = (p->size + size - 1) / size * size;
  memcpy(p->bytes + p->size, value, size);
  p->size += size;
}
static void pack_word(parameters *p, uint64_t word) { pack(p, &word, 8); }
static int32_t start(const tw_host_v1 *host, void *context, const char *entry,
                     uint64_t blocks, uint32_t shared, const parameters *p) {
  tw_grid_launch_v1 grid = {.size = sizeof(grid), .entry = entry,
                            .grid = {(uint32_t)blocks, 1, 1}, .block = {128, 1, 1},
                            .cluster = {1, 1, 1}, .shared_bytes = shared,
                            .parameters = p->bytes, .parameter_bytes = p->size};
  return host->launch_grid(context, &grid);
}
"""


def device_code(folder: Path, arch: str) -> Path:
    """The code of all kernels: PTX text, or a code object."""
    common = [CLANG, "-x", "c", "-std=c2x", "-O2", KERNELS]
    if arch.startswith("sm_"):
        path = folder / f"{arch}.ptx"
        options = ["--target=nvptx64-nvidia-cuda", f"-march={arch}", "-S", "-o", path]
    else:
        path = folder / f"{arch}.hsaco"
        options = ["--target=amdgcn-amd-amdhsa", f"-mcpu={arch}", "-nogpulib", "-o", path]
    subprocess.run([*common, *options], check=True)
    return path


def build(
    folder: Path,
    params: list,
    symbols: Sequence[Symbol],
    body: str,
    code: dict[str, Path],
    name: str = "kernel",
) -> Path:
    """An artifact of the launch function `body` with an image for each target of `code`."""
    before, _, inside = body.rpartition("---")
    words = ", ".join(f"{w}ll" for w in artifacts.signature(params, list(symbols)))
    blobs, images = "", ""
    for i, (target, path) in enumerate(code.items()):
        blobs += (
            f"extern const char image{i}[], image{i}_end[];\n"
            f'__asm__(".section .rodata\\n.balign 4096\\nimage{i}: .incbin \\"{path}\\"\\n'
            f'image{i}_end: .byte 0\\n.text\\n");\n'
        )
        # The address of the end is no constant: the size is that of the file.
        images += f'{{"{target}", launch, image{i}, {path.stat().st_size}, 0}},\n'
    text = f"""
#include "tilewright/abi.h"
{PROLOGUE}
{before}
static int32_t launch(const tw_host_v1 *host, void *context, const uint64_t *words) {{
  parameters p = {{.size = 0}};
  {inside}
}}
{blobs}
static const int64_t table[] = {{{words}}};
static const tw_image_v1 images[] = {{{images}}};
__attribute__((visibility("default"))) const tw_artifact_v1 tw_artifact = {{
    sizeof(tw_artifact_v1), TW_ABI_VERSION, "{name}", table, "{{}}", {len(code)}, images}};
"""
    return artifacts.compile_source(text, folder / f"{name}.so")


# add(A, B, C): C = A + B.
N = [Symbol("n")]
ADD_PARAMS = [
    Tensor("A", "f32", ["n"]),
    Tensor("B", "f32", ["n"]),
    Tensor("C", "f32", ["n"], "w"),
]
ADD_BODY = """
  pack_word(&p, words[0]);
  pack_word(&p, words[3]);
  pack_word(&p, words[6]);
  pack_word(&p, words[1]);
  return start(host, context, "add", (words[1] + 127) / 128, 0, &p);
"""
