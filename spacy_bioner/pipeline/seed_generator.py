"""The component `seed_generator`: a language model writes a sentence for each Doc of seeds."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, Deque, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..annotation import Annotation, Mention
from ..codecs.checks import check_readable
from ..codecs.seed_tags.seed_codec import SeedTagCodec
from ..errors import BionerError, Errors
from ..formats.docbin import build_doc, doc_to_annotation, set_mentions
from ..llm.annotation.usage import Usage
from ..llm.settings import CausalLMSettings, LabelMapping
from ..settings import default_values, setting, takes_settings
from ..synthesis.checking.check_settings import SentenceBounds
from ..synthesis.plan import PlannedSentence
from ..synthesis.seeds import Seed
from ..synthesis.settings import GenerationPromptSettings, WriterModelSettings, WritingSettings
from ..synthesis.writer import Relabel, SentenceWriter, Written
from ..synthesis.writer_assembly import GeneratorSource, WriterSettings, make_writer
from .adapter_files import AdapterPipe, require_llm
from .config_labels import check_config_labels
from .doc_annotation import set_annotation
from .spacy_llm import llm_registry  # noqa: F401  (makes the registry that the config of the model names)


class SeedGeneratorSettings(WritingSettings, GenerationPromptSettings):
    """The component `seed_generator`."""

    spans_key: str = setting("sc", "Key of the group in `Doc.spans` that takes the mentions of a sentence.")
    seeds_key: str = setting("seeds", "Key of the group in `Doc.spans` that holds the seeds, see `seed_doc`.")
    labels: LabelMapping = setting(
        None, "Label to definition, or a list of labels and of pairs [label, definition]; null or empty takes the "
        "labels of the adapter, or of the embedded corpus.")
    lang: Optional[str] = setting(None, "Language of the sentences; null takes that of the adapter, or en.")
    style_examples: List[str] = setting([], "Raw sentences that show the style.")
    held_out: List[Path] = setting(
        [], "Records of dev and test, whose sentences must not come out again; read at first use.")
    checks: SentenceBounds = SentenceBounds()


# A config cannot put a section in the place of null.
DEFAULT_CONFIG = {**default_values(SeedGeneratorSettings), "labels": {},
                  "model": {"@llm_models": "spacy-bioner.CausalLM.v1",
                            **{name: value for name, value in default_values(WriterModelSettings).items()
                               if value != default_values(CausalLMSettings)[name]}}}


@Language.factory("seed_generator", default_config=DEFAULT_CONFIG)
@takes_settings(SeedGeneratorSettings, place="seed_generator", check=check_config_labels)
def make_seed_generator(nlp: Language, name: str, model: Any, settings: SeedGeneratorSettings) -> "SeedGenerator":
    """Make the component.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    model (GeneratorSource): What writes: a local model, a server or recorded responses.
    settings (SeedGeneratorSettings): How sentences are asked for and checked.
    """
    if not hasattr(model, "open_generator"):
        raise BionerError(Errors.E425.format(name=name))
    require_llm(nlp)
    if settings.labels:
        check_readable(SeedTagCodec(), list(settings.labels))
    if settings.mode == "relabel":
        raise BionerError(Errors.E421.format(name=name))
    written = WriterSettings(**{**settings.shared_with(WriterSettings), "labels": settings.labels or None,
                                "checks": settings.checks.values()})
    return SeedGenerator(nlp.vocab, name, source=model, settings=written, spans_key=settings.spans_key,
                         seeds_key=settings.seeds_key, held_out=settings.held_out)


def seed_doc(vocab: Vocab, seeds: Sequence[Tuple[str, str]], *, seeds_key: str = "seeds", id: str = "") -> Doc:
    """Make a Doc of seeds.

    vocab (Vocab): Vocabulary of the pipeline.
    seeds (Sequence[Tuple[str, str]]): Text and label of one to three known entities.
    seeds_key (str): Where they go in `Doc.spans`.
    id (str): Name of the sentence that is made from them.
    RETURNS (Doc): A Doc whose text lists the seeds.
    """
    names = [" ".join(text.split()) for text, _ in seeds]
    doc = build_doc(vocab, "; ".join(names))
    mentions, start = [], 0
    for name, (_, label) in zip(names, seeds):
        mentions.append(Mention(start, start + len(name), label))
        start += len(name) + len("; ")
    set_mentions(doc, mentions, spans_key=seeds_key)
    doc.user_data["id"] = id
    return doc


def find_sentence(doc: Doc, *, spans_key: str = "sc") -> Optional[Annotation]:
    """Turn a Doc that the component made into a record's annotation.

    doc (Doc): The Doc.
    spans_key (str): Where its mentions are.
    RETURNS (Optional[Annotation]): The sentence, None where it was rejected.
    """
    if not doc.text:
        return None
    return replace(doc_to_annotation(doc, spans_key), meta=doc.user_data["meta"])


class SeedGenerator(AdapterPipe):
    """Writes a sentence for each Doc of seeds: a new Doc, with its mentions in `doc.spans[spans_key]`.

    `doc.user_data["meta"]` says the seeds, the model and the issues met. A rejected sentence is a Doc without text
    that says the reason as "error".

    vocab (Vocab): Vocabulary of the pipeline.
    name (str): Name of the component.
    source (GeneratorSource): What writes; loaded when first used.
    settings (WriterSettings): How it is asked, and what is checked.
    spans_key (str): Where the mentions go in `Doc.spans`.
    seeds_key (str): Where the seeds stand.
    relabel (Optional[Relabel]): For the mode "relabel": annotates sentences. It is not saved with the pipeline.
    held_out (Iterable[Path]): Records of dev and test, whose sentences must not come out again. They are read at first
        use; their paths are saved with the pipeline.
    """

    def __init__(self, vocab: Vocab, name: str = "seed_generator", *, source: GeneratorSource,
                 settings: WriterSettings, spans_key: str = "sc", seeds_key: str = "seeds",
                 relabel: Optional[Relabel] = None, held_out: Iterable[Path] = ()) -> None:
        super().__init__(vocab, name, source)
        self.settings = settings
        self.spans_key = spans_key
        self.seeds_key = seeds_key
        self.relabel = relabel
        self.held_out = tuple(held_out)
        self.usage = Usage()
        self._made_with = self._cfg()

    @property
    def writer(self) -> SentenceWriter:
        """Return what does the work; its `report` counts rejections and repairs."""
        return self._load()

    def __call__(self, doc: Doc) -> Doc:
        """Return the sentence made from the seeds of a Doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Write a sentence for each Doc of seeds; those of the same seeds get different sentences, in later calls too.

        Several processes know nothing of each other: there the same seeds may get the same sentence.

        stream (Iterable[Doc]): Docs with seeds, see `seed_doc`.
        batch_size (int): How many are taken at once.
        YIELDS (Doc): A new Doc for each, in order; for one that is rejected or has no seeds the error handler is
            called, if one was set.
        RAISES BionerError: E426 for a Doc without seeds, where no error handler was set.
        """
        writer = self.writer
        waiting: Deque[Tuple[Doc, Optional[BionerError]]] = deque()

        def read_plan() -> Iterator[PlannedSentence]:
            for doc in stream:
                seeds = tuple(Seed(span.text, span.label_) for span in doc.spans.get(self.seeds_key, ()))
                fault = None if seeds else BionerError(Errors.E426.format(key=self.seeds_key))
                if fault is not None and not hasattr(self, "error_handler"):
                    raise fault
                waiting.append((doc, fault))
                if fault is None:
                    yield PlannedSentence(_get_id(doc), seeds, sample=writer.count_sample(seeds))

        for written in writer.write_each(read_plan(), window=batch_size):
            yield from self._leave_out(waiting)
            doc, _ = waiting.popleft()
            if written.sentence is None:
                self._tell(doc, BionerError(Errors.E427.format(why=written.reason)))
            yield self._make_doc(doc, written)
        yield from self._leave_out(waiting)

    def _leave_out(self, waiting: Deque[Tuple[Doc, Optional[BionerError]]]) -> Iterator[Doc]:
        """Yield empty Docs in place of those without seeds that are next."""
        while waiting and waiting[0][1] is not None:
            doc, fault = waiting.popleft()
            self._tell(doc, fault)
            yield self._make_doc(doc, Written(PlannedSentence(_get_id(doc), ()), reason="no_seeds"))

    def _tell(self, doc: Doc, fault: Optional[BionerError]) -> None:
        # spaCy's default handler raises: only one that was set is called.
        if hasattr(self, "error_handler"):
            self.error_handler(self.name, self, [doc], fault)

    def _make_doc(self, given: Doc, written: Written) -> Doc:
        seeds = [[seed.text, seed.label] for seed in written.planned.seeds]
        sentence = written.sentence or Annotation("", id=written.planned.id,
                                                  meta={"seeds": seeds, "issues": {}, "error": written.reason})
        doc = build_doc(self.vocab, sentence.text)
        set_annotation(doc, sentence, spans_key=self.spans_key)
        doc.user_data.update(id=sentence.id, split="train")
        # Where spaCy keeps what came with a text, for `as_tuples`.
        doc._context = given._context
        return doc

    def _make(self) -> SentenceWriter:
        return make_writer(self.source, self.settings, relabel=self.relabel, usage=self.usage, held_out=self.held_out)

    def _cfg(self) -> Dict[str, Any]:
        labels = None if self.settings.labels is None else dict(self.settings.labels)
        return {"labels": labels, "spans_key": self.spans_key, "seeds_key": self.seeds_key,
                "held_out": [str(path) for path in self.held_out]}

    def _set_cfg(self, cfg: Dict[str, Any]) -> None:
        self.settings = self.settings.changed(labels=cfg["labels"])
        self.spans_key, self.seeds_key = cfg["spans_key"], cfg["seeds_key"]
        # Components that were saved before this key was there had none.
        self.held_out = tuple(map(Path, cfg.get("held_out", [])))


def _get_id(doc: Doc) -> str:
    return str(doc.user_data.get("id", ""))
