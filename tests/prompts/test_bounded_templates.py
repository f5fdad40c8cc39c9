"""A template that would run, write or build without end is refused in one line, soon."""

import time

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.prompts.bounded_templates import compile_template, render_blocks

ENDLESS = {
    "nested-loops": "{% for a in range(50000) %}{% for b in range(50000) %}{% endfor %}{% endfor %}",
    "written-loop": "{% for a in range(50000) %}{{ 'x' * 9000 }}{% endfor %}",
    "repeated-text": "{{ 'x' * 1000000000 }}",
    "repeated-list": "{{ [1] * 1000000000 }}",
    "power": "{{ 9 ** 999999999 }}",
    "tower": "{% set ns = namespace(x=9) %}{% for a in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "recursive-macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "branching-macro": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "branching-loop": "{% for a in [1, 1] recursive %}{% if loop.depth < 60 %}{{ loop([1, 1]) }}{% endif %}"
                      "{% endfor %}",
    "center": "{{ 'x'|center(1000000000) }}",
    "ljust": "{{ 'x'.ljust(1000000000) }}",
    "format": "{{ '%1000000000d'|format(1) }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "star": "{{ '%*d' % (1000000000, 1) }}",
    "str-format": "{{ '{:1000000000}'.format(1) }}",
    "replace": "{% set x = 'a' * 100000 %}{{ x|replace('a', x) }}",
    "replace-method": "{% set x = 'a' * 100000 %}{{ x.replace('a', x) }}",
    "doubling": "{% set ns = namespace(x='xx') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling-plus": "{% set ns = namespace(x='xx') %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling-join": "{% set ns = namespace(x='xx') %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x]|join %}"
                     "{% endfor %}",
    "laughs": "{% set ns = namespace(x=['ha']) %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
              "{{ ns.x }}",
    "block-set": "{% set ns = namespace(x='xx') %}{% for a in range(60) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}"
                 "{% set ns.x = y %}{% endfor %}",
    "batch": "{{ [1]|batch(1000000000, 'x')|list }}",
    "indent": "{{ 'a\nb'|indent(1000000000) }}",
    "deep": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "long": "x" * 2_000_000,
    "lipsum": "{{ lipsum(n=100000) }}",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_is_refused_soon(source):
    start = time.process_time()
    with pytest.raises(BionerError, match="E104|cannot be rendered") as raised:
        template = compile_template("{% block user %}" + source + "{% endblock %}", name="mine")
        render_blocks(template, {"text": "x"}, name="mine")
    assert "\n" not in str(raised.value)
    assert time.process_time() - start < 8


@pytest.mark.parametrize("source", [
    "{{ ''.__class__.__mro__ }}", "{{ self.__init__.__globals__ }}", "{{ text.format.__func__ }}",
    "{% include '/etc/passwd' %}", "{% set _count_step = 1 %}{{ missing }}",
])
def test_what_the_sandbox_forbids_is_one_line(source):
    with pytest.raises(BionerError, match="cannot be rendered"):
        render_blocks(compile_template("{% block user %}" + source + "{% endblock %}", name="mine"), {"text": "x"},
                      name="mine")


def test_ordinary_templates_are_not_bounded():
    source = ("{% block user %}{% macro line(a, b) %}{{ a }}: {{ b }}{% endmacro %}"
              "{% for label, definition in labels.items() %}{{ line(label, definition|upper) }}, {% endfor %}"
              "{{ labels|join('/') }} {{ text|replace('a', 'b') }} {{ '%05d'|format(7) }} {{ '{:>4}'.format('x') }} "
              "{{ text ~ '!' }} {{ text[:3] * 2 }}{% endblock %}")
    text = "banana " * 20_000
    blocks = render_blocks(compile_template(source, name="mine"), {
        "labels": {"A": "one", "B": "two"}, "text": text}, name="mine")
    assert blocks["user"] == (f"A: ONE, B: TWO, A/B {text.replace('a', 'b')} 00007    x {text}! banban")
