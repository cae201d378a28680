"""Prompts beyond the context are refused in words."""

from __future__ import annotations

import pytest

from grading_utils.language_model.context import check_fits_context


def test_a_prompt_that_fits_gives_its_length(tokenizer, model):
    assert check_fits_context(tokenizer, model, "The cat sits on the") == 5


def test_a_prompt_as_long_as_the_context_fits(tokenizer, model):
    length = model.config.max_position_embeddings
    assert check_fits_context(tokenizer, model, " the" * length) == length


def test_a_longer_prompt_is_refused_with_both_numbers(tokenizer, model):
    length = model.config.max_position_embeddings
    with pytest.raises(ValueError, match=rf"{length + 3} tokens.* at most {length}.* at least 3 tokens"):
        check_fits_context(tokenizer, model, " the" * (length + 3))


def test_the_new_tokens_count_too(tokenizer, model):
    with pytest.raises(ValueError, match="new ones"):
        check_fits_context(tokenizer, model, " the" * 10, max_new_tokens=model.config.max_position_embeddings)


def test_an_empty_prompt_is_refused(tokenizer, model):
    with pytest.raises(ValueError, match="empty"):
        check_fits_context(tokenizer, model, "")
