"""The registry of language models that configs name; made here too, so that a pipeline loads without spacy-llm."""

from spacy.util import registry

if "llm_models" not in registry.get_registry_names():
    registry.create("llm_models", entry_points=True)
