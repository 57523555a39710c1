"""Kernels written by hand: from the body in AMD's assembly to a linked code object.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from amd_generate import clang

# s[4:5] is the first argument, s[6:7] the second, s[0:1] where they are; s2 the number of
# the work-group. v0 is the number of the work-item, v1 four times that.
_TEXT = """  .amdgcn_target "amdgcn-amd-amdhsa--{arch}"
  .text
  .globl kernel
  .p2align 8
  .type kernel,@function
kernel:
  {load} s[4:7], s[0:1], 0x0
  {group}
  v_lshlrev_b32_e32 v1, 2, v0
  {wait}
{body}
  s_endpgm
{more}
  .rodata
  .p2align 6
  .amdhsa_kernel kernel
    .amdhsa_next_free_vgpr {registers}
    .amdhsa_next_free_sgpr 100
    .amdhsa_user_sgpr_kernarg_segment_ptr 1
    .amdhsa_system_sgpr_workgroup_id_x 1
    .amdhsa_group_segment_fixed_size {lds}
    .amdhsa_private_segment_fixed_size {scratch}
    .amdhsa_kernarg_size {bytes}
    {directives}
  .end_amdhsa_kernel
  .amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - .name: kernel
    .symbol: kernel.kd
    .kernarg_segment_size: {bytes}
    .kernarg_segment_align: 8
    .group_segment_fixed_size: {lds}
    .private_segment_fixed_size: {scratch}
    .wavefront_size: {wave}
    .sgpr_count: 100
    .vgpr_count: {registers}
    .max_flat_workgroup_size: 1024
    .args:
{arguments}
...
  .end_amdgpu_metadata
"""
_ARGUMENT = "      - { .offset: %d, .size: 8, .value_kind: global_buffer }"


def kernel(
    arch: str, body: str, *, arguments: int = 2, lds: int = 0, scratch: int = 0, more: str = ""
) -> str:
    """A whole text: a kernel of this body, whose arguments are so many arrays; `more` stands
    after it."""
    is_cdna = arch.startswith("gfx9")
    directives = [".amdhsa_accum_offset 128"] if is_cdna else []
    if scratch and arch == "gfx90a":
        directives.append(".amdhsa_system_sgpr_private_segment_wavefront_offset 1")
    elif scratch:
        directives.append(".amdhsa_enable_private_segment 1")
    return _TEXT.format(
        arch=arch,
        load="s_load_dwordx4" if is_cdna else "s_load_b128",
        wait="s_wait_kmcnt 0x0" if arch.startswith("gfx12") else "s_waitcnt lgkmcnt(0)",
        group="s_mov_b32 s2, ttmp9" if arch.startswith("gfx12") else "s_nop 0",
        registers=256 if is_cdna else 128,
        wave=64 if is_cdna else 32,
        body=body.strip("\n"),
        more=more,
        lds=lds,
        scratch=scratch,
        bytes=8 * arguments,
        directives="\n    ".join(directives),
        arguments="\n".join(_ARGUMENT % (8 * i) for i in range(arguments)),
    )


@functools.cache
def assemble(text: str, arch: str, debug: str = "-g") -> bytes | None:
    """The linked code object, whose line table has the lines of `text`; None without clang."""
    compiler = clang()
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text.s").write_text(text)
        command = [
            compiler, "--target=amdgcn-amd-amdhsa", f"-mcpu={arch}", debug, "text.s",
            "-ffile-compilation-dir=.", "-o", "code",
        ]  # fmt: skip
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if run.returncode:
            raise ValueError(run.stderr)
        return (Path(folder) / "code").read_bytes()
