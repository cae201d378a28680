"""A word-level tokenizer from the `tokenizers` library, for lessons that build on nobody's own one.

It wraps the library's `WordLevel` model in the calls that the lesson teaches: `encode`, `decode` and
`len`. Words are what stands between spaces; there are no sub-words, no lower-casing and no special tokens but one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

UNKNOWN = "<unk>"


class LibraryWordTokenizer:
    """Words to ids and back, by the `tokenizers` library.

    Attributes:
        words: the vocabulary in the order of the ids; id 0 stands for every unknown word.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Take the vocabulary, in the order of the ids from 1 on; a word named twice counts once."""
        self.words = list(dict.fromkeys([UNKNOWN, *words]))
        numbered = {word: number for number, word in enumerate(self.words)}
        self._library = Tokenizer(WordLevel(numbered, unk_token=UNKNOWN))
        self._library.pre_tokenizer = WhitespaceSplit()

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Return the id of each word of the text."""
        return list(self._library.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the words of the ids, with one space between two words."""
        return str(self._library.decode(list(ids), skip_special_tokens=False))


def library_word_tokenizer(texts: Iterable[str]) -> LibraryWordTokenizer:
    """Return the library's tokenizer for the words of the texts, ids in order of first appearance."""
    return LibraryWordTokenizer(word for text in texts for word in text.split())
