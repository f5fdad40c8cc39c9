"""Messages of what is shipped beside the span categorizer, and of its check: codes E8xx."""


class ShippingErrors:
    E801 = ("{path} names no concept with an identifier. Give an ontology (.obo, MeSH .xml), a table with the columns "
            "name and id, or annotated texts whose spans have ids.")
    E802 = ("The identifiers of {path} are of {found}, those of the dictionary of {known}, so that no link could be "
            "right. Give a dictionary of the same vocabulary.")
    E803 = "The component '{name}' has no dictionary. Give it one with add_concepts, or load a trained linker."
    E804 = "{path} has no component concept_linker. Give a pipeline that `train linker` made."
    E805 = ("No threshold keeps the promise: of the {mentions} mentions of {label} in the {documents} documents of "
            "{path} even the lowest misses {missed}%. Give more documents, allow more to be missed, or train further.")
    E806 = "{what} was trained or tuned on, so that nothing can be promised from it. Give other records."
    E807 = ("Recall is only promised of a pipeline with a bioner_spancat and without a span_selector; this one has "
            "{found}.")
    E808 = "The most that may be missed is {found}%. Give a share between 0 and 100."
    E809 = "{path} is no wheel that can be checked: {why}. Build it again, or get it anew."
    E810 = "{path} failed {count} of its checks: {names}. The lines above say why."
    E811 = "Config {path} of the wheel cannot be read: {why}. Build it again, or get it anew."
    E812 = "{path} holds no trained pipeline. Give a wheel that `spacy package` built."
