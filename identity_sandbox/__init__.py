"""A local AWS for tests: an identity pool whose users' permissions are enforced as IAM does.

A test gets it by the fixtures `sandbox`, `sandbox_template` and `sandbox_stack`; see docs/testing-with-the-sandbox.md.
"""

from .account import Sandbox
from .process import SandboxError
from .user import Api, NotDenied, User

__all__ = ["Api", "NotDenied", "Sandbox", "SandboxError", "User"]
