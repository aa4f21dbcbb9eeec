# SPDX-License-Identifier: Apache-2.0
"""Arrays of NumPy, CuPy and JAX as DLTensors, through the library's C interface, without a copy.

    python3 tests/python/dlpack_device.py --library build/release/src/libconvsmith.so [numpy] [cupy] [jax]

Runs a layer on arrays of each framework that is named, or of those that can be imported, on the device where it has
them: CuPy on a GPU, JAX wherever its default device is. Compares with double precision and looks at the addresses.
Exit status 77 where a framework that is named, or every one, cannot be imported or has no device.
"""

import argparse
import ctypes
import importlib
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_void_p
from ctypes import c_uint8, c_uint16, c_uint64

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
from library import CUDA, Device, Library, Problem  # noqa: E402

EPILOGUE = "bias+mul_channel+sigmoid"
N, C_IN, H, W, C_OUT, K = 2, 8, 12, 10, 16, 3
KDL_BFLOAT = 4

# The error of one rounding to the element type, beside that of fp32.
BOUNDS = {"float32": 1e-5, "float16": 1e-3, "bfloat16": 8e-3}


# ---- The C interface -----------------------------------------------------------------------------------------------


class Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    ]


class Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = [
        ("version", c_uint64),
        ("manager", c_void_p),
        ("deleter", c_void_p),
        ("flags", c_uint64),
        ("tensor", Tensor),
    ]


class Step(ctypes.Structure):
    _fields_ = [("values", POINTER(Tensor) * 4), ("constants", c_float * 2)]


class Params(ctypes.Structure):
    _fields_ = [("weight", POINTER(Tensor)), ("steps", POINTER(Step)), ("step_count", c_size_t)]


class Args(ctypes.Structure):
    _fields_ = [
        ("x", POINTER(Tensor)),
        ("packed", c_void_p),
        ("y", POINTER(Tensor)),
        ("tensors", POINTER(Tensor) * 4),
    ]


class RoomyProblem(Problem):
    """A problem with zeros behind it, which are the defaults of fields that later versions have."""

    _fields_ = [("later", c_uint8 * 256)]


def load(path):
    library = Library(path)
    signatures = {
        "convsmith_problem_from_dlpack": [c_void_p, POINTER(Device)] + 3 * [POINTER(Tensor)],
        "convsmith_plan_prepack_dlpack": [c_void_p, POINTER(Params), c_void_p, c_void_p],
        "convsmith_plan_run_dlpack": [c_void_p, POINTER(Args), c_void_p, c_void_p],
    }
    for name, arguments in signatures.items():
        function = getattr(library.c, name)
        function.restype, function.argtypes = c_int, arguments
    return library


class Exported:
    """The DLTensor of an array. The capsule, which is not consumed, keeps both alive and frees them."""

    def __init__(self, array):
        api = ctypes.pythonapi
        api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = c_char_p, [ctypes.py_object]
        api.PyCapsule_GetPointer.restype = c_void_p
        api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, c_char_p]
        self.capsule = array.__dlpack__()
        name = api.PyCapsule_GetName(self.capsule)
        address = api.PyCapsule_GetPointer(self.capsule, name)
        if name == b"dltensor_versioned":
            address += Versioned.tensor.offset
        self.tensor = Tensor.from_buffer_copy(ctypes.string_at(address, ctypes.sizeof(Tensor)))

    def first(self):
        """The address of its first element."""
        return self.tensor.data + self.tensor.byte_offset


# ---- Frameworks ----------------------------------------------------------------------------------------------------


class NumPy:
    """Arrays on the CPU; the buffers that others write to are NumPy's, too."""

    name = "numpy"
    dtypes = ("float32", "float16")
    has_views = True

    def __init__(self):
        self.module = importlib.import_module("numpy")

    def empty(self, shape, dtype):
        return self.module.empty(shape, dtype)

    def buffer(self, size):
        """So many bytes that begin on a multiple of 16, and what they are part of."""
        whole = self.module.empty(size + 16, "uint8")
        return whole[-whole.ctypes.data % 16 :]

    def array(self, values, dtype):
        return self.module.asarray(values, dtype)

    def address(self, array):
        return array.ctypes.data

    def fetch(self, array):
        """It as NumPy's, on the host."""
        return array

    def wait(self):
        pass


