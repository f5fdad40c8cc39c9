"""The page to correct on: who is let in, what is kept, and a real browser with real keys and clicks."""

import json
import random
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from browsers import needs_chromium
from starlette.testclient import TestClient

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.review.correction_page import Review, make_page
from spacy_bioner.review.decisions import DecisionLog, read_decisions

PORT = 8800
# Two characters beyond the basic plane stand before the mentions: offsets must count them as one each.
TEXT = "\U0001d6fc\U0001d6fd-blocker for severe gout."
SUGGESTED = {"start": 3, "end": 10, "label": "CHEMICAL", "score": 0.3}


def make_queue(count):
    first = Annotation(TEXT, (Mention(22, 26, "DISEASE", score=0.6),), id="astral", meta={
        "queue": {"doubt": 0.9, "suggestions": [SUGGESTED, {"start": 99}], "reason": "<b>why</b>"}})
    return [first, *(Annotation(f"Case {number} had no fever.", (Mention(0, 4, "DISEASE", score=0.9),), id=f"s{number}")
                     for number in range(1, count))]


@pytest.fixture
def review(tmp_path):
    queue = make_queue(3)
    return Review(queue, DecisionLog(tmp_path / "queue.decisions.db", queue), ("DISEASE", "CHEMICAL"), "mary", "mini")


@pytest.fixture
def client(review):
    client = TestClient(make_page(review, PORT), base_url=f"http://127.0.0.1:{PORT}")
    client.headers["X-Review-Token"] = review.log.token
    return client


def decision(**changes):
    return {"id": "s1", "version": 0, "key": "k1", "action": "reject", "status": "open", "spans": [], **changes}


OWN = {"Origin": f"http://127.0.0.1:{PORT}"}


def test_the_page_decides_and_undoes(client, review):
    answer = client.post("/decide", json=decision(), headers=OWN)
    assert (answer.status_code, answer.json()["version"], answer.json()["spans"]) == (200, 1, [])
    assert client.post("/undo", json={"id": "s1", "version": 1, "key": "k2"}, headers=OWN).json()["spans"]
    assert review.log.latest()["s1"].version == 2


@pytest.mark.parametrize("headers", [
    pytest.param({}, id="no origin"), pytest.param({"Origin": "http://evil.example"}, id="another site"),
    pytest.param({"Origin": "null"}, id="a file"), pytest.param({"Origin": "http://127.0.0.1:9999"}, id="another port"),
    pytest.param({**OWN, "X-Review-Token": "wrong"}, id="wrong secret"),
    pytest.param({**OWN, "X-Review-Token": ""}, id="no secret"),
    pytest.param({**OWN, "Host": "evil.example"}, id="a name of another site"),
])
def test_nobody_else_decides(client, review, headers):
    assert client.post("/decide", json=decision(), headers=headers).status_code in (400, 403)
    assert review.log.latest()["s1"].version == 0


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/queue"])
def test_without_the_secret_nothing_is_shown(client, path):
    answer = client.get(path, headers={"X-Review-Token": ""})
    assert answer.status_code == 403 and "gout" not in answer.text


def test_the_page_may_load_only_from_its_server(client, review):
    answer = client.get(f"/?token={review.log.token}")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http" not in answer.text.replace(f"http://127.0.0.1:{PORT}", "") and "gout" not in answer.text


@pytest.mark.parametrize("changes, said", [
    pytest.param({"spans": [{"start": 0, "end": 99, "label": "DISEASE"}]}, "outside its text", id="outside"),
    pytest.param({"spans": [{"start": 0, "end": 4, "label": "PLACE"}]}, "none of those", id="label"),
    pytest.param({"id": "zz"}, "zz", id="sentence"), pytest.param({"status": "lost"}, "status", id="status"),
    pytest.param({"version": "x"}, "no whole number", id="version"),
    pytest.param({"version": None}, "no whole number", id="no version"),
    pytest.param({"version": 0.5}, "no whole number", id="half a version"),
])
def test_what_cannot_be_kept_is_refused_in_one_line(client, review, changes, said):
    answer = client.post("/decide", json=decision(**changes), headers=OWN)
    assert answer.status_code == 400 and said in answer.text and answer.text.count("\n") == 1
    assert all(not one.version for one in review.log.latest().values())


