# SPDX-License-Identifier: Apache-2.0
"""Finding convolutions and what follows them in a network, and replacing them by calls of the library."""

import copy
from dataclasses import dataclass, field, replace

import torch
from torch import fx, nn

from ..binding import InvalidArgument, has_kernel
from .call import Call, Convolution, reads_of, steps_of
from .functional import DTYPES, autocast, check_same_dtypes, fused_conv2d
from .modules import is_by_channel
from .patterns import BINARY, activation, function_step, number
from .reference import reference
from .steps import KINDS
from .trace import has_hooks, trace, writes


def fuse(module, *, table_only=False, math=None):
    """A module that computes what `module` does, with each Conv2d and the steps behind it in one call of the library.

    table_only: only where the library's table has a kernel of that shape and chain; else the others run on its generic
    kernels, too, which are slower. math: as of `fused_conv2d`.

    The result shares its parameters and buffers with `module`, which stays as it is, and has the same keys in its state
    dict. In training mode batch_norm computes its own statistics, by PyTorch. A network is traced by torch.fx: what in
    it depends on sizes or on its mode is fixed. Of a `module` that cannot be traced or that has hooks the children are
    tried one by one; modules in it that have hooks are left as they are, with all that is in them. The result is
    `module` itself where there is nothing to replace.

    Under autocast a chain's result is of autocast's dtype, where a GroupNorm by itself gives float32.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"convsmith: fuse takes a Module, not {type(module).__name__}")
    if has_hooks(module):
        return fuse_children(module, table_only, math)
    try:
        graph = trace(module)
    except Exception:  # whatever its forward raises when it is given no tensors
        return fuse_children(module, table_only, math)
    count = 0
    for node in list(graph.graph.nodes):
        if chain := find_chain(graph, node, table_only):
            insert(graph, chain, f"convsmith_{count}", math)  # at once: the next chain is of the graph with this call
            count += 1
    if count == 0:
        return module
    for name in ("_modules", "_parameters", "_buffers"):  # those that no node uses have their keys, too
        getattr(graph, name).update(getattr(module, name))
    graph.graph.lint()
    graph.recompile()
    return graph


def fuse_children(module, table_only, math):
    """A copy of the module, with the same parameters, whose children are fused."""
    children = {
        name: child and fuse(child, table_only=table_only, math=math) for name, child in module._modules.items()
    }
    if all(children[name] is child for name, child in module._modules.items()):
        return module
    clone = copy.copy(module)
    for name in ("_parameters", "_buffers"):
        setattr(clone, name, getattr(module, name).copy())
    clone._modules = children
    return clone


# ---- The module that a graph calls -----------------------------------------------------------------------------------


class FusedChain(nn.Module):
    """A convolution and its chain in a fused network. It has no parameters: the graph hands it those of the network."""

    def __init__(self, call, names, batch_norms, math):
        """`names` are those of the values; `batch_norms` are the network's modules, for their training mode."""
        super().__init__()
        self.call, self.names, self.math = call, names, math
        self._batch_norms = tuple(batch_norms)  # in a tuple they are no modules of this one

    def forward(self, x, weight, values, tensors):
        x = autocast(x)
        check_same_dtypes(x, weight)
        tensors = [tensor if isinstance(tensor, torch.Tensor) else x.new_tensor(tensor) for tensor in tensors]
        if any(norm.training for norm in self._batch_norms):
            return reference(self.call, x, weight, values, tensors, self._batch_norms)
        if not self.is_for_library(x, weight, tensors):
            return reference(self.call, x, weight, values, tensors)
        convolution = self.call.convolution
        return fused_conv2d(
            x,
            weight,
            self.call.chain,
            dict(zip(self.names, values)),
            tensors,
            stride=convolution.stride,
            padding=convolution.padding,
            dilation=convolution.dilation,
            groups=convolution.groups,
            num_groups=self.call.num_groups,
            eps=self.call.eps,
            math=self.math,
        )

    def is_for_library(self, x, weight, tensors):
        """Whether it takes the input, and every tensor has the result's shape: it broadcasts none."""
        if x.device.type not in ("cpu", "cuda") or x.dtype not in DTYPES or x.dim() != 4:
            return False
        shape = (x.size(0), weight.size(0), *self.call.convolution.output_size(x.shape[2:], weight.shape[2:]))
        return all(tensor.shape == shape and tensor.device == x.device for tensor in tensors)

    def extra_repr(self):
        return f"{self.call.chain!r}, {self.call.convolution}"


