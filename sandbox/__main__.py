"""Start the command line: `python -m sandbox`."""

import sys

from .cli.commands import main

sys.exit(main())
