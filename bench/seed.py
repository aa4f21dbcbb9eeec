# SPDX-License-Identifier: Apache-2.0
"""Times the seed workload on one GPU: this library beside PyTorch, in one run.

    python3 bench/seed.py --library build/dev/src/libconvsmith.so --json bench/results/h200.json

Every result is checked against fp64 before it is timed. Times are medians of CUDA-event times of single calls, after a
warm-up; inputs and outputs are several times larger than L2.
"""

import argparse
import datetime
import json
import statistics
import subprocess
import sys

import torch
from library import Library

N, C_IN, C_OUT, SIZE, KERNEL, GROUPS = 128, 8, 32, 256, 3, 8
TOLERANCE = {"fp32": (1e-4, 1e-4), "tf32": (5e-3, 5e-3)}  # absolute, relative


class Model(torch.nn.Module):
    """GroupNorm(sigmoid((conv2d(x) + bias) * scale)), KernelBench level 2 problem 21."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(C_IN, C_OUT, KERNEL)
        self.bias = torch.nn.Parameter(torch.randn(C_OUT, 1, 1))
        self.scale = torch.nn.Parameter(torch.randn(C_OUT, 1, 1))
        self.group_norm = torch.nn.GroupNorm(GROUPS, C_OUT)

    def forward(self, x):
        return self.group_norm(torch.sigmoid((self.conv(x) + self.bias) * self.scale))


def allow_tf32(allowed):
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def contenders(model, x, library):
    """(name, math, function of x) of everything that is timed."""
    for math in TOLERANCE:
        run = library.operator(model, x, GROUPS, math)
        yield f"convsmith {run.kernel}", math, run
    for math in TOLERANCE:

        def eager(x, math=math):
            allow_tf32(math == "tf32")
            return model(x)

        yield "torch eager", math, eager
    for mode in ("default", "max-autotune-no-cudagraphs"):
        for layout, form in (("NCHW", torch.contiguous_format), ("channels_last", torch.channels_last)):
            allow_tf32(True)
            torch._dynamo.reset()
            compiled = torch.compile(model.to(memory_format=form), mode=mode)
            laid_out = x.contiguous(memory_format=form)
            yield f"torch.compile {mode} {layout}", "tf32", lambda _, c=compiled, i=laid_out: c(i)
            model.to(memory_format=torch.contiguous_format)


def reference(model, x):
    """y in fp64, a sample at a time."""
    exact = Model().to(x.device, torch.float64)
    exact.load_state_dict(model.state_dict())
    return torch.cat([exact(sample.double()).float() for sample in x.split(8)])


def worst_excess(y, exact, math):
    """The greatest error, and whether every element is within the tolerance."""
    absolute, relative = TOLERANCE[math]
    error = (y - exact).abs()
    return error.max().item(), bool((error <= absolute + relative * exact.abs()).all())


def median_ms(run, x, repeats=50, warm_up=10):
    for _ in range(warm_up):
        run(x)
    times = []
    for _ in range(repeats):
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run(x)
        stop.record()
        stop.synchronize()
        times.append(start.elapsed_time(stop))
    return statistics.median(times)


def machine():
    query = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=True
    )
    return {
        "device": torch.cuda.get_device_name(),
        "driver": query.stdout.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "date": datetime.date.today().isoformat(),
    }


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True, help="path of libconvsmith.so")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("bench/seed.py: error: PyTorch sees no CUDA device; this benchmark needs one")

    torch.manual_seed(21)
    model = Model().cuda()
    x = torch.randn(N, C_IN, SIZE, SIZE, device="cuda")
    exact = reference(model, x)
    rows, failed = [], False
    for name, math, run in contenders(model, x, Library(options.library)):
        error, passed = worst_excess(run(x), exact, math)
        row = {"name": name, "math": math, "max_error": error, "within_bounds": passed}
        row["ms"] = median_ms(run, x)
        failed = failed or (not passed and name.startswith("convsmith"))
        rows.append(row)
        print(f"{name:70s} {math}  {row['ms']:8.3f} ms  error {error:.2e}{'' if passed else '  OUT OF BOUNDS'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            workload = f"N={N}, {C_IN}x{SIZE}x{SIZE} -> {C_OUT}, K={KERNEL}, {GROUPS} groups"
            json.dump({**machine(), "workload": workload, "rows": rows}, file, indent=2)
            file.write("\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
