"""Proof, offline and before it happens, that identities of a Cognito identity pool cannot reach each other's files."""
