#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Predicted times beside measured ones: for every kernel of today's table that bench/results has times of, what
`convsmith-gen --explain --json` says; the error's median and worst; and how often the kernel with the least predicted
time is the fastest of several for a problem, or near it. Needs no GPU and no package.

    python3 bench/predict.py --generator build/dev/bin/convsmith-gen > bench/results/h200-predict.txt
"""

import argparse
import collections
import json
import re
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ARCH = "h200"
# Microseconds that events around a call add to what a CUDA graph of calls takes.
EVENTS = 4.0
# A call through Python and ctypes takes the host up to so many microseconds: times below are, or may be, the host's.
HOST = 40.0
NEAR = 1.05  # a kernel within this of the best one's time is as good


@dataclass(frozen=True)
class Time:
    """A kernel's time for a problem, in microseconds, as a result file has it."""

    source: str
    kernel: str
    size: tuple[int, int, int, int]  # n, h, w, groups (0: the row's)
    us: float
    events: bool
    tile: tuple[int, int, int] | None  # of the kernel that was measured, where the file says
    hosts: bool  # a time that may be the host's


# ---- What was measured


def times_of_workloads(path):
    """Of bench.py: the library's own rows."""
    for workload in json.loads(path.read_text(encoding="utf-8"))["workloads"]:
        n, h, w = (int(number) for number in re.match(r"N=(\d+), \d+x(\d+)x(\d+) ", workload["what"]).groups())
        groups = re.search(r"(\d+) groups", workload["what"])
        for row in workload["rows"]:
            if row["kind"] == "library" and "ms" in row:
                us, events = 1000 * row["ms"], row["timing"] == "event per call"
                size = (n, h, w, int(groups[1]) if groups else 0)
                yield Time(path.stem, row["name"].split()[1], size, us, events, None, events and us < HOST)


def times_of_table(path):
    """Of `convsmith bench --json`."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        tile = (row["tile_c"], row["tile_h"], row["tile_w"])
        size = (row["n"], row["h"], row["w"], row["groups"])
        yield Time(path.stem, row["name"], size, 1000 * row["median_ms"], True, tile, False)


# The newest last. Kernels have changed since the first: those of the portable schedule write y another way, the
# resident ones compute and bring x with fewer instructions (bench/NOTES.md, third writing).
RESULTS = (
    ("h200.json", "2026-11-22, older kernels", times_of_workloads),
    ("h200-sweep.json", "2026-11-23, today's kernels", times_of_workloads),
    ("h200-table.json", "2026-11-23, today's kernels", times_of_table),
)


# ---- What is predicted


def predictions(generator, manifest, size):
    """Today's kernels by name, for a problem of that size, or (None) each for its row's reference."""
    command = [generator, "--home", HERE.parent, "--manifest", manifest, "--explain", "--json", "--arch", ARCH]
    if size:
        command += ["--problem", ",".join(str(number) for number in size if number)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return {row["name"]: row for row in json.loads(result.stdout)} if result.returncode == 0 else {}


class Predictions:
    """Asked for once a size; sizes are references for the most part."""

    def __init__(self, generator, manifest):
        self.generator, self.manifest = generator, manifest
        self.references = predictions(generator, manifest, None)
        self.others = {}

    def of(self, time):
        """The prediction for a time, or None where today's table has no such kernel."""
        reference = self.references.get(time.kernel)
        if reference is None:
            return None
        n, h, w, groups = time.size
        if (n, h, w) == (reference["n"], reference["h"], reference["w"]) and groups in (0, reference["groups"]):
            return reference
        if time.size not in self.others:
            self.others[time.size] = predictions(self.generator, self.manifest, time.size)
        return self.others[time.size].get(time.kernel)


@dataclass(frozen=True)
class Pair:
    time: Time
    predicted: float  # microseconds, events included where the time has them
    bound: str

    @property
    def ratio(self):
        return self.predicted / self.time.us


