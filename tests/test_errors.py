"""Messages of errors: codes in order, one module an area, none without a use."""

import re

import pytest
from places import ROOT

from spacy_bioner.errors import Errors, Warnings

PACKAGE = ROOT / "spacy_bioner"
AREAS = [area for each in (Errors, Warnings) for area in each.__bases__]


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.__name__)
def test_codes_of_an_area_are_numbered_in_order(area):
    codes = [name for name in vars(area) if re.fullmatch(r"[EW]\d+", name)]
    letter, digit = codes[0][0], codes[0][1]
    assert codes == [f"{letter}{digit}{number:02d}" for number in range(1, len(codes) + 1)]


def test_no_code_is_of_two_areas():
    codes = [name for area in AREAS for name in vars(area) if re.fullmatch(r"[EW]\d+", name)]
    assert sorted(codes) == sorted(set(codes))


def test_every_message_is_used():
    used = set()
    for path in PACKAGE.rglob("*.py"):
        used.update(re.findall(r"\b(?:Errors|Warnings)\.([EW]\d+)", path.read_text(encoding="utf8")))
    known = {name for area in AREAS for name in vars(area) if re.fullmatch(r"[EW]\d+", name)}
    assert used == known


def test_messages_below_the_command_line_name_no_option_and_no_command():
    below = set()
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] not in ("cli", "errors"):
            below.update(re.findall(r"\b(?:Errors|Warnings)\.([EW]\d+)", path.read_text(encoding="utf8")))
    messages = {code: getattr(Errors, code, None) or getattr(Warnings, code) for code in below}
    # A command of pip has options of its own.
    named = {code: re.findall(r"(?<![\w-])--[a-z][\w.-]*|\bspacy-bioner [a-z]\w+",
                              re.sub(r"pip install(?: --[a-z-]+)*", "", message))
             for code, message in messages.items()}
    assert {code: words for code, words in named.items() if words} == {}


def test_no_module_below_the_command_line_fills_an_option_into_a_message():
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] not in ("cli", "errors"):
            found = re.findall(r"\.format\([^)]*[\"']--[a-z]", path.read_text(encoding="utf8"))
            assert not found, path