class CuPy(NumPy):
    """Arrays on the current CUDA device, all work on the default stream."""

    name = "cupy"

    def __init__(self):
        self.module = importlib.import_module("cupy")
        if self.module.cuda.runtime.getDeviceCount() == 0:
            raise RuntimeError("no CUDA device")

    def buffer(self, size):
        return self.module.empty(max(size, 1), "uint8")

    def address(self, array):
        return array.data.ptr

    def fetch(self, array):
        return array.get()

    def wait(self):
        self.module.cuda.Device().synchronize()


class Jax:
    """Immutable arrays on JAX's default device, always contiguous; y and buffers are of who can write there."""

    name = "jax"
    dtypes = ("float32", "float16", "bfloat16")
    has_views = False

    def __init__(self):
        self.numpy = importlib.import_module("numpy")
        self.jax = importlib.import_module("jax")
        self.writer = CuPy() if self.jax.default_backend() == "gpu" else NumPy()

    def empty(self, shape, dtype):
        return self.writer.empty(shape, "uint16" if dtype == "bfloat16" else dtype)

    def buffer(self, size):
        return self.writer.buffer(size)

    def array(self, values, dtype):
        return self.jax.block_until_ready(self.jax.numpy.asarray(values, dtype))

    def address(self, array):
        is_own = hasattr(array, "unsafe_buffer_pointer")
        return array.unsafe_buffer_pointer() if is_own else self.writer.address(array)

    def fetch(self, array):
        is_own = hasattr(array, "unsafe_buffer_pointer")
        return self.numpy.asarray(array) if is_own else self.writer.fetch(array)

    def wait(self):
        self.writer.wait()


FRAMEWORKS = (NumPy, CuPy, Jax)


# ---- The layer -----------------------------------------------------------------------------------------------------


def reference(numpy, *arrays):
    """In double precision, of the values as they are rounded."""
    x, weight, bias, scale = (array.astype("float64") for array in arrays)
    windows = numpy.lib.stride_tricks.sliding_window_view(x, (K, K), (2, 3))
    z = numpy.einsum("nchwij,ocij->nohw", windows, weight)
    z = (z + bias.reshape(-1, 1, 1)) * scale.reshape(-1, 1, 1)
    return 1 / (1 + numpy.exp(-z))


def lay_out(framework, values, dtype, how):
    """x of these values: contiguous, channels_last, or a part of a larger array."""
    if how == "contiguous":
        return framework.array(values, dtype)
    if how == "channels_last":
        return framework.array(values.transpose(0, 2, 3, 1).copy(), dtype).transpose(0, 3, 1, 2)
    larger = framework.empty((N, C_IN, H + 3, W + 5), dtype)
    view = larger[:, :, 2 : 2 + H, 3 : 3 + W]
    view[...] = framework.array(values, dtype)
    return view


def expect_no_copy(framework, arrays, exported):
    for name in arrays:
        if exported[name].first() != framework.address(arrays[name]):
            raise AssertionError(f"{name} lies at another address as a DLTensor: it was copied")


def run_layer(library, framework, exported, y):
    """y by plan, prepack and run; the kernel's name."""
    c, problem, device, plan = library.c, RoomyProblem(epilogue=EPILOGUE.encode()), Device(), c_void_p()
    tensors = {name: ctypes.pointer(found.tensor) for name, found in exported.items()}
    library.check(
        c.convsmith_problem_from_dlpack(byref(problem), byref(device), tensors["x"], tensors["weight"], tensors["y"])
    )
    library.check(c.convsmith_plan_create(byref(plan), byref(problem), device))
    try:
        packed = framework.buffer(c.convsmith_plan_packed_size(plan))
        workspace = framework.buffer(c.convsmith_plan_workspace_size(plan))
        steps = (Step * 3)()
        steps[0].values[0], steps[1].values[0] = tensors["bias"], tensors["scale"]
        params = Params(weight=tensors["weight"], steps=steps, step_count=3)
        args = Args(x=tensors["x"], packed=framework.address(packed), y=tensors["y"])
        library.check(c.convsmith_plan_prepack_dlpack(plan, byref(params), framework.address(packed), None))
        library.check(c.convsmith_plan_run_dlpack(plan, byref(args), framework.address(workspace), None))
        framework.wait()
        kernel = c.convsmith_kernel_get_info(c.convsmith_plan_kernel(plan)).contents.name.decode()
    finally:
        c.convsmith_plan_destroy(plan)
    return kernel, "cuda" if device.kind == CUDA else "cpu"


