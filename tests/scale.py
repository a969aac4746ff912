"""How many random inputs the tests make: a few of every kind in `make test`, and many times as many in `make search`."""

from __future__ import annotations

import os

SCALE = int(os.environ.get("SCALE", "1"))
"""How many times as many inputs as `make test` makes."""