def test_a_number_beyond_all_is_refused_in_one_line(client):
    content = json.dumps(decision()).replace('"version": 0', '"version": 1e999')
    assert client.post("/decide", content=content, headers=OWN).status_code == 400


def move_away(path):
    path.rename(path.with_suffix(".away"))


def damage(path):
    path.write_bytes(b"no database any more" * 900)


@pytest.mark.parametrize("spoil", [move_away, damage])
def test_a_file_of_decisions_that_is_lost_is_named_and_the_page_asks_again(client, review, spoil):
    assert client.post("/decide", json=decision(), headers=OWN).status_code == 200
    held = review.log.path.read_bytes()
    spoil(review.log.path)
    for answer in (client.post("/decide", json=decision(version=1, key="k2"), headers=OWN), client.get("/queue")):
        assert answer.status_code == 503 and "queue.decisions.db cannot be used" in answer.text
        assert answer.text.count("\n") == 1
    assert review.log.path.exists() == (spoil is damage)
    review.log.path.write_bytes(held)
    assert client.post("/decide", json=decision(version=1, key="k2"), headers=OWN).json()["version"] == 2


@pytest.mark.parametrize("doubt", ["1e999", "-1e999"])
def test_a_doubt_beyond_all_numbers_is_not_shown(tmp_path, doubt):
    queue = tmp_path / "queue.jsonl"
    queue.write_text('{"id": "a", "text": "Gout.", "spans": [], "meta": {"queue": {"doubt": %s}}}\n' % doubt)
    records = list(read_jsonl(queue))
    review = Review(records, DecisionLog(tmp_path / "d.db", records), ("DISEASE",), "mary", "mini")
    assert json.loads(json.dumps(review.state(), allow_nan=False))["items"][0]["doubt"] == 0


def test_an_outdated_decision_gets_the_latest_state(client):
    client.post("/decide", json=decision(), headers=OWN)
    answer = client.post("/decide", json=decision(key="other tab"), headers=OWN)
    assert answer.status_code == 409 and answer.json()["version"] == 1


