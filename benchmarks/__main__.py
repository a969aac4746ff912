"""`make bench`: ratios first, then what they are made of; `--json FILE` writes the same for a machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from policies.identity_scope.proof.scope import STEPS

from . import leaks, packs, programs, proofs, sandboxes, verdicts

SIZES = (100, 1_000, 10_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, as ratios within one run.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison (default: 5)")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # packs are compiled once, as they are for everybody
    figures: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}

    print("the pack against an empty pack with as many rules (to reach: 1.1; start and many pools: 1.15)")
    start = packs.start_up(options.rounds)
    figures["start"] = {"ratio": start.ratio, "pack_s": start.pack, "floor_s": start.floor}
    print(f"  start              {start.ratio:5.2f}   {start.pack:.2f} s / {start.floor:.2f} s")
    stacks = [(size, "", packs.stack(size)) for size in SIZES]
    stacks.append((SIZES[-1], ", many pools", packs.many_pools(SIZES[-1])))
    for size, of, resources in stacks:
        rounds = options.rounds if size < 10_000 else max(1, options.rounds // 2)
        for name, pair in zip(("Analyze", "AnalyzeStack"), packs.whole_update(resources, rounds), strict=True):
            figures[f"{name} {size}{of}"] = {"ratio": pair.ratio, "pack_s": pair.pack, "floor_s": pair.floor}
            each = pair.pack / size * 1000
            line = f"  {name:<12} {size:>6}{of}  {pair.ratio:5.2f}   {pair.pack:.2f} s / {pair.floor:.2f} s"
            print(f"{line}   {each:.3f} ms a resource", flush=True)

    leaking = leaks.measure(options.rounds)
    figures["leaks"] = asdict(leaking)
    print(f"  {leaking.leaky} stacks that leak against {leaking.clean} that do not ({leaking.clean_s * 1000:.0f} ms)")
    print(f"  median             {leaking.middle:5.2f}   (to reach: 2)")
    print(f"  worst              {leaking.worst:5.2f}   (to reach: 15)   {leaking.slowest}", flush=True)

    figures["memory_mib"] = asdict(used := packs.memory(SIZES[-1]))
    print(f"  memory       {SIZES[-1]:>6}  {used.ratio:5.2f}   {used.pack:.0f} MiB / {used.floor:.0f} MiB", flush=True)

    print("\nthe program against a flat one with the same resources (to reach: 1.05)")
    for name, compared_to in (("whole process", programs.whole_process), ("warm preview", programs.warm)):
        both = compared_to(options.rounds * 2)
        figures[f"program, {name}"] = asdict(both)
        print(f"  {name:<18} {both.ratio:5.2f}   {both.program * 1000:.1f} ms / {both.flat * 1000:.1f} ms", flush=True)
    figures["imports_ms"] = programs.imports()
    shown = list(figures["imports_ms"].items())[:6]
    print("  imports            " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in shown))

    print("\nthe sandbox")
    figures["up_s"] = sandboxes.up()
    for name, seconds in figures["up_s"].items():
        print(f"  {seconds:5.2f} s  {name}")
    print("  one request through enforcement against moto alone (to reach: 1.25)")
    for name, rate in sandboxes.throughput(options.rounds).items():
        figures[f"sandbox, {name}"] = asdict(rate)
        line = (
            f"  {name:<18} {rate.ratio:5.2f}   {rate.through_enforcement:.0f} / {rate.bare_moto:.0f} requests a second"
        )
        print(line, flush=True)

    print("\na canonical role, median (to reach: 0.5 ms)")
    figures["canonical_ms"] = proofs.canonical()
    for name, milliseconds in figures["canonical_ms"].items():
        print(f"  {name:<18} {milliseconds:.3f} ms")
    print(f"  {'together':<18} {sum(figures['canonical_ms'].values()):.3f} ms")

    print("\na verdict on one document: ms where nothing leaks, times ours; ms where something does; what it finds")
    compared = verdicts.measure()
    figures["verdicts"] = {tool: asdict(each) for tool, each in compared.items()}
    own = compared["identity-scope"].ms
    for tool, said in compared.items():
        line = f"  {tool:<16} {said.ms:6.3f} {said.ms / own:5.2f}x {said.ms_shared:7.3f}"
        print(f"{line}   {said.found:3} of {said.shared} leaks, {said.alarms:2} alarms in {said.scoped} without a leak")

    print(f"\nhostile documents, bounded by {STEPS} steps (to reach: 1 s)")
    figures["hostile_s"] = proofs.worst()
    for name, seconds in figures["hostile_s"].items():
        print(f"  {name:<26} {seconds:.2f} s")
    slowest = proofs.search()
    figures["hostile_search"] = asdict(slowest)
    print(f"  {'the slowest a search finds':<26} {slowest.seconds:.2f} s: {slowest.said}, {len(slowest.text)} letters")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
