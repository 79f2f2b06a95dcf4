# Two commands: `make book` builds the site, `make test` runs everything that must hold.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

INSTALLED := .venv/.installed
CHECKED := _build/.checked
SITE := _build/html/index.html

PACKAGE := $(shell find algzoo -type f -not -path '*/__pycache__/*')
CHAPTERS := $(wildcard analyses/*.ipynb)
PAGES := $(shell find book -type f) _config.yml _toc.yml

.PHONY: book test clean

book: $(CHECKED) $(SITE)
	@echo "$(CURDIR)/$(SITE)"

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest
	$(BIN)/jupyter-book build . -q -W --keep-going -n

# The chapters, re-executed; nothing to do while neither they nor the package changed.
$(CHECKED): $(INSTALLED) $(PACKAGE) $(CHAPTERS)
	$(BIN)/algzoo check
	@mkdir -p $(@D) && touch $@

$(SITE): $(INSTALLED) $(CHAPTERS) $(PAGES)
	$(BIN)/jupyter-book build . -q -W --keep-going -n
	@touch $@

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[book,test]'
	@touch $@

clean:
	rm -rf .venv _build
