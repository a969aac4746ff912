"""Takes the screenshots of the documentation in Chromium: `python -m scripts.screenshots`.

`report-light.png` and `report-dark.png` show the page of `examples/cloudformation/template.yaml`. `pull-request.png` shows
the comment that a pull request gets: a stack is deployed into the sandbox by the Pulumi CLI, and a change of it is
previewed under the policy pack. The comment is rendered by cmark-gfm, as GitHub renders it, in a style like GitHub's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from policies.identity_scope.command.main import main as identity_scope
from sandbox.engine import pulumi_cli
from scripts.captures import IMAGES, ROOT
from scripts.preview_comment import body
from tests.browser import Page, browser
from tests.engine.conftest import in_sandbox

TEMPLATE = ROOT / "examples" / "cloudformation" / "template.yaml"
CHANGE = {
    "grants": [
        {
            "statement": {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::notes-dev-albums/*/${cognito-identity.amazonaws.com:sub}/*",
            }
        }
    ]
}
"""A statement that looks as if it were limited to the user's own folder."""
RENDERER = "cmarkgfm==2025.10.22"
RENDER = """
import sys, cmarkgfm
from cmarkgfm.cmark import Options
sys.stdout.write(cmarkgfm.github_flavored_markdown_to_html(sys.stdin.read(), Options.CMARK_OPT_UNSAFE))
"""
CROSS = '<b style="color: #d1242f; font-family: DejaVu Sans, sans-serif">✗</b>'
"""What stands for the emoji, of which the machine needs no font."""
STYLE = """
body { margin: 0; padding: 24px; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
  color: #1f2328; background: #fff; }
article { max-width: 980px; border: 1px solid #d1d9e0; border-radius: 6px; padding: 16px 24px; }
h3 { font-size: 1.25em; margin: 0 0 16px; }
table { border-collapse: collapse; margin: 0 0 16px; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left; vertical-align: top; }
code, pre { font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: #818b981f; border-radius: 6px; padding: .2em .4em; overflow-wrap: break-word; }
pre { background: #f6f8fa; border-radius: 6px; padding: 16px; overflow: hidden; white-space: pre; }
pre code { background: none; padding: 0; }
"""


def page(folder: Path, tab: Page) -> None:
    """The page of the example, as far as its first finding."""
    target = folder / "report.html"
    os.chdir(ROOT)  # so that the page names the file as a reader would
    if identity_scope(["report", str(TEMPLATE.relative_to(ROOT)), "-o", str(target)]) != 0:
        raise SystemExit("the page was not written")
    for theme in ("light", "dark"):
        tab.resize(1180, 940)
        tab.prefer(theme)
        tab.open(target.as_uri())
        tab.run("document.documentElement.style.scrollbarWidth = 'none'")
        tab.screenshot(IMAGES / f"report-{theme}.png", whole=False)


def pull_request(folder: Path, tab: Page) -> None:
    """The comment on a change that lets users read each other's albums."""
    target = folder / "comment.html"
    target.write_text(
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><article>{_html(_comment(folder))}</article>",
        encoding="utf-8",
    )
    tab.resize(1060, 400)
    tab.prefer("light")
    tab.open(target.as_uri())
    tab.screenshot(IMAGES / "pull-request.png")


def _comment(folder: Path) -> str:
    binary = pulumi_cli.installed()
    if binary is None:
        raise SystemExit("there is no Pulumi CLI; `make engine` builds one")
    with in_sandbox(binary, folder) as stack:
        stack.up()
        deployed, planned = folder / "deployed.json", folder / "planned.json"
        stack.run("stack", "export", "--file", str(deployed), "--stack", stack.name, program=False)
        preview = stack.preview("--diff", "--color", "never", fails=True, authenticated=CHANGE)
        planned.write_text(
            _json(stack.preview("--json", "--show-sames", pack=False, authenticated=CHANGE)), encoding="utf-8"
        )
    diff = [sys.executable, "-m", "identity_scope", "diff", "--format", "json", str(deployed), str(planned)]
    access = subprocess.run(diff, cwd=ROOT / "policies", capture_output=True, encoding="utf-8", check=True).stdout
    run = "https://github.com/acme/scoped-identity/actions/runs/1"
    return body("dev", "failure", "3f2a9c41d0", run, preview, access)


def _json(text: str) -> str:
    """The JSON in an output that has other lines as well."""
    value, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    return json.dumps(value)


def _html(markdown: str) -> str:
    uvx = str(Path(sys.executable).parent / "uvx")
    command = [uvx, "-q", "--from", RENDERER, "--with", RENDERER, "python", "-c", RENDER]
    html = subprocess.run(command, input=markdown, capture_output=True, encoding="utf-8", check=True).stdout
    return html.replace("❌", CROSS)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, browser(Path(name) / "profile") as tab:
        folder = Path(name) / "files"
        folder.mkdir()
        page(folder, tab)
        pull_request(folder, tab)


if __name__ == "__main__":
    main()
