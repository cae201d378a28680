"""A model computes where it is told to, and its notebook's tensors stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from grading_utils.language_model.device import find_device, use_device
from grading_utils.lessons.tiny_model import TinyLM

from .stand_in_device import Plugged


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
    assert capsys.readouterr().out == "This notebook's model computes on the processor.\n"
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


WAYS: list[dict[str, Any]] = [
    {"do_sample": False},
    {"do_sample": False, "repetition_penalty": 1.3},
    {"do_sample": False, "num_beams": 3},
    {"do_sample": True, "top_k": 5},
    {"do_sample": True, "top_p": 0.9, "temperature": 0.5},
]


def gpt2() -> GPT2LMHeadModel:
    size = {"vocab_size": 50, "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**size, bos_token_id=0, eos_token_id=49)).eval()


def llama() -> LlamaForCausalLM:
    size = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 32}
    return LlamaForCausalLM(LlamaConfig(**size, num_hidden_layers=2, num_attention_heads=2)).eval()


@pytest.mark.filterwarnings("error")  # the library warns where ids and model lie in different places
@pytest.mark.parametrize("make", [gpt2, llama])
def test_generate_writes_the_same_with_the_model_on_a_device_and_the_ids_on_the_processor(
    on: Callable[[str], None], make: Callable[[], Any]
) -> None:
    on("meta")
    torch.manual_seed(0)
    model, ids = make(), torch.tensor([[3, 4, 5]])

    def written(how: dict[str, Any]) -> torch.Tensor:
        torch.manual_seed(1)
        found: torch.Tensor = model.generate(ids, max_new_tokens=8, pad_token_id=49, **how)
        return found

    expected = [written(how).tolist() for how in WAYS]
    logits = model(ids).logits
    use_device(model)
    with Plugged():
        found = [written(how) for how in WAYS]
        assert {tensor.device.type for tensor in found} == {"cpu"}
        assert [tensor.tolist() for tensor in found] == expected
        assert model.device.type == "meta"
        torch.testing.assert_close(model(input_ids=ids, logits_to_keep=1).logits, logits[:, -1:])


@pytest.fixture
def parameters_stay_themselves() -> Iterator[None]:
    """A moved parameter stays the object that an optimizer knows, as on a card."""
    torch.__future__.set_swap_module_params_on_conversion(True)
    yield
    torch.__future__.set_swap_module_params_on_conversion(False)


@pytest.mark.usefixtures("parameters_stay_themselves")
def test_a_model_learns_the_same_on_a_device(on: Callable[[str], None]) -> None:
    on("meta")

    def losses(*, moves: bool) -> list[float]:
        torch.manual_seed(0)
        model = TinyLM(vocab_size=9, embed_dim=8, num_heads=2, ff_dim=16, num_layers=1, max_seq_length=6)
        if moves:
            use_device(model)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        seen = []
        for _ in range(4):
            loss = torch.nn.functional.cross_entropy(model(torch.tensor([[1, 2, 3]]))[0], torch.tensor([2, 3, 4]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        assert seen[-1] < seen[0]
        return seen

    expected = losses(moves=False)
    with Plugged():
        assert losses(moves=True) == pytest.approx(expected, abs=1e-5)


def test_the_stand_in_notices_what_a_card_would_refuse() -> None:
    with Plugged(), pytest.raises(RuntimeError, match="same device"):
        torch.ones(2) + torch.ones(2).to("meta")
