"""The snippets of docs/components.md: the code runs, the configs make what they describe."""

import re

import pytest
from command_line import find_command
from places import DOCS

PAGE = (DOCS / "components.md").read_text(encoding="utf8")


def snippets(kind):
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return [pytest.param(text, id=f"{kind} {number}") for number, text in enumerate(found, start=1)]


@pytest.mark.parametrize("code", snippets("python"))
def test_code_runs(code, capsys):
    exec(compile(code, "docs/components.md", "exec"), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("text", snippets("ini"))
def test_configs_make_what_they_describe(text):
    import spacy
    from spacy import registry
    from thinc.api import Config

    bare = "\n".join(re.sub(r"\s+#.*$", "", line) for line in text.splitlines())
    headers = re.findall(r"^\[(.+)\]$", bare, flags=re.MULTILINE)
    above = dict.fromkeys(".".join(header.split(".")[:depth]) for header in headers
                          for depth in range(1, header.count(".") + 1))
    missing = "".join(f"[{header}]\n" for header in above if header not in headers)
    config = Config().from_str(missing + bare, interpolate=False)
    if "corpora" in config:
        assert callable(registry.resolve(config["corpora"])["train"])
        return
    for name, settings in config["components"].items():
        nlp = spacy.blank("en")
        nlp.add_pipe(settings.pop("factory", "span_selector"), name=name, config=settings)
        assert nlp.pipe_names == [name]


COMMANDS = re.findall(r"```\nspacy-bioner ((?:(?:train|select|generate) )?\w+) (.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("verb, options", COMMANDS)
def test_commands_use_options_that_there_are(verb, options):
    known = {option for parameter in find_command(verb.split())[0].params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", options)) <= known
