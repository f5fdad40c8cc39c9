"""Sentence splitters compared on the gold corpora: mentions cut, ends of sentences found, documents a second.

Mentions cut are counted in the abstracts of NCBI-Disease, BC5CDR and BioRED; ends of sentences in GENIA, whose gold
sentences are joined by one blank to the abstracts that they come from. The rules of `corpus.sentences` were written
with the GENIA train part in sight, so that its dev and test parts are the fair ones. syntok and blingfire are compared
where they are installed.

    python -m benchmarks.sentences [DATA]
"""

import sys
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.sentences import find_sentences
from spacy_bioner.formats.jsonl import read_jsonl

DATA = Path(__file__).parents[2] / "shared" / "data"
SPLITS = ("train", "dev", "test")
Splitter = Callable[[str], List[Tuple[int, int]]]
Joined = List[Tuple[str, Set[int]]]


def find_splitters() -> Dict[str, Splitter]:
    """Return the name of each splitter that is installed to a function from text to places."""
    makers = {"own rules": lambda: find_sentences, "pysbd": _make_pysbd, "spaCy sentencizer": _make_sentencizer,
              "syntok": _make_syntok, "blingfire": _make_blingfire}
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ModuleNotFoundError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def _make_pysbd() -> Splitter:
    segmenter = import_module("pysbd").Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [(span.start, span.start + len(span.sent.rstrip())) for span in segmenter.segment(text)]


def _make_sentencizer() -> Splitter:
    nlp = import_module("spacy").blank("en")
    nlp.add_pipe("sentencizer")
    return lambda text: [(sentence.start_char, sentence.end_char) for sentence in nlp(text).sents]


def _make_syntok() -> Splitter:
    segmenter = import_module("syntok.segmenter")
    return lambda text: [(sentence[0].offset, sentence[-1].offset + len(sentence[-1].value))
                         for paragraph in segmenter.analyze(text) for sentence in paragraph]


def _make_blingfire() -> Splitter:
    return lambda text: import_module("blingfire").text_to_sentences_and_offsets(text)[1]


def read_abstracts(data: Path) -> List[Annotation]:
    """Return the abstracts in which mentions are counted."""
    return [annotation for corpus in ("ncbi_disease", "bc5cdr", "biored") for split in SPLITS
            for annotation in read_jsonl(data / corpus / f"{split}.jsonl")]


def read_joined(path: Path) -> Iterator[Tuple[str, Set[int]]]:
    """Yield abstracts put together again from their sentences, and where these end; the last end is left out."""
    abstracts: Dict[str, List[str]] = defaultdict(list)
    for annotation in read_jsonl(path):
        abstracts[annotation.meta.get("pmid") or annotation.id].append(annotation.text)
    for sentences in abstracts.values():
        ends, reached = set(), -1
        for sentence in sentences:
            reached += 1 + len(sentence)
            ends.add(reached)
        yield " ".join(sentences), ends - {reached}


def measure(split: Splitter, abstracts: List[Annotation], joined: Dict[str, Joined]) -> Dict[str, Any]:
    """Return mentions cut, precision, recall and F1 of ends, and documents a second."""
    begin = time.perf_counter()
    places = [split(annotation.text) for annotation in abstracts]
    seconds = time.perf_counter() - begin
    cut = sum(not any(start <= mention.start and mention.end <= end for start, end in sentences)
              for annotation, sentences in zip(abstracts, places) for mention in annotation.mentions)
    row: Dict[str, Any] = {"mentions cut": cut, "mentions": sum(len(one.mentions) for one in abstracts),
                           "sentences": sum(map(len, places)), "documents a second": round(len(abstracts) / seconds)}
    for name, texts in joined.items():
        right = found = wanted = 0
        for text, gold in texts:
            ends = {end for _, end in split(text)} - {len(text)}
            right, found, wanted = right + len(ends & gold), found + len(ends), wanted + len(gold)
        precision, recall = right / max(1, found), right / max(1, wanted)
        row[name] = {"precision": precision, "recall": recall,
                     "f1": 2 * precision * recall / max(1e-9, precision + recall)}
    return row


def run(quick: bool = False, data: Path = DATA) -> Dict[str, Any]:
    """Compare all splitters that are installed.

    quick (bool): Whether every tenth abstract is enough.
    data (Path): Folder of the corpora.
    RETURNS (Dict[str, Any]): A row for each splitter, and ratios; neither where the corpora are not there.
    """
    if not data.is_dir():
        return {"ratios": [], "skipped": f"no corpora in {data.name}"}
    step = 10 if quick else 1
    abstracts = read_abstracts(data)[::step]
    joined = {f"GENIA {split}": list(read_joined(data / "genia" / f"{split}.jsonl"))[::step] for split in SPLITS}
    rows = {name: measure(split, abstracts, joined) for name, split in find_splitters().items()}
    own = rows["own rules"]
    ratios = [{"what": "documents a second, own rules", "against": name, "aim": None,
               "ratio": own["documents a second"] / row["documents a second"]}
              for name, row in rows.items() if row is not own]
    return {"rows": rows, "ratios": ratios}


def print_table(rows: Dict[str, Dict[str, Any]]) -> None:
    """Print the rows as a Markdown table."""
    parts = [key for key in next(iter(rows.values())) if key.startswith("GENIA")]
    print("| splitter | mentions cut | sentences |", " | ".join(f"{part} P / R / F1" for part in parts),
          "| documents/s |")
    print("| --- " * (4 + len(parts)) + "|")
    for name, row in rows.items():
        scores = (" / ".join(f"{100 * value:.2f}" for value in row[part].values()) for part in parts)
        print(f"| {name} | {row['mentions cut']} of {row['mentions']:,} | {row['sentences']:,} |", " | ".join(scores),
              f"| {row['documents a second']:,} |")


if __name__ == "__main__":
    print_table(run(data=Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)["rows"])
