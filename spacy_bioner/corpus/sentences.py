"""Texts cut into sentences: fast rules for biomedical English, marks for Chinese; a mention is never cut.

`benchmarks/sentences.py` compares these rules with maintained libraries on the gold corpora;
`docs/explanation/sentences.md` shows the table.
"""

import re
from dataclasses import replace
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from ..annotation import Annotation, Mention
from ..tokens import UNSPACED

_CLOSERS = "\"')\\]\u201d\u2019\u00bb"
_OPENERS = "\"'(\\[\u201c\u2018\u00ab"
# A mark, what closes after it, white space, and what a sentence can begin with. Blank lines always end one.
_ENGLISH = re.compile(
    rf"(?P<mark>[.!?]+)[{_CLOSERS}]*(?P<gap>\s+)(?=[{_OPENERS}]*[^\W_])"
    r"|\[(?:see comment|comment|published erratum)[^\]]*\](?P<remark>\s+)(?=\S)"
    r"|(?P<blank>[^\S\n]*\n\s*\n\s*)"
)
# The full-width marks, which end a sentence in any language; ． is a decimal point between digits.
_WIDE = r"(?:[。！？；｡]|．(?!\d)|(?<!\d)．)"
# What closes after a mark, and the number of a reference.
_AFTER = r"(?P<closers>[\"'＂”’」』）)》】〕］〉]*)(?:\[\d+(?:[,，、\-–~]\d+)*\])*\s*"
_WIDE_END = re.compile(rf"{_WIDE}+{_AFTER}")
_HANGUL = re.compile("[\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb\uffa0-\uffdc]")
_CHINESE = re.compile(rf"(?:[!?]|{_WIDE})+{_AFTER}|\s*\n\s*")
# They open as they close.
_EVEN_QUOTES = "\"'＂"
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c,;]+$")
_WORD_AFTER = re.compile(rf"[{_OPENERS}]*([\w-]+)")

# "3. Danazol decreased": the number belongs to what follows.
_ENUMERATOR = re.compile(r"(?:^|[.!?:;)]\s+)\d{1,2}$")
_ENUMERATED = re.compile(r"\d{1,2}\.\s")
_INITIALS = re.compile(r"(?:[A-Z]\.-?)*[A-Z]")

