# `make help` lists what can be done. Setting up happens by itself, and again only when a list of packages
# changes: each stamp file stands for one finished step.

BOOTSTRAP_PYTHON ?= python3 python3.13 python3.12 python3.11
USABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install --disable-pip-version-check --constraint constraints.txt
NPM = $(shell command -v npm || echo .venv/bin/npm)
DATA ?= ../shared/data/fer2013plus
UNLABELLED ?= ../shared/data/faces-unlabelled

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install setup run serve cluster check test coverage lint audit format screenshots translations \
  untranslated bench bench-growth bench-peer bench-recording bench-export bench-attacks bench-page bench-files \
  bench-embed bench-jobs bench-cluster \
  bench-recovery faults recognition teachers bank train evaluate clean

help: ## List the targets; docs/settings.md lists the MIEN_ settings
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile
	@echo; echo "Settings, such as MIEN_PORT=5001 make run (docs/settings.md explains each):"
	@awk -F '|' '/^\| `MIEN_/{gsub(/[ `]/, "", $$2); gsub(/`/, "", $$4); printf "  %-24s%s\n", $$2, $$4}' docs/settings.md

install: .venv/run.stamp static/vendor/page.stamp ## Install what a server needs; start nothing

setup: .venv/dev.stamp static/vendor/page.stamp node_modules/dev.stamp ## Install everything that developing needs; start nothing
	@$(PYTHON) -m tests.browser.chromium

run: .venv/run.stamp static/vendor/page.stamp ## Start the app for this machine: http://localhost:5000
	@$(PYTHON) wsgi.py

serve: .venv/run.stamp static/vendor/page.stamp ## Start the app for the network: https on port 8443
	@$(PYTHON) -m webapp serve

cluster: .venv/run.stamp static/vendor/page.stamp ## Start two nodes behind nginx, with PostgreSQL and Redis, on this machine
	@$(PYTHON) -m webapp cluster

# Skips tests that need a browser, PostgreSQL or a running server, and slow ones.
check: lint ## Run lint and the quick tests, in under 90 seconds
	@$(PYTHON) -m pytest --quiet --numprocesses 2 --dist loadscope -m "not (browser or postgres or redis or server or slow)"

# In three processes, two of them with a browser for half of the tests that need one, as many tests wait for time to
# pass; tests/conftest.py divides them.
test: .venv/dev.stamp static/vendor/page.stamp ## Run all tests, including those in a real browser
	@$(PYTHON) -m tests.browser.chromium
	@$(PYTHON) -m pytest --numprocesses 3 --dist loadscope --durations 20

# Reports even if tests fail; the target then fails too.
coverage: .venv/dev.stamp static/vendor/page.stamp ## Run all tests and measure their coverage; HTML in build/coverage
	@$(PYTHON) -m tests.browser.chromium
	@$(PYTHON) -m coverage erase
	@status=0; $(PYTHON) -m coverage run -m pytest || status=$$?; \
	$(PYTHON) -m coverage combine --quiet && $(PYTHON) -m coverage html && $(PYTHON) -m coverage report && exit $$status

# .pre-commit-config.yaml runs the same commands.
lint: .venv/dev.stamp node_modules/dev.stamp ## Check style, types and the import rules
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	node_modules/.bin/tsc --project tsconfig.json

audit: .venv/dev.stamp node_modules/dev.stamp ## Ask for known vulnerabilities of all dependencies; needs the network
	@PATH="$$PATH:$(CURDIR)/.venv/bin" $(PYTHON) -m tests.helpers.audit

format: .venv/dev.stamp ## Format the Python code
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

screenshots: .venv/dev.stamp static/vendor/page.stamp ## Retake docs/images and the start page's loop; with SHOTS="--scheme dark" (or --help) take others into build
	@$(PYTHON) -m tests.browser.chromium
	@$(if $(SHOTS),,$(PYTHON) -m tests.browser.sample_loop)
	@$(PYTHON) -m tests.browser.screenshots $(SHOTS)

translations: .venv/dev.stamp ## Collect the texts of the pages into the catalogues in webapp/translations
	@$(PYTHON) -m tests.helpers.messages update

untranslated: .venv/dev.stamp ## List the texts that lack a translation, by language (LANGUAGES="de fr" for some)
	@$(PYTHON) -m tests.helpers.messages list $(LANGUAGES)

bench: .venv/dev.stamp ## Measure stages, server load and memory against the goals; JSON and plots in build/bench
	@$(PYTHON) -W ignore -m tests.bench

bench-growth: .venv/dev.stamp ## Measure growth over clients, faces, workers and image sizes
	@$(PYTHON) -W ignore -m tests.bench.bench_growth

bench-peer: .venv/dev.stamp .venv-peer/made.stamp ## Measure against the package fer, in an environment of its own
	@$(PYTHON) -W ignore -m tests.bench.bench_peer

bench-recording: .venv/dev.stamp ## Measure what recording costs, into SQLite and PostgreSQL, in 16 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_recording

bench-export: .venv/dev.stamp ## Measure the export of an hour of thirty people, in some 5 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_export

