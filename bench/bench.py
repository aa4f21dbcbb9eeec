# SPDX-License-Identifier: Apache-2.0
"""Times the operator on one GPU: this library beside a streaming floor, PyTorch and other peers, all in one run.

    python3 bench/bench.py --library build/release/src/libconvsmith.so --json bench/results/h200.json

Every result is checked against fp64 before it is timed. Times are medians of CUDA-event times after a warm-up, and what
one call touches has left L2 before its next turn. Needs PyTorch with CUDA, and Triton, which comes with it.

Exit status: 0 done, 1 a kernel of the library failed or is out of bounds, 2 bad arguments or no GPU, 3 the library has
no kernel for the workload.
"""

import argparse
import fnmatch
import os
import sys

import table
from library import Library
from sweep import SWEEP
from workloads import WORKLOADS


def chosen_workloads(parser, options):
    """What the options ask to measure, each once."""
    if not options.sweep:
        if options.row:
            parser.error("--row is for --sweep")
        return [WORKLOADS[name] for name in dict.fromkeys(options.workload or WORKLOADS)]
    if options.workload:
        parser.error("--sweep and --workload exclude each other")
    rows = [row for row in SWEEP if any(fnmatch.fnmatchcase(row.name, glob) for glob in options.row or ["*"])]
    if not rows:
        parser.error(f"--row: no row of the sweep has such a name; they are {', '.join(row.name for row in SWEEP)}")
    return rows


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, metavar="FILE", help="libconvsmith.so, built with CUDA")
    parser.add_argument(
        "--workload", action="append", choices=WORKLOADS, help="what to measure; may be repeated; default: all"
    )
    parser.add_argument(
        "--sweep", action="store_true", help="measure the rows of bench/sweep.py in place of the workloads"
    )
    parser.add_argument(
        "--row", action="append", metavar="GLOB", help="with --sweep: the rows of these names alone; may be repeated"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file with class ModelNew(in, out, kernel, groups, bias_shape, scale_shape) and parameters "
        "conv.weight, conv.bias, bias, scale, group_norm.weight, group_norm.bias; measured with float32 tensors alone "
        "and held to the bounds of the loosest math; may be repeated",
    )
    parser.add_argument(
        "--gpus", type=int, default=1, metavar="N", help="spread what is measured over the first N GPUs; default: 1"
    )
    parser.add_argument("--no-peers", action="store_true", help="measure the floor and the library alone")
    json_help = "write the results to this file, for bench/plot.py; anew after each workload"
    parser.add_argument("--json", metavar="FILE", help=json_help)
    options = parser.parse_args(argv)
    if options.gpus < 1:
        parser.error(f"--gpus {options.gpus}: must be 1 or more")
    if options.no_peers and options.peer:
        parser.error("--no-peers and --peer exclude each other")
    for path in (options.library, *options.peer):
        if not os.path.isfile(path):
            parser.error(f"{path}: no such file")
    if options.json and not os.path.isdir(os.path.dirname(options.json) or "."):
        parser.error(f"--json {options.json}: its folder does not exist")
    if options.json and os.path.isdir(options.json):
        parser.error(f"--json {options.json}: is a folder; a file is needed")
    options.library = os.path.abspath(options.library)
    try:
        options.loaded = Library(options.library)
    except ImportError as error:
        parser.error(f"--library: {error}")
    options.workloads = chosen_workloads(parser, options)
    return parser, options


def main(argv=None):
    parser, options = arguments(argv)
    try:
        import torch  # only now, so that help and wrong arguments need no PyTorch
        from measure import NothingToMeasure, measure
        from record import write_json
        from spread import measure_on
    except ImportError as error:
        parser.error(f"PyTorch with Triton is needed: {error}")
    if not torch.cuda.is_available():
        parser.error("PyTorch sees no CUDA device; this benchmark needs one")
    if options.gpus > torch.cuda.device_count():
        parser.error(f"--gpus {options.gpus}: PyTorch sees {torch.cuda.device_count()}")

    what = (options.workloads, not options.no_peers, options.peer)
    if options.gpus > 1:
        results_so_far = measure_on(options.gpus, options.library, *what)
    else:
        results_so_far = measure(options.loaded, *what)
    try:
        for results in results_so_far:
            if options.json:
                write_json(options.json, results)
    except NothingToMeasure as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 3
    print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    if options.sweep:
        print("", table.sweep(options.workloads, results["workloads"]), sep="\n")
    else:
        for record in results["workloads"]:
            print("", table.table(record), sep="\n")
        print("", table.LEGEND, sep="\n")
    own = [row for record in results["workloads"] for row in record["rows"] if row["kind"] in ("floor", "library")]
    return 0 if all(row["within_bounds"] for row in own) else 1


if __name__ == "__main__":
    sys.exit(main())
