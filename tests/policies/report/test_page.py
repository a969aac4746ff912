"""The page: what it shows of a stack, that a hostile name stays a name, and that a person can use it in a real browser."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Page, browser, needs_browser
from tests.policies.command.run import run, write
from tests.policies.command.test_check import state
from tests.policies.pack.engine import ME, POOL, allow, document, trust

ROLE = "arn:aws:iam::123456789012:role/"
HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)<script>'`\u202e\u001b[31m"
LISTING = {
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": "arn:aws:s3:::notes",
    "Condition": {"StringLike": {"s3:prefix": [f"users/{ME}/*"]}},
}
OWN = (allow(f"arn:aws:s3:::notes/users/{ME}/*", ["s3:GetObject", "s3:PutObject"]), LISTING)
API = allow("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/GET/*", "execute-api:Invoke")


def stack(*statements: Any, guests: bool = False, name: str = "auth", denies: Any = None) -> dict[str, Any]:
    """An export of a pool with a role for signed-in users and one for guests."""
    documents = [("policy", statements), *([("denies", [denies])] if denies else [])]
    pool = {
        "id": POOL,
        "identityPoolName": "notes",
        "allowUnauthenticatedIdentities": guests,
        "supportedLoginProviders": {"accounts.google.com": "123"},
    }
    roles = {"authenticated": ROLE + name, "unauthenticated": ROLE + "guest"}
    return state(
        ("aws:cognito/identityPool:IdentityPool", "notes", pool),
        ("aws:iam/role:Role", name, {"name": name, "arn": ROLE + name, "assumeRolePolicy": json.dumps(trust())}),
        (
            "aws:iam/role:Role",
            "guest",
            {"name": "guest", "arn": ROLE + "guest", "assumeRolePolicy": json.dumps(trust(amr="unauthenticated"))},
        ),
        *(
            (
                "aws:iam/rolePolicy:RolePolicy",
                label,
                {"name": label, "role": name, "policy": json.dumps(document(given))},
            )
            for label, given in documents
        ),
        (
            "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment",
            "roles",
            {"identityPoolId": POOL, "roles": roles},
        ),
    )


@pytest.fixture
def page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def written(*exports: dict[str, Any], config: Any = None) -> Path:
        paths = [write(tmp_path / f"stack-{number}.json", export) for number, export in enumerate(exports, 1)]
        options: list[str | Path] = ["--config", write(tmp_path / "pack.json", config)] if config else []
        target = tmp_path / "out.html"
        each = ["--each"] if len(exports) > 1 else []
        found = run(capsys, "report", *each, *paths, "-o", target, *options)
        assert found.code == 0, found.err
        return target

    return written


def rows(path: Path) -> list[tuple[str, ...]]:
    """The access that the page lists: kind, verbs, place, source."""
    text = path.read_text(encoding="utf-8")
    found = []
    for row in re.findall(r"<tr><td><span class=\"tag.*?</tr>", text):
        cells = re.findall(r"<td>(.*?)</td>", row)
        found.append(tuple(html.unescape(re.sub(r"<br>.*|<[^>]+>", "", cell)) for cell in cells))
    return found


def test_access_is_listed_by_what_it_is_about(page: Any) -> None:
    table = allow(["arn:aws:dynamodb:us-east-1:123456789012:table/settings"], "dynamodb:Scan")
    escalates = allow("*", ["iam:PutRolePolicy", "sqs:SendMessage"])
    wide = allow(f"arn:aws:s3:::notes/*/{ME}/*")
    found = rows(page(stack(*OWN, API, table, wide, escalates)))
    assert found == [
        ("leak", "read", "notes/*/⟨identity ID⟩/*", "policy, statement 5"),
        ("privilege escalation", "iam:PutRolePolicy", "everything", "policy, statement 6"),
        ("user's own", "read, write", "notes/users/⟨identity ID⟩/*", "policy, statement 1"),
        ("user's own", "list", "notes/users/⟨identity ID⟩/*", "policy, statement 2"),
        ("API", "call", "a1b2c3d4e5/*/GET/*", "policy, statement 3"),
        ("other access", "dynamodb:Scan", "dynamodb: table/settings", "policy, statement 4"),
        ("other access", "sqs:SendMessage", "everything", "policy, statement 6"),
    ]


def leaks(path: Path) -> list[list[str]]:
    """The lines of each node of the picture that stands out."""
    text = path.read_text(encoding="utf-8")
    nodes = re.findall(r'<g class="node leak"><title>(.*?)</title>', text, re.DOTALL)
    return [html.unescape(node).split("\n") for node in nodes]


def test_a_leak_is_drawn_with_the_request_that_shows_it(page: Any) -> None:
    wide, listing = allow(f"arn:aws:s3:::notes/*/{ME}/*"), allow("arn:aws:s3:::notes", "s3:ListBucket")
    assert leaks(page(stack(wide, listing, allow("*", "iam:PutRolePolicy")))) == [
        [
            "notes/*/⟨identity ID⟩/*",
            "leak: read",
            "identity us-east-1:1111… may s3:GetObject",
            "notes/x/us-east-1:2222…/us-east-1:1111…/x",
        ],
        ["notes/*", "leak: list", "identity us-east-1:1111… may s3:ListBucket", "notes, without a prefix"],
        [
            "everything",
            "privilege escalation: iam:PutRolePolicy",
            "identity us-east-1:1111… may iam:PutRolePolicy",
        ],
    ]


def test_what_holds_beside_a_leak_is_not_drawn_as_one(page: Any) -> None:
    resources = ["arn:aws:s3:::notes/public/*", f"arn:aws:s3:::notes/{ME}/*", f"arn:aws:s3:::notes/*/{ME}/*"]
    found = rows(page(stack(allow(resources))))
    assert [row[:3] for row in found] == [
        ("leak", "read", "notes/public/*"),
        ("leak", "read", "notes/*/⟨identity ID⟩/*"),
        ("user's own", "read", "notes/⟨identity ID⟩/*"),
    ]


def test_what_a_deny_takes_away_is_not_listed(page: Any) -> None:
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
    assert rows(page(stack(*OWN, denies=deny)))[0][1] == "read"
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::notes/users/{ME}/*"}
    assert [row[1] for row in rows(page(stack(*OWN, denies=deny)))] == ["list"]


def test_the_worst_stack_stands_first(page: Any) -> None:
    text = page(stack(*OWN), stack(allow("arn:aws:s3:::notes/*"))).read_text(encoding="utf-8")
    names = re.findall(r'<tr class="row" data-find><td><a href="#stack-\d+">([^<]*)', text)
    assert names == ["stack-2.json", "stack-1.json"]
    assert "1 violated" in text


def test_an_exempt_finding_is_shown_as_such(page: Any) -> None:
    exempt = [{"urn": "urn:pulumi:*", "reason": "The report is tried with it.", "expires": "2999-01-01"}]
    text = page(stack(allow("arn:aws:s3:::notes/*")), config={"s3-isolated-by-identity": {"exemptions": exempt}})
    assert 'class="tag exempt"' in text.read_text(encoding="utf-8")


def test_a_hostile_name_stays_a_name(page: Any) -> None:
    text = page(stack(allow(f"arn:aws:s3:::{HOSTILE}/*"), name=HOSTILE)).read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("<script") == 1
    assert "\u202e" not in text
    assert "\u001b" not in text


def test_the_page_names_nothing_to_load(page: Any) -> None:
    text = page(stack(*OWN)).read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"?(?!#)", text)
    assert not re.search(r"@import|url\(", text)


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = write(tmp_path / "stack.json", stack(*OWN))
    found = run(capsys, "report", export, "-o", tmp_path / "none" / "out.html")
    assert (found.code, found.err.count("\n")) == (2, 1)
    assert "out.html: cannot be written" in found.err


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@needs_browser
def test_in_a_browser(page: Any, tab: Page) -> None:
    tab.resize(1280)
    tab.prefer("light")
    tab.open(page(stack(*OWN, API, allow("arn:aws:s3:::notes/public/*"), name=HOSTILE)).as_uri())
    assert all(url.startswith("file:") for url in tab.requests)
    assert not tab.problems
    seen = "getComputedStyle(document.querySelector({})).display"
    assert (tab.run(seen.format("'.picture'")), tab.run(seen.format("'.tree'"))) == ("block", "none")
    assert tab.run("document.querySelectorAll('.picture .node.leak').length") == 1
    assert tab.run("document.querySelectorAll('img').length") == 0

    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(ground)
    tab.press("t")
    assert tab.run(ground) != light
    assert tab.run("document.getElementById('theme').textContent") == "Light"
    tab.press("t")
    tab.prefer("dark")
    assert tab.run(ground) == light, "what a person chose stays"

    tab.press("n")
    assert tab.run("document.activeElement.id") == "finding-1-1"
    tab.press("p")
    assert tab.run("document.activeElement.className").startswith("finding")
    tab.press("/")
    tab.type("other users")
    shown = "[...document.querySelectorAll('article.finding')].filter((a) => !a.hidden).length"
    assert tab.run(shown) == 1
    tab.press("Escape")
    assert tab.run(shown) > 1


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_page(page: Any, tab: Page, width: int) -> None:
    tab.resize(width)
    long = "a-bucket-with-a-very-long-name-that-nobody-should-choose-at-all"
    tab.open(page(stack(*OWN, API, allow([f"arn:aws:s3:::{long}/{'x' * 300}/*"]), guests=True)).as_uri())
    assert tab.run("document.documentElement.scrollWidth") <= width
    form = ".tree" if width < 760 else ".picture"
    assert tab.run(f"document.querySelector('{form}').getBoundingClientRect().height") > 50


@needs_browser
def test_an_overview_leads_to_a_stack(page: Any, tab: Page) -> None:
    tab.resize(1280)
    tab.open(page(*(stack(*OWN) for _ in range(5)), stack(allow("arn:aws:s3:::notes/*"))).as_uri())
    assert tab.run("document.querySelectorAll('details.stack[open]').length") == 0
    tab.resize(320)
    assert tab.run("document.documentElement.scrollWidth") <= 320
    assert tab.run("document.querySelector('.overview').getBoundingClientRect().width") <= 320
    tab.resize(1280)
    tab.run("document.querySelector('tr.row a').click()")
    tab.wait("document.querySelectorAll('details.stack[open]').length === 1")
    assert tab.run("document.querySelector('details.stack[open] h2').textContent").endswith("stack-6.json")
    tab.run("dispatchEvent(new Event('beforeprint'))")
    assert tab.run("document.querySelectorAll('details.stack[open]').length") == 6
