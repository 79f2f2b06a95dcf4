"""Modules that do something else than their weights say: run as they are, or refused in a line.

The kinds are those of ablation scripts and of bug reports about them: hooks, replaced parts and
forward passes, pruned and parametrized weights, wrappers. Beside them what looks like such a module
and is none.
"""

import copy
import pickle
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_modules
from torch.nn.utils import parametrizations, parametrize, prune

from algzoo.estimates import (
    catalog,
    ensemble_sampling,
    exact,
    exhaustive_accuracy,
    prior_shrunk,
    sampling,
)
from algzoo.scoring.surprise.optimisation import storage_bits
from algzoo.structure import canonical_order, cones, reorder_neurons, standard_form, weights_of
from algzoo.structure.attention.folded import fold
from algzoo.structure.attention.standard_form import attention_standard_form
from algzoo.zoo import DistRNN, DistTransformer, check_model, zoo_2nd_argmax, zoo_longest_cycle
from algzoo.zoo.model_check import check_plain, is_plain
from algzoo.zoo.populations import NoisyCopies
from algzoo.zoo.streams import model_digest

N = 100_000


def own_loop(model, n=N):
    """Share of right answers of the module as anybody would run it, and its standard error."""
    generator = torch.Generator().manual_seed(99)
    if isinstance(model, DistTransformer):
        x = torch.randint(model.input_range, (n, model.seq_len), generator=generator)
        # The longest cycle by following every point for as many steps as there may be.
        right = []
        for f in x.tolist():
            lengths = []
            for start in range(len(f)):
                point, steps = f[start], 1
                while point != start and steps <= len(f):
                    point, steps = f[point], steps + 1
                lengths.append(steps if point == start else 0)
            right.append(max(lengths) - 1)
        answers = torch.tensor(right)
    else:
        x = torch.randn((n, model.seq_len), generator=generator, dtype=torch.float64)
        answers = x.topk(2).indices[:, 1]
        x = x.to(model.dtype)
    with torch.no_grad():
        accuracy = (model(x).argmax(-1) == answers).double().mean().item()
    return accuracy, (accuracy * (1 - accuracy) / n) ** 0.5


def without_neuron(i):
    def hook(module, args):
        state = args[0].clone()
        state[..., i] = 0
        return (state,)

    return hook


class Halved(nn.Module):
    def forward(self, weight):
        return weight * torch.linspace(0, 1, weight.numel()).view_as(weight)


class Overriding(DistRNN):
    def forward(self, x, init_state=None):
        return super().forward(x.abs(), init_state)


class Calling(DistRNN):
    def __call__(self, x):
        return super().__call__(x.abs())


class Hiding(DistRNN):
    @property
    def linear(self):
        return lambda state: self._modules["linear"](state).flip(-1)


class OtherRNN(nn.Module):
    def forward(self, x, init_state=None):
        return None, x[:, :2].sum(1).expand(-1, 4)[None]


def of_class(kind):
    def change(model):
        changed = kind(model.hidden_size, model.seq_len)
        changed.load_state_dict(model.state_dict())
        return changed

    return change


def done(model, *_):
    return model


def with_part(model, name, part):
    setattr(model, name, part)
    return model


def with_forward(model):
    plain = model.forward
    model.forward = lambda x: plain(x.abs())
    return model


def with_call(model):
    plain = model._call_impl
    model._call_impl = lambda x: plain(x.abs())
    return model


def with_tanh(model):
    rnn = nn.RNN(1, 4, bias=False, batch_first=True)
    rnn.load_state_dict(model.rnn.state_dict())
    return with_part(model, "rnn", rnn)


def with_biased_readout(model):
    linear = nn.Linear(4, 3)
    with torch.no_grad():
        linear.weight.copy_(model.linear.weight)
        linear.bias.copy_(torch.tensor([30.0, 0.0, 0.0]))
    return with_part(model, "linear", linear)


