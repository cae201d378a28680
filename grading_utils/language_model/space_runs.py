"""Runs of spaces as tokens of their own, as real tokenizers have them, added to a trained model.

The training text has no two spaces in a row, so nothing would ever be learned about a run. The runs are added after
training instead: every token that was there keeps its id and its embedding, and so its score after any prompt. A run
is what it would have become, a token that no text had: its embedding is that of a byte which UTF-8 never has, so the
model hardly ever writes it. (As copies of the single space, fifteen runs took a tenth of the probability after
"Decision:".) Nothing here trains or decides what the model is trained on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LONGEST = 16
"""Spaces in the longest run that is one token; the last space before a word belongs to the word."""

_SPACE = "Ġ"
_NEVER_SEEN = "õ"
"""How a byte-level vocabulary spells the byte 0xF5, which is in no UTF-8 text."""
# Doubling first, then the rest onto the longest doubling below it: that order joins any run without a leftover.
_MERGES = [(n, n) for n in (1, 2, 4, 8)] + [
    (whole, rest) for whole in (2, 4, 8) for rest in range(1, whole) if whole + rest <= LONGEST
]


def add_space_runs(folder: Path) -> None:
    """Give the model and the tokenizer of a folder a token for every run of 2 to `LONGEST` spaces.

    Does nothing where they are there already.

    Args:
        folder: What `save_pretrained` wrote: a model with tied embeddings and a byte-level BPE `tokenizer.json`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    definition = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    learned = definition["model"]["vocab"]
    if _SPACE * 2 in learned:
        return
    before = len(learned)
    _extend(definition["model"])
    added = len(learned) - before
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    table = model.get_input_embeddings().weight.detach()
    grown = torch.cat([table, table[learned[_NEVER_SEEN]].expand(added, -1)])
    model.resize_token_embeddings(before + added, mean_resizing=False)
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(grown)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False, indent=2), "utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)  # the library writes weights for their owner only; graders run as somebody else


def _extend(bpe: dict[str, Any]) -> None:
    """Put the runs behind the learned tokens and merges, so that these keep their ids and their order."""
    for first, second in _MERGES:
        bpe["merges"].append([_SPACE * first, _SPACE * second])
        bpe["vocab"][_SPACE * (first + second)] = len(bpe["vocab"])
