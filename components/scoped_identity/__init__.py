"""An identity pool whose users reach their own files and the app's API, and nothing else."""

from .pool import ScopedIdentityPool, ScopedIdentityPoolArgs

__all__ = ["ScopedIdentityPool", "ScopedIdentityPoolArgs"]
