"""Numbered error and warning texts: what was found, what was wanted, what to do.

Codes by area: E0xx files and annotations, E1xx codecs, grounding and prompts, E2xx language models and
annotation, E3xx fine-tuning, E4xx synthesis, E5xx span components and training, E6xx evaluation and report,
E7xx command line and workflow; W.. are warnings of the same areas.
"""


class BionerError(ValueError):
    """An error that the user can act on; the command line prints it as one line and exits with code 1."""


class Errors:
    # Files and annotations
    E001 = "No such file or folder: {path}. Give the path of an existing {wanted}."
    E002 = "{path}, line {line}: not a JSON object ({why}). Write one record a line."
    E003 = "{path}, line {line}: {why}."
    E004 = ("span {start}-{end} ({label}) does not lie inside its text of {length} characters; "
            "offsets count code points, end exclusive")
    E005 = "record without the key '{key}'; a record is {{\"id\", \"text\", \"spans\", \"meta\"}}"
    E006 = "key '{key}' holds {found}, wanted {wanted}"
    E007 = "span {start}-{end} ({label}) has white space at its edges: '{surface}'"
    E008 = "{path} holds no record. Check the path, the split and the limits."
    E009 = "Record '{id}' is of split '{found}', but this step takes split '{wanted}' only. Give it the right file."

    # Codecs, grounding and prompts
    E101 = "Unknown codec '{name}'. Available: {available}."

    E102 = "No prompt template '{name}': neither a template of this package ({known}) nor a file."
    E103 = "No labels given. Give at least one, as a mapping from label to definition."
    E104 = ("Prompt template '{name}' cannot be rendered: {why}. "
            "It needs the blocks system and user, and {{{{ text }}}}.")

    # Language models and annotation

    # Fine-tuning

    # Synthesis

    # Span components and training

    # Evaluation and report

    # Command line and workflow
    E701 = "Unknown setting '{key}' in [{section}] of {path}. Known: {known}."
    E702 = "Setting '{key}' in [{section}] of {path}: {why}."
    E703 = "No section [{section}] in {path}. Add it, or give another config."
    E704 = "Cannot read '{value}' as a setting: overrides are written --section.key value."
    E705 = "Package '{package}' is not installed. Install it with: pip install 'spacy-bioner[{extra}]'."
    E706 = "Config {path} cannot be read: {why}."
    E707 = "Label schema {path}: {why}. Write labels: {{LABEL: definition}}, and optionally corpus and lang."
