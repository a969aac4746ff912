"""The command `identity-scope`: the proof for files, wherever their policies are written."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..findings.escaping import escaped
from ..iam.issuers import REGION
from ..pack.settings import Settings
from ..sources.cloudformation import Assumptions
from ..sources.files import InputError
from .difference import Difference, diff_json, diff_text, difference
from .explain import Explanation, asked, explain, explain_json, explain_text, identity_asked
from .formats import check_json
from .github import check_github
from .judge import Verdict, judge
from .junit import check_junit
from .load import load
from .markdown import check_markdown, diff_markdown
from .report import report, write
from .sarif import check_sarif
from .settings import read_settings
from .terminal import Progress, style_of
from .text import check_text
from .try_it import Again

CLEAN, FINDINGS, BAD_INPUT = 0, 1, 2
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    progress = Progress()
    try:
        code: int = options.run(options, progress)
    except InputError as error:
        progress.clear()
        print(escaped(str(error)), file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # Whoever reads has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except KeyboardInterrupt:
        progress.clear()
        return 130
    return code


def run() -> None:
    """The entry point that is installed."""
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="identity-scope",
        description="Prove, offline, that the users of a Cognito identity pool cannot reach each other's files in S3.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="judge the roles that identity pools issue credentials for",
        description="Judge the roles that identity pools issue credentials for. Exit code: 0 if there is no finding, "
        "1 if there is one, 2 if the input cannot be judged.",
    )
    _add_input(check)
    check.add_argument(
        "--format", choices=["text", *sorted(_FORMATS)], default="text", help="the output's format (text)"
    )
    check.set_defaults(run=_check, defaults={"account": Assumptions.account})
    diff = commands.add_parser(
        "diff",
        help="show what a change lets users do, and what it no longer does",
        description="Compare two versions of the roles: what a request may do in NEW that it may not in OLD, each with a "
        "shortest request, and what is lost. That there is no new access is proven. Exit code: 0, or 1 with "
        "--fail-on-new-access if there is or may be new access, or 2 if the input cannot be judged.",
    )
    diff.add_argument("old", metavar="OLD", help="a file or a folder")
    diff.add_argument("new", metavar="NEW", help="a file or a folder")
    diff.add_argument("--fail-on-new-access", action="store_true", help="exit with 1 if there is or may be new access")
    diff.add_argument("--format", choices=sorted(_DIFF_FORMATS), default="text", help="the output's format (text)")
    _add_settings(diff)
    diff.set_defaults(run=_diff)
    why = commands.add_parser(
        "explain",
        help="show why a request is allowed or denied, statement by statement",
        description="Show what is decided about one request, with each role, for the identity whose ID the request names "
        "and for any other. Exit code: 0, or 2 if the input cannot be judged.",
    )
    why.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, or `-` for standard input")
    why.add_argument(
        "--request",
        required=True,
        metavar="REQUEST",
        help="`ACTION RESOURCE`: an ARN, BUCKET/KEY, for a listing BUCKET/PREFIX or BUCKET, or `*`; `{identity}` stands "
        "for the caller's own ID",
    )
    why.add_argument(
        "--identity", metavar="ID", help="the identity that asks, instead of those two; `none`: without credentials"
    )
    why.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a principal tag of the caller's session, such as userSub=0a1b…; repeatable",
    )
    why.add_argument("--format", choices=sorted(_EXPLAIN_FORMATS), default="text", help="the output's format (text)")
    _add_settings(why)
    why.set_defaults(run=_explain)
    page = commands.add_parser(
        "report",
        help="write a page that shows who reaches what",
        description="Write one HTML file, which loads nothing from elsewhere: pools, sign-in, roles and what users reach, "
        "each finding with its fix. Exit code: 0 if it was written, 2 if the input cannot be judged.",
    )
    _add_input(page)
    page.add_argument("-o", "--output", metavar="FILE", default="report.html", help="where to write it (report.html)")
    page.set_defaults(run=_report)
    return parser


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, or `-` for standard input")
    parser.add_argument("--each", action="store_true", help="judge each file for itself, not all of them as one stack")
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="configuration of the rules, as for `--policy-pack-config`")
    group = parser.add_argument_group("what a template does not say of its deployment")
    group.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of a template; repeatable"
    )
    group.add_argument("--region", help=f"AWS::Region ({Assumptions.region}, and pools may be in any region)")
    group.add_argument("--account", default=Assumptions.account, help=f"AWS::AccountId ({Assumptions.account})")


def _assumptions(options: argparse.Namespace) -> Assumptions:
    parameters: dict[str, str] = {}
    for given in options.parameter:
        name, equals, value = given.partition("=")
        if not name or not equals:
            raise InputError("--parameter", f"`{given}` must be NAME=VALUE")
        parameters[name] = value
    if options.region is not None and not REGION.fullmatch(options.region):
        raise InputError("--region", f"`{options.region}` must be a region, such as us-east-1")
    if not options.account.isdecimal() or len(options.account) != 12:
        raise InputError("--account", f"`{options.account}` must be the 12 digits of an account")
    known = options.region is not None
    return Assumptions(parameters, options.region if known else Assumptions.region, options.account, known)


def _verdicts(options: argparse.Namespace, settings: Settings, progress: Progress) -> list[Verdict]:
    loaded = load(options.paths, options.each, _assumptions(options), progress)
    return [judge(each, settings, progress) for each in loaded]


def _check(options: argparse.Namespace, progress: Progress) -> int:
    verdicts = _verdicts(options, read_settings(options.config), progress)
    progress.clear()
    if options.format == "text":
        _print(check_text(verdicts, style_of(sys.stdout), Again(options)))
    else:
        _print(_FORMATS[options.format](verdicts))
    return FINDINGS if any(verdict.findings for verdict in verdicts) else CLEAN


def _diff(options: argparse.Namespace, progress: Progress) -> int:
    settings, assumptions = read_settings(options.config), _assumptions(options)
    (old,), (new,) = (load([path], assumptions=assumptions, progress=progress) for path in (options.old, options.new))
    found = difference(old, new, settings, progress)
    progress.clear()
    _print(_DIFF_FORMATS[options.format](found))
    return FINDINGS if options.fail_on_new_access and found.gains else CLEAN


def _explain(options: argparse.Namespace, progress: Progress) -> int:
    settings, request = read_settings(options.config), asked(options.request, options.tag)
    identity = identity_asked(options.identity)
    found: list[Explanation] = []
    for loaded in load(options.paths, assumptions=_assumptions(options), progress=progress):
        for each in (loaded, *loaded.alternatives):
            found += [one for one in explain(each, settings, request, identity) if one not in found]
    progress.clear()
    _print(_EXPLAIN_FORMATS[options.format](found))
    return CLEAN


def _report(options: argparse.Namespace, progress: Progress) -> int:
    settings = read_settings(options.config)
    verdicts = _verdicts(options, settings, progress)
    text = report(verdicts, settings)
    progress.clear()
    write(options.output, text)
    findings = sum(len(verdict.findings) for verdict in verdicts)
    print(f"{escaped(options.output)}: {len(verdicts)} judged, {findings} finding{'' if findings == 1 else 's'}")
    return CLEAN


_FORMATS: dict[str, Callable[[Sequence[Verdict]], str]] = {
    "json": check_json,
    "sarif": check_sarif,
    "junit": check_junit,
    "github": check_github,
    "markdown": check_markdown,
}


_DIFF_FORMATS: dict[str, Callable[[Difference], str]] = {
    "text": lambda found: diff_text(found, style_of(sys.stdout)),
    "json": diff_json,
    "markdown": diff_markdown,
}


_EXPLAIN_FORMATS: dict[str, Callable[[Sequence[Explanation]], str]] = {
    "text": lambda found: explain_text(found, style_of(sys.stdout)),
    "json": explain_json,
}


def _print(text: str) -> None:
    """Write text in UTF-8, whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
