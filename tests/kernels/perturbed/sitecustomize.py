import importlib.abc
import importlib.machinery
import os
import sys


class _Changed(importlib.abc.Loader):
    def __init__(self, loader, change):
        self.loader, self.change = loader, change

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.change(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in CHANGES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = _Changed(spec.loader, CHANGES[name])
        return spec


def _doubled(module):
    load_into = module.load_into

    def changed(model, state, name):
        import torch

        load_into(model, state, name)
        model.double()
        g = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1 + 1e-15 * (2.0 * torch.randint(2, p.shape, generator=g) - 1))

    module.load_into = changed


def _tag(module):
    load_into = module.load_into

    def changed(model, state, name):
        load_into(model, state, name)
        model._perturbed = True

    module.load_into = changed


def _weights(module):
    weights_of = module.weights_of

    def changed(model):
        w = weights_of(model)
        if getattr(model, "_perturbed", False):
            import numpy as np

            g = np.random.default_rng(0)
            w = type(w)(*(m * (1 + 1e-15 * g.choice([-1, 1], m.shape)) for m in w))
        return w

    module.weights_of = changed


CHANGES = (
    {"algzoo.zoo.loading": _doubled}
    if os.environ.get("HOW") == "double"
    else {"algzoo.zoo.loading": _tag, "algzoo.structure.weights": _weights}
)
sys.meta_path.insert(0, _Finder())
