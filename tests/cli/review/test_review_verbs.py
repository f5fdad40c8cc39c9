"""The review loop by its verbs: chosen, corrected in a tool, merged, forecast; what is wrong is one line."""

import json
import socket

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.review.decisions import DecisionLog

TEXTS = ("Gout was \U0001d6fc-treated.", "No fever was seen.", "Asthma, cough and gout.", "Severe asthma.")
SCORES = (0.95, 0.5, 0.7, 0.6)


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.jsonl"
    write_jsonl(path, [Annotation(text, (Mention(0, 4, "DISEASE", score=score),), id=f"p{number}",
                                  meta={"split": "raw"}) for number, (text, score) in enumerate(zip(TEXTS, SCORES))])
    return path


@pytest.fixture
def queue(pool, verb):
    path = pool.with_name("queue.jsonl")
    code, out, err = verb("review", "next", pool, path, "--n", "2", "--strategy", "uncertainty", "--tool",
                          "label-studio")
    assert code == 0, err
    assert "2 of 4 sentences by uncertainty, 0.9 corrections expected" in out
    return path


def export_of_label_studio(queue, change):
    """What the tool would export: annotations in place of predictions, as `change` makes them."""
    path = queue.with_name("export.labelstudio.json")
    tasks = json.loads(queue.with_name("queue.labelstudio.json").read_text(encoding="utf8"))
    for number, task in enumerate(tasks):
        change(number, task)
    path.write_text(json.dumps(tasks), encoding="utf8")
    return path


def answer(number, task):
    task["annotations"] = [{"result": task.pop("predictions")[0]["result"] if number else []}]


def test_a_compressed_training_set_is_found_under_both_of_its_names(pool, verb):
    write_jsonl(pool.with_name("train.jsonl.gz"), list(read_jsonl(pool))[:2])
    queues = []
    for name in ("train.jsonl", "train.jsonl.gz"):
        code, _, err = verb("review", "next", pool, pool.with_name("queue.jsonl"), "--strategy", "uncertainty",
                            "--train", pool.with_name(name))
        assert code == 0, err
        queues.append(pool.with_name("queue.jsonl").read_text())
    assert queues[0] == queues[1] and "p0" not in queues[0]


def test_corrections_of_label_studio_come_into_the_training_set(queue, verb):
    train = queue.with_name("train.jsonl")
    code, out, _ = verb("review", "import", export_of_label_studio(queue, answer), train, "--queue", queue, "--by",
                        "mary")
    assert code == 0 and "2 corrections, 0 of them again" in out
    records = {one.id: one for one in read_jsonl(train)}
    assert records["p1"].mentions == () and len(records["p3"].mentions) == 1
    assert records["p1"].meta["review"][0]["by"] == "mary" and records["p1"].meta["review"][0]["removed"] == 1


def test_what_nobody_has_answered_stays_out_and_can_come_later(queue, verb):
    train = queue.with_name("train.jsonl")
    first = export_of_label_studio(queue, lambda number, task: answer(number, task) if number else None)
    code, out, _ = verb("review", "import", first, train, "--queue", queue)
    assert code == 0 and "not answered yet 1" in out and [one.id for one in read_jsonl(train)] == ["p3"]
    code, out, _ = verb("review", "import", export_of_label_studio(queue, answer), train, "--queue", queue)
    assert "2 corrections, 1 of them again" in out
    assert len(list(read_jsonl(train))) == 2


def test_what_cannot_be_used_is_a_line_each_and_the_rest_is_merged(queue, verb):
    def change(number, task):
        answer(number, task)
        if number:
            task["annotations"][0]["result"][0]["value"].update(end=999, text="beyond")

    train = queue.with_name("train.jsonl")
    code, out, err = verb("review", "import", export_of_label_studio(queue, change), train, "--queue", queue)
    assert code == 1 and [one.id for one in read_jsonl(train)] == ["p1"]
    assert err.count("\n") == 1 and "its offsets lie outside the text" in err


def test_a_copy_that_prepare_wrote_takes_no_corrections(queue, verb, refused):
    prepared = queue.parent / "corpus" / "mine-default-1"
    write_jsonl(prepared / "train.jsonl", list(read_jsonl(queue)))
    card = {"corpus": "mine", "parts": {"train": {"source": "train.jsonl"}}}
    (prepared / "corpus.json").write_text(json.dumps(card), encoding="utf8")
    before = (prepared / "train.jsonl").read_bytes()
    export = export_of_label_studio(queue, answer)
    for name in ("train.jsonl", "train.jsonl.gz"):
        said = refused("review", "import", export, prepared / name, "--queue", queue)
        assert "train.jsonl of the folder of the corpus 'mine'" in said
    assert (prepared / "train.jsonl").read_bytes() == before
    assert verb("review", "import", export, prepared / "corrected.jsonl", "--queue", queue)[0] == 0


