# SPDX-License-Identifier: Apache-2.0
"""convsmith::fused_conv2d, the operator that PyTorch knows: its kernels, its shape, its gradients."""

from typing import List, Optional  # in a schema, older PyTorchs know no others

import torch
from torch import Tensor

from ..binding import MATHS
from .call import Call, Convolution
from .plans import new_output, run
from .reference import reference


def call_of(epilogue, stride, padding, dilation, conv_groups, num_groups, eps, constants):
    convolution = Convolution(tuple(stride), tuple(padding), tuple(dilation), conv_groups)
    return Call(epilogue, convolution, num_groups, eps, tuple(constants))


def tf32_is_allowed():
    """Whether PyTorch's own convolutions of float32 may use TF32."""
    conv = getattr(torch.backends.cudnn, "conv", None)  # since PyTorch 2.9, where allow_tf32 may raise
    return torch.backends.cudnn.allow_tf32 if conv is None else conv.fp32_precision == "tf32"


def math_of(math):
    """The library's number of a permission; None is what PyTorch's own convolutions may do."""
    return MATHS.index(math or ("tf32" if tf32_is_allowed() else "fp32"))


@torch.library.custom_op("convsmith::fused_conv2d", mutates_args=(), device_types=("cpu", "cuda"))
def fused_conv2d_operator(
    x: Tensor,
    weight: Tensor,
    values: List[Tensor],
    tensors: List[Tensor],
    epilogue: str,
    stride: List[int],
    padding: List[int],
    dilation: List[int],
    conv_groups: int,
    num_groups: int,
    eps: float,
    constants: List[float],
    math: Optional[str],
    keep: bool,
) -> Tensor:
    call = call_of(epilogue, stride, padding, dilation, conv_groups, num_groups, eps, constants)
    return run(call, math_of(math), x, weight, values, tensors, keep)


@fused_conv2d_operator.register_fake
def _(x, weight, values, tensors, *arguments):
    return new_output(call_of(*arguments[:-2]), x, weight)


def remember(ctx, inputs, output):
    """Keeps what gradients are computed from: the inputs alone."""
    x, weight, values, tensors, *arguments = inputs
    ctx.save_for_backward(x, weight, *values, *tensors)
    ctx.value_count = len(values)
    ctx.call = call_of(*arguments[:-2])


def backward(ctx, gradient):
    """Computes the operator again by the reference, and the gradients through that."""
    again = torch.is_grad_enabled()  # gradients of these gradients are wanted
    inputs = ctx.saved_tensors
    wanted = [tensor.requires_grad for tensor in inputs]
    with torch.enable_grad():
        if not again:
            inputs = [tensor.detach().requires_grad_(needed) for tensor, needed in zip(inputs, wanted)]
        x, weight, *rest = inputs
        y = reference(ctx.call, x, weight, rest[: ctx.value_count], rest[ctx.value_count :])
        chosen = [tensor for tensor, needed in zip(inputs, wanted) if needed]
        found = iter(torch.autograd.grad(y, chosen, gradient, create_graph=again, allow_unused=True))
    of_x, of_weight, *rest = [next(found) if needed else None for needed in wanted]
    # PyTorch takes an empty list for one of tensors.
    of_constants = None if ctx.call.constants else []
    of_tensors = (of_x, of_weight, rest[: ctx.value_count], rest[ctx.value_count :])
    return (*of_tensors, *[None] * 7, of_constants, None, None)


fused_conv2d_operator.register_autograd(backward, setup_context=remember)
