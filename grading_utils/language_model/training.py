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
from grading_utils.language_model.labelled import Document
from grading_utils.language_model.muon import Muon
from grading_utils.language_model.recipe import RECIPE_FILE, Recipe, fingerprint

REPORT_EVERY_S = 20.0
SAVE_EVERY_STEPS = 500


def train(recipe: Recipe, folder: Path) -> None:
    """Train a model from nothing in two phases and write it, its tokenizer and the recipe's fingerprint.

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
    steps = f"{recipe.steps:,} + {recipe.last_phase.steps:,} steps"
    print(f"{model.num_parameters():,} parameters, {steps} on {device}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECIPE_FILE).unlink(missing_ok=True)  # an interrupted run leaves a model that says it is unfinished
    first, last = corpus.documents(f"training {recipe.seed}"), corpus.documents(f"last {recipe.seed}", last=True)
    for phase, documents in ((recipe, first), (recipe.last_phase, last)):
        data = batches(phase, tokenizer, documents, device)
        optimize(model, data, phase, lambda: save(model, tokenizer, folder))
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
        initializer_range=recipe.initial_scale,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.wpe.weight.copy_(sinusoids(recipe.context, recipe.embedding, recipe.initial_scale))
    return model


def sinusoids(length: int, width: int, scale: float) -> Tensor:
    """Position embeddings to start from, shape `(length, width)`: sines and cosines as in "Attention Is All You Need".

    With them "the token before" is one rotation away, and heads that look there (the first half of looking
    something up in the context) are learned several times sooner than from noise.
    """
    angles = torch.arange(length)[:, None] * 10_000.0 ** (-torch.arange(0, width, 2) / width)
    return scale * torch.cat([angles.sin(), angles.cos()], dim=1)


def batches(
    recipe: Recipe, tokenizer: Any, documents: Iterator[Document], device: torch.device
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless `(ids, weights, targets)`, each of shape `(rows_per_step, context)`."""
    rows = tokens.rows(tokenizer, documents, recipe.context)
    while True:
        chunk = list(itertools.islice(rows, recipe.rows_per_step))
        ids, weights, targets = (
            torch.tensor([getattr(row, name) for row in chunk], device=device) for name in ("ids", "weights", "targets")
        )
        if recipe.noise:
            ids, weights = with_noise(ids, weights, targets, recipe.noise, tokenizer)
        yield ids, weights, targets


def with_noise(ids: Tensor, weights: Tensor, targets: Tensor, share: float, tokenizer: Any) -> tuple[Tensor, Tensor]:
    """Other ids at random places of a text, where then nothing is to be learned; labels, answers and ends stay.

    What is learned is how a text goes on after something unknown: the templates and words of the training text are
    few, and without noise a model is far too sure that nothing else exists.
    """
    ordinary = (targets == 0) & (weights > 0) & (ids != tokenizer.eos_token_id)
    hit = ordinary & (torch.rand(ids.shape, device=ids.device) < share)
    others = torch.randint(1, len(tokenizer), ids.shape, device=ids.device)
    return torch.where(hit, others, ids), torch.where(hit, 0.0, weights)


def optimize(
    model: Any, data: Iterator[tuple[Tensor, Tensor, Tensor]], recipe: Recipe, save_now: Callable[[], None]
) -> None:
    """Muon for the matrices of the blocks, AdamW for the rest, gradients clipped to norm 1; prints progress.

    Args:
        model: Trained in place.
        data: Batches of ids, weights and targets.
        recipe: Steps and learning rates.
        save_now: Called every `SAVE_EVERY_STEPS`.
    """
    optimizers = build_optimizers(model, recipe)
    progress = Progress(recipe)
    model.train()
    for step, (ids, weights, targets) in enumerate(itertools.islice(data, recipe.steps)):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * rate(step, recipe)
        hidden = model.transformer(ids, use_cache=False).last_hidden_state[:, :-1]
        counted = weights[:, 1:] > 0  # no scores of a whole vocabulary where nothing is asked
        logits = model.lm_head(hidden[counted])
        right, weighed = ids[:, 1:][counted], weights[:, 1:][counted]
        losses = torch.nn.functional.cross_entropy(logits, right, reduction="none")
        torch.autograd.backward((losses * weighed).sum() / weighed.sum())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()
        progress.update(losses.detach(), logits.detach().argmax(-1) == right, targets[:, 1:][counted])
        if (step + 1) % SAVE_EVERY_STEPS == 0:
            save_now()


def build_optimizers(model: Any, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """The two optimizers; `full_lr` of a group is its learning rate before the schedule."""
    blocks = model.transformer.h
    matrices = [p for p in blocks.parameters() if p.dim() == 2]
    inside = {id(p) for p in matrices}
    tables = [p for p in model.parameters() if p.dim() == 2 and id(p) not in inside]
    others = [p for p in model.parameters() if p.dim() < 2]
    muon = Muon(
        matrices,
        lr=recipe.matrix_learning_rate,
        split=frozenset(id(block.attn.c_attn.weight) for block in blocks),
        weight_decay=recipe.weight_decay,
    )
    adam = torch.optim.AdamW(
        [{"params": tables, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["full_lr"] = group["lr"]
    return [muon, adam]


def rate(step: int, recipe: Recipe) -> float:
    """The share of the full learning rate at a step: up, level, and down in a straight line to a fiftieth."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    level = int(recipe.level_share * recipe.steps)
    return 1.0 if step < level else 1.0 - 0.98 * (step - level) / max(1, recipe.steps - level)


class Progress:
    """Prints a line every `REPORT_EVERY_S` seconds: loss, share of right tokens by target, minutes left."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._started = self._reported = time.monotonic()
        self._step = 0
        self._clear()

    def update(self, losses: Tensor, right: Tensor, targets: Tensor) -> None:
        """Take note of one step: three tensors of one value per counted token."""
        self._step += 1
        for index, name in enumerate(tokens.TARGETS):
            of_target = targets == index
            self._loss[name] += losses[of_target].sum().item()
            self._right[name] += right[of_target].sum().item()
            self._count[name] += of_target.sum().item()
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY_S and self._step < self._recipe.steps:
            return
        left = (now - self._started) / self._step * (self._recipe.steps - self._step) / 60
        loss = self._loss["other"] / max(1, self._count["other"])
        shares = [f"{name} {self._right[name] / max(1, self._count[name]):.0%}" for name in tokens.TARGETS[1:]]
        print(
            f"step {self._step:,}/{self._recipe.steps:,}  loss {loss:.3f}  right: {', '.join(shares)}  "
            f"about {left:.0f} minutes left",
            flush=True,
        )
        self._reported = now
        self._clear()

    def _clear(self) -> None:
        self._loss, self._right, self._count = (dict.fromkeys(tokens.TARGETS, 0.0) for _ in range(3))
