# On a fresh machine with Python 3.11 or newer: `make run`.
PYTHON ?= python3
BIN := .venv/bin
# Tests start many programs: each of them would compile the code anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test quick check bench golden gazetteer lock

run: .venv/run ; @$(BIN)/satupintu up
demo: .venv/run ; @$(BIN)/satupintu demo
test: check ; $(BIN)/pytest -n 3 -m "not late" && $(BIN)/python -m tests.services $(BIN)/pytest -n 3 -m late
quick: check ; $(BIN)/pytest -n 4 -m "not (service or program or late or slow)" --hypothesis-profile inner --ignore tests/cases --ignore tests/cli --ignore tests/flow --ignore tests/faults --ignore-glob "tests/channels/*/test_flow*.py" --ignore-glob "tests/channels/*/test_polling.py" --ignore-glob "tests/channels/*/test_crash.py"
check: .venv/dev ; $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
bench: .venv/dev ; $(BIN)/python -m bench all
golden: .venv/dev ; $(BIN)/python -m tests.schemas.golden && $(BIN)/python -m deploy.settings
gazetteer: .venv/dev ; $(BIN)/python -m deploy.gazetteer
lock: .venv/dev ; @$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9 && $(BIN)/python deploy/lock.py

.venv/run: requirements.lock deploy/build.lock
	@$(PYTHON) -c 'import sys; sys.exit("Satu Pintu needs Python 3.11 or newer, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 run" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into .venv (once, some minutes)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r deploy/build.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
