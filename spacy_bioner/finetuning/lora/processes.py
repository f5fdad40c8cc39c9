"""Several processes that train one adapter: each takes a share of the passes, the gradients are added up.

Only the adapter's gradients travel, so nothing wraps the model. The processes are started by `accelerate launch`; in
a process started otherwise there is one.
"""

import os
from typing import Any, Iterable, List, Sequence, TypeVar

import torch

from ...extras import extra

Item = TypeVar("Item")


class Processes:
    """The processes of this training, as accelerate finds them."""

    def __init__(self) -> None:
        self._state: Any = None
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            with extra("train"):
                from accelerate import PartialState

            # Told by itself, accelerate takes several processes without CUDA for one each, and all write one adapter.
            self._state = PartialState(cpu=not torch.cuda.is_available())

    @property
    def count(self) -> int:
        return self._state.num_processes if self._state is not None else 1

    @property
    def is_main(self) -> bool:
        """Return whether this process writes the files and shows the bar."""
        return self._state is None or self._state.is_main_process

    @property
    def index(self) -> int:
        return self._state.process_index if self._state is not None else 0

    @property
    def device(self) -> str:
        """Return the name of the device of this process, or "auto" where it is alone."""
        if self._state is None:
            return "auto"
        return "cpu" if self._state.device.type == "cpu" else str(self._state.device)

    def share(self, items: Sequence[Item]) -> List[Item]:
        """Return the items that this process does."""
        return list(items[self.index::self.count])

    def add_up(self, tensors: Iterable[torch.Tensor]) -> None:
        """Replace tensors in place by their sums over all processes."""
        if self._state is not None:
            for tensor in tensors:
                torch.distributed.all_reduce(tensor)

    def first_says(self, value: float) -> float:
        """Return the value of the main process, so that all go the same way."""
        if self._state is None:
            return value
        tensor = torch.tensor([value], dtype=torch.float64, device=self._state.device)
        torch.distributed.broadcast(tensor, 0)
        return float(tensor)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self._state is not None:
            self._state.wait_for_everyone()
