# SPDX-License-Identifier: Apache-2.0
"""Running calls with the library: their plans and their packed parameters."""

import functools
import threading

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.weak import TensorWeakRef, WeakIdKeyDictionary

from ..binding import CPU, CUDA, Args, Device, Plan, Problem, library

DTYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}  # the library's numbers


# ---- Plans -----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def plan_of(call, dtype, math, x_shape, x_strides, y_strides, weight_shape, device):
    """The plan of a problem on a device, a kind and an ordinal; made once. Raises binding.Error."""
    convolution = call.convolution
    problem = Problem(
        **dict(zip(("n", "c_in", "h", "w"), x_shape)),
        **dict(zip(("c_out", "kh", "kw"), (weight_shape[0], *weight_shape[2:]))),
        **dict(zip(("stride_h", "stride_w"), convolution.stride)),
        **dict(zip(("pad_h", "pad_w"), convolution.padding)),
        **dict(zip(("dilation_h", "dilation_w"), convolution.dilation)),
        conv_groups=convolution.groups,
        groups=call.num_groups,
        eps=call.eps,
        dtype=dtype,
        math=math,
        epilogue=call.chain.encode(),
    )
    problem.x_strides[:] = x_strides
    problem.y_strides[:] = y_strides
    return Plan(library(), problem, Device(*device))


def device_of(x):
    return (CUDA, x.device.index) if x.is_cuda else (CPU, 0)


def stream_of(x):
    """The current stream of x's device, as the library takes it."""
    return torch.cuda.current_stream(x.device).cuda_stream if x.is_cuda else None


# ---- Packed parameters -----------------------------------------------------------------------------------------------


class Pack:
    """Packed parameters, and what they were packed from."""

    def __init__(self, parameters, packed):
        self.packed = packed
        self._parameters = [TensorWeakRef(parameter) for parameter in parameters]
        self._states = [state_of(parameter) for parameter in parameters]

    def is_of(self, parameters):
        """Whether these are the same tensors, and nobody has written to them since."""
        return len(parameters) == len(self._parameters) and all(
            state == state_of(parameter) and (parameter.numel() == 0 or reference() is parameter)
            for reference, state, parameter in zip(self._parameters, self._states, parameters)
        )


def state_of(parameter):
    return (parameter._version, parameter.data_ptr(), parameter.shape, parameter.stride(), parameter.dtype)


class Packs:
    """Packs that are kept for as long as their weight lives."""

    def __init__(self):
        self._lock = threading.Lock()
        self._of_weight = WeakIdKeyDictionary()

    def __len__(self):
        """How many weights it knows."""
        return len(self._of_weight)

    def find(self, parameters, key):
        """The packed parameters of that key, or None where they must be packed anew."""
        with self._lock:
            pack = self._of_weight.get(parameters[0], {}).get(key)
        return pack.packed if pack is not None and pack.is_of(parameters) else None

    def keep(self, parameters, key, packed):
        with self._lock:
            self._of_weight.setdefault(parameters[0], {})[key] = Pack(parameters, packed)

    def clear(self):
        with self._lock:
            self._of_weight = WeakIdKeyDictionary()


PACKS = Packs()

# Optimisers with kernels of their own, fused=True, write to parameters and leave their versions as they were.
register_optimizer_step_post_hook(lambda *_: PACKS.clear())


def may_keep(x, parameters):
    """Whether writes to the parameters will be seen: those of inference mode have no version, and a CUDA graph is to
    read them when it is replayed."""
    capturing = x.is_cuda and torch.cuda.is_current_stream_capturing()
    return not capturing and not any(parameter.is_inference() for parameter in parameters)


