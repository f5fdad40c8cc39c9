"""Passes of a small model side by side: on a CPU one a core, with one thread each.

A pass over a few hundred tokens is hundreds of small products. A second thread hardly makes one of them faster, and is
woken for each and waited for.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator, Sequence, TypeVar

import torch
from torch import nn

Job = TypeVar("Job")
Result = TypeVar("Result")

# In a model with more parameters a product is large enough for all threads.
_MOST_PARAMETERS = 1_000_000_000


def takes_one_thread(model: nn.Module) -> bool:
    """Return whether passes of a model are best computed side by side: whether it is on a CPU, and small."""
    weights = list(model.parameters())
    return bool(weights) and weights[0].device.type == "cpu" and sum(map(torch.numel, weights)) <= _MOST_PARAMETERS


def compute_side_by_side(compute: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
    """Compute jobs on the CPU, as many at once as torch may use threads.

    compute (Callable[[Job], Result]): Computes a job with one thread of torch. It may run in another thread than the
        caller's, where the caller's modes, such as `torch.no_grad`, do not hold.
    jobs (Sequence[Job]): The jobs.
    YIELDS (Result): What they gave, in order. A caller that takes no more waits for the jobs that have begun.
    """
    threads = torch.get_num_threads()

    def compute_alone(job: Job) -> Result:
        torch.set_num_threads(1)
        try:
            return compute(job)
        finally:
            # What a thread sets is also what threads begin with that start later.
            torch.set_num_threads(threads)

    if min(threads, len(jobs)) <= 1:
        yield from map(compute_alone, jobs)
        return
    with ThreadPoolExecutor(min(threads, len(jobs))) as pool:
        yield from pool.map(compute_alone, jobs)
