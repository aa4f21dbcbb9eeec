# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the Python package with this Python; 77, which CTest takes for skipped, where it lacks PyTorch."""

import importlib.util
import sys
from pathlib import Path

missing = [name for name in ("torch", "pytest") if importlib.util.find_spec(name) is None]
if missing:
    print(f"skipped: {sys.executable} has no {' and no '.join(missing)}; `./dev python` makes an environment that has")
    sys.exit(77)

import pytest  # noqa: E402

here = Path(__file__).parent
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(here), *sys.argv[1:]]))
