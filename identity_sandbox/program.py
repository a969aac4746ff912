"""The program of a sandbox's process; also what the command `identity-sandbox` starts.

An installation carries the sandbox and the policy pack in the folder `bundle`, and a checkout has them beside this folder:
neither is a package of its own, whose name could be somebody else's.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BUNDLE = _HERE / "bundle"
ROOT = _BUNDLE if _BUNDLE.is_dir() else _HERE.parent


def command() -> int:
    """The command `identity-sandbox`; returns the exit code."""
    sys.path.insert(0, str(ROOT))
    from sandbox.cli.entry import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # in the place of this folder, whose modules have common names
    from sandbox.cli.hosted import main

    sys.exit(main())
