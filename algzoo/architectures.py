"""Architectures, under the name of ARC's module; see :mod:`algzoo.zoo.architectures`."""

from .zoo.architectures import (
    AttentionOnlyTransformer,
    DistRNN,
    DistTransformer,
    OneLayerRNN,
    ScalarRNN,
    ScalarTransformer,
)

__all__ = [
    "AttentionOnlyTransformer",
    "DistRNN",
    "DistTransformer",
    "OneLayerRNN",
    "ScalarRNN",
    "ScalarTransformer",
]
