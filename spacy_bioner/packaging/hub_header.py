"""The YAML header of a model card, as the Hugging Face hub reads it: languages, terms, tags and scores.

The format is described at https://huggingface.co/docs/hub/model-cards. What the facts do not say is left out.
"""

from typing import Any, Dict, List, Mapping, Sequence

import srsly

from ..llm.local.hub import EMBEDDED

# Licences that the hub knows by these names, of those that corpora and encoders have.
_HUB_LICENCES = (
    "afl-3.0", "apache-2.0", "bigscience-openrail-m", "bsd-2-clause", "bsd-3-clause", "cc-by-2.0", "cc-by-2.5",
    "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "gpl-3.0", "lgpl-3.0", "mit",
    "odc-by", "openrail", "pddl", "unlicense",
)
# Licences that ask nothing of those who use a work.
_FREE = ("cc0-1.0", "pddl", "unlicense")
_TAGS = ("spacy", "token-classification", "named-entity-recognition", "span-categorization", "nested-entities")
_TASK = {"name": "Named entity recognition", "type": "token-classification"}
# The file beside the card that holds the terms of each source.
LICENCE_FILE = "LICENSE"


def render_header(facts: Mapping[str, Any]) -> str:
    """Write the header.

    facts (Mapping[str, Any]): What `model_card.collect_facts` gives.
    RETURNS (str): YAML between two lines of dashes.
    """
    return f"---\n{srsly.yaml_dumps(_collect_header(facts))}---\n"


def name_model(facts: Mapping[str, Any]) -> str:
    """Return the name that the workflow gives the wheel: language, and folder of the corpus."""
    corpus = facts["corpus"]
    return "_".join(part for part in (corpus["lang"], "bioner", corpus["key"]) if part)


def _collect_header(facts: Mapping[str, Any]) -> Dict[str, Any]:
    corpus, scores = facts["corpus"], facts["scores"]
    encoders = dict.fromkeys(_hub_id(each["name"]) for each in facts["encoders"])
    header: Dict[str, Any] = {
        "language": [corpus["lang"]] if corpus["lang"] else [],
        **_name_licence([corpus["license"], *(each["license"] for each in facts["encoders"])]),
        "library_name": "spacy",
        "pipeline_tag": _TASK["type"],
        "tags": list(_TAGS),
        "datasets": [corpus["dataset"]] if corpus["dataset"] else [],
        "base_model": [name for name in encoders if name],
        "model-index": [{"name": name_model(facts), "results": [{
            "task": dict(_TASK), "dataset": _describe_dataset(corpus), "metrics": _list_metrics(scores)}]}]
        if scores and scores["silver"] is None else [],
    }
    return {key: value for key, value in header.items() if value}


def _hub_id(name: str) -> str:
    """Return where the hub has a model; empty where that is not known."""
    if name in EMBEDDED:
        return EMBEDDED[name].repository
    return name if name.count("/") == 1 else ""


def _name_licence(licences: Sequence[str]) -> Dict[str, str]:
    """Return the licence where one covers all sources, else the file that lists the terms of each."""
    names = list(dict.fromkeys(licence.strip().lower() for licence in licences))
    binding = [name for name in names if name not in _FREE] or names[:1]
    if len(binding) == 1 and binding[0] in _HUB_LICENCES:
        return {"license": binding[0]}
    return {"license": "other", "license_name": "terms-of-the-sources", "license_link": LICENCE_FILE}


def _describe_dataset(corpus: Mapping[str, Any]) -> Dict[str, str]:
    return {"name": corpus["name"], "type": corpus["dataset"] or corpus["key"] or corpus["name"], "split": "test"}


def _list_metrics(scores: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Return the strict scores, as shares, first of all labels, then F1 of each."""
    metrics = [{"name": figure.capitalize(), "type": figure, "value": each[0]}
               for figure, each in scores["micro"].items()]
    return metrics + [{"name": f"F1 of {label}", "type": "f1", "value": each[0]}
                      for label, each in scores["labels"].items()]
