# SPDX-License-Identifier: Apache-2.0
"""What a run writes down: the machine that its figures belong to, and the file."""

import datetime
import importlib.metadata
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import torch

HEADER = Path(__file__).parent.parent / "include" / "convsmith" / "convsmith.h"


def machine():
    """The GPU, if there is one, and the versions of all that takes part."""
    versions = re.findall(r"define CONVSMITH_VERSION_\w+ (\d+)", HEADER.read_text(encoding="utf-8"))
    return {
        **(gpu() if torch.cuda.is_available() else {}),
        "torch": torch.__version__,
        **({"triton": importlib.metadata.version("triton")} if torch.cuda.is_available() else {}),
        "cuda": torch.version.cuda,
        "library": ".".join(versions),
        "date": datetime.date.today().isoformat(),
    }


def gpu():
    query = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {"gpu": torch.cuda.get_device_name(), "driver": query.stdout.split()[0]}


def write_json(path, results):
    """Writes the results whole or not at all."""
    folder = os.path.dirname(path) or "."
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
        try:
            json.dump(results, file, indent=2, allow_nan=False)
            file.write("\n")
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
