# SPDX-License-Identifier: Apache-2.0
"""Where the shared library is."""

import ctypes.util
import os
from pathlib import Path

VARIABLE = "CONVSMITH_LIBRARY"
FILE = "libconvsmith.so"


def beside_package():
    """The library that a wheel brings along, or None."""
    file = Path(__file__).parent / "lib" / FILE
    return str(file) if file.is_file() else None


def library_path():
    """The file that CONVSMITH_LIBRARY names, else the wheel's, else the name of the system's.

    Raises ImportError, with what was looked for, when there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not os.path.isfile(named):
            raise ImportError(f"convsmith: {VARIABLE} is {named}, and there is no such file; it names a {FILE}")
        return os.path.abspath(named)
    found = beside_package() or ctypes.util.find_library("convsmith")
    if not found:
        raise ImportError(
            f"convsmith: found no {FILE}: none came with the package ({Path(__file__).parent / 'lib'}), {VARIABLE} is "
            "not set, and the system has none; set it to the path of one, or `pip install .` from the sources"
        )
    return found
