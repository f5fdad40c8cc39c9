"""Messages of evaluation and report: codes E6xx, and W6xx for warnings."""


class EvaluationErrors:
    E601 = "Two documents of {source} have the id '{id}'. Documents are matched by id: give each its own."
    E602 = ("{count} of {total} gold documents are missing in the predictions of '{system}', first '{id}'. Documents "
            "are matched by id. Predict all of them.")
    E603 = ("The text of document '{id}' differs between gold and the predictions of '{system}', from character "
            "{place}. Offsets can only be compared on the same text.")
    E604 = "No document to evaluate. Give at least one gold document."
    E605 = "Two systems are called '{name}'. Give each its own name: name=path."
    E606 = ("{path} is neither a file of records (.jsonl, .jsonl.gz) nor a .spacy file nor a pipeline folder (with "
            "config.cfg).")
    E607 = "No document of '{system}' has the spans key '{key}'. Found: {found}. Name one of these as spans key."
    E608 = "{path} is no metrics file: {why}. Make it with an evaluation."
    E609 = "No metrics file in {path}. Make one with `spacy-bioner evaluate`."
    E610 = ("{path} {why}; {metrics} was made from it. Run `spacy-bioner evaluate` again, or leave the documents out "
            "with --no-documents.")
    E611 = "{path} is no model card: wanted is a JSON object of facts."
    E612 = "The pipeline {path} has no model card that names its system. Give the pipeline that `assemble` wrote."


class EvaluationWarnings:
    W601 = "{count} documents could not be annotated ({path}). All their mentions count as not found."
    W602 = ("{count} of {total} documents of {path} are not gold: a model annotated them. The scores are agreement "
            "with that model, not correctness.")
