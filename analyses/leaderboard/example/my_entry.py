"""A worked entry: the two largest numbers are equally often at each pair of positions."""

import torch

from algzoo.estimates import Estimate
from algzoo.scoring import Entrant


def estimate(model, scramble, each=8):
    """Share of right answers on random inputs, as many for each pair of positions."""
    n, d = model.seq_len, model.hidden_size
    generator = torch.Generator().manual_seed(scramble)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j] * each
    inputs = torch.empty(len(pairs), n)
    for row, (first, second) in enumerate(pairs):
        numbers = torch.randn(n, generator=generator).sort(descending=True).values
        others = [k for k in range(n) if k not in (first, second)]
        shuffled = torch.randperm(n - 2, generator=generator).tolist()
        inputs[row, [first, second, *(others[k] for k in shuffled)]] = numbers
    right = model(inputs).argmax(1) == torch.tensor([second for _, second in pairs])
    operations = len(pairs) * (n * d * (d + 1) + n * d)  # multiply-adds of the forward passes
    return Estimate(right.double().mean().item(), operations, "random inputs")


entry = Entrant(
    "same share for each pair",
    estimate,
    exact="converges",
    constants="none",
    tuned_on="nothing",
    scrambles=True,
)
