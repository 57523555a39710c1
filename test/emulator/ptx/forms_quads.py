"""Checks of mma.m8n8k4 on halves, by the figures of the PTX manual: four products, each of the
lanes of two quads, `i` counting a lane's elements.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from coverage_pattern import Form
from forms_elementwise import accepted, parts_of
from forms_harness import Bench, check

# In which product lanes take part, and in which half of rows or columns.
LANES = np.arange(32)
PAIR, QUAD, HIGH = LANES % 16 // 4, LANES % 4, np.where(LANES < 16, 0, 4)


def _operand(matrix: np.ndarray, by_lanes: bool, transposed: bool) -> np.ndarray:
    """[4, 32] elements of A [4, 8, 4]: of a lane a row where `by_lanes`, else a column. B is
    A transposed."""
    matrix = matrix.transpose(0, 2, 1) if transposed else matrix
    i = np.arange(4)[:, None]
    return matrix[PAIR, QUAD + HIGH, i] if by_lanes else matrix[PAIR, i + HIGH, QUAD]


def _places(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns [8, 32] of a lane's elements of C and D."""
    i = np.arange(8)[:, None]
    if kind == "f16":
        return QUAD + HIGH + 0 * i, i + 0 * LANES
    return (LANES & 1) + (i & 2) + HIGH, (i & 4) + (LANES & 2) + (i & 1)


def _words(elements: np.ndarray, kind: str) -> np.ndarray:
    """Registers of each lane."""
    if kind == "f32":
        return elements.astype(np.float32).view(np.uint32)
    halves = elements.astype(np.float16).view(np.uint16).astype(np.uint32)
    return halves[0::2] | halves[1::2] << 16


@check
def quads(bench: Bench) -> None:
    """Every layout and type."""
    rng = np.random.default_rng(8)
    forms = accepted("mma", "mma.sync.aligned.m8n8k4.<row")
    assert len(forms) == 12
    for form in forms:
        _multiply(bench, form, rng)


def _multiply(bench: Bench, form: Form, rng: np.random.Generator) -> None:
    _, _, _, layout_a, layout_b, d, _, _, c = parts_of(form)
    a = rng.integers(-8, 9, (4, 8, 4)) / 4
    b = rng.integers(-8, 9, (4, 4, 8)) / 4
    start = rng.integers(-8, 9, (4, 8, 8)) / 2
    registers = np.concatenate(
        [
            _words(_operand(a, layout_a == "row", False), "f16"),
            _words(_operand(b, layout_b == "col", True), "f16"),
            _words(start[(PAIR, *_places(c))], c),
        ]
    )
    device = bench.device()
    given = device.array(registers)
    count = 4 if d == "f16" else 8
    got = device.empty((count, 32), np.uint32)
    body = "ld.param.u64 %d1, [given]; ld.param.u64 %d2, [got]; mov.u32 %r99, %tid.x;"
    body += "mad.wide.u32 %d1, %r99, 4, %d1; mad.wide.u32 %d2, %r99, 4, %d2;\n"
    for number in range(len(registers)):
        body += f"ld.global.b32 %r{number}, [%d1+{128 * number}];\n"

    def listed(first: int, size: int) -> str:
        return "{" + ", ".join(f"%r{first + i}" for i in range(size)) + "}"

    body += f"{form.mnemonic} {listed(50, count)}, {listed(0, 2)}, {listed(2, 2)}, "
    body += f"{listed(4, len(registers) - 4)};\n"
    for number in range(count):
        body += f"st.global.b32 [%d2+{128 * number}], %r{50 + number};\n"
    bench.run(body, {"given": given, "got": got}, device=device)
    expected = (a @ b + start)[(PAIR, *_places(d))]
    assert np.array_equal(got.numpy(), _words(expected, d)), form.mnemonic
