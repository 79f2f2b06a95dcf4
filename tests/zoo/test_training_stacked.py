"""Models trained side by side against the same models trained one by one."""

import os
from importlib.util import find_spec

import pytest
import torch
from torch.nn import functional

from algzoo.zoo import FAMILIES, SEEDS, TASKS
from algzoo.zoo.training import Recipe, train
from algzoo.zoo.training.stacked import Group, Layout, schedule_from

CPU = torch.device("cpu")
GPU = torch.cuda.is_available()
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # Triton's kernels, on the CPU


def recipes(family, seq_len, hidden_sizes, seeds=(0, 3), n_train=128 * 1024, device="cpu"):
    return [
        Recipe(
            task_name=family,
            hidden_size=hidden_size,
            seq_len=seq_len,
            n_train=n_train,
            n_val=0,
            seed=seed,
            checkpoints=0,
            device=device,
        )
        for hidden_size in hidden_sizes
        for seed in seeds
    ]


def models_of(group):
    """Models with the weights of the group, in the order of its state dicts."""
    models = []
    for recipe, state in group.state_dicts(group.weights()):
        model = FAMILIES[recipe.task_name].build(recipe.hidden_size, recipe.seq_len)
        model.to(next(iter(state.values())).dtype).load_state_dict(state)
        models.append(model)
    return models


def with_large_weights(group):
    """Random weights of size one, in float64, where a weight is not padding."""
    generator = torch.Generator().manual_seed(0)
    for stack in group.stacks:
        random = torch.randn(stack.weights.shape, generator=generator, dtype=torch.float64)
        stack.weights = torch.where(stack.weights == 0, 0.0, random)
    return group


def inputs(group):
    recipe = group.recipe
    x = torch.stack([recipe.sequences(256, CPU, g) for g in group.generators])
    if x.is_floating_point():
        x = x.double()
    return x, TASKS[recipe.task_name](x)


CASES = [
    ("2nd_argmax", 2, (2, 3, 16)),
    ("2nd_argmax", 10, (6, 16, 32)),
    ("argmedian", 5, (2, 8, 32)),
    ("median", 2, (4, 16)),
    ("median", 3, (2, 32)),
    ("longest_cycle", 3, (2, 3)),
    ("longest_cycle", 6, (4, 6, 8)),
]


@pytest.mark.parametrize(("family", "seq_len", "hidden_sizes"), CASES)
def test_losses_and_gradients_are_those_of_the_single_models(family, seq_len, hidden_sizes):
    group = with_large_weights(Group(recipes(family, seq_len, hidden_sizes), CPU))
    x, target = inputs(group)
    models = iter(models_of(group))
    for stack in group.stacks:
        losses = stack.losses(stack.weights, x, target)
        gradients = stack.gradients(x, target)
        assert (gradients[stack.weights == 0] == 0).all()
        for number, stream in enumerate(stack.streams):
            model = next(models)
            output = model(x[stream])
            if family == "median":
                loss = functional.mse_loss(output.squeeze(-1), target[stream])
            else:
                loss = functional.cross_entropy(output, target[stream])
            loss.backward()
            torch.testing.assert_close(losses[number], loss.detach(), rtol=1e-12, atol=0)
            for key, gradient in stack.state_dict(number, gradients).items():
                expected = model.get_parameter(key).grad
                assert expected.abs().max() > 0
                atol = 1e-13 * expected.abs().max().item()
                torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=atol)


@pytest.mark.parametrize(
    ("family", "seq_len", "hidden_sizes"),
    [
        ("2nd_argmax", 4, (3, 32)),
        ("argmedian", 5, (16,)),
        ("median", 10, (2, 8)),
        ("longest_cycle", 4, (3, 8)),
    ],
)
def test_128_steps_end_where_training_each_model_ends(family, seq_len, hidden_sizes, tmp_path):
    group = Group(recipes(family, seq_len, hidden_sizes), CPU)
    first = group.weights()
    while group.step < group.recipe.n_steps:
        group.advance()
    assert group.step == 128
    for start, stack in zip(first, group.stacks, strict=True):
        assert torch.equal(stack.weights == 0, start == 0)  # padding stays zero, and nothing else
        assert (stack.weights - start).abs().max() > 5e-5
    for recipe, state in group.state_dicts(group.weights()):
        model = train(
            family,
            hidden_size=recipe.hidden_size,
            seq_len=seq_len,
            n_train=recipe.n_train,
            n_val=0,
            seed=recipe.seed,
            checkpoints=0,
            folder=tmp_path,
            device="cpu",
            progress=False,
        )
        for key, weight in model.state_dict().items():
            # Ten times nearer than was asked for: all weights move by less than 1e-3 here.
            torch.testing.assert_close(state[key], weight, rtol=0, atol=1e-6)


