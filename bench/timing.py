# SPDX-License-Identifier: Apache-2.0
"""How long calls take on the GPU: medians of CUDA-event times, in milliseconds, from memory and not from L2.

A caller gives several functions that do the same work on tensors of their own, and they take turns, so that
together they touch several times what L2 holds. What they return is kept until their next turn: a function that
allocates its result then gets another piece of memory each time as well.
"""

import math
import statistics

import torch

WARM_UP = 25
REPEATS = 100
TIMES_L2 = 4  # what the tensors of all turns together must exceed


def turns_needed(bytes_per_call, l2_bytes):
    """How many sets of tensors have to take turns."""
    return max(1, math.ceil(TIMES_L2 * l2_bytes / bytes_per_call))


def timed(call, repeats):
    """The milliseconds between events around each of `repeats` calls call(index), enqueued without waiting between
    them: the GPU never waits for the host unless launching a call takes the host longer than running it the GPU."""
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(repeats)]
    for index, (start, stop) in enumerate(events):
        start.record()
        call(index)
        stop.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(stop) for start, stop in events]


def event_ms(calls):
    """The median time of a single call."""
    kept = [call() for call in calls]

    def call(index):
        turn = index % len(calls)
        kept[turn] = calls[turn]()

    timed(call, WARM_UP)
    return statistics.median(timed(call, REPEATS))


def captured(calls):
    """A CUDA graph of one turn of every call, and the results that a replay fills. Each call has run before."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = [call() for call in calls]
    return graph, results


def graph_ms(graph, calls):
    """The median time of a replay, divided by the number of calls in the graph."""
    timed(lambda _: graph.replay(), WARM_UP)
    return statistics.median(timed(lambda _: graph.replay(), REPEATS)) / calls
