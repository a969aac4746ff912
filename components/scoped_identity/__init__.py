"""An Amazon Cognito identity pool whose users can access their own files and the app's API, and nothing else."""

from .args import ScopedIdentityPoolArgs
from .component import ScopedIdentityPool

__all__ = ["ScopedIdentityPool", "ScopedIdentityPoolArgs"]
