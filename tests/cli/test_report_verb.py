"""`report`: metrics files into HTML, Markdown and JSON, and the scores as a table."""

import html
import json
import os

import pytest
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import write_jsonl

GOLD = [Annotation("IL-2 gene <script>alert(1)</script>", (Mention(0, 9, "DNA"), Mention(0, 4, "protein")), id="a"),
        Annotation("NF-kappa B binds", (Mention(0, 10, "protein"),), id="b")]


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", GOLD)
    write_jsonl(tmp_path / "weak.jsonl", [GOLD[0].with_mentions([Mention(5, 9, "DNA")]), GOLD[1]])
    evaluate(tmp_path, "test")
    return tmp_path


def evaluate(folder, name):
    call("evaluate", folder / "gold.jsonl", f"strong={folder / 'gold.jsonl'}", folder / "weak.jsonl", "--resamples",
         50, "--output", folder / "metrics" / f"{name}.json")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def test_all_three_files_hold_the_same_figures(folder):
    (folder / "card.json").write_text(json.dumps({"Corpora": {"mini": {"licence": "CC0"}}}), encoding="utf8")
    (folder / "log.jsonl").write_text('{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n', encoding="utf8")
    result = call("report", folder / "metrics", "--output", folder / "out" / "report.html", "--card",
                  folder / "card.json", "--curves", folder / "log.jsonl", "--title", "Mini")
    assert result.exit_code == 0, result.output
    page, markdown = ((folder / "out" / f"report.{end}").read_text(encoding="utf8") for end in ("html", "md"))
    figures = json.loads((folder / "out" / "report.json").read_text(encoding="utf8"))
    assert figures["evaluated"]["test"] == json.loads((folder / "metrics" / "test.json").read_text(encoding="utf8"))
    assert figures["curves"] == {"log": {"step": [1, 2], "loss": [2, 1]}}
    assert figures["card"]["Corpora"]["mini"]["licence"] == "CC0"
    for text in (page, markdown):
        assert "Mini" in text and "CC0" in text and "strong" in text and "50.00" in text
    assert "<script>alert" not in page and "IL-2" not in markdown.split("Examples")[0]
    for end in ("html", "md"):
        assert (folder / "out" / f"report.{end}").stat().st_mode & 0o077 == 0


def test_the_report_begins_with_the_shipped_pipeline(folder):
    card = {"system": "weak", "dev": {"weak": 80.0, "strong": 79.5}, "components": ["bioner_spancat"]}
    (folder / "pipeline").mkdir()
    (folder / "pipeline" / "meta.json").write_text(json.dumps({"spacy_bioner": {"card": card}}), encoding="utf8")
    result = call("report", folder / "metrics", "--output", folder / "r.html", "--shipped", folder / "pipeline")
    assert result.exit_code == 0, result.output
    for end in ("html", "md"):
        assert 'The shipped pipeline, "weak", ' in html.unescape((folder / f"r.{end}").read_text(encoding="utf8"))
    assert json.loads((folder / "r.json").read_text(encoding="utf8"))["shipped"]["system"] == "weak"


@pytest.mark.parametrize("meta", [{}, {"spacy_bioner": {"card": {}}}, {"spacy_bioner": [1]}, [1],
                                  {"spacy_bioner": {"card": {"system": "a", "dev": "much"}}}])
def test_a_pipeline_without_a_card_is_called_so(folder, refused, meta):
    (folder / "pipeline").mkdir()
    (folder / "pipeline" / "meta.json").write_text(json.dumps(meta), encoding="utf8")
    assert "has no model card" in refused("report", folder / "metrics", "-o", folder / "r.html", "--shipped",
                                          folder / "pipeline")
    assert not (folder / "r.html").exists()


def test_scores_are_printed(folder):
    result = call("report", "--show", folder / "metrics")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert rows[0][:4] == ["system", "P", "R", "F1"]
    assert rows[1][:4] == ["strong", "100.00", "100.00", "100.00"]
    assert rows[2][:4] == ["weak", "50.00", "33.33", "40.00"]


