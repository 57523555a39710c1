"""How large a peer's code of a problem is.

    python bench/static/size.py (triton|tilelang) TARGET PROBLEM

Standard output gets one line of JSON: `bytes`, of PTX or of a code object; where the compiler
is missing, `missing` says how to get it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import json
import sys

import problems
import tools


def main() -> None:
    """Compile and print."""
    peer, target, name = sys.argv[1:]
    [problem] = problems.select([name])
    try:
        code = tools.peer(peer).compiled(problem, target).code
    except tools.MissingTool as error:
        print(json.dumps({"missing": str(error)}))
        return
    print(json.dumps({"bytes": len(code)}))


if __name__ == "__main__":
    main()
