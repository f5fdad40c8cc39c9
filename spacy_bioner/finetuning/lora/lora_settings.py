"""Settings of LoRA training, named as peft, transformers and spaCy name them."""

from typing import List, Literal, Optional, Union

from ...llm.local.passes.batch_sizes import batch_sizes
from ...settings import Settings, setting


class LoraSettings(Settings):
    """Where and how an adapter is put onto a model."""

    r: int = setting(16, "Rank of the adapter.", ge=1)
    lora_alpha: float = setting(32, "Scale: the output of the adapter is multiplied by lora_alpha / r.", gt=0)
    lora_dropout: float = setting(0.0, "Share of the adapter's inputs that training drops.", ge=0, lt=1)
    target_modules: Union[str, List[str]] = setting(
        "all-linear", "Names of the linear layers with an adapter, or all-linear.")
    layers: Optional[int] = setting(None, "How many of the last layers have an adapter; null for all. Of an adapter "
                                          "that training begins with, these layers are trained on.", ge=1)
    adapter_dtype: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "Number type that the adapter computes in while it is trained; auto takes that of the frozen weights. "
        "The optimizer keeps float32 copies, so that no step is too small to count.")
    save_dtype: Literal["float32", "bfloat16"] = setting("float32", "Number type of the written weights.")


class StepSettings(Settings):
    """How an adapter is trained, but for the random seed."""

    max_epochs: int = setting(3, "How often each training pair is used.", ge=1)
    max_steps: int = setting(0, "Most steps, 0 for no limit; what ends first ends the training.", ge=0)
    batch_size: int = setting(
        4, "Training pairs of a step; gradients are accumulated over as many forward passes as they need. With few "
        "records small batches give enough steps.", ge=1)
    max_batch_tokens: Optional[int] = setting(
        None, "Tokens of one forward pass, padding included; null takes what suits the device.", ge=1)
    max_length: int = setting(1024, "Pairs with more tokens are left out and counted.", ge=2)
    learning_rate: float = setting(1e-3, "Peak learning rate.", gt=0)
    lr_scheduler_type: Literal["cosine", "linear", "constant"] = setting("cosine", "Learning rate after the warm-up.")
    warmup_ratio: float = setting(0.1, "Share of the steps in which the learning rate rises.", ge=0, le=1)
    weight_decay: float = setting(0.0, "Weight decay of AdamW.", ge=0)
    max_grad_norm: float = setting(1.0, "Longer gradients are clipped to this norm; 0 leaves them.", ge=0)
    bucket_window: int = setting(8, "Steps within which pairs are sorted by length; 1 keeps the mixed order.", ge=1)
    share_prefix: Optional[bool] = setting(
        None, "Whether the common beginning of the prompts of a forward pass is computed once; null: on a CPU only, "
        "since a GPU is not limited by tokens here.")
    train_prefix: bool = setting(
        True, "Whether gradients flow into that beginning too. Without them a training on short texts takes a fifth "
        "less time; an adapter that knows the instruction already loses little.")
    gradient_checkpointing: bool = setting(
        False, "Whether activations are computed twice to save memory; the common beginning of prompts is then not "
        "shared.")
    compile: bool = setting(
        False, "Whether torch compiles the layers. It takes a minute or two; then a small model on a GPU trains 1.6 "
        "to 1.8 times as fast. The common beginning of prompts is then not shared.")
    balance: bool = setting(False, "Whether small corpora are repeated until all give equally many pairs.")
    one_question: bool = setting(
        False, "Whether all pairs of a step have one instruction. With many label sets the common beginning is then "
        "computed once a step.")
    eval_frequency: int = setting(
        0, "Steps between two scores on dev and between checkpoints; 0 for once an epoch.", ge=0)
    patience: int = setting(0, "Scores without improvement after which training ends; 0 for never.", ge=0)

    def pass_tokens(self, device: str) -> int:
        """Return tokens of one forward pass on a kind of device, such as "cuda"."""
        return self.max_batch_tokens or batch_sizes(device).training_pass

    def shares_prefix(self, device: str) -> bool:
        """Return whether what the prompts of a pass begin with is computed once on a kind of device."""
        shares = device != "cuda" if self.share_prefix is None else self.share_prefix
        return shares and not (self.gradient_checkpointing or self.compile)


class TrainingSettings(StepSettings):
    """How an adapter is trained."""

    seed: int = setting(0, "Random seed of the adapter, the order and the dropout.", ge=0)
