"""Weights and configuration of a model for TransformerLens.

TransformerLens has transformers of the architecture of longest cycle: attention alone, in both
directions, position embeddings, neither biases nor layer normalization. It has no recurrent
networks; for these the file is for the module of :mod:`.hooked`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from ..architectures import AttentionOnlyTransformer, Model, OneLayerRNN
from .portable import check_portable

LOADER = Path(__file__).with_name("hooked.py")
"""The module that loads the file; it imports nothing of this package."""


def as_transformer_lens(model: Model) -> bytes:
    """Return the content of a safetensors file that :func:`.hooked.load` reads.

    Its metadata have the entry ``config``, in JSON. For a transformer, that is TransformerLens'
    configuration, and the weights have the names and shapes of TransformerLens: ``embed.W_E``,
    ``blocks.0.attn.W_Q`` of shape (n_heads, d_model, d_head), and so on. Its biases are zero. For a
    recurrent model, the configuration has the three sizes, and the weights are called ``W_hi``,
    ``W_hh`` and ``W_oh``.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`.check_portable`.
    """
    check_portable(model)
    config, state = _recurrent(model) if isinstance(model, OneLayerRNN) else _transformer(model)
    plain = {key: weight.detach().cpu().contiguous() for key, weight in state.items()}
    # With a second entry the file would not be the same each time: safetensors shuffles them.
    content: bytes = safetensors.torch.save(plain, {"config": json.dumps(config)})
    return content


_Parts = tuple[dict[str, Any], dict[str, Tensor]]  # configuration and weights


def _recurrent(model: OneLayerRNN) -> _Parts:
    config = {
        "hidden_size": model.hidden_size,
        "seq_len": model.seq_len,
        "output_size": model.output_size,
    }
    weights = model.state_dict()
    state = {
        "W_hi": weights["rnn.weight_ih_l0"],
        "W_hh": weights["rnn.weight_hh_l0"],
        "W_oh": weights["linear.weight"],
    }
    return config, state


def _transformer(model: AttentionOnlyTransformer) -> _Parts:
    d, heads = model.hidden_size, model.n_heads
    config = {
        "n_layers": model.n_layers,
        "n_heads": heads,
        "d_model": d,
        "d_head": d // heads,
        "n_ctx": model.seq_len,
        "d_vocab": model.input_range,
        "d_vocab_out": model.output_size,
        "attn_only": True,
        "attention_dir": "bidirectional",
        "normalization_type": None,
        "positional_embedding_type": "standard",
        "use_attn_scale": True,
        "init_weights": False,
    }
    zeros = torch.zeros_like
    weights = model.state_dict()
    state = {
        "embed.W_E": model.embed.weight,
        "pos_embed.W_pos": model.pos_embed.weight,
        "unembed.W_U": model.unembed.weight.T,
        "unembed.b_U": zeros(model.unembed.weight[:, 0]),
    }
    for layer in range(model.n_layers):
        block = f"blocks.{layer}.attn"
        for name, weight in zip(
            "QKV", weights[f"attns.{layer}.in_proj_weight"].chunk(3), strict=True
        ):
            per_head = weight.reshape(heads, d // heads, d)
            state[f"{block}.W_{name}"] = per_head.transpose(1, 2)
            state[f"{block}.b_{name}"] = zeros(per_head[..., 0])
        out = weights[f"attns.{layer}.out_proj.weight"]
        state[f"{block}.W_O"] = out.T.reshape(heads, d // heads, d)
        state[f"{block}.b_O"] = zeros(out[:, 0])
    return config, state
