"""Runs of spaces as tokens: which there are, and that adding them changed nothing else about the model."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from grading_utils.language_model import SHIPPED
from grading_utils.language_model.recipe import Recipe
from grading_utils.language_model.space_runs import LONGEST, add_space_runs


@pytest.fixture(scope="module")
def as_trained(tmp_path_factory):
    """The shipped model without its runs of spaces, as the training leaves it."""
    folder = tmp_path_factory.mktemp("trained")
    model = AutoModelForCausalLM.from_pretrained(SHIPPED)
    model.resize_token_embeddings(Recipe.vocabulary)
    model.save_pretrained(folder)
    shutil.copy(SHIPPED / "tokenizer_config.json", folder)
    definition = json.loads((SHIPPED / "tokenizer.json").read_text("utf-8"))
    bpe = definition["model"]
    bpe["vocab"] = {token: number for token, number in bpe["vocab"].items() if number < Recipe.vocabulary}
    bpe["merges"] = [merge for merge in bpe["merges"] if "".join(merge) in bpe["vocab"]]
    (folder / "tokenizer.json").write_text(json.dumps(definition), "utf-8")
    return folder


@pytest.mark.parametrize("count", range(2, LONGEST + 1))
def test_a_run_of_spaces_is_one_token_and_the_last_one_belongs_to_the_word(tokenizer, count):
    assert tokenizer.tokenize("tea" + " " * count)[-1:] == ["Ġ" * count]
    before_a_word = tokenizer.tokenize("a" + " " * (count + 1) + "cat")
    assert before_a_word == ["a", "Ġ" * count, "Ġcat"]


def test_a_longer_run_falls_into_few_tokens_and_survives(tokenizer):
    ids = tokenizer("a" + " " * 40 + "b")["input_ids"]
    assert len(ids) <= 6
    assert tokenizer.decode(ids) == "a" + " " * 40 + "b"


def test_every_token_that_was_learned_keeps_its_id_and_its_score(as_trained, tokenizer, model):
    before = AutoModelForCausalLM.from_pretrained(as_trained).eval()
    was = AutoTokenizer.from_pretrained(as_trained)
    assert len(was) == Recipe.vocabulary
    text = "Review: a dull film\nDecision: bad\n\nShakespeare was a"
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    assert was(text)["input_ids"] == ids[0].tolist()
    with torch.no_grad():
        assert torch.equal(before(ids).logits, model(ids).logits[..., : Recipe.vocabulary])


def test_a_trained_folder_gets_the_shipped_runs_and_a_second_time_nothing(as_trained, tmp_path, tokenizer, model):
    folder = shutil.copytree(as_trained, tmp_path / "model")
    add_space_runs(folder)
    grown, again = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert torch.equal(grown.lm_head.weight, model.lm_head.weight)
    assert again.get_vocab() == tokenizer.get_vocab()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    add_space_runs(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


@pytest.mark.parametrize(
    "prompt", ["Shakespeare was a", "One day, the interpreter", "Review: dull\nDecision:", "I like"]
)
def test_the_model_hardly_ever_writes_a_run(tokenizer, model, prompt):
    with torch.no_grad():
        chances = model(tokenizer(prompt, return_tensors="pt")["input_ids"]).logits[0, -1].softmax(-1)
    assert chances[Recipe.vocabulary :].sum() < 1e-4
