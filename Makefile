# Everything starts from Python 3.11 or newer and make; each target does its own set-up.
#   make            what there is
#   make test       everything that must hold
#   make up         the product on this machine, no account needed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.8
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))

BIN := .venv/bin
SYNCED := .venv/.synced
NODE := node_modules/.surefill-lock
# uv lives outside the environment it fills.
export UV ?= $(CURDIR)/build/uv/bin/uv
export PATH := $(CURDIR)/$(BIN):$(PATH)
CDK := $(BIN)/node node_modules/aws-cdk/bin/cdk

STAGE ?= prod
FOR ?=
SUMMARY ?=
PACE ?= 2s
HOURS ?= 1
SET ?=
CORE := layers/core/python/surefill
MONEY := $(CORE)/protocol/*,$(CORE)/domain/money.py,$(CORE)/domain/fills.py,$(CORE)/domain/states.py,$(CORE)/domain/market.py,$(CORE)/domain/exits.py,$(CORE)/domain/identity.py,$(CORE)/usecases/claim.py,$(CORE)/usecases/place.py,$(CORE)/usecases/settle.py,$(CORE)/usecases/book.py
SOURCES := app.py infra local functions layers/core/python tests

.PHONY: help
help: ## What there is
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: $(SYNCED) $(NODE) ## Trade on this machine: make up [FOR=4m] [SUMMARY=build/up.json] [PACE=2s]
	@$(BIN)/surefill up --pace $(PACE) $(if $(FOR),--for $(FOR)) $(if $(SUMMARY),--summary $(SUMMARY))

.PHONY: test
test: lint type contracts money $(NODE) ## Lint, types, import contracts and all tests but the slow proofs
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

.PHONY: money
money: $(SYNCED) ## Every branch of the money path has a test
	@mkdir -p build && $(BIN)/pytest tests/unit/usecases tests/unit/domain --cov --cov-report= >build/money.txt || { cat build/money.txt; exit 1; }
	@$(BIN)/coverage report --fail-under=100 --skip-covered --show-missing --include='$(MONEY)'

.PHONY: lint
lint: $(SYNCED) ## Style
	@$(BIN)/ruff check $(SOURCES)

.PHONY: format
format: $(SYNCED) ## Put the code into shape
	@$(BIN)/ruff check --fix --quiet $(SOURCES) && $(BIN)/ruff format $(SOURCES)

.PHONY: type
type: $(SYNCED) ## Types
	@$(BIN)/mypy $(SOURCES)

.PHONY: contracts
contracts: $(SYNCED) ## Which module may know which
	@$(BIN)/lint-imports --no-cache

.PHONY: prove
prove: $(SYNCED) $(NODE) ## The money core, proven: models, simulation, crashes, races; writes build/proof.json
	@$(BIN)/python -m tests.proof

.PHONY: soak
soak: $(SYNCED) $(NODE) ## The proofs with fresh seeds: make soak HOURS=8
	@$(BIN)/python -m tests.proof --soak $(HOURS)

.PHONY: slow
slow: $(SYNCED) $(NODE) ## The tests that take long
	@$(BIN)/pytest -m slow

.PHONY: synth
synth: $(SYNCED) $(NODE) ## The CloudFormation templates: make synth STAGE=prod
	@$(CDK) synth --quiet --context stage="$(STAGE)" --output build/cdk.out/$(STAGE)
	@echo "build/cdk.out/$(STAGE): $$(ls build/cdk.out/$(STAGE) | grep -c '\.template\.json$$') templates, no findings"

.PHONY: deploy
deploy: $(SYNCED) $(NODE) ## Deploy to the AWS account of your credentials: make deploy STAGE=dev [SET="notify=telegram"]
	@$(BIN)/python -m local.deploy --stage "$(STAGE)" $(foreach setting,$(SET),--set $(setting))

.PHONY: layers
layers: $(SYNCED) ## Build the layers and print their sizes
	@$(BIN)/python -m infra.bundling

.PHONY: imports
imports: $(SYNCED) ## How long each function takes to start, against the obvious stack
	@$(BIN)/python -m tests.benchmarks.imports

.PHONY: cost
cost: $(SYNCED) ## A bill from counted calls
	@$(BIN)/python -m tests.benchmarks.cost

.PHONY: bench
bench: $(SYNCED) ## Backtest and evaluation against freqtrade and backtesting.py, in one run
	@$(BIN)/python -m tests.benchmarks.evaluation
	@$(BIN)/python -m tests.benchmarks.backtest

.PHONY: drills
drills: $(SYNCED) ## One drill per known incident; writes build/drills.json
	@$(BIN)/python -m tests.drills

.PHONY: api-fuzz
api-fuzz: $(SYNCED) ## Every route of the API with generated requests
	@$(BIN)/pytest tests/api -q

.PHONY: bench-api
bench-api: $(SYNCED) $(NODE) ## The deployed API and `surefill why` with 1,000 bots and 100,000 decisions
	@$(BIN)/python -m tests.benchmarks.api

.PHONY: openapi
openapi: $(SYNCED) ## Write docs/api/openapi.json from the routes
	@$(BIN)/python -m tests.api.openapi

.PHONY: audit
audit: $(SYNCED) ## Known vulnerabilities of everything in the lock (asks PyPI)
	@mkdir -p build && $(UV) export --frozen --quiet --no-emit-project --all-groups --output-file build/audit.txt
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r build/audit.txt

.PHONY: clean
clean: ## Remove everything that was built or started here
	@rm -rf build cdk.out node_modules .venv .surefill .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ---------------------------------------------------------------------------------------------------------

.PHONY: .venv
.venv: $(SYNCED)

$(CURDIR)/build/uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "surefill: Python 3.11 or newer is needed; put one on PATH or set PYTHON" >&2; exit 1; }
	@echo "getting uv $(UV_VERSION)"
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(SYNCED): uv.lock pyproject.toml | $(UV)
	@test -n "$(PYTHON)" || { echo "surefill: Python 3.11 or newer is needed; put one on PATH or set PYTHON" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(UV) sync --frozen --quiet --python $(BIN)/python
	@touch $@

# One stamp for make and for `surefill up`: it holds the checksum of the lock it was made from.
$(NODE): package-lock.json $(SYNCED)
	@$(BIN)/python -m local.stage.toolchain
	@touch $@
