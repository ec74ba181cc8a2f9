"""``python -m tests.chaos --seeds 200``: the long run, one line a scenario; exit 1 when anything was lost, doubled or half seen."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.longrun import arena


def main(argv: list[str] | None = None) -> int:
    """Run the scenarios of ``--seeds`` seeds from ``--first`` on."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--home", type=Path, help="folder to keep the city in for the next run")
    parser.add_argument("--intake-only", action="store_true", help="nights that end before the publication")
    wish = parser.parse_args(argv)
    home = wish.home or Path(tempfile.mkdtemp(prefix="chaos-"))
    tally: Counter[str] = Counter()
    looks, seconds, bad = 0, 0.0, []
    with arena(home, keep=wish.home is not None) as found:
        seeds = range(wish.first, wish.first + wish.seeds)
        for verdict in found.verdicts(seeds, publishes=not wish.intake_only):
            mark = "FAILED" if verdict.violations else "ok"
            print(
                f"{verdict.scenario.seed:4} {mark:6} {verdict.seconds:5.1f} s {verdict.looks:4} looks  {verdict.scenario}"
                f"  [{len(verdict.struck)} struck]",
                flush=True,
            )
            for line in verdict.violations:
                print(f"       ✗ {line}", flush=True)
            if verdict.violations:
                bad.append(verdict.scenario.seed)
                for line in verdict.struck:
                    print(f"         {line}", flush=True)
            tally.update(stroke.victim for stroke in verdict.scenario.strokes)
            tally.update(fault.kind for _, fault in verdict.scenario.wires)
            tally.update(lapse for _, lapse in verdict.scenario.lapses)
            looks, seconds = looks + verdict.looks, seconds + verdict.seconds
    print(f"{wish.seeds} scenarios, {len(bad)} failed {bad or ''}; {looks} looks of readers; {seconds:.0f} s")
    print("; ".join(f"{name} {times}" for name, times in tally.most_common()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
