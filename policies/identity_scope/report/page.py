"""A report as one HTML file, which loads nothing.

All text that comes from a template or a stack is escaped, and the page's own policy lets nothing run but its own script, so
that a hostile name is a name.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files

from .picture import CLASSES, drawn, listed
from .views import Kind, Report, Role, Stack, Verdict

_ORDER = (Verdict.VIOLATED, Verdict.NOT_PROVEN, Verdict.ADVISORY, Verdict.PASSED, Verdict.EMPTY)
_STYLES = {
    Verdict.VIOLATED: "violated",
    Verdict.NOT_PROVEN: "not-proven",
    Verdict.ADVISORY: "advisory",
    Verdict.PASSED: "passed",
    Verdict.EMPTY: "empty",
}
_SAYS = {
    Verdict.VIOLATED: "Violated: users can do more than they may.",
    Verdict.NOT_PROVEN: "Not proven: a part of the access could not be decided.",
    Verdict.ADVISORY: "Passed, with advisory findings.",
    Verdict.PASSED: "Passed: no user can reach another user's files.",
    Verdict.EMPTY: "No identity pool and no role of one was found.",
}
_COVERS = (
    "A pass is about access to files in Amazon S3, privilege escalation and trust policies, as far as the files that were "
    "read tell. It says nothing about other services, which are listed as other access, nor about policies elsewhere."
)
_CODE = re.compile(r"""`([^`]*)`|(?:"[A-Za-z]+": )?\{".*?\}(?=\.|;|$)""")


def page(stacks: Sequence[Stack], title: str = "Who reaches what") -> str:
    """The report of one stack, or of many with an overview first."""
    stacks = sorted(stacks, key=lambda stack: (_ORDER.index(stack.verdict), _natural(stack.name)))
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    overview = _overview(stacks) if len(stacks) > 1 else ""
    sections = "".join(_stack(stack, number, alone=len(stacks) == 1) for number, stack in enumerate(stacks, 1))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<div class="bar"><div>
<strong>identity-scope</strong>
<label><span class="hidden">Search roles, findings and access</span>
<input id="search" type="search" placeholder="Search roles, findings, buckets, actions" autocomplete="off"></label>
<span id="count" class="soft" role="status"></span>
<button id="theme" type="button" data-script hidden>Dark</button>
</div></div>
<main>
<h1>{escape(title)}</h1>
{_summary(stacks)}
{overview}
{sections}
<footer>
<p>{_COVERS}</p>
<p class="keys" data-script hidden>Keys: <kbd>/</kbd> search, <kbd>Esc</kbd> clear, <kbd>n</kbd> and <kbd>p</kbd> next and
previous finding, <kbd>t</kbd> light or dark.</p>
</footer>
</main>
<script>{script}</script>
</body>
</html>
"""


def _natural(name: str) -> list[tuple[int, str]]:
    """For an order in which 2 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"([0-9]+)", name)]


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _summary(stacks: Sequence[Stack]) -> str:
    if len(stacks) == 1:
        verdict = stacks[0].verdict
        return f'<p><span class="verdict {_STYLES[verdict]}">{_mark(verdict)}</span> {_SAYS[verdict]}</p>'
    counts = [(verdict, sum(stack.verdict is verdict for stack in stacks)) for verdict in _ORDER]
    tags = " ".join(f'<span class="verdict {_STYLES[v]}">{n} {v.value}</span>' for v, n in counts if n)
    return f"<p>{len(stacks)} stacks: {tags}</p>"


def _mark(verdict: Verdict) -> str:
    mark = {Verdict.PASSED: "✓", Verdict.ADVISORY: "✓", Verdict.EMPTY: "–"}.get(verdict, "✗")
    return f"{mark} {verdict.value}"


def _overview(stacks: Sequence[Stack]) -> str:
    heads = ("Mandatory", "Advisory", "Exempt", "Pools", "Roles")
    rows = "".join(
        f'<tr class="row" data-find><td><a href="#stack-{number}">{escape(stack.name)}</a></td>'
        f'<td><span class="verdict {_STYLES[stack.verdict]}">{_mark(stack.verdict)}</span></td>'
        + "".join(
            f'<td class="number">{n or "–"}</td>'
            for n in (*map(stack.count, ("mandatory", "advisory", "exempt")), len(stack.pools), len(stack.roles))
        )
        + "</tr>"
        for number, stack in enumerate(stacks, 1)
    )
    numbers = "".join(f'<th class="number" scope="col">{head}</th>' for head in heads)
    return (
        '<div class="scroll"><table class="overview"><thead><tr><th scope="col">Stack</th><th scope="col">Verdict</th>'
        f"{numbers}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _stack(stack: Stack, number: int, alone: bool) -> str:
    findings = sorted(stack.findings, key=lambda f: ("mandatory", "advisory", "exempt").index(f.level))
    told = "".join(_finding(finding, f"finding-{number}-{index}") for index, finding in enumerate(findings, 1))
    roles = "".join(_role(role, stack) for role in stack.roles)
    pools = "".join(_pool_line(stack, index) for index in range(len(stack.pools)))
    verdict = f'<span class="verdict {_STYLES[stack.verdict]}">{_mark(stack.verdict)}</span>'
    body = f"""{drawn(stack)}{listed(stack)}
<h3>Findings</h3>{told or '<p class="none">There are none.</p>'}
{f"<h3>Roles</h3>{roles}" if roles else ""}
{f"<h3>Identity pools</h3><ul>{pools}</ul>" if pools else ""}"""
    name = escape(stack.name.lower(), True)
    return (
        f'<details class="stack" id="stack-{number}" tabindex="-1" data-name="{name}"{" open" if alone else ""}>'
        f"<summary><h2>{escape(stack.name)}</h2> {verdict}</summary>{body}</details>"
    )


def _pool_line(stack: Stack, index: int) -> str:
    pool = stack.pools[index]
    logins = (
        ", ".join(f"<code>{escape(login)}</code>" for login in pool.logins) or "providers that are not in these files"
    )
    id_ = f" <code>{escape(pool.id)}</code>" if pool.id else ""
    guests = "guests get credentials without signing in" if pool.guests else "guests get no credentials"
    return f"<li><b>{escape(pool.name)}</b>{id_}: sign-in by {logins}; {guests}.</li>"


def _finding(finding: Report, anchor: str) -> str:
    tag = f'<span class="tag {finding.level}">{finding.level}</span>'
    at = finding.proof.index("Proof:") if "Proof:" in finding.proof else len(finding.proof)
    example = "".join(f"<p>{_coded(line)}</p>" for line in finding.proof[:at])
    proof = (
        f"<details><summary>Proof</summary><pre>{escape(chr(10).join(finding.proof[at + 1 :]))}</pre></details>"
        if finding.proof[at:]
        else ""
    )
    fix = f'<p class="fix"><b>Fix:</b> {_coded(finding.fix)}</p>' if finding.fix else ""
    where = f"<small>{escape(finding.place)}</small>" if finding.place else ""
    return (
        f'<article class="finding {finding.level}" id="{anchor}" tabindex="-1" data-find><header>{tag}'
        f"<h4>{escape(finding.rule)}</h4>{where}</header><p>{_coded(finding.headline)}</p>{example}{fix}{proof}</article>"
    )


def _role(role: Role, stack: Stack) -> str:
    findings = stack.about(role.name)
    leaks = sum(finding.level == "mandatory" for finding in findings)
    note = f' <span class="tag leak">{leaks} mandatory finding{"s" if leaks > 1 else ""}</span>' if leaks else ""
    rows = "".join(
        f'<tr><td><span class="tag {CLASSES[each.kind]}">{each.kind.value}</span></td><td>{escape(each.words)}</td>'
        f"<td><code>{escape(each.place)}</code>{f'<br><small>{_coded(each.limits)}</small>' if each.limits else ''}</td>"
        f"<td><small>{escape(each.source)}</small></td></tr>"
        for each in sorted(role.access, key=lambda each: list(Kind).index(each.kind))
    )
    table = (
        '<table class="access"><thead><tr><th scope="col">Kind</th><th scope="col">May</th><th scope="col">Where</th>'
        f'<th scope="col">By</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="none">It gives access to nothing.</p>'
    )
    trust = "".join(f"<li>{_coded(line)}</li>" for line in role.trust)
    unread = "".join(f"<li>{_coded(line)}</li>" for line in role.unread)
    return (
        f'<article class="role" data-find><header><h4>{escape(role.name)}</h4><small>{escape(role.who)}</small>{note}'
        f"</header>{table}"
        f"{'<p>A permissions boundary limits this role.</p>' if role.boundary else ''}"
        f"{f'<p><b>Trust policy</b></p><ul>{trust}</ul>' if trust else ''}"
        f"{f'<p><b>Not read</b></p><ul>{unread}</ul>' if unread else ''}</article>"
    )


def _coded(text: str) -> str:
    """A message's text, as code what stands between backticks, and JSON."""
    return _CODE.sub(lambda match: f"<code>{match[1] or match[0]}</code>", escape(text, False)).replace("\n", "<br>")
