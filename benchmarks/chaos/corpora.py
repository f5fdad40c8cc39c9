"""Damaged corpora of all formats: what is intact is read, or one line of error, and no mention is lost uncounted.

Trial `n` of a seed is always the same file, so a run resumes by counting.
"""

import gzip
import json
import random
import shutil
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import Problems

# Name of the file of each format.
NAMES = ("a.jsonl", "a.jsonl.gz", "a.pubtator", "a.xml", "a.bioc.json", "a.brat", "a.conll", "a.hf.jsonl", "a.hf.json",
         "a.spacy")
DAMAGES = ("truncated", "flipped", "deleted", "inserted", "other-encoding", "other-version")
# Formats that hold a sum of all their bytes, so that no missing part can be overlooked.
SUMMED = ("a.jsonl.gz", "a.spacy")
# Words of a format that another version, or a tool of the same mind, spells otherwise.
VERSIONS = (('"spans"', '"entities"'), ('"spans"', '"Spans"'), ('"start"', '"begin"'), ('"label"', '"type"'),
            ('"ner_tags"', '"tags"'), ('"tokens"', '"words"'), ('"annotations"', '"annotation"'),
            ('"passages"', '"sections"'), ('"infons"', '"info"'), ('"locations"', '"location"'), ('"text"', '"Text"'),
            ("<annotation", "<entity"), ("<passage", "<section"), ("<location", "<place"), ("<infon", "<info"),
            ("|t|", "|T|"), ("|t|", "|Title|"), ("\t", " "), ("\t", ","), ("\n\n", "\n"), ("\tB-", "\tS_"),
            ("# global.columns", "# columns"), ("# text", "# sentence"), ("\nT", "\nE"), ("\n", "\r\n"))
_BETWEEN_SAVES = 200
_MOST_FAULTS = 20
_WORDS = "gout aspirin helped the patient with asthma and IL-2 in \u03b2-cells of lung cancer".split()


def make_corpus(random_: random.Random, count: int = 8) -> List[Annotation]:
    """Return records of one sentence, each with mentions that overlap no other."""
    records = []
    for number in range(count):
        words = random_.choices(_WORDS, k=random_.randint(6, 14))
        starts = [sum(len(word) + 1 for word in words[:place]) for place in range(len(words))]
        places = sorted(random_.sample(range(len(words)), 3))
        mentions = tuple(Mention(starts[place], starts[place] + len(words[place]), random_.choice(("DISEASE", "GENE")))
                         for place in places)
        records.append(Annotation(" ".join(words), mentions, id=f"d{number}"))
    return records


def damage(random_: random.Random, content: bytes, kind: str) -> Tuple[bytes, bool]:
    """Damage the bytes of a file.

    random_ (random.Random): Random choices.
    content (bytes): The bytes.
    kind (str): One of `DAMAGES`.
    RETURNS (Tuple[bytes, bool]): The bytes, and whether a whole mention may be missing, which the file cannot tell:
        where it ends with a line, and where a part of it was deleted.
    """
    place = random_.randrange(max(1, len(content)))
    if kind == "truncated":
        return content[:place], content[place - 1:place] in (b"\n", b"") or content[place:place + 1] in (b"\n", b"")
    if kind == "flipped":
        changed = bytearray(content)
        for _ in range(random_.randint(1, 4)):
            if changed:
                changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
        return bytes(changed), False
    if kind == "deleted":
        end = place + random_.randint(1, 60)
        return content[:place] + content[end:], True
    if kind == "other-version":
        return rename(random_, content), False
    if kind == "inserted":
        return content[:place] + random_.randbytes(random_.randint(1, 20)) + content[place:], False
    try:
        return content.decode("utf8").encode(random_.choice(("utf-16", "latin-1", "utf-8-sig")), "replace"), False
    except UnicodeDecodeError:
        return b"\x1f\x8b" + content, False


def rename(random_: random.Random, content: bytes) -> bytes:
    """Spell a word of a format as another version might, everywhere; elements of XML at their ends too."""
    text = content.decode("utf8")
    found = [pair for pair in VERSIONS if pair[0] in text]
    if not found:
        return content
    old, new = random_.choice(found)
    text = text.replace(old, new)
    return (text.replace(f"</{old[1:]}>", f"</{new[1:]}>") if old.startswith("<") else text).encode("utf8")


