# SPDX-License-Identifier: Apache-2.0
"""convsmith: specialised kernels for fused convolutions, from Python.

`convsmith.torch` is the module for PyTorch. `convsmith.binding` is the library's C interface, one to one, by ctypes; it
needs nothing but Python.
"""

from .binding import Error, InvalidArgument, OutOfMemory

__all__ = ["Error", "InvalidArgument", "OutOfMemory"]
