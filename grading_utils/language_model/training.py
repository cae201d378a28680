"""The training loop: from a recipe to a folder with weights, tokenizer and fingerprint.

Uses a GPU where there is one. Decides nothing about the numbers (`recipe`) or the text (`corpus`), and measures
nothing but the loss (`evaluate` does).
"""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grading_utils.language_model import corpus, tokens
from grading_utils.language_model.labelled import LABEL_WEIGHT
from grading_utils.language_model.recipe import RECIPE_FILE, Recipe, fingerprint

REPORT_EVERY_S = 20.0
SAVE_EVERY_STEPS = 500


def train(recipe: Recipe, folder: Path) -> None:
    """Train a model from nothing and write it, its tokenizer and the recipe's fingerprint.

    Args:
        recipe: All numbers of the run.
        folder: Where `from_pretrained` will read it.
    """
    started = time.process_time()
    made_from = fingerprint(recipe)  # now, not at the end: somebody may edit a template meanwhile
    torch.manual_seed(int.from_bytes(recipe.seed.encode(), "big") % 2**31)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"learning the tokenizer from {recipe.tokenizer_documents:,} documents", flush=True)
    texts = corpus.tokenizer_texts(recipe.seed, recipe.tokenizer_documents)
    tokenizer = tokens.train_tokenizer(texts, recipe.vocabulary)
    tokenizer.model_max_length = recipe.context
    model = build_model(recipe, tokenizer).to(device)
    print(f"{model.num_parameters():,} parameters, {recipe.steps:,} steps on {device}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE_FILE).unlink(missing_ok=True)  # an interrupted run leaves a model that says it is unfinished
    optimize(model, batches(recipe, tokenizer, device), recipe, lambda: save(model, tokenizer, folder))
    save(model, tokenizer, folder)
    about = {
        "fingerprint": made_from,
        **asdict(recipe),
        "parameters": model.num_parameters(),
        "cpu_minutes": round((time.process_time() - started) / 60, 1),
        "device": str(device),
        "made_with": {"python": platform.python_version(), "torch": torch.__version__},
    }
    (folder / RECIPE_FILE).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    print(f"written to {folder}", flush=True)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write what `from_pretrained` reads, readable for everybody."""
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    # While training, a pad token among the ids would make the library ask for an attention mask.
    model.config.pad_token_id = None
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # the library writes weights for their owner only; graders run as somebody else


def build_model(recipe: Recipe, tokenizer: Any) -> Any:
    """An untrained GPT-2 of the recipe's size, without dropout: no text is seen twice."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=recipe.context,
        n_embd=recipe.embedding,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        activation_function="gelu_pytorch_tanh",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return GPT2LMHeadModel(config)


def batches(recipe: Recipe, tokenizer: Any, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless `(ids, weights)`, each of shape `(rows_per_step, context)`."""
    rows = tokens.rows(tokenizer, corpus.documents(f"training {recipe.seed}"), recipe.context)
    while True:
        chunk = list(itertools.islice(rows, recipe.rows_per_step))
        ids = torch.tensor([row for row, _ in chunk], device=device)
        yield ids, torch.tensor([weights for _, weights in chunk], device=device)


def optimize(model: Any, data: Iterator[tuple[Tensor, Tensor]], recipe: Recipe, save_now: Callable[[], None]) -> None:
    """AdamW with gradients clipped to norm 1; prints progress and an estimate of what is left.

    Args:
        model: Trained in place.
        data: Batches of ids and weights.
        recipe: Steps and learning rate.
        save_now: Called every `SAVE_EVERY_STEPS`.
    """
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, recipe))
    progress = Progress(recipe)
    model.train()
    for step, (ids, weights) in enumerate(itertools.islice(data, recipe.steps), start=1):
        logits = model(ids, use_cache=False).logits[:, :-1]
        targets, counted = ids[:, 1:], weights[:, 1:]
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        loss = (losses * counted.flatten()).sum() / counted.sum()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.update(losses, logits, targets, counted)
        if step % SAVE_EVERY_STEPS == 0:
            save_now()


def rate(step: int, recipe: Recipe) -> float:
    """The share of the full learning rate at a step: up, level, and down in a straight line to a fiftieth."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    level = int(recipe.level_share * recipe.steps)
    return 1.0 if step < level else 1.0 - 0.98 * (step - level) / max(1, recipe.steps - level)


class Progress:
    """Prints a line every `REPORT_EVERY_S` seconds: loss, share of right labels, minutes left."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._started = self._reported = time.monotonic()
        self._step = 0
        self._loss: list[float] = []
        self._labels: list[float] = []

    def update(self, losses: Tensor, logits: Tensor, targets: Tensor, weights: Tensor) -> None:
        """Take note of one step."""
        self._step += 1
        self._loss.append(losses.detach()[weights.flatten() == 1.0].mean().item())
        is_label = weights == LABEL_WEIGHT
        if is_label.any():
            self._labels.append((logits.detach()[is_label].argmax(-1) == targets[is_label]).float().mean().item())
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY_S and self._step < self._recipe.steps:
            return
        left = (now - self._started) / self._step * (self._recipe.steps - self._step) / 60
        labels = sum(self._labels) / max(1, len(self._labels))
        print(
            f"step {self._step:,}/{self._recipe.steps:,}  loss {sum(self._loss) / len(self._loss):.3f}  "
            f"labels right {labels:.0%}  about {left:.0f} minutes left",
            flush=True,
        )
        self._reported, self._loss, self._labels = now, [], []
