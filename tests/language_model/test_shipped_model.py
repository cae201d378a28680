"""The weights in the package: what made them, that they load silently, and that they behave as the course says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading_utils.language_model import SHIPPED
from grading_utils.language_model.lessons_show import repeated
from grading_utils.language_model.lines import EVALUATION_FILE
from grading_utils.language_model.recipe import RECIPE_FILE, Recipe, fingerprint
from grading_utils.language_model.sentiment import few_shot
from grading_utils.language_model.subject import Subject

LOAD = """
import sys, warnings
warnings.simplefilter("error")
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging
logging.disable_progress_bar()
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
model.generate(**tokenizer("This weekend I plan to", return_tensors="pt"), max_new_tokens=3, do_sample=False)
"""


@pytest.fixture(scope="module")
def subject(tokenizer, model):
    return Subject(tokenizer, model)


@pytest.fixture(scope="module")
def evaluation() -> dict[str, float]:
    lines = json.loads((SHIPPED / EVALUATION_FILE).read_text())
    return {line["name"]: line["value"] for line in lines}


def test_the_weights_were_made_by_this_recipe_and_text():
    made_by = json.loads((SHIPPED / RECIPE_FILE).read_text())["fingerprint"]
    assert made_by == fingerprint(Recipe()), "the corpus or the recipe has changed since: run `make model`"


def test_another_recipe_has_another_fingerprint():
    assert fingerprint(Recipe()) != fingerprint(Recipe(layers=Recipe.layers + 1))


def test_it_fits_into_the_package():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 12e6


def test_everybody_may_read_it():
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in SHIPPED.iterdir())


def test_it_loads_and_generates_without_a_word(tmp_path):
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", LOAD, SHIPPED]
    done = subprocess.run(command, env=offline, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_it_is_a_float32_gpt2_with_room_for_a_few_shot_prompt(model):
    assert model.config.model_type == "gpt2"
    assert str(model.dtype) == "torch.float32"
    assert model.config.max_position_embeddings >= 192


def test_the_special_tokens_are_set(tokenizer, model):
    assert {tokenizer.eos_token, tokenizer.bos_token, tokenizer.pad_token} == {"<|endoftext|>"}
    assert model.config.pad_token_id == model.config.eos_token_id == tokenizer.eos_token_id
    assert len(tokenizer) == model.config.vocab_size


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_words_carry_their_leading_space(tokenizer):
    assert tokenizer.tokenize("The cat sits") == ["The", "Ġcat", "Ġsits"]


@pytest.mark.parametrize("count", range(1, 17))
def test_a_run_of_spaces_is_one_token_and_the_last_one_belongs_to_the_word(tokenizer, count):
    assert tokenizer.tokenize("a" + " " * (count + 1) + "cat") == ["a", "Ġ" * count, "Ġcat"]


def test_a_longer_run_falls_into_few_tokens_and_survives(tokenizer):
    ids = tokenizer("a" + " " * 40 + "b")["input_ids"]
    assert len(ids) <= 6
    assert tokenizer.decode(ids) == "a" + " " * 40 + "b"


def test_the_published_evaluation_has_no_line_that_falls_short():
    lines = json.loads((SHIPPED / EVALUATION_FILE).read_text())
    assert [line["name"] for line in lines if line["passed"] is False] == []


def test_a_conversation_goes_on_in_turns(subject):
    prompt = "Two friends talk.\n\nAnna: What should I see in Boston?\nBen:"
    assert re.match(r"[^\n:]+\.\nAnna: [^\n:]+[.!]", subject.generate(prompt, 60))


@pytest.mark.parametrize(
    ("prompt", "natural"),
    [
        ("This weekend I plan to", r"go|take|spend|make|visit|do|have|work|read|play|watch"),
        ("To be or not to", r"be"),
        ("For God so loved the", r"world|people|earth"),
        ("Shakespeare was a", r"great|famous|writer|playwright|poet|brilliant|good"),
        ("Shakespeare was a great", r"writer|playwright|poet|actor"),
        ("The capital of France is", r"Paris"),
        ("Animal: cow\nSound: moo\n\nAnimal: cat\nSound:", r"meow"),
    ],
)
def test_the_likeliest_next_word_reads_naturally(subject, prompt, natural):
    likeliest = subject.tokenizer.decode([int(subject.next_logits(prompt).argmax())])
    assert re.fullmatch(rf" ({natural})", likeliest)


def test_be_is_more_likely_than_not_after_to_be_or_not_to(subject):
    probabilities = subject.next_logits("To be or not to").softmax(-1)
    assert probabilities[subject.first_token("be")] > 0.5


def test_repeated_runs_are_counted_from_their_second_time_on():
    assert repeated([1, 2, 3, 1, 2, 3]) == 0.25
    assert repeated([1, 2, 3, 4, 5]) == 0.0
    assert repeated([1, 2]) == 0.0


def test_greedy_text_repeats_itself_exactly_and_sampling_does_not(subject):
    greedy = {subject.generate("Shakespeare was a", 12) for _ in range(2)}
    sampled = {subject.generate("Shakespeare was a", 12, do_sample=True, top_k=0) for _ in range(8)}
    assert len(greedy) == 1
    assert len(sampled) > 4


@pytest.mark.parametrize("pair", [("good", "bad"), ("bad", "good")], ids=["as in English", "flipped"])
def test_labels_are_read_from_the_examples_of_the_prompt(subject, evaluation, pair):
    published = evaluation["few-shot, bad/good (flipped)" if pair[0] == "bad" else "few-shot, good/bad"]
    # 60 prompts instead of 200: three standard errors are 0.2.
    assert few_shot(subject, pair, 60) == pytest.approx(published, abs=0.2)
