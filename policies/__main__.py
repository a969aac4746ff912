"""The policy pack `identity-scope`, as the engine starts it."""

from identity_scope.pack.crossguard import run

run()
