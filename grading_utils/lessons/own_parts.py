"""Take a part that the student has built, or the course's own where theirs is not done yet.

A demonstration that runs on the student's parts says which of them it uses. Whether a part is good enough is tried by
the caller's comparison; nothing here grades, and a part that fails is never an error.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from grading_utils.lessons.showing import show

T = TypeVar("T")


class OwnParts:
    """The parts of one demonstration, and whose they are.

    Attributes:
        used: name of a part → whether it is the student's.
    """

    def __init__(self) -> None:
        self.used: dict[str, bool] = {}

    def choose(self, name: str, own: Callable[[], T], course: T, agrees: Callable[[T], bool]) -> T:
        """Return the student's part, or the course's where theirs can't be made or does not agree.

        Args:
            name: what the part is called on the page.
            own: makes or fetches the student's part; it may raise whatever unfinished code raises.
            course: what is used otherwise.
            agrees: whether the student's part does what is needed; it may raise as well.
        """
        try:
            made = own()
            works = agrees(made)
        except Exception:  # a blank, a missing name, a wrong shape: the course's own takes over
            works = False
        self.used[name] = works
        return made if works else course

    def say(self) -> None:
        """Show whose parts are used."""
        yours = [name for name, own in self.used.items() if own]
        ours = [name for name, own in self.used.items() if not own]
        line = "This runs on your " + ", ".join(yours) + "." if yours else ""
        if ours:
            line += " The course's own stand in for: " + ", ".join(ours) + " (once their checks pass, run this again)."
        show(f"<p>{html.escape(line.strip())}</p>")


Example = tuple[Sequence[int], Sequence[int]]


def train_in_batches(
    model: torch.nn.Module, examples: Sequence[Example], epochs: int, learning_rate: float, batch_size: int
) -> list[float]:
    """Train with several examples of one length in each step; return the mean loss of each epoch.

    Args:
        model: ids of shape `(sentences, words)` in, logits of shape `(sentences, words, vocabulary)` out.
        examples: pairs of input ids and target ids, all as long as each other.
        epochs: how many times all examples are used.
        learning_rate: of Adam.
        batch_size: examples in a step; the last step of an epoch may have fewer.
    """
    inputs, targets = (torch.tensor([list(example[side]) for example in examples]) for side in (0, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.split(torch.arange(len(examples)), batch_size):
            loss = torch.nn.functional.cross_entropy(model(inputs[chosen]).flatten(0, 1), targets[chosen].flatten())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(chosen)
        losses.append(total / len(examples))
    return losses
