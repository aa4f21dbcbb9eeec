# SPDX-License-Identifier: Apache-2.0
"""Trains FusedConvGroupNorm by DistributedDataParallel; for torchrun, which test_distributed.py calls.

    torchrun --standalone --nproc-per-node 2 tests/python/distributed.py cuda FOLDER

Each process has its share of every batch, and trains the model in eager mode on whole batches besides; it writes how
far apart the parameters are to FOLDER/RANK.json. Where there are fewer GPUs than processes, they share one, by Gloo.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from convsmith.torch import FusedConvGroupNorm
from problems import SEED, Model
from torch.nn.parallel import DistributedDataParallel

STEPS, SAMPLES = 5, 4  # samples of a process in each step


def batch(step, processes):
    numbers = torch.Generator().manual_seed(step)
    return torch.randn(SAMPLES * processes, SEED[0], 24, 26, generator=numbers)


def train(module, batches):
    """Mean squares are means over samples: those of the processes, averaged, are those of whole batches."""
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    for x in batches:
        optimiser.zero_grad()
        (module(x) - 1).square().mean().backward()
        optimiser.step()


def made(kind, device):
    torch.manual_seed(0)
    return kind(*SEED).to(device)


def parameters_of(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).cpu()


def main(kind, folder):
    rank, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    own = kind == "cuda" and torch.cuda.device_count() >= processes
    device = torch.device(kind, rank if own else 0)
    torch.backends.cudnn.allow_tf32 = False
    if kind == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if own else "gloo")
    batches = [batch(step, processes).to(device) for step in range(STEPS)]

    module = DistributedDataParallel(made(FusedConvGroupNorm, device))
    train(module, [x.tensor_split(processes)[rank] for x in batches])
    model = made(Model, device)
    before = parameters_of(model)
    train(model, batches)
    trained, expected = parameters_of(module), parameters_of(model)
    record = {
        "processes": processes,
        "backend": dist.get_backend(),
        "GPUs": (processes if own else 1) if kind == "cuda" else 0,
        "parameters": hashlib.sha256(trained.numpy().tobytes()).hexdigest(),
        "greatest change": (expected - before).abs().max().item(),
        "greatest difference from eager": (trained - expected).abs().max().item(),
    }
    Path(folder, f"{rank}.json").write_text(json.dumps(record), encoding="utf-8")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
