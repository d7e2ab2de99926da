# `make` lists the commands. Everything is installed into .venv, which is made anew where it is missing; `make clean`
# removes it. The stamps in .venv say what was installed for which pyproject.toml.

CONFIG = config
DATA =
PYTHON ?= python3.13 python3.12 python3.11 python3

service = /opt/aggregator
python = .venv/bin/python
pip_install = -m pip install --quiet --disable-pip-version-check --use-pep517
no_packages = echo "pip could not install what pyproject.toml lists; its reason stands above. It needs the package index: \
check the network connection, then run make again." >&2

SHELL = /bin/sh
.SHELLFLAGS = -euc
.ONESHELL:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help run demo test full check lint install-service as-root clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

run: .venv/installed ## start the daemon on config/ (CONFIG=folder takes another, DATA=folder puts the data elsewhere)
	@exec $(python) -m aggregator run --config "$(CONFIG)" $(if $(DATA),--data "$(DATA)")

demo: .venv/installed ## show everything on invented publishers, without a network; your config and data stay untouched
	@exec $(python) -m aggregator demo

test: .venv/installed-dev ## run the tests, without the long ones
	@exec $(python) -m pytest

full: .venv/installed-dev ## run every test, the long replays and the fuzzing too
	@exec $(python) -m pytest -m "full or not full"

check: lint test ## ruff, mypy and import-linter, then the tests

lint: .venv/installed-dev
	@.venv/bin/ruff check
	.venv/bin/ruff format --check
	$(python) -m mypy
	.venv/bin/lint-imports

install-service: as-root $(service)/bin/python ## as root: install into /opt/aggregator, with a systemd unit
	@echo "Installing into $(service) …"
	rm -rf build
	$(service)/bin/python $(pip_install) . || { $(no_packages); exit 2; }
	id aggregator >/dev/null 2>&1 ||
		useradd --system --user-group --home-dir /var/lib/aggregator --no-create-home --shell /usr/sbin/nologin aggregator
	if [ ! -d /etc/aggregator ]; then
		install -d -m 0750 -g aggregator /etc/aggregator
		cp -R config/. /etc/aggregator
	fi
	install -D -m 0644 contrib/aggregator.service /etc/systemd/system/aggregator.service
	if ! runuser -u aggregator -- $(service)/bin/aggregator version; then
		echo "The service's user cannot run the Python of $(service)." >&2
		echo "Remove that folder and name one that everybody can: make install-service PYTHON=/usr/bin/python3" >&2
		exit 2
	fi
	echo "Installed. Start it now and at every boot:"
	echo "    systemctl daemon-reload && systemctl enable --now aggregator"

as-root:
	@if [ "$$(id -u)" != 0 ]; then
		echo "make install-service must run as root: it writes to $(service) and /etc" >&2
		exit 2
	fi

clean: ## remove the environment and what the tools left; data/ stays
	@rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/installed: extras =
.venv/installed-dev: extras = [dev,subscribers]
.venv/installed .venv/installed-dev: pyproject.toml | $(python)
	@echo "Installing what pyproject.toml lists into .venv (a minute or so the first time) …"
	$(python) $(pip_install) --editable '.$(extras)' || { $(no_packages); exit 2; }
	touch .venv/installed $@

# Debian's python3 has no ensurepip, which venv needs, until python3-venv is installed. `ensurepip.version()` fails as well
# where the module is there but not the pip that it installs.
$(python) $(service)/bin/python:
	@version='import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))'
	for base in $(PYTHON) ""; do
		number=$$("$$base" -c "$$version" 2>/dev/null) && break
	done
	if [ -z "$$base" ]; then
		echo "Python 3.11 or later is needed, and none of these is: $(PYTHON)." >&2
		echo "Install it (apt-get install python3), or name it: make PYTHON=/path/to/python3" >&2
		exit 2
	fi
	has_pip() { "$$base" -c 'import ensurepip; ensurepip.version()' 2>/dev/null; }
	if ! has_pip; then
		package=python3-venv
		[ "$$(/usr/bin/python3 -c "$$version" 2>/dev/null)" = "$$number" ] || package=python$$number-venv
		install="apt-get update && apt-get install --yes $$package"
		if [ "$$(id -u)" != 0 ]; then
			echo "$$base cannot make a virtual environment: it has no ensurepip. Run this as root, then make again:" >&2
			echo "    $$install" >&2
			exit 2
		fi
		echo "Installing $$package, which $$base needs to make a virtual environment …"
		if ! DEBIAN_FRONTEND=noninteractive sh -c "$$install" || ! has_pip; then
			echo "$$base still has no ensurepip after: $$install" >&2
			echo "Name another Python: make PYTHON=/path/to/python3" >&2
			exit 2
		fi
	fi
	echo "Making $(@:/bin/python=) with $$base ($$number) …"
	"$$base" -m venv --clear $(@:/bin/python=)
