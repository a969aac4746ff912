"""Fixtures for pytest. Each lives as long as a test module; for another scope, write a fixture around `Sandbox`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from .account import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A pool whose users each have a folder in a bucket, rows in a table, and an API."""
    with Sandbox.pool() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox_template() -> Iterator[Callable[..., Sandbox]]:
    """What CloudFormation templates, or `terraform show -json`, describe: `sandbox_template(PATH…, parameters={…})`."""
    with ExitStack() as stack:
        yield lambda *paths, **settings: stack.enter_context(Sandbox.template(*paths, **settings))


@pytest.fixture(scope="module")
def sandbox_stack() -> Iterator[Callable[..., Sandbox]]:
    """A stack of a Pulumi program: `sandbox_stack(FOLDER, "dev")`."""
    with ExitStack() as stack:
        yield lambda *project, **settings: stack.enter_context(Sandbox.stack(*project, **settings))
