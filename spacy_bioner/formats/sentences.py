"""Texts cut into sentences: fast rules for biomedical English, marks for Chinese; a mention is never cut.

`benchmarks/sentence_splitters.py` compares these rules with kept libraries on the gold corpora.
"""

import re
from dataclasses import replace
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from ..annotation import Annotation, Mention

_CLOSERS = "\"')\\]\u201d\u2019\u00bb"
_OPENERS = "\"'(\\[\u201c\u2018\u00ab"
# A mark, what closes after it, white space, and what a sentence can begin with. Blank lines always end one.
_ENGLISH = re.compile(
    rf"(?P<mark>[.!?]+)[{_CLOSERS}]*(?P<gap>\s+)(?=[{_OPENERS}]*[^\W_])"
    r"|(?P<blank>[^\S\n]*\n\s*\n\s*)"
)
_CHINESE = re.compile(r"[\u3002\uff01\uff1f\uff1b!?]+[\"'\u201d\u2019\u300d\u300f\uff09)]*\s*|\s*\n\s*")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c,;]+$")
_WORD_AFTER = re.compile(rf"[{_OPENERS}]*([\w-]+)")

# Followed by more of the same sentence, whatever comes next.
_NEVER_LAST = frozenset("""
al approx ca cf ch chap chr dr e.g eg eq eqs et exp fig figs i.e ie mr mrs ms no nos prof ref refs resp sect ser sp spp
ssp st subsp suppl tab vol vs viz var v.s str cv gen dept ed eds pp fam ph.d a.k.a
""".split())
# Followed by more of the same sentence, unless a word that begins sentences comes next.
_SELDOM_LAST = frozenset("""
a.m p.m b.i.d t.i.d q.i.d q.d b.d i.a i.c i.c.v i.d i.e i.m i.n i.p i.t i.v p.o s.c s.l p.r u.s u.k e.u u.s.a d.c inc
ltd co corp jr sr etc min max sec hr hrs wk yr yrs mo lb oz in ft dia wt vol conc temp jan feb mar apr jun jul aug sep
sept oct nov dec univ mol ex
""".split())
_BEGINS_SENTENCES = frozenset("""
a after all although an and as at because both but by compared consistent despite during each eight finally five for
four from furthermore he here how however i if importantly in interestingly it its moreover most neither nine no none
nor on one only our overall patients results seven several she since six so some such surprisingly ten that the their
then there therefore these they this those three through thus to together two under until upon using we what when
whereas whether which while with within
""".split())


def find_sentences(text: str, lang: str = "en") -> List[Tuple[int, int]]:
    """Cut a text into sentences.

    text (str): The text.
    lang (str): Language of the text; "zh" is cut at 。！？；, everything else as English.
    RETURNS (List[Tuple[int, int]]): Start and end of each sentence, without the white space around it; together they
        hold every other character of the text.
    """
    return _between(text, _chinese_ends(text) if lang == "zh" else _english_ends(text))


def split_sentences(annotation: Annotation, lang: str = "") -> List[Annotation]:
    """Cut an annotation into sentences; where a mention lies across an end of sentence, there is no cut.

    annotation (Annotation): A document. One whose meta says that it is a sentence stays as it is.
    lang (str): Language; by default what the meta says, else English.
    RETURNS (List[Annotation]): The sentences, with the ids `<id>-s1`, `<id>-s2`, ... and the id of the document in
        `meta["document"]`.
    """
    if annotation.meta.get("unit") == "sentence":
        return [annotation]
    lang = lang or str(annotation.meta.get("lang") or "en")
    found = join_cut(find_sentences(annotation.text, lang), annotation.mentions)
    return [_sentence(annotation, start, end, number) for number, (start, end) in enumerate(found, start=1)]


def join_cut(sentences: Iterable[Tuple[int, int]], mentions: Iterable[Mention]) -> List[Tuple[int, int]]:
    """Join neighbouring sentences that share a mention.

    sentences (Iterable[Tuple[int, int]]): Start and end of each, in text order.
    mentions (Iterable[Mention]): The mentions of the text.
    RETURNS (List[Tuple[int, int]]): Sentences with every mention whole inside one.
    """
    waiting = sorted(mentions, key=lambda mention: mention.start, reverse=True)
    joined: List[Tuple[int, int]] = []
    reach = 0
    for start, end in sentences:
        if joined and reach > joined[-1][1]:
            start = joined.pop()[0]
        while waiting and waiting[-1].start < end:
            reach = max(reach, waiting.pop().end)
        joined.append((start, end))
    return joined


def _sentence(annotation: Annotation, start: int, end: int, number: int) -> Annotation:
    sentence = annotation.crop(start, end, id=f"{annotation.id}-s{number}")
    meta: Dict[str, Any] = {**annotation.meta, "unit": "sentence", "document": annotation.id}
    subtypes = annotation.meta.get("subtypes")
    if isinstance(subtypes, list) and len(subtypes) == len(annotation.mentions):
        meta["subtypes"] = [subtype for subtype, mention in zip(subtypes, annotation.mentions)
                            if start <= mention.start and mention.end <= end]
    return replace(sentence, meta=meta)


def _english_ends(text: str) -> Iterator[Tuple[int, int]]:
    """Yield where a sentence ends, and where the next begins."""
    for match in _ENGLISH.finditer(text):
        if match["blank"] is not None or _ends_english(text, match):
            yield (match.start(), match.end()) if match["blank"] is not None else match.span("gap")


def _chinese_ends(text: str) -> Iterator[Tuple[int, int]]:
    for match in _CHINESE.finditer(text):
        yield match.end(), match.end()


def _ends_english(text: str, match: "re.Match[str]") -> bool:
    """RETURNS (bool): Whether the mark that was found ends a sentence here."""
    after = _WORD_AFTER.match(text, match.end())
    following = after[1] if after else ""
    if match["mark"] != ".":
        return not following[:1].islower()
    before = _WORD_BEFORE.search(text, max(0, match.start() - 40), match.start())
    word = before[0] if before else ""
    begins = following.lower() in _BEGINS_SENTENCES and following[:1].isupper()
    if following[:1].islower():
        return _begins_with_small_letter(following)
    if word.lower() in _NEVER_LAST:
        return False
    if word.lower() in _SELDOM_LAST or len(word) == 1 and word.isalpha():
        return begins
    if following[:1].isdigit():
        return not word[-1:].isdigit() or match["gap"] != " " or len(following) > 1
    return True


def _begins_with_small_letter(word: str) -> bool:
    """RETURNS (bool): Whether a word in small letters can begin a sentence, as names like p53, mRNA or c-fos do."""
    return not word.islower() or any(character.isdigit() for character in word)


def _between(text: str, ends: Iterable[Tuple[int, int]]) -> List[Tuple[int, int]]:
    sentences = []
    begin = 0
    for end, following in [*ends, (len(text), len(text))]:
        part = text[begin:end]
        start = begin + len(part) - len(part.lstrip())
        stop = begin + len(part.rstrip())
        if start < stop:
            sentences.append((start, stop))
        begin = following
    return sentences
