"""The pack against an empty one with as many rules: the SDK's own cost is the floor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from pulumi.runtime.proto import analyzer_pb2

from sandbox.engine.in_process import Registration
from sandbox.engine.policy_pack import Analyzer
from tests.policies.pack.engine import ME, POOL, STACK, allow, document, policy, resource, role, trust

PACK = Path(__file__).resolve().parent.parent / "policies"
IAM_SHARE = 20
"""One resource in so many is IAM's: 5 %."""

_EMPTY = """\
from pulumi_policy import (
    EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy,
)

def nothing(args, report):
    return None

PolicyPack(name="empty", policies=[
    *(ResourceValidationPolicy(name=f"r{i}", description="nothing", validate=nothing) for i in range(%d)),
    *(StackValidationPolicy(name=f"s{i}", description="nothing", validate=nothing) for i in range(%d)),
])
"""


@dataclass(frozen=True)
class Pair:
    """Seconds of the pack and of the empty one."""

    pack: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.pack / self.floor


@contextmanager
def empty_pack() -> Iterator[Path]:
    """A pack with as many rules, none of which looks at anything."""
    with Analyzer(PACK) as running:
        types = [p.policy_type for p in running.info().policies]
    stacks = types.count(analyzer_pb2.POLICY_TYPE_STACK)
    with TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "__main__.py").write_text(_EMPTY % (len(types) - stacks, stacks))
        (path / "PulumiPolicy.yaml").write_text("runtime: python\n")
        yield path


def stack(size: int) -> list[Registration]:
    """A stack of `size` resources, 5 % of them IAM's; of those a few belong to an identity pool."""
    found: list[Registration] = []
    other = document(
        [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
    )
    work = document([allow("arn:aws:logs:*:*:*", ["logs:CreateLogStream", "logs:PutLogEvents"])])
    for index in range(size):
        if index % (IAM_SHARE * 2) == 0:
            vended = index % (IAM_SHARE * 100) == 0
            found.append(role(f"role{index}", trust(POOL) if vended else other))
        elif index % (IAM_SHARE * 2) == IAM_SHARE:
            owner = index - IAM_SHARE
            vended = owner % (IAM_SHARE * 100) == 0
            text = document([allow(f"arn:aws:s3:::notes/{ME}/*")]) if vended else work
            found.append(policy(text, of=f"role{owner}", called=f"policy{index}"))
        else:
            found.append(queue(index))
    return found


POOLS_SHARE = 80
"""One resource in so many is an identity pool, in a stack of many pools: 125 of 10,000."""


def many_pools(size: int) -> list[Registration]:
    """A stack of `size` resources in which every 80th is an identity pool with two roles, their policies and a bucket."""
    found: list[Registration] = []
    for index in range(size // POOLS_SHARE):
        pool = f"us-east-1:{index:08x}-1111-4222-8333-bbbbbbbbbbbb"
        settings = {"allowUnauthenticatedIdentities": False, "allowClassicFlow": False}
        pools = "aws:cognito/identityPool:IdentityPool"
        found.append(resource(pools, f"pool{index}", {"identityPoolName": f"pool{index}", **settings}))
        bucket = f"notes{index}"
        secure = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
        guard = document([{**secure, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}])
        found.append(resource("aws:s3/bucket:Bucket", bucket, {"bucket": bucket}))
        inputs = {"bucket": bucket, "policy": json.dumps(guard)}
        found.append(resource("aws:s3/bucketPolicy:BucketPolicy", f"guard{index}", inputs))
        roles = {}
        for kind in ("reader", "writer"):
            called = f"{kind}{index}"
            roles[kind] = f"arn:aws:iam::123456789012:role/{called}"
            found.append(role(called, trust(pool)))
            text = document([allow(f"arn:aws:s3:::{bucket}/{ME}/*", ["s3:GetObject", "s3:PutObject"])])
            found.append(policy(text, of=called, called=f"{called}-access"))
        attached: dict[str, Any] = {"identityPoolId": pool, "roles": {"authenticated": roles["reader"]}}
        rules = [{"claim": "role", "matchType": "Equals", "value": "writer", "roleArn": roles["writer"]}]
        attached["roleMappings"] = [{"identityProvider": "idp", "type": "Rules", "mappingRules": rules}]
        attachments = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
        found.append(resource(attachments, f"attachment{index}", attached))
    found += [queue(index) for index in range(size - len(found))]
    return found


def queue(index: int) -> Registration:
    """A resource that says nothing about roles."""
    inputs = {"name": f"thing{index}", "tags": {"app": "notes", "index": str(index)}, "settings": [1, 2, 3]}
    return resource("aws:sqs/queue:Queue", f"thing{index}", inputs)


def start_up(rounds: int) -> Pair:
    """Seconds until a pack answers who it is, alternating; medians."""

    def seconds(folder: Path) -> float:
        begin = time.perf_counter()
        with Analyzer(folder) as running:
            running.info()
            return time.perf_counter() - begin

    with empty_pack() as floor:
        seconds(PACK), seconds(floor)
        return _alternating(rounds, lambda: seconds(PACK), lambda: seconds(floor))


def analyze(pack: Analyzer, resources: Sequence[Registration]) -> float:
    """Seconds of `Analyze`, of every resource of a stack."""
    begin = time.perf_counter()
    pack.analyze(STACK)
    for each in resources:
        pack.analyze(each)
    return time.perf_counter() - begin


def analyze_stack(pack: Analyzer, resources: Sequence[Registration]) -> float:
    """Seconds of one `AnalyzeStack`."""
    whole = [(each, each.wire) for each in resources]
    begin = time.perf_counter()
    pack.analyze_stack(whole)
    return time.perf_counter() - begin


def whole_update(resources: Sequence[Registration], rounds: int) -> tuple[Pair, Pair]:
    """(`Analyze` of every resource, one `AnalyzeStack`) of a stack, alternating between the two packs; medians."""

    with empty_pack() as folder, Analyzer(PACK) as pack, Analyzer(folder) as floor:
        for each in (pack, floor):
            each.configure({})
        single = _alternating(rounds, lambda: analyze(pack, resources), lambda: analyze(floor, resources))
        return single, _alternating(
            rounds, lambda: analyze_stack(pack, resources), lambda: analyze_stack(floor, resources)
        )


def memory(size: int) -> Pair:
    """MiB of memory that a pack's process has taken at most, after every resource of a stack and the stack."""
    resources = stack(size)

    def peak(folder: Path) -> float:
        with Analyzer(folder) as running:
            running.configure({})
            for each in resources:
                running.analyze(each)
            running.analyze_stack([(each, each.wire) for each in resources])
            return _peak(running.pid)

    with empty_pack() as floor:
        return Pair(peak(PACK), peak(floor))


def _peak(pid: int) -> float:
    """MiB; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _alternating(rounds: int, pack: Callable[[], float], floor: Callable[[], float]) -> Pair:
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(pack())
        theirs.append(floor())
    return Pair(median(mine), median(theirs))
