"""The folded form and the standard form of transformers, against the models themselves."""

import copy
import itertools

import numpy as np
import pytest
import torch

from algzoo.structure.attention.folded import PATHS, fold
from algzoo.structure.attention.standard_form import (
    attention_standard_form,
    gauge_directions,
    spectra,
    with_rank,
)
from algzoo.zoo import FAMILIES, DistTransformer, zoo_2nd_argmax, zoo_longest_cycle

SIZES = [(2, 3), (4, 4), (3, 5)]


def all_functions(n):
    return torch.tensor(list(itertools.product(range(n), repeat=n)))


def centred(model, x):
    with torch.no_grad():
        logits = model(x).numpy()
    return logits - logits.mean(axis=1, keepdims=True)


def gauge_transformed(model, seed):
    """The same function written otherwise."""
    rng = np.random.default_rng(seed)
    d = model.hidden_size

    def regular():
        return torch.as_tensor(np.linalg.qr(rng.standard_normal((d, d)))[0] + 0.3 * np.eye(d))

    changed = copy.deepcopy(model).double()
    basis, shift = regular(), torch.as_tensor(rng.standard_normal(d))
    inverse = torch.linalg.inv(basis)
    with torch.no_grad():
        changed.embed.weight.copy_((changed.embed.weight + shift) @ basis)
        changed.pos_embed.weight.copy_((changed.pos_embed.weight - shift) @ basis)
        common = torch.as_tensor(rng.standard_normal(d))
        changed.unembed.weight.copy_((changed.unembed.weight + common) @ inverse.T)
        for attention in changed.attns:
            query, key, value = attention.in_proj_weight.split(d)
            one, other = regular(), regular()
            parts = (
                one @ query @ inverse.T,
                torch.linalg.inv(one).T @ key @ inverse.T,
                other @ value @ inverse.T,
            )
            attention.in_proj_weight.copy_(torch.cat(parts))
            out = basis.T @ attention.out_proj.weight @ torch.linalg.inv(other)
            attention.out_proj.weight.copy_(out)
    return changed


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [0, 1])
def test_folded_tables_give_the_logits_of_all_inputs(size, seed):
    model = zoo_longest_cycle(*size, seed=seed).double()
    x = all_functions(model.seq_len)
    expected = centred(model, x)
    found = fold(model).evaluate(x.numpy())
    assert np.abs(found.logits - expected).max() < 1e-5 * np.abs(expected).max()
    voted = found.own + (found.second[..., None] * found.votes).sum(axis=1)
    assert np.abs(voted - expected).max() < 1e-5 * np.abs(expected).max()
    assert len(found.by_path) == len(PATHS)


def test_folded_attention_is_that_of_pytorch():
    model = zoo_longest_cycle(4, 4, seed=1).double()
    x = all_functions(4)
    residual = model.embed(x) + model.pos_embed.weight
    patterns = []
    with torch.no_grad():
        for attention in model.attns:
            read, pattern = attention(residual, residual, residual, need_weights=True)
            patterns.append(pattern.numpy())
            residual = residual + read
    found = fold(model).evaluate(x.numpy())
    assert np.abs(found.first - patterns[0]).max() < 1e-9
    assert np.abs(found.second - patterns[1][:, -1]).max() < 1e-9


def test_attention_of_the_first_layer_can_be_replaced():
    model = zoo_longest_cycle(4, 4).double()
    x = all_functions(4).numpy()
    folded = fold(model)
    done = folded.evaluate(x)
    assert np.array_equal(folded.evaluate(x, done.first).logits, done.logits)
    even = folded.evaluate(x, np.full_like(done.first, 1 / 4)).logits
    assert np.allclose(even, centred(with_rank(model, 0, "QK", 0), all_functions(4)))


@pytest.mark.parametrize("size", SIZES)
def test_the_standard_form_gives_the_same_logits(size):
    model = zoo_longest_cycle(*size).double()
    x = all_functions(model.seq_len)
    expected = centred(model, x)
    found = centred(attention_standard_form(model), x)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_the_standard_form_does_not_depend_on_how_a_model_is_written(size, seed):
    model = zoo_longest_cycle(*size).double()
    other = gauge_transformed(model, seed)
    x = all_functions(model.seq_len)
    scale = np.abs(centred(model, x)).max()
    assert np.abs(centred(other, x) - centred(model, x)).max() < 1e-8 * scale
    ours, theirs = (attention_standard_form(m).state_dict() for m in (model, other))
    for key, weight in ours.items():
        assert torch.allclose(weight, theirs[key], rtol=1e-6, atol=1e-6 * weight.abs().max())


def test_what_the_standard_form_settles():
    standard = attention_standard_form(zoo_longest_cycle(4, 4))
    tokens, positions = standard.embed.weight.detach(), standard.pos_embed.weight.detach()
    cells = (positions[:, None] + tokens).reshape(-1, 4)
    assert torch.allclose(cells.T @ cells / 16, torch.eye(4, dtype=torch.float64), atol=1e-9)
    assert tokens.sum(0).abs().max() < 1e-9
    for along in torch.cat([positions, tokens]).T:
        assert along[along.abs().argmax()] > 0
    assert standard.unembed.weight.sum(0).abs().max() < 1e-9
    query, key, _ = standard.attns[0].in_proj_weight.detach().split(4)
    assert torch.equal(key, torch.eye(4, dtype=torch.float64))
    symmetric = (query + query.T) / 2
    diagonal = symmetric.diagonal()
    # What the last layer writes where the unembedding reads nothing.
    unread = torch.linalg.svd(standard.unembed.weight.detach())[2][3]
    first_value, last_value = (a.in_proj_weight.detach().split(4)[2] for a in standard.attns)
    assert (unread @ last_value).abs().max() < 1e-9 * last_value.abs().max()
    assert (unread @ first_value).abs().max() > 1e-2 * first_value.abs().max()
    assert torch.allclose(symmetric, torch.diag(diagonal), atol=1e-9 * diagonal.abs().max())
    assert diagonal.tolist() == sorted(diagonal.tolist(), reverse=True)


