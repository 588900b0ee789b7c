# The two commands a newcomer needs: `make run` and `make test`. Python 3.11 or newer is all they ask for.
PYTHON ?= python3
VENV := .venv
LINLI := $(VENV)/bin/linli

.PHONY: run test lint format clean

run: $(VENV)/.installed
	@if [ -z "$$LINLI_WECHAT_APPID" ] && ! grep -qs '^LINLI_WECHAT_APPID=.' .env; then export LINLI_SIMULATOR=1; fi; \
	exec $(LINLI) run

test: $(VENV)/.installed-dev
	@tests/prepare-chromium
	$(VENV)/bin/python -m pytest

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Linli needs Python 3.11 or newer, this is %s. Set PYTHON=/path/to/python3.11" % sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
