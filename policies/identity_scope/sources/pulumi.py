"""Resources of a Pulumi stack as facts about roles, documents, pools and buckets.

Decides which property of which resource type holds a policy document, a role, or what vends it. Both the classic provider's
types and those of `aws-native` are read. A value that is not known yet stays `UNKNOWN`, and a reference keeps the resources
it depends on, so that it can be resolved while IDs are not known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from ..iam.claims import IssuerKind
from ..inventory.accounts import Origin, account_of
from ..inventory.facts import (
    NOT_KNOWN,
    SECRET,
    SECRET_PROBLEM,
    UNKNOWN,
    AccessPointFact,
    AccessPointPolicyFact,
    AttachmentFact,
    BucketFact,
    BucketPolicyFact,
    Exclusive,
    Fact,
    GrantFact,
    InlineListFact,
    InlinePolicy,
    PolicyFact,
    PoolFact,
    Provider,
    Reference,
    RoleFact,
    Source,
    Switch,
    TagMapFact,
    Unknown,
    Unreadable,
    UserPoolClientFact,
    UserPoolFact,
    VendingFact,
)
from .native import CLOUD_CONTROL, EXTENSION, lowered, named_properties, named_type
from .types import canonical


@dataclass(frozen=True)
class Resource:
    """A resource, with unknown values replaced by UNKNOWN.

    Attributes:
        depends: the resources that each property's value comes from.
        origin: where the resource is made.
        inputs: the properties that the program sets, where that is known. A stack's resources come with their outputs,
            in which the provider also writes what other resources attach to a role or a bucket.
    """

    urn: str
    type_: str
    name: str
    props: Mapping[str, Any]
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    inputs: frozenset[str] | None = None

    def sets(self, key: str) -> bool:
        """Whether the program sets a property, as far as that is known."""
        return key in self.props and (self.inputs is None or key in self.inputs)


class NotKnown(Mapping[str, Any]):
    """The properties of a resource of which none but a few are known: each of the others is a marker, UNKNOWN or SECRET.

    It may be one that this update leaves alone (`--target`).
    """

    def __init__(self, marker: object = UNKNOWN, known: Mapping[str, Any] | None = None) -> None:
        self._marker = marker
        self._known = known or {}

    def __getitem__(self, key: str) -> Any:
        return self._known.get(key, self._marker)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def facts(resource: Resource) -> list[Fact]:
    """What a resource states; nothing for a type that states nothing about roles."""
    type_ = canonical(resource.type_)
    reader = _READERS.get(type_)
    if reader is None:
        return []
    return list(reader(replace(resource, type_=type_, props=resource.props or NotKnown())))


def origin(provider: str, props: Mapping[str, Any], region: object = None) -> Origin:
    """Where a provider makes its resources, as far as its configuration says.

    Args:
        provider: the provider's URN.
        props: the provider's configuration.
        region: the region that a resource names itself.
    """
    roles = _decoded(props.get("assumeRoles")) or _decoded(props.get("assumeRole"))
    roles = roles if isinstance(roles, list) else [roles]
    assumed = [_text(role.get("roleArn")) for role in roles if isinstance(role, Mapping)]
    allowed = _decoded(props.get("allowedAccountIds"))
    account = account_of(assumed[-1] or "") if assumed else None
    if account is None and isinstance(allowed, list) and len(allowed) == 1:
        account = _text(allowed[0])
    keys = ("profile", "accessKey", "assumeRole", "assumeRoles", "assumeRoleWithWebIdentity", "sharedCredentialsFiles")
    # What is not known may differ from what is not known of another provider.
    credentials = {
        key: provider if props[key] == SECRET or _is_unknown(props[key]) else repr(props[key])
        for key in keys
        if props.get(key)
    }
    return Origin(
        provider,
        account,
        _text(region) or _text(props.get("region")),
        json.dumps(credentials, sort_keys=True) if credentials else "",
    )


def _is_unknown(value: object) -> bool:
    """Whether some of a value is not known."""
    if isinstance(value, Mapping | list):
        return any(map(_is_unknown, value.values() if isinstance(value, Mapping) else value))
    return value is UNKNOWN


def _decoded(value: object) -> object:
    """A value of a provider's configuration, in which lists and objects are JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """A property's text; a number or a boolean becomes one in the provider as well."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return value if isinstance(value, str) and value and value != SECRET else None


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _list(value: object) -> Sequence[object]:
    return value if _is_list(value) else ()


