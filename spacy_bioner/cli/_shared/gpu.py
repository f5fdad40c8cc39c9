"""Where a verb computes: one set-up for all that take --gpu-id."""

from ...errors import BionerError, Errors


def set_up_gpu(gpu_id: int) -> None:
    """Compute on a GPU from now on, or on the CPU.

    gpu_id (int): The GPU, -1 for the CPU.
    RAISES BionerError: E540 where there is no such GPU, or no CuPy to use it by.
    """
    from spacy.cli._util import setup_gpu

    try:
        setup_gpu(gpu_id, silent=True)
    except (ValueError, RuntimeError) as error:
        # A GPU that is not there is a RuntimeError of CUDA, everything else that is missing a ValueError of Thinc.
        raise BionerError(Errors.E540.format(gpu=gpu_id, why=" ".join(str(error).split()))) from None
