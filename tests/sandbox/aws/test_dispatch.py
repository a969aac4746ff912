"""Who may call which service: the dispatch, before any policy is asked."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.scenario.attempts import Person
from tests.conftest import Deployed, refusal


@pytest.fixture(scope="module")
def alice(dev: Deployed) -> Person:
    return dev.access_checks().sign_in("alice-of-the-dispatch")


def client(dev: Deployed, service: str, person: Person | None, region: str = "us-east-1", signed_as: str = "") -> Any:
    key, secret, token = person.credentials if person else (dev.sandbox.admin_key, dev.sandbox.admin_secret, None)
    client = boto3.Session().client(
        service,
        region_name=region,
        endpoint_url=dev.sandbox.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    if signed_as:
        client.meta.events.register(
            "before-sign", lambda request, **_: request.context.update(signing={"signing_name": signed_as})
        )
    return client


CALLS = [
    ("iam", "list_roles", {}),
    ("sqs", "list_queues", {}),
    ("sts", "get_session_token", {}),
    ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    ("dynamodb", "list_tables", {}),
    ("apigateway", "get_rest_apis", {}),
]


@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[call[0] for call in CALLS])
def test_a_session_reaches_no_service_that_the_sandbox_cannot_authorize(
    dev: Deployed, alice: Person, service: str, method: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(dev, service, alice), method)(**parameters)
    assert "cannot authorize" in str(error.value)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[call[0] for call in CALLS])
def test_whoever_deploys_reaches_every_service(
    dev: Deployed, service: str, method: str, parameters: dict[str, Any]
) -> None:
    answer = getattr(client(dev, service, None), method)(**parameters)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_every_signed_caller_may_ask_who_they_are(dev: Deployed, alice: Person) -> None:
    assert client(dev, "sts", alice).get_caller_identity()["Account"] == "123456789012"


def test_the_question_who_one_is_opens_no_other_service(dev: Deployed, alice: Person) -> None:
    """A request that is signed for IAM stays IAM's, whatever its body asks for first."""
    with pytest.raises(ClientError) as error:
        client(dev, "sts", alice, signed_as="iam").get_caller_identity()
    assert refusal(error.value) == "AccessDenied"


def test_a_signature_for_a_region_that_aws_does_not_have_is_refused(dev: Deployed) -> None:
    with pytest.raises(ClientError) as error:
        client(dev, "s3", None, region="us-east-9").list_buckets()
    assert "Credential should be scoped to a valid region" in str(error.value)


@pytest.mark.parametrize("service", ["lambda", "apigateway"])
def test_a_refusal_has_the_form_of_its_service(dev: Deployed, service: str) -> None:
    person = dev.access_checks().sign_in(f"form-of-{service}")
    client = dev.sandbox.client(service, dev.app.region, person.credentials)
    with pytest.raises(ClientError) as error:
        client.list_functions() if service == "lambda" else client.get_rest_apis()
    assert error.value.response["Error"]["Code"] == "AccessDenied"
    assert error.value.response["Error"]["Message"].startswith(f"the sandbox cannot authorize {service}")