def test_large_steps_are_those_of_adamw():
    recipe = recipes("longest_cycle", 4, (3, 8), n_train=2**30)
    group = Group(recipe, CPU)
    models = models_of(group)
    optimizers = [torch.optim.AdamW(model.parameters(), weight_decay=0.001) for model in models]
    (stack,) = group.stacks
    generator = torch.Generator().manual_seed(0)
    # Without the first steps' tiny rates, so that every term of the optimizer shows.
    schedule = schedule_from(group.recipe, 0, 30)
    schedule[:, 0] = 1.0
    for row in schedule:
        drawn = torch.randn(stack.weights.shape, generator=generator)
        gradients = torch.where(stack.weights == 0, 0.0, drawn)
        stack.update(gradients, row)
        for number, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
            for key, gradient in stack.state_dict(number, gradients).items():
                model.get_parameter(key).grad = gradient
            optimizer.param_groups[0]["lr"] = 0.04 / model.hidden_size**0.5
            optimizer.step()
    for model, (_, state) in zip(models, group.state_dicts(group.weights()), strict=True):
        for key, weight in model.state_dict().items():
            torch.testing.assert_close(state[key], weight, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_layout_gives_back_what_was_put_in(family):
    whole = FAMILIES[family].build(8, 5)
    layout = Layout({key: tuple(w.shape) for key, w in whole.state_dict().items()})
    for hidden_size in (1, 3, 8):
        state = FAMILIES[family].build(hidden_size, 5).state_dict()
        row = layout.padded(state)
        assert len(row) == sum(w.numel() for w in whole.parameters())
        assert (row != 0).sum() == sum(w.numel() for w in state.values())
        back = layout.unpadded(row, {key: tuple(w.shape) for key, w in state.items()})
        assert back.keys() == state.keys()
        assert all(torch.equal(back[key], state[key]) for key in state)


def test_schedule_is_the_recipes():
    recipe = recipes("median", 3, (4,), n_train=2**30)[0]
    rows = schedule_from(recipe, 1000, 3)
    for row, step in zip(rows, (1000, 1001, 1002), strict=True):
        assert 0.02 * row[0].item() == pytest.approx(recipe.learning_rate(step), rel=1e-6)
        assert row[1].item() == pytest.approx(1 - 0.9 ** (step + 1), rel=1e-6)
        assert row[2].item() ** 2 == pytest.approx(1 - 0.999 ** (step + 1), rel=1e-6)


def test_a_group_goes_on_to_the_same_bits_from_its_state():
    members = recipes("argmedian", 3, (2, 32), n_train=8 * 1024)
    group, other = Group(members, CPU), Group(members, CPU)
    group.chunk = other.chunk = 2
    group.advance()
    state = group.state()
    group.advance()
    other.load(state)
    assert other.step == 2
    other.advance()
    assert all(torch.equal(a, b) for a, b in zip(group.weights(), other.weights(), strict=True))


def fused_stack():
    """The kernels' stack where they can run: on a GPU, or by hand in Triton's interpreter."""
    if not (find_spec("triton") and (GPU or INTERPRETED)):
        pytest.skip("needs Triton, and a GPU or TRITON_INTERPRET=1")
    from algzoo.zoo.training.kernels import FusedStack

    return FusedStack


@pytest.mark.parametrize(
    ("family", "seq_len", "hidden_sizes"),
    [
        ("2nd_argmax", 10, (2, 5, 16, 32)),
        ("2nd_argmax", 2, (3, 32)),
        ("argmedian", 11, (4, 32)),
        ("median", 10, (2, 32)),
        ("median", 3, (4, 16)),
    ],
)
def test_kernels_compute_the_gradients_of_the_plain_stack(family, seq_len, hidden_sizes):
    stack_type = fused_stack()
    device = torch.device("cuda" if GPU else "cpu")
    members = recipes(family, seq_len, hidden_sizes, device=device.type)
    plain, fused = Group(members, device), Group(members, device, stack_type)
    x = torch.stack([plain.recipe.sequences(1024, device, g) for g in plain.generators])
    target = TASKS[family](x)
    for expected, stack in zip(plain.stacks, fused.stacks, strict=True):
        # Models share inputs as they do on a GPU.
        expected.streams = stack.streams = stack.streams.flip(0) // 2
        gradients = stack.gradients(x, target).sum(1)
        right = expected.gradients(x, target)
        assert torch.equal(gradients == 0, right == 0)
        torch.testing.assert_close(gradients, right, rtol=1e-4, atol=1e-6 * right.abs().max())


@pytest.mark.skipif(not GPU, reason="needs a GPU")
@pytest.mark.parametrize(
    ("family", "seq_len"),
    [("2nd_argmax", 10), ("argmedian", 5), ("median", 10), ("longest_cycle", 6)],
)
def test_fused_steps_on_a_gpu_end_where_plain_ones_and_single_models_end(family, seq_len, tmp_path):
    from algzoo.zoo.training.graphs import GraphedGroup

    device = torch.device("cuda")
    members = recipes(family, seq_len, FAMILIES[family].hidden_sizes, SEEDS, device="cuda")
    fused = GraphedGroup(members, device, fused_stack())
    plain = Group(members, device)
    for group in (fused, plain):
        while group.step < 128:
            group.advance()
    for a, b in zip(fused.weights(), plain.weights(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    states = {(r.hidden_size, r.seed): s for r, s in fused.state_dicts(fused.weights())}
    for hidden_size in (2, 8):
        model = train(
            family,
            hidden_size=hidden_size,
            seq_len=seq_len,
            n_train=128 * 1024,
            n_val=0,
            seed=2,
            checkpoints=0,
            folder=tmp_path,
            device="cuda",
            progress=False,
        )
        for key, weight in model.state_dict().items():
            torch.testing.assert_close(states[hidden_size, 2][key], weight.cpu(), rtol=0, atol=1e-5)


@pytest.mark.skipif(not GPU, reason="needs a GPU")
def test_a_graphed_group_goes_on_from_its_state():
    from algzoo.zoo.training.graphs import GraphedGroup

    device = torch.device("cuda")
    members = recipes("median", 3, (2, 32), device="cuda")
    stack_type = fused_stack()
    group = GraphedGroup(members, device, stack_type)
    group.advance()
    state = group.state()
    group.advance()
    other = GraphedGroup(members, device, stack_type)
    other.load(state)
    other.advance()
    for a, b in zip(group.weights(), other.weights(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
