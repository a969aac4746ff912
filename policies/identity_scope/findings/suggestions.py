"""The fix of what a proof found: changes are tried, the most faithful first, and the proof is asked again.

INVARIANT (fixes). A fix that is suggested makes its finding go away and brings no other. Whether its author meant that
no proof can say; so the candidates keep the folder's name, the statement's other actions, and its other conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..iam.actions import LIST_ACTIONS, mask
from ..iam.documents import Document, Effect, Statement, Version, parse
from ..iam.issuers import COMMERCIAL_ISSUER, Shape
from ..iam.principals import Grantee, grantee, is_for_everyone
from ..inventory.declared import Shared
from ..inventory.principal import BucketPolicy, Principal
from ..inventory.vended import VendedRole
from ..proof.reach import PREFIX_KEY
from ..proof.results import (
    Access,
    Cause,
    DeadGrant,
    Escalation,
    NotProven,
    OtherAccess,
    OutsideFolder,
    Result,
    UnnamedApi,
    Violation,
)
from ..proof.scope import Scope
from . import rewriting
from .fix import Declaration, Edit, Fix, Placeholder, StatementJson, edited, edits_of, statement_json, version_edit
from .scoping import BUCKET, NAME, Names, folder_name, literal_buckets, objects_of, placeholders
from .spelling import misspelt
from .tagging import by_claim, own_tag, pool_logins, tenants_of, with_fix

Prove = Callable[[Scope], "Sequence[Result]"]

_TAG = re.compile(r"\$\{aws:PrincipalTag/([^},]*)\}", re.IGNORECASE)
_TRIES = 120
"""How often the proof is asked again for the findings of one question; after that, the first candidate is suggested."""
_STEPS = 10_000
"""What one of these questions may cost."""
API_ID = "APIID"
REASON = "…"
"""What a declaration says in place of the reason, which only its author knows."""
ISOLATED, OWN_FOLDER = "s3-isolated-by-identity", "s3-own-folder"


@dataclass(frozen=True)
class Place:
    """A statement, its document, and the resource that holds it."""

    urn: str
    label: str
    document: Document
    statement: Statement
    principal: Principal
    of_bucket: bool = False


class Suggestions:
    """The fixes of one question's results.

    Args:
        scope: the question.
        roles: its vended roles.
        prove: the proof; also of what else must not get worse.
        results: what it found.
        apis: the APIs that users may call, where the configuration names them.
    """

    def __init__(
        self,
        scope: Scope,
        roles: Sequence[VendedRole],
        prove: Prove,
        results: Sequence[Result],
        apis: Sequence[str] = (),
    ) -> None:
        self._scope = scope
        self._prove = prove
        self._results = results
        self._api = apis[0] if apis else API_ID
        self._roles = {role.urn: role for role in roles}
        self._principals = {principal.urn: principal for principal in scope.principals}
        self._left = _TRIES
        self._names: dict[str, Names] = {}
        self._chosen: dict[Cause, Fix] = {}

    def fix(self, result: Result) -> Fix:
        """The fix of one of the results."""
        if result.cause not in self._chosen:
            self._chosen[result.cause] = self._choose(result)
        return self._chosen[result.cause]

    def names(self, result: Result) -> Names:
        """What fixes call the identity ID, the partition and the buckets at a result's place."""
        shape = self.shape(result)
        key = f"{shape.issuer} {shape.partition}"
        if key not in self._names:
            own = f"${{{shape.issuer or COMMERCIAL_ISSUER}:sub}}"
            texts = (
                r for p in self._scope.principals for _, d in p.documents for s in d.statements for r in s.resources
            )
            buckets = dict.fromkeys(literal_buckets(texts))
            buckets |= dict.fromkeys(
                policy.bucket for p in self._scope.principals for policy in p.resource if policy.bucket
            )
            buckets |= dict.fromkeys(folder.partition("/")[0] for folder in self._scope.folders)
            self._names[key] = Names(own, shape.partition, tuple(buckets))
        return self._names[key]

    def shape(self, result: Result) -> Shape:
        """The form of IDs that a result is about."""
        shapes = self._scope.shapes()
        if isinstance(result, Violation):
            identity = result.mine.identity
        else:
            identity = result.access.identity if hasattr(result, "access") else ""
        fitting = [shape for shape in shapes if identity.startswith(f"{shape.region}:")]
        statement = getattr(result, "statement", None)
        if not fitting and isinstance(statement, Statement):
            heads = tuple(resource.split(":")[1] for resource in statement.resources if resource.count(":") > 1)
            fitting = [shape for shape in shapes if shape.partition in heads]
        return (fitting or shapes)[0]

    def declared(self, result: Result, rules: Sequence[str] = (ISOLATED, OWN_FOLDER)) -> Declaration | None:
        """The configuration that declares the folder of a result as shared, where sharing may be meant."""
        accesses = [result.mine, result.theirs] if isinstance(result, Violation) else [getattr(result, "access", None)]
        spaces: dict[str, list[str]] = {}
        if isinstance(result, Violation):
            tenants = tenants_of(result, pool_logins(self._roles.get(result.role)), rules)
            if tenants is not None and self._holds(
                result, with_fix(self._without_others(result), Fix(declare=tenants))
            ):
                return tenants
        for access in accesses:
            place = self._place(access) if isinstance(access, Access) else None
            if place is not None and not place.of_bucket:
                for pattern, actions in _spaces(place.statement):
                    spaces.setdefault(pattern, [])
                    spaces[pattern] += [action for action in actions if action not in spaces[pattern]]
        if not spaces:
            return None
        value = [{"pattern": pattern, "actions": actions, "why": REASON} for pattern, actions in spaces.items()]
        shared = tuple(Shared(pattern, tuple(actions), REASON) for pattern, actions in spaces.items())
        if not self._holds(result, replace(self._without_others(result), shared=(*self._scope.shared, *shared))):
            return None
        return Declaration(tuple(rules), "shared", value)

    # Choosing

    def _choose(self, result: Result) -> Fix:
        first: Fix | None = None
        base = self._without_others(result)
        for fix in self._candidates(result):
            if not fix.edits and not fix.settings and fix.declare is None:
                continue
            fix = replace(fix, placeholders=_placeholders(fix))
            first = first or fix
            if self._left <= 0 or self._holds(result, self._applied(base, fix)):
                return fix
        return first or Fix(advice="narrow the statement, or simplify the document")

    def _holds(self, result: Result, scope: Scope) -> bool:
        """Whether what was found is gone, and nothing else has come."""
        if self._left <= 0:
            return True
        self._left -= 1
        before = {_about(each) for each in self._results}
        found = self._prove(replace(scope, steps=min(_STEPS, scope.steps)))
        return all(_about(each) != _about(result) and _about(each) in before for each in found)

    def _without_others(self, result: Result) -> Scope:
        """The question without the statements of the other results, which have fixes of their own."""
        if isinstance(result, OutsideFolder | NotProven):
            return self._scope
        own = _statements(result)
        others = {cause for each in self._results for cause in _statements(each)} - own
        if not others:
            return self._scope

        def kept(urn: str, name: str, document: Document) -> Document:
            statements = tuple(s for s in document.statements if (urn, name, str(s.index)) not in others)
            return document if len(statements) == len(document.statements) else replace(document, statements=statements)

        return _with_documents(self._scope, kept)

    def _applied(self, scope: Scope, fix: Fix) -> Scope:
        scope = with_fix(scope, fix)
        if fix.declare is not None and fix.declare.setting == "folders":
            scope = replace(scope, folders=(*scope.folders, *fix.declare.value))
        by_place: dict[tuple[str, str], list[Edit]] = {}
        for edit in fix.edits:
            by_place.setdefault((edit.urn, edit.document), []).append(edit)

        def changed(urn: str, name: str, document: Document) -> Document | None:
            edits = by_place.get((self._source(urn, name), name))
            return document if edits is None else edited(document, edits)

        return _with_documents(scope, changed)

    def _source(self, urn: str, name: str) -> str:
        role = self._roles.get(urn)
        return role.sources.get(name, urn) if role is not None else urn

    def _place(self, access: Access | DeadGrant | OtherAccess) -> Place | None:
        principal = self._principals.get(access.role)
        if principal is None:
            return None
        policies = [(policy.name, policy.document, True) for policy in principal.resource]
        documents = [(name, document, False) for name, document in principal.documents]
        for name, document, of_bucket in (*documents, *policies):
            if name == access.document:
                for statement in document.statements:
                    if statement.index == access.statement.index:
                        urn = self._source(principal.urn, name)
                        return Place(urn, name, document, statement, principal, of_bucket)
        return None

    # Candidates

    def _candidates(self, result: Result) -> Iterator[Fix]:
        if isinstance(result, Violation):
            yield from self._of_violation(result)
        elif isinstance(result, OutsideFolder):
            yield from self._of_outside(result)
        elif isinstance(result, Escalation):
            yield from self._of_escalation(result)
        elif isinstance(result, UnnamedApi):
            yield from self._of_api(result)
        elif isinstance(result, DeadGrant):
            yield from self._of_dead(result)
        elif isinstance(result, OtherAccess):
            yield from self._of_other_access(result)
        elif isinstance(result, NotProven) and result.statement is not None:
            yield from self._of_unproven(result)

    def _namings(self, result: Result, texts: Iterable[str]) -> list[Names]:
        """What the user's folder can be called: a tag that tells users apart, where some texts have one, and the ID."""
        names = self.names(result)
        principal = self._principals.get(result.role)
        written = {v.group(1).lower(): v.group() for text in texts for v in _TAG.finditer(text)}
        tag = own_tag(principal, written) if principal is not None else None
        return [*([replace(names, own=written[tag])] if tag is not None else []), names]

    def _of_violation(self, result: Violation) -> Iterator[Fix]:
        yield from by_claim(
            result, pool_logins(self._roles.get(result.role)), self._scope.tenants, (ISOLATED, OWN_FOLDER)
        )
        for names in self._namings(result, _texts(result.mine.statement)):
            yield from self._rewritten_by(result, names)

    def _rewritten_by(self, result: Violation, names: Names) -> Iterator[Fix]:
        mine, theirs = self._place(result.mine), self._place(result.theirs)
        places = [place for place in (mine, theirs) if place is not None]
        if len(places) == 2 and _same(places[0], places[1]):
            places = places[:1]
        written = [list(self._rewritings(place, names)) for place in places]
        for place, options in zip(places, written, strict=True):
            for edits in options[:3]:
                yield Fix(edits)
            yield from (Fix(edits) for edits in _versions(place))
        if len(places) == 2:
            for first in written[0][:1]:
                for second in written[1][:1]:
                    yield Fix((*first, *second))
        for options in written:
            yield from (Fix(edits) for edits in options[3:])
        yield from (Fix(_rewrite(place, [])) for place in places)
        if len(places) == 2:
            yield Fix(tuple(edit for place in places for edit in _rewrite(place, [])))

    def _rewritings(self, place: Place, names: Names) -> Iterator[tuple[Edit, ...]]:
        """Edits that put the identity ID into a statement, the most faithful first."""
        found: list[tuple[Edit, ...]] = []
        yield from _versions(place)
        for statements in self._rewritten(place, names):
            edits = _rewrite(place, statements)
            if edits and edits not in found:
                found.append(edits)
                yield edits

    def _rewritten(self, place: Place, names: Names) -> Iterator[Sequence[StatementJson]]:
        statement = place.statement
        if place.of_bucket and is_for_everyone(statement, self._scope.issuers_known):
            yield rewriting.for_everyone(statement)
            return
        for test in statement.conditions:
            meant = misspelt(test.key, dict(self._scope.issuers).values())
            if meant is not None:
                yield rewriting.with_key(statement, test.written or test.key, meant)
        folder = self._one_folder(place, names)
        if folder is not None:
            yield rewriting.inside(statement, names, *folder)
        yield rewriting.owned(statement, names, self._folders(place, names))
        yield rewriting.owned(statement, replace(names, points=False), self._folders(place, names))
        yield rewriting.files_only(statement, names)

    def _one_folder(self, place: Place, names: Names) -> tuple[str, str] | None:
        """Bucket and prefix of the user's folder, where the documents grant only one and a statement is about its bucket.

        A file that moves there makes no second folder, which `s3-own-folder` would report.
        """
        allows = [
            statement_json(statement)
            for _, document in place.principal.documents
            for statement in document.statements
            if statement.effect is Effect.ALLOW
        ]
        folders = set(rewriting.own_folders(allows, names.own))
        if len(folders) != 1 or self._scope.folders:
            return None
        (folder,) = folders
        return folder if {folder[0]} == set(literal_buckets(place.statement.resources)) else None

    def _folders(self, place: Place, names: Names) -> list[str]:
        """Prefixes of the user's folders in the buckets that a statement speaks of, as the role's documents grant them."""
        buckets = set(literal_buckets(place.statement.resources))
        others = [
            statement
            for _, document in place.principal.documents
            for statement in document.statements
            if statement.effect is Effect.ALLOW and statement is not place.statement
        ]
        folders = rewriting.own_folders(map(statement_json, others), names.own)
        if not folders:
            fixed = [each for other in others if _reaches_files(other) for each in rewriting.owned(other, names)]
            folders = rewriting.own_folders(fixed, names.own)
        found = [folder for bucket, folder in folders if not buckets or bucket in buckets]
        return list(dict.fromkeys(found))

    def _of_outside(self, result: OutsideFolder) -> Iterator[Fix]:
        texts = [text for place in self._allows() for text in _texts(place.statement)]
        for names in self._namings(result, texts):
            yield from self._outside_by(result, names)

    def _outside_by(self, result: OutsideFolder, names: Names) -> Iterator[Fix]:
        places = list(self._allows())
        granted = [statement_json(place.statement) for place in places]
        now = list(rewriting.own_folders(granted, names.own))
        scoped = {place: rewriting.owned(place.statement, names, self._folders(place, names)) for place in places}
        everything: list[StatementJson] = [each for statements in scoped.values() for each in statements]
        all_folders = list(rewriting.own_folders(everything, names.own))
        minimal = tuple(edit for place, statements in scoped.items() for edit in _rewrite(place, statements))
        allowed = [_split(folder) for folder in self._scope.folders]
        place = self._place(result.access)
        if not allowed:
            if minimal:
                yield Fix(minimal)
            bucket = result.arn.partition(":::")[2].partition("/")[0]
            if len(now) == 1 and minimal and now[0][0] == bucket:
                yield self._moved(places, names, *now[0])
            if len(all_folders) > 1 and all(b != BUCKET and NAME not in b for b, _ in all_folders):
                declared = Declaration(
                    (OWN_FOLDER,), "folders", [f"{bucket}/{folder}" for bucket, folder in all_folders]
                )
                yield Fix(minimal, declare=declared)
        for bucket, folder in allowed or all_folders[:1]:
            yield self._moved(places, names, bucket, folder)
        if place is not None:
            yield Fix(_rewrite(place, []))

    def _moved(self, places: Iterable[Place], names: Names, bucket: str, folder: str) -> Fix:
        edits: list[Edit] = []
        for place in places:
            edits += _rewrite(place, rewriting.inside(place.statement, names, bucket, folder))
        return Fix(tuple(edits))

    def _allows(self) -> Iterator[Place]:
        """Each Allow of S3 of the roles, once."""
        seen: set[tuple[str, str, int]] = set()
        for principal in self._scope.principals:
            documents = [(name, document, False) for name, document in principal.documents]
            documents += [(policy.name, policy.document, True) for policy in principal.resource]
            for name, document, of_bucket in documents:
                urn = self._source(principal.urn, name)
                for statement in document.statements:
                    key = urn, name, statement.index
                    mine = not of_bucket or self._grants(principal, statement)
                    if statement.effect is Effect.ALLOW and key not in seen and mine and _of_s3(statement):
                        seen.add(key)
                        yield Place(urn, name, document, statement, principal, of_bucket)

    def _grants(self, principal: Principal, statement: Statement) -> bool:
        """Whether a bucket policy's statement names a role or its sessions."""
        named = grantee(statement, principal.arns, self._scope.issuers_known)
        return named in (Grantee.ROLE, Grantee.SESSION)

    def _of_escalation(self, result: Escalation) -> Iterator[Fix]:
        place = self._place(result.access)
        if place is None:
            return
        names = self.names(result)
        yield Fix(_rewrite(place, rewriting.without_escalation(place.statement, names)))
        yield Fix(_rewrite(place, rewriting.files_only(place.statement, names)))
        yield Fix(_rewrite(place, []))

    def _of_api(self, result: UnnamedApi) -> Iterator[Fix]:
        place = self._place(result.access)
        if place is None:
            return
        names = self.names(result)
        bound = rewriting.bound_to_api(place.statement, self._api, names.partition)
        for statements in (
            bound or [statement_json(place.statement)],
            rewriting.files_only(place.statement, names),
            [],
        ):
            yield Fix(_rewrite(place, statements))

    def _of_dead(self, result: DeadGrant) -> Iterator[Fix]:
        place = self._place(result)
        if place is None:
            return
        names, statement = self.names(result), place.statement
        options: list[Sequence[StatementJson]] = []
        if result.actions and result.condition is not None:
            others, files = rewriting.in_two(statement, result.actions)
            if result.condition.key == PREFIX_KEY:
                options.append([others, *rewriting.prefixed_by(files, result.condition, names)])
            options.append([others])
        elif result.condition is None:
            options.append(rewriting.with_variable(statement, names.own, [result.variable]))
        else:
            key, _, name = result.condition.key.rpartition(":")
            if name in ("sub", "aud", "amr") and key.startswith("cognito-identity"):
                right = names.own[2:-1].rpartition(":")[0]
                options.append(rewriting.with_key(statement, result.condition.written, f"{right}:{name}"))
            if result.condition.key == PREFIX_KEY and not mask(statement, LIST_ACTIONS):
                options.append(rewriting.prefixed_by(statement, result.condition, names))
            options.append(rewriting.without_condition(statement, result.condition))
            positive = [test for test in statement.conditions if test.key.rpartition(":")[2] in ("sub", "aud", "amr")]
            if positive:
                options.append([_without_tests(statement, positive)])
        for statements in options:
            yield Fix(_rewrite(place, statements))
        for statements in options:
            yield Fix(_rewrite(place, [each for text in statements for each in _owned_again(text, statement, names)]))
        yield Fix(_rewrite(place, []))

    def _of_other_access(self, result: OtherAccess) -> Iterator[Fix]:
        place = self._place(result)
        if place is None:
            return
        names, statement = self.names(result), place.statement
        everything = statement.not_action or "*" in statement.actions
        yield Fix(_rewrite(place, rewriting.tied(statement, names) or [statement_json(statement)]))
        yield from (Fix(edits) for edits in _versions(place))
        # What S3 does to a bucket can be tied to no identity.
        if any(action.lower().startswith("s3:") for action in result.actions):
            yield Fix(_rewrite(place, rewriting.without_buckets(statement, names)))
        if everything:
            yield Fix(_rewrite(place, rewriting.narrowed(statement, names)))
            yield Fix(_rewrite(place, []))

    def _of_unproven(self, result: NotProven) -> Iterator[Fix]:
        assert result.statement is not None
        access = DeadGrant(result.role, result.document, result.statement)
        place = self._place(access)
        if place is None:
            return
        names = self.names(result)
        for edits in self._rewritings(place, names):
            yield Fix(edits)
        yield Fix(_rewrite(place, []))


