"""Reads a pipeline from its folder."""

from pathlib import Path
from typing import Any, Dict, Mapping, Union

from spacy.language import Language
from spacy.util import get_package_path, is_package, load_config, load_model

from ..errors import BionerError, Errors

_ENCODER = "spacy-bioner.TransformerEncoder.v1"


def load_pipeline(path: Path, *, int8: bool = False) -> Language:
    """Read a trained pipeline.

    path (Path): Its folder.
    int8 (bool): Whether the weights of its encoders are rounded to 8 bits, for use on CPUs.
    RETURNS (Language): The pipeline.
    RAISES BionerError: E001 where there is none, E549 for one that is damaged.
    """
    if not (path / "meta.json").is_file() or not (path / "config.cfg").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    return _load(path, {} if not int8 else _with_int8(path))


def load_installed(name: str, *, int8: bool = False) -> Language:
    """Read a trained pipeline.

    name (str): Its folder, or its name where it is installed as a package.
    int8 (bool): As `load_pipeline` takes it.
    RETURNS (Language): The pipeline.
    RAISES BionerError: As `load_pipeline`.
    """
    if Path(name).exists() or not is_package(name):
        return load_pipeline(Path(name), int8=int8)
    folder = next(get_package_path(name).glob("*/config.cfg"), None)
    return _load(name, _with_int8(folder.parent) if int8 and folder is not None else {})


def _with_int8(path: Path) -> Dict[str, Any]:
    """Return the settings that have encoders rounded; encoders of other makers have none."""
    components: Mapping[str, Any] = load_config(path / "config.cfg").get("components", {})
    encoders = {name: component.get("model", {}).get("tok2vec", {}) for name, component in components.items()}
    return {f"components.{name}.model.tok2vec.int8": True for name, encoder in encoders.items()
            if encoder.get("@architectures") == _ENCODER}


def _load(path: Union[str, Path], config: Mapping[str, Any]) -> Language:
    try:
        return load_model(path, config=dict(config))
    except BionerError:
        raise
    except (OSError, ValueError) as error:
        raise BionerError(Errors.E549.format(path=path, why=" ".join(str(error).split())[:200])) from None
