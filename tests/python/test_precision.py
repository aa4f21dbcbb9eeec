# SPDX-License-Identifier: Apache-2.0
"""FusedConvGroupNorm against the model in eager mode, in each precision, at the seed workload's size on a GPU."""

import copy

import pytest
import torch
from convsmith.torch import FusedConvGroupNorm
from problems import SEED, Model, generator, tf32
from workloads import PRECISIONS

SIZES = {"cpu": [(2, 40, 50), (3, 17, 19)], "cuda": [(128, 256, 256), (3, 17, 19)]}
SAMPLES = 8  # what is computed in float64 at a time


def pytest_generate_tests(metafunc):
    """Sizes that are the device's."""
    if "size" in metafunc.fixturenames:
        metafunc.parametrize("size", SIZES[torch.get_default_device().type], ids=str)


def models(precision):
    """The model, in a precision's dtype, and its drop-in with the same parameters."""
    torch.manual_seed(21)
    model = Model(*SEED).to(getattr(torch, precision.torch_dtype))
    fused = FusedConvGroupNorm(*SEED, math=precision.math).to(getattr(torch, precision.torch_dtype))
    fused.load_state_dict(model.state_dict(), strict=True)
    return model, fused


def exact(model, x):
    """The model's result in float64."""
    wide = copy.deepcopy(model).double()
    return torch.cat([wide(samples.double()) for samples in x.split(SAMPLES)])


def x_of(size, dtype):
    n, height, width = size
    return torch.randn(n, SEED[0], height, width, generator=generator(7)).to(dtype)


def worst(got, expected, *bounds):
    """The greatest error, and the greatest share of what all the bounds together allow that an element takes."""
    error, share = 0.0, 0.0
    for one, other in zip(got.split(SAMPLES), expected.split(SAMPLES)):
        errors = (one.double() - other.double()).abs()
        allowed = sum(bound.absolute + bound.relative * other.double().abs() for bound in bounds)
        error, share = max(error, errors.max().item()), max(share, (errors / allowed).max().item())
    return error, share


@pytest.mark.parametrize("precision", PRECISIONS, ids=lambda precision: f"{precision.dtype}-{precision.math}")
@torch.no_grad()
def test_the_module_agrees_with_eager(precision, size, record_property):
    model, fused = models(precision)
    x = x_of(size, getattr(torch, precision.torch_dtype))
    expected = exact(model, x)
    with tf32(precision.allow_tf32):
        got, eager = fused(x), model(x)
    judgements = {
        "error against float64": worst(got, expected, precision.library),
        "difference from eager": worst(got, eager, precision.library, precision.peer),
    }
    for name, (error, _) in judgements.items():
        record_property(name, error)
    record_property("eager's error against float64", worst(eager, expected, precision.peer)[0])
    assert got.dtype == x.dtype
    assert all(share <= 1 for _, share in judgements.values()), judgements


@pytest.mark.parametrize("precision", [p for p in PRECISIONS if p.dtype != "f32"], ids=lambda p: p.dtype)
@torch.no_grad()
def test_autocast_agrees_with_float64(precision, size, record_property):
    """The parameters stay float32; the weight is rounded as the input is."""
    torch.manual_seed(22)
    fused, dtype = FusedConvGroupNorm(*SEED), getattr(torch, precision.torch_dtype)
    x = x_of(size, torch.float32)
    with torch.autocast(x.device.type, dtype):
        got = fused(x)
    rounded = Model(*SEED)
    rounded.load_state_dict({**fused.state_dict(), "conv.weight": fused.conv.weight.to(dtype).float()})
    error, share = worst(got, exact(rounded, x.to(dtype)), precision.library)
    record_property("error against float64", error)
    assert got.dtype == dtype and share <= 1


@pytest.mark.parametrize("precision", PRECISIONS, ids=lambda precision: f"{precision.dtype}-{precision.math}")
def test_gradients_are_as_good_as_eagers(precision, size, record_property):
    """Of each gradient the error's norm against that of float64; a few roundings of the products beside eager's own."""
    model, fused = models(precision)
    x = x_of(size, getattr(torch, precision.torch_dtype))
    with torch.no_grad():
        ascent = torch.randn(fused(x).shape, generator=generator(8)).to(x.dtype)
    exact = gradients(copy.deepcopy(model).double(), x.double(), ascent.double(), SAMPLES)
    with tf32(precision.allow_tf32):
        ours, eagers = (errors(gradients(module, x, ascent, len(x)), exact) for module in (fused, model))
    record_property("greatest relative error", max(ours.values()))
    record_property("eager's greatest relative error", max(eagers.values()))
    rounding = 2**-11 if precision.math == "tf32" else torch.finfo(x.dtype).eps
    assert all(ours[name] <= 2 * eagers[name] + 8 * rounding for name in exact), (ours, eagers)


def gradients(module, x, ascent, samples):
    """What x and every parameter get for a gradient of the result, some samples at a time."""
    parts, found = [], {name: torch.zeros_like(parameter) for name, parameter in module.named_parameters()}
    for some, of_some in zip(x.split(samples), ascent.split(samples)):
        leaf = some.detach().requires_grad_()
        of_x, *rest = torch.autograd.grad(module(leaf), [leaf, *module.parameters()], of_some)
        parts.append(of_x)
        for total, gradient in zip(found.values(), rest):
            total += gradient
    return {"x": torch.cat(parts), **found}


def errors(got, exact):
    return {name: ((got[name].double() - exact[name]).norm() / exact[name].norm()).item() for name in exact}
