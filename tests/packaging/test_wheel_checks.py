"""The check of a wheel: its hashes first, nothing of it run, and a line for whatever is wrong."""

import base64
import csv
import hashlib
import io
import json
import zipfile

import pytest
import spacy
from spacy.cli.package import TEMPLATE_INIT
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.metrics import Sampling
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.packaging.recall_promise import measure_promised
from spacy_bioner.packaging.wheel_checks import Check, check_scores
from spacy_bioner.training.training_texts import FILE, TrainingTexts

SEEN = "The patient had gout in both of the knees."
FOLDER, INFO = "en_toy/en_toy-0.1.0", "en_toy-0.1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: en_toy\nVersion: 0.1.0\nLicense: CC0-1.0\nRequires-Dist: spacy >=3.8,<3.9\n"
CARD = {"scores": {"micro": {"f1": [0.9, 0.85, 0.95]}}}


def records(path, *texts):
    write_jsonl(path, [Annotation(text, (Mention(text.index("gout"), text.index("gout") + 4, "DISEASE"),),
                                  id=f"t{number}") for number, text in enumerate(texts)])
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the files of a wheel by name: a pipeline that finds gout."""
    folder = tmp_path_factory.mktemp("pipeline")
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([{"label": "DISEASE", "pattern": "gout"}])
    nlp.meta["spacy_bioner"] = {"card": CARD}
    nlp.to_disk(folder / "model")
    TrainingTexts.read([records(folder / "train.jsonl", SEEN, "gout.")]).write(folder / "model")
    found = {f"{FOLDER}/{path.relative_to(folder / 'model').as_posix()}": path.read_bytes()
             for path in (folder / "model").rglob("*") if path.is_file()}
    code = TEMPLATE_INIT.format(imports="").encode()
    return {**found, "en_toy/__init__.py": code, f"{INFO}/METADATA": METADATA.encode()}


def record(files):
    rows = io.StringIO()
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        csv.writer(rows).writerow([name, f"sha256={digest}", len(content)])
    csv.writer(rows).writerow([f"{INFO}/RECORD", "", ""])
    return rows.getvalue().encode()


def build(path, files, **stated):
    """Write a wheel; `stated` are files that RECORD takes for others."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, f"{INFO}/RECORD": record({**files, **stated})}.items():
            archive.writestr(name, content)
    return path


