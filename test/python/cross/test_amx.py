# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The emulator of AMX does what AMX does."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

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
