# SPDX-License-Identifier: Apache-2.0
"""Training in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("distributed.py")
PROCESSES = 2


def test_processes_train_as_one_does(tmp_path, record_property):
    if not torch.distributed.is_available():
        pytest.skip("this PyTorch has no torch.distributed")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(PROCESSES)]
    done = subprocess.run(
        [*torchrun, str(SCRIPT), torch.get_default_device().type, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, *others = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(PROCESSES))
    for name, value in first.items():
        record_property(name, value)
    assert all(other["parameters"] == first["parameters"] for other in others)
    assert first["greatest change"] > 0.01 and first["greatest difference from eager"] < 1e-4
