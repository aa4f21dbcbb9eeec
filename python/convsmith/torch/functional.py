# SPDX-License-Identifier: Apache-2.0
"""The functional form: checks what it is given, in PyTorch's words and exceptions, then calls the operator."""

import torch
from torch.autograd import forward_ad

from .call import Call, Convolution, reads_of
from .operator import fused_conv2d_operator
from .reference import reference

SIXTEEN_BITS = (torch.float16, torch.bfloat16)
DTYPES = (torch.float32, torch.float64, *SIXTEEN_BITS)


def fused_conv2d(
    input,
    weight,
    epilogue="",
    values=None,
    tensors=(),
    *,
    stride=1,
    padding=0,
    dilation=1,
    groups=1,
    num_groups=1,
    eps=1e-5,
    constants=(),
    math=None,
):
    """A convolution and all that follows it: `epilogue(conv2d(input, weight))`.

    input: [N, C_in, H, W], of any strides. The result is [N, C_out, H_out, W_out], channels_last where the input is.
    weight: [C_out, C_in / groups, KH, KW], of the input's dtype or, for a 16-bit input, float32.
    epilogue: a chain of steps, "bias+clamp(0,6)+group_norm"; convsmith.h has a table of them, `convsmith.torch.KINDS`
        their PyTorch forms. "" is the bare convolution.
    values: what the steps read for each channel, by the names of that table, {"conv.bias": b, "group_norm.weight": w},
        with ".2" behind the name for the second step of a kind. Each is [C_out], [C_out, 1, 1], or has one element.
        The weight and the bias of a normalisation may be left out or None: 1 and 0.
    tensors: what each add_tensor step adds, in order, of the result's shape.
    stride, padding, dilation: a whole number, or a pair of height and width. groups: of the convolution.
    num_groups, eps: of a group_norm or instance_norm in the chain.
    constants: those that the epilogue's text does not give, in its order.
    math: how products of float32 may be formed on a GPU: "fp32", "tf32", or None, as PyTorch's own convolutions may
        (torch.backends.cudnn).

    float32, float16 and bfloat16 run on the library, on the CPU or on the current stream of the input's GPU; float64 is
    computed by PyTorch's operators. Sums and what follows the convolution are float32 whatever the tensors are. Under
    autocast the input, and so the result, is of autocast's dtype; parameters stay as they are.

    Gradients are computed by PyTorch's operators, from the inputs alone: nothing else is kept for them. They obey
    PyTorch's own switches for TF32. Under forward-mode AD and the transforms of torch.func (jvp, vmap, grad) the call
    itself is computed by them, too; within what torch.compile compiles, vmap and grad raise.

    Under torch.no_grad() or torch.inference_mode() the packed form of the parameters is kept until they change, be it
    by an optimiser, load_state_dict or `.to()`. A change that PyTorch does not count, through `parameter.data` or in a
    CUDA graph that is replayed, is unseen there: call `clear_packed()` then. What torch.compile compiles, and a CUDA
    graph, packs in each call.

    Raises TypeError for what is no tensor; ValueError for an epilogue or arguments that cannot be; RuntimeError, as
    PyTorch does, for wrong shapes, dtypes and devices, and for what the library cannot do here.
    """
    call = Call(epilogue, convolution_of(stride, padding, dilation, groups), num_groups, float(eps), tuple(constants))
    reads = reads_of(epilogue)
    check_tensors(input=input, weight=weight)
    input, values = autocast(input), listed(epilogue, reads, values or {}, weight)
    tensors = list(tensors)
    check_arguments(call, reads, tensors, math)
    check_dtypes(input, weight)
    check_shapes(call, reads, input, weight, values, tensors)
    check_devices(input, [weight, *values, *tensors])
    if input.dtype == torch.float64 or is_transformed():
        return reference(call, input, weight, values, tensors)
    convolution = call.convolution
    return fused_conv2d_operator(
        input,
        weight,
        values,
        tensors,
        epilogue,
        list(convolution.stride),
        list(convolution.padding),
        list(convolution.dilation),
        convolution.groups,
        num_groups,
        call.eps,
        list(call.constants),
        math,
        # What torch.compile's own CUDA graphs allocate must not outlive a call.
        not torch.is_grad_enabled() and not torch.compiler.is_compiling(),
    )


# ---- Arguments -------------------------------------------------------------------------------------------------------


def pair(name, value):
    """The height's and the width's."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or not all(isinstance(one, int) for one in both):
        raise ValueError(f"convsmith: {name} is {value!r}; it is a whole number, or a pair of them")
    return both


def convolution_of(stride, padding, dilation, groups):
    """Raises ValueError for what no convolution has; sizes that do not fit the input are the library's to refuse."""
    convolution = Convolution(pair("stride", stride), pair("padding", padding), pair("dilation", dilation), groups)
    for name, least, given in (
        ("stride", 1, convolution.stride),
        ("padding", 0, convolution.padding),
        ("dilation", 1, convolution.dilation),
        ("groups", 1, (groups,)),
    ):
        if min(given) < least:
            raise ValueError(f"convsmith: {name} is {min(given)}; it is {least} or more")
    return convolution


