"""What the pages of `04-next-token` say about outputs, whatever the model learned, and what makes it true."""

from __future__ import annotations

import re

import torch

from .notebooks import Sentences

SENTENCES: Sentences = {
    ("model-size-task", ">>> sum(p.numel() for p in toy_layer.parameters()) 8"): lambda _page: (
        [p.numel() for p in torch.nn.Linear(3, 2).parameters()] == [6, 2]
    ),
    ("tokenize-prompt-task", "What is printed has one pair of brackets: it is a plain Python list."): lambda page: (
        re.search(r"\[\d[^\[\]]*\]", page.shown("tokenize-prompt-demo"))
        and "[[" not in page.shown("tokenize-prompt-demo")
    ),
    ("run-model-task", "an object that has several parts, most of them empty here"): lambda page: (
        page.shown("run-model-demo").count("=None") >= 2 and "logits=tensor" in page.shown("run-model-demo")
    ),
    ("logits-shape-answer", "The shape is `[texts, tokens, vocabulary]`."): lambda page: (
        page["logits_shape"] == [1, page["hamlet_ids"].shape[1], page["vocabulary_size"]]
    ),
    ("last-token-logits-task", "If you take the scores of one position only, which shape will be left?"): lambda page: (
        list(page["last_token_logits"].shape) == [page["vocabulary_size"]]
    ),
    ("other-position-answer", '("For God so", where each word is one token)'): lambda page: (
        len(page["tokenizer"]("For God so")["input_ids"]) == 3
        and len(page["tokenizer"]("For God so loved the")["input_ids"]) == 5
    ),
    ("most-likely-token-task", "The order stays the same, but the largest score wins by more"): lambda _page: (
        torch.tensor([2.0, 1.0, 0.0, -1.0]).softmax(0).argsort(descending=True).tolist() == [0, 1, 2, 3]
    ),
    ("top-ten-table-task", "So the first of the indices is what `argmax` finds."): lambda page: (
        "<- the first one is what argmax finds: tensor(0)" in page.shown("top-ten-table-demo")
        and "indices: tensor([0, " in page.shown("top-ten-table-demo")
    ),
    ("predict-next-tokens-task", "(68.0, 68.0)"): lambda _page: 20 * 9 / 5 + 32 == 68.0,
    ("predict-next-tokens-task", "the second one should be 212.0"): lambda _page: 100 * 9 / 5 + 32 == 212.0,
}
