# Two commands: `make book` builds the site, `make test` runs everything that must hold.
# Three more need Chromium: `make pdf` prints the book, `make axe` has axe-core look at every page, and
# `make play` moves the sliders of one page and compares what they say with the package.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

INSTALLED := .venv/.installed
CHECKED := _build/.checked
SITE := _build/html/index.html
PDF := _build/book.pdf
AXE := .venv/axe/node_modules

CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || \
  command -v google-chrome || command -v google-chrome-stable)
# In a container, where everything belongs to root, Chromium does not start with its sandbox.
SANDBOX := $(if $(filter 0,$(shell id -u)),--no-sandbox)

PACKAGE := $(shell find algzoo -type f -not -path '*/__pycache__/*')
CHAPTERS := $(wildcard analyses/*.ipynb)
# Pages in these folders are made from the package when the site is built.
MADE := book/handcrafted book/reference book/sizes
PAGES := $(filter-out $(MADE:=/%),$(shell find book -type f)) _config.yml _toc.yml

.PHONY: book test pdf axe play chromium clean

book: $(SITE) $(CHECKED)
	@echo "$(CURDIR)/$(SITE)"

# The tests build the site, strictly, and look at it.
test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal

# The chapters, executed again, once the pages can be read, which show what is committed; nothing to
# do while neither chapters nor package have changed.
$(CHECKED): $(INSTALLED) $(PACKAGE) $(CHAPTERS) | $(SITE)
	@echo "Executing every chapter, to compare its numbers with the committed ones"
	@$(BIN)/algzoo check || { echo "$(CURDIR)/$(SITE)"; exit 1; }
	@mkdir -p $(@D) && touch $@

# From nothing: what a killed build left half-written would pass as finished.
$(SITE): $(INSTALLED) $(PACKAGE) $(CHAPTERS) $(PAGES)
	@echo "Building the pages"
	@rm -rf _build/html _build/.doctrees && mkdir -p _build
	@$(BIN)/jupyter-book build . -q -W --keep-going -n >_build/book.log 2>&1 || \
	  { cat _build/book.log; exit 1; }
	@touch $@

# All pages as one, printed; formulas are set by a script, which is given a minute.
pdf: chromium $(INSTALLED)
	$(BIN)/jupyter-book build . -q -W --keep-going -n --builder custom --custom-builder singlehtml
	cp _build/singlehtml/book/intro.html _build/singlehtml/book.html  # its links start from there
	@rm -f $(PDF)
	"$(CHROMIUM)" --headless --disable-gpu $(SANDBOX) --virtual-time-budget=60000 \
	  --no-pdf-header-footer --generate-pdf-document-outline \
	  --print-to-pdf="$(CURDIR)/$(PDF)" "file://$(CURDIR)/_build/singlehtml/book.html" 2>_build/pdf.log; \
	  test -s $(PDF) || { cat _build/pdf.log; exit 1; }
	@echo "$(CURDIR)/$(PDF)"

axe: chromium $(SITE) $(AXE)
	PYTHON="$(BIN)/python" CHROMIUM="$(CHROMIUM)" node tests/promises/axe.mjs "$(CURDIR)/$(AXE)" \
	  "$(CURDIR)/_build/html" $(RECORD)

play: chromium $(SITE) $(AXE)
	@$(BIN)/python tests/promises/play_cases.py >_build/play_cases.json
	PYTHON="$(BIN)/python" CHROMIUM="$(CHROMIUM)" node tests/promises/play.mjs "$(CURDIR)/$(AXE)" \
	  "$(CURDIR)/_build/html" "$(CURDIR)/_build/play_cases.json" $(RECORD)

chromium:
	@test -x "$(CHROMIUM)" || { echo \
	  "No Chromium or Chrome found; install one, or name it: make pdf CHROMIUM=/path/to/chrome"; exit 1; }

$(AXE):
	@command -v npm >/dev/null || { echo "make $(MAKECMDGOALS) needs Node.js with npm: https://nodejs.org"; exit 1; }
	npm install --prefix .venv/axe --no-audit --no-fund playwright-core@1 axe-core@4

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv; what pip says goes to .venv/install.log"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check -c constraints.txt -e '.[book,test]' \
	  >.venv/install.log 2>&1 || { cat .venv/install.log; exit 1; }
	@touch $@

clean:
	rm -rf .venv _build $(MADE)
