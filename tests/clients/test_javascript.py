"""Clients that apps have, against the sandbox: the AWS SDK for JavaScript, and Amplify in a browser."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_sandbox import Sandbox
from tests.browser import Page, browser, needs_browser
from tests.clients.node import needs_npm, packages
from tests.clients.served import served
from tests.docs.test_testing_page import file

pytestmark = [needs_npm, pytest.mark.process]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory.getbasetemp().parent)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.pool() as found:
        for name in ("ann", "bob", "cat", "dan"):
            found.sign_up(name)
        yield found


def test_the_sdk_for_javascript(node: Path, sandbox: Sandbox) -> None:
    """Files, parts with progress, streams, presigned URLs and forms; and what another user is denied."""
    environment = {**os.environ, **sandbox.environment}
    command = ["node", "--test", "files.mjs"]
    done = subprocess.run(command, cwd=node, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 6\n" in done.stdout or "\nℹ pass 6\n" in done.stdout, done.stdout


@pytest.fixture(scope="module")
def page(node: Path, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("page")
    (node / "build.mjs").write_text(file("build.mjs"), encoding="utf-8")
    subprocess.run(["node", "build.mjs", "page.mjs", str(folder / "page.js")], cwd=node, check=True)
    with (
        served(folder, "page.js", sandbox.environment) as address,
        browser(tmp_path_factory.mktemp("browser")) as tab,
    ):
        tab.open(address)
        tab.wait("globalThis.app !== undefined")
        yield tab


@needs_browser
def test_amplify_in_a_browser(page: Page) -> None:
    """Sign-in with SRP; uploadData with progress and in parts, list, downloadData, getUrl, remove; and what is denied."""
    cat = page.run("app.session('cat')")
    path = f"{cat['identityId']}/notes/a b.txt"
    large = 11 * 1024 * 1024
    assert cat["isSignedIn"]
    assert cat["listed"] == [[f"{cat['identityId']}/large", large], [path, 5]]
    assert cat["progress"] == large
    assert cat["text"] == cat["byUrl"] == "hello"
    assert cat["left"] == [path]
    dan = page.run(f"app.session('dan', {json.dumps(cat['identityId'])})")
    assert dan["identityId"] != cat["identityId"]
    assert dan["others"] == ["AccessDenied"] * 4


@needs_browser
def test_amplify_is_refused_another_password(page: Page) -> None:
    assert page.run("app.wrongPassword('cat')") == "NotAuthorizedException"
