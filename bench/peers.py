# SPDX-License-Identifier: Apache-2.0
"""What the library is compared with: PyTorch, eager and compiled, and modules from files."""

import copy
import functools
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from workloads import OPERATOR, Precision, precisions_of

LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
DEFAULT, AUTOTUNED = "default", "max-autotune-no-cudagraphs"


@dataclass(frozen=True)
class Contender:
    """Something to measure. `build(model, xs)` gives one function for each x, which computes and returns its y."""

    name: str
    kind: str  # "library", "peer" or "convolution"
    precision: Precision
    build: Callable

    def compare(self, case, y):
        """The greatest error, and whether all are within bounds; a convolution alone has nothing to compare with."""
        return (0.0, True) if self.kind == "convolution" else case.compare(y, self.precision.bound(self.kind))


def allow_tf32(allowed):
    """Sets for the whole process whether PyTorch may use TF32."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def calls_of(module, xs):
    return [functools.partial(module, x) for x in xs]


def eager(form, model, xs):
    module = copy.deepcopy(model).to(memory_format=form)
    return calls_of(module, [x.contiguous(memory_format=form) for x in xs])


def convolution(form, model, xs):
    """The convolution alone, with its bias: cuDNN's, the fastest that it finds."""
    return eager(form, model.conv, xs)


def compiled(mode, form, model, xs):
    """torch.compile's; it compiles at the first call. Its own CUDA graphs stay off, since they would copy every x to a
    fixed place first; where graphs matter, its calls are captured like everyone's."""
    torch.compiler.reset()
    module = torch.compile(copy.deepcopy(model).to(memory_format=form), mode=mode)
    return calls_of(module, [x.contiguous(memory_format=form) for x in xs])


def from_file(path, workload, model, xs):
    """The class ModelNew(in, out, kernel, groups, bias shape, scale shape) of a file, with the model's parameters."""
    spec = importlib.util.spec_from_file_location("convsmith_peer_" + os.path.basename(path).split(".")[0], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    channel = (workload.c_out, 1, 1)
    peer = module.ModelNew(workload.c_in, workload.c_out, workload.kernel, workload.groups, channel, channel)
    peer.load_state_dict(model.state())
    return calls_of(peer.to(xs[0].device, xs[0].dtype), xs)


def peers(workload, dtype, files):
    """The peers for a dtype: of a workload that names its precision, at that alone. The autotuned ones, slow to
    compile, and the files' run at the loosest precision alone; those of files with float32 tensors, for the operator
    they know."""
    precisions = [p for p in precisions_of(dtype) if workload.precision in (None, (p.dtype, p.math))]
    loosest = precisions[-1]
    contenders = []
    for layout, form in LAYOUTS.items():
        for precision in precisions:
            contenders += [
                Contender(f"convolution {layout}", "convolution", precision, functools.partial(convolution, form)),
                Contender(f"torch eager {layout}", "peer", precision, functools.partial(eager, form)),
                Contender(
                    f"torch.compile {DEFAULT} {layout}", "peer", precision, functools.partial(compiled, DEFAULT, form)
                ),
            ]
        build = functools.partial(compiled, AUTOTUNED, form)
        contenders.append(Contender(f"torch.compile {AUTOTUNED} {layout}", "peer", loosest, build))
    return contenders + [
        Contender(os.path.basename(path), "peer", loosest, functools.partial(from_file, path, workload))
        for path in (files if dtype == "f32" and workload.chain == OPERATOR else [])
    ]
