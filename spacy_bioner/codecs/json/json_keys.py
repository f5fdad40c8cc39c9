"""The keys under which models write labels, texts, offsets and remarks, folded as labels are."""

from typing import Sequence

# Where the root of an answer must be an object, the list stands under this key.
WRAPPED_KEY = "entities"
# The first of each row are trained on or common, and read without an issue; the others are a variant.
LABEL_KEYS = ("type", "category", "label")
OTHER_LABEL_KEYS = ("entitytype", "entitylabel", "entitygroup", "entitycategory", "class", "tag", "类型", "实体类型",
                    "类别", "标签", "实体类别")
NAME_KEYS = ("name", "entity", "text")
OTHER_NAME_KEYS = ("mention", "surface", "word", "span", "value", "term", "phrase", "entitytext", "entityname",
                   "名称", "实体", "实体名称", "文本", "内容", "词语")
# Beside a label, a list of texts under one of these holds its names.
NAME_LIST_KEYS = ("names", "entities", "texts", "mentions", "spans", "surfaces", "words", "values", "terms", "phrases",
                  "items", "实体列表", "列表")
START_KEYS = ("startidx",)
OTHER_START_KEYS = ("start", "startoffset", "startchar", "startpos", "startindex", "begin", "from", "offset", "开始",
                    "起始", "起始位置", "开始位置")
END_KEYS = ("endidx",)
OTHER_END_KEYS = ("end", "endoffset", "endchar", "endpos", "endindex", "stop", "to", "结束", "结束位置", "终止位置")
RANGE_KEYS = ("span", "offsets", "offset", "position", "positions", "range", "indices", "location", "位置")
CONTEXT_KEYS = ("context", "sentence", "evidence", "上下文", "句子", "语境")
KEYS = frozenset((*LABEL_KEYS, *OTHER_LABEL_KEYS, *NAME_KEYS, *OTHER_NAME_KEYS, *START_KEYS, *OTHER_START_KEYS,
                  *END_KEYS, *OTHER_END_KEYS, *RANGE_KEYS, *CONTEXT_KEYS))
ALL_NAME_KEYS = NAME_KEYS + OTHER_NAME_KEYS
# What stands under these is said about a mention or an answer, and is neither.
REMARK_KEYS = frozenset(
    "reasoning reason thinking thought thoughts analysis explanation rationale justification note notes comment "
    "comments description definition confidence score probability certainty source id uid index model status message "
    "error summary examples example fewshot input prompt instruction instructions question schema labels types "
    "language lang 思考 推理 分析 解释 说明 理由 备注 置信度".split())
NO_TEXT_KEYS = KEYS | REMARK_KEYS | frozenset(
    "result results answer answers output outputs response entities extraction extractions items data annotations "
    "predictions 结果 答案".split())
NO_NAME_KEYS = frozenset((*CONTEXT_KEYS, *REMARK_KEYS, *LABEL_KEYS, *OTHER_LABEL_KEYS))
LABEL_SOUNDS = ("type", "class", "label", "categor", "kind", "tag", "group", "role", "sort", "concept", "entity",
                "类", "标签")
NAME_SOUNDS = ("text", "name", "mention", "span", "surface", "term", "value", "word", "string", "phrase", "token",
               "content", "名", "词", "文本", "内容")
KEY_SOUNDS = tuple(sound for sound in LABEL_SOUNDS + NAME_SOUNDS if len(sound) > 1)


def sounds_like(key: str, sounds: Sequence[str], *, begins: bool = True) -> bool:
    """Return whether a key says what stands under it: it ends, or also begins, with such a word."""
    return any(begins and key.startswith(sound) or key.endswith((sound, f"{sound}s", f"{sound}y")) for sound in sounds)