def with_two_layers(model):
    torch.manual_seed(0)
    rnn = nn.RNN(1, 4, num_layers=2, nonlinearity="relu", bias=False, batch_first=True)
    model.rnn = rnn
    model.linear = nn.Sequential(Last(), nn.Linear(4, 3))
    return model


class Last(nn.Module):
    def forward(self, states):
        return states[-1]


def doubled(part):
    return lambda module, args, output: (output[0], output[1] * part)


RECURRENT = {
    "pre-hook on the readout": lambda m: done(
        m, m.linear.register_forward_pre_hook(without_neuron(0))
    ),
    "hook on the recurrence": lambda m: done(
        m, m.rnn.register_forward_hook(doubled(torch.tensor([1.0, 0.0, 1.0, 1.0])))
    ),
    "hook on the model": lambda m: done(
        m, m.register_forward_hook(lambda module, args, output: output.flip(-1))
    ),
    "pre-hook on the model": lambda m: done(
        m, m.register_forward_pre_hook(lambda module, args: (args[0].abs(),))
    ),
    "pre-hook that takes keywords": lambda m: done(
        m,
        m.register_forward_pre_hook(
            lambda module, args, kwargs: ((args[0].abs(),), kwargs), with_kwargs=True
        ),
    ),
    "replaced forward": with_forward,
    "replaced call": with_call,
    "subclass": of_class(Overriding),
    "subclass that is called otherwise": of_class(Calling),
    "subclass that hides a part": of_class(Hiding),
    "sequential readout": lambda m: with_part(
        m, "linear", nn.Sequential(nn.Threshold(0.5, 0), m.linear)
    ),
    "another recurrence": lambda m: with_part(m, "rnn", OtherRNN()),
    "tanh": with_tanh,
    "biased readout": with_biased_readout,
    "two layers": with_two_layers,
    "parametrized readout": lambda m: done(
        m, parametrize.register_parametrization(m.linear, "weight", Halved())
    ),
    "parametrized recurrence": lambda m: done(
        m, parametrize.register_parametrization(m.rnn, "weight_hh_l0", Halved())
    ),
    "weight norm": lambda m: done(m, parametrizations.weight_norm(m.linear)),
    "spectral norm": lambda m: done(m.eval(), parametrizations.spectral_norm(m.linear)),
    "pruned readout": lambda m: done(m, prune.l1_unstructured(m.linear, "weight", 4)),
    "pruned recurrence": lambda m: done(m, prune.ln_structured(m.rnn, "weight_hh_l0", 1, 2, 0)),
}


@contextmanager
def everywhere(kind):
    """What changes every module, for a while."""

    def hook(module, args, *output):
        if isinstance(module, DistRNN):
            return output[0].flip(-1) if output else (args[0].abs(),)
        return None

    with pytest.MonkeyPatch.context() as patch:
        if kind == "hook":
            handle = torch_modules.register_module_forward_hook(hook)
        elif kind == "pre-hook":
            handle = torch_modules.register_module_forward_pre_hook(hook)
        else:
            owner, name = {
                "class": (DistRNN, "forward"),
                "class of a part": (nn.RNN, "forward"),
                "function": (nn.functional, "linear"),
            }[kind]
            original = getattr(owner, name)
            if kind == "function":
                patch.setattr(owner, name, lambda x, w, b=None: original(x, w, b).flip(-1))
            else:
                patch.setattr(
                    owner, name, lambda self, x, state=None: original(self, x.abs(), state)
                )
            handle = None
        try:
            yield
        finally:
            if handle is not None:
                handle.remove()


READERS = {
    entry.name: entry.estimator
    for entry in catalog()
    if entry.estimator and entry.name != "boundary oracle"
} | {
    "check_model": check_model,
    "weights_of": weights_of,
    "standard_form": standard_form,
    "canonical_order": canonical_order,
    "cones": cones,
    "storage_bits": storage_bits,
    "model_digest": model_digest,
    "copies": lambda model: NoisyCopies(model, 0.1, 2),
}