bench-files: .venv/dev.stamp ## Measure the analysis of a video and of large photographs, in some 2 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_files

bench-jobs: .venv/dev.stamp ## Measure what live clients notice of a video job, in some 3 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_jobs

bench-cluster: .venv/dev.stamp ## Measure two nodes behind nginx against one node, in some 3 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_cluster

bench-attacks: .venv/dev.stamp ## Measure what good clients get beside hostile ones, in some 10 minutes
	@$(PYTHON) -W ignore -m tests.bench.bench_attacks

bench-page: .venv/dev.stamp static/vendor/page.stamp ## Measure what the pages cost their browser, in about two minutes
	@$(PYTHON) -m tests.browser.chromium
	@$(PYTHON) -W ignore -m tests.bench.bench_page

bench-embed: .venv/dev.stamp static/vendor/page.stamp ## Measure what a hidden frame costs an experiment's trials, in about two minutes
	@$(PYTHON) -m tests.browser.chromium
	@$(PYTHON) -W ignore -m tests.bench.bench_embed

bench-recovery: .venv/dev.stamp ## Measure how soon a server recovers and stops, in about a minute
	@$(PYTHON) -W ignore -m tests.bench.bench_recovery

faults: .venv/dev.stamp ## Kill, freeze and cut off what Mien needs and report what was lost, in some 90 minutes (FAULTS="disk redis" for some)
	@$(PYTHON) -W ignore -m tests.faults $(FAULTS)

recognition: build/recognition/made.stamp ## Install the face recognition network that a teacher starts from

teachers: .venv/train.stamp build/recognition/made.stamp ## Train the teachers on DATA=folder (or fer2013.csv), or resume; in build/teachers
	@$(PYTHON) -m models.train.teachers.fit --data $(DATA)
	@$(PYTHON) -m models.train.teachers.ensemble --data $(DATA)

bank: .venv/train.stamp ## Ask the teachers about views of the faces of DATA and UNLABELLED, into build/bank
	@$(PYTHON) -m models.train.teachers.make_bank --data $(DATA) --unlabelled $(UNLABELLED)

train: .venv/train.stamp ## Train the CNN on DATA and the bank, or resume; write models/
	@KERAS_BACKEND=torch $(PYTHON) -m models.train.recipe --data $(DATA) --unlabelled $(UNLABELLED)
	@KERAS_BACKEND=tensorflow $(PYTHON) -m models.train.export --data $(DATA)

evaluate: .venv/dev.stamp ## Score models/expression.tflite on the validation images of DATA, or on your own FACES=folder
	@$(PYTHON) -m models.train.evaluate $(if $(FACES),--faces "$(FACES)",--sheets $(DATA) --split validation)

clean: ## Remove what setting up and building made; certificates in instance/ stay
	rm -rf .venv .venv-peer node_modules static/vendor build

.venv/made.stamp:
	@for python in $(BOOTSTRAP_PYTHON); do \
	  "$$python" -c '$(USABLE)' 2>/dev/null || continue; \
	  "$$python" -m venv .venv && touch $@ && exit; \
	  echo "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; \
	done; \
	echo "Mien needs Python 3.11, 3.12 or 3.13. Install one, or name it: make BOOTSTRAP_PYTHON=/path/to/python3"; exit 1

.venv/run.stamp: requirements.txt constraints.txt pyproject.toml | .venv/made.stamp
	$(PIP) --requirement requirements.txt
	$(PIP) --no-deps --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	$(PIP) --requirement requirements-dev.txt
	@touch $@

.venv/train.stamp: requirements-train.txt .venv/dev.stamp
	$(PIP) --requirement requirements-train.txt
	@touch $@

.venv-peer/made.stamp: requirements-peer.txt | .venv/made.stamp
	@test -x .venv-peer/bin/python || $(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install --disable-pip-version-check --no-deps fer==25.10.3
	.venv-peer/bin/python -m pip install --disable-pip-version-check --requirement requirements-peer.txt
	@touch $@

.venv/npm.stamp: requirements-node.txt | .venv/run.stamp
	@command -v npm >/dev/null || $(PIP) --requirement requirements-node.txt
	@touch $@

# Node.js itself is not needed to serve: npm only brings a library of the page, pinned in the lock.
static/vendor/page.stamp: package.json package-lock.json .venv/npm.stamp
	PATH="$$PATH:$(CURDIR)/.venv/bin" $(NPM) ci --omit=dev --no-audit --no-fund --loglevel=error
	@rm -f node_modules/dev.stamp
	@mkdir -p static/vendor
	cp node_modules/socket.io-client/dist/socket.io.esm.min.js static/vendor/
	@touch $@

# Its model files alone are read, checked by their sha256.
build/recognition/made.stamp: .venv/npm.stamp
	@mkdir -p build/recognition
	PATH="$$PATH:$(CURDIR)/.venv/bin" $(NPM) install --prefix build/recognition --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @vladmandic/face-api@1.7.15
	@touch $@

node_modules/dev.stamp: package.json package-lock.json static/vendor/page.stamp
	PATH="$$PATH:$(CURDIR)/.venv/bin" $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@
