# Every target works from a clean checkout with Python 3.11 and nothing else installed.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint types bench backup restore requirements vendor clean install install-dev

# Python and its tools write below the home directory, which may be unset, missing or read-only.
ifneq ($(shell test -n "$$HOME" && test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export HOME := $(CURDIR)/var/home
$(shell mkdir -p "$$(pwd)/var/home")
endif

PYTHON := .venv/bin/python
# The last file that making a virtual environment writes, so that a broken-off one is made again.
VENV := .venv/bin/activate

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

run: install ## Run ProfitPeek on this machine, with its own database and a demo store on the first run; PORT=8001 chooses the port.
	@exec $(PYTHON) manage.py serve

test: install-dev ## Run every test; ARGS="tests/ledger -k refund" chooses some; docs/testing.md names longer forms.
	@$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: install-dev ## Check style, formatting and the direction of imports.
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

types: install-dev ## Check the types.
	@$(PYTHON) -m mypy .

bench: install-dev ## Measure speed with tests/benchmarks (minutes; they print, they never fail on time).
	@$(PYTHON) -m pytest -n 0 -s -o python_files='bench_*.py' -o python_functions='bench_*' tests/benchmarks $(ARGS)

backup: install ## Write a backup of the database into var/backups; ARGS=--with-keys puts the keys beside it.
	@$(PYTHON) manage.py backup $(ARGS)

restore: install ## Restore FILE=… into an empty database; ARGS=--force renames and keeps one that is not empty.
	@test -n "$(FILE)" || { echo "Name the backup: make restore FILE=var/backups/profitpeek-….dump"; exit 1; }
	@$(PYTHON) manage.py restore "$(FILE)" $(ARGS)

requirements: ## Compile requirements*.in into the pinned, hashed requirements*.txt (needs uv; UPGRADE=--upgrade takes newer versions).
	@command -v uv >/dev/null || { echo "This needs uv: pip install uv, or https://docs.astral.sh/uv/"; exit 1; }
	@for name in requirements requirements-dev; do \
	  uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make requirements" $(UPGRADE) $$name.in --output-file $$name.txt || exit 1; \
	done

vendor: ## Copy the browser files that package.json names into static/vendor (needs npm; nothing else here does).
	@command -v npm >/dev/null || { echo "This needs npm: https://nodejs.org/"; exit 1; }
	@npm ci --ignore-scripts --no-audit --no-fund --silent && node vendor.mjs && rm -rf node_modules

clean: ## Remove what can be made again: .venv, caches, the tests' database. Your data in var/ stays.
	@if [ -f var/postgres-test/location ]; then rm -rf "$$(cat var/postgres-test/location)"; fi
	@rm -rf .venv var/postgres-test var/home .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock that was installed last is kept in .venv: comparing contents, not times, survives a git checkout.
install: $(VENV)
	@$(call install_lock,requirements.txt)

install-dev: $(VENV)
	@$(call install_lock,requirements-dev.txt)

define install_lock
cmp -s $(1) .venv/installed-$(1) || { \
  echo "Installing $(1) ..."; \
  if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(PYTHON) --require-hashes -r $(1); \
  else $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); fi \
  && cp $(1) .venv/installed-$(1); }
endef

$(VENV):
	@for python in python3.11 python3 python; do \
	  if command -v $$python >/dev/null 2>&1 && \
	     $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "ProfitPeek needs Python 3.11. Install it (Debian 12: apt install python3.11 python3.11-venv) and try again."; exit 1; fi; \
	if ! $$found -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "This Python cannot make virtual environments. Install the missing part (Debian: apt install python3.11-venv) and try again."; exit 1; fi; \
	rm -rf .venv && $$found -m venv .venv
