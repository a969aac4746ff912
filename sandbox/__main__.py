"""Start the command line: `python -m sandbox`."""

import sys

from .cli import main

sys.exit(main())
