"""The training text: deterministic, held-out parts stay out, labels can be found from their document."""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
import sys
from itertools import islice

import pytest

from grading_utils.language_model import corpus
from grading_utils.language_model.grammar import Grammar, load_rules
from grading_utils.language_model.inflect import gerund, past, plural, third, with_article
from grading_utils.language_model.labelled import ANY, LISTED, draw_labels
from grading_utils.language_model.sentiment import NEW_PAIRS

HASH_OF_DOCUMENTS = """
import hashlib
from itertools import islice
from grading_utils.language_model.corpus import documents
digest = hashlib.sha256()
for document in islice(documents("7"), 400):
    digest.update(repr(document).encode())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def sample():
    return list(islice(corpus.documents("tests"), 4000))


def test_the_same_seed_gives_the_same_documents_whatever_the_hash_seed():
    digests = {
        subprocess.run(
            [sys.executable, "-c", HASH_OF_DOCUMENTS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(digests) == 1


def test_another_seed_gives_other_documents():
    first, second = (next(corpus.documents(seed)).text + next(corpus.documents(seed)).text for seed in ("1", "2"))
    assert first != second


def test_there_are_several_thousand_distinct_words(sample):
    words = {word for document in sample for word in re.findall(r"[A-Za-z]+", document.text.lower())}
    assert len(words) > 2500


def test_every_family_is_written(sample):
    assert {document.family for document in sample} == {*corpus.PROSE, *corpus.LABELLED, *corpus.ALIGNED}


def test_texts_of_open_families_go_on_in_the_same_document_and_facts_do_not(sample):
    def documents_with(family, several):
        return sum(len(re.findall(several, d.text)) > 1 for d in sample if d.family == family)

    assert documents_with("plan", r"This weekend I plan to") > 5
    assert documents_with("city", r"When you visit \w+") > 5
    assert not documents_with("fact", r"I want to know what the capital")


def test_two_people_take_turns_in_a_conversation(sample):
    talks = [d.text.split("\n\n", 1)[1] for d in sample if d.family == "talk" and d.text.startswith("Two friends talk")]
    turns = [re.findall(r"^(\w+): ", talk, re.MULTILINE) for talk in talks]
    assert len(turns) > 20
    assert all(len(set(speakers)) == 2 for speakers in turns)
    # A farewell may follow the same person's answer; everything before it is in turn.
    assert all(first != second for speakers in turns for first, second in itertools.pairwise(speakers[:-1]))


def test_columns_stand_below_each_other_with_runs_of_spaces_of_all_lengths(sample):
    texts = [d.text for d in sample if d.family == "aligned"]
    runs = {len(run) for text in texts for run in re.findall(r"(?<=\S) {2,}(?=\S)", text)}
    assert runs >= set(range(3, 18))
    rules = re.compile(r"^name( +)job( +)city$", re.MULTILINE)
    tables = [text.splitlines() for text in texts if rules.match(text)]
    assert tables
    for header, *rows in tables:
        starts = [header.index("job"), header.index("city")]
        assert all(row[start - 1] == " " != row[start] for row in rows for start in starts)


def test_a_single_space_too_many_never_stands_before_a_word(sample):
    assert not [d.text for d in sample if re.search(r"\S  \w", d.text)]


def test_no_slot_is_left_unfilled(sample):
    assert not [document.text for document in sample if re.search(r"[{}±~^\[\]]|\\n", document.text)]


def test_held_out_words_never_stand_in_training_text(sample):
    text = " ".join(document.text for document in sample)
    held_out = [a.text for r in corpus.rules().values() if r.is_word_list for a in r.alternatives if a.mark == "~"]
    allowed = {a.text for r in corpus.rules().values() for a in r.alternatives if a.mark != "~"}
    assert len(held_out) > 50
    assert not [w for w in held_out if w not in allowed and "|" not in w and re.search(rf"\b{re.escape(w)}\b", text)]


def test_held_out_templates_are_written_only_for_evaluation(sample):
    opening = "For the coming weekend, my plan is to"
    assert not any(opening in document.text for document in sample)
    assert any(opening in document.text for document in corpus.heldout("plan", "tests", 40))


def test_opinion_words_that_are_never_labelled_still_stand_in_running_text(sample):
    rare = re.compile(r"\b(captivating|exquisite|abysmal|dismal|wretched|marvel|fiasco)\b")
    assert not [d.text for d in sample if d.family == "labelled reviews" and rare.search(d.text)]
    assert [d.text for d in sample if d.family == "review" and rare.search(d.text)]


def test_a_label_weighs_nothing_until_its_class_has_been_seen(sample):
    labelled = [document for document in sample if document.family in corpus.LABELLED]
    for document in labelled:
        values = [document.text[stretch.start : stretch.end] for stretch in document.stretches]
        weights = [stretch.weight for stretch in document.stretches]
        assert weights[0] == 0.0
        assert all(value.startswith(" ") for value in values)
        assert all(value in values[:i] for i, (value, w) in enumerate(zip(values, weights, strict=True)) if w > 0)


def test_no_document_holds_a_single_labelled_review(sample):
    reviews = [document for document in sample if document.family == "labelled reviews"]
    assert min(len(document.stretches) for document in reviews) >= 3


def drawn_labels(direction: str, words: str = LISTED) -> list[dict[str, str]]:
    rng = random.Random("sides")
    grammar = Grammar(corpus.rules(), "labelled", rng)
    return [draw_labels(grammar, rng, direction, words) for _ in range(500)]


def test_natural_labels_mean_what_they_mean_in_english_and_flipped_ones_the_opposite():
    assert {"+": "good", "-": "bad"} in drawn_labels("natural")
    assert {"+": "bad", "-": "good"} not in drawn_labels("natural")
    assert {"+": "bad", "-": "good"} in drawn_labels("flipped")
    assert {"+": "good", "-": "bad"} not in drawn_labels("flipped")


def test_an_arbitrary_label_stands_for_praise_in_one_document_and_for_blame_in_another():
    drawn = drawn_labels("arbitrary")
    assert {labels["+"] for labels in drawn} & {labels["-"] for labels in drawn} >= {"cat", "red"}
    assert all(labels["+"] != labels["-"] for labels in drawn)


def test_no_label_is_flipped_in_the_first_documents_and_some_are_later(monkeypatch):
    def targets(documents):
        return {stretch.target for document in documents for stretch in document.stretches}

    assert "flipped label" not in targets(islice(corpus.documents("first"), 1500))
    monkeypatch.setattr(corpus, "FIRST_DOCUMENTS", 100)
    assert "flipped label" in targets(islice(corpus.documents("first"), 1500))


def test_the_answer_of_a_fact_weighs_more_than_its_question():
    document = corpus.without_brackets("fact", "What is the capital of France? [Paris]\nThe sky is [blue].")
    assert document.text == "What is the capital of France? Paris\nThe sky is blue."
    assert [document.text[s.start : s.end] for s in document.stretches] == [" Paris", " blue"]
    assert all(stretch.weight > document.weight for stretch in document.stretches)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (past("go hiking"), "went hiking"), (past("try"), "tried"), (past("plan"), "planned"), (past("bake"), "baked"),
        (gerund("take a nap"), "taking a nap"), (gerund("run"), "running"), (gerund("tie"), "tying"),
        (third("watch birds"), "watches birds"), (third("carry"), "carries"), (third("have"), "has"),
        (plural("old city"), "old cities"), (plural("knife"), "knives"), (plural("tomato"), "tomatoes"),
        (plural("photo"), "photos"), (with_article("hour"), "an hour"), (with_article("unicorn"), "a unicorn"),
        (with_article("apple"), "an apple"),
    ],
)  # fmt: skip
def test_words_inflect(made, wanted):
    assert made == wanted


def grammar_from(tmp_path, templates: str, words: str = "thing: tea, tin") -> Grammar:
    for name, text in (("words", words), ("templates", templates)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.txt").write_text(text)
    return Grammar(load_rules(tmp_path), "running", random.Random("x"))


def test_a_remembered_word_is_repeated(tmp_path):
    left, right = grammar_from(tmp_path, "== line\n{t:thing} {t|plural}").expand("line").split()
    assert right == f"{left}s"


def test_two_remembered_words_of_one_rule_differ(tmp_path):
    grammar = grammar_from(tmp_path, "== line\n{t:thing} {s:thing}")
    assert all(len(set(grammar.expand("line").split())) == 2 for _ in range(20))


def test_a_table_gives_its_columns(tmp_path):
    grammar = grammar_from(tmp_path, "== line\n{p:pair}={p.right}", "pair(left right): a | b; c | d")
    assert {grammar.expand("line") for _ in range(30)} == {"a=b", "c=d"}


def test_a_rule_with_a_sign_is_read_twice(tmp_path):
    grammar = grammar_from(tmp_path, "== mood±\nso {word±}\n== word+\ngood\n== word-\nbad")
    assert (grammar.expand("mood+"), grammar.expand("mood-")) == ("so good", "so bad")


@pytest.mark.parametrize(
    ("templates", "words", "said"),
    [
        ("== line\n{nothing}", "thing: tea", "unknown rule 'nothing'"),
        ("stray\n== line\nx", "thing: tea", "before the first rule"),
        ("== thing\nx", "thing: tea", "defined twice"),
        ("== line\n", "thing: tea", "is empty"),
        ("== line\nx", "pair(left right): a", "does not have the columns"),
    ],
)
def test_a_broken_grammar_file_is_refused_in_words(tmp_path, templates, words, said):
    with pytest.raises(ValueError, match=said):
        grammar_from(tmp_path, templates, words)


def test_in_the_last_phase_labels_are_words_of_any_kind_and_made_up_ones_but_not_those_that_evaluation_calls_new():
    listed, any_word = (
        {w for labels in drawn_labels("arbitrary", words) for w in labels.values()} for words in (LISTED, ANY)
    )
    assert len(any_word) > 3 * len(listed)
    known = {word for rule in corpus.rules().values() for one in rule.alternatives for word in one.text.split()}
    assert len(any_word - known) > 100
    written = islice(corpus.documents("last", last=True), 3000)
    found = {document.text[place.start : place.end].strip() for document in written for place in document.stretches}
    assert not found & {word for pair in NEW_PAIRS for word in pair}


def test_the_last_phase_has_more_labelled_reviews():
    first, last = (
        sum(document.family == "labelled reviews" for document in islice(corpus.documents("shares", last=last), 2000))
        for last in (False, True)
    )
    assert last > 1.2 * first
