import json
import runpy
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from algzoo.chapters.figures import play_page, spherical
from algzoo.estimates import exact
from algzoo.explanations.median_h2_n2.mean_of_two import forgetful_limit
from algzoo.explanations.second_argmax_h4_n3.lambda_family import lambda_error
from algzoo.structure import weights_of
from algzoo.zoo import DistRNN, ScalarRNN, handcrafted_2nd_argmax, zoo_2nd_argmax

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "book" / "_static"
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def committed():
    page = BeautifulSoup((ROOT / play_page.PLACE).read_text("utf-8"), "html.parser")
    return json.loads(page.find(id="play-data").string)


@pytest.fixture(scope="module")
def cases():
    return runpy.run_path(str(ROOT / "tests" / "promises" / "play_cases.py"))["cases"]()


def in_node(program, given):
    """Result of a JavaScript function of what is given, in Node.js, through JSON."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js; `make play` runs the same cases in Chromium")
    script = f"""
        const network = require("./network.js");
        const {{ wedges, error }} = require("./wedges.js");
        const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
        console.log(JSON.stringify(({program})(given)));
    """
    done = subprocess.run(
        [node, "-e", script],
        cwd=STATIC,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def model_of(weights, kind=DistRNN):
    w_hi, w_hh, w_oh = (
        torch.tensor(weights[name], dtype=torch.float64) for name in ("w_hi", "w_hh", "w_oh")
    )
    model = kind(len(w_hh), 2 if kind is ScalarRNN else len(w_oh)).double()
    matrices = (w_hi[:, None], w_hh, w_oh)
    model.load_state_dict(dict(zip(model.state_dict(), matrices, strict=True)))
    return model


def test_the_book_has_what_the_code_gives():
    now = play_page.fragment(play_page.data())
    assert (ROOT / play_page.PLACE).read_text("utf-8") == now, (
        "the page moved: python -m algzoo.chapters.figures.play_page writes it again"
    )


def test_the_printed_pictures_are_those_of_the_data(committed):
    pictures = play_page.pictures(committed)
    assert {path.name for path in (ROOT / play_page.PICTURES).iterdir()} == pictures.keys()
    for name, picture in pictures.items():
        in_book = (ROOT / play_page.PICTURES / name).read_text("utf-8")
        if f"Matplotlib v{mpl.__version__}," in in_book:  # others place texts differently
            assert in_book == picture, name
        else:
            assert in_book.count("<path") == picture.count("<path"), name


def test_logits_in_javascript_are_those_of_the_package(cases):
    for network in cases["networks"]:
        found = in_node(
            "({ weights, inputs }) => inputs.map((x) => network.outputs(weights, x))", network
        )
        scale = np.abs(network["outputs"]).max()
        assert np.abs(np.subtract(found, network["outputs"])).max() < TOLERANCE * scale
        if len(network["weights"]["w_oh"]) > 1:
            found = in_node("({ outputs }) => outputs.map(network.answer)", network)
            assert found == network["answers"]
        found = in_node("({ inputs }) => inputs.map((x) => network.ranking(x)[1])", network)
        assert found == network["right"]


def test_equal_logits_are_answered_as_by_argmax():
    logits = [[0.0, 0.0, 0.0], [-1.0, 2.0, 2.0], [-3.0, -4.0, -3.0]]
    assert in_node("(all) => all.map(network.answer)", logits) == [0, 1, 0]
    assert np.argmax(logits, axis=1).tolist() == [0, 1, 0]


def test_states_are_those_of_the_recurrent_layer():
    model = zoo_2nd_argmax(16, 10).double()
    x = np.random.default_rng(1).standard_normal(10)
    weights = {name: m.tolist() for name, m in weights_of(model)._asdict().items()}
    found = in_node("([weights, x]) => network.states(weights, x)", [weights, x.tolist()])
    with torch.no_grad():
        states, _ = model.rnn(torch.tensor(x)[None, :, None])
    assert found[0] == [0.0] * 16
    assert np.abs(found[1:] - states[0].numpy()).max() < TOLERANCE * float(states.max())


def test_the_exact_error_and_the_wedges_in_javascript_are_those_of_the_package(cases):
    given = [plane["weights"] for plane in cases["planes"]]
    assert len(given) > 300
    found = in_node(
        """(planes) => planes.map((weights) => {
            const all = wedges(weights);
            return [error(all), all.map(({ from, to, a0, a1 }) => [from, to, a0, a1])];
        })""",
        given,
    )
    for plane, (error, wedges) in zip(cases["planes"], found, strict=True):
        assert abs(error - plane["error"]) < TOLERANCE
        assert len(wedges) == len(plane["wedges"])
        scale = max(1, np.abs(plane["wedges"]).max())
        assert np.abs(np.subtract(wedges, plane["wedges"])).max() < TOLERANCE * scale


def test_wrong_parts_of_wedges_are_where_the_network_is_wrong(cases):
    """By the network itself, in random directions."""
    given = [plane["weights"] for plane in cases["planes"][:40]]
    parts = in_node("(all) => all.map((w) => wedges(w).flatMap(({ wrong }) => wrong))", given)
    angles = np.random.default_rng(2).uniform(-np.pi / 2, 3 * np.pi / 2, 400)
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    n_wrong = 0
    for weights, sectors in zip(given, parts, strict=True):
        with torch.no_grad():
            logits = model_of(weights)(torch.tensor(x)).numpy()
        wrong = logits.argmax(1) != (x[:, 0] > x[:, 1])
        inside = np.zeros(len(x), bool)
        for first, second in sectors:
            inside |= (first < angles) & (angles < second)
        assert (wrong == inside).all()
        n_wrong += wrong.sum()
    assert n_wrong > 1000


def test_the_start_of_each_figure_is_the_books_own_model(committed):
    presets = committed["plane"]["presets"]
    errors = {name: 1 - exact(model_of(weights)).value for name, weights in presets.items()}
    assert errors["trained"] == 1 - exact(zoo_2nd_argmax(2, 2)).value
    assert errors["standard form"] == pytest.approx(errors["trained"], rel=1e-9)
    assert errors["handcrafted"] == 0
    steps = committed["steps"]
    bundled = zoo_2nd_argmax(16, 10, seed=steps["seed"])
    assert steps["weights"]["w_hh"] == weights_of(bundled).w_hh.tolist()
    assert len(steps["inputs"]) == bundled.seq_len
    assert np.array(committed["frame"]) == pytest.approx(spherical.FRAME)


def test_the_film_of_m43_is_told_by_its_weights(committed):
    film = committed["training"]
    assert len(film) == 12
    lambdas = [one["lambda"] for one in film]
    assert lambdas[0] is None  # as the page says
    assert all(before < after for before, after in pairwise(lambdas[1:]))
    for checkpoint in film:
        error = 1 - exact(model_of(checkpoint["weights"])).value
        assert checkpoint["error"] == pytest.approx(error, rel=1e-5)
        if checkpoint["lambda"]:
            expected = lambda_error(checkpoint["lambda"])
            assert checkpoint["formula"] == pytest.approx(expected, rel=1e-4)
    assert committed["family"]["trained"] == {key: film[-1][key] for key in ("lambda", "error")}
    member = handcrafted_2nd_argmax(3, lam=film[-1]["lambda"], dtype=torch.float64)
    assert film[-1]["formula"] == pytest.approx(1 - exact(member).value, rel=1e-4)


def test_the_stuck_runs_of_the_median_are_told_by_their_weights(committed):
    valley = committed["valley"]
    assert [run["seed"] for run in valley["runs"] if run["stuck"]] == [1, 3, 4]
    for run in valley["runs"]:
        for n, checkpoint in enumerate(run["checkpoints"]):
            error = exact(model_of(checkpoint["weights"], ScalarRNN)).value
            assert checkpoint["error"] == pytest.approx(error, rel=0.006)
            assert ("gate" in checkpoint) == (run["stuck"] and n >= 3)
            if "gate" in checkpoint:
                assert checkpoint["excess"] == pytest.approx(error - forgetful_limit(), rel=1e-4)
                w = model_of(checkpoint["weights"], ScalarRNN)
                # What the second step receives per unit of the first input, in standard form.
                hi, hh = w.rnn.weight_ih_l0[:, 0], w.rnn.weight_hh_l0
                drive = (hh @ hi) / hi
                assert checkpoint["gate"] == pytest.approx(-drive.min().item(), rel=1e-5)
        assert (run["checkpoints"][-1]["error"] > 0.1) == run["stuck"]
