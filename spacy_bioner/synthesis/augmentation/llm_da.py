"""New sentences from gold ones by a language model: other words round the mentions, or other mentions in the words.

Source: LLM-DA, augmentation at the context and at the entity level.
"""

import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from typing import Counter as CounterType

from ...annotation import Annotation, Mention
from ...llm.annotation.request_runner import Runner
from ...llm.protocol import Request
from ...prompts.bounded_templates import compile_template, render_blocks
from ...prompts.build import Prompt, read_template
from ..plan import PlannedSentence
from ..seeds import Seed, draw_mentions, fold_name
from ..writer import SentenceWriter
from .edits import Edit, cut_out, outermost
from .lsms import mark_augmented
from .material import Material

_BULLET = re.compile(r"^\s*(?:[-•–·●]|\*(?!\*)|[(（]?\d+[.):、．）]|[一二三四五六七八九十]+、|[①-⒛❶-➓])?\s*")
# A name in bold, as code or in quotes, and maybe a remark behind it.
_MARKED = re.compile(r"(\*\*|__|`|\")(?P<name>.+?)\1|[“「『《](?P<quoted>.+?)[”」』》](?!\w)")
# What ends a sentence or announces the list, and no name.
_ENDS = (".", ":", "?", "。", "：", "？", "！")
_LONGEST_NAME = 60
# What a rewritten sentence keeps of what its writer says of the model.
PROVENANCE = ("model", "adapter", "temperature", "top_p", "variant", "prompt_hash", "issues")


def rewrite_contexts(sentences: Sequence[Annotation], writer: SentenceWriter, *, copies: int, max_seeds: int,
                     seed: int) -> Iterator[Annotation]:
    """Let the model write other sentences round the mentions of gold sentences.

    sentences (Sequence[Annotation]): Gold sentences of train; those without mentions are left out.
    writer (SentenceWriter): Writes and checks the sentences; its report counts what was rejected.
    copies (int): Sentences to ask for, for each gold sentence.
    max_seeds (int): Of a sentence with more mentions so many are drawn.
    seed (int): Random seed.
    YIELDS (Annotation): The new sentences, with what is nested in their mentions.
    """
    sources: List[Tuple[Annotation, int]] = []
    plan: List[PlannedSentence] = []
    before: Dict[Sequence[Seed], int] = {}
    for number, sentence in enumerate(sentences):
        for copy in range(copies):
            seeds = _draw_seeds(sentence, max_seeds, random.Random(f"{seed}|{number}|{copy}"))
            if seeds:
                plan.append(PlannedSentence(f"{sentence.id}-a{copy}", seeds, sample=before.get(seeds, 0)))
                before[seeds] = before.get(seeds, 0) + 1
                sources.append((sentence, copy))
    for (source, copy), written in zip(sources, writer.write_each(plan)):
        if written.sentence is not None:
            restored = _restore_nested(written.sentence, source)
            marked = mark_augmented(restored, source, "context_rewriting", number=copy, seed=seed)
            known = {key: written.sentence.meta[key] for key in PROVENANCE if key in written.sentence.meta}
            yield marked.with_meta(**known)


def _draw_seeds(sentence: Annotation, max_seeds: int, chance: random.Random) -> "tuple[Seed, ...]":
    return tuple(Seed(sentence.surface(mention), mention.label)
                 for mention in draw_mentions(sentence, outermost(sentence), max_seeds, chance))


def _restore_nested(sentence: Annotation, source: Annotation) -> Annotation:
    """Put what was nested in a mention of the source into its new places."""
    inner = {(fold_name(source.surface(mention)), mention.label): cut_out(source, mention)
             for mention in outermost(source)}
    mentions: List[Mention] = list(sentence.mentions)
    for mention in sentence.mentions:
        cut = inner.get((fold_name(sentence.surface(mention)), mention.label))
        # Another spelling has other offsets; then only the mention itself is certain.
        if cut is not None and len(cut.text) == mention.end - mention.start:
            mentions += [replace(other, start=other.start + mention.start, end=other.end + mention.start)
                         for other in cut.mentions]
    return sentence.with_mentions(mentions)


