"""Two models compared: what is better, worse, or within what the prompts decide; bits per byte across tokenizers."""

from __future__ import annotations

import sys

import pytest
import torch

from grading_utils.language_model import SHIPPED, compare
from grading_utils.language_model.compare import compared, of_hits
from grading_utils.language_model.subject import Subject


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ([True, False] * 100, [True, False] * 100, "within sampling error"),
        ([True, False] * 100, [True] * 200, "better"),
        ([True] * 200, [True, False] * 100, "worse"),
        ([True, False, False] * 3, [True, True, False] + [True, False, False] * 2, "within sampling error"),
    ],
    ids=["the same", "all right now", "half wrong now", "one of nine"],
)
def test_a_difference_counts_only_beyond_what_the_prompts_decide(old, new, verdict):
    assert of_hits("line", old, new).verdict == verdict


def test_fewer_bits_are_better():
    old, new = (torch.tensor([(bits, 1.0)] * 20) for bits in (2.0, 1.0))
    line = compared("bits", old, new, more_is_better=False)
    assert (line.old, line.new, line.low, line.high, line.verdict) == (2.0, 1.0, -1.0, -1.0, "better")


def test_a_text_costs_as_many_bytes_in_every_tokenizer(tokenizer, model):
    subject = Subject(tokenizer, model)
    assert subject.bits("The cat sits on the räg.")[1] == len("The cat sits on the räg.".encode())
    assert subject.bits("The cat sits on the chair.")[0] < subject.bits("The chair the on sits cat.")[0]


def test_the_table_of_a_model_against_itself_has_no_difference(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare", str(SHIPPED), str(SHIPPED), "--samples", "2"])
    compare.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| line | old | new |")
    assert len(lines) > 20
    assert all(line.endswith("| +0.000 to +0.000 | within sampling error |") for line in lines[2:])
