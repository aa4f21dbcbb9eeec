# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests: where they run, in which precision, and what is written down of them."""

import json
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[2] / "bench"))  # for the bounds of workloads.py


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="where tensors are: cpu, cuda or cuda:1; default: cpu")
    parser.addoption("--record", metavar="FILE", help="write what came of each test to this file, as JSON")


def pytest_configure(config):
    device = config.getoption("--device")
    if device != "cpu":
        torch.set_default_device(device)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    if config.getoption("--record"):
        config.pluginmanager.register(Record(Path(config.getoption("--record"))))


class Record:
    """Each test's outcome and time, what it measured (record_property), and why it failed or was skipped."""

    def __init__(self, path):
        self.path, self.tests = path, []

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.passed:
            return
        test = {"name": report.nodeid, "outcome": report.outcome, "seconds": round(report.duration, 3)}
        self.tests.append({**test, **dict(report.user_properties), **words(report)})
        self.path.write_text(json.dumps(self.tests, indent=2) + "\n", encoding="utf-8")


def words(report):
    """Why a test did not pass, in a line."""
    if report.passed:
        return {}
    if report.skipped:
        return {"why": report.longrepr[2]}
    crash = getattr(report.longrepr, "reprcrash", None)
    return {"why": (crash.message if crash else str(report.longrepr))[:400]}
