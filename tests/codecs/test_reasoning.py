"""Reasoning in any notation is no answer, in any format; the same marks in a source text are text."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.codecs import make_codec

TEXT = "Gout came back after cisplatin; pain in the knee was treated with colchicine."
LABELS = ["Disease", "Chemical"]
RIGHT = Annotation(TEXT).with_mentions([Mention(0, 4, "Disease"), Mention(21, 30, "Chemical")])
WRONG = Annotation(TEXT).with_mentions([Mention(32, 36, "Disease")])
CODECS = [("json", {"shape": "name"}), ("json", {"shape": "offsets"}), ("json", {"shape": "context"}), ("html", {}),
          ("bracket", {"lines": "all"}), ("bracket", {"lines": "occurring"}), ("seed_tags", {})]
BLOCKS = {
    "tag": "<think>{0}</think>{1}",
    "tag-capitals": "<THINK>\n{0}\n</THINK>\n{1}",
    "tag-other-case": "<Think>{0}</think>\n\n{1}",
    "tag-attributes": '<thinking type="internal" budget="512">{0}</thinking>{1}',
    "tag-spaces": "< think >{0}< / think >{1}",
    "tag-escaped": "<think>{0}<\\/think>{1}",
    "tag-other-word": "<thinking>{0}</think>{1}",
    "wide-tag": "＜think＞{0}＜/think＞{1}",
    "reasoning": "<reasoning>{0}</reasoning>{1}",
    "scratchpad": "<scratchpad>{0}</scratchpad>{1}",
    "thought-process": "<thought_process>{0}</thought_process>{1}",
    "inner-monologue": "<inner_monologue>{0}</inner_monologue>{1}",
    "vendor": "<seed:think>{0}</seed:think>{1}",
    "other-vendor": "<mm:thinking>{0}</mm:thinking>{1}",
    "ant": "<antThinking>{0}</antThinking>{1}",
    "square": "[THINK]{0}[/THINK]{1}",
    "square-small": "[thinking]\n{0}\n[/thinking]\n{1}",
    "square-reasoning": "[REASONING]{0}[/REASONING]{1}",
    "triangles": "◁think▷{0}◁/think▷{1}",
    "bars": "<|think|>{0}<|/think|>{1}",
    "start-end": "<|START_THINKING|>{0}<|END_THINKING|>{1}",
    "begin-end-of": "<|begin_of_thought|>{0}<|end_of_thought|>{1}",
    "wide-bars": "<｜begin▁of▁thinking｜>{0}<｜end▁of▁thinking｜>{1}",
    "word-first": "<|thinking_start|>{0}<|thinking_end|>{1}",
    "unused": "<unused94>thought\n{0}<unused95>{1}",
    "new-channel": "<|channel>thought\n{0}<channel|>{1}",
    "lenticular": "【思考】{0}【/思考】{1}",
    "double": "<<think>>{0}<</think>>{1}",
    "braces": "{{think}}{0}{{/think}}{1}",
    "details": '<details type="reasoning" done="true"><summary>Thought</summary>{0}</details>\n{1}',
    "fence": "```thinking\n{0}\n```\n{1}",
    "comment": "<!-- {0} -->{1}",
    "harmony": "<|channel|>analysis<|message|>{0}<|end|><|start|>assistant<|channel|>final<|message|>{1}",
    "harmony-return": "<|channel|>analysis<|message|>{0}<|end|><|start|>assistant<|channel|>final<|message|>{1}"
                      "<|return|>",
    "harmony-json": "<|channel|>analysis<|message|>{0}<|end|><|start|>assistant<|channel|>final <|constrain|>json"
                    "<|message|>{1}",
    "harmony-commentary": "<|channel|>analysis<|message|>{0}<|end|><|start|>assistant<|channel|>commentary"
                          "<|message|>{0}<|end|><|start|>assistant<|channel|>final<|message|>{1}",
    "harmony-begun": "{0}<|end|><|start|>assistant<|channel|>final<|message|>{1}",
    "harmony-bare": "analysisWe look: {0}assistantfinal{1}",
    "harmony-bare-lines": "analysis\nWe look: {0}\nassistant\nfinal\n{1}",
    "harmony-bare-commentary": "analysisWe look: {0}assistantcommentary{0}assistantfinal{1}",
    "end-alone": "{0}</think>{1}",
    "square-end-alone": "{0}[/THINK]{1}",
    "triangle-end-alone": "{0}◁/think▷\n{1}",
    "twice": "<think>{0}</think>\n<think>{0}</think>\n{1}",
    "nested": "<think>{0}<think>{0}</think>{0}</think>{1}",
    "after": "{1}\n<think>{0}</think>",
    "after-open": "{1}\n<think>{0}",
    "after-an-empty-one": "<think>\n\n</think>\n\n{1}",
    "answer-tags": "<think>{0}</think><answer>{1}</answer>",
    "answer-tags-lines": "<reasoning>\n{0}\n</reasoning>\n<final_answer>\n{1}\n</final_answer>",
    "solution": "<|begin_of_thought|>{0}<|end_of_thought|>\n<|begin_of_solution|>{1}<|end_of_solution|>",
    "headings": "Reasoning: {0}\n\nFinal answer:\n{1}",
    "markdown-headings": "### Reasoning\n{0}\n\n### Answer\n{1}",
    "vendor-joined": "<longcat_think>{0}</longcat_think>{1}",
    "role": "<|assistant_thought|>{0}<|/assistant_thought|>{1}",
    "word-with-more": "<think:budget>{0}</think:budget>{1}",
    "word-with-number": "<thinking_1>{0}</thinking_1>\n<thinking_2>{0}</thinking_2>\n{1}",
    "plan": "<plan>{0}</plan>{1}",
    "internal": "<internal>{0}</internal>{1}",
    "draft": "Draft:\n{0}\n\nFinal:\n{1}",
    "answer-is": "Let me think. {0}\n\nSo the answer is:\n{1}",
    "lenticular-headings": "【分析】{0}\n【答案】{1}",
    "lenticular-long-headings": "【思考过程】\n{0}\n\n【最终答案】\n{1}",
    "lenticular-headings-on-a-line": "【分析】{0}【答案】{1}",
    "square-headings": "[分析]\n{0}\n[答案]\n{1}",
    "square-headings-with-colons": "[Reasoning]: {0}\n[Final answer]: {1}",
    "turns": "<|im_start|>think\n{0}<|im_end|><|im_start|>answer\n{1}<|im_end|>",
    "turn-of-assistant": "<|im_start|>reasoning\n{0}<|im_end|>\n<|im_start|>assistant\n{1}",
    "ollama": "Thinking...\n{0}\n...done thinking.\n\n{1}",
    "quotation": "> **Reasoning**\n> {0}\n> So it is.\n\n{1}",
    "tag-as-entities": "&lt;think&gt;\n{0}\n&lt;/think&gt;\n{1}",
    "here-is": "Here is my reasoning:\n{0}\n\nHere is the answer:\n{1}",
    "work": "<work>{0}</work>\n{1}",
    "steps": "<steps>\n1. {0}\n</steps>\n{1}",
    "notes": "<notes>{0}</notes>{1}",
    "ponder": "<ponder>\n{0}\n</ponder>\n<answer>{1}</answer>",
    "prefix-suffix": "<|inner_prefix|>{0}<|inner_suffix|>{1}",
    "bold-headings": "**Thought:** {0}\n**Final Answer:**\n{1}",
}
OPEN = ["<think>", "[THINK]", "◁think▷", "<seed:think>", "<|channel|>analysis<|message|>", "<|START_THINKING|>",
        "<Reasoning>\n", "analysisWe look: ", "【思考】", "<unused94>thought\n"]


def read(name, options, reply, text=TEXT, labels=LABELS):
    codec = make_codec(name, **options)
    if name == "seed_tags":
        reading = codec.read(reply, labels)
        return reading.text, reading.mentions, reading.issues
    reading = codec.decode(text, labels, reply)
    return text, reading.mentions, reading.issues


@pytest.mark.parametrize("name, options", CODECS, ids=lambda value: "-".join(value.values()) if isinstance(
    value, dict) else value)
@pytest.mark.parametrize("form", BLOCKS.values(), ids=BLOCKS)
def test_reasoning_is_no_answer(form, name, options):
    codec = make_codec(name, **options)
    thought = "Maybe " + codec.encode(WRONG, LABELS) + "? No."
    reply = form.format(thought, codec.encode(RIGHT, LABELS))
    text, mentions, issues = read(name, options, reply)
    assert text == TEXT
    assert mentions == RIGHT.mentions
    assert "extra_text" in {issue.kind for issue in issues}


@pytest.mark.parametrize("name, options", CODECS, ids=lambda value: "-".join(value.values()) if isinstance(
    value, dict) else value)
@pytest.mark.parametrize("opening", OPEN)
def test_reasoning_that_was_cut_gives_nothing(opening, name, options):
    reply = opening + "Maybe " + make_codec(name, **options).encode(WRONG, LABELS) + "? No."
    _, mentions, issues = read(name, options, reply)
    assert mentions == ()
    assert {"no_output", "no_wrapper"} & {issue.kind for issue in issues}


SOURCES = [
    "The tag <think> marks pain in gout.", "<think>gout</think> is how the model wrote it.", "Her [THINK] score: gout.",
    "Disorganized thought and gout were seen.", "Gout, thinking of pain [/think] again.",
    "analysisGout assistantfinal.",
    "◁think▷ gout ◁/think▷ end", "Reasoning: gout.\nFinal answer: gout.", "Gout <!-- think --> again.",
    "Analysis of gout: assistant final check.", "<|channel|>analysis<|message|>gout", "[thought] gout [/thought]",
    "<answer>gout</answer> was the mark-up.", "Pain (analysis) and gout (reasoning).", "thought",
    "The <reasoning> of gout.", "[plan] gout [/plan]", "Plan: gout.\nFinal: gout.", "The <long_think> of gout.",
    "A <meta-analysis> of gout.", "[Analysis] gout\n[Result] pain", "【分析】 gout。【结果】 pain",
    "<steps>gout and other steps of pain</steps> were seen.", "Thinking...\ngout\n...done thinking.\nPain.",
    "> Reasoning\n> gout\n\npain", "&lt;think&gt;gout in all of it&lt;/think&gt; pain",
    "Here is my reasoning:\ngout\nHere is the answer:\npain", "<|im_start|>think\ngout<|im_end|>",
    "<|inner_prefix|>gout<|inner_suffix|> pain",
]


@pytest.mark.parametrize("name, options", [case for case in CODECS if case != ("json", {"shape": "name"})])
@pytest.mark.parametrize("text", SOURCES)
def test_marks_of_reasoning_in_a_source_are_text(text, name, options):
    codec = make_codec(name, **options)
    words = [Mention(start, start + len(word), label) for word, label in
             [("gout", "Disease"), ("thought", "Chemical"), ("THINK", "Chemical"), ("analysis", "Disease")]
             for start in [text.find(word)] if start >= 0]
    for mentions in ((), words, *([mention] for mention in words)):
        annotation = Annotation(text).with_mentions(mentions)
        annotation = annotation.with_mentions(set(annotation.mentions) - set(codec.unwritable(annotation)))
        assert codec.decode(text, LABELS, codec.encode(annotation, LABELS)).mentions == annotation.mentions


@pytest.mark.parametrize("name, options", CODECS[:-1])
@pytest.mark.parametrize("text", SOURCES[:5])
def test_reasoning_about_a_source_with_such_marks_is_no_answer(text, name, options):
    codec = make_codec(name, **options)
    start = text.casefold().index("gout")
    right = Annotation(text).with_mentions([Mention(start, start + 4, "Disease")])
    reply = "<think>\nMaybe pain?\n</think>\n" + codec.encode(right, LABELS)
    assert codec.decode(text, LABELS, reply).mentions == right.mentions


@pytest.mark.parametrize("form", ["<annotated>\n{0}\n</annotated>\n[]", "<data>\n{0}\n</data>\nNote: [] else.",
                                  "<p>\n{0}\n</p>\n<p>\n{0}\n</p>", "<symptom>\n{0}\n</symptom>"])
@pytest.mark.parametrize("name, options", CODECS[:-1], ids=lambda value: "-".join(value.values()) if isinstance(
    value, dict) else value)
def test_a_block_that_holds_the_answer_is_no_reasoning(name, options, form):
    codec = make_codec(name, **options)
    answer = codec.encode(RIGHT, LABELS)
    found = codec.decode(TEXT, LABELS, form.format(answer)).mentions
    assert found == RIGHT.mentions


def test_a_first_tag_of_an_unknown_label_is_no_reasoning():
    reply = "<Event>Gout came back after</Event> <Chemical>cisplatin</Chemical>" + TEXT[30:]
    assert make_codec("html").decode(TEXT, LABELS, reply).mentions == RIGHT.mentions[1:]


def test_a_tag_of_a_label_is_no_reasoning():
    annotation = Annotation("An analysis of thought.").with_mentions(
        [Mention(3, 11, "Analysis"), Mention(15, 22, "Thought")])
    for name, options in CODECS:
        codec = make_codec(name, **options)
        reply = codec.encode(annotation, ["Analysis", "Thought"])
        assert codec.decode(annotation.text, ["Analysis", "Thought"], reply).mentions == annotation.mentions


@pytest.mark.parametrize("name", ["internal bleeding", "inner ear infection", "thought disorder", "Plan B"])
def test_a_named_tag_of_a_label_is_no_reasoning_whatever_its_name(name):
    text = f"He had {name}."
    right = Annotation(text).with_mentions([Mention(7, 7 + len(name), "Disease")])
    codec = make_codec("html")
    assert codec.decode(text, LABELS, codec.encode(right, LABELS) + "\n").mentions == right.mentions


@pytest.mark.parametrize("closing", ["**Final answer:** 2 entities found.", "Final answer: see above."])
@pytest.mark.parametrize("name, options", CODECS[:-1], ids=lambda value: "-".join(value.values()) if isinstance(
    value, dict) else value)
def test_a_closing_remark_is_no_answer(name, options, closing):
    codec = make_codec(name, **options)
    reply = codec.encode(RIGHT, LABELS) + "\n\n" + closing
    assert codec.decode(TEXT, LABELS, reply).mentions == RIGHT.mentions


@pytest.mark.parametrize("name, options", CODECS[:-1], ids=lambda value: "-".join(value.values()) if isinstance(
    value, dict) else value)
def test_an_answer_without_mentions_under_its_heading_counts(name, options):
    codec = make_codec(name, **options)
    reply = f"Reasoning: {codec.encode(WRONG, LABELS)}\n\nFinal answer:\n{codec.encode(Annotation(TEXT), LABELS)}"
    assert codec.decode(TEXT, LABELS, reply).mentions == ()