class Server:
    """The verb in a process of its own, on a port that stays."""

    def __init__(self, queue):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.command = [sys.executable, "-m", "spacy_bioner", "review", "serve", str(queue), "--port", str(self.port),
                        "--by", "mary"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def served(tmp_path, request):
    write_jsonl(tmp_path / "queue.jsonl", make_queue(request.param))
    server = Server(tmp_path / "queue.jsonl")
    yield server, tmp_path / "queue.decisions.db"
    server.kill()


def wait_for(page, id, holds):
    """Ask again and again from here: the policy of the page forbids to do so inside it."""
    deadline = time.monotonic() + 60
    while not holds(said := page.locator(f"#{id}").inner_text()):
        assert time.monotonic() < deadline, said
        time.sleep(0.02)


def open_page(browser, address):
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    wait_for(page, "count", lambda said: "done" in said)
    return page


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def wait_saved(page):
    wait_for(page, "saved", lambda said: said == "all saved")


def mentions(page):
    return page.locator("#mentions li").all_inner_texts()


def read_done(path):
    return {one.id: sorted(mention.key for mention in one.mentions) for one in read_decisions(path)}


@needs_chromium
@pytest.mark.parametrize("served", [4], indirect=True)
def test_keys_and_clicks_correct_sentences(browser, served):
    server, path = served
    page = open_page(browser, server.address)
    assert "<b>why</b>" in page.locator("#about").inner_text()
    # Move both edges of the mention, and take one of the moves back: severe gout.
    press(page, "ArrowDown", "[", "[", "]", "u", "u", "ArrowDown", "]", "[")
    # Accept the suggestion, select the two words around it by keys and give them the other label: nested.
    press(page, "Escape", "ArrowUp", "a", "Escape", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1")
    wait_saved(page)
    press(page, "Enter")
    # Reject by click on the mention and key; select words by the mouse, label by button.
    page.locator("#mentions li").first.click()
    press(page, "x")
    page.locator(".seg", has_text="fever").click()
    page.locator("#labels button", has_text="DISEASE").click()
    page.get_by_role("button", name="Accept sentence").click()
    page.get_by_role("button", name="Skip").click()
    wait_for(page, "count", lambda said: said == "2 of 4 done, 1 skipped")
    # Filter by doubt: only the first sentence has so much of it.
    page.locator("#status").select_option("all")
    page.locator("#doubt").fill("0.8")
    assert "1 of 1 shown" in page.locator("#about").inner_text() and "astral" in page.locator("#about").inner_text()
    wait_saved(page)
    done = read_done(path)
    assert done["s1"] == [(14, 19, "DISEASE")]
    assert (3, 10, "CHEMICAL") in done["astral"] and (0, 10, "CHEMICAL") in done["astral"]
    assert [TEXT[start:end] for start, end, label in done["astral"] if label == "DISEASE"] == ["severe gout"]
    page.close()


def reject_beside_another_tab(browser, server):
    """Open two tabs, and reject the mention of the second sentence in the first of them."""
    first, second = open_page(browser, server.address), open_page(browser, server.address)
    press(first, "ArrowDown", "x")
    wait_saved(first)
    return first, second


@needs_chromium
@pytest.mark.parametrize("served", [3], indirect=True)
def test_two_tabs_overwrite_nothing(browser, served):
    server, path = served
    first, second = reject_beside_another_tab(browser, server)
    press(second, "ArrowDown", "1")
    wait_for(second, "saved", lambda said: "another tab" in said)
    assert [one for one in mentions(second) if "DISEASE" in one] == []
    press(second, "u")
    wait_for(second, "saved", lambda said: "another tab" not in said)
    assert [one[:3] for one in read_log(path)] == [("astral", "reject", "open")]
    press(second, "Enter")
    wait_saved(second)
    assert read_done(path)["astral"] == []
    first.close(), second.close()


@needs_chromium
@pytest.mark.parametrize("served", [3], indirect=True)
def test_undo_goes_back_through_no_decision_of_another_tab(browser, served):
    server, path = served
    first, second = reject_beside_another_tab(browser, server)
    second.evaluate("window.dispatchEvent(new Event('focus'))")
    wait_for(second, "mentions", lambda said: "DISEASE" not in said)
    press(second, "ArrowDown", "a", "u", "u")
    wait_for(second, "saved", lambda said: "Nothing" in said)
    assert [one[1] for one in read_log(path)] == ["reject", "add", "undo"]
    first.close(), second.close()


@needs_chromium
@pytest.mark.parametrize("served", [3], indirect=True)
def test_an_answer_that_comes_late_takes_back_no_decision(browser, served):
    server, path = served
    page, held = open_page(browser, server.address), []
    page.route("**/queue", lambda route: held.append((route, route.fetch())))
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    wait_for(page, "count", lambda said: held)
    press(page, "Enter")
    wait_saved(page)
    (route, answer), = held
    with page.expect_response("**/queue"):
        route.fulfill(response=answer)
    page.wait_for_timeout(200)
    assert page.locator("#count").inner_text() == "1 of 3 done"
    press(page, "u")
    wait_for(page, "count", lambda said: said == "0 of 3 done")
    wait_saved(page)
    assert [one[:2] for one in read_log(path)] == [("astral", "accept sentence"), ("astral", "undo")]
    page.close()


def correct_all(browser, server, path, count, kill_at):
    """Reject the mention of every second sentence and accept every sentence; kill the server in the middle."""
    page = open_page(browser, server.address)
    wanted = {one.id: sorted(mention.key for mention in one.mentions) for one in make_queue(count)}
    for number, id in enumerate(wanted):
        if number in kill_at:
            server.kill()
        if number % 2:
            press(page, "ArrowDown", "x")
            wanted[id] = []
        press(page, "Enter")
        if number - 2 in kill_at:
            wait_for(page, "saved", lambda said: "not saved" in said)
            server.start()
    wait_for(page, "count", lambda said: said.startswith(f"{count} of"))
    wait_saved(page)
    page.reload()
    wait_for(page, "count", lambda said: said.startswith(f"{count} of"))
    assert read_done(path) == wanted
    page.close()


@needs_chromium
@pytest.mark.parametrize("served", [20], indirect=True)
def test_no_decision_is_lost_when_the_server_is_killed(browser, served):
    correct_all(browser, *served, 20, kill_at={9})


def reject_by_key(page):
    press(page, "ArrowDown", "x")


def reject_by_click(page):
    page.locator("#mentions li").first.click()
    press(page, "Delete")


def relabel_by_click(page):
    page.locator("#mentions li").first.click()
    page.locator("#labels button", has_text="CHEMICAL").click()


def add_by_click(page):
    page.locator(".seg", has_text="fever").click()
    page.locator("#labels button", has_text="DISEASE").click()


def accept_by_key(page):
    press(page, "Enter")


def accept_by_click(page):
    page.get_by_role("button", name="Accept sentence").click()


# What a person does with a sentence: how, the name of the decision, and the mentions afterwards, as text and label.
CHANGES = [(reject_by_key, "reject", []), (reject_by_click, "reject", []),
           (relabel_by_click, "label", [("Case", "CHEMICAL")]),
           (add_by_click, "add", [("Case", "DISEASE"), ("fever", "DISEASE")]), None]


class Person:
    """Corrects the sentences of a queue in turn, and knows which decisions the file must hold."""

    def __init__(self, page, path):
        self.page, self.path, self.made = page, path, []

    def correct(self, sentence, number):
        """Make the decisions on a sentence; yield after each."""
        kept = list_mentions(sentence)
        change = CHANGES[number % len(CHANGES)] if number else None
        if change is not None:
            act, name, kept = change
            act(self.page)
            self.made.append((sentence.id, name, "open", kept))
            yield
        (accept_by_click if number % 2 else accept_by_key)(self.page)
        self.made.append((sentence.id, "accept sentence", "done", kept))
        yield

    def check_file(self):
        """Wait until the server has acknowledged every decision; the file holds exactly these, in their order."""
        wait_saved(self.page)
        assert read_log(self.path) == self.made


def read_log(path):
    """Return every decision in the file: the sentence, the name of the decision, status, and mentions from then on."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT id, action, status, record FROM decisions ORDER BY number").fetchall()
    return [(id, action, status, list_mentions(Annotation.from_record(json.loads(record))))
            for id, action, status, record in rows]


def list_mentions(annotation):
    return [(annotation.surface(mention), mention.label) for mention in annotation.mentions]


@needs_chromium
@pytest.mark.slow
@pytest.mark.issue(26)
@pytest.mark.parametrize("served", [100], indirect=True)
def test_a_hundred_sentences_keep_exactly_their_decisions_when_the_server_is_killed_during_some(browser, served):
    server, path = served
    # Number of the sentence to seconds between its last decision and the kill: before, while and after it is saved.
    kills = dict(zip((15, 31, 47, 63, 78, 94), (0, 0.002, 0.005, 0.01, 0.02, random.Random(26).uniform(0, 0.02))))
    started = time.monotonic()
    person = Person(open_page(browser, server.address), path)
    for number, sentence in enumerate(make_queue(100)):
        for _ in person.correct(sentence, number):
            if number not in kills and number - 1 not in kills:
                person.check_file()
        if number in kills:
            time.sleep(kills[number])
            server.kill()
        if number - 1 in kills:
            wait_for(person.page, "saved", lambda said: "not saved" in said)
            server.start()
            person.check_file()
    wait_for(person.page, "count", lambda said: said.startswith("100 of"))
    assert sorted({id for id, *_ in person.made}) == sorted(one.id for one in read_decisions(path))
    print(f"100 sentences, {len(person.made)} decisions, {len(kills)} kills: {time.monotonic() - started:.0f} s")
    person.page.close()
