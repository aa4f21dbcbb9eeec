# SPDX-License-Identifier: Apache-2.0
"""The C interface, include/convsmith/convsmith.h, by ctypes. Its names without their prefixes; pointers are integers.

What a call does, what it asks of its arguments and who owns what is said in the header. A status other than
CONVSMITH_OK becomes an exception with the library's own words. Calls release Python's global lock.
"""

import ctypes
import functools
import itertools
import weakref
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_void_p

from .locate import library_path

HEADER_VERSION = (0, 1)  # of the header that the structures below are from; before 1.0 a minor version may differ

CPU, CUDA = 0, 1
DTYPES = ("f32", "f16", "bf16")
MATHS = ("fp32", "tf32")
LAYOUTS, TARGETS = 2, 5  # how many there are
MAX_TENSORS = 4

# The parameters of a convolution that are 0 for their defaults.
CONVOLUTION = ("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w", "conv_groups")

# ---- Errors ----------------------------------------------------------------------------------------------------------


class Error(RuntimeError):
    """The library refused. `status` is its convsmith_status."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


class InvalidArgument(Error, ValueError):
    """Sizes, an epilogue or pointers that cannot be."""


class OutOfMemory(Error, MemoryError):
    """No memory for a plan."""


ERRORS = {1: InvalidArgument, 5: OutOfMemory}  # by status; Error for all others

# ---- Structures ------------------------------------------------------------------------------------------------------


class Device(ctypes.Structure):
    _fields_ = [("kind", c_int), ("ordinal", c_int)]


class Key(ctypes.Structure):
    _fields_ = [(name, c_int32) for name in ("c_in", "kh", "kw", "c_out", *CONVOLUTION)] + [
        ("layout", c_int),
        ("dtype", c_int),
        ("math", c_int),
        ("epilogue", c_char_p),
        ("target", c_int),
    ]


class KernelInfo(ctypes.Structure):
    """The leading fields of convsmith_kernel_info; only ever read through a pointer."""

    _fields_ = [("name", c_char_p), ("key", Key), ("strategy", c_char_p)]


class Problem(ctypes.Structure):
    _fields_ = [(name, c_int64) for name in ("n", "c_in", "h", "w", "c_out", "kh", "kw", *CONVOLUTION, "groups")] + [
        ("eps", c_float),
        ("dtype", c_int),
        ("math", c_int),
        ("x_strides", c_int64 * 4),
        ("y_strides", c_int64 * 4),
        ("epilogue", c_char_p),
        ("table", c_void_p),
        ("tuning", c_void_p),
        ("autotune", c_char_p),
    ]


class Step(ctypes.Structure):
    _fields_ = [("values", c_void_p * 4), ("constants", c_float * 2)]


class Params(ctypes.Structure):
    _fields_ = [
        ("weight", c_void_p),
        ("weight_strides", c_int64 * 4),
        ("steps", POINTER(Step)),
        ("step_count", c_size_t),
        ("dtype", c_int),
    ]


class Args(ctypes.Structure):
    _fields_ = [("x", c_void_p), ("packed", c_void_p), ("y", c_void_p), ("tensors", c_void_p * MAX_TENSORS)]


# ---- Functions -------------------------------------------------------------------------------------------------------

SIGNATURES = {
    "convsmith_version": (c_char_p, []),
    "convsmith_status_string": (c_char_p, [c_int]),
    "convsmith_detail": (c_char_p, []),
    "convsmith_table_size": (c_size_t, [c_void_p]),
    "convsmith_table_at": (c_void_p, [c_void_p, c_size_t]),
    "convsmith_find": (c_void_p, [POINTER(Key)]),
    "convsmith_kernel_get_info": (POINTER(KernelInfo), [c_void_p]),
    "convsmith_dtype_name": (c_char_p, [c_int]),
    "convsmith_math_name": (c_char_p, [c_int]),
    "convsmith_target_supported": (c_int, [c_int, Device]),
    "convsmith_plan_create": (c_int, [POINTER(c_void_p), POINTER(Problem), Device]),
    "convsmith_plan_destroy": (None, [c_void_p]),
    "convsmith_plan_kernel": (c_void_p, [c_void_p]),
    "convsmith_plan_packed_size": (c_size_t, [c_void_p]),
    "convsmith_plan_workspace_size": (c_size_t, [c_void_p]),
    "convsmith_plan_prepack": (c_int, [c_void_p, POINTER(Params), c_void_p, c_void_p]),
    "convsmith_plan_run": (c_int, [c_void_p, POINTER(Args), c_void_p, c_void_p]),
}


class Library:
    """A loaded library. `c` has the functions of SIGNATURES, by their full names; `check` judges what they return."""

    def __init__(self, path):
        """Raises ImportError for a file that cannot be loaded, is not convsmith's, or is of another version."""
        self.path = path
        try:
            self.c = ctypes.CDLL(path)
            for name, (result, arguments) in SIGNATURES.items():
                function = getattr(self.c, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise ImportError(f"convsmith: {path} is no libconvsmith.so that can be used here: {error}") from error
        self.version = self.c.convsmith_version().decode()
        if self.version.split(".")[:2] != [str(part) for part in HEADER_VERSION]:
            wanted = ".".join(str(part) for part in HEADER_VERSION)
            raise ImportError(f"convsmith: {path} is of version {self.version}; this package needs {wanted}")

    def check(self, status):
        """Raises Error, or what ERRORS has for the status, unless it is CONVSMITH_OK."""
        if status != 0:
            words = self.c.convsmith_status_string(status).decode()
            detail = self.c.convsmith_detail().decode()
            raise ERRORS.get(status, Error)(f"convsmith: {words}: {detail}", status)


@functools.cache
def library():
    """The library of this process, found as locate.py says. Raises ImportError."""
    return Library(library_path())


def has_kernel(shape, epilogue):
    """Whether the built-in table has a kernel of that shape, the fields of Key from c_in to conv_groups, and chain: of
    any layout, dtype, math and target."""
    return any(
        library().c.convsmith_find(byref(Key(*shape, *rest[:3], epilogue.encode(), rest[3])))
        for rest in itertools.product(range(LAYOUTS), range(len(DTYPES)), range(len(MATHS)), range(TARGETS))
    )


class Plan:
    """convsmith_plan: immutable, for any number of threads, destroyed when nothing refers to it."""

    def __init__(self, library, problem, device):
        """`problem` is a Problem, `device` a Device. Raises Error."""
        self._library, c = library, library.c
        handle = c_void_p()
        library.check(c.convsmith_plan_create(byref(handle), byref(problem), device))
        weakref.finalize(self, c.convsmith_plan_destroy, handle).atexit = False
        self._handle = handle
        self.packed_size = c.convsmith_plan_packed_size(handle)  # bytes
        self.workspace_size = c.convsmith_plan_workspace_size(handle)  # bytes
        info = c.convsmith_kernel_get_info(c.convsmith_plan_kernel(handle)).contents
        self.kernel = info.name.decode()

    def prepack(self, weight, steps, packed, stream=None, weight_strides=(0, 0, 0, 0), dtype=0):
        """Packs conv.weight and `steps`, for each step of the chain a pair of its values and its constants, into
        `packed`. `dtype` is that of the parameters, the strides are in elements. Raises Error."""
        array = (Step * len(steps))()
        for step, (values, constants) in zip(array, steps):
            step.values[: len(values)] = values
            step.constants[: len(constants)] = constants
        params = Params(weight, (c_int64 * 4)(*weight_strides), array, len(steps), dtype)
        self._library.check(self._library.c.convsmith_plan_prepack(self._handle, byref(params), packed, stream))

    def run(self, args, workspace, stream=None):
        """One run with the pointers of `args`, an Args. Raises Error."""
        self._library.check(self._library.c.convsmith_plan_run(self._handle, byref(args), workspace, stream))