def autocast(input):
    """The input in the dtype that autocast, where it is on, has for convolutions."""
    kind = input.device.type
    if kind in ("cpu", "cuda") and torch.is_autocast_enabled(kind) and input.dtype != torch.float64:
        return input.to(torch.get_autocast_dtype(kind))
    return input


def is_transformed():
    """Whether forward-mode derivatives or a transform of torch.func are being computed, which the operator has no rules
    for: PyTorch would take its derivatives for 0."""
    if forward_ad._current_level >= 0:
        return True
    # torch.compile cannot look at the stack in every PyTorch; it refuses the operator under a transform.
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None


def listed(epilogue, reads, values, weight):
    """The values in the chain's order; an empty tensor stands for one that is not given."""
    for name in values:
        if name not in reads.names:
            known = ", ".join(reads.names) or "none"
            raise ValueError(f"convsmith: values has {name!r}, but those of {epilogue!r} are {known}")
    return [value_of(name, default, values.get(name), weight) for name, default in zip(reads.names, reads.defaults)]


def value_of(name, default, value, weight):
    if value is None:
        if default is None:
            raise ValueError(f"convsmith: values lacks {name!r}")
        return weight.new_empty(0)
    check_tensors(**{name: value})
    if value.numel() not in (1, weight.size(0)):
        raise RuntimeError(
            f"convsmith: {name} is {list(value.shape)}; it has a value for each of {weight.size(0)} channels, or one"
        )
    return value


# ---- Checks ----------------------------------------------------------------------------------------------------------


def check_tensors(**tensors):
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"convsmith: {name} is a Tensor, not {type(tensor).__name__}")


def check_arguments(call, reads, tensors, math):
    for index, tensor in enumerate(tensors):
        check_tensors(**{f"tensors[{index}]": tensor})
    for name, given, wanted in (("tensors", tensors, reads.tensors), ("constants", call.constants, reads.constants)):
        if len(given) != wanted:
            raise ValueError(f"convsmith: {name} has {len(given)}; {call.chain!r} takes {wanted}")
    if math not in (None, "fp32", "tf32"):
        raise ValueError(f"convsmith: math is {math!r}; it is 'fp32', 'tf32' or None")


def check_dtypes(input, weight):
    if input.dtype not in DTYPES:
        raise RuntimeError(
            f"convsmith: input is {input.dtype}; it is float32, float16, bfloat16, or float64, which PyTorch computes"
        )
    check_same_dtypes(input, weight)


def check_same_dtypes(input, weight):
    if weight.dtype not in ((input.dtype, torch.float32) if input.dtype in SIXTEEN_BITS else (input.dtype,)):
        raise RuntimeError(f"convsmith: Input type ({input.dtype}) and weight type ({weight.dtype}) should be the same")


def check_shapes(call, reads, input, weight, values, tensors):
    if input.dim() != 4 or weight.dim() != 4:
        raise RuntimeError(
            f"convsmith: Expected 4D input and weight, [N, C_in, H, W] and [C_out, C_in / groups, KH, KW], but got "
            f"{list(input.shape)} and {list(weight.shape)}"
        )
    groups = call.convolution.groups
    if weight.size(0) % groups != 0:
        raise RuntimeError(f"convsmith: groups is {groups}; it must divide the {weight.size(0)} channels of the weight")
    if input.size(1) != weight.size(1) * groups:
        raise RuntimeError(
            f"convsmith: Given groups={groups}, weight of size {list(weight.shape)}, expected input "
            f"{list(input.shape)} to have {weight.size(1) * groups} channels, but got {input.size(1)} channels instead"
        )
    if reads.group_norm and (call.num_groups < 1 or weight.size(0) % call.num_groups != 0):
        raise ValueError(f"convsmith: num_groups is {call.num_groups}; it must divide the {weight.size(0)} channels")
    size = call.convolution.output_size(input.shape[2:], weight.shape[2:])
    check_output(call, size, input, weight)
    for index, tensor in enumerate(tensors):
        if tensor.shape != (input.size(0), weight.size(0), *size):
            raise RuntimeError(
                f"convsmith: tensors[{index}] is {list(tensor.shape)}; it has the result's shape, "
                f"{[input.size(0), weight.size(0), *size]}"
            )


def check_output(call, size, input, weight):
    if min(size) < 1:
        raise RuntimeError(
            f"convsmith: Kernel size can't be greater than actual input size: {list(weight.shape[2:])} with dilation "
            f"{list(call.convolution.dilation)}, and {list(input.shape[2:])} with padding "
            f"{list(call.convolution.padding)}"
        )


def check_devices(input, tensors):
    if input.device.type not in ("cpu", "cuda"):
        raise RuntimeError(f"convsmith: input is on {input.device}; it is on the CPU or a CUDA device")
    for tensor in tensors:
        if tensor.device != input.device:
            raise RuntimeError(
                "convsmith: Expected all tensors to be on the same device, but found "
                f"{input.device} and {tensor.device}"
            )
