# SPDX-License-Identifier: Apache-2.0
"""Whether pyproject.toml finds the version, that of the command line, in the public header; 77 where this Python, of
before 3.11, cannot read the file."""

import importlib.util
import re
import sys
from pathlib import Path

if importlib.util.find_spec("tomllib") is None:
    print(f"skipped: {sys.executable} is older than 3.11 and has no tomllib")
    sys.exit(77)

import tomllib  # noqa: E402

home = Path(__file__).parents[2]
provider = tomllib.loads((home / "pyproject.toml").read_text("utf-8"))["tool"]["scikit-build"]["metadata"]["version"]
# As scikit_build_core.metadata.regex does it.
found = re.search(provider["regex"], (home / provider["input"]).read_text("utf-8"), re.MULTILINE)
if not found:
    sys.exit(f"{provider['input']} has no version that the regex of pyproject.toml finds")
version = provider["result"].format(**found.groupdict())
if version != sys.argv[1]:
    sys.exit(f"the wheel is of version {version}, the project of {sys.argv[1]}")
