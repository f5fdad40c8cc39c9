"""Sentences from seeds: fine-tuned against untuned, grounded against free sampling, on the same plan in the same run.

Of each it says how many sentences are accepted, without repair too, how many seeds stand in them, how varied they are
(distinct n-grams of equally many sentences), how likely the base model finds them, how fast they come, and why the
others were rejected. With --f1 a span categorizer is trained on the sentences of each alone and scored on test.

    python -m benchmarks.generation --adapter training/generator --f1
"""

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from spacy_bioner.annotation import Annotation
from spacy_bioner.cli._shared.schema import Schema, read_schema
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.files import write_json, write_json_lines
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.decoding.free import FreeDecoder
from spacy_bioner.llm.decoding.generation import GroundedGenerator
from spacy_bioner.llm.local.causal_lm import CausalLM, load_causal_lm
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.synthesis.checking.check_settings import CheckSettings
from spacy_bioner.synthesis.checking.language import read_stop_words
from spacy_bioner.synthesis.checking.quality import describe_quality, score_perplexity, share_present
from spacy_bioner.synthesis.checking.sentence_checks import SentenceChecks
from spacy_bioner.synthesis.generator_training import choose_pairs, train_generator
from spacy_bioner.synthesis.plan import PlannedSentence, plan_sentences
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import collect_seeds
from spacy_bioner.synthesis.writer import SentenceWriter

MODEL = "smollm2-135m-instruct"
ROOT = Path(__file__).parents[1]
BATCH, LIMIT = 32, 128
SAMPLING = {"temperature": 0.8, "top_p": 0.95, "seed": 0, "max_new_tokens": LIMIT}
ACCEPTED_AIM, SPEED_AIM = 0.95, 0.8
Corpus = Dict[str, List[Annotation]]


def read_corpus() -> Tuple[Corpus, Schema, Path]:
    """Return sentences of train, dev and test, their labels, and where they come from:
    BC5CDR where it has been fetched, else the embedded corpus."""
    fetched = ROOT.parent / "shared" / "data" / "bc5cdr"
    folder = fetched if fetched.is_dir() else ROOT / "assets" / "embedded"
    labels = ROOT / "assets" / "labels" / "bc5cdr.yml" if folder == fetched else folder / "labels.yml"
    parts = {split: [sentence for each in read_jsonl(folder / f"{split}.jsonl") for sentence in split_sentences(each)]
             for split in ("train", "dev", "test")}
    return parts, read_schema(labels), folder


def train_generator_quickly(sentences: Sequence[Annotation], prompt: SeedPrompt, pairs: int) -> Path:
    """Train the generator on raw text alone, once; the adapter is kept for the next run."""
    folder = ROOT / "training" / "benchmarks" / f"generator-{pairs}"
    if not (folder / "adapter_config.json").is_file():
        raw = [sentence.with_mentions(()) for sentence in sentences]
        random.Random(0).shuffle(raw)
        chosen = choose_pairs(raw, [], raw_pairs=pairs, gold_pairs=0, stop_words=read_stop_words("en"), max_seeds=3,
                              seed=0)
        train_generator(chosen, prompt, lm=load_causal_lm(MODEL, for_training=True), output=folder,
                        lora=LoraSettings(r=16, lora_alpha=32),
                        training=TrainingSettings(max_epochs=1, batch_size=16, max_length=256, learning_rate=0.001),
                        versions={}, lang="en")
    return folder


def make_writers(lm: CausalLM) -> Dict[str, Any]:
    """Return grounded and free sampling by the same model, in batches of as many sentences."""
    free = FreeDecoder(lm, top_p=SAMPLING["top_p"], temperature=SAMPLING["temperature"], seed=SAMPLING["seed"],
                       max_new_tokens=LIMIT, max_batch_tokens=BATCH * 3 * LIMIT)
    return {"grounded": GroundedGenerator(lm, batch_size=BATCH, attempts=3, min_units=CheckSettings().min_units,
                                          **SAMPLING), "free": free}


