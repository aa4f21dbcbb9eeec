# SPDX-License-Identifier: Apache-2.0
"""The package's view of the C interface against the header, and how the library is found."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from convsmith import binding
from convsmith.torch.steps import KINDS

HEADER = Path(__file__).parents[2] / "include" / "convsmith" / "convsmith.h"
STRUCTURES = {
    "convsmith_device": binding.Device,
    "convsmith_key": binding.Key,
    "convsmith_problem": binding.Problem,
    "convsmith_step": binding.Step,
    "convsmith_params": binding.Params,
    "convsmith_args": binding.Args,
}


def test_structures_are_as_the_compiler_has_them(tmp_path):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    rows = [f'printf("{name} %zu\\n", sizeof({name}));' for name in STRUCTURES]
    rows += [
        f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));'
        for name, structure in STRUCTURES.items()
        for field, _ in structure._fields_
    ]
    source = tmp_path / "layout.c"
    source.write_text(
        f'#include "{HEADER}"\n#include <stdio.h>\nint main(void) {{\n' + "\n".join(rows) + "\nreturn 0;\n}\n"
    )
    subprocess.run([compiler, str(source), "-o", str(tmp_path / "layout")], check=True)
    printed = subprocess.run([str(tmp_path / "layout")], check=True, capture_output=True, text=True).stdout.split()
    compiled = dict(zip(printed[::2], map(int, printed[1::2])))
    known = {name: ctypes.sizeof(structure) for name, structure in STRUCTURES.items()}
    for name, structure in STRUCTURES.items():
        known.update({f"{name}.{field}": getattr(structure, field).offset for field, _ in structure._fields_})
    assert known == compiled


def test_version_is_the_headers():
    numbers = re.findall(r"define CONVSMITH_VERSION_\w+ (\d+)", HEADER.read_text())
    assert binding.HEADER_VERSION == tuple(int(number) for number in numbers[:2])
    assert binding.library().version == ".".join(numbers)


def test_every_function_is_declared_in_the_header():
    declared = set(re.findall(r"\b(convsmith_\w+)\(", HEADER.read_text()))
    assert set(binding.SIGNATURES) <= declared


def plan_of(epilogue):
    """A plan of that chain for the smallest problem there is."""
    one = {field: 1 for field in ("n", "c_in", "h", "w", "c_out", "kh", "kw", "groups")}
    problem = binding.Problem(**one, eps=1e-5, epilogue=epilogue.encode())
    return binding.Plan(binding.library(), problem, binding.Device(binding.CPU, 0))


def test_steps_are_those_of_the_library():
    with pytest.raises(binding.InvalidArgument) as refused:
        plan_of("nothing")
    assert set(str(refused.value).partition(" are ")[2].split(", ")) == set(KINDS)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "mul_input_of"])
def test_steps_take_as_many_constants_as_the_librarys(name):
    constants = ",".join("1" * KINDS[name].constants)
    plan_of(f"{name}({constants})" if constants else name)


def imported(**environment):
    """What Python says when it imports the package with that environment."""
    python = [sys.executable, "-c", "import convsmith.binding as b; print(b.library().path)"]
    return subprocess.run(python, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_a_library_that_is_not_there_is_an_import_error():
    assert "CONVSMITH_LIBRARY is /none.so, and there is no such file" in imported(CONVSMITH_LIBRARY="/none.so").stderr


def test_a_file_that_is_no_library_is_an_import_error(tmp_path):
    file = tmp_path / "libconvsmith.so"
    file.write_text("no library")
    error = imported(CONVSMITH_LIBRARY=str(file)).stderr
    assert "ImportError" in error and "is no libconvsmith.so that can be used here" in error


def test_statuses_become_exceptions_with_the_librarys_words():
    problem = binding.Problem(n=1, c_in=1, h=1, w=1, c_out=1, kh=3, kw=3, epilogue=b"")
    with pytest.raises(ValueError, match="the kernel, 3x3, is larger than the input, 1x1") as refused:
        binding.Plan(binding.library(), problem, binding.Device(binding.CPU, 0))
    assert isinstance(refused.value, RuntimeError) and refused.value.status == 1
