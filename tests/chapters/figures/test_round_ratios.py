from algzoo.chapters.figures.patterns import patterns_against_inputs
from algzoo.chapters.figures.round_ratios import round_ratios
from algzoo.explanations.arcs_post import PatternsMet
from algzoo.scoring import Ratio
from algzoo.scoring.compute.entries import Result


def result(samples, value, low, high):
    ratio = Ratio(value, low, high)
    return Result("p", 0, 1, samples * 10, samples, 0.0, 0.1, ratio, None, None, None, 10, (0.5,))


def test_budgets_of_an_estimator_are_one_curve_and_far_ratios_are_on_the_edge():
    results = {
        "leaves, 512 points": result(4000.0, 0.2, 0.1, 0.3),
        "leaves, 32 points": result(300.0, 0.4, 0.2, 0.7),
        "closure": result(400.0, 1200.0, 1100.0, 1300.0),
    }
    figure = round_ratios({"0.005": results, "0.01": results})
    assert [ax.get_title() for ax in figure.axes] == ["0.005", "0.01"]
    for ax in figure.axes:
        one, leaves, closure = ax.lines
        assert list(one.get_ydata()) == [1, 1]
        assert leaves.get_xdata().tolist() == [300, 4000]
        assert leaves.get_ydata().tolist() == [0.4, 0.2]
        assert closure.get_ydata().tolist() == [20]
        assert ax.get_xlabel() == "cost in random inputs"
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["leaves", "closure"]


def test_patterns_are_drawn_beside_the_diagonal_on_which_every_input_has_its_own():
    met = {"(2, 2)": [PatternsMet(100, 6, 0), PatternsMet(1000, 6, 0)]}
    [ax] = patterns_against_inputs(met).axes
    curve, diagonal = ax.lines
    assert curve.get_xdata().tolist() == diagonal.get_xdata() == [100, 1000]
    assert curve.get_ydata().tolist() == [6, 6]
    assert diagonal.get_ydata() == [100, 1000]
    assert [text.get_text() for text in ax.texts] == ["(2, 2)"]
