"""Say in words when a prompt is longer than a model can read; the libraries raise a bare IndexError.

Knows nothing of any particular model: it asks the configuration of the one it is given.
"""

from __future__ import annotations

from typing import Any


def check_fits_context(tokenizer: Any, model: Any, prompt: str, max_new_tokens: int = 0) -> int:
    """Check that a prompt, and what is to be generated after it, fits into the model's context.

    Args:
        tokenizer: The tokenizer that belongs to the model.
        model: Any transformers model; its `config.max_position_embeddings` is the context length in tokens.
        prompt: The text to be read.
        max_new_tokens: How many tokens will be generated after it.

    Returns:
        The number of tokens in the prompt.

    Raises:
        ValueError: They do not fit; the message says by how much.
    """
    context = int(getattr(model.config, "max_position_embeddings", 0) or 0)
    # verbose=False, because tokenizers log a warning of their own about long inputs.
    length = len(tokenizer(prompt, verbose=False)["input_ids"])
    if length == 0:
        raise ValueError("The prompt is empty: the model needs at least one token to predict what comes next.")
    if context and length + max_new_tokens > context:
        wanted = f" and {max_new_tokens} new ones" if max_new_tokens else ""
        raise ValueError(
            f"This prompt has {length} tokens{wanted}, but the model can read at most {context}. "
            f"Shorten it by at least {length + max_new_tokens - context} tokens."
        )
    return length
