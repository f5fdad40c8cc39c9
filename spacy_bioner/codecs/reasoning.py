"""Cuts out what a reasoning model thought aloud, in whatever notation, unless it is text of the source.

Blocks have an opening and a closing marker (`<think>...</think>`, `[THINK]...[/THINK]`, `◁think▷...◁/think▷`,
`<|START_THINKING|>...<|END_THINKING|>`, `<seed:think>...</seed:think>`); chat templates may have written the opening
one, and the token limit may have cut the closing one. Channels (harmony) begin with a header. Headings ("Reasoning:",
"Final answer:") divide prose. Prose in tags of another name (`<work>...</work>`) is reasoning where a reply begins with
it and goes on with what may be an answer.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from .collect import Collector
from .labels import fold_label
from .replies import says_none

_WORDS = (r"think(?:ing)?(?:[ _-]?(?:process|steps?|content|block|mode))?|thoughts?(?:[ _-]?process)?"
          r"|reason(?:ing|s)?(?:[ _-]?(?:process|steps?|content|trace|effort))?|analysis|analy[sz]ing|reflections?"
          r"|reflecting|scratch[ _-]?pad|chain[ _-]?of[ _-]?thoughts?|cot|rationale"
          r"|(?:inner|internal)(?:[ _-]?(?:monologue|thoughts?|reasoning))?|ant[ _-]?thinking|deliberat(?:e|ion|ing)"
          r"|monologue|plan(?:ning)?|brainstorm(?:ing)?|contemplat(?:e|ion|ing)|critique|explanation"
          r"|思考(?:过程)?|推理(?:过程)?|分析(?:过程)?|思维链|思考過程")
_OPENING, _CLOSING = r"<\[{(◁⟨〈《«＜［【｛（‹", r">\]})▷⟩〉》»＞］】｝）›"
_MARKER = re.compile(
    rf"(?P<edge>[{_OPENING}])[{_OPENING}]?[|｜!#*]?[ \t]{{0,3}}(?P<slash>[/\\]{{0,2}})[ \t]{{0,3}}"
    r"(?:(?!(?:begin|start|open|end|stop|close)[ _▁-])[A-Za-z][\w.-]{0,30}(?::|(?P<joined>[_.-])))?"
    r"(?:(?P<turn>begin|start|open|end|stop|close)[ _▁-]?(?:of[ _▁-]?)?)?"
    rf"(?P<word>{_WORDS})"
    r"(?:[ _▁-]?(?P<after>begin|start|open|end|stop|close|prefix|suffix))?"
    r"(?P<more>[:_.-]\w{1,20})?"
    rf"(?P<rest>[ \t][^<>\[\]\n]{{0,120}}?)?[ \t]{{0,3}}(?P<self>/?)[|｜!#*]?[{_CLOSING}]{{1,2}}"
    r"|(?P<unused><unused9[45]>|<\|channel>[ \t]*(?:thought|analysis)\b|<channel\|>)"
    r"|(?P<details><details\b[^<>]{0,200}\breasoning\b[^<>]{0,200}>|</details>)"
    r"|(?P<fence>^[ \t]*```[ \t]*(?:think|thinking|thought|reasoning|analysis|scratchpad)[ \t]*$)"
    r"|(?P<comment><!--|-->)",
    re.IGNORECASE | re.MULTILINE)
# An opening marker of these counts anywhere; of other brackets only in pairs, or where the reply begins.
_SURE = ("<", "＜", "◁")
_EDGES = "<[{(◁⟨〈《«＜［【｛（‹>]})▷⟩〉》»＞］】｝）›|｜/\\ "
# Without one of them a reply marks nothing.
_ANSWER_SIGNS = "[{<［【｛＜"
_QUOTES = ('"', "'", "“", "”")
_MOST_CONTEXTS = 50
_LOUD = "<[{(◁⟨〈《«＜［【｛（‹`-"
_CHANNEL = re.compile(r"<\|channel\|>[ \t]*(\w+)[^<]{0,80}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>",
                      re.IGNORECASE)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)
# The same without its special tokens: "analysisWe need ...assistantfinal[...]".
_BARE_START = re.compile(r"\s*(?:assistant\s*)?(?:analysis|commentary)(?=[^a-z,.;:]|[a-z]\w* )")
_BARE_FINAL = re.compile(r"assistant\s{0,3}final(?:\s{0,3}(?:json|text)(?=\W))?(?![a-z])")
# A turn of a template with a role of its own: "<|im_start|>think\n...<|im_end|><|im_start|>answer\n".
_TURN = re.compile(r"<\|im_start\|>[ \t]*(?P<role>\w+)[ \t]*\n(?P<content>.*?)(?=<\|im_(?:start|end)\|>|\Z)", re.DOTALL)
_ANY_WORD = re.compile(_WORDS, re.IGNORECASE)
# What a reply may begin with: a block in tags of any name, the notation of Ollama, a quotation under a heading.
_FIRST_BLOCK = re.compile(r"\s*(?P<tag>(?:<|&lt;)(?P<name>[A-Za-z][\w-]{0,30})(?:>|&gt;))(?P<content>.*?)"
                          r"(?:<|&lt;)/(?P=name)(?:>|&gt;)", re.DOTALL | re.IGNORECASE)
_FIRST_PART = re.compile(rf"\s*(?P<first>Thinking(?:\.\.\.|…)[ \t]*\n.*?^(?:\.\.\.|…)done thinking\.?"
                         rf"|>[#*_ \t]*(?P<word>{_WORDS})[*_: \t]*\n(?:>[^\n]*(?:\n|\Z))*)",
                         re.DOTALL | re.MULTILINE | re.IGNORECASE)
_WRAPPERS = frozenset("answer finalanswer final output response result solution sentence text json html body entities "
                      "annotations annotation".split())
# A block of fewer words is rather a name in a tag.
_LEAST_WORDS = 4
_HEADING_EDGES = ("【", "［", "[")
_HEADING_END = r"[*_ \t]{0,4}[:：][*_ \t]{0,4}|[*_ \t]{0,4}$"
# A heading may stand in brackets: 【分析】 and below it 【答案】.
_BRACKETED = r"(?P<bracket>[【［\[][ \t]?)?"
_BRACKETED_END = rf"(?(bracket)[ \t]?[】］\]][*_ \t]{{0,4}}[:：]?[*_ \t]{{0,4}}|(?:{_HEADING_END}))"
_HERE_IS = r"(?:here(?: is|['’]s) (?:my|the) )?"
_REASONING_HEADING = re.compile(
    rf"\s*[#>*_ \t]{{0,6}}{_BRACKETED}(?:{_HERE_IS}(?:{_WORDS})|(?:first |initial )?draft|let me think[^\n:]{{0,40}}"
    rf"|step[ -]by[ -]step[^\n:]{{0,40}}){_BRACKETED_END}",
    re.IGNORECASE | re.MULTILINE)
_ANSWER_HEADING = re.compile(
    rf"(?:^|(?=【))[#>*_ \t]{{0,6}}{_BRACKETED}(?:"
    r"(?P<final>final(?:[ _-]?(?:answer|output|result|response|json|annotation))?|最终(?:答案|结果|输出)"
    r"|(?:so|thus|therefore|hence)?[, ]{0,2}(?:the|my) (?:final |correct )?(?:answer|output|result) is)"
    rf"|{_HERE_IS}(?:answer|output|result|response)|答案|结果|输出){_BRACKETED_END}", re.IGNORECASE | re.MULTILINE)
_ANSWER_BLOCK = re.compile(
    r"<(?P<bar>\|?)(?:begin[ _▁]of[ _▁])?(?P<word>answer|final_answer|final|output|response|result|solution)(?P=bar)>",
    re.IGNORECASE)
# So many characters beside a marker tell whether it is a copy of the source's.
_TELLING = 4
_MARKS = re.compile(r"<[^<>]{0,200}>|[\W_]+")


@dataclass(frozen=True)
class _Marker:
    """A marker of a block: its place, whether it opens one, and the word and the notation by which it is paired."""

    start: int
    end: int
    kind: str
    word: str
    edge: str


def strip_reasoning(reply: str, found: Collector, labels: Sequence[str] = ()) -> str:
    """Cut out what a reasoning model thought aloud.

    reply (str): The reply.
    found (Collector): Takes the issues; markers that are a copy of its text are text.
    labels (Sequence[str]): The labels of the schema; a tag of one of them is no marker.
    RETURNS (str): The reply without reasoning. A block without an end takes all that follows, an end without a
        beginning all before it.
    """
    known = _fold_labels(tuple(labels))
    body = _strip_channels(reply, found.text)
    body = _strip_first(body, found.text, known)
    body = _strip_blocks(body, found.text, known)
    body = _strip_headings(body, found.text, known)
    if body != reply:
        found.issue("extra_text", "reasoning")
    answer = _unwrap_answer(body, found.text, known)
    if answer != body:
        found.issue("extra_text", "answer tags")
    return answer


@lru_cache(maxsize=64)
def _fold_labels(labels: Tuple[str, ...]) -> frozenset:
    return frozenset(fold_label(label) for label in labels)


def _strip_channels(reply: str, text: str) -> str:
    """Return the final channel of a reply in channels; nothing where there is none."""
    if "<|channel|>" in reply.lower() and "<|channel|>" not in text.lower():
        parts = []
        for header in _CHANNEL.finditer(reply):
            if header[1].lower() == "final":
                end = _CHANNEL_END.search(reply, header.end())
                parts.append(reply[header.end():end.start() if end else len(reply)])
        return "\n".join(parts)
    turns = list(_TURN.finditer(reply)) if "<|im_start|>" not in text else []
    if any(_ANY_WORD.fullmatch(turn["role"]) for turn in turns):
        return "\n".join(turn["content"] for turn in turns if not _ANY_WORD.fullmatch(turn["role"]))
    start = _BARE_START.match(reply)
    if start is None or text.lstrip().startswith(reply.strip()[:len("analysis") + 12]):
        return reply
    finals = [final for final in _BARE_FINAL.finditer(reply) if final[0] not in text]
    if finals:
        return reply[finals[-1].end():]
    glued = re.match(r"\s*(?:assistant)?(?:analysis|commentary)[A-Z\"“\[{(<]", reply)
    return "" if glued and not text.lstrip().lower().startswith(("analysis", "commentary")) else reply


def _strip_first(reply: str, text: str, known: frozenset) -> str:
    """Return the reply without a part at its beginning that is neither an answer nor of the source."""
    part = _FIRST_PART.match(reply)
    if (part and fold_label(part["word"] or "") not in known and not _has(text, part["first"][:_TELLING * 4])
            and (part["word"] is None or reply[part.end():].strip())):
        return reply[part.end():]
    block = _FIRST_BLOCK.match(reply)
    if block is None or fold_label(block["name"]) in known | _WRAPPERS or _has(text, block["tag"]):
        return reply
    content = block["content"].strip()
    first = re.split("[:：\\n]", content, maxsplit=1)[0]
    is_answer = (content[:1] in tuple(_ANSWER_SIGNS) or fold_label(first) in known or says_none(first)
                 or _has(_visible(text), _visible(content)[:_TELLING * 4]))
    rest = reply[block.end():]
    if is_answer or len(re.findall(r"\w+", content)) < _LEAST_WORDS or not (rest.strip() and _may_answer(rest, text)):
        return reply
    return rest


def _has(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _strip_blocks(reply: str, text: str, known: frozenset) -> str:
    """Return the reply without blocks between markers."""
    if not any(sign in reply for sign in _LOUD):
        return reply
    markers = list(_find_markers(reply, text, known))
    if not markers:
        return reply
    closings = _Closings(markers)
    kept: List[str] = []
    at = 0
    for number, marker in enumerate(markers):
        if marker.start < at:
            continue
        if marker.kind == "close":
            # What opened the block stands in the prompt.
            kept, at = [], marker.end
            continue
        partner = closings.find_partner(number, marker)
        if partner is None and (not _may_stay_open(marker, kept, reply[at:marker.start])
                                or marker.edge in _HEADING_EDGES and _find_answer(reply[at:], text, known) is not None):
            continue
        kept.append(reply[at:marker.start])
        if partner is None:
            return "".join(kept)
        at = markers[partner].end
        kept.append("\n" if kept[-1].strip() else "")
    return "".join([*kept, reply[at:]])


def _find_markers(reply: str, text: str, known: frozenset) -> Iterator[_Marker]:
    """Yield the markers of the reply that are neither tags of a label nor copied from the source."""
    begun = set()
    fence = False
    for match in _MARKER.finditer(reply):
        word, edge = (match["word"] or "").lower(), match["edge"] or ""
        if word:
            prefix, colon, _ = match[0].lstrip(_EDGES).partition(":")
            if fold_label(word) in known or fold_label(match[0]) in known or (colon and fold_label(prefix) in known):
                continue
            closes = bool(match["slash"]) or _turns(match, ("end", "stop", "close", "suffix"))
            kind = "close" if closes else "empty" if match["self"] else "open"
            if edge not in _SURE and (match["rest"] or match["joined"] or match["more"]):
                continue
        elif match["comment"]:
            word, kind = "comment", "open" if match[0] == "<!--" else "close"
        elif match["fence"]:
            word, kind, fence = "fence", "open", True
        else:
            word = "details" if match["details"] else "unused"
            kind = "open" if match[0].lower().startswith(("<details", "<unused94", "<|channel")) else "close"
        if word in ("comment", "details") and kind == "close" and word not in begun:
            continue
        begun.add(word)
        if _is_copied(reply, match.start(), match.end(), text, loose=edge not in _SURE):
            continue
        yield _Marker(match.start(), match.end(), kind, word, edge)
        if kind == "open" and fence:
            closing = re.compile(r"^[ \t]*```[ \t]*$", re.MULTILINE).search(reply, match.end())
            fence = False
            if closing:
                yield _Marker(closing.start(), closing.end(), "close", "fence", "")


def _turns(match: "re.Match[str]", words: Tuple[str, ...]) -> bool:
    return any((match[name] or "").lower() in words for name in ("turn", "after"))


class _Closings:
    """The closing markers of a reply, asked for the next one."""

    def __init__(self, markers: Sequence[_Marker]) -> None:
        self._places: Dict[Tuple[str, str], List[int]] = {}
        for number, marker in enumerate(markers):
            if marker.kind != "open":
                self._places.setdefault((marker.word, marker.edge), []).append(number)
            if marker.kind == "close":
                self._places.setdefault(("", ""), []).append(number)

    def find_partner(self, number: int, opening: _Marker) -> Optional[int]:
        """Return the next closing marker of the same word, else of any; an empty one is whole."""
        if opening.kind == "empty":
            return number
        for key in ((opening.word, opening.edge), ("", "")):
            places = self._places.get(key, [])
            following = bisect_right(places, number)
            if following < len(places):
                return places[following]
        return None


def _may_stay_open(marker: _Marker, kept: Sequence[str], before: str) -> bool:
    """Return whether an opening marker without an end begins reasoning that was cut off."""
    return marker.edge in _SURE or marker.word == "comment" or not (before.strip() or any(map(str.strip, kept)))


def _is_copied(reply: str, start: int, end: int, text: str, *, loose: bool) -> bool:
    """Tell whether a marker is a copy of what stands in the source.

    loose (bool): Whether its brackets may be marks round a word of the source.
    RETURNS (bool): Whether the source has it, with the same characters before it or after it.
    """
    token = reply[start:end].casefold()
    contexts = _find_contexts(text, token.strip(_EDGES) if loose else token)
    if not contexts:
        return False
    if reply[max(start - 1, 0):start] in _QUOTES and reply[end:end + 1] in _QUOTES:
        return True
    before, after = _visible(reply[max(start - 60, 0):start]), _visible(reply[end:end + 60])
    return any((left and before.endswith(left)) or (right and after.startswith(right)) or not (left or right)
               for left, right in contexts)


@lru_cache(maxsize=64)
def _find_contexts(text: str, token: str) -> Tuple[Tuple[str, str], ...]:
    """Return what stands before and after each place of a token in the source."""
    folded = text.casefold()
    contexts: List[Tuple[str, str]] = []
    place = folded.find(token) if token else -1
    while place >= 0 and len(contexts) < _MOST_CONTEXTS:
        end = place + len(token)
        contexts.append((_visible(folded[max(place - 60, 0):place])[-_TELLING:],
                         _visible(folded[end:end + 60])[:_TELLING]))
        place = folded.find(token, end)
    return tuple(dict.fromkeys(contexts))


def _visible(text: str) -> str:
    """Return the characters of a text by which its place is known, without marks and white space."""
    return _MARKS.sub("", text.casefold())


def _strip_headings(body: str, text: str, known: frozenset) -> str:
    """Return what stands under the heading of the answer, where prose under another one goes before."""
    answer = _find_answer(body, text, known)
    return body if answer is None else answer


def _find_answer(body: str, text: str, known: frozenset) -> Optional[str]:
    """Return the same, None where there is no such heading."""
    opening = _REASONING_HEADING.match(body)
    if opening and (_heading_word(opening[0]) in known or text.casefold().lstrip(_EDGES + "\n\t").startswith(
            opening[0].casefold().strip(_EDGES + "\n\t"))):
        opening = None
    answers = [match for match in _ANSWER_HEADING.finditer(body)
               if (opening or match["final"]) and body[match.end():].strip() and _heading_word(match[0]) not in known
               and match[0].strip().casefold() not in text.casefold()]
    # A closing remark, as "Final answer: see above", may have such a heading too.
    spoken = not any(sign in body for sign in _ANSWER_SIGNS)
    return next((body[match.end():] for match in reversed(answers)
                 if spoken or _may_answer(body[match.end():], text)), None)


def _may_answer(part: str, text: str) -> bool:
    """Tell whether a part of a reply has marks, says that there is nothing, or begins to copy the source."""
    return (any(sign in part for sign in _ANSWER_SIGNS) or _visible(text)[:_TELLING * 4] in _visible(part)
            or any(says_none(re.split("[:：]", line)[-1]) for line in part.splitlines()))


def _heading_word(heading: str) -> str:
    return fold_label(heading.strip("#>*_ \t\n:：【】［］[]"))


def _unwrap_answer(body: str, text: str, known: frozenset) -> str:
    """Return what stands between tags that say that it is the answer."""
    parts: List[str] = []
    at = 0
    for match in _ANSWER_BLOCK.finditer(body):
        word = match["word"]
        if fold_label(word) in known or match[0].casefold() in text.casefold():
            return body
        if match.start() < at:
            continue
        closing = re.compile(rf"<(?:/\|?|\|/?|\|end[ _▁]of[ _▁]){re.escape(word)}\|?>", re.IGNORECASE).search(
            body, match.end())
        at = closing.end() if closing else len(body)
        parts.append(body[match.end():closing.start() if closing else len(body)])
    answer = "\n".join(parts)
    return answer if answer.strip() else body
