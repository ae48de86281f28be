# Everyday commands; `make help` lists them. They need python3 (3.11 or newer) and make.
# Each target installs what it needs into .venv, once per change of its lock file.

PYTHON := .venv/bin/python
LOCK = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	$(if $(UPGRADE),--upgrade)
PRODUCTION := HTTPS=true TRUSTED_PROXIES=1 ALLOWED_HOSTS=rollcall.example DATABASE_URL=postgres://db/rollcall REDIS_URL=redis://redis/0

# Keep compiled modules: a demo or a test run starts many processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo serve test messages fuzz bench faults screenshots lint audit bom lock clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

demo: .venv/.run ## Start everything on this machine with sample data; PORT=8001 make demo uses another port
	@$(PYTHON) manage.py demo

serve: .venv/.run ## Start the production processes against DATABASE_URL and REDIS_URL
	@$(PYTHON) manage.py serve

test: .venv/.test ## Run the suite on all cores; T=tests/users runs a part, T=--lf the last failures
	@$(PYTHON) -m pytest -q $(T)

messages: .venv/.test ## Bring the translations in locale/ up to date with the source, and compile them
	@$(PYTHON) -m tests.languages

fuzz: .venv/.test ## Look for input that breaks something; SECONDS=600 looks longer, T="cursors" at one target
	@$(PYTHON) -m tests.fuzz --seconds $(or $(SECONDS),60) $(T)

bench: .venv/.test ## Measure the Server API beside the database alone, bare WSGI and ejabberd, then the gateway (minutes); USERS=1000000 seeds more, SECONDS=10 measures longer
	@$(PYTHON) -m bench api
	@$(PYTHON) -m bench gateway

faults: .venv/.test ## Kill, stop and starve everything in turn under load, and count on both sides (minutes); FAULTS="kill -9,valkey" does some
	@$(PYTHON) -m bench.faults

screenshots: .venv/.test ## Take the pictures of the README, in light and dark, of a demo at work (minutes; needs Chromium)
	@$(PYTHON) -m tests.screenshots

lint: export ENV_FILE = /dev/null
lint: .venv/.lint ## Check style, types, templates, layers, migrations and production settings
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/djlint --lint --quiet templates
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	@key=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))'); \
	$(PRODUCTION) SECRET_KEY=$$key ENCRYPTION_KEYS=$$key $(PYTHON) manage.py check --deploy --tag security --tag settings --fail-level WARNING

audit: .venv/.audit ## Look for known vulnerabilities of what the lock files name (asks PyPI)
	.venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements-lint.lock -r requirements-audit.lock

bom: .venv/.audit ## Write the bill of materials of a release (CycloneDX) to var/rollcall.cdx.json
	@mkdir -p var
	.venv/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o var/rollcall.cdx.json requirements-run.lock

lock: ## Update the lock files from pyproject.toml (needs uv); UPGRADE=1 takes the newest versions
	$(LOCK) pyproject.toml -o requirements-run.lock
	$(LOCK) pyproject.toml --group test -c requirements-run.lock -o requirements-test.lock
	$(LOCK) pyproject.toml --group test --group lint -c requirements-test.lock -o requirements-lint.lock
	$(LOCK) --group audit -c requirements-lint.lock -o requirements-audit.lock

clean: ## Remove the installed packages; keep the data in var/
	rm -rf .venv

# A stamp file that is newer than its lock file means that the lock file is installed.
.venv/.%: requirements-%.lock
	@bin/install $<
	@touch $@
