# SPDX-License-Identifier: Apache-2.0
"""Draws the results of bench/bench.py: a bar a contender, time against the streaming floor.

    python3 bench/plot.py bench/results/h200.json        # writes bench/results/h200.svg

Needs matplotlib. The same results give the same bytes with the same version of matplotlib.
"""

import argparse
import json
import os
import sys

from table import floor_ms

SHOWN = ("library", "peer")  # kinds of rows that are contenders; the floor is a line
INK, QUIET, OWN, PEER, FLOOR = "#1f2328", "#59636e", "#0969da", "#b6bec8", "#cf222e"
WIDTH, BAR = 9.0, 0.29  # inches: of the picture, and for each bar
HEAD_AND_FOOT = 1.2  # inches: around the bars of a panel


def panels_of(results):
    """(record, the rows to draw, the floor's milliseconds or None) for each workload and dtype. The rows are those of
    graph replays where there are any, else of single calls, the fastest first."""
    panels = []
    for record in results["workloads"]:
        for dtype in dict.fromkeys(row["dtype"] for row in record["rows"]):
            rows = [row for row in record["rows"] if row["dtype"] == dtype and row["kind"] in SHOWN and "ms" in row]
            rows = [row for row in rows if row["timing"].startswith("graph")] or rows
            if rows:
                rows.sort(key=lambda row: (row["ms"], row["name"], row["math"]))
                panels.append((record, rows, floor_ms(record["rows"], dtype)))
    return panels


def label_of(row):
    """The name at the axis: the library's kernels by strategy and target, which is what tells them apart."""
    name = row["name"]
    if row["kind"] == "library":
        name = "convsmith " + name.split("_bamsg_")[-1]
    return f"{name.replace('-no-cudagraphs', '')}, math {row['math']}"


def draw(axes, record, rows, floor):
    """One panel into one axes."""
    greatest = max(row["ms"] for row in rows)
    unit, scale = ("ms", 1) if greatest >= 0.5 else ("µs", 1000)
    for place, row in enumerate(rows):
        own, time = row["kind"] == "library", row["ms"] * scale
        text = f"{time:.3g} {unit}" + (f", {row['ms'] / floor:.2f} x floor" if floor else "")
        text += "" if row["within_bounds"] else ", out of bounds"
        axes.barh(place, time, height=0.68, color=OWN if own else PEER)
        weight = "bold" if own else "normal"
        axes.text(time + greatest * scale / 100, place, text, va="center", fontsize=8.5, color=INK, weight=weight)
    if floor:
        axes.vlines(floor * scale, -0.5, len(rows) - 0.5, color=FLOOR, linewidth=1.4, linestyle="--")
        text = f"floor: x read once, y written once, {floor * scale:.3g} {unit}"
        axes.text(floor * scale, -0.6, text, fontsize=8.5, color=FLOOR, va="bottom")
    axes.set_yticks(range(len(rows)), [label_of(row) for row in rows], fontsize=8.5, color=INK)
    axes.set_ylim(len(rows) - 0.4, -1.3)
    axes.set_xlim(0, greatest * scale * 1.38)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8, colors=QUIET)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    how = "in a CUDA graph" if rows[0]["timing"].startswith("graph") else "single calls"
    title = f"{record['what']}, {rows[0]['dtype']}; {unit} a call, {how}"
    axes.set_title(title, fontsize=9.5, color=INK, loc="left")


def plot(panels, machine, path):
    """Writes the picture as SVG."""
    import matplotlib  # only now, so that help and wrong arguments do not need it

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "convsmith"
    from matplotlib import pyplot

    heights = [HEAD_AND_FOOT + BAR * len(rows) for _, rows, _ in panels]
    figure, columns = pyplot.subplots(
        len(panels), 1, figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(h_pad=0.12)
    for axes, panel in zip(columns[:, 0], panels, strict=True):
        draw(axes, *panel)
    text = f"{machine['gpu']}, CUDA {machine['cuda']}, PyTorch {machine['torch']}, {machine['date']}; shorter is better"
    figure.suptitle(text, fontsize=8.5, color=QUIET, x=0.01, ha="left")
    temporary = f"{path}.part"
    figure.savefig(temporary, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    os.replace(temporary, path)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="a file that bench/bench.py --json wrote")
    parser.add_argument("--out", help="the picture; default: beside the results, with .svg for .json")
    options = parser.parse_args(argv)
    try:
        with open(options.results, encoding="utf-8") as file:
            results = json.load(file)
        panels = panels_of(results)
    except (OSError, ValueError) as error:
        parser.error(f"{options.results}: {error}")
    except (KeyError, TypeError):
        parser.error(f"{options.results}: not results of bench/bench.py")
    if not panels:
        parser.error(f"{options.results}: holds no times")
    try:
        plot(panels, results["machine"], options.out or os.path.splitext(options.results)[0] + ".svg")
    except ImportError as error:
        parser.error(f"matplotlib is needed: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
