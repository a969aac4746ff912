"""Start the command line: `python -m sandbox`."""

import signal
import sys

signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's Ctrl-C

try:
    from .cli.commands import main

    exit_code = main()
except KeyboardInterrupt:  # while the packages are imported
    print("stopped", file=sys.stderr)
    exit_code = 130
sys.exit(exit_code)