# Followed by more of the same sentence, whatever comes next.
_NEVER_LAST = frozenset("""
approx ca cf chap chr dr e.g eg eq eqs et exp fig figs i.e ie mr mrs ms no nos prof ref refs resp ser sp spp ssp st
subsp tab viz var v.s str cv ed eds pp fam ph.d a.k.a
""".split())
# Followed by more of the same sentence, unless a word that begins sentences comes next: units, titles, journals.
_SELDOM_LAST = frozenset("""
al vs a.m p.m b.i.d t.i.d q.i.d q.d b.d i.a i.c i.c.v i.d i.e i.m i.n i.p i.t i.v p.o s.c s.l p.r u.s u.k e.u d.c inc
ltd co corp jr sr etc oz ft dia wt vol conc temp suppl jan feb mar apr jun jul aug sep sept oct nov dec univ ex
acad am ann appl arch biochem biol biophys br cardiol chem clin dev endocrinol engl eur genet hum immunol int lett med
microbiol mol natl neurol neurosci oncol pathol pharmacol physiol proc psychiatr res rev sci surg toxicol virol
""".split())
# The end of a sentence where a number stands before, else like the words above.
_UNITS = frozenset("d g h hr hrs in kg l lb m mg min mo s sec wk y yr yrs".split())
# A single letter after these is a name: "NF-kappa B.", "vitamin C."
_NAMED_BY_LETTER = re.compile(
    r"(?:kappa|alpha|beta|gamma|vitamins?|hepatitis|type|group|class|grade|stage|factor|form|protein|virus|panel|"
    r"chain|complex|prostaglandin|subunit|case|patient|family|actinomycin|cyclosporin|amphotericin|bleomycin|concanavalin|"
    r"immunoglobulin|influenza|haemophilia|hemophilia|apolipoprotein|site|region|domain|phase|drug|child-pugh)$",
    re.IGNORECASE,
)
_GREEK = frozenset("alpha beta gamma delta epsilon zeta kappa lambda mu sigma omega".split())
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
    lang (str): Language of the text; "zh" is cut at 。！？；．｡ and line ends, everything else as English and at these
        marks.
    RETURNS (List[Tuple[int, int]]): Start and end of each sentence, without the white space around it; together they
        hold every other character of the text.
    """
    if lang == "zh":
        return _between(text, _wide_ends(text, _CHINESE))
    if text.isascii():
        return _between(text, _english_ends(text))
    return _between(text, sorted([*_english_ends(text), *_wide_ends(text, _WIDE_END)]))


def split_sentences(annotation: Annotation, lang: str = "") -> List[Annotation]:
    """Cut an annotation into sentences; where a mention lies across an end of sentence, there is no cut.

    annotation (Annotation): A document. One whose meta says that it is a sentence stays as it is.
    lang (str): Language; by default what the meta says, else what the text is written in.
    RETURNS (List[Annotation]): The sentences, with the ids `<id>-s1`, `<id>-s2`, ... and the id of the document in
        `meta["document"]`.
    """
    if annotation.meta.get("unit") == "sentence":
        return [annotation]
    lang = lang or str(annotation.meta.get("lang") or guess_language(annotation.text))
    found = join_cut(find_sentences(annotation.text, lang), annotation.mentions)
    return [_sentence(annotation, start, end, number) for number, (start, end) in enumerate(found, start=1)]


def guess_language(text: str) -> str:
    """Return "zh" where most letters are of a script without spaces, else "en": as far as cutting goes."""
    letters = [sign for sign in text if sign.isalpha()]
    unspaced = sum(sign >= UNSPACED and not _HANGUL.match(sign) for sign in letters)
    return "zh" if 2 * unspaced > len(letters) else "en"


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
        if match["mark"] is None:
            yield match.span("blank" if match["remark"] is None else "remark")
        elif _ends_english(text, match):
            yield match.span("gap")


def _wide_ends(text: str, pattern: "re.Pattern[str]") -> Iterator[Tuple[int, int]]:
    """Yield the same for marks that need no white space after them."""
    for match in pattern.finditer(text):
        opening = (place for place in range(*match.span("closers")) if _opens_quote(text, place))
        end = next(opening, match.end())
        yield end, end


def _opens_quote(text: str, place: int) -> bool:
    """Return whether a quote that opens as it closes stands here and none is open in its line."""
    quote = text[place]
    if quote not in _EVEN_QUOTES:
        return False
    before = text[text.rfind("\n", 0, place) + 1:place]
    # An apostrophe between letters is no quote.
    return len(re.findall(f"(?<![A-Za-z]){quote}|{quote}(?![A-Za-z])", before)) % 2 == 0


def _ends_english(text: str, match: "re.Match[str]") -> bool:
    """Return whether the mark that was found ends a sentence here."""
    after = _WORD_AFTER.match(text, match.end())
    if after is None:
        return False
    following = after[1]
    before = text[max(0, match.start() - 40):match.start()]
    found = _WORD_BEFORE.search(before)
    word = found[0] if found else ""
    if following[:1].islower() and not _begins_with_small_letter(following):
        return False
    if match["mark"] != ".":
        return True
    folded = word if word[1:] != word[1:].lower() and "." not in word else word.lower()
    if folded in _NEVER_LAST or _ENUMERATOR.search(before):
        return False
    if word[-1:].isdigit() and following[:1].isdigit():
        return len(word) > 4 and _ENUMERATED.match(text, match.end()) is not None
    before_word = before[:len(before) - len(word)].rstrip()
    initial = len(following) == 1 and text.startswith(".", after.end())
    begins = following.lower() in _BEGINS_SENTENCES and following[:1].isupper() and not initial
    if folded in _UNITS and before_word[-1:].isdigit():
        return not following[:1].isdigit()
    if _INITIALS.fullmatch(word):
        return begins or len(word) == 1 and _NAMED_BY_LETTER.search(before_word) is not None
    if folded in _SELDOM_LAST or len(word) == 1 and word.isalpha():
        return begins
    return True


def _begins_with_small_letter(word: str) -> bool:
    """Return whether a word in small letters can begin a sentence, as p53, mRNA, c-fos and alpha 4 do."""
    return word in _GREEK or not word.islower() or any(character.isdigit() for character in word)


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
