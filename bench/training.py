# SPDX-License-Identifier: Apache-2.0
"""Times a step of training, forward and backward, with the Python package on one GPU: the seed workload's operator
beside PyTorch eager and torch.compile.

    pip install .
    python3 bench/training.py --json bench/results/h200-training.json

A step gives x and every parameter a gradient. Each contender's gradients are checked against fp64 before it is timed.
Times are medians of CUDA-event times. On the CPU, with `--device cpu --n 2 --size 32`, it shows that it works, no more.

Exit status: 0 done, 1 a contender of the library failed or is out of bounds, 2 bad arguments or no GPU.
"""

import argparse
import copy
import dataclasses
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import table
import torch
from chain import Model
from convsmith.torch import FusedConvGroupNorm
from peers import DEFAULT, LAYOUTS, allow_tf32
from record import machine, write_json
from timing import event_ms
from workloads import PRECISIONS, WORKLOADS

SAMPLES = 8  # whose gradients are computed in fp64 at a time
LIMITS = {("f32", "fp32"): 1e-3, ("f32", "tf32"): 1e-2, ("f16", "fp32"): 1e-2, ("bf16", "fp32"): 1e-1}
LEGEND = """max error: the greatest error of a gradient against fp64, relative in the norm."""


# ---- Contenders ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contender:
    """Something to measure: `build(model, math)` is a module with a model's parameters."""

    name: str
    kind: str  # "library" or "peer"
    layout: str
    build: Callable


def plain(model, math):
    return copy.deepcopy(model)


def fused(model, math):
    weight = model.conv.weight
    c_out, c_in, kernel, _ = weight.shape
    channel = (c_out, 1, 1)
    module = FusedConvGroupNorm(c_in, c_out, kernel, model.groups, channel, channel, math=math)
    module.load_state_dict(model.state())
    return module.to(weight.device, weight.dtype)


def compiled(build):
    def build_compiled(model, math):
        torch.compiler.reset()
        return torch.compile(build(model, math), fullgraph=True)

    return build_compiled


CONTENDERS = [
    Contender("convsmith", "library", "NCHW", fused),
    Contender(f"convsmith, torch.compile {DEFAULT}", "library", "NCHW", compiled(fused)),
] + [
    Contender(f"{name} {layout}", "peer", layout, build)
    for layout in LAYOUTS
    for name, build in (("torch eager", plain), (f"torch.compile {DEFAULT}", compiled(plain)))
]


# ---- Measuring -------------------------------------------------------------------------------------------------------


def gradients(module, x, ascent):
    """Those of x and of the parameters, by their sizes: a contender's parameters have names and shapes of its own."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(module(leaf), [leaf, *by_role(module)], ascent)


def by_role(module):
    """The parameters in one order, whatever a contender calls them."""
    parameters = {name.removeprefix("_orig_mod.").replace(".", "_"): p for name, p in module.named_parameters()}
    return [parameters[name] for name in sorted(parameters)]


class Case:
    """A workload's tensors in one precision, and the exact gradients."""

    def __init__(self, workload, precision, device):
        torch.manual_seed(21)
        self.precision, dtype = precision, getattr(torch, precision.torch_dtype)
        self.model = Model(workload).to(device, dtype)
        self.x = torch.randn(workload.x_shape, device=device).to(dtype)
        self.ascent = torch.randn(workload.y_shape, device=device).to(dtype)
        self.exact = self.exact_gradients()

    def exact_gradients(self):
        model, found = copy.deepcopy(self.model).double(), []
        for x, ascent in zip(self.x.split(SAMPLES), self.ascent.split(SAMPLES)):
            found.append(gradients(model, x.double(), ascent.double()))
        of_x, *of_parameters = zip(*found)
        return [torch.cat(of_x), *(sum(parts) for parts in of_parameters)]

    def error(self, got):
        """The greatest error of a gradient, in the norm, relative."""
        return max(
            ((one.double().flatten() - other.flatten()).norm() / other.norm()).item()
            for one, other in zip(got, self.exact, strict=True)
        )


def wall_ms(call, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def ms_of(call, device):
    return event_ms([call]) if device == "cuda" else wall_ms(call)


def kept_mib(module, x):
    """What is allocated after forward, y included, until backward is done; None on the CPU."""
    if not x.is_cuda:
        return None
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    y = module(x)
    kept = (torch.cuda.memory_allocated() - before) / 2**20
    del y
    return round(kept, 1)


def timed(contender, case, device):
    """A contender's figures."""
    precision, form = case.precision, LAYOUTS[contender.layout]
    allow_tf32(precision.allow_tf32)
    module = contender.build(case.model, precision.math).to(memory_format=form)
    x, ascent = (tensor.contiguous(memory_format=form) for tensor in (case.x, case.ascent))
    error = case.error(gradients(module, x, ascent))
    judgement = {"max_error": error, "within_bounds": error <= LIMITS[precision.dtype, precision.math]}
    leaf = x.detach().requires_grad_()

    def step():
        leaf.grad = None
        module.zero_grad(set_to_none=True)
        module(leaf).backward(ascent)

    return {"timing": "step", "ms": ms_of(step, device), "kept_mib": kept_mib(module, leaf), **judgement}


def row_of(contender, case, device):
    """A contender's row. One that fails has a row that says so, and the run goes on."""
    precision = case.precision
    row = {"name": contender.name, "kind": contender.kind, "dtype": precision.dtype, "math": precision.math}
    try:
        row.update(timed(contender, case, device))
    except Exception as error:
        traceback.print_exc()
        row.update({"failed": str(error).partition("\n")[0] or type(error).__name__, "within_bounds": False})
    result = row.get("failed") or f"{row['ms']:.4f} ms, {row['kept_mib']} MiB kept for backward"
    print(f"{row['name']}, {row['dtype']} {row['math']}: {result}", file=sys.stderr, flush=True)
    return row


def measure(workload, device):
    """The machine and the workload's record so far, after each contender."""
    torch.backends.cudnn.benchmark = True  # cuDNN's fastest, found before anything is timed
    record = {"name": workload.name, "what": workload.what, "chain": workload.chain, "turns": {}, "rows": []}
    for precision in PRECISIONS:
        record["turns"][precision.dtype] = 1
        case = Case(workload, precision, device)
        for contender in CONTENDERS:
            record["rows"].append(row_of(contender, case, device))
            if device == "cuda":
                torch.cuda.empty_cache()
            yield {"machine": machine(), "workloads": [record]}


# ---- The command line ------------------------------------------------------------------------------------------------


def arguments(argv):
    seed = WORKLOADS["seed"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: cuda")
    parser.add_argument("--n", type=int, default=seed.n, metavar="N", help=f"samples; default: {seed.n}")
    parser.add_argument("--size", type=int, default=seed.size, metavar="PIXELS", help=f"of x; default: {seed.size}")
    parser.add_argument("--json", metavar="FILE", help="write the results to this file, anew after each contender")
    options = parser.parse_args(argv)
    if options.n < 1 or options.size < seed.kernel:
        parser.error(f"--n is 1 or more, --size {seed.kernel} or more")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch sees no CUDA device; --device cpu tries it on the CPU")
    return options, dataclasses.replace(seed, n=options.n, size=options.size)


def main(argv=None):
    options, workload = arguments(argv)
    for results in measure(workload, options.device):
        if options.json:
            write_json(options.json, results)
    print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    (record,) = results["workloads"]
    print("", table.table(record), "", LEGEND, sep="\n")
    return 0 if all(row["within_bounds"] for row in record["rows"] if row["kind"] == "library") else 1


if __name__ == "__main__":
    sys.exit(main())
