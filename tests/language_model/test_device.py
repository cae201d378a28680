"""A model computes where it is told to, and its notebook's tensors stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from grading_utils.language_model.device import find_device, use_device


class Doubling(torch.nn.Module):
    """Notes where it computes; what it answers lies on the processor, as a stand-in for a device with memory."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([2.0]))
        self.seen: list[str] = []

    def forward(self, x: torch.Tensor, scale: torch.Tensor | None = None) -> dict[str, Any]:
        self.seen += [x.device.type, self.weight.device.type]
        return {"twice": torch.ones(x.shape), "label": "a word"}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda device: monkeypatch.setenv("GRADING_UTILS_DEVICE", device)


def test_without_a_gpu_nothing_is_moved_and_it_is_said(
    on: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    on("cpu")
    model = Doubling()
    use_device(model)
    assert capsys.readouterr().out == "This notebook's model computes on: cpu.\n"
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


def test_the_model_moves_when_it_is_first_used_and_answers_come_back(on: Callable[[str], None]) -> None:
    on("meta")  # every PyTorch has this device; it keeps shapes and no numbers
    model = Doubling()
    use_device(model)
    assert model.weight.device.type == "cpu"
    answer = model(torch.zeros(2, 3), scale=torch.ones(1))
    assert model.seen == ["meta", "meta"]
    assert answer["twice"].device.type == "cpu"
    assert answer["twice"].tolist() == [[1.0] * 3] * 2
    assert answer["label"] == "a word"


def test_a_fork_that_has_no_gpu_computes_on_the_processor(on: Callable[[str], None]) -> None:
    on("meta")
    model = Doubling()
    use_device(model)
    on("cpu")  # as a tester does
    model(torch.zeros(2))
    assert model.seen == ["cpu", "cpu"]


@pytest.mark.parametrize(("there_is_one", "device"), [(True, "cuda"), (False, "cpu")])
def test_a_notebook_takes_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, there_is_one: bool, device: str
) -> None:
    monkeypatch.delenv("GRADING_UTILS_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there_is_one)
    assert find_device() == device


def test_gradients_pass_through_the_moves(on: Callable[[str], None]) -> None:
    on("cpu:0")  # another name for the same place, for which the hooks are there
    model = torch.nn.Linear(3, 1, bias=False)
    use_device(model)
    x = torch.ones(1, 3, requires_grad=True)
    model(x).sum().backward()
    assert model.weight.grad is not None
    assert model.weight.grad.tolist() == [[1.0] * 3]
    assert x.grad is not None