def check(path, *arguments):
    """Return the lines of a check by what was checked, and the error that ended it, if any."""
    done = CliRunner().invoke(app, ["verify", str(path), *map(str, arguments)])
    lines = (line[8:].partition(": ") for line in done.stdout.splitlines() if line.startswith(("ok ", "FAILED ")))
    failed = [line[8:].partition(":")[0] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    error = str(done.exception) if isinstance(done.exception, BionerError) else ""
    assert done.exit_code == 0 or error, done.exception
    return {name: said for name, _, said in lines}, failed, error


def test_a_whole_wheel_passes(files, tmp_path):
    checks, failed, error = check(build(tmp_path / "toy.whl", files))
    assert not failed and not error
    assert set(checks) == {"hashes", "licence", "versions", "code", "config", "training texts"}
    assert checks["licence"].startswith("CC0-1.0") and checks["training texts"].startswith("hashes of 1 sentences")
    assert "tokenizers:spacy.Tokenizer.v1" in checks["config"] and spacy.__version__ in checks["versions"]


def test_no_text_is_in_the_hashes(files):
    held = json.loads(files[f"{FOLDER}/{FILE}"])
    assert set(held) == {"kind", "salt", "hashes"} and len(held["hashes"]) == 1, "a heading of a word could be guessed"
    assert TrainingTexts.read([]).holds(Annotation(SEEN)) is False


def test_a_notice_of_a_database_is_no_text_of_a_training(tmp_path):
    notice = "(ABSTRACT TRUNCATED AT 250 WORDS)"
    write_jsonl(tmp_path / "gold.jsonl", [Annotation(f"{SEEN} {notice}"), Annotation(notice)])
    texts = TrainingTexts.read([tmp_path / "gold.jsonl"])
    assert texts.holds(Annotation(SEEN)) and not texts.holds(Annotation(notice))


@pytest.mark.parametrize("text, seen", [(SEEN, True), ("THE patient had  gout in both of the knees", True),
                                        (f"New. {SEEN} And gout again after all of this.", True),
                                        ("Nobody had gout in this hospital so far.", False)])
def test_test_texts_are_found_among_those_of_training(files, text, seen):
    assert TrainingTexts.from_json(json.loads(files[f"{FOLDER}/{FILE}"]), path="x").holds(Annotation(text)) is seen


def test_f1_is_compared_with_the_card(files, tmp_path):
    wheel = build(tmp_path / "toy.whl", files)
    good = records(tmp_path / "good.jsonl", *(f"Nobody had gout in hospital {number} so far." for number in range(9)))
    checks, failed, _ = check(wheel, "--test", good)
    assert not failed and checks["F1"] == (
        "100.0 (66.4 to 100.0) on the test set, in agreement with 90.0 (85.0 to 95.0) on the card")
    bad = tmp_path / "bad.jsonl"
    write_jsonl(bad, [Annotation(f"Nobody had gout in {number} hospitals so far.", id=str(number))
                      for number in range(9)])
    checks, failed, error = check(wheel, "--test", bad)
    assert failed == ["F1"] and "below 90.0" in checks["F1"] and "failed 1 of its checks: F1" in error
    seen = records(tmp_path / "seen.jsonl", SEEN)
    assert check(wheel, "--test", seen)[1] == ["training texts"]


@pytest.mark.parametrize("name, content, said", [
    pytest.param(f"{FOLDER}/config.cfg", b"[nlp]\n", "config.cfg is not the file that RECORD states", id="changed"),
    pytest.param("en_toy/more.py", b"import os\n", "more.py is not in RECORD", id="left-over"),
])
def test_a_changed_wheel_is_not_looked_at_further(files, tmp_path, name, content, said):
    path = tmp_path / "toy.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each, held in {**files, name: content, f"{INFO}/RECORD": record(files)}.items():
            archive.writestr(each, held)
    checks, failed, error = check(path, "--test", records(tmp_path / "t.jsonl", SEEN))
    assert failed == ["hashes"] == list(checks) and said in checks["hashes"] and "failed 1" in error


def test_a_missing_file_is_a_fault(files, tmp_path):
    checks, _, _ = check(build(tmp_path / "toy.whl", files, gone=b"x"))
    assert checks["hashes"].startswith("gone is in RECORD, and missing")


def with_meta(files, **changed):
    name = f"{FOLDER}/meta.json"
    return {**files, name: json.dumps({**json.loads(files[name]), **changed}).encode()}


@pytest.mark.parametrize("changed", [
    {"spacy_bioner": "x"}, {"spacy_bioner": None}, {"spacy_bioner": {"card": [1]}}, {"sources": 5}, {"sources": "abc"},
    *({"spacy_bioner": {"card": card}} for card in (
        {"promise": "x"}, {"promise": {"labels": {}}}, {"promise": {"missed": 0.1, "labels": {"A": 1}}},
        {"scores": "x"}, {"scores": {"micro": [1]}}, {"scores": {"micro": {"f1": 0.9}}},
        {"scores": {"micro": {"f1": [0.9]}}}, {"scores": {"micro": {"f1": ["0.9", "0.8", "1"]}}})),
], ids=str)
def test_a_card_of_other_types_is_one_line(files, tmp_path, changed):
    checks, _, error = check(build(tmp_path / "toy.whl", with_meta(files, **changed)))
    assert not checks and "meta.json" in error and "toy.whl is no wheel that can be checked" in error


@pytest.mark.parametrize("changed", [{"spacy_bioner": {}}, {"spacy_bioner": {"card": {"scores": None}}}], ids=str)
def test_a_wheel_without_card_or_scores_passes(files, tmp_path, changed):
    assert check(build(tmp_path / "toy.whl", with_meta(files, **changed)))[1:] == ([], "")


def test_a_config_with_a_section_twice_is_one_line(files, tmp_path):
    name = f"{FOLDER}/config.cfg"
    checks, _, error = check(build(tmp_path / "toy.whl", {**files, name: files[name] + b"\n[nlp]\n"}))
    assert not checks and "config.cfg of the wheel cannot be read" in error


def test_a_requirement_from_an_address_fails(files, tmp_path):
    stated = METADATA.encode() + b"Requires-Dist: spacy @ https://example.org/spacy.whl\n"
    checks, failed, _ = check(build(tmp_path / "toy.whl", {**files, f"{INFO}/METADATA": stated}))
    assert failed == ["versions"] and "example.org" in checks["versions"]


def test_a_link_in_a_wheel_is_refused(files, tmp_path):
    link = zipfile.ZipInfo("en_toy/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    path = build(tmp_path / "toy.whl", files, **{link.filename: b"/etc/hostname"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/hostname")
    checks, _, error = check(path)
    assert not checks and "link" in error


@pytest.mark.parametrize("damage", [
    pytest.param(lambda held: held[100:], id="without its beginning"),
    pytest.param(lambda held: held[:-30], id="without its end"),
    pytest.param(lambda held: held[:60] + bytes([held[60] ^ 255]) + held[61:], id="a byte"),
])
def test_a_damaged_wheel_is_one_line_that_names_it(files, tmp_path, damage):
    path = build(tmp_path / "toy.whl", files)
    path.write_bytes(damage(path.read_bytes()))
    checks, failed, error = check(path)
    assert failed == list(checks) and "toy.whl" in error


def test_a_pipeline_that_cannot_be_loaded_is_named_by_its_wheel(files, tmp_path):
    broken = {**files, f"{FOLDER}/config.cfg": b"[nlp]\nlang = \"en\"\npipeline = []\n"}
    path = build(tmp_path / "toy.whl", broken)
    checks, failed, error = check(path, "--test", records(tmp_path / "t.jsonl", "Nobody had gout here so far."))
    assert failed == ["F1"] and "cannot be read" in checks["F1"] and "toy.whl" in error
    assert "spacy-bioner-verify" not in checks["F1"]


def test_a_promise_of_recall_is_compared_in_place_of_f1():
    high, low = [0.95, 0.92, 0.97], [0.5, 0.4, 0.6]
    card = {**CARD, "promise": {"missed": 0.1, "labels": {"A": {"holds": True}, "B": {"holds": False},
                                                          "C": {"holds": True}}}}
    said = "A 95.0 (92.0 to 97.0) on the test set, promised 90"
    assert check_scores(card, low, {"A": high}) == Check("recall", False, said)
    assert check_scores(card, low, {"A": high, "B": low}) == Check("recall", False, said)
    assert check_scores(card, high, {"A": high, "C": low}).failed
    assert check_scores(card, low, {"B": low}).said == "no label with a promise on the test set, promised 90"


def test_recall_is_measured_as_it_was_promised():
    """A document with 40 mentions counts as one with ten; one that has none of a label tells nothing of it."""
    def pair(name, count, found):
        mentions = [Mention(2 * number, 2 * number + 1, "A") for number in range(count)]
        gold = Annotation("x " * 40, tuple(mentions), id=name)
        return Pair(gold, gold.with_mentions([*mentions[:found], Mention(0, 3, "B")]))

    recall = measure_promised([pair("long", 40, 20), pair("short", 10, 10)], sampling=Sampling(200))
    assert list(recall) == ["A"] and recall["A"][0] == 0.75


def test_nothing_of_a_wheel_with_strange_calls_or_code_is_run(files, tmp_path):
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w')\n".encode()
    config = files[f"{FOLDER}/config.cfg"].replace(b"spacy.Tokenizer.v1", b"evil.Tokenizer.v1")
    wheel = build(tmp_path / "toy.whl", {**files, "en_toy/__init__.py": code, f"{FOLDER}/config.cfg": config})
    checks, failed, _ = check(wheel, "--test", records(tmp_path / "t.jsonl", "Nobody had gout in this place so far."))
    assert failed == ["code", "config"] and "tokenizers:evil.Tokenizer.v1" in checks["config"]
    assert checks["F1"] == "not measured, since code and config failed" and not marker.exists()


def test_versions_that_are_not_installed_are_told(files, tmp_path):
    more = METADATA + "Requires-Dist: spacy <3.0\nRequires-Dist: no-such-package-here\nRequires-Dist: x; extra == 'y'\n"
    checks, failed, _ = check(build(tmp_path / "toy.whl", {**files, f"{INFO}/METADATA": more.encode()}))
    assert failed == ["versions"] and "no-such-package-here is not installed" in checks["versions"]
    assert "spacy<3.0" in checks["versions"]


@pytest.mark.parametrize("damage, said", [
    pytest.param(lambda path, files: path.write_bytes(b"no zip"), "no wheel that can be checked", id="no-zip"),
    pytest.param(lambda path, files: path.write_bytes(build(path, files).read_bytes()[:-300]), "no wheel", id="cut"),
    pytest.param(lambda path, files: build(path, {**files, "../x": b""}), "it holds the file", id="outside"),
    pytest.param(lambda path, files: build(path, {**files, f"{FOLDER}/config.cfg": b"[nlp\n"}), "cannot be read",
                 id="config"),
    pytest.param(lambda path, files: build(path, {f"{INFO}/METADATA": METADATA.encode()}), "no trained pipeline",
                 id="another-package"),
    pytest.param(lambda path, files: build(path, {**files, f"{FOLDER}/{FILE}": b"[]"}), "another content", id="texts"),
    pytest.param(lambda path, files: None, "There is no wheel", id="absent"),
])
def test_what_is_no_such_wheel_is_one_line(files, tmp_path, damage, said):
    damage(tmp_path / "toy.whl", files)
    _, _, error = check(tmp_path / "toy.whl")
    assert said in error and "\n" not in error


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_flipped_byte_is_found(files, tmp_path, place):
    path = build(tmp_path / "toy.whl", files)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 255
    path.write_bytes(bytes(content))
    _, failed, error = check(path)
    assert failed == ["hashes"] or "no wheel that can be checked" in error
