"""The account that somebody's CloudFormation or Terraform files describe: their pool, roles, policies and buckets.

The files are read by the sources of the command `identity-scope`, so that what is tried here is what is proven there. What
cannot be created as it is written is an error, such as a document that a value decides which is not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from policies.identity_scope.command.load import Loaded, load
from policies.identity_scope.inventory.facts import (
    AttachmentFact,
    BucketFact,
    BucketPolicyFact,
    GrantFact,
    InlinePolicy,
    PolicyFact,
    PoolFact,
    Reference,
    RoleFact,
    Source,
    TagMapFact,
    VendingFact,
)
from policies.identity_scope.sources.cloudformation import Assumptions
from policies.identity_scope.sources.files import InputError as BadFile

from ..aws.clients import ACCOUNT
from ..aws.identity_pools import Pool
from ..aws.regions import is_region, region_of_identity_pool
from ..aws.server import Sandbox
from ..errors import InputError
from . import account
from .setup import CLIENT, Setup, of_pool

API, STAGE = "notesapi01", "dev"


class NotCreated(InputError):
    """The files describe what the sandbox cannot create."""


def create(
    sandbox: Sandbox, paths: Sequence[str], region: str = "us-east-1", parameters: Mapping[str, str] | None = None
) -> Setup:
    """Create what some files describe.

    Args:
        paths: of files or folders.
        region: where a template is deployed.
        parameters: of templates.

    Raises:
        NotCreated: with every problem of the files, one per line.
    """
    try:
        (loaded,) = load(list(paths), assumptions=Assumptions(parameters or {}, region, ACCOUNT))
    except BadFile as error:
        raise NotCreated(str(error)) from None
    if loaded.alternatives:
        raise NotCreated(f"{loaded.name}: conditions that nothing decides: {loaded.condition}; set the parameters")
    return _Creation(sandbox, loaded, region).run()


class _Creation:
    """One creation of all resources."""

    def __init__(self, sandbox: Sandbox, loaded: Loaded, region: str) -> None:
        self._sandbox = sandbox
        self._loaded = loaded
        self._facts = [fact for resource in loaded.resources.values() for fact in resource.facts]
        self._problems: list[str] = []
        pools = self._of(PoolFact)
        if len(pools) != 1:
            raise NotCreated(f"{loaded.name}: one identity pool is expected; there are {len(pools)}")
        self._pool = pools[0]
        found = region_of_identity_pool(self._pool.id or "")
        self._region = found if is_region(found) else region
        self._iam = sandbox.client("iam", self._region)
        self._roles: dict[str, str] = {}
        """The roles' ARNs, by URN, ARN and name."""
        self._policies: dict[str, str] = {}
        self._buckets = {fact.name: _bucket_name(fact.name) for fact in self._of(BucketFact) if fact.name}

    def run(self) -> Setup:
        for resource in self._loaded.resources.values():
            if resource.widened:
                names = ", ".join(f"`{name}`" for name in resource.widened)
                self._problem(resource.urn, resource.name, f"what it allows depends on {names}; set the parameter")
        for name in self._buckets.values():
            account.bucket(self._sandbox, self._region, name)
        for policy in self._of(PolicyFact):
            self._create_policy(policy)
        for role in self._of(RoleFact):
            self._create_role(role)
        for grant in self._of(GrantFact):
            self._put(grant.role, grant.policy, grant.label)
        for attachment in self._of(AttachmentFact):
            for reference in attachment.roles:
                for policy_reference in attachment.policies:
                    self._attach(reference, policy_reference, attachment.label)
        for bucket_policy in self._of(BucketPolicyFact):
            self._create_bucket_policy(bucket_policy)
        pool_id = self._create_pool()
        if self._problems:
            raise NotCreated("\n".join(self._problems))
        account.rest_api(self._sandbox, self._region, API, STAGE)
        bucket = next(iter(self._buckets.values()), "")
        return of_pool(self._sandbox, pool_id, bucket=bucket, api=API, stage=STAGE)

    def _of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self._facts if isinstance(fact, kind)]

    def _problem(self, urn: str, label: str, problem: str) -> None:
        self._problems.append(f"{self._loaded.place(urn)}: {label}: {problem}")

    # Roles and policies

    def _create_policy(self, fact: PolicyFact) -> None:
        document = self._document(fact.source)
        if document is not None:
            path, name = _path_and_name(fact.arn, fact.name or f"{fact.prefix or 'policy-'}{len(self._policies)}")
            arn = self._iam.create_policy(PolicyName=name, Path=path, PolicyDocument=document)["Policy"]["Arn"]
            self._policies |= {key: arn for key in (fact.urn, fact.arn, arn) if key}

    def _create_role(self, fact: RoleFact) -> None:
        trust = self._document(fact.trust)
        if trust is None:
            return
        path, name = _path_and_name(fact.arn, fact.name or f"{fact.prefix or 'role-'}{len(self._roles)}")
        settings = {}
        if fact.boundary is not None:
            boundary = self._meant(fact.boundary, self._policies, fact.urn, fact.label, "permissions boundary")
            settings = {"PermissionsBoundary": boundary} if boundary else {}
        made = self._iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust, **settings)["Role"]
        self._roles |= {key: made["Arn"] for key in (fact.urn, fact.arn, fact.name, name, made["Arn"]) if key}
        itself = Reference(made["Arn"])
        for number, policy in enumerate(fact.inline, 1):
            self._put(itself, InlinePolicy(policy.name or f"inline-{number}", policy.source), fact.label)
        for managed in fact.managed:
            self._attach(itself, managed, fact.label)

    def _put(self, role: Reference, policy: InlinePolicy, label: str) -> None:
        document = self._document(policy.source)
        arn = self._meant(role, self._roles, policy.source.urn, label, "role")
        if document is not None and arn is not None:
            name = policy.name or re.sub(r"[^\w+=,.@-]", "-", label, flags=re.ASCII)[:128]
            self._iam.put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName=name, PolicyDocument=document)

    def _attach(self, role: Reference, policy: Reference, label: str) -> None:
        arn = self._meant(role, self._roles, "", label, "role")
        policy_arn = self._meant(policy, self._policies, "", label, "managed policy")
        if arn is not None and policy_arn is not None:
            self._iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=policy_arn)

    def _create_bucket_policy(self, fact: BucketPolicyFact) -> None:
        document = self._document(fact.source)
        by_urn = {bucket.urn: self._buckets[bucket.name] for bucket in self._of(BucketFact) if bucket.name}
        bucket = self._meant(fact.bucket, {**self._buckets, **by_urn}, fact.urn, fact.source.label, "bucket")
        if document is not None and bucket is not None:
            self._sandbox.client("s3", self._region).put_bucket_policy(Bucket=bucket, Policy=document)

    def _meant(self, reference: Reference, known: Mapping[str, str], urn: str, label: str, what: str) -> str | None:
        """The resource that a reference means."""
        found = {known[key] for key in (reference.value, *reference.urns) if key in known and key is not None}
        if len(found) == 1:
            return found.pop()
        named = f"`{reference.value}`, which is not in the files" if reference.value else "which is not known"
        self._problem(urn, label, f"refers to a {what}, {named}")
        return None

    def _document(self, source: Source) -> str | None:
        """A document as text, with the buckets' names in this account."""
        text = source.source if isinstance(source.source, str) else None
        if text is None:
            try:
                text = json.dumps(source.source)
            except TypeError:
                self._problem(source.urn, source.label, "its document is not known before it is deployed")
                return None
        for name, here in self._buckets.items():
            if name != here:
                text = re.sub(rf"(arn:[\w-]+:s3:::){re.escape(name)}(?![\w.-])", rf"\g<1>{here}", text)
        return text

    # The pool

    def _create_pool(self) -> str:
        fact = self._pool
        pool_id = fact.id or f"{self._region}:00000000-0000-4000-8000-000000000001"
        provider = next((name for name in fact.logins if name.startswith("cognito-idp.")), None)
        if provider is None:
            provider = account.provider_name(f"{self._region}_Sandbox01")
        entry = {"ProviderName": provider, "ClientId": CLIENT, "ServerSideTokenCheck": True}
        guests = str(fact.guests).lower() == "true"
        config = {
            "IdentityPoolName": "pool",
            "AllowUnauthenticatedIdentities": guests,
            "CognitoIdentityProviders": [entry],
        }
        pool = Pool(pool_id, self._region, config)
        for vending in self._of(VendingFact):
            for state, reference in vending.roles:
                arn = self._meant(reference, self._roles, vending.urn, vending.label, "role")
                if arn is not None and state != "mapped":
                    pool.roles[state] = arn
        if any(state == "mapped" for vending in self._of(VendingFact) for state, _ in vending.roles):
            # Which role a rule chooses is for the test to say: by the group that it adds a user to.
            by_token = {"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}
            pool.role_mappings[f"{provider}:{CLIENT}"] = by_token
        for tag_map in self._of(TagMapFact):
            if not isinstance(tag_map.tags, tuple):
                self._problem(tag_map.urn, tag_map.label, "its principal tags are not known before it is deployed")
                continue
            # A user pool whose name is not known is the sandbox's, which users sign in to.
            name = tag_map.provider.value or provider
            if name in pool.principal_tags:
                self._problem(
                    tag_map.urn, tag_map.label, "is a second map of one provider; the sandbox has one user pool"
                )
            pool.principal_tags[name] = {"UseDefaults": tag_map.defaults is True, "PrincipalTags": dict(tag_map.tags)}
        self._sandbox.identity.pools[pool_id] = pool
        return pool_id


def _path_and_name(arn: str | None, name: str) -> tuple[str, str]:
    """The path of a role or a policy, which its ARN has, and its name."""
    path, _, last = (arn or "").partition(":role" if ":role/" in (arn or "") else ":policy")[2].rpartition("/")
    return f"{path}/", last or name


def _bucket_name(name: str) -> str:
    """A bucket's name as S3 takes it; one that CloudFormation would make up has the logical ID in it."""
    return re.sub(r"[^a-z0-9.-]", "-", name.lower()).strip("-.")[:63].ljust(3, "0")
