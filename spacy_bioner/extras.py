"""Packages that only some tools need: one line names what to install where one is missing."""

from contextlib import contextmanager
from typing import Iterator

from .errors import BionerError, Errors


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import packages of an extra.

    name (str): The extra that declares them, as in `pip install 'spacy-bioner[NAME]'`.
    RAISES BionerError: E706 where one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __package__:
            raise
        raise BionerError(Errors.E706.format(package=error.name.partition(".")[0], extra=name)) from None
