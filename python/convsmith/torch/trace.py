# SPDX-License-Identifier: Apache-2.0
"""The graph of a module, by torch.fx, and which of its nodes write to a tensor that they are given."""

import inspect
import operator

from torch import fx


def trace(module):
    """A GraphModule that computes what the module does. Raises whatever its forward raises when given no tensors."""
    return fx.GraphModule(module, Tracer().trace(module), type(module).__name__)


def has_hooks(module):
    hooks = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
    return any(getattr(module, name, None) for name in hooks)


# ---- Augmented assignments -------------------------------------------------------------------------------------------
# torch.fx has v += w as v = v + w, which is another thing for whoever else has v.


def add_(v, w):
    return operator.iadd(v, w)


def sub_(v, w):
    return operator.isub(v, w)


def mul_(v, w):
    return operator.imul(v, w)


def div_(v, w):
    return operator.itruediv(v, w)


class Proxy(fx.Proxy):
    def __iadd__(self, other):
        return self.record(add_, other)

    def __isub__(self, other):
        return self.record(sub_, other)

    def __imul__(self, other):
        return self.record(mul_, other)

    def __itruediv__(self, other):
        return self.record(div_, other)

    def record(self, function, other):
        return self.tracer.create_proxy("call_function", function, (self, other), {})


class Tracer(fx.Tracer):
    """Looks into no module with hooks: they are for tensors."""

    def is_leaf_module(self, module, name):
        return has_hooks(module) or super().is_leaf_module(module, name)

    def proxy(self, node):
        return Proxy(node, self)


# ---- Writes ----------------------------------------------------------------------------------------------------------


def writes(graph, node):
    """Whether a node may write to its arguments. Of a function only its name and what it is given tell."""
    if node.kwargs.get("out") is not None:
        return True
    if node.op == "call_module":
        return bool(getattr(graph.get_submodule(node.target), "inplace", False))
    if node.op == "call_method":
        return is_name_of_writer(node.target)
    if node.op == "call_function":
        return is_name_of_writer(getattr(node.target, "__name__", "")) or is_given_inplace(node)
    return False


def is_name_of_writer(name):
    """PyTorch's: relu_, add_."""
    return name.endswith("_") and not name.endswith("__")


def is_given_inplace(node):
    """Whether a function is given `inplace`, by name or by position."""
    try:
        given = inspect.signature(node.target).bind(*node.args, **node.kwargs).arguments
    except (TypeError, ValueError):  # a function of C has no signature; it has no `inplace` either
        return False
    return bool(given.get("inplace", False))