def test_the_scores_close_with_report_wheel_and_the_way_to_a_corpus_of_ones_own(folder):
    for path in ("metrics/report.html", "packages/run/en_mini-0.1.0-py3-none-any.whl",
                 "packages/run/spacy_bioner-0.1.0-py3-none-any.whl"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    output = call("report", "--show", folder / "metrics", "--wheels", folder / "packages").output
    for part in ("100.00", str(folder / "metrics" / "report.html"), "en_mini-0.1.0-py3-none-any.whl",
                 f"pip install --find-links {folder / 'packages' / 'run'} en_mini",
                 "spacy-bioner init DIR --from FILES"):
        assert part in output


def test_scores_of_several_gold_sets_are_told_apart(folder):
    evaluate(folder, "nested/run-1/metrics")
    evaluate(folder, "nested/run-2/metrics")
    rows = [line.split()[0] for line in call("report", "--show", folder / "metrics").output.splitlines()]
    assert rows == ["system", "run-1:", "run-1:", "run-2:", "run-2:", "test:", "test:"]


@pytest.mark.parametrize("names", [("p1/metrics/metrics", "p2/metrics/metrics"), ("p1/x/test", "p2/x/test", "test"),
                                   ("a/dev", "b/dev", "dev/metrics")])
def test_no_evaluation_is_lost_where_files_are_called_the_same(folder, names):
    for name in names:
        evaluate(folder, name)
    paths = [folder / "metrics" / f"{name}.json" for name in names]
    rows = call("report", "--show", *paths).output.splitlines()[1:]
    assert len({row.split()[0] for row in rows}) == len(names) and len(rows) == 2 * len(names)
    assert call("report", *paths, "--output", folder / "r.html").exit_code == 0
    assert len(json.loads((folder / "r.json").read_text())["evaluated"]) == len(names)


def test_no_curve_is_lost_where_logs_are_called_the_same(folder):
    logs = [folder / name for name in ("a/x/log.jsonl", "b/x/log.jsonl", "log.1.jsonl", "log.2.jsonl")]
    for log in logs:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text('{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n', encoding="utf8")
    result = call("report", folder / "metrics", "--output", folder / "r.html",
                  *(part for log in logs for part in ("--curves", log)))
    assert result.exit_code == 0
    assert len(json.loads((folder / "r.json").read_text())["curves"]) == len(logs)


def test_a_report_in_the_same_folder_is_no_metrics_file(folder):
    call("report", folder / "metrics", "--output", folder / "metrics" / "report.html")
    assert len(call("report", "--show", folder / "metrics").output.splitlines()) == 3


def test_several_gold_sets_become_chapters_and_links_stay_unique(folder):
    evaluate(folder, "dev")
    assert call("report", folder / "metrics", "--output", folder / "report.html").exit_code == 0
    page = (folder / "report.html").read_text(encoding="utf8")
    assert page.index('<h2 class="chapter">dev</h2>') < page.index('<h2 class="chapter">test</h2>')
    for anchor in ("d0-scores", "d1-scores", "doc0-0", "doc1-1"):
        assert page.count(f'id="{anchor}"') == 1


def test_without_documents_no_text_is_written(folder):
    os.remove(folder / "gold.jsonl")
    assert call("report", folder / "metrics", "--output", folder / "r.html", "--no-documents").exit_code == 0
    page = (folder / "r.html").read_text(encoding="utf8")
    assert "kappa" not in page and "<article" not in page


@pytest.mark.parametrize("spoil, arguments, message", [
    pytest.param(lambda folder: os.remove(folder / "gold.jsonl"), [], "is not there any more", id="gold gone"),
    pytest.param(lambda folder: write_jsonl(folder / "weak.jsonl", GOLD), [], "has changed since", id="changed"),
    pytest.param(lambda folder: os.remove(folder / "metrics" / "test.json"), [], "No metrics file", id="no metrics"),
    pytest.param(lambda folder: (folder / "card.json").write_text("[]"), ["--card", "card.json"], "is no model card",
                 id="bad card"),
])
def test_what_is_missing_is_one_clear_error(folder, spoil, arguments, message, monkeypatch):
    monkeypatch.chdir(folder)
    spoil(folder)
    result = call("report", folder / "metrics", "--output", folder / "report.html", *arguments)
    assert isinstance(result.exception, BionerError) and message in str(result.exception)
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("arguments", [
    pytest.param([], id="nothing to do"),
    pytest.param(["--output", "report.json"], id="no html"),
])
def test_wrong_usage_exits_with_two(folder, arguments):
    assert call("report", folder / "metrics", *arguments).exit_code == 2


@pytest.mark.parametrize("change", [
    pytest.param(lambda metrics: {"systems": 1, "gold": 2}, id="numbers"),
    pytest.param(lambda metrics: {"systems": {}, "gold": {}}, id="empty"),
    pytest.param(lambda metrics: {**metrics, "systems": {}}, id="no-system"),
    pytest.param(lambda metrics: {**metrics, "systems": {"a": {"micro": {"f1": 1}}}}, id="half-a-system"),
    pytest.param(lambda metrics: {**metrics, "gold": {"count": 1}}, id="half-a-gold"),
    pytest.param(lambda metrics: {key: value for key, value in metrics.items() if key != "comparisons"}, id="part"),
    pytest.param(lambda metrics: [metrics], id="list"),
])
def test_json_that_only_looks_like_metrics_is_one_line(folder, refused, change):
    path = folder / "metrics" / "test.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    for options in (["--show"], ["-o", folder / "r.html"], ["-o", folder / "r.html", "--no-documents"]):
        assert f"{path} is no metrics file" in refused("report", path, *options)
    assert not (folder / "r.html").exists()


@pytest.mark.parametrize("text", ["labels: {DISEASE: illnesses}", "[1]"])
def test_a_card_that_is_none_is_called_so(folder, refused, text):
    (folder / "l1.yml").write_text(text)
    assert "l1.yml is no model card" in refused("report", folder / "metrics", "-o", folder / "r.html", "--card",
                                          folder / "l1.yml")
