"""Reads a pipeline from its folder."""

from pathlib import Path
from typing import Union

from spacy.language import Language
from spacy.util import is_package, load_model

from ..errors import BionerError, Errors


def load_pipeline(path: Path) -> Language:
    """Read a trained pipeline.

    path (Path): Its folder.
    RETURNS (Language): The pipeline.
    RAISES BionerError: E001 where there is none, E549 for one that is damaged.
    """
    if not (path / "meta.json").is_file() or not (path / "config.cfg").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    return _load(path)


def load_installed(name: str) -> Language:
    """Read a trained pipeline.

    name (str): Its folder, or its name where it is installed as a package.
    RETURNS (Language): The pipeline.
    RAISES BionerError: As `load_pipeline`.
    """
    return _load(name) if not Path(name).exists() and is_package(name) else load_pipeline(Path(name))


def _load(path: Union[str, Path]) -> Language:
    try:
        return load_model(path)
    except BionerError:
        raise
    except (OSError, ValueError) as error:
        raise BionerError(Errors.E549.format(path=path, why=" ".join(str(error).split())[:200])) from None
