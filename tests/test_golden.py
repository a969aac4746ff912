"""What the pack says of every case, word by word, and every document of every recipe, letter by letter.

The files in `tests/golden` are reviewed like code: a change of wording or of a document shows in their difference.
`python -m tests.test_golden` writes them again.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.scoped_identity.documents import document
from components.scoped_identity.outputs import pack_config
from components.scoped_identity.plan import plan
from sandbox.engine import stack_files
from sandbox.engine.policy_pack import Analyzer
from tests.components.test_grants import GRANTS
from tests.components.test_settings import parse
from tests.conftest import ROOT
from tests.docs.test_recipes import RECIPES
from tests.policies.pack.engine import ask, ask_stack, built, cases, told

GOLDEN = Path(__file__).parent / "golden"
CASES = {f"{kind}: {case['why']}": case for kind, case in cases()}
BLOCKS: dict[str, dict[str, Any]] = {
    **{recipe: yaml.safe_load(block) for recipe, block in RECIPES.items()},
    "Every kind of grant with every option": {
        "authenticated": {"grants": GRANTS},
        "guests": {"reason": "They look.", "grants": GRANTS},
    },
}
POOL = "us-east-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
WIDTH = 110


@cache
def golden_findings() -> dict[str, str]:
    """The text below each case's title."""
    sections = (GOLDEN / "findings.txt").read_text(encoding="utf-8").split("=== ")[1:]
    return dict(section.split("\n\n", 1) for section in sections)


@cache
def golden_documents() -> Any:
    return json.loads((GOLDEN / "documents.json").read_text(encoding="utf-8"))


def findings(pack: Analyzer, name: str) -> str:
    """What both halves say of a case, a paragraph each, and what the stack half says alone where that differs."""
    resources, config = built(CASES[name]), CASES[name]["given"].get("config")
    both = told(ask(pack, resources, config))
    alone = told(ask_stack(pack, resources, config))
    paragraphs = [_paragraph(rule, text) for rule, text in both] or ["nothing\n"]
    if sorted(both) != sorted(alone):
        paragraphs += ["The stack alone:\n", *([_paragraph(rule, text) for rule, text in alone] or ["nothing\n"])]
    return "\n".join(paragraphs) + "\n"


def _paragraph(rule: str, text: str) -> str:
    """A finding in lines of a reviewer's width; what is wrapped is indented more deeply than the finding's own lines."""
    lines = [
        textwrap.fill(line, WIDTH, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False)
        for line in f"{rule}: {text}".split("\n")
    ]
    return "\n".join(lines) + "\n"


def documents(name: str) -> dict[str, Any]:
    """Each role's trust and permission documents, and what else the component decides."""
    block = BLOCKS[name]
    files = stack_files.read(ROOT, "dev", {k if ":" in k else f"scoped-identity:{k}": v for k, v in block.items()})
    config = {k.partition(":")[2]: v for k, v in files.config.items() if k.startswith("scoped-identity:")}
    region = files.config["aws:region"]
    raw = {key: _value(text) for key, text in config.items()} | {"region": region}
    planned = plan(parse(raw), region, "123456789012")
    roles = {
        role.key: {"trust": json.loads(planned.trust(POOL, role)), "permissions": [document(p) for p in role.policies]}
        for role in planned.roles
    }
    return {"roles": roles, "packConfig": pack_config(planned)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.fixture(scope="module")
def pack() -> Iterator[Analyzer]:
    with Analyzer(ROOT / "policies") as running:
        yield running


@pytest.mark.parametrize("name", list(CASES))
def test_the_words_of_a_case(pack: Analyzer, name: str) -> None:
    assert findings(pack, name) == golden_findings()[name]


@pytest.mark.parametrize("name", list(BLOCKS))
def test_the_documents_of_a_recipe(name: str) -> None:
    assert documents(name) == golden_documents()[name]


def test_nothing_golden_is_left_over() -> None:
    assert list(golden_findings()) == list(CASES)
    assert list(golden_documents()) == list(BLOCKS)


def lines(value: Any, indent: str = "") -> str:
    """JSON in which a statement, or whatever fits, is one line."""
    compact = json.dumps(value, ensure_ascii=False)
    deeper = f"{indent}  "
    if not value or not isinstance(value, dict | list) or "Effect" in value or len(indent + compact) <= WIDTH:
        return compact
    if isinstance(value, dict):
        items = [f"{deeper}{json.dumps(key)}: {lines(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{deeper}{lines(item, deeper)}" for item in value) + f"\n{indent}]"


def write() -> None:
    with Analyzer(ROOT / "policies") as pack:
        text = "".join(f"=== {name}\n\n{findings(pack, name)}" for name in CASES)
    (GOLDEN / "findings.txt").write_text(text, encoding="utf-8")
    made = lines({name: documents(name) for name in BLOCKS})
    (GOLDEN / "documents.json").write_text(made + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
