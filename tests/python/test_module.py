# SPDX-License-Identifier: Apache-2.0
"""FusedConvGroupNorm as a drop-in, and the packed parameters that it keeps."""

import copy
import io

import pytest
import torch
from convsmith.torch import FusedConvGroupNorm, clear_packed, plans
from problems import BOUNDS, SEED, Model, generator


def pair(seed=0):
    """The model and its drop-in, made from the same seed."""
    made = []
    for kind in (Model, FusedConvGroupNorm):
        torch.manual_seed(seed)
        made.append(kind(*SEED))
    return made


def x_of(n=2, size=(12, 13)):
    return torch.randn(n, 8, *size, generator=generator(7))


def assert_agrees(fused, model, x=None):
    x = x_of() if x is None else x
    with torch.no_grad():
        torch.testing.assert_close(fused(x), model(x), **BOUNDS[torch.float32])


@pytest.fixture
def packings(monkeypatch):
    """A list that grows by one whenever parameters are packed."""
    happened, prepack = [], plans.prepack
    monkeypatch.setattr(plans, "prepack", lambda *arguments: (happened.append(1), prepack(*arguments)))
    return happened


# ---- A drop-in -------------------------------------------------------------------------------------------------------


def test_initial_values_are_the_models():
    model, fused = pair()
    states = model.state_dict(), fused.state_dict()
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_state_dicts_load_both_ways():
    (model, _), (_, fused) = pair(1), pair(2)
    fused.load_state_dict(model.state_dict(), strict=True)
    assert_agrees(fused, model)
    fresh = pair(3)[0]
    fresh.load_state_dict(fused.state_dict(), strict=True)
    assert_agrees(fused, fresh)


def test_a_training_step_is_the_models():
    made = pair()
    for module in made:
        optimiser = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
        for step in range(3):
            optimiser.zero_grad()
            module(x_of() + step).square().mean().backward()
            optimiser.step()
    for name, parameter in made[0].state_dict().items():
        torch.testing.assert_close(made[1].state_dict()[name], parameter, atol=1e-4, rtol=1e-4)


def test_float64_is_computed_by_pytorch():
    model, fused = (module.double() for module in pair())
    with torch.no_grad():
        torch.testing.assert_close(fused(x_of().double()), model(x_of().double()))


@pytest.mark.parametrize(
    "change, words",
    [
        ({4: (32,)}, r"bias_shape is \(32,\); it has a value for each channel, \(32, 1, 1\), or one"),
        ({5: (32, 2, 1)}, "scale_shape"),
        ({3: 5}, "num_channels"),
    ],
)
def test_sizes_that_cannot_be_are_refused(change, words):
    arguments = [change.get(index, argument) for index, argument in enumerate(SEED)]
    with pytest.raises(ValueError, match=words):
        FusedConvGroupNorm(*arguments)


def test_one_bias_and_one_scale_serve_every_channel():
    torch.manual_seed(0)
    fused = FusedConvGroupNorm(*SEED[:4], (1,), (1, 1, 1))
    model = Model(*SEED[:4], (1,), (1, 1, 1))
    model.load_state_dict(fused.state_dict())
    assert_agrees(fused, model)


# ---- Packed parameters -----------------------------------------------------------------------------------------------


def test_parameters_are_packed_once_without_gradients(packings):
    _, fused = pair()
    with torch.no_grad():
        results = [fused(x_of()) for _ in range(3)]
    assert len(packings) == 1 and all(torch.equal(result, results[0]) for result in results)


def test_parameters_are_packed_in_each_call_with_gradients(packings):
    _, fused = pair()
    for _ in range(2):
        fused(x_of())
    assert len(packings) == 2


def step(module, **options):
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1, **options)
    module(x_of()).square().mean().backward()
    optimiser.step()


def replace_bias(fused):
    shape = fused.bias.shape
    del fused.bias
    fused.bias = torch.nn.Parameter(torch.full(shape, 2.0))


CHANGES = {
    "an optimiser's step": step,
    "a fused optimiser's step": lambda fused: step(fused, fused=True),
    "load_state_dict": lambda fused: fused.load_state_dict(pair(5)[0].state_dict()),
    "load_state_dict that assigns": lambda fused: fused.load_state_dict(pair(5)[0].state_dict(), assign=True),
    "a parameter replaced": replace_bias,
    "a write in place": lambda fused: torch.nn.init.constant_(fused.group_norm.weight, 3.0),
    "data that is replaced": lambda fused: setattr(fused.scale, "data", torch.ones_like(fused.scale) * 2),
    "to another dtype and back": lambda fused: fused.bfloat16().float(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_parameters_are_packed_anew(change):
    model, fused = pair()
    assert_agrees(fused, model)
    CHANGES[change](fused)
    model.load_state_dict(fused.state_dict())
    assert_agrees(fused, model)


def test_clear_packed_forgets(packings):
    _, fused = pair()
    with torch.no_grad():
        fused(x_of())
        fused.bias.data.add_(1)
        clear_packed()
        fused(x_of())
    assert len(packings) == 2


def test_packed_parameters_go_with_their_weight():
    clear_packed()
    _, fused = pair()
    with torch.no_grad():
        fused(x_of())
    assert len(plans.PACKS) == 1
    del fused
    assert len(plans.PACKS) == 0


def test_inference_mode_computes_the_same():
    model, fused = pair()
    with torch.inference_mode():
        assert_agrees(fused, model)
        assert_agrees(copy.deepcopy(fused), model)


def saved(fused):
    file = io.BytesIO()
    torch.save(fused, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, saved])
def test_copies_are_their_own(copied):
    model, fused = pair()
    assert_agrees(fused, model)
    other = copied(fused)
    with torch.no_grad():
        other.bias.add_(1)
    assert_agrees(fused, model)
    model.load_state_dict(other.state_dict())
    assert_agrees(other, model)


def test_sizes_may_differ_from_call_to_call():
    model, fused = pair()
    for size in ((5, 6), (12, 13), (3, 3)):
        assert_agrees(fused, model, x_of(3, size))