def write_sentences(model: Any, prompt: SeedPrompt, plan: Sequence[PlannedSentence],
                    held_out: Sequence[Path]) -> Tuple[Dict[str, Any], List[Annotation]]:
    """Write the sentences of a plan and measure them.

    model (LanguageModel): What writes.
    prompt (SeedPrompt): The prompt.
    plan (Sequence[PlannedSentence]): What is asked for.
    held_out (Sequence[Path]): Records of dev and test.
    RETURNS (Tuple[Dict[str, Any], List[Annotation]]): The figures, and the accepted sentences.
    """
    writer = SentenceWriter(Runner(model), prompt, SentenceChecks(CheckSettings(), held_out=held_out), max_failures=0)
    started = time.perf_counter()
    replies: List[Reply] = writer.runner.run([writer.request(planned) for planned in plan])
    seconds = time.perf_counter() - started
    written = [writer.read(planned, reply) for planned, reply in zip(plan, replies)]
    for each in written:
        if each.draft is not None:
            writer.count_accepted(each.draft)
    kept = [each.sentence for each in written if each.sentence is not None]
    figures = describe_quality(writer.report, [sentence.text for sentence in kept],
                               present=share_present(plan, (reply.text for reply in replies)))
    return {**figures, "sentences_per_second": len(plan) / seconds}, kept


def train_on(sentences: Sequence[Annotation], corpus: Corpus, folder: Path, *, updates: int) -> Optional[float]:
    """Return strict F1 on test sentences of what is trained on the sentences alone."""
    if not sentences:
        return None
    dev, test = (random.Random(0).sample(corpus[split], min(count, len(corpus[split])))
                 for split, count in (("dev", 200), ("test", 1000)))
    for name, part in (("made", sentences), ("dev", dev), ("test", test)):
        write_json_lines(folder / f"{name}.jsonl", (sentence.to_record() for sentence in part))
    _run("train", "spancat", "-", folder / "run", "--strategy", "synthetic", "--synthetic",
         folder / "made.jsonl", "--dev", folder / "dev.jsonl", "--held-out", folder / "test.jsonl", "--updates",
         updates, "--evaluations", 3, "--overwrite")
    _run("evaluate", folder / "test.jsonl", f"made={folder / 'run' / 'model-best'}", "--output",
         folder / "metrics.json", "--resamples", 1000)
    from spacy_bioner.cli.report import read_metrics

    return read_metrics(folder / "metrics.json")["systems"]["made"]["micro"]["f1"]


def _run(*arguments: Any) -> None:
    subprocess.run([sys.executable, "-m", "spacy_bioner", *map(str, arguments)], check=True, cwd=ROOT)


def compare_variety(made: Dict[str, List[Annotation]]) -> Dict[str, Dict[str, float]]:
    """Return distinct n-grams of as many sentences as the smallest of them has."""
    from spacy_bioner.synthesis.checking.sentence_checks import count_distinct_ngrams

    count = min((len(sentences) for sentences in made.values() if sentences), default=0)
    return {name: {"sentences": min(count, len(sentences)),
                   **{f"distinct_{n}": count_distinct_ngrams([each.text for each in sentences[:count]], n)
                      for n in (1, 2)}} for name, sentences in made.items()}