def test_an_export_of_another_text_changes_nothing(queue, verb):
    def change(number, task):
        answer(number, task)
        task["data"]["text"] += " And more."

    train = queue.with_name("train.jsonl")
    train.write_text("", encoding="utf8")
    code, _, err = verb("review", "import", export_of_label_studio(queue, change), train, "--queue", queue)
    assert code == 1 and err.count("not the one that was given out") == 2 and "No correction of" in err
    assert train.read_text(encoding="utf8") == ""


def accept_tasks(path, **changes):
    """What Prodigy would export: the tasks with answers."""
    tasks = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    path.write_text("".join(json.dumps({**task, "answer": "accept", **changes}) + "\n" for task in tasks))


def test_the_tasks_that_prodigy_was_given_are_no_answers(pool, verb):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    assert verb("review", "next", pool, queue, "--n", "2", "--strategy", "random", "--tool", "prodigy")[0] == 0
    given_out = queue.with_name("queue.prodigy.jsonl")
    code, _, err = verb("review", "import", given_out, train, "--queue", queue)
    assert code == 1 and "2 not answered yet" in err and not train.exists()
    assert verb("convert", given_out, pool.with_name("converted.jsonl"), "--strict")[0] == 0
    assert all(one.mentions for one in read_jsonl(pool.with_name("converted.jsonl")))
    accept_tasks(given_out, spans=None)
    assert verb("review", "import", given_out, train, "--queue", queue)[0] == 0
    assert [one.mentions for one in read_jsonl(train)] == [(), ()]


@pytest.mark.parametrize("tool, name", [("doccano", "queue.doccano.jsonl"), ("prodigy", "queue.prodigy.jsonl"),
                                        ("brat", "queue.brat"), ("inception", "queue.inception")])
def test_each_tool_gets_its_file_and_gives_it_back(tool, name, pool, verb):
    queue = pool.with_name("queue.jsonl")
    assert verb("review", "next", pool, queue, "--n", "2", "--strategy", "random", "--tool", tool)[0] == 0
    train = queue.with_name("train.jsonl")
    if tool == "prodigy":
        accept_tasks(queue.with_name(name))
    code, out, err = verb("review", "import", queue.with_name(name), train, "--queue", queue)
    assert code == 0, err
    given = {one.id: one for one in read_jsonl(queue)}
    assert {one.id: one.mentions for one in read_jsonl(train)} == {id: one.mentions for id, one in given.items()}


def test_decisions_of_the_page_are_imported_with_who_decided(queue, verb):
    records = list(read_jsonl(queue))
    log = DecisionLog(queue.with_name("queue.decisions.db"), records)
    log.decide("p1", version=0, key="k", action="accept sentence", status="done", record=records[0].with_mentions(()),
               by="john")
    train = queue.with_name("train.jsonl")
    assert verb("review", "import", log.path, train, "--queue", queue)[0] == 0
    record, = read_jsonl(train)
    assert record.id == "p1" and record.meta["review"][0]["by"] == "john" and "queue" not in record.meta


def test_what_is_corrected_is_not_chosen_again(queue, pool, verb):
    again = pool.with_name("again.jsonl")
    assert verb("review", "next", pool, again, "--train", queue, "--strategy", "uncertainty")[0] == 0
    assert {one.id for one in read_jsonl(again)} == {"p0", "p2"}


@pytest.mark.parametrize("change, said", [
    pytest.param(lambda records: [one.with_mentions(()) for one in records], "Nothing in", id="no scores"),
    pytest.param(lambda records: [records[0], records[0]], "two records with the id 'p0'", id="ids twice"),
    pytest.param(lambda records: [], "pool.jsonl holds no record", id="empty"),
])
def test_pools_that_cannot_be_ranked_are_refused(change, said, pool, refused):
    write_jsonl(pool, change(list(read_jsonl(pool))))
    assert said in refused("review", "next", pool, pool.with_name("q.jsonl"), "--strategy", "uncertainty")


def make_pipeline(folder, sentences, dev_f, dev="0"):
    folder.mkdir(parents=True)
    card = {"sources": {"gold": {"records": sentences}}, "tuned": {"dev_f": dev_f}, "dev": {"sha256": dev}}
    (folder / "meta.json").write_text(json.dumps({"spacy_bioner": card}), encoding="utf8")
    return folder


