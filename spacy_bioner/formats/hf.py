"""Token classification as Hugging Face datasets hold it: tokens and their tags, in JSON."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from ..annotation import Annotation, Mention, choose_id
from ..errors import BionerError, Errors
from ..files import open_atomic, read_json_lines
from ..loading import read_json
from ..tokens import find_units
from .jsonl import find_jsonl
from .parsing.lines import refuse_surrogates
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import ground_mentions
from .parsing.tags import join_tokens, layers_to_mentions, mentions_to_layers, place_tokens, read_tags

_TOKENS = ("tokens", "words")
_TAGS = ("ner_tags", "tags", "labels")
# Column of mentions that have identifiers, attributes or notes, as spans of a record.
_SPANS = "spans"


def read_hf(path: Path, *, problems: Optional[Problems] = None, label: str = "") -> Iterator[Annotation]:
    """Read examples with `tokens` and `ner_tags` (or `words`; `tags`, `labels`).

    path (Path): JSON lines, read one by one, or one JSON document: a list of examples, or columns. Tags that are
        numbers are named by the `dataset_info.json` beside the file.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    label (str): Label of tags that have none, as in B, I and O.
    YIELDS (Annotation): The examples. Their text is `text` where it fits the tokens, else the tokens and blanks.
    RAISES BionerError: E001 to E003 with file and line, E011 for other JSON; E019 where numbers have no names.
    """
    problems = strict_unless(problems)
    path = find_jsonl(Path(path)) if _has_lines(Path(path)) else Path(path)
    stem = path.name.split(".")[0]
    names: Optional[List[str]] = None
    for number, (place, example) in enumerate(_read_examples(path), start=1):
        tokens, tags = _find(example, _TOKENS, place), _find(example, _TAGS, place)
        if len(tokens) != len(tags):
            problems.add("bad_line", place, f"{len(tokens)} tokens and {len(tags)} tags")
            continue
        if any(isinstance(tag, int) for tag in tags):
            names = names or _read_names(path)
            tags = [_name(tag, names, place) for tag in tags]
        words = [_check_word(token, place) for token in tokens]
        yield _to_annotation(example, words, tags, label, f"{stem}-{number}", place, problems)


def write_hf(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
             written: Written = untold) -> int:
    """Write examples with id, text, tokens (the units of the text) and ner_tags, whole or not at all.

    path (Path): The file: JSON lines where its name has `.jsonl`, else one JSON document, as the reader takes it.
    annotations (Iterable[Annotation]): The records.
    problems (Optional[Problems]): Takes note of mentions inside or across others, which one column of tags cannot
        hold, and of what else is lost; without it that is an error.
    written (Written): Is told each record as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    problems = strict_unless(problems)
    count = 0
    lines = _has_lines(Path(path))
    with open_atomic(path) as file_:
        for annotation in annotations:
            tokens = find_units(annotation.text)
            layers = mentions_to_layers(annotation, tokens, problems=problems)
            lost = sum(tag.startswith("B-") for layer in layers[1:] for tag in layer)
            for _ in range(lost):
                problems.add("overlap", annotation.id)
            note_losses(annotation, problems, held=("ids", "attributes", "note"))
            words = [annotation.text[start:end] for start, end in tokens]
            example: Dict[str, Any] = {"id": annotation.id, "text": annotation.text, "tokens": words,
                                       "ner_tags": layers[0]}
            held = annotation.with_mentions(_detailed(layers_to_mentions(layers[:1], tokens), annotation.mentions))
            details = [{"start": mention.start, "end": mention.end, "label": mention.label, **mention.details()}
                       for mention in held.mentions if mention.details()]
            if details:
                example[_SPANS] = details
            row = json.dumps(example, ensure_ascii=False)
            file_.write(f"{row}\n" if lines else f"{',' if count else '['}\n{row}")
            count += 1
            written(held)
        if not lines:
            file_.write("\n]\n" if count else "[]\n")
    return count


def _detailed(mentions: Iterable[Mention], known: Iterable[Mention]) -> List[Mention]:
    """Return the mentions with the identifiers, attributes and notes of those known at their places."""
    others = {mention.key: mention for mention in known}
    return [mention.united(others.get(mention.key, mention)) for mention in mentions]


def _has_lines(path: Path) -> bool:
    """Return whether a file has an example a line, and is not one JSON document."""
    return ".jsonl" in path.name.lower()


def _read_examples(path: Path) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield the examples and their places."""
    if _has_lines(path):
        for number, example in read_json_lines(path):
            yield f"{path}, line {number}", example
        return
    content = read_json(path, wanted="a JSON document")
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    if isinstance(content, dict) and content and all(isinstance(column, list) for column in content.values()):
        content = [dict(zip(content, row)) for row in zip(*content.values())]
    if not isinstance(content, list) or not all(isinstance(example, dict) for example in content):
        raise BionerError(Errors.E011.format(path=path, wanted="a list of examples", why="found other JSON"))
    for number, example in enumerate(content, start=1):
        yield f"{path}, example {number}", example


def _find(example: Dict[str, Any], keys: Iterable[str], place: str) -> List[Any]:
    for key in keys:
        if isinstance(example.get(key), list):
            return example[key]
    raise BionerError(Errors.E020.format(place=place, keys=" or ".join(keys)))


def _read_names(path: Path) -> List[str]:
    """Return the names of the tags, from the `dataset_info.json` beside a file."""
    info = path.parent / "dataset_info.json"
    try:
        features = read_json(info, wanted="a JSON document")["features"]
        for key in _TAGS:
            if key in features:
                feature = features[key].get("feature", features[key])
                return [str(name) for name in feature["names"]]
    except (OSError, BionerError, LookupError, TypeError, AttributeError):
        pass
    raise BionerError(Errors.E019.format(path=path, info=info))


def _name(tag: Any, names: List[str], place: str) -> str:
    if isinstance(tag, int) and 0 <= tag < len(names):
        return names[tag]
    raise BionerError(Errors.E021.format(place=place, tag=tag, count=len(names)))


def _check_word(token: Any, place: str) -> str:
    """Return a token; raises BionerError E030 for what is neither a string nor a number."""
    if isinstance(token, (str, int, float)) and not isinstance(token, bool):
        return str(token)
    raise BionerError(Errors.E030.format(place=place, why=f"a token is a string; found {repr(token)[:60]}"))


def _to_annotation(example: Dict[str, Any], words: List[str], tags: List[str], label: str, id: str, place: str,
                   problems: Problems) -> Annotation:
    text = example.get("text")
    refuse_surrogates(" ".join([str(text), *words]), place)
    placed = place_tokens(text, words) if isinstance(text, str) else None
    if placed is None and isinstance(text, str):
        problems.add("token_not_found", place, text[:60])
    exact = placed is not None
    text, tokens = placed or join_tokens(words)
    stated = read_tags([str(tag) for tag in tags], tokens, place=place, problems=problems, label=label)
    mentions = ground_mentions(text, stated, problems=problems)
    if exact and example.get(_SPANS):
        try:
            known = Annotation.from_record({"text": text, _SPANS: example[_SPANS]})
        except BionerError as error:
            raise BionerError(Errors.E030.format(place=place, why=error)) from None
        mentions = tuple(_detailed(mentions, known.mentions))
    return Annotation(text, mentions, id=choose_id(example.get("id"), id), meta={"detokenized": exact})
