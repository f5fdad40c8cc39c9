"""Weights as 8-bit integers, on CPUs: a quarter of the memory, and faster without bfloat16.

Weights are rounded once, inputs at each call, both by row. In encoders a few rows, those of special tokens above all,
hold values many times as large as the others (Dettmers et al. 2022, arXiv 2208.07339); rounded by one scale for all
rows, as torch's dynamic quantization does it, little of the others would be left. Inputs are rounded between the least
and the largest of their row, since behind an activation most are on one side of zero.
"""

import warnings
from typing import Any, Iterator, NamedTuple, Optional, Tuple

import torch

from ....errors import BionerError, Errors
from .freed_memory import FreedMemory

_MOST = 127
# Inputs, moved to -1 to 1, become 0 to 127. One bit is left out: processors without VNNI add pairs of products in 16
# bits.
_STEP, _ZERO = 2 / 127, 64
# Not the dynamic product, which takes the step from the ends of all rows: a row would then depend on the others.
_PRODUCT = "linear_with_input_q_dq_qweight_dq_output_fp32"
# Half the range of a row, at least: a row of equal values has none to be divided by.
_LEAST = 1e-30


class Int8Linear(torch.nn.Module):
    """A linear layer with 8-bit weights.

    inputs (int): Width of the input.
    outputs (int): Width of the output.
    has_bias (bool): Whether something is added.
    """

    def __init__(self, inputs: int, outputs: int, *, has_bias: bool) -> None:
        super().__init__()
        self.weight = _fixed(torch.zeros(outputs, inputs, dtype=torch.int8))
        self.scale = _fixed(torch.ones(outputs))
        self.bias = _fixed(torch.zeros(outputs)) if has_bias else None
        self._packed: Optional[_Packed] = None

    def fill(self, linear: torch.nn.Linear) -> "Int8Linear":
        """Return this layer with the rounded weights of a float layer."""
        self.weight.data, self.scale.data = _round_rows(linear.weight.detach().float())
        if self.bias is not None:
            self.bias.data = linear.bias.detach().float()
        return self

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the outputs, as float32.

        values (torch.Tensor): Any number of dimensions, the last one of the width of the input.
        """
        if self._packed is None:
            # Thinc and torch may move or fill the weights until the first use.
            self._packed = _pack(self.weight, self.scale)
        found = _multiply(values, self._packed)
        return found if self.bias is None else found.add_(self.bias)


class FrozenInt8Linear(Int8Linear):
    """A linear layer with 8-bit weights that stay as they are while what lies below it is trained.

    The gradients that go back through it are rounded by row too.
    """

    def __init__(self, inputs: int, outputs: int, *, has_bias: bool) -> None:
        super().__init__(inputs, outputs, has_bias=has_bias)
        self._packed_back: Optional[_Packed] = None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the outputs, as float32.

        values (torch.Tensor): Any number of dimensions, the last one of the width of the input.
        """
        return _Through.apply(values, self) if values.requires_grad else super().forward(values)

    def pass_back(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the input from that of the output."""
        if self._packed_back is None:
            # Its columns are rows there, with scales of their own.
            weight = (self.weight.float() * self.scale[:, None]).T.contiguous()
            self._packed_back = _pack(*_round_rows(weight))
        return _multiply(gradient, self._packed_back)


class _Through(torch.autograd.Function):
    """The product of a `FrozenInt8Linear`, with its gradient."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, layer: FrozenInt8Linear) -> torch.Tensor:
        ctx.layer = layer
        return Int8Linear.forward(layer, values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Tuple[torch.Tensor, None]:
        return ctx.layer.pass_back(gradients[0]), None


class Int8Embedding(torch.nn.Module):
    """An embedding table with 8-bit rows.

    count (int): Rows.
    width (int): Width of a row.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = _fixed(torch.zeros(count, width, dtype=torch.int8))
        self.scale = _fixed(torch.ones(count))

    def fill(self, embedding: torch.nn.Embedding) -> "Int8Embedding":
        """Return this table with the rounded rows of a float table."""
        self.weight.data, self.scale.data = _round_rows(embedding.weight.detach().float())
        return self

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the rows of these ids, as float32."""
        return self.weight[ids].float() * self.scale[ids].unsqueeze(-1)


def can_use_int8() -> bool:
    """Return whether this machine has fast products of 8-bit numbers, and torch what they need."""
    engines = set(torch.backends.quantized.supported_engines)
    return (bool({"x86", "fbgemm"} & engines) and hasattr(torch, "_make_per_channel_quantized_tensor")
            and hasattr(torch.ops.quantized, _PRODUCT))


def put_int8(transformer: torch.nn.Module, *, filled: bool = True, embeddings: bool = False,
             trains_below: bool = False) -> None:
    """Put 8-bit layers in place of the linear layers of a transformer.

    transformer (torch.nn.Module): The transformer; these layers can be used and stored afterwards, not trained.
    filled (bool): Whether they take its weights; else they wait for stored ones.
    embeddings (bool): Whether the input embeddings are rounded too; where the output shares them they are not.
    trains_below (bool): Whether the layers whose weights want a gradient stay and are trained, such as those of an
        adapter: gradients then go through the others.
    RAISES BionerError: E561 where this machine has no fast products of 8-bit numbers.
    """
    if not can_use_int8():
        raise BionerError(Errors.E561)
    layer_class = FrozenInt8Linear if trains_below else Int8Linear
    for holder, name, layer in list(_find_layers(transformer)):
        if isinstance(layer, torch.nn.Linear) and not (trains_below and layer.weight.requires_grad):
            linear = layer_class(layer.in_features, layer.out_features, has_bias=layer.bias is not None)
            setattr(holder, name, linear.fill(layer) if filled else linear)
    table = transformer.get_input_embeddings() if embeddings else None
    if isinstance(table, torch.nn.Embedding):
        embedding = Int8Embedding(table.num_embeddings, table.embedding_dim)
        transformer.set_input_embeddings(embedding.fill(table) if filled else embedding)
    # The float weights lay between what stays.
    FreedMemory().give_back()


class _Packed(NamedTuple):
    """8-bit weights as the product takes them.

    weights (object): The weights.
    sums (torch.Tensor): For each output the sum of its weights.
    """

    weights: object
    sums: torch.Tensor


def _multiply(values: torch.Tensor, packed: _Packed) -> torch.Tensor:
    """Return products of rows, each rounded by a scale of its own, with 8-bit weights."""
    values = values.float()
    least, most = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    middle = (least + most).mul_(0.5)
    half = (most - middle).clamp_min_(_LEAST)
    product = getattr(torch.ops.quantized, _PRODUCT)((values - middle).div_(half), _STEP, _ZERO, packed.weights)
    return product.mul_(half).addcmul_(middle, packed.sums)


def _pack(weight: torch.Tensor, scale: torch.Tensor) -> _Packed:
    with warnings.catch_warnings():
        # Torch means to drop its type for such tensors some day. `put_int8` looks whether it has.
        warnings.simplefilter("ignore", UserWarning)
        rows = torch._make_per_channel_quantized_tensor(
            weight, scale.double(), torch.zeros(len(scale), dtype=torch.int64), 0)
    return _Packed(torch.ops.quantized.linear_prepack(rows, None), weight.sum(1, dtype=torch.float32) * scale)


def _find_layers(module: torch.nn.Module) -> Iterator[Tuple[torch.nn.Module, str, torch.nn.Module]]:
    """Yield each module inside another one, with that one and its name there."""
    for holder in module.modules():
        for name, layer in holder.named_children():
            yield holder, name, layer


def _round_rows(weight: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return rows as whole numbers up to 127, and what to multiply each row by."""
    scale = weight.abs().amax(1).clamp_min(_LEAST) / _MOST
    return torch.round(weight / scale[:, None]).to(torch.int8), scale


def _fixed(values: torch.Tensor) -> torch.nn.Parameter:
    return torch.nn.Parameter(values, requires_grad=False)
