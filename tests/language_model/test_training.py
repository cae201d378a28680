"""From documents to updates: rows with their weights, orthogonal steps, a schedule; and that a model learns at all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from itertools import islice

import pytest
import torch

from grading_utils.language_model import corpus
from grading_utils.language_model.labelled import Document, Stretch
from grading_utils.language_model.muon import Muon, orthogonalized
from grading_utils.language_model.recipe import Recipe
from grading_utils.language_model.tokens import END_WEIGHT, rows
from grading_utils.language_model.training import batches, build_model, optimize, rate

SMALL = replace(Recipe(), context=64, embedding=32, layers=2, heads=2, rows_per_step=2)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small only wait for each other on two
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def some_rows(tokenizer):
    return list(islice(rows(tokenizer, corpus.documents("rows"), 128), 200))


def test_rows_have_one_length(some_rows):
    assert {len(part) for row in some_rows for part in (row.ids, row.weights, row.targets)} == {128}


def test_a_row_begins_as_a_document_does(tokenizer, some_rows):
    first = tokenizer.decode(some_rows[0].ids)
    assert first.startswith(next(corpus.documents("rows")).text[:60])


def test_labels_and_answers_are_marked_where_they_stand(tokenizer):
    text = "Review: fun\nDecision: good\n\nReview: dull\nDecision: bad\n"
    spans = [(text.index(label), text.index(label) + len(label)) for label in (" good", " bad")]
    document = Document("labelled reviews", text, [Stretch(*span, 4.0, "natural label") for span in spans], weight=0.0)
    row = next(rows(tokenizer, itertools.repeat(document), 40))
    marked = [(tokenizer.decode([i]), w) for i, w, t in zip(row.ids, row.weights, row.targets, strict=True) if t]
    assert marked[:2] == [(" good", 4.0), (" bad", 4.0)]
    assert {w for w, t in zip(row.weights, row.targets, strict=True) if not t} <= {0.0, END_WEIGHT}


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 8, 32)])
def test_an_orthogonal_step_moves_in_all_directions_about_equally(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalized(torch.randn(shape) * 5, rounds=8))
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_muon_finds_the_least_squares_matrix():
    torch.manual_seed(0)
    wanted, found = torch.randn(6, 12), torch.nn.Parameter(torch.zeros(6, 12))
    optimizer = Muon([found], lr=0.1, split=frozenset({id(found)}))
    for _ in range(200):
        optimizer.zero_grad()
        ((found - wanted) ** 2).sum().backward()
        optimizer.step()
    assert (found - wanted).abs().mean() < 0.2 * wanted.abs().mean()


def test_the_learning_rate_goes_up_stays_and_goes_down():
    recipe = Recipe()
    values = [rate(step, recipe) for step in range(recipe.steps)]
    assert values[0] < 0.1
    assert values[recipe.warmup_steps] == values[int(recipe.level_share * recipe.steps) - 1] == 1.0
    assert 0 < values[-1] < 0.03


def test_a_small_model_learns_and_the_same_seed_gives_the_same_weights(tokenizer):
    def trained() -> tuple[list[float], torch.Tensor]:
        torch.manual_seed(0)
        recipe = replace(SMALL, tokens=25 * 2 * 64)
        model = build_model(recipe, tokenizer)
        data = list(islice(batches(recipe, tokenizer, corpus.documents("training 1"), torch.device("cpu")), 25))
        losses = []
        for part in (data[:1], data, data[-1:]):
            with torch.no_grad():
                losses.append(float(model(data[-1][0], labels=data[-1][0]).loss))
            if len(part) > 1:
                optimize(model, iter(part), recipe, lambda: None)
        return losses, model.transformer.wte.weight.detach()

    (losses, weights), (_, again) = trained(), trained()
    assert losses[-1] < losses[0] - 0.3
    assert torch.equal(weights, again)


def test_noise_replaces_ordinary_tokens_only_and_nothing_is_learned_where_it_stands(tokenizer):
    recipe = Recipe().last_phase
    plain, noisy = (
        next(
            batches(replace(recipe, noise=share), tokenizer, corpus.documents("noise", last=True), torch.device("cpu"))
        )
        for share in (0.0, 0.5)
    )
    changed = plain[0] != noisy[0]
    assert 0.2 < changed.float().mean() < 0.6
    assert (noisy[1][changed] == 0).all()
    assert (plain[2][changed] == 0).all()
    assert (plain[0][changed] != tokenizer.eos_token_id).all()
    assert (plain[1][changed] > 0).all()


def test_the_last_phase_is_shorter_and_slower_and_alone_in_having_noise():
    recipe = Recipe()
    assert recipe.last_phase.steps < recipe.steps / 5
    assert recipe.last_phase.matrix_learning_rate < recipe.matrix_learning_rate
    assert (recipe.noise, recipe.last_phase.noise > 0) == (0.0, True)
