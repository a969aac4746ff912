"""CloudFormation templates: functions, conditions, names that are made up, nested stacks, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policies.command.run import Run, check, run, write, written
from tests.policies.pack.engine import ISSUER, ME, POOL, document, trust_of
from tests.policies.sources.mistakes import RIGHT, SETUPS, Setup
from tests.work import at_most

AUD, AMR = f"{ISSUER}:aud", f"{ISSUER}:amr"
ESCAPED = ME.replace("${", "${!")


def allow(resource: Any, action: Any = "s3:GetObject", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def template(setup: Setup, **sections: Any) -> dict[str, Any]:
    """A setup as a template, in which everything is written out as references."""

    def refers(value: Any) -> Any:
        if isinstance(value, dict):
            if any(key.startswith("Fn::") for key in value):
                return value
            return {key: refers(member) for key, member in value.items()}
        if isinstance(value, list):
            return [refers(item) for item in value]
        if value == POOL:
            return {"Ref": "Pool"}
        if isinstance(value, str) and value.startswith("arn:aws:s3:::notes"):
            rest = value.removeprefix("arn:aws:s3:::notes").replace("${", "${!")
            return {"Fn::Sub": f"${{Uploads.Arn}}{rest}"}
        return value

    pool: dict[str, Any] = {"AllowUnauthenticatedIdentities": setup.guests}
    if setup.classic is not None:
        pool["AllowClassicFlow"] = setup.classic
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Uploads": {"Type": "AWS::S3::Bucket"},
            "Pool": {"Type": "AWS::Cognito::IdentityPool", "Properties": pool},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": refers(setup.trust)}},
            "Files": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "files",
                    "Roles": [{"Ref": "Role"}],
                    "PolicyDocument": refers(setup.policy),
                },
            },
            "Attach": {
                "Type": "AWS::Cognito::IdentityPoolRoleAttachment",
                "Properties": {
                    "IdentityPoolId": {"Ref": "Pool"},
                    "Roles": {setup.login: {"Fn::GetAtt": ["Role", "Arn"]}},
                },
            },
        },
        **sections,
    }


def as_yaml(value: Any) -> str:
    """A template in YAML with the short forms of functions."""

    class Dumper(yaml.SafeDumper):
        pass

    def mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
        if len(data) == 1:
            ((key, argument),) = data.items()
            tag = f"!{key.removeprefix('Fn::')}"
            if key == "Fn::GetAtt":
                return dumper.represent_scalar(tag, ".".join(argument))
            if (key.startswith("Fn::") or key == "Ref") and isinstance(argument, str):
                return dumper.represent_scalar(tag, argument)
            if key.startswith("Fn::"):
                return dumper.represent_sequence(tag, argument)
        return dumper.represent_dict(data)

    Dumper.add_representer(dict, mapping)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False)


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("name", SETUPS)
def test_the_commonest_mistakes(name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup = SETUPS[name]
    text = json.dumps(template(setup), indent=1) if form == "json" else as_yaml(template(setup))
    path = write(tmp_path / f"template.{form}", text)
    found = check(capsys, path)
    assert found.code == bool(setup.rules), found.out + found.err
    assert setup.rules <= set(found.rules), found.out
    lines = text.splitlines()
    for finding in found.findings:
        if finding["rule"] == "s3-isolated-by-identity":
            place = finding["place"]
            statement = lines[place["line"] - 1 : place["line"] + 3]
            assert any("Effect" in line for line in statement), statement


@pytest.mark.parametrize("named", ["us-west-2:*4d", "US-WEST-2:*", "eu-*"])
def test_a_pool_may_be_in_any_region_that_the_template_names_a_part_of(
    named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = {"StringLike": {f"{ISSUER}:sub": named}}
    if named.isupper():
        some = {"StringEqualsIgnoreCase": {f"{ISSUER}:sub": "US-WEST-2:0A1B2C3D-E4F5-4A6B-8C7D-9E0F1A2B3C4D"}}
    own, everything = "arn:aws:s3:::notes/private/" + ME + "/*", "arn:aws:s3:::notes/*"
    path = write(tmp_path / "template.json", template(Setup(document([allow(own), allow(everything, Condition=some)]))))
    assert "s3-isolated-by-identity" in check(capsys, path).rules
    assert check(capsys, path, "--region", "us-east-1").rules == ["s3-own-folder"]  # it never applies


# --- values


def policy_of(capsys: pytest.CaptureFixture[str], folder: Path, resource: Any, *options: str, **sections: Any) -> Run:
    """What is found of a role that may read a resource."""
    setup = Setup(document([allow(resource)]))
    built = template(setup, **sections)
    built["Resources"] |= sections.pop("more", {})
    built.pop("more", None)
    return check(capsys, write(folder / "template.json", built), *options)


EVALUATED: dict[str, Any] = {
    "Sub": {"Fn::Sub": f"arn:aws:s3:::${{Uploads}}/${{Folder}}/{ESCAPED}/*"},
    "Sub with variables": {
        "Fn::Sub": [f"${{A}}/${{B}}/{ESCAPED}/*", {"A": {"Fn::GetAtt": "Uploads.Arn"}, "B": "private"}]
    },
    "Sub of an attribute": {"Fn::Sub": f"${{Uploads.Arn}}/private/{ESCAPED}/*"},
    "Sub of a partition": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{Uploads}}/private/{ESCAPED}/*"},
    "Join": {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Uploads"}, f"/private/{ME}/*"]]},
    "Join of a list parameter": {"Fn::Join": ["/", {"Ref": "Parts"}]},
    "Select": {"Fn::Select": [1, ["x", f"arn:aws:s3:::notes/private/{ME}/*"]]},
    "Select of a Split": {
        "Fn::Join": [
            "",
            [
                "arn:aws:s3:::",
                {"Fn::Select": ["5", {"Fn::Split": [":", {"Fn::GetAtt": ["Uploads", "Arn"]}]}]},
                f"/private/{ME}/*",
            ],
        ]
    },
    "FindInMap": {
        "Fn::Sub": [
            f"arn:aws:s3:::notes/${{F}}/{ESCAPED}/*",
            {"F": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "folder"]}},
        ]
    },
    "FindInMap with a default": {
        "Fn::Sub": [
            f"arn:aws:s3:::notes/${{F}}/{ESCAPED}/*",
            {"F": {"Fn::FindInMap": ["M", "x", "y", {"DefaultValue": "private"}]}},
        ]
    },
    "If": {"Fn::If": ["Yes", f"arn:aws:s3:::notes/private/{ME}/*", "*"]},
    "If within And, Or and Not": {"Fn::If": ["Complex", f"arn:aws:s3:::notes/private/{ME}/*", "*"]},
    "a NoValue in a list": [{"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, "*"]}, f"arn:aws:s3:::notes/private/{ME}/*"],
    "ToJsonString": {"Fn::Select": [0, [f"arn:aws:s3:::notes/private/{ME}/*", {"Fn::ToJsonString": {"a": 1}}]]},
    "a default": {"Fn::Sub": f"arn:aws:s3:::notes/${{Folder}}/{ESCAPED}/*"},
    "an account": {"Fn::Sub": f"arn:aws:s3:::notes-${{AWS::AccountId}}-${{AWS::Region}}/private/{ESCAPED}/*"},
    "a stack's name": {"Fn::Sub": f"arn:aws:s3:::${{AWS::StackName}}-notes/private/{ESCAPED}/*"},
}
SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Folder": {"Type": "String", "Default": "private"},
        "Parts": {"Type": "CommaDelimitedList", "Default": f"arn:aws:s3:::notes, private, {ME}, *"},
        "Env": {"Type": "String", "Default": "prod"},
        "Free": {"Type": "String"},
    },
    "Mappings": {"M": {"us-east-1": {"folder": "private"}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "Complex": {
            "Fn::And": [
                {"Condition": "Yes"},
                {"Fn::Not": [{"Fn::Equals": [{"Ref": "Env"}, "dev"]}]},
                {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Condition": "Yes"}]},
            ]
        },
        "Free": {"Fn::Equals": [{"Ref": "Free"}, "yes"]},
    },
}


@pytest.mark.parametrize("name", EVALUATED)
def test_functions(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each makes the user's own folder; anything else would be a finding."""
    found = policy_of(capsys, tmp_path, EVALUATED[name], **SECTIONS)
    assert found.code == 0, found.out + found.err


