# SPDX-License-Identifier: Apache-2.0
"""How modules and functions of PyTorch are written as steps of a chain: tables, by what a node of a graph calls."""

import operator

import torch
from torch import nn
from torch.nn import functional

from . import trace


def number(value):
    """A constant as a chain has it; it reads back as the same number, of float64, too."""
    return repr(float(value)).removesuffix(".0")


def clamp(low, high):
    """The step of a clamp with one bound or both; None for none."""
    if low is None or high is None:
        bounds = {"max_const": low, "min_const": high}
        return next((f"{name}({number(bound)})" for name, bound in bounds.items() if bound is not None), None)
    return f"clamp({number(low)},{number(high)})"


def softplus(beta, threshold):
    return "softplus" if (beta, threshold) == (1, 20) else None


def gelu(approximate):
    return {"none": "gelu", "tanh": "gelu_tanh"}[approximate]


# Activations as modules: the step's text, None where there is no such step.
MODULES = {
    nn.ReLU: lambda m: "relu",
    nn.ReLU6: lambda m: "clamp(0,6)",
    nn.Hardtanh: lambda m: clamp(m.min_val, m.max_val),
    nn.LeakyReLU: lambda m: f"leaky_relu({number(m.negative_slope)})",
    nn.ELU: lambda m: f"elu({number(m.alpha)})",
    nn.Sigmoid: lambda m: "sigmoid",
    nn.Tanh: lambda m: "tanh",
    nn.SiLU: lambda m: "silu",
    nn.Mish: lambda m: "mish",
    nn.Hardswish: lambda m: "hardswish",
    nn.Hardsigmoid: lambda m: "hardsigmoid",
    nn.Softplus: lambda m: softplus(m.beta, m.threshold),
    nn.GELU: lambda m: gelu(m.approximate),
}

# Functions, and methods by their names, without arguments but for `inplace`.
PLAIN = {
    "relu": (torch.relu, torch.relu_, functional.relu, "relu", "relu_"),
    "clamp(0,6)": (functional.relu6,),
    "sigmoid": (torch.sigmoid, functional.sigmoid, "sigmoid", "sigmoid_"),
    "tanh": (torch.tanh, functional.tanh, "tanh", "tanh_"),
    "silu": (functional.silu,),
    "mish": (functional.mish,),
    "hardswish": (functional.hardswish,),
    "hardsigmoid": (functional.hardsigmoid,),
    "abs": (torch.abs, operator.abs, "abs", "abs_"),
    "square": (torch.square, "square", "square_"),
}
PLAIN = {function: step for step, functions in PLAIN.items() for function in functions}

# Those with arguments: their names and defaults, and the step's text.
WITH_ARGUMENTS = {
    functional.leaky_relu: ({"negative_slope": 0.01}, lambda slope: f"leaky_relu({number(slope)})"),
    functional.elu: ({"alpha": 1.0}, lambda alpha: f"elu({number(alpha)})"),
    functional.softplus: ({"beta": 1, "threshold": 20}, softplus),
    functional.gelu: ({"approximate": "none"}, gelu),
    functional.hardtanh: ({"min_val": -1.0, "max_val": 1.0}, clamp),
    torch.clamp: ({"min": None, "max": None}, clamp),
    "clamp": ({"min": None, "max": None}, clamp),
    "clamp_": ({"min": None, "max": None}, clamp),
    torch.clamp_min: ({"min": None}, lambda low: clamp(low, None)),
    "clamp_min": ({"min": None}, lambda low: clamp(low, None)),
    torch.clamp_max: ({"max": None}, lambda high: clamp(None, high)),
    "clamp_max": ({"max": None}, lambda high: clamp(None, high)),
}

# Operations of two operands: the steps with a constant and with a value a channel, and whether the operands may change
# places.
BINARY = {
    ("add_const", "add_channel", True): (operator.add, trace.add_, torch.add, "add", "add_"),
    ("sub_const", "sub_channel", False): (operator.sub, trace.sub_, torch.sub, "sub", "sub_"),
    ("mul_const", "mul_channel", True): (operator.mul, trace.mul_, torch.mul, "mul", "mul_"),
    ("div_const", "div_channel", False): (operator.truediv, trace.div_, torch.div, "div", "div_"),
}
BINARY = {function: steps for steps, functions in BINARY.items() for function in functions}


def activation(module):
    """The step of a module, None where it is no step."""
    describe = MODULES.get(type(module))
    return describe(module) if describe else None


def function_step(function, arguments, keywords):
    """The step of a function, or a method's name, with what it is given beside the value; None where it is no step."""
    keywords = {name: value for name, value in keywords.items() if name != "inplace"}
    if function in PLAIN:
        return None if keywords or any(not isinstance(a, bool) for a in arguments) else PLAIN[function]
    if function not in WITH_ARGUMENTS:
        return None
    defaults, describe = WITH_ARGUMENTS[function]
    given = {**defaults, **dict(zip(defaults, arguments)), **keywords}
    simple = all(value is None or isinstance(value, (int, float, str)) for value in given.values())
    return describe(*given.values()) if simple and set(given) == set(defaults) else None
