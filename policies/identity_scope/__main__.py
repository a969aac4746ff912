"""`python -m identity_scope` is the command `identity-scope`."""

import sys

from .command.main import main

sys.exit(main())