def assert_refused(function, model):
    with pytest.raises((ValueError, TypeError)) as error:
        function(model)
    assert str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def assert_only_sampled(model, tell="something else than its weights say"):
    expected, std = own_loop(model)
    estimate = sampling(model, N, seed=0)
    assert abs(estimate.value - expected) < 5 * 2**0.5 * std + 1e-12
    assert estimate.std == pytest.approx(std, rel=0.1, abs=2 / N)
    for reader in READERS.values():
        assert tell in assert_refused(reader, model)
    return estimate


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_changed_recurrent_model_is_run_as_it_is_by_sampling_alone(kind):
    model = RECURRENT[kind](zoo_2nd_argmax(4, 3))
    intact, _ = own_loop(zoo_2nd_argmax(4, 3))
    if kind not in ("weight norm", "spectral norm"):  # which leave the answers as they are
        assert abs(own_loop(model)[0] - intact) > 0.01
    assert_only_sampled(model)


def test_the_ablation_of_the_bug_report():
    model = zoo_2nd_argmax(4, 3)
    handle = model.linear.register_forward_pre_hook(without_neuron(0))
    assert sampling(model, N, seed=0).value == pytest.approx(0.660, abs=0.006)
    told = assert_refused(exact, model)
    assert told == (
        "This DistRNN does something else than its weights say: linear has a forward pre-hook, "
        "without_neuron.<locals>.hook. Only sampling() runs a module as it is"
    )
    handle.remove()
    assert sampling(model, N, seed=0).value == pytest.approx(0.985, abs=0.002)
    assert exact(model) == exact(zoo_2nd_argmax(4, 3))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("pruned readout", r"L1Unstructured; torch\.nn\.utils\.prune\.remove\(\) makes"),
        ("parametrized recurrence", r"rnn is no plain RNN, but ParametrizedRNN; .*remove_param"),
        ("sequential readout", "linear is no plain Linear, but Sequential"),
        ("replaced forward", "forward of the model is not that of OneLayerRNN"),
        ("tanh", "mode of rnn is 'RNN_TANH', not 'RNN_RELU'"),
        ("biased readout", r"linear has the weights weight \(3, 4\), bias \(3,\), not weight"),
        ("subclass that hides a part", "linear of the model is hidden by another attribute"),
    ],
)
def test_what_was_found_is_told(kind, told):
    with pytest.raises(ValueError, match=told):
        check_plain(RECURRENT[kind](zoo_2nd_argmax(4, 3)))


def test_a_part_more_or_less():
    model = zoo_2nd_argmax(4, 3)
    model.probe = nn.Linear(4, 2)
    with pytest.raises(ValueError, match="it has parts that its class does not have, probe"):
        check_plain(model)
    del model.probe, model.linear
    with pytest.raises(ValueError, match="it has no linear"):
        check_plain(model)


class Tagged(torch.Tensor):
    pass


def test_weights_that_are_no_plain_tensors():
    model = zoo_2nd_argmax(4, 3)
    model.linear.weight = nn.Parameter(model.linear.weight.detach().as_subclass(Tagged))
    with pytest.raises(ValueError, match="weight of linear is a Tagged, not a plain tensor"):
        exact(model)
    assert sampling(model, 1000, 0).value == sampling(zoo_2nd_argmax(4, 3), 1000, 0).value


@pytest.mark.parametrize("kind", ["hook", "pre-hook", "class", "class of a part", "function"])
def test_what_changes_every_module(kind):
    with everywhere(kind):
        model = zoo_2nd_argmax(4, 3)
        assert own_loop(model)[0] < 0.9
        assert_only_sampled(model)
    assert is_plain(model)
    assert exact(model).value == pytest.approx(0.985, abs=0.002)


# What computes what its weights say


