"""The sentences of the prompt that explain each format; short, since every prompt pays for them.

The prompt names the labels with their definitions before, so the sentences do not.
"""

from typing import Dict, Tuple

_ENGLISH_LIST = "Write a JSON list in text order, one object per mention, or [] if there is none: "
_CHINESE_LIST = "按原文顺序输出 JSON 列表，每个实体一个对象，没有实体时输出 []："
_SENTENCES: Dict[Tuple[str, str], Tuple[str, str]] = {
    ("bracket", "all"): (
        "For each label, in this order, write one line: the label, a colon, two spaces and the unchanged text with "
        "[ ] around each mention of that label. Mentions may nest.",
        "按上述顺序，每个标签写一行：标签、冒号、两个空格和原文，用 [ ] 括出该标签的每个实体，可以嵌套。"),
    ("bracket", "occurring"): (
        "For each label that occurs write one line: the label, a colon, two spaces and the unchanged text with "
        "[ ] around each mention of that label. Mentions may nest. If there is none, write: none",
        "文中出现的每个标签写一行：标签、冒号、两个空格和原文，用 [ ] 括出该标签的每个实体，可以嵌套。"
        "没有实体时写：none"),
    ("html", ""): (
        "Write the unchanged text with each mention in tags that repeat it: <label:mention>mention</label:mention>. "
        "Mentions may nest.",
        "照抄原文，用重复实体的标签括出每个实体：<标签:实体>实体</标签:实体>，可以嵌套。"),
    ("json", "name"): (
        _ENGLISH_LIST + '[{"type":label,"name":mention}]',
        _CHINESE_LIST + '[{"type":标签,"name":实体}]'),
    ("json", "offsets"): (
        _ENGLISH_LIST + '[{"start_idx":first character,"end_idx":one past the last,"type":label,"entity":mention}]',
        _CHINESE_LIST + '[{"start_idx":起始位置,"end_idx":结束位置（不含）,"type":标签,"entity":实体}]'),
    ("json", "context"): (
        _ENGLISH_LIST + '[{"context":the words around it,label:mention}]',
        _CHINESE_LIST + '[{"context":上下文,标签:实体}]'),
    ("seed_tags", ""): (
        "Write the sentence between <start_sentence> and </end_sentence>, each entity in tags of its label: "
        "<label>entity</label>.",
        "把句子写在 <start_sentence> 和 </end_sentence> 之间，用标签括出每个实体：<标签>实体</标签>。"),
}


def describe_format(codec: str, option: str = "", *, lang: str = "en") -> str:
    """Return what the prompt says of a format, in Chinese for "zh" and in English otherwise."""
    english, chinese = _SENTENCES[codec, option]
    return chinese if lang == "zh" else english
