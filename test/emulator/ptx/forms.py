"""All checks of forms, by which test_forms.py and coverage.py run them.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import forms_arithmetic
import forms_atomics
import forms_copies
import forms_elementwise
import forms_maps
import forms_matrix
import forms_memory
import forms_misc
import forms_quads
import forms_swizzle
import forms_sync

MODULES = (
    forms_arithmetic,
    forms_atomics,
    forms_copies,
    forms_elementwise,
    forms_maps,
    forms_matrix,
    forms_memory,
    forms_misc,
    forms_quads,
    forms_swizzle,
    forms_sync,
)
