"""A sandbox with one identity pool, as a test uses it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .clients import client
from .process import Process, SandboxError
from .user import Api, User

PASSWORD = "Correct-horse-battery-9"


class Sandbox:
    """An AWS account in a process of its own, with one identity pool.

    Attributes:
        endpoint: of all services.
        bucket: where users have files; empty if there is none.
        roles: the roles' ARNs, by their names.
        outputs: of a Pulumi stack.
    """

    def __init__(self, **wanted: Any) -> None:
        """Start a sandbox; `pool`, `template` and `stack` say what is in it.

        Raises:
            SandboxError: with every problem, one per line.
        """
        self._process = Process(wanted)
        facts = self._process.facts
        self.endpoint: str = facts["endpoint"]
        self.region: str = facts["region"]
        self.identity_pool: str = facts["identity_pool"]
        self.user_pool: str = facts["user_pool"]
        self.app_client: str = facts["client"]
        self.provider: str = facts["provider"]
        self.bucket: str = facts["bucket"]
        self.table: str = facts["table"]
        self.roles: dict[str, str] = facts["roles"]
        self.outputs: dict[str, Any] = facts["outputs"]
        self._keys = (facts["keys"][0], facts["keys"][1], None)
        self._api_url = f"{self.endpoint}/execute-api/{facts['api']}/{facts['stage']}"

    @classmethod
    def pool(cls, region: str = "us-east-1") -> Sandbox:
        """A pool whose users each have a folder in a bucket, rows in a table, and an API."""
        return cls(region=region)

    @classmethod
    def template(
        cls, *paths: str | os.PathLike[str], region: str = "us-east-1", parameters: Mapping[str, str] | None = None
    ) -> Sandbox:
        """What CloudFormation templates, or `terraform show -json`, say: pool, roles, policies and buckets.

        Raises:
            SandboxError: something cannot be created as it is written.
        """
        files = [str(Path(path).resolve()) for path in paths]
        return cls(templates=files, region=region, parameters=dict(parameters or {}))

    @classmethod
    def stack(cls, project: str | os.PathLike[str], stack: str = "dev", buckets: Sequence[str] = ()) -> Sandbox:
        """A stack of a Pulumi program in Python.

        Args:
            project: the folder of Pulumi.yaml.
            buckets: that are there before the program runs.

        Raises:
            SandboxError: the stack's files or its config are wrong, or a resource is of a type that the sandbox lacks.
        """
        return cls(project=str(Path(project).resolve()), stack=stack, buckets=list(buckets))

    def client(self, service: str) -> Any:
        """A boto3 client of the account's administrator, to prepare what users try."""
        return client(self.endpoint, service, self.region, self._keys, attempts=3)

    def sign_up(
        self,
        name: str,
        attributes: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        role: str | None = None,
    ) -> User:
        """Sign a user up and in, and get credentials of the identity pool.

        Args:
            attributes: of the user, such as `email`.
            groups: of the user pool, which must be there.
            role: the name of the role that the user gets by a group, if it is not the pool's own.
        """
        idp = self.client("cognito-idp")
        pairs = [{"Name": key, "Value": value} for key, value in (attributes or {}).items()]
        idp.sign_up(ClientId=self.app_client, Username=name, Password=PASSWORD, UserAttributes=pairs)
        idp.admin_confirm_sign_up(UserPoolId=self.user_pool, Username=name)
        if role is not None:
            group = f"sandbox-{role}"[:128]
            if group not in [found["GroupName"] for found in idp.list_groups(UserPoolId=self.user_pool)["Groups"]]:
                idp.create_group(UserPoolId=self.user_pool, GroupName=group, RoleArn=self.roles[role])
            groups = [*groups, group]
        for group in groups:
            idp.admin_add_user_to_group(UserPoolId=self.user_pool, Username=name, GroupName=group)
        return self.sign_in(name)

    def sign_in(self, name: str, password: str = PASSWORD) -> User:
        """Sign a user in again, for new credentials."""
        parameters = {"USERNAME": name, "PASSWORD": password}
        answer = self.client("cognito-idp").initiate_auth(
            ClientId=self.app_client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        token = str(answer["AuthenticationResult"]["IdToken"])
        return self._vend(name, token)

    def guest(self) -> User:
        """A guest, if the pool allows guest access."""
        return self._vend("guest", "")

    def code_of(self, name: str) -> str | None:
        """The last code that a user was sent by e-mail: to confirm a sign-up, or for a new password."""
        code = self._process.ask({"code_of": name})["code"]
        return None if code is None else str(code)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a test in another language."""
        return {
            "SANDBOX_ENDPOINT": self.endpoint,
            "SANDBOX_REGION": self.region,
            "SANDBOX_IDENTITY_POOL": self.identity_pool,
            "SANDBOX_USER_POOL": self.user_pool,
            "SANDBOX_APP_CLIENT": self.app_client,
            "SANDBOX_PROVIDER": self.provider,
            "SANDBOX_BUCKET": self.bucket,
            "SANDBOX_PASSWORD": PASSWORD,
        }

    def stop(self) -> None:
        self._process.stop()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def _vend(self, name: str, token: str) -> User:
        identity = self.client("cognito-identity")
        logins: dict[str, Any] = {"Logins": {self.provider: token}} if token else {}
        id_ = identity.get_id(IdentityPoolId=self.identity_pool, **logins)["IdentityId"]
        keys = identity.get_credentials_for_identity(IdentityId=id_, **logins)["Credentials"]
        credentials = (keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
        api = Api(self._api_url, self.region, credentials)
        return User(name, id_, credentials, token, self.endpoint, self.region, api)


__all__ = ["PASSWORD", "Sandbox", "SandboxError"]
