"""A worked entry: each pair of positions has the two largest equally often."""

import torch

from algzoo.estimates import Estimate
from algzoo.scoring import Entrant


def estimate(model, scramble, each=8):
    """Share of right answers, on as many inputs for each pair of positions."""
    n, d = model.seq_len, model.hidden_size
    generator = torch.Generator().manual_seed(scramble)
    positions = range(n)
    pairs = [(i, j) for i in positions for j in positions if i != j] * each
    inputs = torch.empty(len(pairs), n)
    for row, (first, second) in enumerate(pairs):
        numbers = torch.randn(n, generator=generator).sort(descending=True).values
        others = [k for k in positions if k not in (first, second)]
        shuffled = torch.randperm(n - 2, generator=generator).tolist()
        inputs[row, [first, second, *(others[k] for k in shuffled)]] = numbers
    answers = torch.tensor([second for _, second in pairs])
    right = model(inputs).argmax(1) == answers
    # The multiply-adds of the forward passes.
    operations = len(pairs) * (n * d * (d + 1) + n * d)
    return Estimate(right.double().mean().item(), operations, "random inputs")


entry = Entrant(
    "same share for each pair",
    estimate,
    exact="converges",
    constants="none",
    tuned_on="nothing",
    scrambles=True,
)