class SameRNN(DistRNN):
    """A subclass with a name and a method of its own."""

    def describe(self):
        return str(self)


def compiled_in_place(model):
    model.compile(backend="eager")
    return model


def with_views(model):
    numbers = torch.cat([p.detach().flatten() for p in model.parameters()])
    nn.utils.vector_to_parameters(numbers, model.parameters())
    return model


def pruned_for_good(model):
    prune.random_unstructured(model.rnn, "weight_hh_l0", 0)
    prune.remove(model.rnn, "weight_hh_l0")
    return model


def parametrized_for_good(model):
    parametrize.register_parametrization(model.rnn, "weight_hh_l0", nn.Identity())
    parametrize.remove_parametrizations(model.rnn, "weight_hh_l0")
    return model


def with_removed_hook(model):
    model.rnn.register_forward_hook(lambda *_: None).remove()
    return model


PLAIN = {
    "backward hook": lambda m: done(m, m.register_full_backward_hook(lambda *_: None)),
    "backward pre-hook": lambda m: done(
        m, m.linear.register_full_backward_pre_hook(lambda *_: None)
    ),
    "gradient hook": lambda m: done(m, m.linear.weight.register_hook(lambda gradient: gradient)),
    "state-dict hook": lambda m: done(m, m.register_state_dict_post_hook(lambda *_: None)),
    "removed hook": with_removed_hook,
    "attribute": lambda m: with_part(m, "note", lambda: "mine"),
    "buffer": lambda m: done(m, m.register_buffer("mask", torch.ones(4))),
    "evaluation": lambda m: m.eval(),
    "no gradient": lambda m: m.requires_grad_(False),
    "subclass": of_class(SameRNN),
    "compiled in place": compiled_in_place,
    "views": with_views,
    "pruned for good": pruned_for_good,
    "parametrized for good": parametrized_for_good,
    "copied": copy.deepcopy,
    "pickled": lambda m: pickle.loads(pickle.dumps(m)),
    "non-contiguous": lambda m: (
        with_part(m.rnn, "weight_hh_l0", nn.Parameter(m.rnn.weight_hh_l0.detach().T.clone().T))
        and m
    ),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_what_only_looks_like_a_change_is_taken(kind):
    original = zoo_2nd_argmax(4, 3)
    model = PLAIN[kind](zoo_2nd_argmax(4, 3))
    check_plain(model)
    assert exact(model) == exact(original)
    assert sampling(model, 1000, 0) == sampling(original, 1000, 0)
    order = [2, 0, 3, 1]
    for ours, theirs in zip(
        weights_of(reorder_neurons(model, order)),
        weights_of(reorder_neurons(original, order)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    copies = NoisyCopies(model, 0.1, 2)
    assert exact(copies.model(1)) == exact(NoisyCopies(original, 0.1, 2).model(1))


def test_backward_hooks_run_in_the_backward_pass():
    model, called = zoo_2nd_argmax(4, 3), []
    model.register_full_backward_hook(lambda *_: called.append(1))
    exact(model)
    model(torch.ones((2, 3), requires_grad=True)).sum().backward()
    assert called == [1]


def test_counting_operations_elsewhere_is_no_change():
    from torch.utils.flop_counter import FlopCounterMode

    model = zoo_2nd_argmax(4, 3)
    with FlopCounterMode(display=False):  # hooks all modules, and changes nothing
        assert exact(model) == exact(zoo_2nd_argmax(4, 3))
        assert is_plain(model)


def test_tied_weights_are_read_and_untied_by_what_makes_new_ones():
    torch.manual_seed(0)
    model = DistRNN(3, 3)
    model.linear.weight = model.rnn.weight_hh_l0
    expected, std = own_loop(model)
    assert abs(exact(model).value - expected) < 5 * std
    assert exact(reorder_neurons(model, [1, 2, 0])).value == pytest.approx(exact(model).value)
    assert exact(standard_form(model)).value == pytest.approx(exact(model).value, abs=1e-12)
    copied = NoisyCopies(model, 0.1, 1).model(0)
    assert copied.linear.weight is copied.rnn.weight_hh_l0

    transformer = DistTransformer(3, 4, n_layers=2).double()
    transformer.unembed.weight = transformer.embed.weight
    standard = attention_standard_form(transformer)
    for ours, theirs in zip(fold(transformer).logits, fold(standard).logits, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


# How a module is run as it is


def test_hooks_see_every_input_once_in_order_and_in_one_thread():
    import threading

    model = zoo_2nd_argmax(4, 3)
    seen, threads = [], set()

    def note(module, args):
        seen.append(len(args[0]))
        threads.add(threading.get_ident())

    model.register_forward_pre_hook(note)
    before = torch.get_num_threads()
    estimate = sampling(model, 2 * 2**14 + 5, seed=0)
    assert seen == [2**14, 2**14, 5]
    assert threads == {threading.get_ident()}
    assert torch.get_num_threads() == before
    # It changes nothing, so that the same inputs have the same answers, but for rounding.
    plain = sampling(zoo_2nd_argmax(4, 3), 2 * 2**14 + 5, seed=0)
    assert abs(estimate.value - plain.value) * (2 * 2**14 + 5) <= 3
    assert estimate.operations == plain.operations


def test_operations_are_those_that_run():
    model = zoo_2nd_argmax(4, 3)
    # Two products more for each sample: 4 x 5 and 5 x 4.
    model.linear = nn.Sequential(
        nn.Linear(4, 5, bias=False), nn.Linear(5, 4, bias=False), model.linear
    )
    assert sampling(model, 20_000, 0).operations == (72 + 40) * 20_000
    model.forward = lambda x: -x.abs()
    assert sampling(model, 20_000, 0).operations == 0


def test_a_module_that_draws_gives_the_same_again_from_the_same_state():
    model = zoo_2nd_argmax(4, 3).train()
    model.linear = nn.Sequential(nn.Dropout(0.2), model.linear)
    torch.manual_seed(5)
    first = sampling(model, 40_000, 0)
    torch.manual_seed(5)
    assert sampling(model, 40_000, 0) == first
    assert first.value < sampling(model.eval(), 40_000, 0).value - 0.01
    assert model.training is False


def test_plain_and_changed_models_in_an_ensemble():
    changed, plain = zoo_2nd_argmax(4, 3), zoo_2nd_argmax(4, 3, seed=0)
    changed.linear.register_forward_pre_hook(without_neuron(0))
    together = ensemble_sampling([changed, plain], 40_000, 3)
    assert together == [sampling(changed, 40_000, 3), sampling(plain, 40_000, 3)]


def test_shrinking_needs_outputs_alone():
    model = zoo_2nd_argmax(4, 3)
    model.linear.register_forward_pre_hook(without_neuron(0))
    value = prior_shrunk(model, N, 0, mean=0.5, variance=0.2).value
    assert value == pytest.approx(sampling(model, N, 0).value, abs=1e-4)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda x: x[:, :2], r"outputs of shape \(100, 3\) on 100 inputs, .* \(100, 2\)"),
        (lambda x: x[:, 0], r"run as it is, \(100,\)"),
        (lambda x: None, "run as it is, NoneType"),
        (lambda x: x / 0, "outputs are not finite"),
        (lambda x: x @ x, "raised RuntimeError"),
        (lambda x: x.nonsense, "raised AttributeError"),
        (lambda: 0, "raised TypeError"),
    ],
)
def test_a_module_that_fails_as_it_is(forward, message):
    model = zoo_2nd_argmax(4, 3)
    model.forward = forward
    with pytest.raises(ValueError, match=message) as error:
        sampling(model, 100, 0)
    assert "\n" not in str(error.value)


# Transformers


def sharper(layer):
    """A hook that lets a layer attend to the largest score alone."""

    def hook(module, args, output):
        return (output[0] * 3, output[1])

    return hook


def without_positions(module, args, output):
    return torch.zeros_like(output)


def other_attention(m):
    torch.manual_seed(0)
    m.attns[1] = nn.MultiheadAttention(4, 2, bias=False, batch_first=True)
    return m


def renormalised(m):
    with torch.no_grad():
        m.embed.weight *= 3
    m.embed.max_norm = 0.5
    return m


TRANSFORMERS = {
    "hook on attention": lambda m: done(m, m.attns[1].register_forward_hook(sharper(1))),
    "hook on positions": lambda m: done(m, m.pos_embed.register_forward_hook(without_positions)),
    "more heads": other_attention,
    "a layer less": lambda m: with_part(m, "attns", m.attns[:1]),
    "replaced layers": lambda m: with_part(m, "attns", nn.ModuleList([*m.attns][::-1])),
    "maximal norm": renormalised,
    "dropout": lambda m: done(m.train(), setattr(m.attns[0], "dropout", 0.5)),
    "parametrized": lambda m: done(
        m, parametrize.register_parametrization(m.attns[0], "in_proj_weight", Halved())
    ),
    "pruned": lambda m: done(m, prune.l1_unstructured(m.unembed, "weight", 5)),
    "replaced forward": lambda m: with_part(m, "forward", lambda x: -m.embed(x)[:, -1]),
}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_a_changed_transformer_is_run_as_it_is_by_sampling_alone(kind):
    model = TRANSFORMERS[kind](zoo_longest_cycle(4, 4))
    if kind == "replaced layers":  # in another order they are the layers of another model
        assert is_plain(model)
        assert abs(exact(model).value - own_loop(model, 20_000)[0]) < 0.02
        return
    torch.manual_seed(0)
    expected, std = own_loop(model, 20_000)
    torch.manual_seed(0)
    assert abs(sampling(model, 20_000, 0).value - expected) < 5 * 2**0.5 * std
    for reader in (*READERS.values(), exhaustive_accuracy, fold, attention_standard_form):
        assert_refused(reader, model)


def test_a_replaced_softmax(monkeypatch):
    original = nn.functional.scaled_dot_product_attention
    model = zoo_longest_cycle(4, 4)
    before = exact(model).value
    monkeypatch.setattr(
        nn.functional,
        "scaled_dot_product_attention",
        lambda q, k, v, *args, **options: original(q * 0, k, v, *args, **options),
    )
    expected, std = own_loop(model, 20_000)
    assert abs(expected - before) > 0.05
    assert abs(sampling(model, 20_000, 0).value - expected) < 5 * 2**0.5 * std
    assert "scaled_dot_product_attention was replaced" in assert_refused(exact, model)


# Wrappers


def traced(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls it deprecated
        return torch.jit.trace(model, torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("wrapped", "message"),
    [
        (
            lambda m: torch.compile(m, backend="eager"),
            "got OptimizedModule, .*: pass its _orig_mod",
        ),
        (nn.DataParallel, "got DataParallel, which wraps one: pass its module"),
        (
            lambda m: torch.optim.swa_utils.AveragedModel(m),
            "got AveragedModel, which wraps one: pass its module",
        ),
        (traced, "got TopLevelTracedModule: pass the Python model"),
        (lambda m: nn.Sequential(m), "got Sequential"),
        (lambda m: m.state_dict(), "got OrderedDict"),
        (lambda m: DistRNN, "got type"),
    ],
)
def test_wrappers_are_named_as_the_reason(wrapped, message):
    model = wrapped(zoo_2nd_argmax(4, 3))
    for function in (exact, check_model, lambda m: sampling(m, 10, 0), standard_form, cones):
        with pytest.raises(TypeError, match=message) as error:
            function(model)
        assert "\n" not in str(error.value)
    for reader in READERS.values():
        assert_refused(reader, model)
