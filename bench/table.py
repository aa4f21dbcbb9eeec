# SPDX-License-Identifier: Apache-2.0
"""The results as text, and the two ratios: to the streaming floor, and to the best peer."""

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
    if row["kind"] != "floor":
        best = best_peer_ms(rows, row)
        speed_up = f"{best / row['ms']:.2f}" if best else ""
        error = "not finite" if row["max_error"] is None else f"{row['max_error']:.1e}"
    ms = f"{row['ms']:.4f}"
    return (row["name"], row["dtype"], row["math"], row["timing"], ms, times_floor, speed_up, error, remark(row))


def table(record):
    """The table of one workload's record, ready to print."""
    lines = [COLUMNS] + [cells(record["rows"], row) for row in record["rows"]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    numeric = {COLUMNS.index(name) for name in ("ms", "x floor", "speed-up", "max error")}
    turns = ", ".join(f"{dtype}: {count}" for dtype, count in record["turns"].items())
    texts = [f"{record['name']}: {record['what']} (sets of tensors that take turns: {turns})"]
    for line in lines:
        padded = [
            text.rjust(width) if column in numeric else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(padded).rstrip())
    return "\n".join(texts)