def _about(result: Result) -> Cause:
    """What tells results apart in the question whether one is gone: one role is outside its folder once."""
    return ("outside", result.role) if isinstance(result, OutsideFolder) else result.cause


def _statements(result: Result) -> set[Cause]:
    if isinstance(result, Violation):
        return set(result.statements)
    if isinstance(result, NotProven):
        return set()
    if isinstance(result, Escalation | UnnamedApi | OutsideFolder):
        return {result.access.cause}
    return {(result.role, result.document, str(result.statement.index))}


def _with_documents(scope: Scope, change: Callable[[str, str, Document], Document | None]) -> Scope:
    principals: list[Principal] = []
    for principal in scope.principals:
        documents = [(name, change(principal.urn, name, document)) for name, document in principal.documents]
        resource: list[BucketPolicy] = []
        for policy in principal.resource:
            document = change(principal.urn, policy.name, policy.document)
            resource += [replace(policy, document=document)] if document is not None else []
        principals.append(
            replace(
                principal,
                documents=tuple((name, document) for name, document in documents if document is not None),
                resource=tuple(resource),
            )
        )
    return replace(scope, principals=tuple(principals))


def _rewrite(place: Place, statements: Sequence[StatementJson]) -> tuple[Edit, ...]:
    return edits_of(place.urn, place.label, place.document, {place.statement.index: statements})


