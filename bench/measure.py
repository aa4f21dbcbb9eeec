# SPDX-License-Identifier: Apache-2.0
"""One run on one machine: every contender is checked against fp64, then timed. The results are plain dictionaries."""

import functools
import math
import sys
import traceback

import torch
from chain import KINDS, Model
from floor import floor_calls, is_streamed
from library import CUDA, DTYPES, MATHS, Args, Device, offers, plan_of
from peers import LAYOUTS, Contender, allow_tf32, peers
from record import machine
from timing import captured, event_ms, graph_ms, turns_needed
from workloads import PRECISIONS

SAMPLES = 8  # what is computed in fp64 and compared at a time


class NothingToMeasure(Exception):
    """The library has nothing for a workload on this GPU, or something whose bounds are not known here."""


class Case:
    """The tensors of a workload in one dtype: a model, its x once for every turn (equal values), and the exact y."""

    def __init__(self, workload, torch_dtype):
        torch.manual_seed(21)
        self.model = Model(workload).to("cuda", torch_dtype)
        x = torch.randn(workload.x_shape, device="cuda").to(torch_dtype, memory_format=LAYOUTS[workload.layout])
        exact_model = Model(workload).to("cuda", torch.float64)
        exact_model.load_state_dict(self.model.state_dict())
        self.exact = torch.cat([exact_model(samples.double()) for samples in x.split(SAMPLES)])
        elements = math.prod(workload.x_shape) + math.prod(workload.y_shape)
        l2_bytes = torch.cuda.get_device_properties(x.device).L2_cache_size
        turns = turns_needed(elements * x.element_size(), l2_bytes)
        self.xs = [x] + [x.clone() for _ in range(turns - 1)]

    def flat(self):
        """The xs as they lie in memory."""
        return [x.as_strided((x.numel(),), (1,)) for x in self.xs]

    def compare(self, y, bound):
        """The greatest error of y against fp64, and whether every element is within the bound."""
        greatest, within = 0.0, y.shape == self.exact.shape
        for got, exact in zip(y.split(SAMPLES), self.exact.split(SAMPLES), strict=True):
            error = (got.double() - exact).abs()
            greatest = max(greatest, torch.nan_to_num(error, nan=math.inf).max().item())
            within = within and bool((error <= bound.absolute + bound.relative * exact.abs()).all())
        return greatest, within


def strides_of(shape, layout):
    """The strides of a tensor of that shape and layout, in elements."""
    return torch.empty(shape, device="meta").contiguous(memory_format=LAYOUTS[layout]).stride()


def numbers_of(library, workload, device):
    """The precisions to measure, each with the library's numbers for it."""
    known = {(precision.dtype, precision.math): precision for precision in PRECISIONS}
    if workload.precision:
        precision = known[workload.precision]
        return [(precision, (DTYPES.index(precision.dtype), MATHS.index(precision.math)))]
    offered = offers(library, workload, device)
    for names in offered:
        if names not in known:
            named = "dtype {}, math {}".format(*names)
            raise NothingToMeasure(f"the library has {named}, for which bench/workloads.py has no bounds")
    if not offered:
        shape = f"{workload.c_in}x{workload.kernel}x{workload.kernel}x{workload.c_out}"
        raise NothingToMeasure(f"the library has no kernel for {shape} that runs on {torch.cuda.get_device_name()}")
    return [(known[names], numbers) for names, numbers in offered.items()]


def library_contenders(library, workload):
    """The library's: one for each dtype and math that its table has for the workload on this GPU, or that it names."""
    device = Device(CUDA, torch.cuda.current_device())
    strides = [strides_of(shape, workload.layout) for shape in (workload.x_shape, workload.y_shape)]
    eps = torch.nn.GroupNorm(1, 1).eps
    contenders = []
    for precision, numbers in numbers_of(library, workload, device):
        plan = plan_of(library, workload, *strides, eps, *numbers, device)
        build = functools.partial(library_calls, plan, numbers[0], workload)
        contenders.append(Contender(f"convsmith {plan.kernel}", "library", precision, build))
    return contenders