def test_status_forecasts_from_pipelines(queue, verb, tmp_path):
    pipelines = [make_pipeline(tmp_path / f"m{size}", size, 80 - 200 * size ** -0.6) for size in (50, 100, 200, 400)]
    options = [word for path in pipelines for word in ("--pipeline", path)]
    code, out, err = verb("review", "status", queue, *options, "-o", tmp_path / "curve.json", "--worth", "2")
    assert code == 0, err
    assert "The next 50 sentences: +0.4 F1" in out and "Stop: they bring less than 2 points." in out
    assert json.loads((tmp_path / "curve.json").read_text())["forecast"]["advice"] == "stop"


def test_status_refuses_pipelines_of_different_dev_sets(queue, refused, tmp_path):
    pipelines = [make_pipeline(tmp_path / dev, 50, 60.0, dev) for dev in "ab"]
    said = refused("review", "status", queue, *(word for path in pipelines for word in ("--pipeline", path)))
    assert "different dev sets" in said


def test_status_of_an_empty_file_names_it(queue, refused, tmp_path):
    write_jsonl(tmp_path / "empty.jsonl", [])
    for train, dev in ((queue, tmp_path / "empty.jsonl"), (tmp_path / "empty.jsonl", queue)):
        assert "empty.jsonl holds no record" in refused("review", "status", train, "--dev", dev)


def test_status_needs_a_dev_set_or_pipelines(queue, refused):
    assert "--dev" in refused("review", "status", queue)