def _refers(value: object, urns: tuple[str, ...] = ()) -> Reference:
    secret = value == SECRET if isinstance(value, str) else False
    return Reference(_text(value), urns, secret, isinstance(value, Mapping | list | tuple))


def _reference(resource: Resource, key: str) -> Reference:
    return _refers(resource.props.get(key), resource.depends.get(key, ()))


def _references(resource: Resource, key: str) -> tuple[Reference, ...]:
    """A list's elements; a list that is not known as a whole may have more of them than its dependencies."""
    value = resource.props.get(key)
    urns = resource.depends.get(key, ())
    if value is UNKNOWN or value == SECRET:
        return (*(Reference(None, (urn,)) for urn in urns), Reference(None, (), value == SECRET))
    if value is not None and not _is_list(value):
        return (Reference(None, malformed=True),)
    return tuple(_refers(item, urns) for item in _list(value))


def _source(resource: Resource, source: object, what: str = "") -> Source:
    return Source(resource.urn, f"{resource.name}{what}", source)


def _role(resource: Resource) -> Iterator[Fact]:
    yield _role_fact(resource, "name", "assumeRolePolicy", "inlinePolicies", "name", "policy")


def _native_role(resource: Resource) -> Iterator[Fact]:
    yield _role_fact(resource, "roleName", "assumeRolePolicyDocument", "policies", "policyName", "policyDocument")


def _role_fact(resource: Resource, name: str, trust: str, inline: str, policy_name: str, document: str) -> RoleFact:
    """A role, by the names that a provider gives to its properties."""
    props = resource.props
    policies: list[InlinePolicy] = []
    listed = props.get(inline) if resource.sets(inline) else None
    if listed is not None:
        if not _is_list(listed):
            policies.append(InlinePolicy(None, _source(resource, listed, ", inline policies")))
        for number, item in enumerate(_list(listed), 1):
            text = item.get(document) if isinstance(item, Mapping) else item
            if text is not None:
                called = _text(item.get(policy_name)) if isinstance(item, Mapping) else None
                policies.append(InlinePolicy(called, _source(resource, text, f", inline policy {number}")))
    attached = resource.sets("managedPolicyArns")
    return RoleFact(
        urn=resource.urn,
        label=resource.name,
        name=_text(props.get(name)),
        arn=_text(props.get("arn")),
        trust=_source(resource, props.get(trust), ", trust policy"),
        inline=tuple(policies),
        managed=_references(resource, "managedPolicyArns") if attached else (),
        boundary=_reference(resource, "permissionsBoundary") if props.get("permissionsBoundary") else None,
        prefix=_text(props.get("namePrefix")),
        # An empty list cannot be told from one that the provider fills in. CloudFormation removes nothing.
        inline_exclusive=resource.type_ == _CLASSIC_ROLE and bool(_list(listed)),
        managed_exclusive=resource.type_ == _CLASSIC_ROLE and attached and bool(_list(props.get("managedPolicyArns"))),
        origin=resource.origin,
        # With those that the provider adds to every resource, as far as they are known.
        tags=pairs(props.get("tagsAll") if isinstance(props.get("tagsAll"), Mapping) else props.get("tags")),
    )


def pairs(value: object) -> tuple[tuple[str, str], ...] | Unknown | None:
    """A map of texts, or a list of objects with `key` and `value`; None where some of it is secret or no text."""
    if value is None:
        return ()
    pairs: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        pairs += [(key, each) for key, each in value.items() if key != "__defaults"]
    for item in _list(value):
        if not isinstance(item, Mapping):
            return UNKNOWN if item is UNKNOWN else None
        pairs.append((item.get("key"), item.get("value", "")))
    found = [(key, each) for key, each in pairs if isinstance(key, str) and isinstance(each, str) and each != SECRET]
    if len(found) == len(pairs) and (pairs or isinstance(value, Mapping | list)):
        return tuple(found)
    return UNKNOWN if value is UNKNOWN or any(UNKNOWN in pair for pair in pairs) else None


def _grant(resource: Resource, role: str, name: str, document: str) -> GrantFact:
    policy = InlinePolicy(_text(resource.props.get(name)), _source(resource, resource.props.get(document)))
    return GrantFact(resource.urn, resource.name, _reference(resource, role), policy, resource.origin)


