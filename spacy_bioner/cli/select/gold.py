"""The verb select gold: a dictionary of frequent names, and a few gold sentences that go with it."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import typer

from ...errors import BionerError, Errors
from ...files import write_json, write_json_lines
from ...project_files import find_project_file
from ...synthesis.gold_subset import Rule
from .._shared.outputs import refuse_own_input


def select_gold_cli(
    source: Path = typer.Argument(..., metavar="IN", help="Gold sentences of train as records."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for seeds.jsonl, gold.jsonl and card.json."),
    size: int = typer.Option(..., min=1, help="Names of each label in the dictionary, the most frequent ones."),
    nested: str = typer.Option("", metavar="N,N", help="Sizes whose gold sentences are a part of those of larger ones; "
                                                       "those below --size count."),
    mentions: str = typer.Option("", metavar="FILE#KEY", help="Mentions of each label that gold holds, in a JSON file: "
                                                              "size to label to number."),
    mentions_per_name: float = typer.Option(0.0, min=0, help="Mentions of a label for each of its names, where "
                                                             "--mentions does not say; 0 for none."),
    rule: Rule = typer.Option(Rule.some, help="Names in a gold sentence: some of the dictionary, or only such."),
    seed: int = typer.Option(42, min=0, help="Random seed of the draw."),
) -> None:
    """Choose the dictionary and the gold sentences of a low-resource experiment.

    The choice is fixed before anything is trained; a card counts the mentions of each name.

    Example: spacy-bioner select gold train.jsonl low --size 10

    Writes the folder OUT: gold sentences, dictionary and card.json.
    """
    from ...formats.jsonl import read_jsonl
    from ...synthesis.gold_subset import draw_subsets

    for name in ("seeds.jsonl", "gold.jsonl", "card.json"):
        refuse_own_input(output / name, [source])
    sizes = [*(each for each in read_sizes(nested) if each < size), size]
    told = read_mentions(mentions)
    subset = draw_subsets(list(read_jsonl(source)), sizes, seed=seed, rule=rule, count_wanted=lambda each, seeds: (
        count_wanted(told, each, seeds, place=mentions, per_name=mentions_per_name)))[-1]
    if not subset.sentences:
        raise BionerError(Errors.E725.format(path=source, size=size, wanted=json.dumps(subset.wanted)))
    write_json_lines(output / "seeds.jsonl", (item.to_record() for item in subset.dictionary))
    write_json_lines(output / "gold.jsonl", (sentence.to_record() for sentence in subset.sentences))
    card = subset.card()
    write_json(output / "card.json", {**card, "rule": rule.value, "seed": seed})
    print(f"{card['sentences']} gold sentences, mentions {json.dumps(card['mentions'])} of {json.dumps(card['wanted'])}"
          f" wanted, {card['names']} names of which {card['known_names']} are in the dictionary -> {output}",
          file=sys.stderr)


def read_sizes(text: str) -> List[int]:
    """Return numbers with commas between them; raises BionerError E737 for anything else."""
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        raise BionerError(Errors.E737.format(option="--nested", found=text, wanted="numbers, as 5,10,50")) from None


def read_mentions(place: str) -> Optional[Any]:
    """Return what a JSON file says of mention counts; None where it has nothing at this key, as of a
    corpus that it does not know. Raises BionerError E001 where there is no such file."""
    from ...experiments.json_values import find_value

    path = Path(place.partition("#")[0])
    if place and not find_project_file(path).is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="file of mention counts (JSON)"))
    return find_value(place) if place else None


def count_wanted(told: Any, size: int, seeds: Sequence[Any], *, place: str, per_name: float) -> Dict[str, int]:
    """Say how many mentions the gold sentences of a size may hold.

    told (Any): Size to label to number, as a file has it, or None.
    size (int): The size.
    seeds (Sequence[Seed]): Its dictionary.
    place (str): Where the counts are from, for errors.
    per_name (float): The rule for other corpora and sizes: mentions for each name; 0 for none.
    RETURNS (Dict[str, int]): Label to mentions.
    RAISES BionerError: E430 where there are no counts and no rule, E724 for counts that are no numbers by label.
    """
    counts = told.get(str(size)) if isinstance(told, dict) else told
    if counts is None:
        if not per_name:
            raise BionerError(Errors.E430.format(size=size, place=place or "--mentions, which is not given"))
        names = Counter(item.label for item in seeds)
        return {label: round(per_name * count) for label, count in sorted(names.items())}
    if not isinstance(counts, dict) or not all(isinstance(count, int) for count in counts.values()):
        raise BionerError(Errors.E724.format(place=place, size=size, found=json.dumps(counts)[:60]))
    return counts
