"""A key of a JSON object is never the mention; any key whose value is a label names the label."""

import pytest

from spacy_bioner.codecs import make_codec

TEXT = "A kind of gout, a class and a value after cisplatin. The result: the type of pain is severe."
LABELS = ["Disease", "Chemical"]
GOUT, BOTH = [("gout", "Disease")], [("gout", "Disease"), ("cisplatin", "Chemical")]


def read(reply, text=TEXT, labels=LABELS):
    reading = make_codec("json").decode(text, labels, reply)
    return [(text[mention.start:mention.end], mention.label) for mention in reading.mentions], {
        issue.kind for issue in reading.issues}


@pytest.mark.parametrize("reply, right", [
    ('[{"kind":"Disease","value":"gout"}]', GOUT),
    ('[{"value":"gout","kind":"Disease"}]', GOUT),
    ('{"extractions":[{"extraction_class":"Disease","extraction_text":"gout"}]}', GOUT),
    ('{"extractions":[{"extraction_class":"Disease","extraction_text":"gout","attributes":{"type":"pain"}}]}', GOUT),
    ('[{"class":"disease","value":"gout"}]', GOUT),
    ('[{"ner":"Disease","x":"gout"}]', GOUT),
    ('[{"role":"Disease","content":"gout"},{"role":"Chemical","content":"cisplatin"}]', BOTH),
    ('[{"entity":"Disease","word":"gout"}]', GOUT),
    ('[{"value":"Disease","kind":"gout"}]', GOUT),
    ('[{"type":"severe","kind":"Disease","value":"gout"}]', GOUT),
    ('[{"kind":"Disease","value":"gout","reason":"pain is severe"}]', GOUT),
    ('[{"kind":"Disease","quote":"gout","sentence":"The result: the type of pain is severe."}]', GOUT),
    ('[{"kind":"Disease","mention":"podagra","original_text":"gout"}]', GOUT),
    ('[{"Disease":"gout","class":"Disease"}]', GOUT),
    ('[{"kind":"Disease"}]', []),
    ('[{"class":"Disease","result":"Chemical"}]', []),
    ('[{"value":"Disease"},{"result":"Chemical"}]', []),
    ('[{"gout":"Disease","certainty":"high"}]', []),
    ('[{"kind":"Illness","value":"gout"}]', []),
    ('[{"kind":"Disease","value":"influenza"}]', []),
    ('[{"kind":"Disease","evidence_sentence":"%s"}]' % TEXT, []),
    ('{"gout":"Disease","cisplatin":"Chemical"}', BOTH),
    ('{"result":{"entities":[{"type":"Disease","name":"gout"}]}}', GOUT),
    ('{"entities":{"DISEASE":["gout"],"chemical":["cisplatin"]}}', BOTH),
    ('{"type":"object","entities":[{"type":"Disease","name":"gout"}]}', GOUT),
    ('[{"label":"Disease","spans":[{"text":"gout"}]},{"label":"Chemical","spans":[{"text":"cisplatin"}]}]', BOTH),
    ('{"thinking":[{"type":"Disease","name":"pain"}],"answer":[{"type":"Disease","name":"gout"}]}', GOUT),
    ('{"reasoning":"Is pain a Disease?","entities":[{"type":"Disease","name":"gout"}]}', GOUT),
    ('{"examples":[{"type":"Disease","name":"pain"}],"entities":[{"type":"Disease","name":"gout"}]}', GOUT),
    ('Example: [{"type":"Disease","name":"pain"}]\nAnswer: [{"type":"Disease","name":"gout"}]', GOUT),
    ('The format is {"type":"Disease","name":"pain"}. [{"type":"Disease","name":"gout"}]', GOUT),
    ('[// a disease\n{"type":"Disease", /* the name */ "name":"gout"}]', GOUT),
    ('In the requested format:\n{"type":"Disease","name":"gout"}\n{"type":"Chemical","name":"cisplatin"}', BOTH),
    ('Result in JSON format:\n[{"type":"Disease","name":"gout"}]\n\nNo other entities: []', GOUT),
    ('以下是JSON格式的结果：\n[{"type":"Disease","name":"gout"}]\n[{"type":"Chemical","name":"cisplatin"}]', BOTH),
    ('The format:\n{"type":"Disease","name":"pain"}\n[{"type":"Disease","name":"gout"}]', GOUT),
    ('[{"type":"Disease","entities":["gout"]},{"type":"Chemical","names":["cisplatin"]}]', BOTH),
    ('{"results":[{"label":"Disease","mentions":["gout"]},{"label":"Chemical","实体列表":["cisplatin"]}]}', BOTH),
    ('[{"type":"Disease","attributes":["pain"]}]', []),
    ('{"gout":"Disease","cisplatin":"Chemical","fevers":"Disease"}', BOTH),
    ('{"gout":"Disease","pain":"severe"}', GOUT),
    ('{"entities":[]}', []),
    ('{"Disease":[],"Chemical":[]}', []),
    ('{"Disease":null,"Chemical":["cisplatin"]}', [("cisplatin", "Chemical")]),
    ('{"Disease":"none","Chemical":"N/A"}', []),
    ('{"Disease":["None"],"Chemical":["无"]}', []),
], ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_keys_name_labels_and_never_mentions(reply, right):
    assert read(reply)[0] == right


def test_a_word_for_nothing_is_no_mention_unless_the_text_is_about_it():
    assert read('{"Disease":"none"}', "None of them had it.")[0] == []
    assert read('[{"type":"Disease","name":"None"}]', "None of them had it.")[0] == [("None", "Disease")]


@pytest.mark.parametrize("reply, right", [
    ('{"Chemical":["NO","aspirin"]}', ["NO", "aspirin"]),
    ('{"Chemical":"NO"}', ["NO"]),
    ('{"Chemical":["no"]}', []),
    ('{"Chemical":"None"}', []),
])
def test_an_abbreviation_that_spells_a_word_for_nothing_is_a_name(reply, right):
    found, _ = read(reply, "NO reduces aspirin toxicity, no doubt.")
    assert [name for name, _ in found] == right
    assert read('{"Disease":"NO"}', "NO DISEASE WAS SEEN.")[0] == [], "a text in capitals tells nothing"


@pytest.mark.parametrize("reply, right", [
    ("Chemical: [NO]\nDisease: none", ["NO"]), ("Chemical: [none]\nDisease: NO", []), ("Chemical: [no]", []),
])
def test_the_same_holds_between_brackets(reply, right):
    text = "NO reduces toxicity, no doubt."
    found = make_codec("bracket").decode(text, LABELS, reply).mentions
    assert [text[mention.start:mention.end] for mention in found] == right


def test_a_text_to_a_label_that_is_not_in_the_schema_invents_nothing():
    spans, issues = read('{"ibuprofen":"Chemical","headache":"Symptom"}', "ibuprofen relieves headache, a symptom.")
    assert spans == [("ibuprofen", "Chemical")] and "unknown_label" in issues


@pytest.mark.parametrize("text, reply, right", [
    ("Each drug had a finding; cisplatin too.", '[{"drug":"Chemical","finding":"cisplatin"}]', "cisplatin"),
    ("The cause and the effect: cisplatin.", '[{"cause":"Chemical","effect":"cisplatin"}]', "cisplatin"),
    ("The cause and the effect: cisplatin.", '{"cause":"Chemical","effect":"cisplatin"}\n{}', "cisplatin"),
    ("The cause and the effect: cisplatin.", '{"items":[{"cause":"Chemical","effect":"cisplatin"}]}', "cisplatin"),
    ("A kind of gout after cisplatin.", '[{"after":"Disease","of":"gout"}]', "gout"),
    ("The disease was gout.", '[{"disease":"Disease","text":"gout"}]', "gout"),
    ("The disease was gout.", '[{"text":"gout","disease":"Disease"}]', "gout"),
    ("The disease was gout.", '{"Disease":"disease","name":"gout"}', "gout"),
    ("The renal disease was gout.", '[{"disease":"Disease","mention_text":"renal disease"}]', "renal disease"),
    ("The disease was gout.", '[{"disease":"Disease","entity":"gout"}]', "gout"),
    ("The disease was due to cisplatin.", '[{"disease":"Chemical","text":"cisplatin"}]', "cisplatin"),
])
def test_a_key_is_no_mention_where_another_text_of_the_item_is(text, reply, right):
    assert [name for name, _ in read(reply, text)[0]] == [right]


@pytest.mark.parametrize("reply, right", [
    ('{"Disease":"disease"}', "disease"), ('[{"Disease":"disease","context":"The acute disease"}]', "disease"),
    ('[{"Disease":"disease","stage":"acute"}]', "disease"),
    ('[{"Disease":"disease","text":"acute illness"}]', "disease"),
    ('[{"gout":"Disease"},{"cisplatin":"Chemical"}]', "gout cisplatin"), ('{"gout":"Disease"}', "gout"),
    ('[{"gout":"Disease","cisplatin":"Drug"}]', "gout"),
    ('[{"gout":"Disease","cisplatin":"Chemical"}]', "gout cisplatin"),
])
def test_a_mention_like_its_label_and_texts_to_labels_stay(reply, right):
    found, _ = read(reply, "The acute disease was gout after cisplatin, a drug.")
    assert " ".join(name for name, _ in found) == right


def test_a_text_that_no_key_tells_is_refused():
    spans, issues = read('[{"foo":"gout","bar":"pain","baz":"Disease"}]')
    assert spans == [] and "bad_item" in issues


@pytest.mark.parametrize("labels", [
    pytest.param(("Disease",), id="plain"),
    pytest.param(("Disease", "entities"), id="a-label-of-this-name"),
])
def test_list_in_an_object_is_read_and_told(labels):
    reading = make_codec("json").decode("He has gout.", labels, '{"entities":[{"type":"Disease","name":"gout"}]}')
    assert [mention.label for mention in reading.mentions] == ["Disease"]
    assert [issue.kind for issue in reading.issues][:1] == ["schema_variant"]
