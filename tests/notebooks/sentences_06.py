"""What the pages of `06-prompting` say about outputs, whatever the model learned, and what makes it true."""

from __future__ import annotations

import math
import re

from .notebooks import Page, Sentences

BEANS = " Beans, mostly.\nAnd two rows of peas.\nAna: I like peas.\nBen: So do the snails."
SHOWN = [("It was fun.", "good"), ("It was dull.", "bad")]
FRUIT = {"apple": (3, 0, 0), "pear": (2, 1, 0), "plum": (0, 2, 0)}
TRUTH = [kind for kind, counts in FRUIT.items() for _ in range(sum(counts))]
SORTED = [kind for counts in FRUIT.values() for kind, count in zip(FRUIT, counts, strict=True) for _ in range(count)]


def calibrated_shares(page: Page) -> list[float]:
    """The accuracies with two and four good examples, and with two and four bad ones, calibrated."""
    return [float(share) for share in page.shown("calibrated").split()]


SENTENCES: Sentences = {
    ("wordings-task", "right after a word or a colon, **without a space**"): lambda page: (
        not any(template.endswith(" ") for template in page["job_templates"])
    ),
    ("wordings-task", "The five templates in `job_templates`"): lambda page: len(page["job_templates"]) == 5,
    ("dialogue-task", "Ana: What grows there? Ben:"): lambda page: (
        page["dialogue_prompt"]("Two neighbors meet in the garden.", [("Ana", "What grows there?")], "Ben")
        == "Two neighbors meet in the garden.\n\nAna: What grows there?\nBen:"
    ),
    (
        "dialogue-task",
        "up to the first line that **begins** with a speaker's name and a colon: two lines here",
    ): lambda page: page["first_reply"](BEANS, ["Ana", "Ben"]) == "Beans, mostly.\nAnd two rows of peas.",
    ("bare-question-question", "(Try prompts of your own in the cell near the end of the notebook that is yours.)"): (
        lambda page: (
            "'What is there to see in Rome?' -> " in page.shown("my-prompt")
            and page.shown("my-prompt").count("'The best places to visit in Rome are") == 2
        )
    ),
    ("label-score-task", "| | together | 0.2 · 0.5 = 0.1 | -1.61 - 0.69 = -2.30 |"): lambda _page: (
        [f"{math.log(p):.2f}" for p in (0.2, 0.5, 0.1)] == ["-1.61", "-0.69", "-2.30"]
    ),
    ("classify-task", 'the continuations `"good"` and `"bad"` after a prompt that ends with a colon'): lambda page: (
        re.search(r"[3-6] of 6 with the labels great and awful", page.shown("classify-reveal"))
    ),
    ("next-notebook", "it mends the prompts of good examples, and not those of bad ones"): lambda page: (
        min(calibrated_shares(page)[:2]) > 0.9 and max(calibrated_shares(page)[2:]) < 0.6
    ),
    ("few-shot-task", "Review: Not my kind of thing. Decision:"): lambda page: (
        page["few_shot_prompt"](SHOWN, "Not my kind of thing.")
        == "Review: It was fun.\nDecision: good\n\nReview: It was dull.\nDecision: bad\n\n"
        "Review: Not my kind of thing.\nDecision:"
    ),
    ("confusion-task", "It is right in 3 + 1 + 0 = 4 of 8 cases, so the accuracy is 0.5."): lambda page: (
        page["accuracy"](TRUTH, SORTED) == 0.5
        and page["confusion_table"](TRUTH, SORTED, list(FRUIT)).to_numpy().tolist() == [list(c) for c in FRUIT.values()]
    ),
    (
        "order-answer",
        "With 24 reviews one more or fewer right changes the accuracy by 4 percentage points",
    ): lambda page: "24" in page.sources["order-question"] and round(100 / 24) == 4,
}
