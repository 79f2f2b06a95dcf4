"""Models in the formats of other tools, with the same outputs up to rounding.

Each function takes a model and returns the content of a file:

* :func:`as_safetensors`: the weights under ARC's keys, which PyTorch and this package read;
* :func:`as_onnx`: a graph that ONNX Runtime and other engines run without PyTorch;
* :func:`as_transformer_lens`: weights and configuration for :mod:`.hooked`, a module with named
  hook points. A copy of that module goes beside the file, because it needs nothing of this package.
"""

from .onnx_graph import as_onnx
from .safetensors_file import as_safetensors
from .transformer_lens_file import LOADER, as_transformer_lens

__all__ = ["LOADER", "as_onnx", "as_safetensors", "as_transformer_lens"]
