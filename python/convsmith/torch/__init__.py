# SPDX-License-Identifier: Apache-2.0
"""convsmith for PyTorch: a convolution and all that follows it, in one call.

    from convsmith.torch import FusedConvGroupNorm, fuse, fused_conv2d

`fused_conv2d` is the functional form, `FusedConvGroupNorm` a module, and `fuse` finds what can be replaced in a network
that exists. They work on the CPU and on CUDA devices, with gradients, autocast, torch.compile and CUDA graphs. Under
autocast results are of its dtype, after a group_norm too, where PyTorch's own GroupNorm gives float32.

Raises ImportError, when it is imported, where there is no library.
"""

from ..binding import library
from .functional import fused_conv2d
from .fuse import fuse
from .modules import FusedConvGroupNorm
from .plans import PACKS
from .steps import KINDS

__all__ = ["FusedConvGroupNorm", "KINDS", "clear_packed", "fuse", "fused_conv2d"]

library()


def clear_packed():
    """Forgets the packed parameters of all calls: the next ones pack them anew."""
    PACKS.clear()
