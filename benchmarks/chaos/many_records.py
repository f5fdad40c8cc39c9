"""Files of as many short records as are asked for, written one by one."""

import json
from pathlib import Path

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec

LABELS = ("DISEASE",)
_NAMES = ("gout", "colon cancer", "asthma", "measles", "cystic fibrosis")
_TEXTS = 500


def write_records(path: Path, count: int, *, split: str = "train", texts: int = _TEXTS) -> Path:
    """Write records with a mention each; texts repeat, ids do not.

    path (Path): The file.
    count (int): How many.
    split (str): Split that they say they are of, also in their texts.
    texts (int): How many different texts there are.
    RETURNS (Path): The file.
    """
    with path.open("w", encoding="utf8") as file_:
        for number in range(count):
            record = make_record(number % texts, split).with_meta(split=split, document=f"{split}-{number}").to_record()
            file_.write(json.dumps({**record, "id": f"{split}-{number}"}) + "\n")
    return path


def make_record(number: int, split: str = "train") -> Annotation:
    """Return a short record."""
    name = _NAMES[number % len(_NAMES)]
    text = f"In {split} family {number} the doctors found {name} again."
    return Annotation(text, (Mention(text.index(name), text.index(name) + len(name), LABELS[0]),), id=str(number))


def write_replies(path: Path, *, split: str = "train", texts: int = _TEXTS) -> Path:
    """Write a recorded response to each text of `write_records`."""
    codec = make_codec("bracket")
    with path.open("w", encoding="utf8") as file_:
        for number in range(texts):
            record = make_record(number, split)
            file_.write(json.dumps({"text": record.text, "output": codec.encode(record, LABELS)}) + "\n")
    return path


def write_schema(path: Path) -> Path:
    """Write the label schema of these records."""
    path.write_text("corpus: Mini\nlabels: {DISEASE: diseases}\n", encoding="utf8")
    return path


def write_pipeline(folder: Path) -> Path:
    """Write a pipeline without weights that finds some of the mentions."""
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "sc"})
    ruler.add_patterns([{"label": LABELS[0], "pattern": name} for name in _NAMES])  # type: ignore[attr-defined]
    nlp.to_disk(folder)
    return folder
