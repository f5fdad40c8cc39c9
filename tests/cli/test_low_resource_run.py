"""The verb low-resource from end to end: the smoke profile with a tiny encoder, and a server that writes sentences."""

import json
import random
import re
import shutil
from pathlib import Path

import pytest
from places import CONFIGS
from small_trainings import NAMES, TOK2VEC
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.main import app
from spacy_bioner.files import write_json_lines

WORDS = "after before during early late mild rare severe stable slow two weeks care visit clinic".split()


def write_sentence(prompt):
    """RETURNS (str): The entities of the prompt in a sentence."""
    entities = re.search(r"Entities: (.*)", prompt)[1].replace("> <", "> and <")
    around = random.Random(prompt).sample(WORDS, 8)
    return f"<start_sentence> {' '.join(around[:5])} {entities} {' '.join(around[5:])}. </end_sentence>"


@pytest.fixture
def corpus(tmp_path):
    """RETURNS (Path): A folder as prepare makes it, with one disease a sentence."""
    folder = tmp_path / "corpus"
    for split, numbers in (("train", range(30)), ("dev", range(8)), ("test", range(12))):
        sentences = []
        for number in numbers:
            name = NAMES[number % len(NAMES)]
            text = f"In {split} family {number} the doctors found {name} again."
            start = text.index(name)
            sentences.append(Annotation(text, (Mention(start, start + len(name), "DISEASE"),), id=f"{split}-{number}",
                                        meta={"split": split}))
        write_json_lines(folder / f"{split}.jsonl", (sentence.to_record() for sentence in sentences))
    (folder / "labels.yml").write_text("corpus: toy\nlang: en\nlabels: {DISEASE: diseases}\n")
    return folder


@pytest.fixture
def profile(tmp_path):
    """RETURNS (Path): The smoke profile, with an encoder that learns in a second."""
    from thinc.api import Config

    folder = Path(shutil.copytree(CONFIGS / "smoke", tmp_path / "profile"))
    config = Config().from_disk(folder / "spancat_en.cfg", interpolate=False)
    config["components"]["bioner_spancat"]["model"]["tok2vec"] = TOK2VEC
    config.to_disk(folder / "spancat_en.cfg")
    return folder


def test_the_smoke_profile_runs_to_its_page_on_a_corpus_that_no_config_names(corpus, profile, tmp_path, start_server):
    writes, refuses = start_server(write_sentence), start_server(lambda prompt: "I cannot write that.")
    variants = [{"variant": name, "options": {"synthesize.server.base_url": server.url, "checks.similarity": 1.0}}
                for name, server in (("simple", writes), ("no_new_entity", refuses))]
    settings = {"sizes": [3], "methods": ["gold", "genllm"], "variants": variants}
    arguments = ["low-resource", str(corpus), str(tmp_path / "out"), "--labels", str(corpus / "labels.yml"),
                 "--profile", str(profile)]
    for key, value in settings.items():
        arguments += [f"--low_resource.{key}", json.dumps(value)]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, (first.output, first.exception)
    card = json.loads((tmp_path / "out" / "card.json").read_text())["gold"]
    assert card["3"]["wanted"] == {"DISEASE": 11} == card["3"]["mentions"]
    found = json.loads((tmp_path / "out" / "low-resource.json").read_text())["sizes"][0]
    assert set(found["methods"]) == {"gold", "genllm-simple"} == {"gold", *found["gains"]}
    assert found["failed"] == ["genllm-no_new_entity"] and found["variant"] == "genllm-simple" and found["verdict"]
    page = (tmp_path / "out" / "low-resource.md").read_text()
    assert "| genllm-no_new_entity | no sentence was made |" in page
    assert (tmp_path / "out" / "plots" / "sizes-1.svg").is_file()
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0
    steps = [line for line in again.stderr.splitlines() if line.startswith("[")]
    assert len(steps) == 2 + 5 and all(line.endswith("done before") for line in steps)