def library_calls(plan, dtype, workload, model, xs):
    """A function for each x that runs the plan into a y of its own, which starts as NaN: an element left out shows."""
    parameters = {name: tensor.contiguous() for name, tensor in model.state().items()}
    device = xs[0].device
    packed = torch.empty(max(plan.packed_size, 1), dtype=torch.uint8, device=device)
    workspace = torch.empty(max(plan.workspace_size, 1), dtype=torch.uint8, device=device)
    steps = [([parameters[name].data_ptr() for name in KINDS[step].values], ()) for step, _ in model.steps]
    stream = torch.cuda.current_stream().cuda_stream
    plan.prepack(parameters["conv.weight"].data_ptr(), steps, packed.data_ptr(), stream, dtype=dtype)
    torch.cuda.synchronize()  # the parameters may go

    def bound(x):
        y = torch.full(workload.y_shape, math.nan, dtype=x.dtype, device=device)
        y = y.contiguous(memory_format=LAYOUTS[workload.layout])
        args = Args(x.data_ptr(), packed.data_ptr(), y.data_ptr())
        args.kept = (x, packed, y)  # pointers do not keep them

        def call():
            plan.run(args, workspace.data_ptr(), torch.cuda.current_stream().cuda_stream)
            return y

        return call

    return [bound(x) for x in xs]


def judged(results, compare):
    """The greatest error of several results, None when one is not finite, and whether all are within bounds."""
    judgements = [compare(result) for result in results]
    greatest = max(error for error, _ in judgements)
    return {
        "max_error": greatest if math.isfinite(greatest) else None,
        "within_bounds": all(within for _, within in judgements),
    }


def timings(calls, compare, graph):
    """Checks, then times: a dictionary for single calls and, if asked for, one for replays of a graph of them."""
    judgement = judged((call() for call in calls), compare)
    yield {"timing": "event per call", "ms": event_ms(calls), **judgement}
    if graph:
        replayed, results = captured(calls)
        for result in results:
            result.fill_(math.nan)  # what the check sees is the replay's
        replayed.replay()
        judgement = judged(results, compare)
        yield {"timing": f"graph of {len(calls)} calls", "ms": graph_ms(replayed, len(calls)), **judgement}


def rows_of(label, calls_of, compare, graph):
    """The rows of one contender. One that fails altogether has a row that says so, and the run goes on."""
    rows = []
    try:
        for timing in timings(calls_of(), compare, graph):
            rows.append({**label, **timing})
    except Exception as error:
        traceback.print_exc()
        rows.append({**label, "failed": str(error).partition("\n")[0] or type(error).__name__, "within_bounds": False})
    for row in rows:
        result = row.get("failed") or f"{row['ms']:.4f} ms, {row['timing']}"
        print(f"{row['name']}, {row['dtype']} {row['math']}: {result}", file=sys.stderr, flush=True)
    torch.cuda.empty_cache()
    return rows


def measure_dtype(workload, dtype, contenders):
    """The floor's rows, then each contender's, for one dtype; and how many sets of tensors took turns."""
    torch_dtype = getattr(torch, next(p.torch_dtype for p in PRECISIONS if p.dtype == dtype))
    case = Case(workload, torch_dtype)
    flat = case.flat()
    label = {"name": "streaming floor", "kind": "floor", "dtype": dtype, "math": ""}

    def compare_floor(y):
        return 0.0, is_streamed(flat[0], y)

    rows = rows_of(label, lambda: floor_calls(flat, workload.y_shape), compare_floor, workload.graph)
    for contender in contenders:
        precision = contender.precision
        allow_tf32(precision.allow_tf32)
        label = {"name": contender.name, "kind": contender.kind, "dtype": dtype, "math": precision.math}
        rows += rows_of(
            label,
            lambda c=contender: c.build(case.model, case.xs),
            lambda y, c=contender: c.compare(case, y),
            workload.graph,
        )
    return rows, len(case.xs)


def measure_workload(workload, own, with_peers, peer_files):
    """The record of a workload, given the library's contenders."""
    record = {"name": workload.name, "what": workload.what, "chain": workload.chain, "turns": {}, "rows": []}
    for dtype in dict.fromkeys(contender.precision.dtype for contender in own):
        contenders = [contender for contender in own if contender.precision.dtype == dtype]
        contenders += peers(workload, dtype, peer_files) if with_peers else []
        rows, record["turns"][dtype] = measure_dtype(workload, dtype, contenders)
        record["rows"] += rows
    return record


def measure(library, workloads, with_peers, peer_files):
    """The machine and a record for each workload measured so far, after each of them. Raises NothingToMeasure before
    anything has been measured."""
    torch.backends.cudnn.benchmark = True  # cuDNN's fastest, found before anything is timed
    own = [library_contenders(library, workload) for workload in workloads]
    results = {"machine": machine(), "workloads": []}
    for pair in zip(workloads, own, strict=True):
        with torch.no_grad():
            results["workloads"].append(measure_workload(*pair, with_peers, peer_files))
        yield results
