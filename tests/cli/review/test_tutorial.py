"""The section of the tutorial about corrections runs as it is written, with the embedded corpus."""

import re
import shutil
import subprocess

import pytest
from doc_snippets import read_snippets, split_line
from places import ASSETS

from spacy_bioner.annotation import Mention
from spacy_bioner.corpus.sampling import draw_sample
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.files import write_json
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.review.decisions import DecisionLog, read_decisions


@pytest.fixture
def project(tmp_path, monkeypatch):
    """What the earlier steps of the tutorial leave: samples, labels, and what a language model has annotated."""
    monkeypatch.chdir(tmp_path)
    corpus = tmp_path / "corpus"
    for part, size in (("train", 32), ("dev", 16)):
        whole = read_jsonl(ASSETS / "embedded" / f"{part}.jsonl")
        write_jsonl(corpus / f"{part}.jsonl", draw_sample(
            (one for document in whole for one in split_sentences(document)), size, seed=1))
    shutil.copytree(ASSETS / "embedded", tmp_path / "assets" / "corpora" / "embedded")
    write_json(corpus / "corpus.json", {"corpus": "embedded"})
    silver = draw_sample((one for document in read_jsonl(ASSETS / "embedded" / "test.jsonl")
                          for one in split_sentences(document)), 24, seed=1)
    write_jsonl(corpus / "annotated.jsonl", (one.with_mentions(
        Mention(*mention.key, score=0.4 + 0.1 * (number % 6)) for number, mention in enumerate(one.mentions)
    ).with_meta(split="raw") for one in silver))
    (corpus / "labels.yml").write_bytes((ASSETS / "embedded" / "labels.yml").read_bytes())
    # The page itself says how a reader gets this file.
    write_notes, = (one for one in read_snippets("tutorial/tutorial.md", "bash") if "notes.pubtator" in one)
    subprocess.run(["sh", "-c", write_notes], check=True)
    return tmp_path


def list_commands():
    """Yield each command of the section with the lines that it is said to print."""
    text = "\n".join(read_snippets("tutorial/tutorial.md", "text"))
    for block in text[text.index("$ spacy-bioner review next"):].split("$ ")[1:]:
        command, _, output = block.partition("\n")
        yield split_line(command)[1:], [line for line in output.splitlines() if line.strip(". ")]


def accept_all(queue, by):
    log = DecisionLog(queue.with_name(f"{queue.stem}.decisions.db"), list(read_jsonl(queue)))
    for one in log.latest().values():
        log.decide(one.id, version=0, key=one.id, action="accept sentence", status="done", record=one.record, by=by)


def test_the_section_about_corrections_runs(project, verb, monkeypatch):
    # As few trainings as a forecast needs.
    monkeypatch.setattr("spacy_bioner.review.curve_measurement.SIZES", 4)
    monkeypatch.setattr("spacy_bioner.review.curve_measurement.REPEATS", 1)
    ran = []
    for arguments, said in list_commands():
        ran.append(" ".join(arguments[:2]))
        if arguments[:2] == ["review", "serve"]:
            # The page itself is tested in a browser; here somebody accepts each sentence on it.
            accept_all(project / arguments[2], "mary")
            continue
        code, out, err = verb(*arguments)
        assert code == 0, out + err
        for line in said:
            assert re.search(re.escape(line).replace(r"\.\.\.", ".*"), out), f"{line!r} is not in {out!r}"
    assert ran[:3] == ["review next", "review serve", "review import"] and "review status" in ran and \
        any(name.startswith("audit") for name in ran)
    entry, = next(one for one in read_jsonl(project / "assets" / "corpora" / "embedded" / "train.jsonl")
                  if "review" in one.meta).meta["review"]
    assert entry["by"] == "mary" and "MESH:D006073" in (project / "notes.prodigy.jsonl").read_text(encoding="utf8")
    suspects = project / "suspects.jsonl"
    if list(read_jsonl(suspects)):
        assert read_decisions(project / "suspects.decisions.db")
