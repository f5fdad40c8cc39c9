"""The verb seeds: known entities from gold sentences, a list or an ontology."""

import sys
from pathlib import Path
from typing import Optional

import typer

from ..files import write_json_lines
from .settings import Settings, load_settings, read_overrides

DEFAULT_CONFIG = Path("configs/embedded/synthesize.cfg")


class SeedSettings(Settings):
    """Section [seeds].

    per_label (int): How many of the most frequent names to keep of each label; 0 for all.
    max_length (int): Longer names, in characters, are left out.
    """

    per_label: int = 0
    max_length: int = 80


def seeds_cli(
    ctx: typer.Context,
    source: Path = typer.Argument(..., metavar="IN", help="Gold records (.jsonl, of train), or a list: .csv or .tsv "
                                                          "with the columns text and label, .txt, or .obo."),
    output: Path = typer.Argument(..., metavar="OUT", help="Seeds as .jsonl: text, label and count."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    config: Path = typer.Option(DEFAULT_CONFIG, help="Config with a section [seeds]; override with --seeds.key value."),
    label: Optional[str] = typer.Option(None, help="Label of the names of a .txt or .obo file."),
    root: Optional[str] = typer.Option(None, help="For .obo: id of the term whose descendants are meant."),
) -> None:
    """Collect seeds: the most frequent mentions of each label, or names that are known already."""
    from ..formats.jsonl import find_jsonl, read_jsonl
    from ..synthesis.seeds import check_labels, collect_seeds, read_seeds
    from .schema import read_schema

    settings = load_settings(config, "seeds", SeedSettings, read_overrides(ctx.args))
    schema = read_schema(labels)
    per_label = settings.per_label or None
    if _holds_records(find_jsonl(source)):
        found = collect_seeds(read_jsonl(source), per_label=per_label)
    else:
        found = read_seeds(source, per_label=per_label, root=root, label=label)
    check_labels(found.seeds, schema.labels, path=source)
    kept = [seed for seed in found.seeds if len(seed.text) <= settings.max_length]
    write_json_lines(output, (seed.to_record() for seed in kept))
    print(f"{len(kept)} seeds -> {output}; {found.folded} spellings folded, "
          f"{len(found.seeds) - len(kept)} names over {settings.max_length} characters left out", file=sys.stderr)
    for name, names_labels in found.ambiguous[:10]:
        print(f"note: '{name}' has the labels {', '.join(names_labels)}", file=sys.stderr)
    if len(found.ambiguous) > 10:
        print(f"note: {len(found.ambiguous) - 10} more names have several labels", file=sys.stderr)


def _holds_records(path: Path) -> bool:
    """RETURNS (bool): Whether a .jsonl file holds annotated records rather than seeds."""
    from ..files import read_json_lines

    if not path.is_file() or ".jsonl" not in path.name:
        return False
    first = next(iter(read_json_lines(path)), None)
    return first is not None and "label" not in first[1]


