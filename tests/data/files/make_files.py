# SPDX-License-Identifier: Apache-2.0
"""Writes the files beside this script, as NumPy and the safetensors package write them.

The tests read the files as they are committed; this is only how they came to be:

    python3 -m venv venv && venv/bin/pip install numpy safetensors && venv/bin/python make_files.py
"""

from pathlib import Path

import numpy
from safetensors.numpy import save_file

HERE = Path(__file__).parent


def save_npy(name, array, version):
    with open(HERE / name, "wb") as stream:
        numpy.lib.format.write_array(stream, array, version=version)


def main():
    ramp = numpy.arange(24, dtype="<f4").reshape(2, 3, 4) / 8 - 1
    save_npy("version1.npy", ramp, (1, 0))
    save_npy("version2.npy", ramp, (2, 0))
    save_npy("version3.npy", ramp, (3, 0))
    save_npy("scalar.npy", numpy.array(2.5, dtype="<f4"), (1, 0))
    save_npy("vector.npy", ramp.reshape(24)[:3], (1, 0))
    save_npy("empty.npy", numpy.zeros((0, 3), dtype="<f4"), (1, 0))
    save_npy("fortran.npy", numpy.asfortranarray(ramp), (1, 0))
    save_npy("float16.npy", ramp.astype("<f2"), (1, 0))
    save_npy("float64.npy", ramp.astype("<f8"), (1, 0))
    save_npy("big_endian.npy", ramp.astype(">f4"), (1, 0))
    # As ml_dtypes, the usual bfloat16 for NumPy, comes out: bytes without a meaning.
    save_npy("bfloat16.npy", numpy.zeros(3, dtype="V2"), (1, 0))
    save_npy("record.npy", numpy.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]), (1, 0))
    save_file(
        {
            "conv.weight": ramp,
            "conv.bias": numpy.array([1.5, -2.0], dtype="<f4"),
            "half": numpy.array([1, 2, 3], dtype="<f2"),
            "steps": numpy.array(7, dtype="<i8"),
            "nothing": numpy.zeros((0, 4), dtype="<f4"),
        },
        HERE / "five.safetensors",
        metadata={"format": "pt"},
    )


if __name__ == "__main__":
    main()
