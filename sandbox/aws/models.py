"""AWS's own models of its services, which botocore ships: their operations, and the parameters of each.

Source: https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

from functools import cache

from botocore import loaders
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel
from botocore.serialize import Serializer, create_serializer


@cache
def service_model(service: str) -> ServiceModel | None:
    """The model of a service, by botocore's name; None if AWS has no such service."""
    try:
        return ServiceModel(loaders.create_loader().load_service_model(service, "service-2"), service)
    except (UnknownServiceError, ValueError):
        return None


def operation_model(service: str, name: str) -> OperationModel | None:
    """The model of an operation; None if the service has none of this name.

    Only operations that exist are kept: anybody may ask for one that does not.
    """
    model = service_model(service)
    return _operation_model(service, name) if model is not None and name in model.operation_names else None


@cache
def _operation_model(service: str, name: str) -> OperationModel:
    model = service_model(service)
    assert model is not None
    return model.operation_model(name)


def known(service: str, name: str) -> OperationModel:
    """The model of an operation that an allow-list names."""
    model = operation_model(service, name)
    if model is None:
        raise ValueError(f"{service} has no operation {name}")
    return model


@cache
def serializer(service: str) -> Serializer:
    """Writes requests of a service, as AWS's SDK for Python does."""
    model = service_model(service)
    if model is None:
        raise ValueError(f"there is no service {service}")
    return create_serializer(model.resolved_protocol)
