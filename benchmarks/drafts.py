"""Grounded decoding of many texts with short drafts against long ones, by processor time, tokens and passes.

    python -m benchmarks.drafts ADAPTER RECORDS
"""

import argparse
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence
from unittest.mock import patch

from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.annotation.assembly import fit_codec, make_builders
from spacy_bioner.llm.decoding import grounded
from spacy_bioner.llm.decoding.grounded import GroundedDecoder
from spacy_bioner.llm.local.model_source import CausalLMSource
from spacy_bioner.llm.local.passes.batch_sizes import LONG_DRAFTS, SHORT_DRAFTS
from spacy_bioner.llm.protocol import Request
from spacy_bioner.llm.settings import AnnotatorSettings

DRAFTS = {"long": LONG_DRAFTS, "short": SHORT_DRAFTS}


def measure(decoder: GroundedDecoder, groups: Sequence[Sequence[Request]], *, rounds: int) -> Dict[str, Dict[str, Any]]:
    """Annotate the same texts with both kinds of drafts, in turn.

    decoder (GroundedDecoder): The decoder.
    groups (Sequence[Sequence[Request]]): Texts that are annotated together.
    rounds (int): How often; the best time counts.
    RETURNS (Dict[str, Dict[str, Any]]): For each kind of drafts processor `seconds`, `tokens`, `passes`, and the
        `mentions` of each text.
    """
    found: Dict[str, Dict[str, Any]] = {}
    for _ in range(rounds):
        for name, sizes in DRAFTS.items():
            passes, tokens = decoder._decoder.passes, decoder._decoder.tokens
            mentions: List[Any] = []
            began = time.process_time()
            with patch.object(grounded, "draft_sizes", lambda device, texts, sizes=sizes: sizes):
                for group in groups:
                    replies = dict(decoder.generate(group))
                    mentions += [[mention.key for mention in replies[place].mentions] for place in range(len(group))]
            seconds = min(time.process_time() - began, found.get(name, {}).get("seconds", float("inf")))
            found[name] = {"seconds": seconds, "tokens": decoder._decoder.tokens - tokens,
                           "passes": decoder._decoder.passes - passes, "mentions": mentions}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drafts", description=__doc__.split("\n")[0])
    parser.add_argument("adapter", help="folder of an adapter")
    parser.add_argument("records", type=Path, help="texts to annotate, JSONL")
    parser.add_argument("--dtype", default="auto", help="number type of the weights")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    source = CausalLMSource(adapter=arguments.adapter, dtype=arguments.dtype)
    builder, *_ = make_builders(source.card(), fit_codec(source, AnnotatorSettings()), examples=())
    requests = [Request(builder.render(each.text), each.text) for each in read_jsonl(arguments.records, raw=True)]
    decoder: Any = source.open(builder)
    # The first pass allocates what the others find.
    list(decoder.generate(requests[:4]))
    alone = [[each] for each in requests[:20]]
    for title, groups in ((f"{len(requests)} together", [requests]), ("one by one", alone)):
        measured = measure(decoder, groups, rounds=arguments.rounds)
        for name, row in measured.items():
            count = sum(map(len, row["mentions"]))
            print(f"{title}, {name} drafts: {row['seconds']:.1f} s, {row['tokens']} tokens, {row['passes']} passes, "
                  f"{count} mentions", flush=True)
        differing = sum(one != two for one, two in zip(*(row["mentions"] for row in measured.values())))
        print(f"{title}: texts with other mentions: {differing}", flush=True)


if __name__ == "__main__":
    main()