@pytest.mark.parametrize("size", [(2, 3), (4, 4)])
def test_gauge_directions_are_the_null_space_of_the_logits(size):
    torch.manual_seed(0)
    model = DistTransformer(*size, n_layers=2).double()  # trained: saturated
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    x = all_functions(model.seq_len)
    names = [name for name, _ in model.named_parameters()]

    def logits(*parameters):
        weights = dict(zip(names, parameters, strict=True))
        out = torch.func.functional_call(model, weights, (x,))
        return (out - out.mean(dim=1, keepdim=True)).flatten()

    jacobian = torch.autograd.functional.jacobian(logits, tuple(model.parameters()))
    matrix = torch.cat([part.flatten(1) for part in jacobian], dim=1)
    sizes = torch.linalg.svdvals(matrix)
    rank = int((sizes > 1e-10 * sizes[0]).sum())
    assert matrix.shape[1] - rank == gauge_directions(model)


def test_full_rank_changes_nothing_and_rank_0_takes_the_circuit_away():
    model = zoo_longest_cycle(4, 4).double()
    x = all_functions(4)
    assert np.allclose(centred(with_rank(model, 1, "OV", 4), x), centred(model, x))
    uniform = fold(with_rank(model, 0, "QK", 0)).evaluate(x.numpy())
    assert np.allclose(uniform.first, 1 / 4)
    nothing = fold(with_rank(model, 1, "OV", 0)).evaluate(x.numpy())
    assert np.allclose(nothing.logits, nothing.own)


def test_spectra_are_those_of_truncated_models():
    model = zoo_longest_cycle(4, 4).double()
    sizes = spectra(model)
    assert set(sizes) == {(layer, circuit) for layer in (0, 1) for circuit in ("QK", "OV")}
    for (layer, circuit), expected in sizes.items():
        truncated = with_rank(model, layer, circuit, 1).attns[layer].in_proj_weight
        rows = slice(0, 4) if circuit == "QK" else slice(8, 12)
        scale = 2 if circuit == "QK" else 1  # the root of hidden_size
        norm = torch.linalg.norm(truncated[rows]).item() / scale
        assert norm == pytest.approx(expected[0])


def test_what_is_refused():
    with pytest.raises(ValueError, match="span"):
        attention_standard_form(zoo_longest_cycle(6, 3))
    with pytest.raises(ValueError, match="two layers"):
        fold(DistTransformer(4, 3, n_layers=1))
    with pytest.raises(TypeError, match="DistRNN"):
        fold(zoo_2nd_argmax(2, 2))
    folded = fold(zoo_longest_cycle(2, 3))
    for refused in ([[0, 1, 3]], [[0, -1, 2]], [[0, 1]], [[2]], [0, 1, 2], [[0.0, 1.0, 2.0]], 1):
        with pytest.raises(ValueError, match="Inputs are integers 0 to 2 of shape"):
            folded.evaluate(refused)
    assert folded.evaluate([[0, 1, 2], [2, 0, 0]]).logits.shape == (2, 3)
    for layer, rank in ((0, -1), (1, -1), (2, 0), (-1, 1)):
        with pytest.raises(ValueError, match=f"got layer {layer}, rank {rank}"):
            with_rank(zoo_longest_cycle(2, 3), layer, "QK", rank)


@pytest.mark.parametrize(("share", "there"), [(1e-9, True), (1e-11, False)])
def test_an_axis_of_the_embeddings_is_absent_below_a_share_of_1e_10(share, there):
    model = zoo_longest_cycle(4, 4).double()
    with torch.no_grad():
        cells = (model.pos_embed.weight[:, None] + model.embed.weight).reshape(-1, 4)
        moments, axes = torch.linalg.eigh(cells.T @ cells / 16)
        size = (torch.tensor([share, 1e-4, 0.5, 1.0]).double() / moments).sqrt()
        for weight in (model.pos_embed.weight, model.embed.weight):
            weight.copy_(weight @ axes * size)
    if there:
        assert attention_standard_form(model).hidden_size == 4
    else:
        with pytest.raises(ValueError, match="do not span"):
            attention_standard_form(model)


def test_every_size_of_the_zoo_has_a_standard_form_or_says_why_not():
    for d, n in FAMILIES["longest_cycle"].sizes():
        model = zoo_longest_cycle(d, n)
        if d <= 2 * n - 1:
            assert attention_standard_form(model).hidden_size == d
        else:
            with pytest.raises(ValueError, match=f"hidden_size {d}"):
                attention_standard_form(model)


@pytest.mark.parametrize("size", [(4, 4), (6, 4), (8, 5)])
def test_what_rounding_leaves_of_a_sum_of_rows_is_not_read(size):
    """A vector added to all rows of the unembedding changes no answer, but the rows' rounding."""
    model = zoo_longest_cycle(*size, seed=1).double()
    expected = spectra(model)[1, "OV"]
    n_read = size[1] - 1
    assert (expected[:n_read] > 1e-3 * expected[0]).all()
    assert (expected[n_read:] == 0).all()
    with torch.no_grad():
        model.unembed.weight += 1e5 * torch.arange(1.0, size[0] + 1).double()
    np.testing.assert_allclose(spectra(model)[1, "OV"], expected, rtol=1e-7)
    value = attention_standard_form(model).attns[1].in_proj_weight.detach()[2 * size[0] :]
    assert int((torch.linalg.svdvals(value) > 1e-9 * expected[0]).sum()) == n_read
