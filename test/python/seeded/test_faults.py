"""A few faults of each kind; `python -m seeded` seeds all of them (docs/seeded-faults.md).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools

import pytest

from tilewright.testing.verify import verify_case

from . import bounds, campaign, redundant, seeds, verdict
from .fleet import apart
from .mistakes import MISTAKES, ROOT
from .subjects import DEVICES, Subject, groups, subjects

CUDA, HIP = DEVICES


@functools.cache
def subject(name: str, device: str) -> Subject:
    """The kernel of the first case of that name."""
    cases = next(cases for cases in groups() if cases[0].id.startswith(name))
    for case in cases:  # in processes of their own, where emulators may fault
        apart(functools.partial(verify_case, case, device))
    return subjects(cases, device)[0]


@pytest.mark.parametrize(
    ("kernel", "machine", "stages", "kinds"),
    [
        ("gemm/pipelined", CUDA, ["pipeline-loops"], {"put", "release", "mask"}),
        ("gemm/pipelined", CUDA, ["lower-channels"], {"barrier", "wait", "commit", "mask"}),
        ("gemm/pipelined", HIP, ["hip-buffer-accesses"], {"mask"}),
        ("gemm/pipelined", HIP, ["hip-convert-to-rocdl"], {"barrier", "wait", "fence"}),
        ("moe_combine/odd", CUDA, ["prove-bounds", "insert-barriers"], {"barrier", "mask"}),
    ],
)
def test_faults_are_caught(kernel, machine, stages, kinds):
    found = list(campaign.findings(subject(kernel, machine), 2, 2, stages))
    assert {finding.fault.kind for finding in found} == kinds
    assert any(finding.verdict.is_caught for finding in found)
    survivors = [f"{f.fault}: {f.verdict}" for f in found if f.verdict.by == verdict.SURVIVED]
    assert not survivors, "\n".join(survivors)


@pytest.mark.parametrize(
    ("kernel", "machine"), [("softmax/odd", CUDA), ("moe_combine/odd", HIP)]
)
def test_a_sound_kernel_keeps_its_bounds(kernel, machine):
    sound = subject(kernel, machine)
    text = apart(functools.partial(verdict.stages, sound))[bounds.STAGE]
    assert bounds.asserted(text).count("llvm.intr.trap") > 10
    by, said = apart(functools.partial(verdict.run_asserted, sound, text))
    assert by == verdict.SURVIVED, said


@pytest.mark.parametrize(
    ("machine", "stage", "what"),
    [
        (CUDA, "prove-bounds", "dimension 1"),
        (HIP, "prove-bounds", "dimension 1"),
        (HIP, bounds.BUFFERS, "arith.select"),
    ],
)
def test_an_access_beyond_its_row_is_noticed(machine, stage, what):
    """Which an emulator does not: the next row is there. The last is in the loop; the first
    step's is not needed."""
    sound = subject("gemm/pipelined", machine)
    text = apart(functools.partial(verdict.stages, sound))[stage]
    columns = [f for f in seeds.seed(stage, text) if what in f.what]
    found = apart(functools.partial(verdict.examine_bounds, sound, columns[-1], text))
    assert found.by == verdict.BOUNDS, found


NESTS = """\
  tile.kernel (%b) in (%n) threads(128) {
    %0 = tile.alloc "a" at 0 : memref<32x8xf32, #tile.space<shared>>
    tile.parallel (%i, %j) in (32, 8) {
      memref.store %f, %0[%i, %j] : memref<32x8xf32, #tile.space<shared>>
    }
    simt.barrier
    tile.parallel (%i, %j) in (32, 8) {
      %1 = memref.load %0[INDICES] : memref<32x8xf32, #tile.space<shared>>
    }
  }"""


@pytest.mark.parametrize(
    ("indices", "is_needless"), [("%i, %j", True), ("%j, %i", False), ("%i, %c0", False)]
)
def test_a_barrier_is_needless_between_own_elements_alone(indices, is_needless):
    text = redundant.Text(NESTS.replace("INDICES", indices))
    assert text.is_needless(5) is is_needless


ITEM = """\
  tile.kernel (%b) in (%n) threads(128) {
    %0 = tile.alloc "a" at 0 : memref<1x32x8xf32, #tile.space<shared>>
    %1 = simt.channel %0 : memref<1x32x8xf32> -> <1, memref<32x8xf32>>
    scf.for %k = %c0 to %n step %c1 {
      %2 = simt.get %1[%k] : <1, memref<32x8xf32>> -> memref<32x8xf32>
      tile.parallel (%i, %j) in (32, 8) {
        memref.store %f, %2[%i, %j] : memref<32x8xf32, #tile.space<shared>>
      }
      simt.barrier
      tile.parallel (%i, %j) in (32, 8) {
        %3 = memref.load %2[INDICES] : memref<32x8xf32, #tile.space<shared>>
      }
    }
  }"""


@pytest.mark.parametrize(("indices", "is_needless"), [("%i, %j", True), ("%j, %i", False)])
def test_a_channel_does_not_order_what_is_done_with_an_item(indices, is_needless):
    assert redundant.Text(ITEM.replace("INDICES", indices)).is_needless(8) is is_needless


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_mistake_has_one_place(mistake):
    """So that `python -m seeded.judge_mistakes` can make it."""
    assert mistake.applied() != (ROOT / mistake.file).read_text()
