# SPDX-License-Identifier: Apache-2.0
"""Modules for networks that are written anew."""

import torch
from torch import nn

from .call import OPERATOR
from .functional import fused_conv2d


class FusedConvGroupNorm(nn.Module):
    """group_norm(sigmoid((conv(x) + bias) * scale)), in one call.

    A drop-in for a module with `conv = Conv2d(in_channels, out_channels, kernel_size)`, the parameters `bias` and
    `scale`, and `group_norm = GroupNorm(num_groups, out_channels)`: the same constructor, the same initial values from
    the same seed, the same keys of its state dict. `bias_shape` and `scale_shape` have a value for each channel, or
    one: (out_channels, 1, 1), (1, 1, 1).

    Takes x [N, in_channels, H, W] of float32, float16, bfloat16 or float64 and returns [N, out_channels, H_out, W_out]
    of its dtype; under autocast, of autocast's, where a GroupNorm by itself gives float32. `conv` and `group_norm` are
    there for their parameters and are not called: their hooks do not run, those of torch.nn.utils.prune among them, and
    a stride or a padding that is set later is not seen. See `fused_conv2d` for dtypes, devices, gradients, `math`, and
    what it raises.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        num_groups,
        bias_shape,
        scale_shape,
        *,
        math=None,
        device=None,
        dtype=None,
    ):
        """Raises ValueError for sizes that cannot be, num_groups that do not divide out_channels, say."""
        super().__init__()
        check_by_channel("bias_shape", bias_shape, out_channels)
        check_by_channel("scale_shape", scale_shape, out_channels)
        where = {"device": device, "dtype": dtype}
        self.math = math
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, **where)
        self.bias = nn.Parameter(torch.randn(bias_shape, **where))
        self.scale = nn.Parameter(torch.randn(scale_shape, **where))
        self.group_norm = nn.GroupNorm(num_groups, out_channels, **where)

    def forward(self, x):
        values = {
            "conv.bias": self.conv.bias,
            "bias": self.bias,
            "scale": self.scale,
            "group_norm.weight": self.group_norm.weight,
            "group_norm.bias": self.group_norm.bias,
        }
        return fused_conv2d(
            x,
            self.conv.weight,
            OPERATOR,
            values,
            num_groups=self.group_norm.num_groups,
            eps=self.group_norm.eps,
            math=self.math,
        )

    def extra_repr(self):
        return f"math={self.math!r}"


def is_by_channel(shape, channels):
    """Whether a tensor of that shape, broadcast to [N, C, H, W], has a value for each channel, or one."""
    shape = (1,) * (4 - len(shape)) + tuple(shape)
    return len(shape) == 4 and shape[1] in (1, channels) and shape[0] == shape[2] == shape[3] == 1


def check_by_channel(name, shape, channels):
    if not is_by_channel(tuple(shape), channels):
        raise ValueError(
            f"convsmith: {name} is {tuple(shape)}; it has a value for each channel, ({channels}, 1, 1), or one"
        )