# ---- Chains in a graph -----------------------------------------------------------------------------------------------


@dataclass
class Chain:
    """What was found: `nodes`, from that of a Conv2d on. Values and tensors are nodes, values also names of
    attributes."""

    module: nn.Conv2d
    convolution: Convolution
    nodes: list
    steps: list = field(default_factory=list)
    values: list = field(default_factory=list)
    tensors: list = field(default_factory=list)
    batch_norms: list = field(default_factory=list)
    num_groups: int = 1
    eps: float = 1e-5

    @property
    def last(self):
        return self.nodes[-1]

    @property
    def text(self):
        return "+".join(self.steps)

    def with_step(self, node, step, values=(), tensors=(), batch_norms=(), **norm):
        """This chain and one more step, that of `node`; None where the library has no such chain."""
        longer = replace(
            self,
            nodes=[*self.nodes, node] if node is not self.last else self.nodes,
            steps=[*self.steps, step],
            values=[*self.values, *values],
            tensors=[*self.tensors, *tensors],
            batch_norms=[*self.batch_norms, *batch_norms],
            **norm,
        )
        try:
            steps_of(longer.text)
        except InvalidArgument:
            return None
        return longer

    def has_kernel(self):
        """Whether the library's table has a kernel for it, of any dtype and for any device."""
        m, c = self.module, self.convolution
        shape = (m.in_channels, *m.kernel_size, m.out_channels, *c.stride, *c.padding, *c.dilation, c.groups)
        return has_kernel(shape, self.text)


def find_chain(graph, node, table_only):
    """The longest chain from a node on, None where it is no convolution."""
    chain, best = begin(graph, node), None
    while chain and is_movable(graph, chain):
        best = chain if not table_only or chain.has_kernel() else best
        chain = extend(graph, chain)
    return best


def is_movable(graph, chain):
    """Whether the chain may be computed in its last node's place, and in new memory: no other node writes to anything
    before that, and its own write to none but the value before them, which nobody else reads."""
    first, own = chain.nodes[0], chain.nodes
    if any(writes(graph, node) for node in between(first, chain.last) if node not in own):
        return False
    steps = zip(own, own[1:])
    return all(node.args[0] is value and len(value.users) == 1 for value, node in steps if writes(graph, node))


def between(first, last):
    """The nodes of a graph behind one and before another."""
    node = first
    while node is not last and (node := node.next) is not last:
        yield node


def module_of(graph, node):
    """What a node calls, if that is a module without hooks."""
    if not isinstance(node, fx.Node) or node.op != "call_module" or len(node.args) != 1 or node.kwargs:
        return None
    module = graph.get_submodule(node.target)
    return None if has_hooks(module) else module


def begin(graph, node):
    """A chain of a convolution alone."""
    module = module_of(graph, node)
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
        return None
    padding = padding_of(module)
    if padding is None:
        return None
    chain = Chain(module, Convolution(module.stride, padding, module.dilation, module.groups), [node])
    return chain.with_step(node, "bias", [f"{node.target}.bias"]) if module.bias is not None else chain


