"""Make the shipped model again: corpus, tokenizer and weights from one seed, then the evaluation.

Run by `make model` as `python -m grading_utils.language_model.train`. The options are for trials; without any,
the shipped folder is replaced.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from grading_utils.language_model import SHIPPED
from grading_utils.language_model.evaluate import evaluate
from grading_utils.language_model.lines import EVALUATION_FILE, render, write_json
from grading_utils.language_model.recipe import Recipe
from grading_utils.language_model.training import train


def main() -> None:
    """Train, evaluate, and write both next to each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder for the model")
    parser.add_argument("--seed", default=Recipe.seed, help="another seed gives another corpus and other weights")
    parser.add_argument("--tokens", type=int, default=Recipe.tokens, help="how many tokens to train on")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    train(replace(Recipe(), seed=options.seed, tokens=options.tokens), options.out)
    lines = evaluate(str(options.out))
    write_json(lines, options.out / EVALUATION_FILE)
    print(render(lines))


if __name__ == "__main__":
    main()
