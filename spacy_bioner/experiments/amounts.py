"""How many records and tokens the files of an experiment will hold, before any of them is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

from ..formats.jsonl import find_jsonl, read_jsonl
from .steps import Plan, Step

# Bytes of UTF-8 text: for a token of English or Chinese, and for a sentence.
_BYTES_PER_TOKEN = 4
_BYTES_PER_SENTENCE = 150
_SPLITS = ("train", "dev", "test")
# Gold sentences of a label's name, about, where a subset is chosen by a dictionary.
_SENTENCES_PER_NAME = 3


@dataclass(frozen=True)
class Amount:
    """How much a file holds.

    records (float): Its records.
    tokens (float): Tokens of all of them.
    """

    records: float
    tokens: float

    def at_most(self, records: float) -> "Amount":
        """Return the amount of a sample of so many records; 0 takes all."""
        if not records or not self.records or records >= self.records:
            return self
        return Amount(records, self.tokens * records / self.records)

    def times(self, factor: float) -> "Amount":
        """Return so many times the amount."""
        return Amount(self.records * factor, self.tokens * factor)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.records + other.records, self.tokens + other.tokens)


NOTHING = Amount(0, 0)


class CommandLine:
    """The words of a step, taken apart.

    step (Step): The step; options of one name keep the last value, `--add` all of them.
    """

    def __init__(self, step: Step) -> None:
        self.verb = step.verb
        words = list(step.arguments[len(step.verb.split()):])
        self.files: List[str] = []
        self.options: Dict[str, str] = {}
        self.added: List[str] = []
        while words and not words[0].startswith("--"):
            self.files.append(words.pop(0))
        while words:
            name = words.pop(0)[2:]
            value = words.pop(0) if words and not words[0].startswith("--") else ""
            self.options[name] = value
            if name == "add":
                self.added.append(value.partition("=")[0])

    def number(self, name: str, default: float = 0.0) -> float:
        """Return the number that an option gives."""
        return float(self.options.get(name) or default)

    def settings(self) -> Dict[str, object]:
        """Return the dotted options, as a config is overridden by them."""
        from confection import try_load_json

        return {name: try_load_json(value) for name, value in self.options.items() if "." in name}


class Amounts:
    """Amounts of the files of a plan.

    plan (Plan): The steps that make them.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: Dict[Path, Optional[Amount]] = {}

    def of(self, path: Path) -> Optional[Amount]:
        """Estimate what a file holds, or will hold.

        path (Path): A file of records.
        RETURNS (Optional[Amount]): None where it is neither there nor can be told from the step that makes it.
        """
        if path not in self._known:
            self._known[path] = None  # a file that is made from itself holds nothing
            step = self._plan.maker(path)
            self._known[path] = count_file(path) if step is None else self._made(CommandLine(step), path)
        return self._known[path]

    def total(self, paths: List[str]) -> Optional[Amount]:
        """Return the amount of several files together; None where one of them is unknown."""
        found = [self.of(Path(path)) for path in paths]
        known = [amount for amount in found if amount is not None]
        return sum(known, NOTHING) if len(known) == len(found) else None

    def _made(self, command: CommandLine, path: Path) -> Optional[Amount]:
        if command.verb == "prepare":
            return self._prepared(command, path)
        if command.verb == "select gold":
            sentences = _SENTENCES_PER_NAME * command.number("size")
            source = self.of(Path(command.files[0]))
            return source and source.at_most(sentences)
        if command.verb == "generate sentences":
            count = command.number("n") or command.number("synthesize.n")
            return Amount(count, 40 * count)
        source = self.total(command.files[:-1])
        if source is None:
            return None
        if command.verb == "convert":
            return source.at_most(command.number("limit"))
        if command.verb == "generate variants":
            return source.times(command.number("augment.copies", 4))
        if command.verb == "select records":
            return source.times(command.number("select_data.keep_ratio", 1))
        return source

    def _prepared(self, command: CommandLine, path: Path) -> Optional[Amount]:
        data, corpus = map(Path, command.files[:2])
        part = path.name.split(".")[0]
        if part in _SPLITS:
            limit = command.number({"train": "gold-limit"}.get(part, f"{part}-limit"))
            whole = self.of(data / corpus / f"{part}.jsonl")
        else:
            raw, limit = command.options.get("raw", "auto"), command.number("raw-limit")
            source = corpus if raw in ("auto", "train", "none") else Path(raw)
            whole = self.of(data / source / "train.jsonl")
        if whole is None:
            return None
        return Amount(max(whole.records, whole.tokens * _BYTES_PER_TOKEN / _BYTES_PER_SENTENCE),
                      whole.tokens).at_most(limit)


def count_file(path: Path) -> Optional[Amount]:
    """Count a file of records that is there.

    path (Path): The file.
    RETURNS (Optional[Amount]): None where there is none, or none of records.
    """
    found = find_jsonl(path)
    if not found.is_file() or not found.name.endswith((".jsonl", ".jsonl.gz")):
        return None
    sizes = [len(record.text.encode("utf8", "surrogatepass")) for record in read_jsonl(found)]
    return Amount(len(sizes), sum(sizes) / _BYTES_PER_TOKEN)
