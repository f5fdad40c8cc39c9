"""The label schema of a corpus: a YAML file with its labels and their definitions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict

from ...config_files import refuse_variables
from ...errors import BionerError, Errors
from ...project_files import find_project_file


@dataclass(frozen=True)
class Schema:
    """What there is to be found.

    labels (Dict[str, str]): Label to definition.
    corpus (str): Name of the corpus, for prompts.
    lang (str): Language of the texts.
    license (str): Licence of the corpus, for the model card; empty where it is not known.
    domain (str): What the texts are about, for the prompts of generated sentences; empty leaves it to the template,
        which says biomedicine in its language.
    dataset (str): Id of the corpus on the Hugging Face hub, for the model card; empty where it has none.
    """

    labels: Dict[str, str]
    corpus: str = ""
    lang: str = "en"
    license: str = ""
    domain: str = ""
    dataset: str = ""


def read_schema(path: Path) -> Schema:
    """Read a label schema.

    path (Path): YAML with `labels` (label to definition), and optionally `corpus`, `lang`, `license`, `domain` and
        `dataset`.
    RETURNS (Schema): The schema.
    RAISES BionerError: E001, E736 with what is wrong.
    """
    import srsly
    from srsly.ruamel_yaml.error import YAMLError

    path = find_project_file(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="label schema"))
    try:
        content = srsly.read_yaml(path)
    except (YAMLError, ValueError) as error:
        # What follows is how to switch a check of the library off.
        why = " ".join(str(error).split()).partition(" To suppress this check")[0]
        raise BionerError(Errors.E736.format(path=path, why=why)) from None
    if not isinstance(content, dict) or not isinstance(content.get("labels"), dict) or not content["labels"]:
        raise BionerError(Errors.E736.format(path=path, why="no mapping 'labels' with at least one label"))
    unknown = sorted(set(content) - {"labels", "corpus", "lang", "license", "domain", "dataset"})
    if unknown:
        raise BionerError(Errors.E736.format(path=path, why=f"unknown key '{unknown[0]}'"))
    if any(label is None or not str(label).strip() for label in content["labels"]):
        raise BionerError(Errors.E736.format(path=path, why="a label is empty"))
    for key, value in (*content["labels"].items(), *((key, content[key]) for key in content if key != "labels")):
        if isinstance(value, (dict, list)):
            raise BionerError(Errors.E736.format(path=path, why=f"'{key}' is no text"))
    labels = {str(label): " ".join(str(definition or "").split()) for label, definition in content["labels"].items()}
    try:
        refuse_variables(text for pair in labels.items() for text in pair)
    except BionerError as error:
        raise BionerError(Errors.E736.format(path=path, why=str(error).rstrip("."))) from None
    # A key without a value is one that is not given.
    said = {key: str(value) for key, value in content.items() if key != "labels" and value is not None}
    return Schema(labels, **{"corpus": "", "lang": "en", **said})
