"""What the pages of `08-train-a-tiny-model` say about outputs, and what makes it true."""

from __future__ import annotations

import re

from grading_utils.lessons.memory_estimate import TrainingMemory

from .notebooks import Page, Sentences, section_table_agrees

GPT_2 = TrainingMemory(50257, 768, 12, 3072, 12)


def walk(learning_rate: float) -> list[float]:
    """Three steps of the worked example: from w = 0 on the loss (w − 3)²."""
    w, found = 0.0, []
    for _ in range(3):
        w -= learning_rate * 2 * (w - 3)
        found.append(round(w, 2))
    return found


def losses_of_data(page: Page) -> list[float]:
    """Data as it is, cut, unknown, and with targets that do not belong."""
    return list(map(float, re.findall(r"loss after 10 epochs, .*: ([\d.]+)", page.shown("pitfalls-demo"))))


def blind(page: Page) -> float:
    found = re.search(r"a blind guess costs ([\d.]+)", page.shown("pitfalls-demo"))
    assert found is not None
    return float(found[1])


def gib_of_gpt_2(page: Page) -> dict[tuple[str, ...], float]:
    """GiB for one step by sentences in a batch and words in each, of GPT-2 and of half of it."""
    rows = re.findall(r"(GPT-2[^\d\n]*?)\s+(\d)\s+(\d+)\s+([\d.]+)", page.shown("memory-demo"))
    return {(name, batch, length): float(gib) for name, batch, length, gib in rows}


def beams(page: Page) -> dict[str, float]:
    """The most probable sentence that each beam width finds."""
    rows = re.findall(r"\s([13])\s+(a \w+ \w+ \w+ \w+ \w+)\s+(0\.\d+)", page.shown("decoding-demo"))
    return {width: max(float(chance) for other, _, chance in rows if other == width) for width, _, _ in rows}


SENTENCES: Sentences = {
    ("title", "| section | you write | minutes | points |"): section_table_agrees,
    ("title", "the cell that trains says whose parts it runs on"): lambda page: (
        "This runs on your WordTokenizer" in page.shown("train-demo")
    ),
    ("train-task", "so *w* moves to 0.6, then to 1.08, then to 1.46"): lambda _page: walk(0.1) == [0.6, 1.08, 1.46],
    ("train-task", "it jumps to 6.6, then to −1.3, then to 8.2"): lambda _page: (
        [round(w, 1) for w in walk(1.1)] == [6.6, -1.3, 8.2]
    ),
    ("train-task", "| target | fox | sleeps | under | the | bridge |"): lambda page: (
        page["SENTENCES"][0] == "the fox sleeps under the bridge"
    ),
    ("train-demo", "after 'the' come fox, owl and crab"): lambda page: (
        {text.split()[1] for text in page["SENTENCES"] if text.startswith("the ")} == {"fox", "owl", "crab"}
    ),
    ("complete-sentence-task", '*"a crab sleeps under the"*, which is not among them'): lambda page: (
        not any(text.startswith("a crab sleeps") for text in page["SENTENCES"])
        and "a crab sleeps under the barn" in page.shown("complete-sentence-demo")
        and "the fox sleeps under the bridge" in page.shown("complete-sentence-demo")
    ),
    ("debugging-tools-task", "logits: torch.Size([1, 4, 31])"): lambda page: (
        "ids: torch.Size([1, 4])   logits: torch.Size([1, 4, 31])" in page.shown("decoding-demo")
    ),
    (
        "debugging-tools-task",
        '`"a fox waits"`, `"a goat waits"`, `"a  fox waits"` (two spaces)?',
    ): (lambda page: "Unchanged: 'a fox waits'. A goat is unknown" in page.shown("decoding-demo")),
    ("decoding-demo", "no sentence in the data begins like this"): lambda page: (
        not any(text.startswith("the crab waits") for text in page["SENTENCES"])
    ),
    ("debugging-tools-task", "asks which is the most probable *as a whole*"): lambda page: (
        beams(page)["3"] >= beams(page)["1"]
    ),
    (
        "pitfalls-example",
        "the loss stays near that of blind guessing; one that falls to 0 at once is suspicious, too",
    ): (lambda page: losses_of_data(page)[2] < 0.05 < losses_of_data(page)[0] < losses_of_data(page)[3]),
    ("flat-curve-answer", "the learning rate is too low (here 0.00001)"): lambda page: (
        "hardly moves: 0.00001" in page.shown("pitfalls-demo")
    ),
    (
        "flat-curve-answer",
        "the targets have nothing to do with their inputs, so there is nothing to learn",
    ): lambda page: abs(losses_of_data(page)[3] - blind(page)) < 0.3,
    (
        "pitfalls-example",
        "smaller batches; a smaller model (`embed_dim`, `num_layers`); shorter sequences",
    ): lambda page: (
        gib_of_gpt_2(page)["GPT-2", "8", "1024"] > 16
        and sum(gib < 16 for gib in gib_of_gpt_2(page).values()) == 5 == len(gib_of_gpt_2(page)) - 1
    ),
    (
        "pitfalls-example",
        "The model has a fixed number of *positions*: past that it cannot read at all.",
    ): lambda page: "12 words are too long: this model has 10 positions" in page.shown("memory-demo"),
    ("pitfalls-example", "the attention tables grow with the **square** of the length"): lambda _page: (
        GPT_2.attention_scores(8, 2000) == 4 * GPT_2.attention_scores(8, 1000)
    ),
    ("pitfalls-example", "Its second model has the published sizes of GPT-2"): lambda _page: (
        # 124,439,808 published parameters, whose head is the embedding; here it is a table of its own, with a bias
        abs(GPT_2.parameters(1024) - 50257 * 769 - 124_439_808) < 10_000
    ),
    (
        "pitfalls-example",
        "When the training loss falls and the held-out loss rises, it is **overfitting**.",
    ): lambda page: "What helps the held-out sentence: fourteen sentences." in page.shown("held-out-demo"),
    ("unknown-goat-answer", "*goat* is not in the vocabulary, so the model sees `<unk>`"): lambda page: (
        page["tokenizer"].encode("what does a goat give").count(0) == 1
    ),
    ("unknown-goat-answer", "a row of numbers which no training example ever touched"): lambda page: (
        not any(0 in page["tokenizer"].encode(f"{question} {answer}") for question, answer in page["QUESTIONS"])
    ),
    ("next-notebook", "let the model stop by itself"): lambda page: (
        page.revealed("next-notebook").strip().endswith("<end>") and len(page.revealed("next-notebook").split()) < 10
    ),
}