@dataclass(frozen=True)
class NamePrompt:
    """Asks for further names of a label.

    labels (Mapping[str, str]): Label to description.
    template (str): Name or path of a Jinja template with the blocks system and user.
    domain (str): What the model is an expert in; empty leaves it to the template.
    genre (str): Where the names could stand; empty leaves it to the template.
    """

    labels: Mapping[str, str]
    template: str = "names.en"
    domain: str = ""
    genre: str = ""

    @property
    def hash(self) -> str:
        """Return a short hash of all that the prompt depends on beside the label and the names."""
        settings = {**asdict(self), "labels": dict(self.labels), "source": read_template(self.template)}
        text = json.dumps(settings, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()[:16]

    def render(self, label: str, names: Sequence[str]) -> Prompt:
        """Return the prompt; the known names begin the list that the model goes on with."""
        compiled = compile_template(read_template(self.template), name=self.template)
        blocks = render_blocks(compiled, dict(label=label, definition=self.labels.get(label, ""), names=list(names),
                                              domain=self.domain, genre=self.genre), name=self.template)
        return Prompt(system=blocks.get("system", ""), user=blocks.get("user", ""))


@dataclass
class NameCounts:
    """What became of the requests for names.

    asked (int): Requests.
    failed (Counter): Reason to number, for requests that were not answered.
    names (Counter): Label to the number of new names.
    """

    asked: int = 0
    failed: CounterType[str] = field(default_factory=Counter)
    names: CounterType[str] = field(default_factory=Counter)

    def to_json(self) -> Dict[str, Any]:
        return {"asked": self.asked, "failed": dict(self.failed.most_common()),
                "names": dict(sorted(self.names.items()))}


def propose_names(material: Material, runner: Runner, prompt: NamePrompt, *, rounds: int, shown: int,
                  seed: int, counts: Optional[NameCounts] = None) -> Material:
    """Let the model name further entities of each label.

    material (Material): The mentions of train, of which some are shown as examples.
    runner (Runner): Asks a model that writes freely.
    prompt (NamePrompt): The prompt.
    rounds (int): How often each label is asked for, with other examples.
    shown (int): Names shown as examples.
    seed (int): Random seed.
    counts (Optional[NameCounts]): Takes note of what failed and what was found.
    RETURNS (Material): The new names, as material for mention replacement; labels without one are not in it.
    """
    chance = random.Random(seed)
    asked: List[str] = []
    requests: List[Request] = []
    for label in sorted(material.mentions):
        known = sorted({item.text for item in material.mentions[label]})
        for sample in range(rounds):
            names = chance.sample(known, min(shown, len(known)))
            requests.append(Request(prompt.render(label, names), sample=sample))
            asked.append(label)
    found: Dict[str, Dict[str, Edit]] = {}
    counts = NameCounts() if counts is None else counts
    counts.asked += len(requests)
    for label, reply in zip(asked, runner.run(requests)):
        if reply.error is not None:
            counts.failed[reply.error] += 1
        folded = {fold_name(item.text) for item in material.mentions[label]}
        for name in read_names(reply.text, cut=reply.finish_reason == "length"):
            if fold_name(name) not in folded:
                edit = Edit(0, 0, name, (Mention(0, len(name), label),))
                found.setdefault(label, {}).setdefault(fold_name(name), edit)
    counts.names.update({label: len(names) for label, names in found.items()})
    return Material({label: list(names.values()) for label, names in found.items()}, {})


def read_names(text: str, *, cut: bool = False) -> List[str]:
    """Read the names of an answer.

    text (str): The answer.
    cut (bool): Whether the token limit has ended it: then a last line without its end may hold half a name.
    RETURNS (List[str]): One a line, without bullets and numbers; lines that look like a sentence are left out.
    """
    lines = text.splitlines()
    if cut and not text.endswith(("\n", "\r")):
        del lines[-1:]
    names = []
    for line in lines:
        name = " ".join(_BULLET.sub("", line, count=1).split())
        marked = _MARKED.match(name)
        name = (marked["name"] or marked["quoted"] if marked else name).strip(" ,;，；、")
        looks_like_name = len(name) <= _LONGEST_NAME and len(name.split()) <= 6 and not name.endswith(_ENDS)
        if looks_like_name and any(map(str.isalpha, name)) and "<" not in name:
            names.append(name)
    return names