def to_double(y, dtype):
    """The values of y, which are bits where whoever wrote them has no such type."""
    if dtype == "bfloat16":
        return (y.astype("uint32") << 16).view("float32").astype("float64")
    return y.astype("float64")


def check(library, framework, numpy, dtype, how):
    random = numpy.random.default_rng(1)
    values = random.standard_normal((N, C_IN, H, W)).astype("float32")
    arrays = {
        "x": lay_out(framework, values, dtype, how),
        "weight": framework.array(random.standard_normal((C_OUT, C_IN, K, K)).astype("float32") / 8, dtype),
        "bias": framework.array(random.standard_normal(C_OUT).astype("float32"), dtype),
        "scale": framework.array(random.standard_normal((C_OUT, 1, 1)).astype("float32"), dtype),
        "y": framework.empty((N, C_OUT, H - K + 1, W - K + 1), dtype),
    }
    exported = {name: Exported(array) for name, array in arrays.items()}
    expect_no_copy(framework, arrays, exported)
    if dtype == "bfloat16":
        exported["y"].tensor.code = KDL_BFLOAT  # what wrote y knows no such type
    kernel, device = run_layer(library, framework, exported, arrays["y"])

    x, weight, bias, scale = (framework.fetch(arrays[name]) for name in ("x", "weight", "bias", "scale"))
    y = framework.fetch(arrays["y"])
    expected = reference(numpy, x, weight, bias, scale)
    error = abs(to_double(y, dtype) - expected).max()
    print(f"{framework.name:6} {dtype:9} {how:14} {device:5} {kernel:32} largest error {error:.1e}")
    if not error <= BOUNDS[dtype]:
        raise AssertionError(f"the error is more than {BOUNDS[dtype]}")


def refuses_integers(library, framework):
    """What is no tensor of floats is refused with its name."""
    x = Exported(framework.array([[[[1]]]], "int32"))
    problem, device = RoomyProblem(epilogue=b""), Device()
    x_pointer = ctypes.pointer(x.tensor)
    try:
        library.check(
            library.c.convsmith_problem_from_dlpack(byref(problem), byref(device), x_pointer, x_pointer, None)
        )
    except RuntimeError as error:
        if "x->dtype has code 0" in str(error):
            return
        raise
    raise AssertionError("integers were taken")


def check_framework(library, framework, numpy):
    refuses_integers(library, framework)
    for dtype in framework.dtypes:
        for how in ("contiguous", "channels_last", "part") if framework.has_views else ("contiguous",):
            check(library, framework, numpy, dtype, how)


def open_frameworks(names):
    """Those of the names, or all, that can be had; the others are told."""
    found = []
    for kind in FRAMEWORKS:
        if names and kind.name not in names:
            continue
        try:
            found.append(kind())
        except Exception as error:  # whatever a framework says where its device is missing
            print(f"{kind.name:6} skipped: {error}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True, help="libconvsmith.so")
    parser.add_argument("frameworks", nargs="*", help="numpy, cupy, jax; unless given, all that are there")
    arguments = parser.parse_args()
    unknown = set(arguments.frameworks) - {kind.name for kind in FRAMEWORKS}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: the frameworks are numpy, cupy and jax")
    frameworks = open_frameworks(arguments.frameworks)
    if len(frameworks) < max(1, len(arguments.frameworks)):
        return 77
    numpy = importlib.import_module("numpy")
    library = load(arguments.library)
    for framework in frameworks:
        check_framework(library, framework, numpy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
