# SPDX-License-Identifier: Apache-2.0
"""The operator in PyTorch, and everything the library is compared with: eager, torch.compile and modules from files."""

import copy
import functools
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch
from workloads import Precision, precisions_of

LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}
DEFAULT, AUTOTUNED = "default", "max-autotune-no-cudagraphs"


class Model(torch.nn.Module):
    """GroupNorm(sigmoid((conv2d(x) + bias) * scale)), KernelBench level 2 problem 21."""

    def __init__(self, workload):
        super().__init__()
        self.conv = torch.nn.Conv2d(workload.c_in, workload.c_out, workload.kernel)
        self.bias = torch.nn.Parameter(torch.randn(workload.c_out, 1, 1))
        self.scale = torch.nn.Parameter(torch.randn(workload.c_out, 1, 1))
        self.group_norm = torch.nn.GroupNorm(workload.groups, workload.c_out)
        torch.nn.init.uniform_(self.group_norm.weight, 0.75, 1.25)
        torch.nn.init.normal_(self.group_norm.bias)

    def forward(self, x):
        return self.group_norm(torch.sigmoid((self.conv(x) + self.bias) * self.scale))


@dataclass(frozen=True)
class Contender:
    """Something to measure. `build(model, xs)` gives one function for each x, which computes and returns its y."""

    name: str
    kind: str  # "library" or "peer"
    precision: Precision
    build: Callable


def allow_tf32(allowed):
    """Sets for the whole process whether PyTorch may use TF32."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def calls_of(module, xs):
    return [functools.partial(module, x) for x in xs]


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
    peer.load_state_dict(model.state_dict())
    return calls_of(peer.to(xs[0].device, xs[0].dtype), xs)


def peers(workload, dtype, files):
    """The peers for a dtype. The autotuned ones, slow to compile, and the files' run at its loosest precision alone;
    those of files with float32 tensors alone."""
    precisions = precisions_of(dtype)
    loosest = precisions[-1]
    contenders = [Contender("torch eager", "peer", precision, calls_of) for precision in precisions]
    for mode, used in ((DEFAULT, precisions), (AUTOTUNED, [loosest])):
        contenders += [
            Contender(f"torch.compile {mode} {layout}", "peer", precision, functools.partial(compiled, mode, form))
            for precision in used
            for layout, form in LAYOUTS.items()
        ]
    return contenders + [
        Contender(os.path.basename(path), "peer", loosest, functools.partial(from_file, path, workload))
        for path in (files if dtype == "f32" else [])
    ]
