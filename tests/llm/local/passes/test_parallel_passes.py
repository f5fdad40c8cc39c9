"""Jobs on the cores of a CPU: one thread each, in order, and the threads of the caller as they were."""

import threading

import pytest
import torch

from spacy_bioner.llm.local.passes.parallel_passes import compute_side_by_side, takes_one_thread


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.issue(22)
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_each_job_has_one_thread_and_its_place(threads, count):
    threads(3)
    found = list(compute_side_by_side(lambda job: (job, torch.get_num_threads()), range(count)))
    assert found == [(job, 1) for job in range(count)]
    assert torch.get_num_threads() == 3


def test_as_many_jobs_run_at_once_as_there_are_threads(threads):
    threads(2)
    together = threading.Barrier(2, timeout=20)
    assert len(set(compute_side_by_side(lambda job: together.wait(), range(2)))) == 2


def test_an_error_in_a_job_is_the_callers(threads):
    def fail(job):
        raise MemoryError("no room left")

    for count in (1, 3):
        threads(2)
        with pytest.raises(MemoryError, match="no room left"):
            list(compute_side_by_side(fail, range(count)))
        assert torch.get_num_threads() == 2


def test_threads_that_start_later_have_all_threads(threads):
    threads(2)
    list(compute_side_by_side(lambda job: job, range(4)))
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen == [2]


def test_between_two_results_the_caller_has_its_threads(threads):
    threads(2)
    results = compute_side_by_side(lambda job: job, [1])
    assert next(results) == 1
    assert torch.get_num_threads() == 2


def test_a_model_without_weights_or_on_another_device_takes_all_threads():
    assert takes_one_thread(torch.nn.Linear(2, 2))
    assert not takes_one_thread(torch.nn.ReLU())
    assert not takes_one_thread(torch.nn.Linear(2, 2, device="meta"))
