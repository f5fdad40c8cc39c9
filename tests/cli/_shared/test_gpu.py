import pytest
from thinc.api import get_current_ops

from spacy_bioner.cli._shared.gpu import set_up_gpu
from spacy_bioner.errors import BionerError


def test_the_cpu_needs_nothing():
    set_up_gpu(-1)
    assert get_current_ops().device_type == "cpu"


def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(BionerError, match=r"GPU 99 .*--gpu-id"):
        set_up_gpu(99)