def test_a_port_in_use_is_refused(queue, refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refused("review", "serve", queue, "--port", taken.getsockname()[1])
    assert "another port" in said


def test_an_audit_takes_predictions_and_writes_queue_and_report(pool, verb):
    gold, predicted, suspects = (pool.with_name(name) for name in ("gold.jsonl", "predicted.jsonl", "suspects.jsonl"))
    records = list(read_jsonl(pool))
    write_jsonl(gold, records[:2] + [one.with_mentions(()) for one in records[2:]])
    write_jsonl(predicted, [one.with_mentions([Mention(0, 4, "DISEASE", score=0.97)]) for one in records])
    code, out, err = verb("audit", gold, suspects, "--predicted", predicted)
    assert code == 0 and "2 of 4 sentences are contradicted" in out, err
    assert {one.id for one in read_jsonl(suspects)} == {"p2", "p3"}
    assert "missing: 'Asth' DISEASE" in suspects.with_name("suspects.audit.md").read_text(encoding="utf8")


def test_an_audit_without_mentions_is_refused(pool, refused):
    write_jsonl(pool, [one.with_mentions(()) for one in read_jsonl(pool)])
    assert "No annotated span" in refused("audit", pool, pool.with_name("s.jsonl"))


def drop_labels(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    rows[0].pop("label")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")


def empty_labels(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    path.write_text("".join(json.dumps({**row, "label": []}) + "\n" for row in rows), encoding="utf8")


def empty_annotations(path):
    for file_ in path.glob("*.ann"):
        file_.write_text("")


@pytest.mark.parametrize("tool, name, lose, empty", [
    ("brat", "queue.brat", lambda path: next(path.glob("*.ann")).unlink(), empty_annotations),
    ("doccano", "queue.doccano.jsonl", drop_labels, empty_labels),
])
def test_a_document_that_has_lost_its_annotation_is_no_answer_and_an_empty_one_is(tool, name, lose, empty, pool, verb):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    assert verb("review", "next", pool, queue, "--n", "2", "--strategy", "random", "--tool", tool)[0] == 0
    empty(queue.with_name(name))
    assert verb("review", "import", queue.with_name(name), train, "--queue", queue)[0] == 0
    assert [one.mentions for one in read_jsonl(train)] == [(), ()]
    train.unlink()
    lose(queue.with_name(name))
    code, out, err = verb("review", "import", queue.with_name(name), train, "--queue", queue)
    assert code == 1 and err.count("\n") == 1 and "it has no annotations" in err
    assert "1 corrections" in out and len(list(read_jsonl(train))) == 1


def decide(queue, *statuses, by="john"):
    """Decide on the first sentences of a queue as on the page."""
    records = list(read_jsonl(queue))
    log = DecisionLog(queue.with_name("queue.decisions.db"), records)
    for one, status in zip(records, statuses):
        log.decide(one.id, version=log.latest()[one.id].version, key=f"{one.id}{status}", action="accept sentence",
                   status=status, record=one, by=by)
    return log.path


def cancel(number, task):
    if number == 1:
        task["annotations"] = [{"was_cancelled": True, "result": []}]
    elif number == 2:
        task["annotations"] = [{"was_cancelled": True, "result": []}, {"result": []}]


@pytest.mark.parametrize("correct", [
    pytest.param(lambda queue: decide(queue, "done", "skipped", "open"), id="page"),
    pytest.param(lambda queue: export_of_label_studio(queue, cancel), id="label-studio"),
])
def test_what_is_not_taken_is_counted_as_skipped_or_not_answered_yet(correct, pool, verb):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    assert verb("review", "next", pool, queue, "--strategy", "random", "--tool", "label-studio")[0] == 0
    code, out, err = verb("review", "import", correct(queue), train, "--queue", queue)
    assert code == 0 and "1 corrections" in out and "not answered yet 2, skipped or rejected 1" in out, err


def test_a_rejected_task_of_prodigy_is_counted(pool, verb):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    assert verb("review", "next", pool, queue, "--strategy", "random", "--tool", "prodigy")[0] == 0
    path = queue.with_name("queue.prodigy.jsonl")
    tasks = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    path.write_text("".join(json.dumps({**task, "answer": answer}) + "\n"
                            for task, answer in zip(tasks, ["reject", "ignore", "accept"])))
    code, out, _ = verb("review", "import", path, train, "--queue", queue)
    assert code == 0 and "1 corrections" in out and "not answered yet 1, skipped or rejected 2" in out


def test_what_is_left_out_is_not_waiting(queue, verb):
    def change(number, task):
        answer(number, task)
        if number:
            task["annotations"][0]["result"][0]["value"].update(end=999, text="beyond")

    export, train = export_of_label_studio(queue, change), queue.with_name("train.jsonl")
    assert "not answered yet 0" in verb("review", "import", export, train, "--queue", queue)[1]


def test_decisions_about_an_older_queue_are_counted_and_no_error(pool, verb):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    for number in range(2):
        assert verb("review", "next", pool, queue, "--n", "2", "--strategy", "uncertainty", "--train", train)[0] == 0
        code, out, err = verb("review", "import", decide(queue, "done", "done"), train, "--queue", queue)
        assert code == 0 and not err and "2 corrections" in out
        assert ("2 decisions are about other queues" in out) == bool(number)
    assert len(list(read_jsonl(train))) == 4


def test_a_queue_with_decisions_that_are_not_imported_is_not_replaced(pool, verb, refused):
    queue, train = pool.with_name("queue.jsonl"), pool.with_name("train.jsonl")
    chosen = ("review", "next", pool, queue, "--n", "2", "--strategy", "uncertainty", "--train", train)
    assert verb(*chosen)[0] == 0
    decisions, before = decide(queue, "done", "skipped"), queue.read_bytes()
    assert "1 decisions" in refused(*chosen) and queue.read_bytes() == before
    assert verb(*chosen, "--overwrite")[0] == 0 and queue.read_bytes() == before
    assert verb("review", "import", decisions, train, "--queue", queue)[0] == 0
    assert "--train" in refused(*chosen[:-2])
    assert verb(*chosen)[0] == 0 and queue.read_bytes() != before


@pytest.mark.parametrize("labels", [None, "labels: {DISEASE: diseases, DRUG: drugs}"])
def test_a_label_that_the_page_offers_can_be_imported(labels, pool, verb, monkeypatch):
    queue, schema = pool.with_name("queue.jsonl"), pool.with_name("labels.yml")
    hint = {"start": 0, "end": 4, "label": "DRUG", "score": 0.2}
    write_jsonl(queue, [one.with_meta(queue={"suggestions": [] if labels else [hint]}) for one in read_jsonl(pool)])
    schema.write_text(labels or "", encoding="utf8")
    monkeypatch.setattr("spacy_bioner.serving.app.listen", lambda *address: socket.create_server(("127.0.0.1", 0)))
    monkeypatch.setattr("spacy_bioner.serving.app.serve", lambda page, taken: taken.close())
    code, _, err = verb("review", "serve", queue, *(("--labels", schema) if labels else ()))
    assert code == 0, err
    records = list(read_jsonl(queue))
    log = DecisionLog(queue.with_name("queue.decisions.db"), records)
    log.decide("p0", version=0, key="k", action="add", status="done", by="john",
               record=records[0].with_mentions([Mention(0, 4, "DRUG")]))
    train = pool.with_name("train.jsonl")
    code, _, err = verb("review", "import", log.path, train, "--queue", queue)
    assert code == 0, err
    assert next(read_jsonl(train)).mentions == (Mention(0, 4, "DRUG"),)


def test_a_split_that_there_is_not_is_refused(queue, refused):
    export, train = export_of_label_studio(queue, answer), queue.with_name("train.jsonl")
    assert "--split" in refused("review", "import", export, train, "--queue", queue, "--split", "foo")
    assert not train.exists()
