# SPDX-License-Identifier: Apache-2.0
"""The measurements of measure.py on several GPUs of one host at once: a process each, that takes every so manieth
workload. What is compared with each other is measured by one process, on one GPU."""

import multiprocessing
import os
from queue import Empty

PATIENCE = 5  # seconds without news after which to look whether all processes still live


def visible(gpu):
    """What CUDA calls the GPU of that index, given what the environment shows of them."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    return shown.split(",")[gpu] if shown else str(gpu)


def work(gpu, library, workloads, with_peers, peer_files, queue):
    """Puts (machine, record) for each workload, then None; or the exception that ended it."""
    os.environ["CUDA_VISIBLE_DEVICES"] = visible(gpu)
    from library import Library  # only now: what they import looks for its GPU
    from measure import measure

    try:
        for results in measure(Library(library), workloads, with_peers, peer_files):
            queue.put((results["machine"], results["workloads"][-1]))
        queue.put(None)
    except Exception as error:
        queue.put(error)


def measure_on(gpus, library, workloads, with_peers, peer_files):
    """As measure() on the first `gpus` GPUs; `library` is the file's path. Raises what a process raised, when the
    others have been stopped."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [
        context.Process(target=work, args=(gpu, library, workloads[gpu::gpus], with_peers, peer_files, queue))
        for gpu in range(gpus)
    ]
    for process in processes:
        process.start()
    try:
        yield from gathered(queue, processes, [workload.name for workload in workloads])
    finally:
        for process in processes:
            process.terminate()
            process.join()


def raise_if_dead(processes):
    for process in processes:
        if process.exitcode:
            raise RuntimeError(f"a process that measured ended with status {process.exitcode}")


def gathered(queue, processes, names):
    """The results so far, in the order of `names`, after each record."""
    records = {}
    running = len(processes)
    while running:
        try:
            message = queue.get(timeout=PATIENCE)
        except Empty:
            raise_if_dead(processes)
            continue
        if isinstance(message, Exception):
            raise message
        if message is None:
            running -= 1
            continue
        machine, record = message
        records[record["name"]] = record
        ordered = [records[name] for name in names if name in records]
        yield {"machine": {**machine, "gpus": len(processes)}, "workloads": ordered}
