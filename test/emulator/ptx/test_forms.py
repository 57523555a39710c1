"""Every check of forms (forms.py): one instruction after the other against references.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import forms
import pytest
from forms_harness import CHECKS, statements

assert forms.MODULES


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_forms(name: str) -> None:
    assert statements(name)
