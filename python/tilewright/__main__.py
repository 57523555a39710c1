"""`python -m tilewright`: the command line.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import sys

from tilewright.cli import main

sys.exit(main())
