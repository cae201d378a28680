"""What is wrong with the commonest wrong calls into libraries, in one sentence.

A student's line that ends in an error deep inside a library is hard to read from the traceback. This module looks at
the call that the line made, its object and its arguments as they are, and at the error; it calls nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """The first function of a library that a student's line called."""

    function: str
    variables: dict[str, Any] = field(default_factory=dict)
    """Its parameters as it got them."""

    @property
    def _values(self) -> list[Any]:
        rest = [value for name, value in self.variables.items() if name not in ("self", "args", "kwargs", "cls")]
        return [*self.variables.get("args", ()), *rest]

    @property
    def receiver(self) -> Any:
        """The object whose method it is; None for a plain function."""
        return self.variables["self"] if "self" in self.variables else next(iter(self._values), None)

    @property
    def first(self) -> Any:
        """The first argument behind the object."""
        return next(iter(self._values if "self" in self.variables else self._values[1:]), None)


def explain(error: BaseException, call: Call | None) -> str:
    """Return one sentence about a wrong call, or "" where none is known."""
    found = _about_the_error(str(error))
    if found or call is None:
        return found
    if _is_a(call.receiver, "PreTrainedTokenizerBase"):
        return _about_a_tokenizer(call.function, call.first)
    return _about_a_model(call.first) if _is_a(call.receiver, "PreTrainedModel") else ""


_ERRORS = [
    (
        r"'\w*Token\w*' object is not (an iterator|iterable|subscriptable)",
        'A tokenizer is called like a function: tokenizer(text)["input_ids"] is the list of ids.',
    ),
    (
        r"'(\w*ForCausalLM|\w*LMHeadModel)' object is not (an iterator|iterable|subscriptable)",
        "A model is called like a function: model(input_ids).logits are its scores.",
    ),
    (
        r"Boolean value of Tensor with more than one value is ambiguous",
        "A comparison of tensors gives a tensor of True and False, which is neither: reduce it with .all() or .any().",
    ),
    (
        r"only (one element|1-element) tensors? can be converted|Tensor with \d+ elements cannot be converted",
        "One number was asked for, and this tensor has several: pick one by its index first.",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "This tensor still remembers how it was computed: write .detach() first, or compute under torch.no_grad().",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied|The size of tensor a .* must match the size of tensor b",
        "The shapes of two tensors do not fit each other: print .shape of both and compare axis by axis.",
    ),
    (
        r"(softmax|argmax|cumsum)\(\).*missing.*dim|missing 1 required positional arguments?: \"?'?dim",
        "Say along which axis: dim=-1 is the last one.",
    ),
    (
        r"Expected tensor for argument #1 'indices'",
        "Ids are whole numbers, and these are not: leave the tensor as the tokenizer made it.",
    ),
    (
        r"index out of range in self",
        "An id is larger than the vocabulary, or the text is longer than the model can read: look at the ids.",
    ),
]


def _about_the_error(message: str) -> str:
    return next((sentence for pattern, sentence in _ERRORS if re.search(pattern, message)), "")


def _about_a_tokenizer(function: str, first: object) -> str:
    if "decode" in function and isinstance(first, str):
        return "decode goes from ids to text, and it was given a text: the tokenizer itself goes from text to ids."
    if isinstance(first, str) or first is None:
        return ""
    if "decode" in function:
        return "decode takes an id or a list of ids, whole numbers."
    return f"The tokenizer takes a text, and it was given {_described(first)}: tokenizer.decode takes ids."


def _about_a_model(first: object) -> str:
    if isinstance(first, str):
        return 'A model reads ids, not text: give it tokenizer(text, return_tensors="pt")["input_ids"].'
    if isinstance(first, list | int):
        return f'A model reads a tensor of ids, and it was given {_described(first)}: ask for return_tensors="pt".'
    if isinstance(first, dict) or hasattr(first, "keys"):
        return 'A model reads the ids alone: give it batch["input_ids"], or model(**batch) with two stars.'
    shape = getattr(first, "shape", None)
    if shape is not None and len(shape) < 2:
        return f"A model reads ids of the shape [texts, tokens]; these have {list(shape)}: keep the first axis."
    return ""


def _described(value: object) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {list(shape)}" if shape is not None else "")


def _is_a(value: object, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(value).__mro__)
