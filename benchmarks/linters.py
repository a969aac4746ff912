"""Reads one policy document a line; writes what parliament and cloudsplaining say of it and how long they took, as JSON.

Runs in an environment of its own, which `uvx` makes of these two and nothing of ours.
"""

from __future__ import annotations

import json
import sys
import time

from cloudsplaining.scan.policy_document import PolicyDocument
from parliament import analyze_policy_string


def parliament(text: str) -> bool:
    return bool(analyze_policy_string(text).findings)


def cloudsplaining(text: str) -> bool:
    document = PolicyDocument(json.loads(text))
    return bool(
        document.allows_privilege_escalation
        or document.allows_data_exfiltration_actions
        or document.permissions_management_without_constraints
        or document.write_actions_without_constraints
    )


TOOLS = {"parliament": parliament, "cloudsplaining": cloudsplaining}


def main() -> None:
    texts = [line.rstrip("\n") for line in sys.stdin]
    for tool, judge in TOOLS.items():
        judge(texts[0])  # their tables are read at the first call
        for index, text in enumerate(texts):
            times: list[float] = []
            flagged: bool | None = None
            for _ in range(5):
                begin = time.perf_counter()
                try:
                    flagged = judge(text)
                except Exception:
                    flagged = None
                times.append(time.perf_counter() - begin)
            print(json.dumps({"tool": tool, "document": index, "ms": sorted(times)[2] * 1000, "flagged": flagged}))


if __name__ == "__main__":
    main()
