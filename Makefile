# The only verbs. Everything happens in .venv of this checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RECORDS ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help run test test-train lint format bench eval clean

help:            ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

run: $(VENV)/run.stamp          ## Set up everything and serve on 127.0.0.1:8000
	$(BIN)/studievei run

test: $(VENV)/dev.stamp         ## Run the tests (no torch)
	$(BIN)/python -m pytest -n 2 -m "not train"

test-train: $(VENV)/train.stamp ## Run the tests that need torch and sentence-transformers
	$(BIN)/python -m pytest -m train

lint: $(VENV)/dev.stamp         ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp       ## Let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# POSTGRES=postgresql://… names an empty database to measure too.
bench: $(VENV)/train.stamp      ## Speed, memory and set-up, against the plain alternatives
	$(BIN)/studievei eval bench $(RECORDS)/ctgov/world.jsonl.gz --queries $(RECORDS)/lay_queries_dev.jsonl --install
	$(BIN)/studievei eval inbox
	$(BIN)/studievei eval sending
	$(if $(POSTGRES),$(BIN)/studievei eval sending --database '$(POSTGRES)')
	STUDIEVEI_KILLS=600 $(BIN)/python -m pytest tests/test_outbox_kills.py

eval: $(VENV)/dev.stamp         ## How good search, criteria and pre-screening are; reports in build/eval
	$(BIN)/studievei eval compare eval/data/nb --systems bm25,dense,fusion,full,shown --report build/eval/nb.html
	$(BIN)/studievei eval compare $(RECORDS)/sigir2016 --report build/eval/sigir2016-text.html
	$(BIN)/studievei eval compare $(RECORDS)/sigir2016 --queries keyword_queries --report build/eval/sigir2016-keywords.html
	$(BIN)/studievei eval eligibility $(RECORDS)/eligibility/lct_dev.jsonl
	$(BIN)/studievei eval eligibility eval/data/criteria.jsonl --split test
	$(BIN)/studievei eval dialogue eval/data/dialogues.jsonl --split test

clean:           ## Remove the environment (never the data)
	rm -rf $(VENV)

$(VENV)/run.stamp: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/run.stamp
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

# The CPU build of torch when the index offers one; it is far smaller than the default build.
$(VENV)/train.stamp: pyproject.toml $(VENV)/dev.stamp
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --editable '.[dev,train]'
	touch $@
