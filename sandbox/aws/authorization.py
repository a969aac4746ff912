"""IAM's decisions: whether a role trusts a web identity, and whether a session has a permission.

moto stores policies, but it knows no policy variables. Here the documents are read as IAM stores them and decided by the
policy pack's evaluator, so that this project has one IAM semantics.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from moto.apigateway.models import apigateway_backends
from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.s3.models import s3_backends

from policies.identity_scope.iam.documents import Document, DocumentError, DocumentKind, Effect, parse
from policies.identity_scope.iam.evaluator import Applicable, Outcome, Request, decide

from . import session_tags
from .condition_keys import decidable, obstacles
from .errors import AwsError, misconfigured
from .guest_services import allowed_to_guests
from .regions import is_partition
from .service import RequiredPermission, undecidable
from .sessions import SESSION_SECONDS, Session


class Authorization:
    """The decisions of one account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def assume_role(self, role_arn: str, context: Mapping[str, tuple[str, ...]], tagged: bool) -> str:
        """Assume a role with a web identity; the role's ID.

        Args:
            context: the condition keys of the web identity.
            tagged: whether the session gets principal tags, which the trust policy must allow as well.

        Raises:
            AwsError: InvalidIdentityPoolConfigurationException, as an identity pool reports it.
        """
        role = self._role(role_arn)
        if role is None:
            raise misconfigured()
        trust = Applicable(resource=(("trust", _parsed(role.assume_role_policy_document, DocumentKind.TRUST)),))
        issuer = next(key.rpartition(":")[0] for key in context if key.endswith(":aud"))
        for action in ("sts:AssumeRoleWithWebIdentity", *(["sts:TagSession"] if tagged else [])):
            request = Request(action, role_arn, context, principal=(issuer,))
            if Effect.DENY in obstacles(trust, request) or not decide(request, decidable(trust)).allowed:
                raise misconfigured()
        return str(role.id)

    def role_exists(self, session: Session) -> bool:
        """Whether a session's role still exists; a role of the same name that is made again is another one."""
        role = self._role(session.role_arn)
        return role is not None and role.id == session.role_id

    def refusal(
        self,
        session: Session,
        permission: RequiredPermission,
        region: str,
        sent: Mapping[str, tuple[str, ...]],
        now: float,
    ) -> str | None:
        """AWS's message if a session does not have a permission; None if it has.

        Args:
            sent: the condition keys that come from how the request was sent.
        """
        action = permission.action
        tags = session_tags.principal_tags(_tags(self._role(session.role_arn)), session.tags)
        context = {**sent, **_context(session, region, now), **tags, **permission.context}
        request = Request(action, permission.resource, context, principal=(session.role_arn, session.user_arn))
        documents = self._documents(session.role_arn, permission.resource)
        decision = decide(request, decidable(documents))
        undecided = {} if decision.outcome is Outcome.DENIED else obstacles(documents, request)
        if decision.allowed and Effect.DENY not in undecided and (not session.is_guest or allowed_to_guests(action)):
            return None
        reason = {
            Outcome.DENIED: "with an explicit deny in an identity-based policy",
            Outcome.OUTSIDE_BOUNDARY: f"because no permissions boundary allows the {action} action",
        }.get(decision.outcome, f"because no identity-based policy allows the {action} action")
        if decision.allowed and Effect.DENY not in undecided:
            reason = f"because no session policy allows the {action} action"
        elif undecided:
            keys = ", ".join(sorted(key or "a variable" for key in frozenset().union(*undecided.values())))
            reason = f"because the sandbox cannot decide a statement that tests {keys}"
        return (
            f"User: {session.user_arn} is not authorized to perform: {action} on resource: "
            f'"{permission.resource}" {reason}'
        )

    def _documents(self, role_arn: str, resource: str) -> Applicable:
        role = self._role(role_arn)
        if role is None:
            return Applicable()
        backend = self._backend(role_arn)
        identity = [(name, _parsed(text)) for name, text in role.policies.items()]
        identity += [(arn, _parsed(_default_version(policy))) for arn, policy in role.managed_policies.items()]
        boundary = None
        if role.permissions_boundary_arn:
            policy = backend.managed_policies.get(role.permissions_boundary_arn)
            boundary = (("permissions boundary", _parsed(_default_version(policy))),) if policy else ()
        return Applicable(tuple(identity), boundary, self._resource_policies(resource))

    def _resource_policies(self, resource: str) -> tuple[tuple[str, Document], ...]:
        """The policies of the resource that is touched.

        Raises:
            AwsError: AccessDenied, if there is one that the sandbox cannot decide.
        """
        fields = resource.split(":", 5)
        if len(fields) < 6:
            return ()
        if fields[2] == "execute-api":
            api = apigateway_backends[self._account][fields[3]].apis.get(fields[5].partition("/")[0])
            if api is not None and api.policy:
                raise undecidable(f"calls of the API {api.id}, which has a resource policy,")
        if fields[2] == "dynamodb":
            table = resource.partition("/index/")[0]
            found = dynamodb_backends[self._account][fields[3]].resource_policies.get(table)
            return ((f"policy of {table}", _parsed(found.policy_doc, DocumentKind.RESOURCE)),) if found else ()
        if fields[2] != "s3":
            return ()
        bucket = s3_backends[self._account][fields[1]].buckets.get(fields[5].partition("/")[0])
        if bucket is None or not bucket.policy:
            return ()
        text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
        return ((f"policy of {bucket.name}", _parsed(text, DocumentKind.RESOURCE)),)

    def _backend(self, role_arn: str) -> IAMBackend:
        return iam_backends[self._account][role_arn.split(":")[1]]

    def _role(self, role_arn: str) -> Role | None:
        if role_arn.count(":") < 5 or not is_partition(role_arn.split(":")[1]):
            return None
        return next((r for r in self._backend(role_arn).roles.values() if r.arn == role_arn), None)


def _tags(role: Role | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in role.tags} if role is not None else {}


def _default_version(policy: ManagedPolicy) -> str:
    return next(str(version.document) for version in policy.versions if version.is_default)


def _parsed(text: str, kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    """A stored document. IAM would not have stored one that does not parse; here it allows nothing."""
    try:
        return parse(text, kind)
    except DocumentError as error:
        raise AwsError("MalformedPolicyDocument", str(error), 400) from None


def _context(session: Session, region: str, now: float) -> dict[str, tuple[str, ...]]:
    """The condition keys of every request of a session.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return {
        f"{session.issuer}:sub": (session.identity,),
        f"{session.issuer}:aud": (session.pool,),
        f"{session.issuer}:amr": session.amr,
        "aws:userid": (session.user_id,),
        "aws:principalarn": (session.role_arn,),
        "aws:principalaccount": (session.role_arn.split(":")[4],),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": ("false",),
        "aws:multifactorauthpresent": ("false",),
        "aws:tokenissuetime": (_moment(session.expires - SESSION_SECONDS),),
        "aws:resourceaccount": (session.role_arn.split(":")[4],),
        "s3:resourceaccount": (session.role_arn.split(":")[4],),
        "aws:federatedprovider": (session.issuer,),
        # As SDKs send it in production; a policy that demands TLS would otherwise deny everything here.
        "aws:securetransport": ("true",),
        "aws:sourceip": ("127.0.0.1",),
        "aws:currenttime": (_moment(now),),
        "aws:epochtime": (str(int(now)),),
        "aws:requestedregion": (region,),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
