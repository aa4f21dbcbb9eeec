# SPDX-License-Identifier: Apache-2.0
"""What only a GPU has: streams, CUDA graphs, several devices."""

import pytest
import torch
from convsmith.torch import FusedConvGroupNorm, plans
from problems import BOUNDS, SEED, Model, generator

WAIT = 100_000_000  # clock cycles, some 50 ms: long enough that what does not wait comes first


@pytest.fixture(autouse=True)
def needs_a_gpu():
    if torch.get_default_device().type != "cuda":
        pytest.skip("for --device cuda")


@pytest.fixture
def fused():
    torch.manual_seed(0)
    return FusedConvGroupNorm(*SEED)


def x_of(seed=7, n=4):
    return torch.randn(n, 8, 40, 50, generator=generator(seed))


def ran_before(function):
    """Calls it once, as one must before a capture, on a stream of its own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        function()
    torch.cuda.current_stream().wait_stream(stream)


def captured(function):
    """A CUDA graph of a call, and the result that a replay fills."""
    ran_before(function)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return graph, result


@torch.no_grad()
def test_work_is_done_on_the_current_stream(fused):
    x, expected = torch.zeros_like(x_of()), fused(x_of())
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(WAIT)
        x.copy_(x_of())
        got = fused(x)
    stream.synchronize()
    assert torch.equal(got, expected)


@torch.no_grad()
def test_a_call_does_not_wait_for_the_gpu(fused):
    x = x_of()
    fused(x)
    torch.cuda.synchronize()
    torch.cuda._sleep(WAIT)
    fused(x)
    assert not torch.cuda.current_stream().query()


@torch.no_grad()
def test_a_captured_call_computes_with_new_inputs(fused):
    x = x_of()
    graph, y = captured(lambda: fused(x))
    for seed in (8, 9):
        x.copy_(x_of(seed))
        graph.replay()
        assert torch.equal(y, fused(x_of(seed)))


@torch.no_grad()
def test_a_captured_call_sees_changed_parameters(fused):
    x = x_of()
    graph, y = captured(lambda: fused(x))
    fused.scale.mul_(-2)
    graph.replay()
    assert torch.equal(y, fused(x))


def test_a_captured_training_step_is_one():
    """Forward, backward and the optimiser's step in one graph."""

    def trained(steps, graphed):
        torch.manual_seed(0)
        module, x = FusedConvGroupNorm(*SEED), x_of()
        optimiser = torch.optim.SGD(module.parameters(), lr=0.1)

        def step():
            optimiser.zero_grad(set_to_none=True)
            module(x).square().mean().backward()
            optimiser.step()

        if graphed:
            graph, _ = captured(step)  # which is one step
            for _ in range(steps - 1):
                graph.replay()
        else:
            for _ in range(steps):
                step()
        return module

    expected, got = trained(4, False), trained(4, True)
    for one, other in zip(got.parameters(), expected.parameters()):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_graphed_callables_have_gradients(fused):
    x = x_of().requires_grad_()
    leaves = [x, *fused.parameters()]
    expected = torch.autograd.grad(fused(x).square().mean(), leaves)
    graphed = torch.cuda.make_graphed_callables(fused, (x_of().requires_grad_(),))
    got = torch.autograd.grad(graphed(x).square().mean(), leaves)
    for one, other in zip(got, expected):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_compiled_modules_run_in_graphs_of_torch_compile(fused):
    torch.compiler.reset()
    compiled = torch.compile(fused, fullgraph=True, mode="reduce-overhead")
    for seed in (7, 8, 9, 10):
        assert torch.equal(compiled(x_of(seed)).clone(), fused(x_of(seed)))


def test_compiled_modules_train_in_graphs_of_torch_compile(fused):
    torch.compiler.reset()
    compiled = torch.compile(fused, fullgraph=True, mode="reduce-overhead")
    for seed in (7, 8, 9, 10):
        expected = torch.autograd.grad(fused(x_of(seed)).square().mean(), fused.parameters())
        got = torch.autograd.grad(compiled(x_of(seed)).square().mean(), fused.parameters())
        for one, other in zip(got, expected):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_a_replay_takes_no_memory(fused):
    x = x_of()
    graph, _ = captured(lambda: fused(x))
    torch.cuda.synchronize()
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    for _ in range(3):
        graph.replay()
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == before


@torch.no_grad()
def test_packed_parameters_are_not_those_of_another_stream(fused, monkeypatch):
    """There they might not be packed yet."""
    happened, prepack = [], plans.prepack
    monkeypatch.setattr(plans, "prepack", lambda *arguments: (happened.append(1), prepack(*arguments)))
    fused(x_of())
    ran_before(lambda: fused(x_of()))
    assert len(happened) == 2


def test_tensors_of_two_devices_are_refused(fused):
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device, but found cuda"):
        fused.cpu()(x_of())


@torch.no_grad()
def test_tensors_may_be_on_another_device_than_the_current_one():
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU")
    torch.manual_seed(0)
    model, fused, x = Model(*SEED).to("cuda:1"), FusedConvGroupNorm(*SEED).to("cuda:1"), x_of().to("cuda:1")
    fused.load_state_dict(model.state_dict())
    assert torch.cuda.current_device() == 0
    torch.testing.assert_close(fused(x), model(x), **BOUNDS[torch.float32])