WIDE: dict[str, Any] = {
    "a parameter without a default": {"Fn::Sub": f"arn:aws:s3:::${{Free}}/{ESCAPED}/*"},
    "a parameter that is the resource": {"Ref": "Free"},
    "a parameter in a list": ["arn:aws:s3:::notes/x", {"Ref": "Free"}],
    "a value of another stack": {"Fn::Sub": ["${A}/*", {"A": {"Fn::ImportValue": "elsewhere"}}]},
    "a dynamic reference": "arn:aws:s3:::{{resolve:ssm:/bucket}}/*",
    "an unknown attribute": {"Fn::GetAtt": ["Other", "Anything"]},
    "a transform": {"Fn::Transform": {"Name": "AWS::Include"}},
    "a split of what is not known": {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Free"}]}]},
    "a function that is not supported": {"Fn::Unheard": "x"},
}


@pytest.mark.parametrize("name", WIDE)
def test_what_is_not_known_is_any_string(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = {"Other": {"Type": "AWS::Something::New"}}
    found = policy_of(capsys, tmp_path, WIDE[name], more=more, **SECTIONS)
    assert "s3-isolated-by-identity" in found.rules, found.out + found.err


def test_what_is_not_known_is_said_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = policy_of(capsys, tmp_path, {"Fn::Sub": f"arn:aws:s3:::${{Free}}/{ESCAPED}/*"}, **SECTIONS)
    (note,) = json.loads(found.out)["verdicts"][0]["notes"]
    assert note["text"] == "`Free` has no default, so it may be any string; set it with `--parameter Free=VALUE`"
    assert '"Free"' in (tmp_path / "template.json").read_text().splitlines()[note["place"]["line"] - 1]
    assert "depends on the value of `Free`" in found.findings[0]["text"]
    resource = {"Fn::Sub": f"arn:aws:s3:::${{Free}}/{ESCAPED}/*"}
    assert policy_of(capsys, tmp_path, resource, "--parameter", "Free=notes", **SECTIONS).code == 0
    assert policy_of(capsys, tmp_path, resource, "--parameter", "Free=*", **SECTIONS).code == 1


DEPENDS: dict[str, tuple[Any, str, str]] = {
    "the bucket's name": (
        {"Fn::Sub": f"arn:aws:s3:::${{Free}}/{ESCAPED}/*"},
        "`Files` statement 1: not proven that identities cannot reach each other's files: that depends on the value of "
        "`Free`, which the template does not say.",
        "judge it with --parameter Free=VALUE",
    ),
    "a part of it, and the folder": (
        {"Fn::Sub": f"arn:aws:s3:::app-${{Free}}/${{Made.Folder}}/{ESCAPED}/*"},
        "that depends on the values of `Free` and `Made.Folder`",
        "state the value in the template, or add the file that exports it",
    ),
    "an ARN that another stack exports": (
        {"Fn::Join": ["", [{"Fn::ImportValue": "files"}, f"/{ME}/*"]]},
        "that depends on the value of `ImportValue-files`",
        "state the value in the template, or add the file that exports it",
    ),
}
MADE = {"Made": {"Type": "Custom::Names"}}


@pytest.mark.parametrize("name", DEPENDS)
def test_what_depends_on_a_value_that_is_not_known_is_not_proven(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resource, words, advice = DEPENDS[name]
    found = policy_of(capsys, tmp_path, resource, more=MADE, **SECTIONS)
    isolated = [each for each in found.findings if each["rule"] == "s3-isolated-by-identity"]
    assert [each["kind"] for each in isolated] == ["value-not-known"], found.out + found.err
    assert words in isolated[0]["text"]
    assert isolated[0]["fix"]["advice"] == advice
    assert isolated[0].get("example") is None


WHATEVER: dict[str, tuple[Any, str, str]] = {
    "the bucket's name": (
        {"Fn::Sub": "arn:aws:s3:::${Free}/public/*"},
        "arn:aws:s3:::${Free}/public/*",
        "arn:aws:s3:::example-free/public/us-east-1:2222",
    ),
    "an ARN that another stack exports": (
        {"Fn::Join": ["", [{"Fn::ImportValue": "files"}, "/public/*"]]},
        "${ImportValue-files}/public/*",
        "arn:aws:s3:::example-importvalue-files-arn/public/us-east-1:2222",
    ),
}


@pytest.mark.parametrize("name", WHATEVER)
def test_what_is_wrong_whatever_the_value_is_shown_by_its_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resource, written, shown = WHATEVER[name]
    found = policy_of(capsys, tmp_path, resource, **SECTIONS)
    (finding,) = [each for each in found.findings if each["rule"] == "s3-isolated-by-identity"]
    assert finding["kind"] == "no-identity"
    assert f"nothing in `{written}` depends on the identity" in finding["text"]
    assert shown in finding["text"]
    (edit,) = finding["fix"]["edits"]
    assert (edit["old"], edit["new"]) == (written, written.replace("*", f"{ME}/*"))


def test_a_pool_that_a_parameter_names_is_not_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conditions = {"StringEquals": {AUD: {"Ref": "Free"}}, "ForAnyValue:StringLike": {AMR: "authenticated"}}
    built = template(Setup(RIGHT, trust=trust_of({"Federated": ISSUER}, conditions)), **SECTIONS)
    found = check(capsys, write(tmp_path / "t.json", built))
    assert [(each["rule"], each["kind"]) for each in found.findings] == [("trust-bound-to-pool", "value-not-known")]
    assert "not proven that the role trusts only its own pools: that depends on the value of `Free`" in found.out


def test_a_condition_that_nothing_decides_is_tried_both_ways(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, all_ = f"arn:aws:s3:::notes/private/{ME}/*", "arn:aws:s3:::notes/*"
    for resource in ({"Fn::If": ["Free", mine, all_]}, {"Fn::If": ["Free", all_, mine]}):
        assert "s3-isolated-by-identity" in policy_of(capsys, tmp_path, resource, **SECTIONS).rules
    found = policy_of(capsys, tmp_path, {"Fn::If": ["Free", mine, all_]}, **SECTIONS)
    assert "if `${Free}` = `yes` is false" in found.findings[0]["text"]
    assert (
        policy_of(capsys, tmp_path, {"Fn::If": ["Free", mine, all_]}, "--parameter", "Free=yes", **SECTIONS).code == 0
    )
    assert policy_of(capsys, tmp_path, {"Fn::If": ["Free", mine, mine]}, **SECTIONS).code == 0


def test_one_world_has_one_value_of_a_parameter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A condition that is met fixes the parameter: `yes` and `no` cannot both be."""
    mine, all_ = f"arn:aws:s3:::notes/private/{ME}/*", "arn:aws:s3:::notes/*"
    conditions = {"A": {"Fn::Equals": [{"Ref": "Free"}, "a"]}, "B": {"Fn::Equals": [{"Ref": "Free"}, "b"]}}
    both = {"Fn::If": ["A", {"Fn::If": ["B", all_, mine]}, mine]}
    sections = {**SECTIONS, "Conditions": conditions}
    assert policy_of(capsys, tmp_path, both, **sections).code == 0


def test_too_many_conditions_that_nothing_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = {f"P{n}": {"Type": "String"} for n in range(12)}
    conditions = {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "x"]} for n in range(12)}
    resources = [{"Fn::If": [f"C{n}", f"arn:aws:s3:::b{n}/{ME}/*", {"Ref": "AWS::NoValue"}]} for n in range(12)]
    found = policy_of(capsys, tmp_path, resources, Parameters=parameters, Conditions=conditions)
    assert found.code == 2
    assert "too many conditions that nothing decides" in found.err


DENY = {"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::notes/{ME}/*"}
READ = allow("arn:aws:s3:::notes/*")
NARROWED: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing unknown": (DENY, True),
    "the resource": ({**DENY, "NotResource": {"Ref": "Free"}}, False),
    "the action": ({**DENY, "Action": {"Fn::Sub": "s3:${Free}"}}, False),
    "one of two actions": ({**DENY, "Action": [{"Fn::Sub": "s3:${Free}"}, "s3:*"]}, True),
    "a NotAction": ({"Effect": "Deny", "NotAction": {"Ref": "Free"}, "NotResource": DENY["NotResource"]}, False),
    "a condition's value": ({**DENY, "Condition": {"StringEquals": {f"{ISSUER}:sub": {"Ref": "Free"}}}}, False),
    "a condition's key": (
        {**DENY, "Condition": {"Fn::If": ["Free", {}, {"Bool": {"aws:SecureTransport": "false"}}]}},
        False,
    ),
    "a condition of numbers": ({**DENY, "Condition": {"NumericLessThan": {"s3:max-keys": {"Ref": "Free"}}}}, False),
    "the whole statement": ({"Fn::If": ["Free", DENY, {"Ref": "AWS::NoValue"}]}, False),
}


@pytest.mark.parametrize("name", NARROWED)
def test_a_deny_in_which_something_is_not_known_guards_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deny, guards = NARROWED[name]
    built = template(Setup(document([READ, deny])), **SECTIONS)
    found = check(capsys, write(tmp_path / "template.json", built))
    assert ("s3-isolated-by-identity" not in found.rules) is guards, found.out + found.err


WIDENED: dict[str, dict[str, Any]] = {
    "an action": {"Effect": "Allow", "Action": {"Fn::Sub": "iam:${Free}"}, "Resource": "*"},
    "a NotAction": {"Effect": "Allow", "NotAction": [{"Ref": "Free"}, "s3:*"], "Resource": "*"},
    "the only NotAction": {"Effect": "Allow", "NotAction": {"Ref": "Free"}, "Resource": "*"},
    "the effect": {"Effect": {"Ref": "Free"}, "Action": "iam:CreateUser", "Resource": "*"},
    "a NotResource": {"Effect": "Allow", "Action": "iam:CreateUser", "NotResource": {"Ref": "Free"}},
    "a condition's key": allow("*", "iam:CreateUser", Condition={"StringEquals": {"x": {"Ref": "Free"}}}),
    "a number in a condition": allow("*", "iam:CreateUser", Condition={"NumericEquals": {"x": {"Ref": "Free"}}}),
    "a flag in a condition": allow("*", "iam:CreateUser", Condition={"Null": {f"{ISSUER}:sub": {"Ref": "Free"}}}),
}


@pytest.mark.parametrize("name", WIDENED)
def test_an_allow_in_which_something_is_not_known_is_wider(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = check(capsys, write(tmp_path / "t.json", template(Setup(document([WIDENED[name]])), **SECTIONS)))
    assert "vended-role-cannot-escalate" in found.rules, found.out + found.err


NOT_PROVEN: dict[str, Any] = {
    "the whole document": {"Ref": "Free"},
    "a statement": {"Version": "2012-10-17", "Statement": [{"Ref": "Free"}]},
    "all statements": {"Version": "2012-10-17", "Statement": {"Ref": "Free"}},
    "the version": {"Version": {"Ref": "Free"}, "Statement": [READ]},
    "a resource where variables are not expanded": document([allow({"Ref": "Free"})], None),
    "a document as text": {"Fn::Sub": '{"Version": "2012-10-17", "Statement": ${Free}}'},
}


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_a_document_of_which_too_much_is_not_known_is_not_proven(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = template(Setup(RIGHT), **SECTIONS)
    built["Resources"]["Files"]["Properties"]["PolicyDocument"] = NOT_PROVEN[name]
    found = check(capsys, write(tmp_path / "t.json", built))
    assert found.rules == ["s3-isolated-by-identity", "vended-role-cannot-escalate"]
    assert "`Files`: not proven" in found.findings[0]["text"]
    assert "`${Free}` is not known" in found.findings[0]["text"]


READERS: dict[str, tuple[Any, bool]] = {
    "an origin access identity by its canonical user": (
        {"CanonicalUser": {"Fn::GetAtt": "Origin.S3CanonicalUserId"}},
        True,
    ),
    "an origin access identity by its ARN": (
        {"AWS": {"Fn::Sub": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ${Origin}"}},
        True,
    ),
    "both": (
        {"AWS": {"Fn::Sub": "arn:aws:iam::cloudfront:user/${Origin}"}, "CanonicalUser": [{"Ref": "Free"}]},
        True,
    ),
    "an ARN that may be a role's": ({"AWS": {"Fn::Sub": "arn:aws:iam::${Free}:user/x"}}, False),
    "any principal": ({"AWS": {"Ref": "Free"}}, False),
    "a user and any principal": ({"AWS": ["arn:aws:iam::123456789012:user/x", {"Ref": "Free"}]}, False),
    "an issuer": ({"Federated": {"Ref": "Free"}}, False),
}


@pytest.mark.parametrize("version", ["2012-10-17", None])
@pytest.mark.parametrize("name", READERS)
def test_a_principal_that_is_not_known_but_certainly_no_role(
    name: str, version: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    principal, is_nobody = READERS[name]
    built = template(Setup(RIGHT), **SECTIONS)
    statement = allow("arn:aws:s3:::notes/*", Principal=principal)
    built["Resources"]["Origin"] = {"Type": "AWS::CloudFront::CloudFrontOriginAccessIdentity"}
    built["Resources"]["Site"] = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": "notes", "PolicyDocument": document([statement], version)},
    }
    found = check(capsys, write(tmp_path / "t.json", built))
    assert (found.rules == []) is is_nobody, found.out + found.err


@pytest.mark.parametrize(
    "mappings", [{"Fn::GetAtt": "Made.RoleMapping"}, {"x": {"Type": "Rules", "RulesConfiguration": {"Ref": "Free"}}}]
)
def test_role_mappings_that_are_not_known_are_not_proven(
    mappings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a custom resource gives them, for which templates had no other way when providers were made with them."""
    built = template(Setup(RIGHT), **SECTIONS)
    built["Resources"]["Made"] = {"Type": "Custom::RoleMapping"}
    built["Resources"]["Attach"]["Properties"]["RoleMappings"] = mappings
    found = check(capsys, write(tmp_path / "t.json", built))
    assert found.rules == ["s3-isolated-by-identity", "vended-role-cannot-escalate"], found.out + found.err
    assert "not proven: `Attach`: which role it means is not known" in found.findings[0]["text"]


FLAGS: list[tuple[Any, str]] = [
    ({"Ref": "Free"}, "whether guest access is enabled is not known"),
    ("true", "guest access is enabled"),
    ("false", ""),
    ({"Fn::If": ["Free", True, False]}, "guest access is enabled"),
]


@pytest.mark.parametrize(("value", "words"), FLAGS)
def test_a_flag_of_a_pool(value: Any, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(RIGHT), **SECTIONS)
    built["Resources"]["Pool"]["Properties"]["AllowUnauthenticatedIdentities"] = value
    found = check(capsys, write(tmp_path / "t.json", built))
    texts = [each["text"] for each in found.findings if each["rule"] == "guests-are-declared"]
    assert len(texts) == bool(words)
    assert all(words in text for text in texts)


def test_a_role_or_a_pool_that_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(RIGHT), **SECTIONS)
    built["Resources"]["Attach"]["Properties"]["Roles"] = {"authenticated": {"Ref": "Free"}}
    found = check(capsys, write(tmp_path / "t.json", built))
    assert "`${Free}` is not in this stack" in found.findings[0]["text"]
    built = template(
        Setup(RIGHT, trust=trust_of({"Federated": ISSUER}, {"StringEquals": {AUD: {"Ref": "Free"}}})), **SECTIONS
    )
    found = check(capsys, write(tmp_path / "t.json", built))
    assert "trust-bound-to-pool" in found.rules


# --- names


def test_a_made_up_name_is_nobody_elses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user's folder in a bucket without a name, and everything in a bucket that has what might be its name."""
    statements = [allow({"Fn::Sub": f"${{Uploads.Arn}}/{ESCAPED}/*"}), allow("arn:aws:s3:::uploads/*")]
    shared = {"pattern": "uploads/*", "actions": ["s3:GetObject"], "why": "all of it is for everybody"}
    config = write(
        tmp_path / "config.json", {"s3-isolated-by-identity": {"shared": [shared]}, "s3-own-folder": "disabled"}
    )
    path = write(tmp_path / "stacks" / "t.json", template(Setup(document(statements))))
    assert check(capsys, path, "--config", config).code == 0
    assert check(capsys, path).code == 1


def test_a_name_that_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(document([allow("arn:aws:s3:::given/*")])))
    built["Resources"]["Uploads"]["Properties"] = {"BucketName": "given"}
    built["Resources"]["Role"]["Properties"]["RoleName"] = "users"
    built["Resources"]["Files"]["Properties"]["Roles"] = ["users"]
    opened = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": {"Fn::Sub": "${Uploads.Arn}/*"}}
    assert "s3-isolated-by-identity" in check(capsys, write(tmp_path / "t.json", built)).rules
    built["Resources"]["Guard"] = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Uploads"}, "PolicyDocument": document([opened])},
    }
    assert check(capsys, write(tmp_path / "t.json", built)).rules == []


def test_kinds_of_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leak = document([allow("arn:aws:s3:::notes/*")])
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": leak}}
    forms: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"Policies": [{"PolicyName": "p", "PolicyDocument": leak}]}, {}),
        ({"ManagedPolicyArns": [{"Ref": "More"}]}, {"More": managed}),
        ({}, {"More": {**managed, "Properties": {"PolicyDocument": leak, "Roles": [{"Ref": "Role"}]}}}),
        (
            {},
            {
                "More": {
                    "Type": "AWS::IAM::RolePolicy",
                    "Properties": {"RoleName": {"Ref": "Role"}, "PolicyName": "p", "PolicyDocument": leak},
                }
            },
        ),
        ({"Policies": [{"PolicyName": "p", "PolicyDocument": json.dumps(leak)}]}, {}),
    ]
    for properties, more in forms:
        built = template(Setup(RIGHT))
        built["Resources"]["Role"]["Properties"] |= properties
        built["Resources"] |= more
        assert "s3-isolated-by-identity" in check(capsys, write(tmp_path / "t.json", built)).rules, properties
    built = template(Setup(RIGHT))
    built["Resources"]["Role"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    assert "is not in this stack" in check(capsys, write(tmp_path / "t.json", built)).findings[0]["text"]
    boundary = document([allow("arn:aws:s3:::other/*")])
    built = template(Setup(leak))
    built["Resources"]["Boundary"] = {**managed, "Properties": {"PolicyDocument": boundary}}
    built["Resources"]["Role"]["Properties"]["PermissionsBoundary"] = {"Ref": "Boundary"}
    assert check(capsys, write(tmp_path / "t.json", built)).code == 0


def test_roles_of_rules_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lambda_trust = trust_of({"Service": "lambda.amazonaws.com"})
    arn = {"Fn::GetAtt": ["Other", "Arn"]}
    rules = {"RulesConfiguration": {"Rules": [{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": arn}]}}
    for attach in (
        {"Attach2": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": "x", "RoleArn": arn}}},
        {
            "Attach2": {
                "Type": "AWS::Cognito::IdentityPoolRoleAttachment",
                "Properties": {"IdentityPoolId": {"Ref": "Pool"}, "RoleMappings": {"m": {"Type": "Rules", **rules}}},
            }
        },
    ):
        built = template(Setup(RIGHT))
        built["Resources"]["Other"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": lambda_trust,
                "Policies": [{"PolicyName": "p", "PolicyDocument": document([allow("arn:aws:s3:::notes/*")])}],
            },
        }
        assert check(capsys, write(tmp_path / "t.json", built)).code == 0
        built["Resources"] |= attach
        assert "s3-isolated-by-identity" in check(capsys, write(tmp_path / "t.json", built)).rules


# --- several templates


def nested(folder: Path, location: str = "child.json", **parent: Any) -> Path:
    """A role in a nested stack, whose bucket is the parent's."""
    child = template(Setup(document([allow({"Fn::Sub": f"arn:aws:s3:::${{Bucket}}/{ESCAPED}/*"})])))
    child["Parameters"] = {"Bucket": {"Type": "String"}}
    child["Outputs"] = {"Role": {"Value": {"Ref": "Role"}}}
    root = {
        "Resources": {
            "Files": {"Type": "AWS::S3::Bucket"},
            "Child": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": location, "Parameters": {"Bucket": {"Ref": "Files"}}},
            },
            "More": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "more",
                    "Roles": [{"Fn::GetAtt": ["Child", "Outputs.Role"]}],
                    "PolicyDocument": document([allow({"Fn::Sub": f"${{Files.Arn}}/x/{ESCAPED}/*"})]),
                },
            },
        },
        **parent,
    }
    return written(folder, {"child.json": child, "parent.json": root})


def test_a_nested_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = nested(tmp_path)
    for path in (folder, folder / "parent.json"):
        found = check(capsys, path)
        assert found.rules == ["s3-own-folder"], found.out + found.err  # two folders, and no leak
        assert json.loads(found.out)["verdicts"][0]["roles"] == ["Child.Role"]
        assert json.loads(found.out)["verdicts"][0]["notes"] == []
    found = check(capsys, folder / "child.json")
    assert "s3-isolated-by-identity" in found.rules  # by itself, its bucket may be any string


def test_a_nested_stack_that_is_not_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = nested(tmp_path / "outside") / "child.json"
    for location in (
        "https://s3.amazonaws.com/b/child.json",
        "missing.json",
        str(outside),
        "../outside/child.json",
        "\0",
        ".",
    ):
        folder = nested(tmp_path / "inside", location)
        (folder / "child.json").unlink()
        found = check(capsys, folder)
        assert found.code == 0, location
        (note,) = json.loads(found.out)["verdicts"][0]["notes"]
        assert "the template of the nested stack `Child` is not among the given files" in note["text"]
    (folder / "child.json").symlink_to(outside)
    write(folder / "parent.json", (nested(tmp_path / "again") / "parent.json").read_text())
    assert "is not among the given files" in check(capsys, folder).out


def test_the_cdks_assets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::Region"}, ".amazonaws.com/bucket/0a1b2c.json"]]}
    folder = nested(tmp_path, "")
    parent = json.loads((folder / "parent.json").read_text())
    parent["Resources"]["Child"]["Properties"]["TemplateURL"] = url
    (folder / "parent.json").unlink()
    assets = {"version": "1", "files": {"0a1b2c": {"source": {"path": "child.json"}}}}
    written(folder, {"Parent.template.json": parent, "Parent.assets.json": assets})
    assert check(capsys, folder).rules == ["s3-own-folder"]
    parent["Resources"]["Child"]["Metadata"] = {"aws:asset:path": "child.json"}
    write(folder / "Parent.template.json", parent)
    (folder / "Parent.assets.json").unlink()
    assert check(capsys, folder).rules == ["s3-own-folder"]


def test_a_stack_that_nests_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check(capsys, nested(tmp_path, "parent.json"))
    assert found.code == 2
    assert "nested too deeply" in found.err or "nested stacks" in found.err


def test_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imports = template(
        Setup(document([allow({"Fn::Sub": [f"${{A}}/{ESCAPED}/*", {"A": {"Fn::ImportValue": "files-arn"}}]})]))
    )
    exports = {
        "Resources": {"Files": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"A": {"Value": {"Fn::GetAtt": ["Files", "Arn"]}, "Export": {"Name": {"Fn::Sub": "files-arn"}}}},
    }
    folder = written(tmp_path, {"a.json": imports, "b.json": exports})
    assert check(capsys, folder).code == 0
    found = check(capsys, folder / "a.json")
    assert "s3-isolated-by-identity" in found.rules
    assert "is exported by a stack that is not among the given files" in found.out


def test_two_stacks_do_not_share_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = template(Setup(RIGHT))
    second = template(Setup(document([allow("arn:aws:s3:::notes/*")])))
    found = check(capsys, written(tmp_path, {"a.json": first, "b.json": second}))
    assert {finding["place"]["file"][-6:] for finding in found.findings} == {"b.json"}
    assert len(json.loads(found.out)["verdicts"][0]["roles"]) == 2


# --- SAM and Serverless


def test_sam(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(
        Setup(
            document(
                [
                    allow(
                        {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${ServerlessRestApi}/*"},
                        "execute-api:Invoke",
                    )
                ]
            )
        ),
        Transform="AWS::Serverless-2016-10-31",
    )
    built["Resources"]["Function"] = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Handler": "a.b",
            "Events": {"E": {"Type": "Api", "Properties": {"Path": "/", "Method": "get"}}},
        },
    }
    assert check(capsys, write(tmp_path / "template.yaml", as_yaml(built))).code == 0
    built["Resources"]["Files"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] = (
        "arn:aws:execute-api:*:*:*"
    )
    assert "api-invoke-scoped" in check(capsys, write(tmp_path / "template.yaml", as_yaml(built))).rules
    built["Resources"]["Files"]["Properties"]["Roles"] = [{"Ref": "FunctionRole"}]
    assert check(capsys, write(tmp_path / "template.yaml", as_yaml(built))).code in (0, 1)


# --- what is wrong with a template

WRONG: dict[str, tuple[Mapping[str, Any] | str, str]] = {
    "an unknown name": ({"Ref": "Nowhere"}, "`Nowhere` is neither a parameter nor a resource of the template"),
    "a variable that is not escaped": ({"Fn::Sub": ME}, f"write `{ESCAPED}` for a policy variable"),
    "an unknown resource": ({"Fn::GetAtt": ["Nowhere", "Arn"]}, "`Nowhere` is neither"),
    "a wrong Join": ({"Fn::Join": ["", "x"]}, "`Fn::Join` must have a list"),
    "a Join of three": ({"Fn::Join": ["", ["x"], "y"]}, "`Fn::Join` must have a list of 2 values"),
    "a wrong Select": ({"Fn::Select": [3, ["x"]]}, "`Fn::Select` must have an index and a list that has it"),
    "a huge index": ({"Fn::Select": ["9" * 5000, ["x"]]}, "`Fn::Select` must have an index"),
    "a wrong Sub": ({"Fn::Sub": {"a": 1}}, "`Fn::Sub` must be a string"),
    "a Sub of an object": ({"Fn::Sub": ["${A}", {"A": {"b": 1}}]}, "`Fn::Sub` must have strings"),
    "a missing mapping": ({"Fn::FindInMap": ["M", "x", "y"]}, "`M.x.y` is not in `Mappings`"),
    "a missing condition": ({"Fn::If": ["No", "a", "b"]}, "`No` is not a condition of the template"),
    "a Split without a delimiter": ({"Fn::Split": ["", "x"]}, "`Fn::Split` must have a delimiter"),
    "a code point that is none": ("arn:aws:s3:::\ufdd0x", "has a code point that is no character"),
    "a text that grows": (
        {"Fn::Sub": ["${A}" * 2000, {"A": "x" * 2000}]},
        "makes a text of more than 200000 characters",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_template_is_refused_with_its_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resource, problem = WRONG[name]
    found = policy_of(capsys, tmp_path, resource, **SECTIONS)
    assert found.code == 2, found.out
    assert problem in found.err
    assert found.err.startswith(f"{tmp_path}/template.json:")
    assert len(found.err.splitlines()) == 1
    assert "Traceback" not in found.err


def test_wrong_sections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for section, value, problem in (
        ("Parameters", [], "`Parameters` must be an object"),
        ("Parameters", {"A": 1}, "`Parameters.A` must be an object"),
        ("Conditions", "x", "`Conditions` must be an object"),
        ("Outputs", {"A": []}, "`Outputs.A` must be an object"),
    ):
        built = {**template(Setup(RIGHT)), section: value}
        found = check(capsys, write(tmp_path / "t.json", built))
        if value:
            assert (found.code, problem in found.err) == (2, True), found.err
    cyclic = {"A": {"Condition": "B"}, "B": {"Condition": "A"}}
    built = template(Setup(RIGHT), Conditions=cyclic)
    built["Resources"]["Files"]["Condition"] = "A"
    assert "depends on itself" in check(capsys, write(tmp_path / "t.json", built)).err
    built = template(Setup(RIGHT))
    built["Resources"]["Uploads"]["Properties"] = {"BucketName": {"Ref": "Uploads"}}
    assert check(capsys, write(tmp_path / "t.json", built)).code in (0, 1)  # not known, and no endless loop


def test_a_resource_without_properties(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(RIGHT))
    del built["Resources"]["Pool"]["Properties"]
    assert check(capsys, write(tmp_path / "t.json", built)).rules == ["classic-flow-off"]
    del built["Resources"]["Role"]["Properties"]
    found = check(capsys, write(tmp_path / "t.json", built))
    assert "it has no document" in found.out


def test_options_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "t.json", template(Setup(RIGHT)))
    for option, value, problem in (
        ("--parameter", "x", "`x` must be NAME=VALUE"),
        ("--region", "nowhere", "must be a region"),
        ("--account", "1", "must be the 12 digits"),
    ):
        found = run(capsys, "check", path, option, value)
        assert (found.code, problem in found.err) == (2, True)
    # In GovCloud, the commercial issuer's variable has no value.
    assert check(capsys, path, "--region", "us-gov-west-1").code == 1


# --- attacks


def test_a_loop_of_resources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(RIGHT), Transform="AWS::LanguageExtensions")
    leak = document([allow({"Fn::Sub": "${Uploads.Arn}/${Folder}/*"})])
    policy = {"PolicyName": {"Fn::Sub": "p-${Folder}"}, "Roles": [{"Ref": "Role"}], "PolicyDocument": leak}
    body = {"More${Folder}": {"Type": "AWS::IAM::Policy", "Properties": policy}}
    built["Resources"]["Fn::ForEach::Folders"] = ["Folder", ["public", "shared"], body]
    found = check(capsys, write(tmp_path / "t.json", built))
    assert {"Morepublic", "Moreshared"} <= {finding["document"] for finding in found.findings}, found.out + found.err
    for loop in (["Folder", {"Ref": "AWS::Region"}, body], ["Folder", ["a"]], "x", ["Folder", ["a"], {"R": "x"}]):
        built["Resources"]["Fn::ForEach::Folders"] = loop
        found = check(capsys, write(tmp_path / "t.json", built))
        assert (found.code, len(found.err.splitlines())) == (2, 1), found.out
    del built["Resources"]["Fn::ForEach::Folders"]
    nested: Any = {"R${A}": {"Type": "AWS::S3::Bucket"}}
    for _ in range(9):
        nested = {"Fn::ForEach::X": ["A", ["a", "b"], nested]}
    built["Resources"] |= nested
    assert "nested too deeply" in check(capsys, write(tmp_path / "t.json", built)).err
    built["Resources"]["Fn::ForEach::X"] = ["A", [str(n) for n in range(3000)], {"R${A}": {"Type": "AWS::S3::Bucket"}}]
    assert "makes more than 2000 resources" in check(capsys, write(tmp_path / "t.json", built)).err


def test_a_macro_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = template(Setup(RIGHT), Transform=["AWS::Serverless-2016-10-31", "MyMacro"])
    found = check(capsys, write(tmp_path / "t.json", built))
    (note,) = json.loads(found.out)["verdicts"][0]["notes"]
    assert "the macro `MyMacro` is not evaluated" in note["text"]


def chain(function: str, length: int = 60) -> dict[str, Any]:
    """Conditions, outputs and exports of which each refers to the one before it twice."""
    conditions: dict[str, Any] = {"C0": {"Fn::Equals": ["a", "a"]}}
    outputs: dict[str, Any] = {"O0": {"Value": "", "Export": {"Name": "O0"}}}
    for number in range(1, length):
        before = {"Condition": f"C{number - 1}"}
        conditions[f"C{number}"] = {function: [before, before]}
        value = {"Fn::ImportValue": f"O{number - 1}"}
        outputs[f"O{number}"] = {"Value": {"Fn::Join": ["", [value, value]]}, "Export": {"Name": f"O{number}"}}
    return {"Conditions": conditions, "Outputs": outputs}


@pytest.mark.parametrize("function", ["Fn::And", "Fn::Or"])
def test_what_is_referred_to_twice_is_evaluated_once(
    function: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = {
        "Fn::If": [
            "C59",
            {"Fn::Sub": [f"arn:aws:s3:::notes${{A}}/{ESCAPED}/*", {"A": {"Fn::ImportValue": "O59"}}]},
            "*",
        ]
    }
    with at_most(1_000_000):
        assert policy_of(capsys, tmp_path, resource, **chain(function)).code == 0


NOT_NAMED: dict[str, tuple[dict[str, Any], str]] = {
    "a policy of some role": (
        {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "Roles": [{"Ref": "Free"}], "PolicyDocument": document([READ])},
        },
        "which role it means is not known",
    ),
    "a policy of some roles": (
        {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "Roles": {"Ref": "Free"}, "PolicyDocument": document([READ])},
        },
        "which role it means is not known",
    ),
    "a managed policy of some role": (
        {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"Roles": [{"Ref": "Free"}], "PolicyDocument": document([READ])},
        },
        "which role it means is not known",
    ),
    "a policy of some bucket": (
        {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Free"},
                "PolicyDocument": document([{**allow({"Fn::Sub": "${Uploads.Arn}/*"}), "Principal": "*"}]),
            },
        },
        "the bucket policy allows it",
    ),
}


@pytest.mark.parametrize("name", NOT_NAMED)
def test_what_is_not_known_to_be_another_resource_may_be_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resource, words = NOT_NAMED[name]
    built = template(Setup(document([allow(f"arn:aws:s3:::notes/{ME}/*")])), **SECTIONS)
    built["Resources"]["More"] = resource
    found = check(capsys, write(tmp_path / "t.json", built))
    assert "s3-isolated-by-identity" in found.rules, found.out
    assert words in found.out


def test_roles_of_a_pool_that_is_not_known_are_judged_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = template(Setup(document([allow(f"arn:aws:s3:::notes/a/{ME}/*")])), **SECTIONS)
    one = built["Resources"]
    leak = document([allow("arn:aws:s3:::notes/*/x")])
    trust = trust_of({"Federated": ISSUER}, {"StringEquals": {AUD: {"Ref": "Free"}}})
    one["Other"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [{"PolicyName": "p", "PolicyDocument": leak}]},
    }
    attach = {"IdentityPoolId": {"Ref": "Free"}, "Roles": {"authenticated": {"Fn::GetAtt": ["Other", "Arn"]}}}
    one["Attach2"] = {"Type": "AWS::Cognito::IdentityPoolRoleAttachment", "Properties": attach}
    assert "s3-isolated-by-identity" in check(capsys, write(tmp_path / "t.json", built)).rules
