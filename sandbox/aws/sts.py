"""AWS STS: every signed caller may ask who they are; the deployer may call what moto has.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from dataclasses import replace
from xml.sax.saxutils import escape

from .deployer_services import DeployerServices
from .http import HttpRequest, Response
from .regions import partition_of
from .service import SIGNED, Operation, RequiredPermission
from .sessions import Session

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class Sts(DeployerServices):
    """Requests that are signed for STS."""

    admits = SIGNED

    def __init__(self, account: str) -> None:
        super().__init__("sts")
        self._account = account

    def operation(self, request: HttpRequest, region: str) -> Operation:
        operation = super().operation(request, region)
        return replace(operation, callers=SIGNED) if operation.name == "GetCallerIdentity" else operation

    def required_permissions(self, operation: Operation) -> list[RequiredPermission]:
        """None: the only operation that a session may call needs no permission."""
        return []

    def answer(self, operation: Operation, session: Session | None) -> Response:
        if operation.name != "GetCallerIdentity":
            return super().answer(operation, session)
        if session is None:
            arn, user = f"arn:{partition_of(operation.region).name}:iam::{self._account}:root", self._account
        else:
            arn, user = session.user_arn, session.user_id
        result = f"<Arn>{escape(arn)}</Arn><UserId>{escape(user)}</UserId><Account>{self._account}</Account>"
        text = (
            f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>{result}</GetCallerIdentityResult>'
            "<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        )
        return Response(200, text.encode(), {"Content-Type": "text/xml"})