def run_trial(number: int, seed: int, folder: Path) -> Tuple[str, str]:
    """Write a corpus, damage it and read it.

    number (int): Number of the trial.
    seed (int): Random seed.
    folder (Path): Where the corpus is written.
    RETURNS (Tuple[str, str]): Format, and what came of it: "read", "counted", "error", "untellable", "silent",
        "long error" or "exception".
    """
    random_ = random.Random(f"{seed}/{number}")
    name, kind = NAMES[number % len(NAMES)], random_.choice(DAMAGES)
    gold = {record.id: record for record in make_corpus(random_)}
    path = folder / f"{number}" / name
    path.parent.mkdir()
    write_annotations(path, gold.values(), problems=Problems())
    missing = False
    files = sorted(file_ for file_ in path.iterdir()) if path.is_dir() else [path]
    damaged = random_.choice(files)
    if kind == "other-version" and name == "a.spacy":
        _rename_groups(damaged)
    elif kind == "other-version" and name.endswith(".gz"):
        damaged.write_bytes(gzip.compress(rename(random_, gzip.decompress(damaged.read_bytes()))))
    else:
        content, missing = damage(random_, damaged.read_bytes(), kind)
        damaged.write_bytes(content)
    problems = Problems()
    try:
        found = list(read_annotations(path, problems=problems))
    except BionerError as error:
        return name, "error" if "\n" not in str(error) and len(str(error)) < 2000 else "long error"
    # Of a record whose id and text are intact each mention is there, or something is counted.
    lost = any(one.id in gold and one.text == gold[one.id].text and len(one.mentions) < len(gold[one.id].mentions)
               for one in found)
    if not lost:
        return name, "counted" if problems.counts else "read"
    if problems.counts:
        return name, "counted"
    return name, "untellable" if missing and name not in SUMMED else "silent"


def _rename_groups(path: Path) -> None:
    """Call the group of spans of all Docs otherwise."""
    import spacy
    from spacy.tokens import DocBin

    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))
    for doc in docs:
        doc.spans["mentions"] = list(doc.spans.pop("sc", ()))
    DocBin(docs=docs, store_user_data=True).to_disk(path)


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Read damaged corpora.

    count (int): How many, those of earlier runs with this seed included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): The row: what came of them, by format, and the trials that broke the guarantee.
    """
    kept = folder / f"corpora-{seed}.progress.json"
    state: Dict[str, Any] = {"done": 0, "outcomes": {}, "formats": {}, "faults": []}
    if kept.is_file():
        state = json.loads(kept.read_text(encoding="utf8"))
    outcomes, formats = Counter(state["outcomes"]), Counter(state["formats"])
    place = Path(tempfile.mkdtemp(dir=folder, prefix=".corpora."))
    try:
        while state["done"] < count:
            number = state["done"]
            try:
                name, outcome = run_trial(number, seed, place)
            except Exception:  # noqa: BLE001  (the guarantee is that there is none, of whatever kind)
                name, outcome = NAMES[number % len(NAMES)], "exception"
                state["faults"] = [*state["faults"], f"{number}: {traceback.format_exc(limit=-2)}"][:_MOST_FAULTS]
            if outcome in ("silent", "long error"):
                state["faults"] = [*state["faults"], f"{number}: {name} {outcome}"][:_MOST_FAULTS]
            outcomes[outcome] += 1
            formats[name] += 1
            shutil.rmtree(place / f"{number}", ignore_errors=True)
            state.update(done=number + 1, outcomes=dict(outcomes), formats=dict(formats))
            if state["done"] % _BETWEEN_SAVES == 0 or state["done"] == count:
                write_json(kept, state)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    broken = sum(outcomes[kind] for kind in ("silent", "long error", "exception"))
    return {"guarantee": "damaged corpora", "count": state["done"], "seed": seed, "held": not broken, "broken": broken,
            "outcomes": dict(outcomes), "formats": dict(formats), "faults": state["faults"]}
