# SPDX-License-Identifier: Apache-2.0
"""libconvsmith.so for the benchmark: the public C calls by ctypes, on torch tensors."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p

import torch

EPILOGUE = b"bias+add_channel+mul_channel+sigmoid+group_norm"
MATHS = {"fp32": 0, "tf32": 1}
CUDA = 1


class Device(ctypes.Structure):
    _fields_ = [("kind", c_int), ("ordinal", c_int)]


class Problem(ctypes.Structure):
    _fields_ = [(name, c_int64) for name in ("n", "c_in", "h", "w", "c_out", "kh", "kw", "groups")] + [
        ("eps", c_float),
        ("dtype", c_int),
        ("math", c_int),
        ("epilogue", c_char_p),
        ("table", c_void_p),
    ]


class Params(ctypes.Structure):
    _fields_ = [
        (name, c_void_p)
        for name in ("weight", "conv_bias", "bias", "scale", "group_norm_weight", "group_norm_bias")
    ]


class Args(ctypes.Structure):
    _fields_ = [("x", c_void_p), ("packed", c_void_p), ("y", c_void_p)]


class Library:
    """The loaded library; every failing call becomes a RuntimeError with the library's own words."""

    def __init__(self, path):
        self._c = ctypes.CDLL(path)
        self._c.convsmith_status_string.restype = c_char_p
        self._c.convsmith_detail.restype = c_char_p
        self._c.convsmith_plan_create.argtypes = [POINTER(c_void_p), POINTER(Problem), Device]
        self._c.convsmith_plan_destroy.argtypes = [c_void_p]
        self._c.convsmith_plan_packed_size.argtypes = [c_void_p]
        self._c.convsmith_plan_packed_size.restype = c_size_t
        self._c.convsmith_plan_workspace_size.argtypes = [c_void_p]
        self._c.convsmith_plan_workspace_size.restype = c_size_t
        self._c.convsmith_plan_kernel.argtypes = [c_void_p]
        self._c.convsmith_plan_kernel.restype = c_void_p
        self._c.convsmith_kernel_get_info.argtypes = [c_void_p]
        self._c.convsmith_kernel_get_info.restype = POINTER(c_char_p)  # the name is the first field
        self._c.convsmith_plan_prepack.argtypes = [c_void_p, POINTER(Params), c_void_p, c_void_p]
        self._c.convsmith_plan_run.argtypes = [c_void_p, POINTER(Args), c_void_p, c_void_p]

    def _check(self, status):
        if status != 0:
            words = self._c.convsmith_status_string(status).decode()
            raise RuntimeError(f"convsmith: {words}: {self._c.convsmith_detail().decode()}")

    def operator(self, model, x, groups, math):
        """The operator for x's shape with the module's parameters packed: a function of x that returns y."""
        n, c_in, h, w = x.shape
        c_out, _, kh, kw = model.conv.weight.shape
        problem = Problem(
            n, c_in, h, w, c_out, kh, kw, groups, model.group_norm.eps, 0, MATHS[math], EPILOGUE, None
        )
        plan = c_void_p()
        self._check(self._c.convsmith_plan_create(byref(plan), byref(problem), Device(CUDA, x.device.index)))
        packed = torch.empty(self._c.convsmith_plan_packed_size(plan), dtype=torch.uint8, device=x.device)
        workspace = torch.empty(self._c.convsmith_plan_workspace_size(plan), dtype=torch.uint8, device=x.device)
        y = torch.empty((n, c_out, h - kh + 1, w - kw + 1), device=x.device)
        parameters = [
            tensor.detach().contiguous()
            for tensor in (
                model.conv.weight,
                model.conv.bias,
                model.bias,
                model.scale,
                model.group_norm.weight,
                model.group_norm.bias,
            )
        ]
        params = Params(*(tensor.data_ptr() for tensor in parameters))
        stream = torch.cuda.current_stream().cuda_stream
        self._check(self._c.convsmith_plan_prepack(plan, byref(params), packed.data_ptr(), stream))
        torch.cuda.synchronize()

        def run(x):
            args = Args(x.data_ptr(), packed.data_ptr(), y.data_ptr())
            stream = torch.cuda.current_stream().cuda_stream
            self._check(self._c.convsmith_plan_run(plan, byref(args), workspace.data_ptr(), stream))
            return y

        run.kernel = self._c.convsmith_kernel_get_info(self._c.convsmith_plan_kernel(plan))[0].decode()
        return run
