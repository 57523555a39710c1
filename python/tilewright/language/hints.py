"""Hints of TileLang that are accepted and never needed for a right answer.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .registry import Lazy, Static, operation


@operation
def use_swizzle(k, panel_size: Static = 8, order: Static = "row", enable: Static = True):
    """The order of blocks is the compiler's business."""


@operation
def sync_threads(k, barrier_id: Lazy = None, arrive_count: Lazy = None):
    """Each operation sees what those before it wrote: nothing is left to wait for."""
    k.refuse_in_parallel("T.sync_threads")


@operation
def sync_warp(k, mask: Lazy = None):
    """As T.sync_threads."""
    k.refuse_in_parallel("T.sync_warp")


@operation
def tvm_storage_sync(k, scope: Static):
    """As T.sync_threads."""
    k.refuse_in_parallel("T.tvm_storage_sync")


@operation(also={"layout_map": "layouts"})
def annotate_layout(k, layouts: Lazy, allow_reannotation: Lazy = None):
    """Layouts are the compiler's business; the argument is not even evaluated."""


@operation(also={"l2_hit_ratio_map": "ratios"})
def annotate_l2_hit_ratio(k, ratios: Lazy):
    """Cache residency is the compiler's business."""


@operation
def annotate_padding(k, paddings: Lazy):
    """Padding of shared tiles is the compiler's business."""


@operation
def no_set_max_nreg(k):
    """Register budgets are the compiler's business."""


@operation
def disable_warp_group_reg_alloc(k):
    """Register budgets are the compiler's business."""
