"""What a finding about a trust policy says, and the trust policy that fixes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..iam.documents import Document, Effect, Statement
from ..iam.evaluator import action_matches
from ..iam.issuers import COMMERCIAL_ISSUER, NAMED, PARTITIONS, issuer_of, known_issuers
from ..iam.trusts import TAG_SESSION, lets_in
from ..inventory.vended import VendedRole
from ..proof.trust import Looseness, TrustProblem, trust_problems
from .escaping import escaped_value
from .finding import Kind
from .fix import TRUST, Declaration, Edit, Fix, Placeholder, StatementJson, edited, edits_of, short, statement_json
from .fix_words import line
from .spelling import misspelt_issuer

POOL_ID = "POOL_ID"
ENTRY = "sts:AssumeRoleWithWebIdentity"
KINDS = {
    Looseness.ANY_PRINCIPAL: Kind.ANY_PRINCIPAL,
    Looseness.OTHER_PRINCIPAL: Kind.OTHER_PRINCIPAL,
    Looseness.ANY_POOL: Kind.ANY_POOL,
    Looseness.NO_POOL: Kind.NO_POOL,
    Looseness.OTHER_POOL: Kind.OTHER_POOL,
    Looseness.OTHER_ISSUER: Kind.OTHER_ISSUER,
    Looseness.UNKNOWN_ISSUER: Kind.UNKNOWN_ISSUER,
    Looseness.ANY_LOGIN: Kind.ANY_LOGIN,
    Looseness.BOTH_LOGINS: Kind.BOTH_LOGINS,
}


@dataclass(frozen=True)
class Login:
    """Who gets a role: `authenticated` or `unauthenticated`, and whether the other kind of user gets it as well."""

    amr: str
    both: bool = False


def login(role: VendedRole) -> Login:
    """Which users a role is for, as the pool vends it; else as its trust policy or its name says."""
    guests = "unauthenticated" in role.kinds
    signed_in = bool({"authenticated", "mapped"} & role.kinds)
    if guests or signed_in:
        return Login("unauthenticated" if guests and not signed_in else "authenticated", guests and signed_in)
    values = {
        value.lower()
        for statement in (role.trust.statements if role.trust is not None else ())
        for test in statement.conditions
        if test.key.endswith(":amr")
        for value in test.values
    }
    if values and all(value.startswith("unauth") for value in values):
        return Login("unauthenticated")
    name = role.label.lower()
    if not any(value == "authenticated" for value in values) and ("guest" in name or "unauth" in name):
        return Login("unauthenticated")
    return Login("authenticated", "unauthenticated" in values and "authenticated" in values)


class TrustFixes:
    """The fixes of one role's trust policy.

    Args:
        known: IDs of the pools that the role may trust; None where they are not known.
        issuers: issuers by region, in addition to the known ones.
        rules: the rules whose configuration has `issuers`.
    """

    def __init__(
        self, role: VendedRole, known: frozenset[str] | None, issuers: Mapping[str, str], rules: Sequence[str] = ()
    ) -> None:
        self._role = role
        self._issuers = dict(issuers)
        self._known = known
        self._rules = tuple(rules)
        self._login = login(role)
        own = sorted(pool for pool in role.pools if NAMED.fullmatch(pool) and (known is None or pool in known))
        self._pools = own or sorted(known or ())
        region = (self._pools or [f"{region}:" for region in role.regions] or [""])[0].partition(":")[0]
        self._issuer = issuer_of(region, self._issuers) if region else self._named_issuer()

    def kind(self, problem: TrustProblem) -> Kind:
        return Kind.MISSPELT_ISSUER if self._misspelt(problem) else KINDS[problem.looseness]

    def text(self, problem: TrustProblem) -> str:
        """What is wrong, in one line."""
        key = f"`{problem.issuer}:%s`"
        value, test = escaped_value(problem.value), problem.test
        if problem.looseness is Looseness.ANY_PRINCIPAL:
            return "it trusts every principal that it does not name"
        if problem.looseness is Looseness.OTHER_PRINCIPAL:
            right = self._misspelt(problem)
            if right:
                return f"`{value}` is misspelt: the issuer of identity pools is `{right}`"
            return f"it trusts `{value}`, which gets everything that the role's users may do"
        if problem.looseness is Looseness.ANY_POOL:
            why = f"only tests it by {test.label}" if test is not None else "does not test it"
            return (
                f"any identity pool of any account can vend the role: the statement must test {key % 'aud'}, and {why}"
            )
        if problem.looseness is Looseness.NO_POOL:
            return f"`{value}` is not the ID of an identity pool, which is REGION:UUID; {key % 'aud'} must be one"
        if problem.looseness is Looseness.OTHER_POOL:
            return f"it trusts the pool `{value}`, which this stack neither creates nor attaches roles to"
        if problem.looseness is Looseness.OTHER_ISSUER:
            return f"`{value}` is not the issuer of the pool that it trusts, which is `{problem.issuer}`"
        if problem.looseness is Looseness.UNKNOWN_ISSUER:
            return f"not proven: the issuer of identity pools in {value} is not known"
        if problem.looseness is Looseness.ANY_LOGIN:
            why = f"only tests it by {test.label}, which guests also pass" if test is not None else "does not test it"
            return (
                f"guests and signed-in users can both assume the role: the statement must test {key % 'amr'}, and {why}"
            )
        values = " or ".join(f"`{escaped_value(v)}`" for v in (test.values if test is not None else ()))
        return f"guests and signed-in users can both assume the role: both meet {key % 'amr'} {values}"

    def fix(self, problem: TrustProblem) -> Fix:
        """The change after which the problem is gone and no other has come."""
        trust = self._role.trust
        assert trust is not None
        if problem.looseness is Looseness.UNKNOWN_ISSUER:
            return Fix(declare=Declaration(self._rules, "issuers", {problem.value: problem.issuer}))
        first: Fix | None = None
        before = self._problems(trust)
        for statements in self._candidates(problem):
            edits = edits_of(self._role.urn, TRUST, trust, {problem.statement.index: statements})
            if not edits:
                continue
            fix = self._with_placeholder(edits)
            first = first or fix
            after = edited(trust, edits)
            if after is not None and self._is_fixed(problem, before, self._problems(after)):
                return fix
        return first or Fix(advice="write the trust policy as AWS's guide to role trust has it")

    def admitting(self) -> Fix:
        """The statement by which the pool can assume the role that it vends."""
        trust = self._role.trust
        assert trust is not None
        added = max((s.index for s in trust.statements), default=-1) + 1
        return self._with_placeholder((Edit(self._role.urn, TRUST, added, (), None, self._canonical({})),))

    def tagging(self) -> Fix:
        """The change by which the pool can pass principal tags to the sessions that it vends."""
        trust = self._role.trust
        assert trust is not None
        known = known_issuers(self._issuers)
        edits: list[Edit] = []
        for statement in trust.statements:
            entries = statement.principals.entries if statement.principals is not None else ()
            trusted = statement.effect is Effect.ALLOW and any(value in known for _, value in entries)
            if trusted and lets_in(statement) and not statement.not_action:
                written = statement_json(statement)
                added = {**written, "Action": [*statement.actions, TAG_SESSION]}
                edits += edits_of(self._role.urn, TRUST, trust, {statement.index: [added]})
        return Fix(tuple(edits)) if edits else self.admitting()

    def more(self, problem: TrustProblem) -> Iterator[str]:
        """What else there is to do or to choose."""
        if problem.looseness in (Looseness.ANY_LOGIN, Looseness.BOTH_LOGINS) and self._login.both:
            yield "  Guests need a role of their own, whose trust policy says `unauthenticated`."
        if problem.looseness is Looseness.OTHER_POOL and self._pools:
            declared = Declaration(("trust-bound-to-pool",), "pools", [problem.value])
            yield f"  Or, if that pool is meant to vend it, declare it in the configuration of the pack: {line(declared)}"

    # Candidates

    def _candidates(self, problem: TrustProblem) -> Iterator[list[StatementJson]]:
        statement = problem.statement
        written = statement_json(statement)
        looseness = problem.looseness
        if looseness is Looseness.OTHER_PRINCIPAL:
            right = self._misspelt(problem)
            old = problem.value.partition(": ")[2]
            if right:
                yield [_renamed(written, old, right)]
                yield [self._canonical(written)]
                return
            assert statement.principals is not None
            known = known_issuers(self._issuers)
            if any(kind == "Federated" and value in known for kind, value in statement.principals.entries):
                kept = tuple(e for e in statement.principals.entries if f"{e[0]}: {e[1]}" != problem.value)
                principals = replace(statement.principals, entries=kept)
                yield [statement_json(replace(statement, principals=principals))]
            elif self._others_let_in(statement):
                yield []
        elif looseness is Looseness.ANY_POOL:
            yield [self._tested(written, problem, "aud")]
        elif looseness is Looseness.NO_POOL:
            yield [_with_values(written, f"{problem.issuer}:aud", self._audience(problem))]
        elif looseness is Looseness.OTHER_POOL:
            if self._pools:
                yield [_with_values(written, f"{problem.issuer}:aud", self._audience(problem))]
        elif looseness is Looseness.OTHER_ISSUER:
            yield [_renamed(written, problem.value, problem.issuer)]
        elif looseness in (Looseness.ANY_LOGIN, Looseness.BOTH_LOGINS):
            yield [self._tested(written, problem, "amr")]
        yield [self._canonical(written)]

    def _audience(self, problem: TrustProblem) -> list[str]:
        """The pools that the role may trust of those that the statement names; the role's own where there are none."""
        named = [
            value
            for test in problem.statement.conditions
            if test.key.endswith(":aud") and test.operator == "StringEquals"
            for value in test.values
            if value != problem.value and NAMED.fullmatch(value) and (self._known is None or value in self._known)
        ]
        return list(dict.fromkeys(named)) or self._pools or [POOL_ID]

    def _tested(self, written: StatementJson, problem: TrustProblem, name: str) -> StatementJson:
        key = f"{problem.issuer}:{name}"
        if name == "aud":
            named = [
                value
                for test in problem.statement.conditions
                if test.key == key
                for value in test.values
                if NAMED.fullmatch(value)
                and (self._known is None or value in self._known)
                and "Not" not in test.operator
            ]
            operator, values = "StringEquals", list(dict.fromkeys(named)) or self._pools or [POOL_ID]
        else:
            operator, values = "ForAnyValue:StringLike", [self._login.amr]
        conditions = {
            label: {k: v for k, v in block.items() if k.lower() != key}
            for label, block in written.get("Condition", {}).items()
        }
        conditions.setdefault(operator, {})[key] = short(values)
        return {**written, "Condition": {label: block for label, block in conditions.items() if block}}

    def _canonical(self, written: StatementJson) -> StatementJson:
        issuer = self._issuer or COMMERCIAL_ISSUER
        found = {"Sid": written["Sid"]} if "Sid" in written else {}
        return {
            **found,
            "Effect": "Allow",
            "Principal": {"Federated": issuer},
            "Action": [ENTRY, TAG_SESSION] if self._tags() else ENTRY,
            "Condition": {
                "StringEquals": {f"{issuer}:aud": short(self._pools or [POOL_ID])},
                "ForAnyValue:StringLike": {f"{issuer}:amr": self._login.amr},
            },
        }

    def _tags(self) -> bool:
        """Whether sessions of the role have principal tags, which its trust policy must allow."""
        trust = self._role.trust
        allowed = trust is not None and any(action_matches(s, TAG_SESSION) for s in trust.statements)
        return allowed or any(each.refused for each in self._role.logins.values())

    def _problems(self, trust: Document) -> set[tuple[Looseness, str, int]]:
        found = trust_problems(trust, self._known, self._issuers)
        return {(each.looseness, each.value, each.statement.index) for each in found}

    @staticmethod
    def _is_fixed(
        problem: TrustProblem, before: set[tuple[Looseness, str, int]], after: set[tuple[Looseness, str, int]]
    ) -> bool:
        gone = (problem.looseness, problem.value, problem.statement.index) not in after
        # A placeholder stands for a pool's ID.
        return gone and {each for each in after if each[1] != POOL_ID} <= before

    def _misspelt(self, problem: TrustProblem) -> str | None:
        kind, _, name = problem.value.partition(": ")
        if problem.looseness is not Looseness.OTHER_PRINCIPAL or kind != "Federated":
            return None
        return misspelt_issuer(name, self._issuers.values(), self._issuer)

    def _others_let_in(self, statement: Statement) -> bool:
        assert self._role.trust is not None
        known = known_issuers(self._issuers)
        return any(
            other.principals is not None
            and any(kind == "Federated" and value in known for kind, value in other.principals.entries)
            for other in self._role.trust.statements
            if other is not statement and lets_in(other)
        )

    def _named_issuer(self) -> str | None:
        known = known_issuers(self._issuers)
        statements = self._role.trust.statements if self._role.trust is not None else ()
        named = [v for s in statements if s.principals for k, v in s.principals.entries if k == "Federated"]
        return next((value for value in named if value in known), None) or self._issuer_of_arns()

    def _issuer_of_arns(self) -> str | None:
        """The issuer of the partition that ARNs in the role's documents have, where nothing else says which it is."""
        texts = (r for _, d in self._role.principal.documents for s in d.statements for r in s.resources)
        names = {text.split(":")[1] for text in texts if text.startswith("arn:")} & PARTITIONS.keys()
        return issuer_of(PARTITIONS[names.pop()][1], self._issuers) if len(names) == 1 else None

    @staticmethod
    def _with_placeholder(edits: Iterable[Edit]) -> Fix:
        edits = tuple(edits)
        used = any(POOL_ID in str(edit.new) for edit in edits)
        return Fix(edits, placeholders=(Placeholder(POOL_ID, "the ID of the identity pool"),) if used else ())


def _with_values(written: StatementJson, key: str, values: Sequence[str]) -> StatementJson:
    conditions = {
        label: {
            k: short(values) if k.lower() == key and label.endswith("StringEquals") else v for k, v in block.items()
        }
        for label, block in written["Condition"].items()
    }
    return {**written, "Condition": conditions}


def _renamed(written: StatementJson, old: str, new: str) -> StatementJson:
    """A statement in which one issuer takes the place of another, as the principal and in the condition keys."""
    found = dict(written)
    principal = found.get("Principal")
    if isinstance(principal, dict):
        found["Principal"] = {
            kind: short(
                [new if value == old else value for value in (values if isinstance(values, list) else [values])]
            )
            for kind, values in principal.items()
        }
    if "Condition" in found:
        found["Condition"] = {
            label: {
                (f"{new}{key[len(old) :]}" if key.lower().startswith(f"{old.lower()}:") else key): values
                for key, values in block.items()
            }
            for label, block in found["Condition"].items()
        }
    return found
