"""Grounded against free decoding: the F1 of both on the same sentences with the same adapter, and the difference.

    python -m benchmarks.grounding_accuracy --adapter training/adapter --sentences 0
"""

import argparse
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from benchmarks.annotation import MODEL, read_corpus, train_quickly
from spacy_bioner.annotation import Annotation
from spacy_bioner.codecs import make_codec
from spacy_bioner.evaluation.comparison import compare_systems
from spacy_bioner.evaluation.counts import add_up, count_strict, micro
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.files import write_json
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.local.causal_lm import FreeDecoder, load_causal_lm
from spacy_bioner.llm.protocol import Request
from spacy_bioner.prompts.build import PromptBuilder


def annotate_both_ways(sentences: Sequence[Annotation], builder: PromptBuilder, adapter: Path) -> Dict[str, List[Pair]]:
    """Return gold and prediction of each sentence, by free and by grounded decoding."""
    lm = load_causal_lm(MODEL, adapter=str(adapter))
    requests = [Request(builder.render(sentence.text), text=sentence.text) for sentence in sentences]
    free = dict(FreeDecoder(lm, max_new_tokens=400, max_batch_tokens=16384).generate(requests))
    grounded = dict(GroundedDecoder(lm, codec=builder.codec, labels=builder.labels).generate(requests))
    pairs: Dict[str, List[Pair]] = {"free": [], "grounded": []}
    for index, gold in enumerate(sentences):
        reading = builder.codec.decode(gold.text, list(builder.labels), free[index].text,
                                       truncated=free[index].finish_reason == "length")
        pairs["free"].append(Pair(gold, gold.with_mentions(reading.mentions)))
        pairs["grounded"].append(Pair(gold, gold.with_mentions(grounded[index].mentions or ())))
    return pairs


def run(*, quick: bool = False, name: str = "bracket", adapter: Optional[Path] = None,
        sentences: int = 128) -> Dict[str, Any]:
    """Compare the two ways of decoding.

    quick (bool): Few sentences, an adapter that has learnt little.
    name (str): The codec.
    adapter (Optional[Path]): A trained adapter; where there is none a small one is trained.
    sentences (int): How many sentences are annotated; 0 for the whole test part.
    RETURNS (Dict[str, Any]): F1 of both, their difference with its paired 95% interval, and the ratio.
    """
    train, test, schema, source = read_corpus()
    adapter = adapter or train_quickly(name, train[:16 if quick else 400], schema)
    chosen = test[:16] if quick else test[:sentences or len(test)]
    builder = PromptBuilder(template="annotate.en", labels=schema.labels, codec=make_codec(name), corpus=schema.corpus)
    pairs = annotate_both_ways(chosen, builder, adapter)
    scores = {way: micro(add_up(count_strict(pair.gold, pair.predicted) for pair in done)).f1
              for way, done in pairs.items()}
    difference = compare_systems(pairs)[0]["micro"]["f1"]
    ratio = scores["grounded"] / scores["free"] if scores["free"] else float(scores["grounded"] > 0)
    return {"ratios": [{"what": f"F1 of grounded {name}", "against": "free decoding", "ratio": ratio, "aim": 0.99}],
            "f1": scores, "difference": difference, "sentences": len(chosen), "corpus": source, "model": MODEL}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grounding_accuracy",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("--format", default="bracket", choices=["bracket", "html", "json"])
    parser.add_argument("--adapter", type=Path, help="a trained adapter of that format")
    parser.add_argument("--sentences", type=int, default=128, help="0 for the whole test part")
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks/grounding_accuracy.json"))
    arguments = parser.parse_args()
    result = run(name=arguments.format, adapter=arguments.adapter, sentences=arguments.sentences)
    write_json(arguments.output, result)
    print(f"F1 free {result['f1']['free']:.4f}, grounded {result['f1']['grounded']:.4f}, "
          f"difference {result['difference']}")


if __name__ == "__main__":
    main()
