# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of the library for a CPU with AMX, which is emulated where this one has none, hold
the bounds that they hold on this machine; and the emulator does what AMX does."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from cross import amx
from tilewright.kernels import registry
from tilewright.testing.verify import PASS, verify_case

#: Of amx_test.c.
CHECKS = [
    "check_memory",
    "check_edges",
    "check_addresses",
    "check_config",
    "check_bytes",
    "check_wrap_around",
    "check_bf16",
    "check_threads",
]

#: Of amx_refusals.c: what is said.
REFUSALS = {
    "palette": "ldtilecfg: #GP: there is no palette 2",
    "reserved": "ldtilecfg: #GP: reserved bytes are not zero",
    "reserved_tile": "ldtilecfg: #GP: reserved bytes are not zero",
    "reserved_rows": "ldtilecfg: #GP: reserved bytes are not zero",
    "rows": "ldtilecfg: #GP: tmm0 of 17 rows of 64 bytes is larger than 16 of 64",
    "colsb": "ldtilecfg: #GP: tmm0 of 16 rows of 65 bytes is larger than 16 of 64",
    "no_rows": "ldtilecfg: #GP: tmm0 has 0 rows of 64 bytes",
    "no_colsb": "ldtilecfg: #GP: tmm0 has 16 rows of 0 bytes",
    "no_config": "tilezero: #UD: no tiles are configured",
    "released": "tilestored: #UD: no tiles are configured",
    "unused": "tileloadd: #UD: tmm1 is not in use",
    "odd_colsb": "tileloadd: #UD: rows of tmm0 have 62 bytes, no multiple of 4",
    "m": "tdpbf16ps: #UD: 15 rows of 64 bytes are no product of 16 of 64 and 16 of 64",
    "n": "tdpbssd: #UD: 16 rows of 64 bytes are no product of 16 of 64 and 16 of 60",
    "k": "tdpbuud: #UD: 16 rows of 64 bytes are no product of 16 of 64 and 15 of 64",
    "same": "tdpbf16ps: #UD: tmm0, tmm1 and tmm1 are not three tiles",
    "ud2": "not an instruction of AMX: 0f 0b ",
    "tile_8": "not an instruction of AMX: c4 62 7b 49 c0 ",
}

CASES = [
    "gemm/odd_nn/bf16",
    "gemm/odd_nt/bf16",
    "gemm/odd_tn/bf16",
    "gemm/odd_tt/i8",
    "gemm/odd_nt/i8",
    "gemm/odd_nn/f16",
    "gemm/tile_96_136_24/bf16",
    "gemm/tile_136_96_100/i8",
    "gemm/long_k/bf16",
    "gemm/split_k/bf16",
    "gemm/nan_and_infinity/bf16",
    "gemm/f32_from_bf16/bf16",
    "gemm_skinny/m4/bf16",
    "gemm_skinny/m16/bf16",
    "gemm_skinny/m7/i8",
    "gemm_batched/odd_nt/bf16",
    "gemm_batched/row_padding/bf16",
    "attention/odd_causal/bf16",
    "attention/ragged_causal/bf16",
    "attention/mla/bf16",
    "mla_decode/ragged_paged/bf16",
    "mla_decode/s_q2_causal/bf16",
    "indexer/plain/bf16",
    "indexer/paged/bf16",
    "indexer/paged/f8e4m3fn",
    "sparse_mla/plain/bf16",
    "sparse_mla/everything/bf16",
    "grouped_gemm/ragged/bf16",
    "grouped_gemm/masked_plain/bf16",
    "grouped_gemm/contiguous_fp8/f8e4m3fn",
    "moe/small/bf16",
]


#: Of these, where vectors are cheaper, or tiles have no such elements.
WITHOUT_TILES = {
    "gemm/odd_nn/f16",
    "grouped_gemm/masked_plain/bf16",
}


def run(program, test, log):
    """A program of the emulator's tests, and what was logged as it ended."""
    done = subprocess.run(
        [program, test],
        env={**os.environ, "TILEWRIGHT_AMX_LOG": str(log)},
        capture_output=True,
        text=True,
    )
    return done, log.read_text() if log.exists() else ""


@pytest.mark.parametrize("test", CHECKS)
def test_instructions_do_what_plain_c_does(test, amx_programs, tmp_path):
    done, log = run(amx_programs / "amx_test", test, tmp_path / "log")
    assert done.returncode == 0, done.stderr
    assert log == "native\n" or int(log.split()[0]) > 0


def test_instructions_are_counted(amx_programs, tmp_path):
    done, log = run(amx_programs / "amx_test", "check_count", tmp_path / "log")
    assert done.returncode == 0, done.stderr
    assert log in ("7 2\n", "native\n")


@pytest.mark.parametrize("test", REFUSALS)
def test_wrong_uses_are_refused(test, amx_programs, tmp_path):
    done, _ = run(amx_programs / "amx_refusals", test, tmp_path / "log")
    _, log = run(amx_programs / "amx_test", "check_count", tmp_path / "log")
    if log == "native\n":
        assert done.returncode in (-signal.SIGILL, -signal.SIGSEGV)
    else:
        unknown = REFUSALS[test].startswith("not an instruction")
        assert done.returncode == -(signal.SIGILL if unknown else signal.SIGABRT)
        assert done.stderr.startswith(f"amx: {REFUSALS[test]}")


@pytest.mark.parametrize("case", registry.verify_cases(CASES), ids=lambda case: case.id)
def test_library_kernels_are_right(case, amx_machine):
    result = verify_case(case, amx.target())
    assert result.status == PASS, result.reason
    if amx_machine.products is not None:
        assert (amx_machine.products == 0) == (case.id in WITHOUT_TILES)
