"""The four architectures of AlgZoo, with the state-dict keys of ARC's weight files.

They are ReLU RNNs without biases (2nd argmax, argmedian, median) and attention-only transformers
(longest cycle). A *Dist* model returns one logit per position, a *Scalar* model a single number.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, and the README of its
repository.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class _OnOneDevice(nn.Module):
    """Module whose weights share one device and one number type, those of its readout."""

    @property
    def _readout(self) -> nn.Module | None:
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Device on which the weights are stored."""
        return self._a_weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Number type of the weights."""
        return self._a_weight.dtype

    @property
    def _a_weight(self) -> Tensor:
        """Weight of the readout, or any other weight if the readout was replaced."""
        weight = getattr(self._readout, "weight", None)
        return weight if isinstance(weight, Tensor) else next(self.parameters(), torch.empty(0))


class OneLayerRNN(_OnOneDevice):
    """ReLU RNN that reads one number per step, with a linear readout of its last state.

    ``h[0] = 0``, ``h[t+1] = ReLU(W_hh h[t] + W_hi x[t])``, ``output = W_oh h[n]``.

    State-dict keys: ``rnn.weight_ih_l0`` is W_hi, shape (hidden_size, 1); ``rnn.weight_hh_l0`` is
    W_hh, shape (hidden_size, hidden_size); ``linear.weight`` is W_oh, shape (output_size,
    hidden_size).
    """

    seq_len: int
    task_name: str

    def __init__(self, hidden_size: int, output_size: int, bias: bool = False) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.bias = bias
        self.rnn = nn.RNN(1, hidden_size, nonlinearity="relu", bias=bias, batch_first=True)
        self.linear = nn.Linear(hidden_size, output_size, bias=bias)

    @property
    def _readout(self) -> nn.Module | None:
        return self._modules.get("linear")

    def forward(self, x: Tensor, init_state: Tensor | None = None) -> Tensor:
        """Map sequences (batch, seq_len) to outputs (batch, output_size).

        ``init_state`` is the hidden state before the first input, shape (1, batch, hidden_size);
        the default is zero. A single sequence (seq_len,), with a state (1, hidden_size), gives
        (output_size,).
        """
        _, last_state = self.rnn(x.unsqueeze(-1), init_state)
        output: Tensor = self.linear(last_state.squeeze(0))
        return output


class DistRNN(OneLayerRNN):
    """RNN with one logit per position, for the tasks 2nd argmax and argmedian.

    Examples
    --------
    >>> import torch
    >>> model = DistRNN(hidden_size=4, seq_len=3)
    >>> model(torch.randn(10, 3)).shape
    torch.Size([10, 3])
    """

    task_name = "2nd_argmax"

    def __init__(self, hidden_size: int, seq_len: int, bias: bool = False) -> None:
        super().__init__(hidden_size, seq_len, bias=bias)
        self.seq_len = seq_len


class ScalarRNN(OneLayerRNN):
    """RNN with a single output, for the median task.

    Examples
    --------
    >>> import torch
    >>> model = ScalarRNN(hidden_size=4, seq_len=3)
    >>> model(torch.randn(10, 3)).shape
    torch.Size([10, 1])
    """

    task_name = "median"

    def __init__(self, hidden_size: int, seq_len: int, bias: bool = False) -> None:
        super().__init__(hidden_size, 1, bias=bias)
        self.seq_len = seq_len


class AttentionOnlyTransformer(_OnOneDevice):
    """Attention-only transformer: embeddings, attention layers, readout at the last position.

    The input is the sum of a token embedding and a position embedding; each attention layer adds
    its output to the residual stream.

    State-dict keys: ``embed.weight`` (input_range, hidden_size), ``pos_embed.weight`` (seq_len,
    hidden_size), ``attns.L.in_proj_weight`` (3 hidden_size, hidden_size),
    ``attns.L.out_proj.weight`` (hidden_size, hidden_size), ``unembed.weight`` (output_size,
    hidden_size).
    """

    task_name: str

    def __init__(
        self,
        input_range: int,
        seq_len: int,
        hidden_size: int,
        output_size: int,
        n_layers: int = 1,
        n_heads: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.input_range = input_range
        self.seq_len = seq_len
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.bias = bias
        self.embed = nn.Embedding(input_range, hidden_size)
        self.pos_embed = nn.Embedding(seq_len, hidden_size)
        self.attns = nn.ModuleList(
            nn.MultiheadAttention(hidden_size, n_heads, bias=bias, batch_first=True)
            for _ in range(n_layers)
        )
        self.unembed = nn.Linear(hidden_size, output_size, bias=bias)

    @property
    def _readout(self) -> nn.Module | None:
        return self._modules.get("unembed")

    def forward(self, x: Tensor) -> Tensor:
        """Map integer sequences (batch, seq_len) to outputs (batch, output_size).

        A single sequence (seq_len,) gives (1, output_size).
        """
        positions = torch.arange(x.shape[-1], device=x.device).unsqueeze(0)
        residual = self.embed(x) + self.pos_embed(positions)
        for attention in self.attns:
            residual = residual + attention(residual, residual, residual, need_weights=False)[0]
        # Hooks on the readout see an axis of positions, as in ARC's model, which reads out all.
        outputs: Tensor = self.unembed(residual[:, -1:])
        return outputs[:, -1]


class DistTransformer(AttentionOnlyTransformer):
    """Transformer with ``seq_len`` logits, for the longest-cycle task.

    Examples
    --------
    >>> import torch
    >>> model = DistTransformer(hidden_size=4, seq_len=3, n_layers=2)
    >>> model(torch.tensor([[1, 2, 0], [0, 0, 0]])).shape
    torch.Size([2, 3])
    """

    task_name = "longest_cycle"

    def __init__(
        self,
        hidden_size: int,
        seq_len: int,
        input_range: int | None = None,
        n_layers: int = 1,
        n_heads: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(
            seq_len if input_range is None else input_range,
            seq_len,
            hidden_size,
            seq_len,
            n_layers=n_layers,
            n_heads=n_heads,
            bias=bias,
        )


class ScalarTransformer(AttentionOnlyTransformer):
    """Transformer with a single output; ARC's package has it, but no family of the zoo uses it.

    Examples
    --------
    >>> import torch
    >>> model = ScalarTransformer(hidden_size=4, seq_len=3)
    >>> model(torch.tensor([[1, 2, 0], [0, 0, 0]])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        hidden_size: int,
        seq_len: int,
        input_range: int | None = None,
        n_layers: int = 1,
        n_heads: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(
            seq_len if input_range is None else input_range,
            seq_len,
            hidden_size,
            1,
            n_layers=n_layers,
            n_heads=n_heads,
            bias=bias,
        )


Model = OneLayerRNN | AttentionOnlyTransformer
"""Any model of the zoo."""