def _role_policy(resource: Resource) -> Iterator[Fact]:
    yield _grant(resource, "role", "name", "policy")


def _native_role_policy(resource: Resource) -> Iterator[Fact]:
    yield _grant(resource, "roleName", "policyName", "policyDocument")


def _native_inline_policy(resource: Resource) -> Iterator[Fact]:
    """A policy that CloudFormation writes into each of several roles."""
    policy = InlinePolicy(
        _text(resource.props.get("policyName")), _source(resource, resource.props.get("policyDocument"))
    )
    for role in _references(resource, "roles"):
        yield GrantFact(resource.urn, resource.name, role, policy, resource.origin)


def _role_policies_exclusive(resource: Resource) -> Iterator[Fact]:
    names = resource.props.get("policyNames")
    known = [_text(name) for name in _list(names)]
    complete = names is not UNKNOWN and names != SECRET and None not in known
    role = _reference(resource, "roleName")
    kept = frozenset(name for name in known if name)
    secret = names == SECRET or SECRET in _list(names)
    yield InlineListFact(resource.urn, resource.name, role, kept, complete, secret, resource.origin)


def _policy(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    yield PolicyFact(
        resource.urn,
        _text(props.get("arn")),
        _text(props.get("name")),
        _source(resource, props.get("policy")),
        _text(props.get("namePrefix")),
        resource.origin,
    )


def _native_policy(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    yield PolicyFact(
        resource.urn,
        _text(props.get("policyArn")),
        _text(props.get("managedPolicyName")),
        _source(resource, props.get("policyDocument")),
        origin=resource.origin,
    )
    if props.get("roles"):
        yield _attachment(resource, _references(resource, "roles"), (Reference(None, (resource.urn,)),))


def _attachment(
    resource: Resource,
    roles: tuple[Reference, ...],
    policies: tuple[Reference, ...],
    exclusive: Exclusive = Exclusive.NOTHING,
) -> AttachmentFact:
    return AttachmentFact(resource.urn, resource.name, roles, policies, exclusive, resource.origin)


def _role_policy_attachment(resource: Resource) -> Iterator[Fact]:
    yield _attachment(resource, (_reference(resource, "role"),), (_reference(resource, "policyArn"),))


def _policy_attachment(resource: Resource) -> Iterator[Fact]:
    policies = (_reference(resource, "policyArn"),)
    yield _attachment(resource, _references(resource, "roles"), policies, Exclusive.ROLES_OF_POLICY)


def _attachments_exclusive(resource: Resource) -> Iterator[Fact]:
    policies = _references(resource, "policyArns")
    yield _attachment(resource, (_reference(resource, "roleName"),), policies, Exclusive.POLICIES_OF_ROLE)


def _role_attachment(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    given = _object(props.get("roles"))
    roles: list[tuple[str, Reference]]
    if isinstance(given, Mapping):
        urns = resource.depends.get("roles", ())
        roles = [(str(kind), _refers(arn, urns)) for kind, arn in given.items() if arn is not None]
    elif given is None or given is UNKNOWN or given == SECRET:
        roles = [("unknown", reference) for reference in _references(resource, "roles")]
    else:
        roles = [("unknown", Reference(None, malformed=True))]
    urns = resource.depends.get("roleMappings", ())
    mapped = list(_mapped_roles(_object(props.get("roleMappings"))))
    roles += [("mapped", _refers(arn, urns)) for arn in mapped]
    if UNKNOWN in mapped:
        # What an unknown mapping refers to is judged; how many roles there are is not known.
        roles += [("mapped", Reference(None, (urn,))) for urn in urns]
    pool = _reference(resource, "identityPoolId")
    rules = _text_of(props.get("roleMappings")) if mapped else ""
    yield VendingFact(resource.urn, resource.name, pool, tuple(roles), resource.origin, rules)


def _mapped_roles(mappings: object) -> Iterator[object]:
    """The roles of every rule; UNKNOWN wherever a part of the mappings is not known."""
    if mappings is UNKNOWN or mappings == SECRET:
        yield mappings
    elif isinstance(mappings, str):
        yield [mappings]  # no role's ARN, whatever the text is
    for mapping in list(mappings.values()) if isinstance(mappings, Mapping) else _list(mappings):
        if mapping is UNKNOWN or mapping == SECRET:
            yield mapping
        if not isinstance(mapping, Mapping):
            continue
        mapping = lowered(mapping)  # where `aws-native` takes any object, it is CloudFormation's
        rules = mapping.get("mappingRules")
        if rules is None:
            rules = mapping.get("rulesConfiguration")
            rules = rules.get("rules") if isinstance(rules, Mapping) else rules
        if rules is UNKNOWN or rules == SECRET:
            yield rules
        for rule in _list(rules):
            if isinstance(rule, Mapping):
                arn = rule.get("roleArn", rule.get("roleARN"))
                if arn is not None:
                    yield arn
            elif rule is UNKNOWN or rule == SECRET:
                yield rule


def _object(value: object) -> object:
    """An object, which `aws-native` takes as JSON text as well; text that is none stays."""
    if not isinstance(value, str) or value == SECRET:
        return value
    decoded = _decoded(value)
    return decoded if isinstance(decoded, Mapping | list) else value


def _group(resource: Resource) -> Iterator[Fact]:
    if resource.props.get("roleArn"):
        role = _reference(resource, "roleArn")
        group = _text_of({key: resource.props.get(key) for key in ("userPoolId", "name", "groupName", "precedence")})
        yield VendingFact(resource.urn, resource.name, None, (("mapped", role),), resource.origin, group)


def _text_of(value: object) -> str:
    """A value as text, to be compared."""
    if value is UNKNOWN or value == SECRET:
        return NOT_KNOWN
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_text_of(each)}' for key, each in sorted(value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text_of, value))}]"
    return repr(value)


def _bucket(resource: Resource) -> Iterator[Fact]:
    name = _text(resource.props.get("bucket", resource.props.get("bucketName")))
    yield BucketFact(resource.urn, name)
    if resource.sets("policy") and resource.props.get("policy") and len(resource.props):
        source = _source(resource, resource.props.get("policy"), ", bucket policy")
        yield BucketPolicyFact(source, Reference(name, (resource.urn,)))


def _bucket_policy(resource: Resource) -> Iterator[Fact]:
    document = resource.props.get("policy", resource.props.get("policyDocument"))
    yield BucketPolicyFact(_source(resource, document), _reference(resource, "bucket"))


def _access_point(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    yield AccessPointFact(
        resource.urn,
        resource.name,
        _text(props.get("name")),
        _text(props.get("arn")),
        _text(props.get("alias")),
        (_reference(resource, "bucket"),),
        resource.origin,
        _network_origin(props),
        single=SECRET not in (props.get("bucket"), props.get("name")),
    )
    if props.get("policy") and resource.sets("policy"):
        source = _source(resource, props.get("policy"), ", access point policy")
        yield AccessPointPolicyFact(source, Reference(_text(props.get("name")), (resource.urn,)))


def _network_origin(props: Mapping[str, Any]) -> str | None:
    """Where an access point takes requests from: the internet as well, unless it is bound to a VPC."""
    if props.get("networkOrigin") in ("Internet", "VPC"):
        return str(props["networkOrigin"])
    configuration = props.get("vpcConfiguration")
    if configuration is UNKNOWN or configuration == SECRET:
        return None
    return "VPC" if configuration else "Internet"


def _access_point_policy(resource: Resource) -> Iterator[Fact]:
    point = _reference(resource, "accessPointArn")
    yield AccessPointPolicyFact(_source(resource, resource.props.get("policy")), point)


def _multi_region(resource: Resource) -> Iterator[Fact]:
    details, urns = _details(resource)
    regions = details.get("regions")
    buckets = tuple(_refers(item.get("bucket") if isinstance(item, Mapping) else item, urns) for item in _list(regions))
    props = resource.props
    yield AccessPointFact(
        resource.urn,
        resource.name,
        _text(details.get("name")),
        _text(props.get("arn")),
        _text(props.get("alias")),
        buckets or (Reference(None, urns),),
        resource.origin,
        single=False,
    )


def _multi_region_policy(resource: Resource) -> Iterator[Fact]:
    details, urns = _details(resource)
    name = details.get("name", details.get("mrapName"))
    yield AccessPointPolicyFact(_source(resource, details.get("policy")), _refers(name, urns))


def _details(resource: Resource) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """A Multi-Region Access Point's details, which the classic provider keeps in an object of their own."""
    if "details" not in resource.props or not resource.props:
        return resource.props, resource.depends.get("regions", resource.depends.get("mrapName", ()))
    details = resource.props.get("details")
    urns = resource.depends.get("details", ())
    if isinstance(details, Mapping):
        return details, urns
    return (NotKnown() if details is UNKNOWN else {}), urns


def _pool(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    name = props.get("identityPoolName")
    region = _text(props.get("region")) or resource.origin.region
    yield PoolFact(
        urn=resource.urn,
        label=resource.name,
        id=_text(props.get("id")),
        name=UNKNOWN if name is UNKNOWN else _text(name),
        guests=_switch(props.get("allowUnauthenticatedIdentities")),
        classic=_switch(props.get("allowClassicFlow")),
        unchecked=_unchecked(props.get("cognitoIdentityProviders")),
        logins=tuple(_logins(props)),
        origin=replace(resource.origin, region=region),
        new=props.get("id") is UNKNOWN and len(props) > 0,
        providers=_providers(resource),
    )


def _providers(resource: Resource) -> tuple[Provider, ...] | Unknown | None:
    """A pool's providers; none of them where a list of them is not known."""
    props = resource.props
    found: list[Provider] = []
    for key, kind in _PROVIDERS.items():
        given = props.get(key)
        if given is UNKNOWN or given == SECRET:
            return UNKNOWN if given is UNKNOWN else None
        urns = resource.depends.get(key, ())
        if isinstance(given, str) and kind is not IssuerKind.DEVELOPER:
            return None  # which no provider takes
        if isinstance(given, Mapping):
            found += [Provider(kind, Reference(str(name))) for name in given]
        for item in [given] if kind is IssuerKind.DEVELOPER and given else _list(given):
            if isinstance(item, Mapping):
                client = item.get("clientId")
                found.append(Provider(kind, _refers(item.get("providerName"), urns), _text(client)))
            else:
                found.append(Provider(kind, _refers(item, urns)))
    return tuple(found)


def _tag_map(resource: Resource) -> Iterator[Fact]:
    props = resource.props
    tags = props.get("principalTags")
    if isinstance(tags, str) and tags != SECRET:
        tags = _decoded(tags)
    defaults = props.get("useDefaults")
    yield TagMapFact(
        resource.urn,
        resource.name,
        _reference(resource, "identityPoolId"),
        _reference(resource, "identityProviderName"),
        pairs(tags),
        UNKNOWN if defaults is UNKNOWN else _flag(defaults),
        resource.origin,
    )


def _switch(value: object) -> Switch:
    """A setting that is on or off, which providers take as text as well."""
    if value is None or isinstance(value, Unknown):
        return value
    if value == SECRET:
        return Unreadable(SECRET_PROBLEM)
    flag = _flag(value)
    return Unreadable("neither true nor false") if flag is None else flag


def _named_by_type(resource: Resource) -> Iterator[Fact]:
    """A resource that names one of CloudFormation's types, and has its properties in one of its own."""
    type_ = named_type(resource.type_, resource.props)
    inputs, outputs = named_properties(resource.type_, resource.props)
    if type_ not in _READERS or type_ in _BY_TYPE:
        return
    props: Mapping[str, Any] = {}
    known = None
    if isinstance(inputs, Mapping):
        props = {**(outputs if isinstance(outputs, Mapping) else {}), **inputs}
        known = frozenset(inputs)
    urns = tuple(dict.fromkeys(urn for each in resource.depends.values() for urn in each))
    depends = dict.fromkeys(props, urns)
    stated = props or NotKnown(inputs if inputs == SECRET else UNKNOWN)
    yield from _READERS[type_](replace(resource, type_=type_, props=stated, depends=depends, inputs=known))


def _flag(value: object) -> bool | None:
    """A flag, which CloudFormation writes as text as well; None where it is not set or not readable."""
    return {"true": True, "false": False}.get(str(value).lower())


def _user_pool(resource: Resource) -> Iterator[Fact]:
    yield UserPoolFact(resource.urn, _text(resource.props.get("id")))


def _user_pool_client(resource: Resource) -> Iterator[Fact]:
    given = resource.props.get("writeAttributes")
    names = [_text(name) for name in _list(given)]
    # Without a list, a client may write the attributes that AWS has for a default.
    writes = frozenset(name for name in names if name) if names and None not in names else None
    yield UserPoolClientFact(resource.urn, resource.name, _reference(resource, "userPoolId"), writes)


def _logins(props: Mapping[str, Any]) -> Iterator[str]:
    """The names of a pool's providers, as far as they are known."""
    for item in _list(props.get("cognitoIdentityProviders")):
        name = _text(item.get("providerName")) if isinstance(item, Mapping) else None
        yield from (name,) if name else ()
    social = props.get("supportedLoginProviders")
    yield from (str(name) for name in social) if isinstance(social, Mapping) else ()
    arns = (*_list(props.get("samlProviderArns")), *_list(props.get("openidConnectProviderArns")))
    for arn in (*arns, *_list(props.get("openIdConnectProviderArns"))):
        name = _text(arn)
        yield from (name.partition("provider/")[2] or name,) if name else ()
    developer = _text(props.get("developerProviderName"))
    yield from (developer,) if developer else ()


def _unchecked(providers: object) -> tuple[str, ...] | Unknown | Unreadable:
    """Those that certainly are not checked; else what is not known of some that may not be."""
    if isinstance(providers, str) and providers != SECRET:
        return Unreadable("not a list of providers")
    given = _list(providers)
    checks = [
        _switch(item.get("serverSideTokenCheck") if isinstance(item, Mapping) else item)
        for item in ([providers] if providers == SECRET else given)
    ]
    found = tuple(
        f"`{name}`" if (name := _text(item.get("providerName"))) else f"provider {number}"
        for number, (item, check) in enumerate(zip(given, checks, strict=False), 1)
        if isinstance(item, Mapping) and check in (None, False)
    )
    if found:
        return found
    unreadable = next((check for check in checks if isinstance(check, Unreadable)), None)
    if unreadable is not None:
        return unreadable
    return UNKNOWN if providers is UNKNOWN or UNKNOWN in checks else ()


_PROVIDERS = {
    "cognitoIdentityProviders": IssuerKind.USER_POOL,
    "supportedLoginProviders": IssuerKind.SOCIAL,
    "openidConnectProviderArns": IssuerKind.OIDC,
    "openIdConnectProviderArns": IssuerKind.OIDC,
    "samlProviderArns": IssuerKind.SAML,
    "developerProviderName": IssuerKind.DEVELOPER,
}
"""The properties that list a pool's providers."""
_BY_TYPE = (CLOUD_CONTROL, EXTENSION)
_CLASSIC_ROLE = "aws:iam/role:Role"
_READERS: dict[str, Callable[[Resource], Iterator[Fact]]] = {
    _CLASSIC_ROLE: _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive": _role_policies_exclusive,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:iam/policyAttachment:PolicyAttachment": _policy_attachment,
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": _attachments_exclusive,
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": _role_attachment,
    "aws:cognito/userGroup:UserGroup": _group,
    "aws:cognito/identityPool:IdentityPool": _pool,
    "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag": _tag_map,
    "aws:cognito/userPool:UserPool": _user_pool,
    "aws:cognito/userPoolClient:UserPoolClient": _user_pool_client,
    "aws:cognito/managedUserPoolClient:ManagedUserPoolClient": _user_pool_client,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketV2:BucketV2": _bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/accessPoint:AccessPoint": _access_point,
    "aws:s3control/accessPointPolicy:AccessPointPolicy": _access_point_policy,
    "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint": _multi_region,
    "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy": _multi_region_policy,
    CLOUD_CONTROL: _named_by_type,
    EXTENSION: _named_by_type,
    "aws-native:iam:Role": _native_role,
    "aws-native:iam:RolePolicy": _native_role_policy,
    "aws-native:iam:Policy": _native_inline_policy,
    "aws-native:iam:ManagedPolicy": _native_policy,
    "aws-native:cognito:IdentityPoolRoleAttachment": _role_attachment,
    "aws-native:cognito:UserPoolGroup": _group,
    "aws-native:cognito:IdentityPool": _pool,
    "aws-native:cognito:IdentityPoolPrincipalTag": _tag_map,
    "aws-native:cognito:UserPool": _user_pool,
    "aws-native:cognito:UserPoolClient": _user_pool_client,
    "aws-native:s3:Bucket": _bucket,
    "aws-native:s3:BucketPolicy": _bucket_policy,
    "aws-native:s3:AccessPoint": _access_point,
    "aws-native:s3:MultiRegionAccessPoint": _multi_region,
    "aws-native:s3:MultiRegionAccessPointPolicy": _multi_region_policy,
    "aws-native:s3express:BucketPolicy": _bucket_policy,
    "aws-native:s3express:AccessPoint": _access_point,
}
