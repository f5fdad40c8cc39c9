"""The verb generate seeds: known entities from gold sentences, a list or an ontology."""

import sys
from pathlib import Path
from typing import List, Optional

import typer

from ...config_files import find_config
from ...errors import BionerError, Errors
from ...files import write_json_lines
from ...synthesis.settings import SeedSettings
from .._shared.outputs import refuse_other_ending, refuse_own_input
from .._shared.settings import CONFIG, PROFILE, load_settings, read_overrides


def generate_seeds_cli(
    ctx: typer.Context,
    source: Path = typer.Argument(..., metavar="IN", help="Gold records (.jsonl, of train), or a list: .csv or .tsv "
                                                          "with the columns text and label, .txt (a name a line, or "
                                                          "name, tab and label), .obo, or MeSH .xml."),
    output: Path = typer.Argument(..., metavar="OUT", help="Seeds as .jsonl: text, label and count."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    held_out: List[Path] = typer.Option([], help="Records of dev and test, which must not be among the gold ones."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    label: Optional[str] = typer.Option(None, help="Label of the names of a list or ontology without labels."),
    root: Optional[str] = typer.Option(None, help="For ontologies: id of the term whose descendants are meant."),
) -> None:
    """Collect seed entities for generated sentences.

    They are the most frequent mentions of each label, or the names of a list or an ontology.

    Example: spacy-bioner generate seeds train.jsonl seeds.jsonl --labels labels.yml

    Writes the file OUT, one seed entity per line.
    """
    from ...corpus.leakage import KnownTexts, refuse_known
    from ...formats.jsonl import find_jsonl, read_jsonl
    from ...synthesis.seeds import check_labels, collect_seeds, read_seeds
    from .._shared.schema import read_schema

    refuse_own_input(output, [source, labels, *held_out])
    refuse_other_ending(output)
    overrides = read_overrides(ctx.args)
    for key in overrides:
        if not key.startswith("seeds."):
            raise BionerError(Errors.E730.format(option=f"--{key}", why="this verb reads the section seeds only"))
    settings = load_settings(find_config("generate", config, profile), "seeds", SeedSettings, overrides)
    schema = read_schema(labels)
    limits = {"per_label": settings.per_label or None, "max_length": settings.max_length}
    if _holds_records(find_jsonl(source)):
        for option, value in (("--label", label), ("--root", root)):
            if value:
                raise BionerError(Errors.E419.format(option=option, wanted="a list of names", path=source))
        known = KnownTexts(held_out, read_jsonl)
        found = collect_seeds(refuse_known(read_jsonl(source), known), **limits)
    elif held_out:
        raise BionerError(Errors.E419.format(option="--held-out", wanted="annotated records", path=source))
    else:
        found = read_seeds(source, root=root, label=label, **limits)
    check_labels(found.seeds, schema.labels, path=source)
    if not found.seeds:
        raise BionerError(Errors.E420.format(path=source, count=found.long, max_length=settings.max_length,
                                             marked_up=found.marked_up))
    write_json_lines(output, (seed.to_record() for seed in found.seeds))
    print(f"{len(found.seeds)} seeds -> {output}; {found.folded} spellings folded, {found.long} names over "
          f"{settings.max_length} characters left out", file=sys.stderr)
    note_marked_up(found.marked_up)
    for name, names_labels in found.ambiguous[:10]:
        print(f"note: '{name}' has the labels {', '.join(names_labels)}", file=sys.stderr)
    if len(found.ambiguous) > 10:
        print(f"note: {len(found.ambiguous) - 10} more names have several labels", file=sys.stderr)


def note_marked_up(count: int) -> None:
    """Say how many names were left out since they hold markup."""
    if count:
        print(f"note: {count} names left out that hold what looks like a tag, as in 5-HT<sub>2</sub>; write them "
              f"without", file=sys.stderr)


def _holds_records(path: Path) -> bool:
    """Return whether a .jsonl file holds annotated records rather than seeds; E402 where it holds nothing."""
    from ...files import read_json_lines

    if not path.is_file() or ".jsonl" not in path.name:
        return False
    first = next(iter(read_json_lines(path)), None)
    if first is None:
        raise BionerError(Errors.E402.format(path=path))
    return "spans" in first[1]
