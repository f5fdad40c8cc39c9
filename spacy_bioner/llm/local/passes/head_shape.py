"""What some families of models do to the scores of words behind their output layer."""

from dataclasses import dataclass
from typing import Any, Optional

import torch


@dataclass(frozen=True)
class HeadShape:
    """How scores are scaled and capped.

    scale (float): They are multiplied by it (Cohere, Granite).
    cap (Optional[float]): No score gets beyond it (Gemma 2); None where there is none.
    """

    scale: float = 1.0
    cap: Optional[float] = None

    @classmethod
    def of(cls, config: Any) -> "HeadShape":
        """Return the head shape that of a model, by its configuration."""
        scale = getattr(config, "logit_scale", None) or 1.0
        return cls(scale / (getattr(config, "logits_scaling", None) or 1.0),
                   getattr(config, "final_logit_softcapping", None))

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the scores as the model itself would give them, of the same shape."""
        logits = logits * self.scale if self.scale != 1.0 else logits
        return torch.tanh(logits / self.cap) * self.cap if self.cap else logits