def packed_parameters(plan, call, x, weight, values, keep):
    """The packed parameters, of this call or kept ones."""
    parameters, stream = (weight, *values), stream_of(x)
    keep = keep and may_keep(x, parameters)
    # On another stream they might not be packed yet.
    key = (plan.kernel, call.chain, call.convolution.groups, call.constants, x.dtype, stream)
    packed = PACKS.find(parameters, key) if keep else None
    if packed is None:
        packed = scratch(plan.packed_size, x)
        prepack(plan, call, x, weight, values, packed, stream)
        if keep:
            PACKS.keep(parameters, key, packed)
    return packed


def parameter_dtype(x, parameters):
    """What all parameters are handed to the library as: their own dtype, if it takes that."""
    dtypes = {parameter.dtype for parameter in parameters if parameter.numel() > 0}
    return dtypes.pop() if len(dtypes) == 1 and dtypes <= {x.dtype, torch.float32} else torch.float32


def prepack(plan, call, x, weight, values, packed, stream):
    dtype = parameter_dtype(x, (weight, *values))
    weight = weight.to(dtype)
    weight = weight if any(weight.stride()) else weight.contiguous()
    rest, steps, kept = iter(values), [], []
    for step, kind, constants in call.steps():
        own = [whole(value, next(rest), weight) for value in kind.values]
        kept += own  # pointers do not keep them
        steps.append(([value.data_ptr() for value in own], constants if step.constants is None else ()))
    plan.prepack(weight.data_ptr(), steps, packed.data_ptr(), stream, weight.stride(), DTYPES[dtype])


def whole(value, given, weight):
    """A value as the library reads it: [C_out], contiguous, of the weight's dtype."""
    if given.numel() == 0:
        return weight.new_full((weight.size(0),), value.default)
    return given.to(weight.dtype).reshape(-1).expand(weight.size(0)).contiguous()


# ---- Runs ------------------------------------------------------------------------------------------------------------


def scratch(size, x):
    """Bytes on x's device; PyTorch aligns them to more than 16."""
    return torch.empty(max(size, 1), dtype=torch.uint8, device=x.device)


def is_channels_last(x):
    """Whether the channels of x, and not the columns, are what is contiguous: y is then as x is."""
    if x.is_contiguous():
        return False
    by_channels = x.size(1) > 1 and x.stride(1) == 1
    return by_channels and not (x.size(3) > 1 and x.stride(3) == 1)


def new_output(call, x, weight):
    """y, not filled in. Of meta tensors and symbolic sizes, too."""
    size = call.convolution.output_size(x.shape[2:], weight.shape[2:])
    form = torch.channels_last if is_channels_last(x) else torch.contiguous_format
    return torch.empty((x.size(0), weight.size(0), *size), dtype=x.dtype, device=x.device, memory_format=form)


def readable(x):
    """x, or a copy where neither its columns nor its channels are contiguous or all its elements share a place."""
    contiguous = any(x.size(i) == 1 or x.stride(i) == 1 for i in (1, 3))
    return x if contiguous and any(x.stride()) else x.contiguous()


def run(call, math, x, weight, values, tensors, keep):
    """y, new. `math` is the library's number; `keep`: packed parameters are kept. Raises binding.Error."""
    y = new_output(call, x, weight)
    if y.numel() == 0:
        return y
    x = readable(x)
    plan = plan_of(call, DTYPES[x.dtype], math, x.shape, x.stride(), y.stride(), weight.shape, device_of(x))
    packed = packed_parameters(plan, call, x, weight, values, keep)
    workspace = scratch(plan.workspace_size, x)
    tensors = [as_output(tensor, y) for tensor in tensors]
    args = Args(x.data_ptr(), packed.data_ptr(), y.data_ptr(), tuple(tensor.data_ptr() for tensor in tensors))
    plan.run(args, workspace.data_ptr(), stream_of(x))
    return y


def as_output(tensor, y):
    """A tensor that is added, with the dtype and the strides of y."""
    tensor = tensor.to(y.dtype)
    return tensor if tensor.stride() == y.stride() else torch.empty_like(y).copy_(tensor)
