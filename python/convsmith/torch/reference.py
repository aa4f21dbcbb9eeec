# SPDX-License-Identifier: Apache-2.0
"""What a call computes in PyTorch's own operators: the path of float64, and what gradients are taken through."""

import torch
from torch.nn import functional


def reference(call, x, weight, values, tensors, batch_norms=()):
    """y for x [N, C_in, H, W] of any floating dtype, differentiable in every tensor.

    `batch_norms` are modules that do the chain's batch_norm steps, in their order: those of a network that is trained.
    Of 16-bit tensors the convolution is rounded to 16 bits, as PyTorch's is; what follows is computed in float32.
    """
    with torch.autocast(x.device.type, enabled=False):
        convolution = call.convolution
        v = functional.conv2d(
            x,
            weight.to(x.dtype),
            None,
            convolution.stride,
            convolution.padding,
            convolution.dilation,
            convolution.groups,
        )
        wide = torch.promote_types(x.dtype, torch.float32)
        values, tensors = ([tensor.to(wide) for tensor in given] for given in (values, tensors))
        return chain(call, v.to(wide), values, tensors, [in_dtype(x.dtype, norm) for norm in batch_norms]).to(x.dtype)


def in_dtype(dtype, function):
    """A function that is given its argument in that dtype."""
    return lambda v: function(v.to(dtype)).to(v.dtype)


def chain(call, v, values, tensors, batch_norms):
    """The chain's steps, one after another."""
    values, tensors, batch_norms, inputs = iter(values), iter(tensors), iter(batch_norms), []
    for step, kind, constants in call.steps():
        inputs.append(v)
        own = [by_channel(value, next(values), v) for value in kind.values]
        if step.name == "add_tensor":
            v = v + next(tensors)
        elif step.name == "mul_input_of":
            v = v * inputs[int(constants[0]) - 1]
        elif step.name in ("group_norm", "instance_norm"):
            groups = call.num_groups if step.name == "group_norm" else v.size(1)
            v = functional.group_norm(v, groups, *(value.flatten() for value in own), call.eps)
        elif step.name == "batch_norm" and (norm := next(batch_norms, None)) is not None:
            v = norm(v)
        else:
            v = kind.function(v, own, constants)
    return v


def by_channel(value, given, v):
    """A value [C_out], of one element, or of none where none was given, as [C_out, 1, 1]."""
    if given.numel() == 0:
        given = given.new_full((1,), value.default)
    return given.reshape(-1, 1, 1).expand(v.size(1), 1, 1)
