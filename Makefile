# `make demo` runs the main job, `make test` the tests; each does all its own set-up.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
STAMP := $(VENV)/installed

.PHONY: help install ocr tryton demo test lint bench chaos load soak figures model-figures dashboards audit lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     run the main job on the sample invoices (no key, no container engine)"
	@echo "make demo CRM=tryton   the same, written to a Tryton that it installs and starts itself"
	@echo "make test     run the whole test suite"
	@echo "make install  only build .venv, with the command .venv/bin/casework"
	@echo "make ocr      add the reading of scans and photos (the extra [ocr], 350 MB)"
	@echo "make tryton   install Tryton, the CRM that tests write to, into .tryton"
	@echo "make bench    what a case costs, beside a bare workflow"
	@echo "make chaos SEED=1 SEEDS=1 CASES=100   cases while everything breaks, and what must be true afterwards"
	@echo "make load RATES=4,8,12 WORKERS=1,2 WAITING=1,1000   how long cases take when they come at a given rate"
	@echo "make soak MINUTES=30 RATE=2   whether memory or descriptors grow under mixed load"
	@echo "make figures  measure the README's table again"
	@echo "make model-figures  measure the endpoint of CASEWORK_MODEL beside the embedded reader"
	@echo "make dashboards   write the dashboards for Grafana to deploy/grafana/*.json"
	@echo "make audit    the bill of materials, and what is known to be wrong with what we depend on"
	@echo "make lock     pin the dependencies again"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "casework needs Python 3.11 or newer: install one, or name it with 'make $(MAKECMDGOALS) PYTHON=/path/to/python3.11'." >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: casework needs Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "could not make $(VENV): is the disk full, or python3-venv missing (Debian: apt-get install python3-venv)?" >&2; exit 1; }
	@echo "installing the pinned packages into $(VENV) ..."
	@$(VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock \
		|| { echo "a package could not be had: see the line above; check the network, the proxy or the free disk space (df -h .), then run make again." >&2; exit 1; }
	@$(VENV)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

ocr: $(STAMP)
	@$(VENV)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-ocr.lock

# Tryton is GPL-3: it lives in an environment of its own and is spoken to over HTTP, never imported.
tryton: .tryton/database/key

.tryton/installed: deploy/tryton/requirements.lock
	@$(PYTHON) -m venv .tryton
	@echo "installing Tryton into .tryton ..."
	@.tryton/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r deploy/tryton/requirements.lock \
		|| { echo "a package could not be had: see the line above; then run make again." >&2; exit 1; }
	@touch $@

.tryton/database/key: .tryton/installed deploy/tryton/prepare.py $(wildcard deploy/tryton/casework/*)
	@echo "making a Tryton database ..."
	@.tryton/bin/python deploy/tryton/prepare.py .tryton/database

demo: $(STAMP) $(if $(filter tryton,$(CRM)),tryton)
	@$(if $(filter tryton,$(CRM)),.tryton/bin/python deploy/tryton/serve.py .casework-tryton) $(VENV)/bin/casework demo

test: $(STAMP) lint
	@$(VENV)/bin/python -m pytest

lint: $(STAMP)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/mypy

bench: $(STAMP)
	@$(VENV)/bin/python -m tests.load.bench
	@$(VENV)/bin/python -m tests.load.rate

chaos: $(STAMP)
	@SEED=$(or $(SEED),1) SEEDS=$(or $(SEEDS),1) CASES=$(or $(CASES),100) $(VENV)/bin/python -m tests.chaos.run

load: $(STAMP)
	@$(VENV)/bin/python -m tests.load.open_loop

soak: $(STAMP)
	@$(VENV)/bin/python -m tests.load.soak

figures: $(STAMP) ocr
	@$(VENV)/bin/python -m tests.figures

# In an environment of its own: what looks at our packages is none of them.
audit: $(STAMP) .audit/installed
	@.audit/bin/python deploy/audit/audit.py

.audit/installed: deploy/audit/requirements.lock
	@$(PYTHON) -m venv .audit
	@.audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r deploy/audit/requirements.lock
	@touch $@

lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --extra ocr --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements-ocr.lock
	uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o deploy/image/requirements.lock
	uv pip compile deploy/tryton/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o deploy/tryton/requirements.lock
	uv pip compile deploy/audit/requirements.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o deploy/audit/requirements.lock

model-figures: $(STAMP)
	@$(VENV)/bin/python -m tests.model_figures

dashboards: $(STAMP)
	@$(VENV)/bin/python -m deploy.grafana.dashboards deploy/grafana

clean:
	rm -rf $(VENV) .tryton .audit
