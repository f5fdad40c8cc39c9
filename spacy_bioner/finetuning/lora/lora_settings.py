"""Settings of LoRA training, named as peft, transformers and spaCy name them."""

from typing import List, Literal, Optional, Union

from pydantic import BaseModel, ConfigDict, Field

from ...llm.local.batch_sizes import batch_sizes


class LoraSettings(BaseModel):
    """Where and how an adapter is put onto a model.

    r (int): Rank.
    lora_alpha (float): Scale; the adapter's output is multiplied by lora_alpha / r.
    lora_dropout (float): Share of the inputs of the adapter that are dropped in training.
    target_modules (Union[str, List[str]]): Names of the linear layers, or "all-linear".
    layers (Optional[int]): Only the last so many layers; null for all.
    adapter_dtype (str): Number type that the adapter computes in while training, "auto" for that of the frozen
        weights; the optimizer keeps float32 copies, so that no step is too small to count.
    save_dtype (str): Number type in which they are written.
    """

    model_config = ConfigDict(extra="forbid")

    r: int = Field(16, ge=1)
    lora_alpha: float = Field(32, gt=0)
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    target_modules: Union[str, List[str]] = "all-linear"
    layers: Optional[int] = Field(None, ge=1)
    adapter_dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    save_dtype: Literal["float32", "bfloat16"] = "float32"


class TrainingSettings(BaseModel):
    """How an adapter is trained.

    max_epochs (int): Times that each pair is seen.
    max_steps (int): Most updates, 0 for no limit; what ends first ends the training.
    batch_size (int): Pairs of an update; its gradients are accumulated over as many passes as they need.
    max_batch_tokens (Optional[int]): Tokens of one forward pass, padding included; null for what suits the device.
    max_length (int): Pairs with more tokens are left out and reported.
    learning_rate (float): Peak learning rate.
    lr_scheduler_type (str): "cosine", "linear" or "constant", after the warm-up.
    warmup_ratio (float): Share of the updates in which the learning rate rises.
    weight_decay (float): Of AdamW.
    max_grad_norm (float): Longer gradients are cut to this length; 0 leaves them.
    bucket_window (int): Updates within which pairs are sorted by length.
    share_prefix (Optional[bool]): Whether the common beginning of the prompts of a pass is computed once; null for
        yes on a CPU, no on a GPU, where a small model waits for calls and not for tokens.
    gradient_checkpointing (bool): Compute states twice to hold fewer; the common beginning is then not shared.
    compile (bool): Whether the layers are compiled by torch: it takes a minute or two, then a small model on a GPU
        learns 1.6 to 1.8 times as fast. The common beginning is then not shared.
    balance (bool): Whether small corpora are repeated until all give equally many pairs.
    eval_frequency (int): Updates between two scores on dev and between checkpoints; 0 for once an epoch.
    patience (int): Scores without a better one after which training ends; 0 for never.
    seed (int): Random seed of the adapter, the order and the dropout.
    """

    model_config = ConfigDict(extra="forbid")

    max_epochs: int = Field(3, ge=1)
    max_steps: int = Field(0, ge=0)
    batch_size: int = Field(16, ge=1)
    max_batch_tokens: Optional[int] = Field(None, ge=1)
    max_length: int = Field(1024, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    lr_scheduler_type: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_ratio: float = Field(0.1, ge=0, le=1)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, ge=0)
    bucket_window: int = Field(8, ge=1)
    share_prefix: Optional[bool] = None
    gradient_checkpointing: bool = False
    compile: bool = False
    balance: bool = False
    eval_frequency: int = Field(0, ge=0)
    patience: int = Field(0, ge=0)
    seed: int = 0

    def pass_tokens(self, device: str) -> int:
        """Return tokens of one forward pass on a kind of device, such as "cuda"."""
        return self.max_batch_tokens or batch_sizes(device).training_pass

    def shares_prefix(self, device: str) -> bool:
        """Return whether what the prompts of a pass begin with is computed once on a kind of device."""
        shares = device != "cuda" if self.share_prefix is None else self.share_prefix
        return shares and not (self.gradient_checkpointing or self.compile)
