# make demo: train, measure, explain, read. make test: everything that is checked. Both set up .venv when it is missing.
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check docs guide site dist comparisons benchmarks benchmarks-reading benchmarks-service models reader campaign audit clean

help:
	@echo "make demo         train the classic network on MNIST, measure it, write a report and read digits (runs/demo)"
	@echo "make test         run the tests"
	@echo "make test-slow    run those that need PyTorch, JAX or Ray, or many kills (installs the three)"
	@echo "make setup        only set up .venv: Digitscope with its training part"
	@echo "make check        format, lint, types and the quick tests"
	@echo "make docs         write docs/cli.md, docs/python.md, docs/results.md and the README's table again"
	@echo "make guide        run the chapters of docs/guide and write their notebooks again"
	@echo "make site         build the documentation as a site (build/site)"
	@echo "make dist         build wheel and sdist, and a folder for a model hub of each shipped model (dist)"
	@echo "make comparisons  train the networks that the report compares (about 15 minutes)"
	@echo "make models       measure the recipes again and ship classic, robust and strong (about 85 minutes)"
	@echo "make reader       fetch the fonts and train the network that reads lines (hours)"
	@echo "make campaign     hostile bytes for every reader and kill -9 at random moments (hours; goes on where it stopped)"
	@echo "make audit        look up known weaknesses of the dependencies, and list all parts in dist/sbom.cdx.json"
	@echo "make benchmarks   measure the speed again (about 40 minutes on an idle machine)"
	@echo "make benchmarks-reading EVAL=FOLDER   measure the reading of other people's digits again (with Tesseract)"
	@echo "make benchmarks-service   measure digitscope serve again, and send it hostile requests (with wrk and hey)"

setup: $(VENV)/.train

$(VENV)/.train: pyproject.toml constraints.txt
	@python=$$(sh .ci/find-python) && { test -x $(BIN)/python || "$$python" -m venv $(VENV); }
	@echo "Installing Digitscope and its training part into $(VENV) (about 500 MB to download) ..."
	@$(INSTALL) --editable '.[train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	@echo "Installing the tools for the tests ..."
	@$(INSTALL) --editable '.[train,serve,ocr,parquet,docs,dev]'
	@touch $@

demo: $(VENV)/.train
	@$(BIN)/digitscope train --recipe classic --page --out runs/demo --overwrite
	@$(BIN)/digitscope look test:17 --model runs/demo --out runs/demo/look
	@$(BIN)/digitscope read --single --model runs/demo examples/digits/*.png
	@$(BIN)/digitscope read examples/pages/numbers.jpg --annotate runs/demo
	@echo "Open runs/demo/report.html in a browser: it tells the whole story with this run's own numbers."
	@echo "Open runs/demo/numbers.jpg: the page of numbers that was read last, with boxes around what was read."
	@echo "Open runs/demo/lens.html, draw a digit and follow it through the network you just trained."

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not extended"

test-slow: $(VENV)/.dev
	@$(INSTALL) torch==2.13.0 jax 'ray[data]'
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m extended

check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet src tests benchmarks examples tools
	@$(BIN)/ruff check --quiet src tests benchmarks examples tools
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not extended"

docs: $(VENV)/.dev
	@$(BIN)/python tools/write_docs.py
	@$(BIN)/python tools/write_examples.py

guide: $(VENV)/.dev
	@$(BIN)/python tools/write_guide.py

site: $(VENV)/.dev
	@$(BIN)/python -m sphinx -W --keep-going -q -c tools/site -d build/doctrees . build/site
	@echo "Open build/site/index.html, or put the folder build/site on any web server."

dist: $(VENV)/.dev
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation
	@for name in classic robust strong reader-digit; do \
		$(BIN)/digitscope export $$name --card --out dist/hub/$$name/model.onnx || exit 1; done
	@ls -l dist

comparisons: $(VENV)/.train
	@$(BIN)/python benchmarks/comparisons.py

models: $(VENV)/.train
	@$(BIN)/python benchmarks/ship.py

reader: $(VENV)/.train
	@$(BIN)/python benchmarks/fetch_fonts.py
	@$(BIN)/digitscope train-reader --out runs/reader

benchmarks: $(VENV)/.dev
	@$(BIN)/python benchmarks/training.py
	@$(BIN)/python benchmarks/inference.py
	@$(BIN)/python benchmarks/augment.py
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/page.py
	@$(BIN)/python benchmarks/fit_known.py --measure

benchmarks-reading: $(VENV)/.dev
	@$(BIN)/python benchmarks/peers.py --eval "$(EVAL)"
	@$(BIN)/python benchmarks/reading_cost.py --eval "$(EVAL)"

benchmarks-service: $(VENV)/.dev
	@$(BIN)/python benchmarks/service.py
	@$(BIN)/python benchmarks/hostile_requests.py

$(VENV)/.audit: $(VENV)/.dev
	@$(INSTALL) --editable '.[train,serve,ocr,dev,audit]'
	@touch $@

campaign: $(VENV)/.audit
	@$(BIN)/python benchmarks/campaign.py

audit: $(VENV)/.audit
	@$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip
	@mkdir -p dist
	@$(BIN)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-format JSON --output-file dist/sbom.cdx.json
	@echo "dist/sbom.cdx.json lists all parts, with versions and licences"

clean:
	rm -rf $(VENV) runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