def _versions(place: Place) -> Iterator[tuple[Edit, ...]]:
    """Where variables are not expanded because of the document's version: the version alone."""
    texts = [
        *place.statement.resources,
        *(value for test in place.statement.conditions for value in test.values),
    ]
    if place.document.version is Version.V2008 and any("${" in text for text in texts):
        yield (version_edit(place.urn, place.label, place.document),)


def _texts(statement: Statement) -> list[str]:
    """The texts of a statement in which a variable may stand."""
    return [*statement.resources, *(value for test in statement.conditions for value in test.values)]


def _same(one: Place, other: Place) -> bool:
    return (one.urn, one.label, one.statement.index) == (other.urn, other.label, other.statement.index)


def _reaches_files(statement: Statement) -> bool:
    return any(objects_of(resource) for resource in statement.resources) and _of_s3(statement)


def _of_s3(statement: Statement) -> bool:
    return statement.not_action or any(
        action == "*" or action.lower().startswith(("s3:", "*", "?")) for action in statement.actions
    )


def _split(folder: str) -> tuple[str, str]:
    bucket, _, prefix = folder.partition("/")
    return bucket, prefix


def _spaces(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """The folders of a statement that may be meant to be shared, as `BUCKET/KEY`, each with the actions there."""
    if statement.not_action or statement.not_resource or "*" in statement.actions:
        return
    actions = [action for action in statement.actions if action.lower().startswith("s3:")]
    listings = [action for action in actions if action.lower().startswith("s3:list")]
    for resource in statement.resources:
        if folder_name(resource) is not None:
            yield resource.split(":", 5)[5], [action for action in actions if action not in listings] or actions
    tests = [test for test in statement.conditions if test.key == PREFIX_KEY and "Not" not in test.operator]
    for bucket in literal_buckets(r for r in statement.resources if "/" not in r.split(":")[-1]):
        for test in tests:
            for value in test.values:
                if value and folder_name(f"arn:aws:s3:::{bucket}/{value}") is not None:
                    yield f"{bucket}/{value.rstrip('*')}*", listings or actions


def _owned_again(text: StatementJson, statement: Statement, names: Names) -> list[StatementJson]:
    parsed = parse({"Version": "2012-10-17", "Statement": [text]}).statements[0]
    return rewriting.owned(replace(parsed, index=statement.index), names)


def _without_tests(statement: Statement, tests: Sequence[object]) -> StatementJson:
    kept = replace(statement, conditions=tuple(test for test in statement.conditions if test not in tests))
    return statement_json(kept)


def _placeholders(fix: Fix) -> tuple[Placeholder, ...]:
    text = " ".join(str(edit.new) for edit in fix.edits)
    found = []
    for name in placeholders(text):
        meaning = "the name of the bucket" if name == BUCKET else "the rest of the bucket's name"
        found.append(Placeholder(name, meaning))
    if API_ID in text:
        found.append(Placeholder(API_ID, "the ID of the API"))
    return tuple(found)
