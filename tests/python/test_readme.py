# SPDX-License-Identifier: Apache-2.0
"""The lines of the README run as they stand there."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_lines_of_the_readme_run(block):
    exec(compile(BLOCKS[block], f"{README.name}, block {block + 1} of Python", "exec"), {})


def test_the_readme_has_lines_of_python():
    assert BLOCKS
