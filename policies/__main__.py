"""The policy pack `identity-scope`, as the engine starts it."""

from identity_scope.crossguard import run

run()
