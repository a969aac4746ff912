"""What the pack says of every case, word by word, and every document of every recipe, letter by letter.

The files in `tests/golden` are reviewed like code: a change of wording or of a document shows in their difference. They are
written anew by `python -m tests.test_golden`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.scoped_identity.documents import document
from components.scoped_identity.outputs import pack_config
from components.scoped_identity.plan import plan
from components.scoped_identity.settings import parse
from sandbox.engine import stack_files
from sandbox.engine.policy_pack import Analyzer
from tests.conftest import ROOT
from tests.docs.test_recipes import RECIPES
from tests.policies.pack.engine import ask, ask_stack, built, cases, told

GOLDEN = Path(__file__).parent / "golden"
CASES = {f"{kind}: {case['why']}": case for kind, case in cases()}
POOL = "us-east-1:aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
Findings = dict[str, list[str]]


@cache
def golden(name: str) -> Any:
    found: Any = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return found


def findings(pack: Analyzer, name: str) -> Findings:
    """What both halves say of a case, and what the stack half says alone where that differs."""
    resources, config = built(CASES[name]), CASES[name]["given"].get("config")
    both = [f"{rule}: {text}" for rule, text in told(ask(pack, resources, config))]
    alone = [f"{rule}: {text}" for rule, text in told(ask_stack(pack, resources, config))]
    return {"both": both} if sorted(both) == sorted(alone) else {"both": both, "stack alone": alone}


def documents(recipe: str) -> dict[str, Any]:
    """Each role's trust and permission documents, and what else the component decides."""
    return _made(yaml.safe_load(RECIPES[recipe]))


def _made(block: dict[str, Any]) -> dict[str, Any]:
    files = stack_files.read(ROOT, "dev", {k if ":" in k else f"scoped-identity:{k}": v for k, v in block.items()})
    config = {k.partition(":")[2]: v for k, v in files.config.items() if k.startswith("scoped-identity:")}
    region = files.config["aws:region"]
    raw = {key: _value(text) for key, text in config.items()} | {"region": region}
    made = plan(parse(raw), region, "123456789012")
    return {
        "roles": {
            role.key: {"trust": json.loads(made.trust(POOL, role)), "permissions": [document(p) for p in role.policies]}
            for role in made.roles
        },
        "packConfig": pack_config(made),
    }


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
    assert findings(pack, name) == golden("findings.json")[name]


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_the_documents_of_a_recipe(recipe: str) -> None:
    assert documents(recipe) == golden("documents.json")[recipe]


def test_nothing_golden_is_left_over() -> None:
    assert list(golden("findings.json")) == list(CASES)
    assert list(golden("documents.json")) == list(RECIPES)


def write() -> None:
    with Analyzer(ROOT / "policies") as pack:
        said = {name: findings(pack, name) for name in CASES}
    made: dict[str, Any] = {
        "findings.json": said,
        "documents.json": {r: documents(r) for r in RECIPES},
    }
    for name, value in made.items():
        (GOLDEN / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
