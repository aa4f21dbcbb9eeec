# SPDX-License-Identifier: Apache-2.0
"""Runs all tests of the Python package on a GPU, then bench/training.py, and writes a record of both.

    CONVSMITH_LIBRARY=build/release/src/libconvsmith.so python3 tests/python/device.py --out FOLDER

Needs PyTorch and pytest, and the library built with CUDA; the package may be installed, but need not be. The test files
run side by side, each in a process of its own, and the times are taken after them. What is not done in time is ended,
and said. FOLDER/python.json has each test's outcome and what it measured, FOLDER/training.json the times. With
`--device cpu` it shows that it works.

Exit status: 0 all passed, 1 something failed or was not done, 2 bad arguments.
"""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TRAINING = 110  # seconds that the tests leave for the times
SMALL = ["--n", "2", "--size", "32"]  # of the times on the CPU

# The checkout's package, unless one is installed.
PACKAGE = [] if importlib.util.find_spec("convsmith") else [str(ROOT / "python")]
sys.path += [str(ROOT / "bench"), *PACKAGE]


def run(command, deadline, log):
    """Runs a Python script or module until a time.monotonic(), with all that it starts: its status, None if ended."""
    paths = [*filter(None, [os.environ.get("PYTHONPATH")]), *PACKAGE]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-B", *command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None


def run_tests(file, device, deadline, folder):
    """A test file's tests, and how its process ended where that is not as they did."""
    record, log = folder / f"{file.stem}.json", folder / f"{file.stem}.log"
    options = ["-q", "-p", "no:cacheprovider", "--device", device, f"--record={record}"]
    status = run(["-m", "pytest", *options, str(file)], deadline, log)
    tests = json.loads(record.read_text(encoding="utf-8")) if record.exists() else []
    if status not in (0, 1):  # of pytest: all passed, some failed
        print(log.read_text(encoding="utf-8")[-2000:], flush=True)
        why = "not done in time" if status is None else f"its process ended with status {status}"
        tests.append({"name": f"the rest of {file.name}", "outcome": "failed", "why": why})
    print(f"{file.name}: {counts(tests)}", flush=True)
    return tests


def counts(tests):
    outcomes = [test["outcome"] for test in tests]
    return {outcome: outcomes.count(outcome) for outcome in ("passed", "failed", "skipped")}


def run_training(device, deadline, folder, out):
    """How bench/training.py ended. What it has measured by then is in `out`."""
    log = folder / "training.log"
    small = SMALL if device == "cpu" else []
    options = ["--device", device, "--json", str(out / "training.json"), *small]
    status = run([str(ROOT / "bench" / "training.py"), *options], deadline, log)
    print(log.read_text(encoding="utf-8")[-6000:])
    return {0: "done", None: "not all done in time"}.get(status, f"failed with status {status}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the record goes")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: cuda")
    parser.add_argument("--seconds", type=float, default=230, help="how long all of it may take; default: 230")
    jobs = max(1, (os.cpu_count() or 1) // 2)
    parser.add_argument("--jobs", type=int, default=jobs, help=f"how many test files at a time; default: {jobs}")
    options = parser.parse_args()
    if not options.out.is_dir():
        parser.error(f"--out {options.out}: there is no such folder")
    if options.seconds <= TRAINING or options.jobs < 1:
        parser.error(f"--seconds is more than {TRAINING}, --jobs 1 or more")
    return parser, options


def main():
    begun = time.monotonic()
    parser, options = arguments()
    try:
        from convsmith import binding
        from record import machine, write_json

        binding.library()
    except ImportError as error:
        parser.error(str(error))

    files, end = sorted(HERE.glob("test_*.py")), begun + options.seconds
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(name)
        running = [pool.submit(run_tests, file, options.device, end - TRAINING, folder) for file in files]
        tests = [test for one in running for test in one.result()]
        record = {
            "machine": machine(),
            "device": options.device,
            "counts": counts(tests),
            "seconds": {"tests": round(time.monotonic() - begun, 1)},
            "tests": tests,
        }
        write_json(options.out / "python.json", record)
        record["training"] = run_training(options.device, end, folder, options.out)
    record["seconds"]["all"] = round(time.monotonic() - begun, 1)
    write_json(options.out / "python.json", record)

    for test in tests:
        if test["outcome"] != "passed":
            print(f"{test['outcome']}: {test['name']}: {test.get('why')}")
    print(f"tests: {record['counts']}; training: {record['training']}; {record['seconds']['all']} s")
    return 0 if record["counts"]["failed"] == 0 and record["training"] == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
