# SPDX-License-Identifier: Apache-2.0
"""The results as text, and the two ratios: to the streaming floor, and to the best peer."""

import math

from workloads import looseness

COLUMNS = ("what", "dtype", "math", "timing", "ms", "x floor", "speed-up", "max error", "")
LEGEND = """x floor: time by the streaming floor's (the least of its rows for the dtype).
speed-up: the time of the best peer of the same dtype, the same or looser math and the same timing, by this time.
event per call: events around single calls; for a small workload they include the host's work of launching.
graph of n calls: replays of a CUDA graph of n calls on tensors that take turns, by n."""


def floor_ms(rows, dtype):
    """The floor's time for a dtype in milliseconds, or None where it was not measured."""
    times = [row["ms"] for row in rows if row["kind"] == "floor" and row["dtype"] == dtype and "ms" in row]
    return min(times, default=None)


def best_peer_ms(rows, row):
    """The least time of the peers that `row` is to be compared with, in milliseconds, or None."""
    times = [
        peer["ms"]
        for peer in rows
        if peer["kind"] == "peer"
        and "ms" in peer
        and (peer["dtype"], peer["timing"]) == (row["dtype"], row["timing"])
        and looseness(peer["dtype"], peer["math"]) >= looseness(row["dtype"], row["math"])
    ]
    return min(times, default=None)


def remark(row):
    if row["within_bounds"]:
        return ""
    return f"FAILED: {row['failed']}" if "failed" in row else "OUT OF BOUNDS"


def cells(rows, row):
    """The texts of one row, by COLUMNS."""
    if "failed" in row:
        return (row["name"], row["dtype"], row["math"], "", "", "", "", "", remark(row))
    floor = floor_ms(rows, row["dtype"])
    times_floor = f"{row['ms'] / floor:.2f}" if floor else ""
    error, speed_up = "", ""
    if row["kind"] in ("library", "peer"):
        best = best_peer_ms(rows, row)
        speed_up = f"{best / row['ms']:.2f}" if best else ""
        error = "not finite" if row["max_error"] is None else f"{row['max_error']:.1e}"
    ms = f"{row['ms']:.4f}"
    return (row["name"], row["dtype"], row["math"], row["timing"], ms, times_floor, speed_up, error, remark(row))


def aligned(lines, numeric):
    """Lines of cells as text; the columns in `numeric` to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(
            text.rjust(width) if column in numeric else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def table(record):
    """The table of one workload's record, ready to print."""
    lines = [COLUMNS] + [cells(record["rows"], row) for row in record["rows"]]
    numeric = {COLUMNS.index(name) for name in ("ms", "x floor", "speed-up", "max error")}
    turns = ", ".join(f"{dtype}: {count}" for dtype, count in record["turns"].items())
    title = f"{record['name']}: {record['what']} (sets of tensors that take turns: {turns})"
    return "\n".join([title, *aligned(lines, numeric)])


# ---- The sweep

SWEEP_COLUMNS = ("row", "what", "dtype", "math", "kernel", "ms", "x floor", "convolution", "speed-up", "best peer", "")
SWEEP_LEGEND = """x floor: time by the streaming floor's. convolution: the time of cuDNN's fastest convolution alone,
by this time. speed-up: the time of the best peer of the same dtype and math, by this time."""


def sweep_line(workload, record):
    """The cells of a row of the sweep, and its speed-up or None."""
    rows = record["rows"]
    own = next(row for row in rows if row["kind"] == "library")
    kernel = own["name"].removeprefix("convsmith ")
    start = (workload.name, record["what"], own["dtype"], own["math"], kernel)
    if "failed" in own:
        return (*start, "", "", "", "", "", remark(own)), None
    peers = [row for row in rows if row["kind"] == "peer" and "ms" in row and row["timing"] == own["timing"]]
    best = min(peers, key=lambda row: row["ms"], default=None)
    convolutions = [row["ms"] for row in rows if row["kind"] == "convolution" and "ms" in row]
    speed_up = best["ms"] / own["ms"] if best else None
    floor = floor_ms(rows, own["dtype"])
    figures = (
        f"{own['ms']:.4f}",
        f"{own['ms'] / floor:.2f}" if floor else "",
        f"{min(convolutions) / own['ms']:.2f}" if convolutions else "",
        f"{speed_up:.2f}" if speed_up else "",
        f"{best['name']} {best['ms']:.4f}" if best else "",
        remark(own),
    )
    return (*start, *figures), speed_up


def sweep(workloads, records):
    """The sweep's table, and what it comes to."""
    pairs = [sweep_line(*pair) for pair in zip(workloads, records, strict=True)]
    numeric = {SWEEP_COLUMNS.index(name) for name in ("ms", "x floor", "convolution", "speed-up")}
    lines = aligned([SWEEP_COLUMNS] + [line for line, _ in pairs], numeric)
    speed_ups = [speed_up for _, speed_up in pairs if speed_up]
    if speed_ups:
        mean = math.exp(sum(map(math.log, speed_ups)) / len(speed_ups))
        lines += ["", f"speed-ups of {len(speed_ups)} rows: least {min(speed_ups):.2f}, geometric mean {mean:.2f}"]
    return "\n".join([*lines, "", SWEEP_LEGEND])
