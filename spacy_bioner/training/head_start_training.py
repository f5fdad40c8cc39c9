"""Makes a head start: one span categorizer trained on several corpora, each of which is silent on the others' labels.

Every corpus has labels of its own, named `corpus/LABEL`. In a text of one corpus the labels of the others have no loss:
nobody has annotated them there.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from spacy.language import Language

from ..annotation import Annotation
from ..config_files import ConfigFiles
from ..corpus.leakage import KnownTexts
from ..corpus.sampling import check_split, draw_sample
from ..corpus.sentences import split_sentences
from ..files import fill_folder
from ..formats import read_annotations
from ..formats.docbin import annotation_to_doc
from ..formats.jsonl import read_jsonl, write_jsonl
from .pipeline_loading import load_pipeline
from .spacy_training import checksum
from .stages import Run, run_stages
from .strategies import Stage
from .training_texts import TrainingTexts

logger = logging.getLogger(__name__)

COMPONENT = "bioner_spancat"
_DEV = "dev"
_SEPARATOR = "/"
_AT_ONCE = 64


@dataclass(frozen=True)
class HeadStartRun:
    """A training of a head start.

    config (ConfigFiles): The training config of a span categorizer whose encoder is trained by LoRA.
    sources (Mapping[str, Path]): Name of a corpus to its gold records, split train.
    exclude (Sequence[Path]): Dev and test sets, and whole corpora: a document that shares a sentence is left out.
    updates (int): Steps of the training.
    dev (int): Sentences of each corpus that are kept apart, to see what was learnt.
    seed (int): Seed of weights, order and choice.
    overrides (Mapping[str, Any]): Further settings of the config, by dotted key.
    """

    config: ConfigFiles
    sources: Mapping[str, Path]
    exclude: Sequence[Path]
    updates: int
    dev: int
    seed: int
    overrides: Mapping[str, Any]


def train_head_start(run: HeadStartRun, output: Path, *, gpu_id: int = -1, overwrite: bool = False) -> Dict[str, Any]:
    """Train a head start; a training that is complete is taken as it is.

    run (HeadStartRun): What is trained on what.
    output (Path): Folder for `texts`, `training` and the head start itself, `head_start`.
    gpu_id (int): The GPU, -1 for the CPU.
    overwrite (bool): Whether another training in the folder is replaced.
    RETURNS (Dict[str, Any]): The card of the head start.
    RAISES BionerError: As `stages.run_stages`.
    """
    texts, described = collect_texts(run, output / "texts")
    labels = {name: sorted(source["labels"]) for name, source in described.items()}
    card = run_stages(Run(
        config=run.config, strategy="head start", stages=[Stage(tuple(texts), run.updates)],
        sources={name: {"path": path, "annotated": labels[name]} for name, path in texts.items()},
        dev=output / "texts" / f"{_DEV}.jsonl", held_out=(), seed=run.seed, evaluations=1, tune="none",
        overrides=run.overrides), output / "training", gpu_id=gpu_id, overwrite=overwrite)
    nlp = load_pipeline(output / "training" / "model-best")
    scores = score_sources(nlp, output / "texts" / f"{_DEV}.jsonl", labels)
    written = {"sources": described, "dev_f1": scores, "steps": run.updates, "seed": run.seed,
               "overrides": dict(run.overrides), "config": card["config"], "versions": card["versions"]}
    fill_folder(output / "head_start", lambda folder: write_folder(folder, nlp, texts, written))
    return written


def collect_texts(run: HeadStartRun, folder: Path) -> Tuple[Dict[str, Path], Dict[str, Dict[str, Any]]]:
    """Cut the sources into sentences, with labels of their own, and leave out what may not be in them.

    run (HeadStartRun): The sources.
    folder (Path): Where the records go.
    RETURNS (Tuple[Dict[str, Path], Dict[str, Dict[str, Any]]]): Name to records, and name to what is told of a source.
    """
    known = KnownTexts(run.exclude, read_annotations)
    paths, described, apart = {}, {}, []
    for name, path in run.sources.items():
        documents = [annotation for annotation in read_annotations(path) if annotation.text]
        kept = [annotation for annotation in documents if known.find(annotation) is None]
        sentences = [_own_labels(sentence, name) for one in kept for sentence in split_sentences(one)]
        for sentence in sentences:
            check_split(sentence, "train")
        sample = draw_sample(sentences, run.dev, seed=run.seed)
        apart += sample
        chosen = {sentence.id for sentence in sample}
        trained = [sentence for sentence in sentences if sentence.id not in chosen]
        paths[name] = folder / f"{name}.jsonl"
        write_jsonl(paths[name], trained)
        counts: Dict[str, int] = {}
        for sentence in trained:
            for mention in sentence.mentions:
                counts[mention.label] = counts.get(mention.label, 0) + 1
        described[name] = {"file": path.name, "sha256": checksum(path), "documents": len(kept),
                           "left_out": len(documents) - len(kept), "sentences": len(trained), "labels": counts}
        logger.info("Source %s: %d of %d documents left out, %d sentences", name, len(documents) - len(kept),
                    len(documents), len(trained))
    write_jsonl(folder / f"{_DEV}.jsonl", apart)
    return paths, described


def _own_labels(sentence: Annotation, name: str) -> Annotation:
    mentions = [replace(mention, label=f"{name}{_SEPARATOR}{mention.label}") for mention in sentence.mentions]
    return replace(sentence, id=f"{name}-{sentence.id}", meta={**sentence.meta, "corpus": name}).with_mentions(mentions)


def score_sources(nlp: Language, path: Path, labels: Mapping[str, Sequence[str]]) -> Dict[str, float]:
    """Return strict F1 by source, in percent: in a sentence only the labels of its own corpus count.

    nlp (Language): The trained pipeline.
    path (Path): Sentences with their corpus in `meta`.
    labels (Mapping[str, Sequence[str]]): The labels of each corpus.
    """
    counts = {name: [0, 0] for name in labels}
    for sentence, found in _find_mentions(nlp, list(read_jsonl(path))):
        name = sentence.meta["corpus"]
        gold = {mention.key for mention in sentence.mentions}
        own = {key for key in found if key[2] in labels[name]}
        counts[name][0] += 2 * len(gold & own)
        counts[name][1] += len(gold) + len(own)
    return {name: round(100 * both / max(total, 1), 2) for name, (both, total) in counts.items()}


def _find_mentions(nlp: Language, sentences: List[Annotation],
                   ) -> Iterator[Tuple[Annotation, Set[Tuple[int, int, str]]]]:
    docs = (annotation_to_doc(sentence.with_mentions(()), nlp.vocab)[0] for sentence in sentences)
    for sentence, doc in zip(sentences, nlp.pipe(docs, batch_size=_AT_ONCE)):
        yield sentence, {(span.start_char, span.end_char, span.label_) for span in doc.spans["sc"]}


def write_folder(folder: Path, nlp: Language, texts: Mapping[str, Path], card: Mapping[str, Any]) -> None:
    """Write the folder of a head start: hashes of its texts, weights and card.

    folder (Path): The folder.
    nlp (Language): The trained pipeline.
    texts (Mapping[str, Path]): The records that it was trained on.
    card (Mapping[str, Any]): What the card says of the training.
    """
    from ..ml.head_start.folder import write_head_start

    model: Any = nlp.get_pipe(COMPONENT)
    encoder, grid = (model.model.get_ref(name).shims[0] for name in ("tok2vec", "output_layer"))
    TrainingTexts.read([*texts.values(), next(iter(texts.values())).with_name(f"{_DEV}.jsonl")]).write(folder)
    write_head_start(folder, encoder.module.transformer, grid.module, {
        "encoder": encoder.config["name"], "base": encoder.config["base"], "grid": dict(grid.config),
        "labels": list(model.labels), **card})
