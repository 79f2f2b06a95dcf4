"""The gallery of networks whose weights were written by hand: each with its idea and its score.

Matrices and scores are computed when the book is built; the ideas are those of the docstrings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from ..estimates import exact, exhaustive_accuracy, sampling
from ..zoo import (
    DistTransformer,
    Model,
    handcrafted_2nd_argmax,
    leave_one_out_2nd_argmax,
    positive_top_two_2nd_argmax,
    top_two_2nd_argmax,
)
from ..zoo.handcrafted.argmedian import least_distance_argmedian, ranking_argmedian
from ..zoo.handcrafted.longest_cycle import handcrafted_longest_cycle
from ..zoo.handcrafted.median import forgetful_median, handcrafted_median
from .figures.weights import explained, matrices_of, matrices_text

_N_INPUTS = 2**18  # random inputs for scores that cannot be computed exactly


@dataclass(frozen=True)
class Handcrafted:
    """A network of the gallery.

    Attributes
    ----------
    title
        Its heading.
    build
        The function that makes networks of this kind.
    values
        Values of its parameters for the one that is shown.
    idea
        How it works, in Markdown.
    """

    title: str
    build: Callable[..., Model]
    values: dict[str, float] = field(default_factory=dict)
    idea: str = ""

    @property
    def call(self) -> str:
        """The call that makes the network that is shown."""
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.build.__name__}({values})"


GALLERY = (
    Handcrafted(
        "2nd argmax of two",
        handcrafted_2nd_argmax,
        {"seq_len": 2},
        "After both inputs the state is $(\\mathrm{ReLU}(x_1-x_0), \\mathrm{ReLU}(x_0-x_1))$: one "
        "neuron is on, and says which input is the larger. The readout gives the other position "
        "the higher logit.",
    ),
    Handcrafted(
        "2nd argmax of three",
        handcrafted_2nd_argmax,
        {"seq_len": 3},
        "The state holds the sizes of two differences of inputs, mixed with a factor "
        "$\\lambda=100$, and they tell the three possible orders apart. It errs in wedges that "
        "become narrow as $\\lambda$ grows. [The chapter on "
        "M4,3](../analyses/second_argmax_h4_n3.ipynb) relates the trained model to it.",
    ),
    Handcrafted(
        "2nd argmax of ten",
        handcrafted_2nd_argmax,
        {"seq_len": 10},
        "Logit $i$ is the larger of 0 and $x_i$, plus twice the largest of 0 and all inputs but "
        "$x_i$: leaving one out lowers this maximum only for the largest input. The model is right "
        "if the second-largest number is positive.",
    ),
    Handcrafted(
        "2nd argmax of any length, leaving one out",
        leave_one_out_2nd_argmax,
        {"seq_len": 5},
        "ARC's model of ten inputs for any number of them, with two neurons for each input and two "
        "more. Its accuracy is a fraction that `leave_one_out_accuracy` computes.",
    ),
    Handcrafted(
        "2nd argmax of any length, by the two largest",
        top_two_2nd_argmax,
        {"seq_len": 10},
        "Twelve neurons, whatever the length, keep the two largest numbers so far and how long ago "
        "each was read. Choices are steep ramps, so that the weights are large and cancel; a "
        "relative error of $10^{-5}$ in each of them costs two fifths of the right answers.",
    ),
    Handcrafted(
        "2nd argmax of any length, by the two largest and zero",
        positive_top_two_2nd_argmax,
        {"seq_len": 10},
        "The same with zero among the numbers, which saves signs and the first step: eight "
        "neurons. It is wrong if the second-largest number is negative.",
    ),
    Handcrafted(
        "Argmedian by distances",
        least_distance_argmedian,
        {"seq_len": 5},
        "The median is the input whose distances to all others have the least sum, and a distance "
        "is a sum of two ReLUs. The neurons hold the differences of all pairs of inputs, so that "
        "their number grows as half the square of the length; the weights are whole numbers.",
    ),
    Handcrafted(
        "Argmedian by ranking",
        ranking_argmedian,
        {"seq_len": 5},
        "It keeps the largest numbers so far, down to the median, and their ages, with about two "
        "neurons for each input. It errs where an input is on the ramp with which a choice is "
        "made.",
    ),
    Handcrafted(
        "Median of two",
        handcrafted_median,
        {"seq_len": 2},
        "A number $y$ is $\\mathrm{ReLU}(y)-\\mathrm{ReLU}(-y)$, so that two neurons can hold the "
        "sum of the inputs. The output is half of it.",
    ),
    Handcrafted(
        "Median of three",
        handcrafted_median,
        {"seq_len": 3},
        "The median is the last input, clipped to the interval between the smaller and the larger "
        "of the first two. Both ends of this interval are linear functions of the state.",
    ),
    Handcrafted(
        "Median of two that forgets",
        forgetful_median,
        {"gate": 1.0},
        "Both input weights are positive, so that the first input is lost where it is negative. "
        "Some training seeds end like this; the readout makes the best of what is left.",
    ),
    Handcrafted(
        "Longest cycle of three points",
        handcrafted_longest_cycle,
        {"seq_len": 3},
        "Each position holds an arrow from a point to its image, and positions attend to each "
        "other where their arrows agree. The attention that the last position receives is "
        "different for cycles of one, two and three, and three lines read it off.",
    ),
)


def handcrafted_gallery() -> str:
    """Write the networks of the gallery in Markdown, below headings of the second level."""
    return "\n\n".join(map(_network, GALLERY)) + "\n"


def _network(one: Handcrafted) -> str:
    model = one.build(**one.values)
    n_weights = sum(weight.numel() for weight in model.parameters())
    parts = [
        f"## {one.title}",
        one.idea,
        f"{{py:obj}}`{one.call} <{one.build.__module__}.{one.build.__name__}>` has "
        f"{n_weights:,} weights and {model.hidden_size} neurons. {_score(model)}",
        matrices_text(matrices_of(model)),
    ]
    if isinstance(model, DistTransformer):
        parts.insert(3, explained(model))
    return "\n\n".join(parts)


def _score(model: Model) -> str:
    """Say in a sentence how good a model is."""
    if model.task_name == "longest_cycle":
        n_functions = model.seq_len**model.seq_len
        right = round(exhaustive_accuracy(model) * n_functions)
        return f"It is right on {right} of {n_functions} functions."
    if model.seq_len <= 3:
        value = exact(model).value
        if model.task_name == "median":
            return f"Its root mean squared error is {math.sqrt(value):.4f}, computed exactly."
        return f"Its accuracy is {value:.6f}, computed exactly."
    value = sampling(model, _N_INPUTS, 0).value
    return f"Its accuracy is {value:.4f}, on {_N_INPUTS:,} random inputs."