def paired(times, forecasts):
    """Pairs, and the times that have no prediction with the reason."""
    pairs, left = [], []
    for time in times:
        forecast = forecasts.of(time)
        if forecast is None or "seconds" not in forecast:
            left.append((time, "not in today's table" if forecast is None else forecast["refused"]))
        elif time.tile and time.tile != tuple(forecast["tile"]):
            left.append((time, "of another tile then"))
        else:
            longest = max(forecast["launches"], key=lambda launch: launch["seconds"])
            us = 1e6 * forecast["seconds"] + (EVENTS if time.events else 0)
            pairs.append(Pair(time, us, f"{longest['what']} by {longest['bound']}"))
    return pairs, left


# ---- What they say of each other


def summary(pairs):
    errors = [abs(pair.ratio - 1) for pair in pairs]
    worst = max(pairs, key=lambda pair: abs(pair.ratio - 1))
    return (
        f"{len(pairs)} times: median error {100 * statistics.median(errors):.1f} %, "
        f"worst {100 * (worst.ratio - 1):+.0f} % ({worst.time.kernel})"
    )


def precisions_of(kernel):
    """The kernel's problem without its precision, and those that a caller may ask for and get this kernel: what may be
    tf32 may be exact, too."""
    stem, strategy, _ = kernel.rsplit("_", 2)
    if not stem.startswith("conv_f32"):
        return stem, ("",)
    return stem, ("fp32", "tf32") if strategy in ("mma3", "resident3", "ffma") else ("tf32",)


def problems(pairs):
    """Each problem for which several kernels were measured in one run: its name, and their pairs."""
    groups = collections.defaultdict(list)
    for pair in pairs:
        stem, precisions = precisions_of(pair.time.kernel)
        for precision in precisions:
            groups[pair.time.source, pair.time.events, stem, pair.time.size, precision].append(pair)
    for (_, _, stem, _, precision), members in groups.items():
        if len(members) > 1:
            yield f"{stem} {precision}", members


def ranking(pairs):
    lines, good = [], 0
    for name, members in problems(pairs):
        picked = min(members, key=lambda pair: pair.predicted)
        best = min(members, key=lambda pair: pair.time.us)
        behind = picked.time.us / best.time.us
        good += behind <= NEAR
        lines.append(
            f"  {name:48}  {len(members)} kernels, picked {picked.time.kernel.rsplit('_', 2)[1]:10} "
            f"{behind:5.2f} of the best one's time"
        )
    return lines, good


def report(pairs, left):
    print(f"{'kernel':66} {'measured':>9} {'predicted':>9} {'ratio':>6}  bound by")
    for source, remark, _ in RESULTS:
        print(f"\n{source}, {remark}")
        for pair in (pair for pair in pairs if pair.time.source == Path(source).stem):
            host = ", or the host" if pair.time.hosts else ""
            figures = f"{pair.time.us:9.1f} {pair.predicted:9.1f} {pair.ratio:6.2f}"
            print(f"  {pair.time.kernel:64} {figures}  {pair.bound}{host}")
    for time, reason in left:
        print(f"\nleft out: {time.source}, {time.kernel}: {reason}", end="")
    print("\n\nTimes in us; those of events are predicted with", EVENTS, "more.")
    for source, remark, _ in RESULTS:
        of_source = [pair for pair in pairs if pair.time.source == Path(source).stem]
        print(f"{source} ({remark}): {summary(of_source)}")
    print(f"without those that may be the host's: {summary([pair for pair in pairs if not pair.time.hosts])}")
    print(f"all: {summary(pairs)}")
    lines, good = ranking(pairs)
    print("\nProblems for which several kernels were measured in one run:", *lines, sep="\n")
    print(f"picked within {round(100 * (NEAR - 1))} % of the best: {good} of {len(lines)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", required=True, help="convsmith-gen")
    parser.add_argument("--manifest", default=HERE.parent / "shapes.lua", help="whose kernels were measured")
    arguments = parser.parse_args()
    times = [time for source, _, read in RESULTS for time in read(HERE / "results" / source)]
    report(*paired(times, Predictions(arguments.generator, arguments.manifest)))


if __name__ == "__main__":
    main()