def padding_of(module):
    """The padding above and on the left of x, None where that on the other side differs."""
    if module.padding == "valid":
        return (0, 0)
    if module.padding != "same":
        return module.padding
    total = [dilation * (size - 1) for dilation, size in zip(module.dilation, module.kernel_size)]
    return None if any(both % 2 for both in total) else tuple(both // 2 for both in total)


def extend(graph, chain):
    """The chain and what comes next in the graph; None where it ends."""
    users = list(chain.last.users)
    if len(users) == 1:
        return of_module(graph, chain, users[0]) or of_function(chain, users[0]) or of_binary(graph, chain, users[0])
    return of_own_input(graph, chain, users) if len(users) == 2 else None


def of_module(graph, chain, node):
    module = module_of(graph, node)
    if activation(module):
        return chain.with_step(node, activation(module))
    describe = NORMS.get(type(module))
    return describe(chain, node, module) if describe else None


def attributes(node, module, kind):
    """The values of a normalisation's step: the names of the module's attributes, None for those it lacks."""
    names = [value.name.partition(".")[2] for value in KINDS[kind].values]
    return [f"{node.target}.{name}" if getattr(module, name) is not None else None for name in names]


def of_batch_norm(chain, node, module):
    if module.running_mean is None or module.num_features != chain.module.out_channels:
        return None
    step = f"batch_norm({number(module.eps)})"
    return chain.with_step(node, step, attributes(node, module, "batch_norm"), batch_norms=[module])


def of_group_norm(chain, node, module):
    if module.num_channels != chain.module.out_channels:
        return None
    values = attributes(node, module, "group_norm")
    return chain.with_step(node, "group_norm", values, num_groups=module.num_groups, eps=module.eps)


def of_instance_norm(chain, node, module):
    if module.running_mean is not None or module.num_features != chain.module.out_channels:
        return None
    values = attributes(node, module, "instance_norm")
    return chain.with_step(node, "instance_norm", values, eps=module.eps)


NORMS = {nn.BatchNorm2d: of_batch_norm, nn.GroupNorm: of_group_norm, nn.InstanceNorm2d: of_instance_norm}


def of_function(chain, node):
    if node.op not in ("call_function", "call_method") or node.args[:1] != (chain.last,):
        return None
    if any(isinstance(argument, fx.Node) for argument in (*node.args[1:], *node.kwargs.values())):
        return None
    step = function_step(node.target, node.args[1:], node.kwargs)
    return chain.with_step(node, step) if step else None


def of_binary(graph, chain, node):
    """A step with a constant, a value a channel or a tensor."""
    if node.op not in ("call_function", "call_method") or node.target not in BINARY:
        return None
    if len(node.args) != 2 or node.kwargs or node.args[0] is node.args[1]:
        return None
    constant, by_channel, commutes = BINARY[node.target]
    if node.args[0] is not chain.last and not commutes:
        return None
    other = node.args[1] if node.args[0] is chain.last else node.args[0]
    if isinstance(other, (int, float)):
        return chain.with_step(node, f"{constant}({number(other)})")
    if not isinstance(other, fx.Node):
        return None
    if other.op == "get_attr":
        shape = attribute(graph, other.target).shape
        return chain.with_step(node, by_channel, [other]) if is_by_channel(shape, chain.module.out_channels) else None
    return chain.with_step(node, "add_tensor", tensors=[other]) if constant == "add_const" else None


def attribute(graph, target):
    for name in target.split("."):
        graph = getattr(graph, name)
    return graph


def of_own_input(graph, chain, users):
    """A product of a value and what some steps make of it: v * tanh(softplus(v)), say."""
    for first, product in (users, reversed(users)):
        if product.target not in BINARY or BINARY[product.target][0] != "mul_const" or product.kwargs:
            continue
        branch = of_module(graph, chain, first) or of_function(chain, first)
        while branch and list(branch.last.users) != [product]:
            branch = extend(graph, branch) if len(branch.last.users) == 1 else None
        if branch and set(product.args) == {chain.last, branch.last}:
            return branch.with_step(product, f"mul_input_of({len(chain.steps) + 1})")
    return None


# ---- Replacing -------------------------------------------------------------------------------------------------------


def insert(graph, chain, name, math):
    """Puts a call of a FusedChain in the place of the chain's last node, and removes the chain's."""
    call = Call(chain.text, chain.convolution, chain.num_groups, chain.eps, ())
    graph.add_module(name, FusedChain(call, reads_of(chain.text).names, chain.batch_norms, math))
    conv = chain.nodes[0]
    with graph.graph.inserting_before(chain.last):
        weight = graph.graph.get_attr(f"{conv.target}.weight")
        values = [graph.graph.get_attr(value) if isinstance(value, str) else value for value in chain.values]
        fused = graph.graph.call_module(name, (conv.args[0], weight, values, chain.tensors))
    chain.last.replace_all_uses_with(fused)
    for node in reversed(chain.nodes):
        graph.graph.erase_node(node)
