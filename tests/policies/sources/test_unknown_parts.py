"""Parts of a template that are not known: what a macro or a loop writes, whole lists, and trust policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.policies.command.run import Run, check, write
from tests.policies.pack.engine import document
from tests.policies.sources.mistakes import RIGHT, Setup
from tests.policies.sources.test_cloudformation import allow, template

INCLUDE = {"Name": "AWS::Include", "Parameters": {"Location": "s3://templates/more.json"}}
MACRO = {"Fn::Transform": INCLUDE}
LEAK = document([allow("arn:aws:s3:::notes/*")])
LOOP = ["Key", ["Policies"], {"${Key}": [{"PolicyName": "p", "PolicyDocument": LEAK}]}]
PARAMETERS = {"Listed": {"Type": "CommaDelimitedList"}, "Free": {"Type": "String"}}
ISOLATION, ESCALATION, TRUST = "s3-isolated-by-identity", "vended-role-cannot-escalate", "trust-bound-to-pool"


def checked(built: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return check(capsys, write(folder / "template.json", {**built, "Parameters": PARAMETERS}))


def properties(built: dict[str, Any], name: str = "Role") -> dict[str, Any]:
    own: dict[str, Any] = built["Resources"][name]["Properties"]
    return own


LISTS: dict[str, tuple[str, Any]] = {
    "a list that is a parameter": ("ManagedPolicyArns", {"Ref": "Listed"}),
    "a list that is split": ("ManagedPolicyArns", {"Fn::Split": [",", {"Ref": "Free"}]}),
    "a list of a macro": ("ManagedPolicyArns", MACRO),
    "policies of a macro": ("Policies", MACRO),
    "a text in the place of a list": ("ManagedPolicyArns", "arn:aws:iam::123456789012:policy/more"),
    "an object in the place of a list": ("ManagedPolicyArns", {"first": "arn:aws:iam::123456789012:policy/more"}),
    "a text in the place of policies": ("Policies", "more"),
    "a macro beside the properties": ("Fn::Transform", INCLUDE),
    "a loop beside the properties": ("Fn::ForEach::Loop", LOOP),
}


@pytest.mark.parametrize("name", LISTS)
def test_policies_that_are_not_known_are_not_proven(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, value = LISTS[name]
    built = template(Setup(RIGHT))
    assert checked(built, tmp_path, capsys).code == 0
    properties(built)[key] = value
    assert {ISOLATION, ESCALATION} <= set(checked(built, tmp_path, capsys).rules)


def test_a_macro_beside_a_type_may_change_the_resource(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, rules in {"Role": {ISOLATION, ESCALATION, TRUST}, "Files": {ISOLATION, ESCALATION}}.items():
        built = template(Setup(RIGHT))
        built["Resources"][name] |= MACRO
        assert rules <= set(checked(built, tmp_path, capsys).rules)
    built = template(Setup(RIGHT))
    built["Resources"]["Uploads"] |= MACRO
    assert checked(built, tmp_path, capsys).rules == []
    built["Resources"]["Pool"] |= MACRO
    assert "guests-are-declared" in checked(built, tmp_path, capsys).rules


@pytest.mark.parametrize("place", [(), ("Resources",), ("Outputs",)], ids=str)
def test_a_macro_that_adds_resources_is_said(
    place: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = template(Setup(RIGHT), Outputs={})
    (built[place[0]] if place else built).update(MACRO)
    found = checked(built, tmp_path, capsys)
    assert found.code == 0
    assert "the macro `AWS::Include` is not evaluated; judge the processed template" in found.out


def test_a_loop_of_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = {"Value": "arn:aws:s3:::notes/*", "Export": {"Name": {"Fn::Sub": "bucket-${Name}"}}}
    built = template(Setup(document([allow({"Fn::ImportValue": "bucket-b"})])))
    built["Outputs"] = {"Fn::ForEach::Names": ["Name", ["a", "b"], {"Export${Name}": arn}]}
    found = checked(built, tmp_path, capsys)
    assert "nothing in `arn:aws:s3:::notes/*` depends on the identity" in found.findings[0]["text"]


TRUSTS: dict[str, tuple[Any, set[str]]] = {
    "of a macro": (MACRO, {ISOLATION, ESCALATION}),
    "a parameter": ({"Ref": "Free"}, {ISOLATION, ESCALATION}),
    "a provider that is a parameter": ({"Federated": {"Ref": "Free"}}, {ISOLATION, TRUST}),
}


@pytest.mark.parametrize("name", TRUSTS)
def test_a_role_that_a_pool_may_vend_is_judged(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, rules = TRUSTS[name]
    built = template(Setup(LEAK))
    del built["Resources"]["Attach"]
    if "Federated" in given:
        properties(built)["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = given
    else:
        properties(built)["AssumeRolePolicyDocument"] = given
    assert rules <= set(checked(built, tmp_path, capsys).rules)


def test_a_role_of_another_provider_is_none_of_the_packs_business(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = template(Setup(LEAK))
    del built["Resources"]["Attach"]
    statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithSAML", "Principal": {"Federated": {"Ref": "Free"}}}
    properties(built)["AssumeRolePolicyDocument"] = document([statement])
    assert checked(built, tmp_path, capsys).rules == []


PRINCIPALS: dict[str, tuple[Any, bool]] = {
    "an origin access identity": ({"CanonicalUser": {"Fn::GetAtt": ["Origin", "S3CanonicalUserId"]}}, True),
    "the ARN of an origin access identity": (
        {"AWS": {"Fn::Sub": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ${Origin}"}},
        True,
    ),
    "a user": ({"AWS": {"Fn::GetAtt": ["User", "Arn"]}}, True),
    "anybody": ({"AWS": {"Ref": "Free"}}, False),
}


@pytest.mark.parametrize("name", PRINCIPALS)
def test_what_a_template_makes_that_is_no_role_is_none_of_the_vended_roles(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    principal, proven = PRINCIPALS[name]
    built = template(Setup(RIGHT))
    statement = allow({"Fn::Sub": "${Uploads.Arn}/*"}, Principal=principal)
    built["Resources"] |= {
        "Origin": {"Type": "AWS::CloudFront::CloudFrontOriginAccessIdentity"},
        "User": {"Type": "AWS::IAM::User"},
        "Site": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Uploads"}, "PolicyDocument": document([statement])},
        },
    }
    assert (ISOLATION not in checked(built, tmp_path, capsys).rules) is proven