def run(*, quick: bool = False, adapter: Optional[Path] = None, sentences: int = 256, f1: bool = False,
        updates: int = 90) -> Dict[str, Any]:
    """Measure the four ways of writing.

    quick (bool): Few sentences, a generator that has learnt little, no F1.
    adapter (Optional[Path]): As `train generator` makes it; where there is none a generator is trained on raw text.
    sentences (int): How many are asked for.
    f1 (bool): Whether a span categorizer is trained on the sentences of each way.
    updates (int): Updates of these trainings.
    RETURNS (Dict[str, Any]): The ratios, and the figures of each way.
    """
    corpus, schema, source = read_corpus()
    prompt = SeedPrompt(schema.labels)
    plan = plan_sentences(collect_seeds(corpus["train"], per_label=50).seeds, n=16 if quick else sentences, seed=0)
    held_out = [source / f"{split}.jsonl" for split in ("dev", "test")]
    adapter = adapter or train_generator_quickly(corpus["train"], prompt, 32 if quick else 400)
    base = load_causal_lm(MODEL)
    ways: Dict[str, Dict[str, Any]] = {}
    made: Dict[str, List[Annotation]] = {}
    for model_name, lm in (("untuned", base), ("fine-tuned", load_causal_lm(MODEL, adapter=str(adapter)))):
        for name, model in make_writers(lm).items():
            way = f"{model_name} {name}"
            ways[way], made[way] = write_sentences(model, prompt, plan, held_out)
            ways[way]["perplexity"] = score_perplexity(base, [sentence.text for sentence in made[way]])
    for way, variety in compare_variety(made).items():
        ways[way]["variety"] = variety
        if f1 and not quick:
            folder = ROOT / "training" / "benchmarks" / f"f1-{way.replace(' ', '-')}"
            ways[way]["f1"] = train_on(made[way], corpus, folder, updates=updates)
    gold = [sentence.text for sentence in corpus["train"] if sentence.mentions][:len(plan)]
    return {"ratios": find_ratios(ways), "model": MODEL, "corpus": source.name, "ways": ways,
            "gold_perplexity": score_perplexity(base, gold)}


def find_ratios(ways: Dict[str, Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Return accepted without repair and speed of the fine-tuned model, with their aims."""
    grounded, free = ways["fine-tuned grounded"], ways["fine-tuned free"]
    return [
        {"what": "accepted without repair, grounded", "against": "all asked for", "aim": ACCEPTED_AIM,
         "ratio": grounded["without_repair"]},
        {"what": "sentences a second, grounded", "against": "free sampling in batches", "aim": SPEED_AIM,
         "ratio": grounded["sentences_per_second"] / free["sentences_per_second"]}]


def print_table(result: Dict[str, Any]) -> None:
    """Print the figures and the rejections as Markdown tables."""
    keys = ("accepted", "without_repair", "seeds_present")
    print("| way | accepted | without repair | seeds present | distinct 1 / 2 | perplexity | sentences/s | F1 |")
    print("| --- " * 8 + "|")
    for way, row in result["ways"].items():
        shares = " | ".join(f"{100 * row[key]:.1f}%" for key in keys)
        score = "" if row.get("f1") is None else f"{100 * row['f1']:.2f}"
        print(f"| {way} | {shares} | {row['variety']['distinct_1']:.3f} / {row['variety']['distinct_2']:.3f} | "
              f"{row['perplexity']:.1f} | {row['sentences_per_second']:.2f} | {score} |")
    reasons = sorted({reason for row in result["ways"].values() for reason in row["rejected"]})
    print("\n| way | asked |", " | ".join(reasons), "|")
    print("| --- " * (2 + len(reasons)) + "|")
    for way, row in result["ways"].items():
        print(f"| {way} | {row['asked']} |", " | ".join(str(row["rejected"].get(reason, 0)) for reason in reasons), "|")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generation", description=__doc__.split("\n")[0])
    parser.add_argument("--adapter", type=Path, help="of `train generator`; else one is trained on raw text")
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--f1", action="store_true", help="train a span categorizer on the sentences of each way")
    parser.add_argument("--updates", type=int, default=90, help="of these trainings")
    parser.add_argument("--quick", action="store_true", help="few sentences: to see that it runs, not to quote")
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks/generation.json"))
    arguments = parser.parse_args()
    result = run(quick=arguments.quick, adapter=arguments.adapter, sentences=arguments.sentences, f1=arguments.f1,
                 updates=arguments.updates)
    write_json(arguments.output, result)
    print_table(result)
    for row in result["ratios"]:
        print(f"{row['what']} against {row['against']}: {row['ratio']:.2f} (aim {row['aim']})")


if __name__ == "__main__":
    main()
