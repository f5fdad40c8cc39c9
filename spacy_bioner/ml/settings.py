"""Settings of the encoder, the span grid and the heads of the selector; the defaults are those that were measured."""

from typing import Dict, List, Optional, Tuple, Union

from ..settings import Settings, setting

_RATE_FACTOR = ("Factor on the learning rate of this part, whose weights are new; those of an encoder are trained "
                "already.")
_AVERAGE = "Decay of the moving average of the weights, which is what is used and saved; 0 keeps none."
_MIXED = "Whether to compute in bfloat16 where the device is faster with it."


class EncoderSettings(Settings):
    """A transformer that gives each token a vector."""

    name: str = setting(..., "The encoder: an embedded package, a folder or a hub id.")
    max_pieces: int = setting(254, "Most word pieces read at once; longer documents are read in windows.", ge=1)
    overlap: int = setting(64, "Word pieces that neighbouring windows share.", ge=0)
    mixed_precision: bool = setting(True, _MIXED)
    frozen_layers: int = setting(
        0, "-1 trains everything, 0 freezes the word embeddings, n also the first n layers.", ge=-1)
    layer_decay: float = setting(1.0, "Factor on the learning rate from each layer to the one below.", gt=0)
    dropout: float = setting(0.1, "Dropout inside the transformer, or of LoRA.", ge=0, lt=1)
    average: float = setting(0.98, _AVERAGE, ge=0, lt=1)
    lora_rank: int = setting(
        0, "0 trains and stores all weights. n trains LoRA of that rank on all linear layers and stores it alone; the "
        "base model is then read by its name.", ge=0)
    lora_alpha: int = setting(32, "Scale of LoRA.", ge=1)
    layers: int = setting(0, "How many of the lowest layers are used; 0 uses all.", ge=0)
    start_from: Optional[str] = setting(
        None, "What training begins with: packaged for the encoder that this package brings, trained on public "
        "corpora, the folder of another head start, or null for the encoder as it is.")
    int8: bool = setting(
        False, "Whether a trained pipeline, when it is loaded, rounds its weights to 8 bits for use on CPUs.")


class SpanGridSettings(Settings):
    """Scores of all spans up to a length."""

    hidden_size: int = setting(192, "Width of the hidden layers.", ge=1)
    rank: int = setting(48, "Width of the start and end vectors of a label.", ge=1)
    max_length: int = setting(24, "Most tokens of a span.", ge=1)
    dropout: float = setting(0.2, "Dropout of this part; the encoder has its own.", ge=0, lt=1)
    rate_factor: float = setting(5.0, _RATE_FACTOR, gt=0)
    average: float = setting(0.98, _AVERAGE, ge=0, lt=1)


class FastSelectorSettings(Settings):
    """The selector that encodes a text once and scores all its candidate spans."""

    hidden_size: int = setting(256, "Width of the hidden layer.", ge=1)
    dropout: float = setting(0.2, "Dropout of this part; the encoder has its own.", ge=0, lt=1)
    rate_factor: float = setting(10.0, _RATE_FACTOR, gt=0)
    average: float = setting(0.98, _AVERAGE, ge=0, lt=1)


class MarkedSelectorSettings(Settings):
    """The selector that reads each candidate span, marked in its text, by itself."""

    name: str = setting(..., "An encoder for bert_cls, a causal language model for the other heads.")
    head: str = setting(
        ..., "bert_cls: the vectors at the two marks. llm_cls: a linear layer on the last token. llm_causal: yes "
        "against no.")
    definitions: Union[Dict[str, str], List[Tuple[str, str]], None] = setting(
        {}, "Label to definition; empty takes those of the label schema that training is given.")
    max_pieces: int = setting(
        192, "Most word pieces of a text; of longer ones the part around the candidate is read.", ge=1)
    mixed_precision: bool = setting(True, _MIXED)
    lora_rank: int = setting(8, "Rank of LoRA on all linear layers of a causal model.", ge=1)
    lora_alpha: int = setting(32, "Scale of LoRA.", ge=1)
    lora_dropout: float = setting(0.1, "Dropout of LoRA.", ge=0, lt=1)
    rate_factor: float = setting(10.0, _RATE_FACTOR, gt=0)
    average: float = setting(0.0, _AVERAGE, ge=0, lt=1)
