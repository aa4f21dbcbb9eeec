#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Predicted times beside measured ones: for every kernel of today's table that bench/results has times of, what
`convsmith-gen --explain --json` says; the error's median and worst; and of several kernels for a problem, how often the
one with the least predicted time, the one that the runtime asks first (src/order.c), and the one that it took when
`convsmith tune` timed them is the fastest, or near it. Needs no GPU and no package.

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
TUNE = "h200-tune.json"
# Microseconds that events around a call add to what a CUDA graph of calls takes.
EVENTS = 4.0
# A call through Python and ctypes takes the host up to so many microseconds: times below are, or may be, the host's.
HOST = 40.0
NEAR = 1.05  # a kernel within this of the best one's time is as good
CLEARLY_FASTER = 0.9  # src/order.c


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


def predictions(generator, manifest, table, size):
    """Today's kernels by name, in the table's order, for a problem of that size, or (None) each for its row's
    reference."""
    command = [generator, "--home", HERE.parent, "--manifest", manifest, "--out", table]
    command += ["--explain", "--json", "--arch", ARCH]
    if size:
        command += ["--problem", ",".join(str(number) for number in size if number)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    rows = json.loads(result.stdout) if result.returncode == 0 else []
    return {row["name"]: {**row, "place": place} for place, row in enumerate(rows)}


class Predictions:
    """Asked for once a size; sizes are references for the most part."""

    def __init__(self, generator, manifest, table):
        self.asked = generator, manifest, table
        self.references = predictions(*self.asked, None)
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
            self.others[time.size] = predictions(*self.asked, time.size)
        return self.others[time.size].get(time.kernel)


@dataclass(frozen=True)
class Pair:
    time: Time
    alone: float  # predicted, microseconds, without events
    bound: str
    place: int  # in the table, among its row's of the same precision and target

    @property
    def predicted(self):
        """With events where the time has them."""
        return self.alone + (EVENTS if self.time.events else 0)

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
            bound = f"{longest['what']} by {longest['bound']}"
            pairs.append(Pair(time, 1e6 * forecast["seconds"], bound, forecast["place"]))
    return pairs, left


# ---- What they say of each other


def summary(pairs):
    errors = [abs(pair.ratio - 1) for pair in pairs]
    worst = max(pairs, key=lambda pair: abs(pair.ratio - 1))
    return (
        f"{len(pairs)} times: median error {100 * statistics.median(errors):.1f} %, "
        f"worst {100 * (worst.ratio - 1):+.0f} % ({worst.time.kernel})"
    )


@dataclass(frozen=True)
class Name:
    """What a kernel's name says (gen/names.lua)."""

    row: str
    strategy: str
    small: bool
    target: str

    @classmethod
    def of(cls, kernel):
        row, strategy, small, target = re.fullmatch(r"(.+?)_([a-z0-9]+)(_small)?_(sm\w+)", kernel).groups()
        return cls(row, strategy, small is not None, target)

    @property
    def precisions(self):
        """Those that a caller may ask for and get this kernel, its own first: what may be tf32 may be exact, too."""
        if not self.row.startswith("conv_f32"):
            return ("",)
        return ("fp32", "tf32") if self.strategy in ("mma3", "resident3", "ffma") else ("tf32",)

    def __str__(self):
        return self.strategy + ("_small" if self.small else "")


def place_of(pair, precision):
    """In the order in which the runtime has a problem's kernels: of the precision asked for, of the newest GPUs, of the
    table."""
    name = Name.of(pair.time.kernel)
    return name.precisions[0] != precision, name.target != "sm90a", pair.place


def problems(pairs):
    """Each problem for which several kernels were measured in one run: its name, and their pairs in the runtime's
    order."""
    groups = collections.defaultdict(list)
    for pair in pairs:
        name = Name.of(pair.time.kernel)
        for precision in name.precisions:
            groups[pair.time.source, pair.time.events, name.row, pair.time.size, precision].append(pair)
    for (_, _, row, _, precision), members in groups.items():
        if len(members) > 1:
            yield f"{row} {precision}", sorted(members, key=lambda pair: place_of(pair, precision))


def least(members):
    return min(members, key=lambda pair: pair.predicted)


def asked_first(members):
    """As src/order.c has it."""
    first = members[0]
    for pair in members[1:]:
        if pair.alone < CLEARLY_FASTER * first.alone:
            first = pair
    return first


def ranking(pairs, pick):
    """A line a problem: which kernel `pick` takes, and how much longer that is than the best; and how many are near."""
    lines, near = [], 0
    for problem, members in problems(pairs):
        picked = pick(members)
        behind = picked.time.us / min(pair.time.us for pair in members)
        near += behind <= NEAR
        name = Name.of(picked.time.kernel)
        lines.append(f"  {problem:58} {len(members)} kernels, {name!s:15} {behind:5.2f} of the best one's time")
    return lines, near


def choices_of_tune(path):
    """Of `convsmith tune --json`: by how much the fastest kernel was faster than the one that the runtime took."""
    return [choice["gain"] for row in json.loads(path.read_text(encoding="utf-8")) for choice in row["choices"]]


def report_picks(pairs):
    percent = f"{round(100 * (NEAR - 1))} %"
    lines, runtimes = ranking(pairs, asked_first)
    _, leasts = ranking(pairs, least)
    gains = choices_of_tune(HERE / "results" / TUNE)
    taken = sum(gain <= NEAR for gain in gains)
    print("\nProblems for which several kernels were measured in one run, and the one that the runtime asks first:")
    print(*lines, sep="\n")
    print(f"asked first within {percent} of the best: {runtimes} of {len(lines)}")
    print(f"of the least predicted time within {percent} of the best: {leasts} of {len(lines)}")
    print(f"{TUNE}, taken by the runtime then within {percent} of the best: {taken} of {len(gains)}")


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
    report_picks(pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", required=True, help="convsmith-gen")
    parser.add_argument("--manifest", default=HERE.parent / "shapes.lua", help="whose kernels were measured")
    parser.add_argument("--table", default=HERE.parent / "generated", help="where they lie, with what ptxas told")
    arguments = parser.parse_args()
    times = [time for source, _, read in RESULTS for time in read(HERE / "results" / source)]
    report(*paired(times, Predictions(arguments.generator, arguments.manifest, arguments.table)))


if __name__ == "__main__":
    main()
