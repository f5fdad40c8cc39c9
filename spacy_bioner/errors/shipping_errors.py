"""Messages of what is shipped beside the span categorizer, and of its check: codes E9xx."""


class ShippingErrors:
    E901 = ("{path} names no concept with an identifier. Give an ontology (.obo, MeSH .xml), a table with the columns "
            "name and id, or annotated texts whose spans have ids.")
    E902 = ("The identifiers of {path} are of {found}, those of the dictionary of {known}, so that no link could be "
            "right. Give a dictionary of the same vocabulary.")
    E903 = "The component '{name}' has no dictionary. Give it one with add_concepts, or load a trained linker."
    E904 = "{path} has no component concept_linker. Give a pipeline that `train linker` made."
