"""Replies decoded in a second on one core, for each codec, clean and damaged.

    python -m benchmarks.decode_replies
"""

import json
import random
import time
from typing import Any, Callable, Dict, List, Sequence, Tuple

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec
from spacy_bioner.tokens import find_units

LABELS = ["Chemical", "Disease"]
FORMATS: Sequence[Tuple[str, Dict[str, Any]]] = (
    ("bracket", {}), ("html", {}), ("json", {"shape": "name"}), ("json", {"shape": "offsets"}),
    ("json", {"shape": "context"}), ("seed_tags", {}))
_WORDS = ("aspirin colon carcinoma patients with renal failure were treated for two weeks and the level of insulin "
          "fell in [ 1 ] p53 cells (12 of 30) after IL-2 had been given once daily").split()


def make_annotations(count: int, *, length: int = 200, seed: int = 0) -> List[Annotation]:
    """Return texts of so many characters with four mentions each."""
    random_ = random.Random(seed)
    annotations = []
    for _ in range(count):
        text = " ".join(random_.choice(_WORDS) for _ in range(length))[:length].strip()
        units = [unit for unit in find_units(text) if text[unit[0]].isalnum()]
        places = random_.sample(units, 4)
        annotations.append(Annotation(text).with_mentions(
            Mention(start, end, random_.choice(LABELS)) for start, end in places))
    return annotations


def damage(reply: str, random_: random.Random) -> str:
    """Return the reply with a preamble, cut at the end, or with some letters changed."""
    kind = random_.randrange(3)
    if kind == 0:
        return "Here is the answer:\n" + reply
    if kind == 1:
        return reply[:int(len(reply) * 0.9)]
    return reply.replace("carcinoma", "carcinomas").replace("treated", "Treated")


def measure(decode: Callable[[str, str], Any], pairs: Sequence[Tuple[str, str]], *, seconds: float) -> float:
    """Return replies in a second of processor time, the best of three runs."""
    best = 0.0
    for _ in range(3):
        start, count = time.process_time(), 0
        while time.process_time() - start < seconds / 3:
            for text, reply in pairs:
                decode(text, reply)
            count += len(pairs)
        best = max(best, count / (time.process_time() - start))
    return best


def run(*, count: int = 200, length: int = 200, seconds: float = 1.5, seed: int = 0) -> Dict[str, Any]:
    """Measure all codecs.

    count (int): Different replies.
    length (int): Characters of a text.
    seconds (float): Processor time for each figure.
    seed (int): Random seed.
    RETURNS (Dict[str, Any]): Settings, and for each format replies a second, clean and damaged.
    """
    annotations = make_annotations(count, length=length, seed=seed)
    random_ = random.Random(seed)
    figures = {}
    for name, options in FORMATS:
        codec = make_codec(name, **options)
        pairs = []
        for annotation in annotations:
            dropped = codec.unwritable(annotation)
            writable = annotation.with_mentions(set(annotation.mentions) - set(dropped))
            pairs.append((annotation.text, codec.encode(writable, LABELS)))
        damaged = [(text, damage(reply, random_)) for text, reply in pairs]

        def decode(text: str, reply: str, codec: Any = codec) -> Any:
            return codec.decode(text, LABELS, reply)

        figures["-".join([name, *options.values()])] = {
            "clean": round(measure(decode, pairs, seconds=seconds)),
            "damaged": round(measure(decode, damaged, seconds=seconds))}
    return {"benchmark": "decode_replies", "unit": "replies/s on one core", "aim": {"bracket": 2000},
            "count": count, "length": length, "seed": seed, "figures": figures}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
