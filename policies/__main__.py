"""The policy pack `identity-scope`, as the engine starts it."""

import io
import sys

from identity_scope.pack.crossguard import run

# The engine waits for the port on a pipe; the SDK writes it without a flush, and Python would keep it.
sys.stdout = io.TextIOWrapper(open(1, "wb", buffering=0, closefd=False), write_through=True)  # noqa: SIM115
run()
