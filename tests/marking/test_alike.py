"""Which answers are graded once, and which never are."""

from __future__ import annotations

from typing import Any

import pytest

from grading_utils.marking.alike import group
from grading_utils.marking.answers import Answer


def answers(*texts: str, **other: Any) -> list[Answer]:
    common: dict[str, Any] = {
        "notebook": "n", "question": "q", "points": 2.0, "is_code": False, "score": None, "comment": "",
        "waits": True, "submission": "s", **other,
    }  # fmt: skip
    return [Answer(text=text, student=f"s{number}", **common) for number, text in enumerate(texts)]


LONG = "The scores are divided by the temperature before softmax, so a small one makes the largest share larger. "


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Because it repeats.", "  because it   repeats!\n"),
        ("- one\n- two", "* One\n* two"),
        ("p>0.5, I think", "p > 0.5; I think"),
        ("Because **it** repeats", "Because it repeats"),
        ("The softmax makes shares of the scores.", "Softmax makes shares of scores"),
        ("It's the last token’s distribution.", "it's the last token's Distribution"),
        ("The distribution is flatter then.", "The distributon is flatter, then"),
        ("", "   \n"),
        ("ﬁrst word", "first word"),
        ("Ответ: потому что", "ответ потому что."),
        (LONG * 3, LONG.lower() * 3),
    ],
)
def test_answers_that_say_the_same_are_graded_once(one: str, other: str) -> None:
    assert len(group(answers(one, other))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is larger.", "It is not larger."),
        ("It can be learned.", "It can't be learned."),
        (LONG * 3 + "Entropy increases.", LONG * 3 + "Entropy decreases."),
        (LONG * 3 + "There are 7 of them.", LONG * 3 + "There are 8 of them."),
        ("The typical token.", "The atypical token."),
        ("Loss falls because entropy falls.", "Because loss falls entropy falls."),
        ("p > 0.5", "p < 0.5"),
        ("a + b", "a - b"),
        ("n+1", "n-1"),
        ("It is 5.", "It is -5."),
        ("It is 5.", "It is .5"),
        ("5 %", "5 & 1"),
        ("They are equal: a == b", "They are not: a != b"),
        ("x = 1", "y = 1"),
        ("The token before", "The token after"),
        ("", "because"),
        ("Да", "Нет"),
        ("因为计数器可以计算所有的对象。", "因为计数器不可以计算所有的对象。"),
        ("日本語では文が続くことがある", "日本語では文が続くことがない"),
        ("เพราะตัวนับนับได้ทุกอย่าง", "เพราะตัวนับนับไม่ได้ทุกอย่าง"),
        ("العداد يكتب كل شيء", "العداد يكتبك كل شيء"),
        ("🙂", "🙁"),
    ],
)
def test_answers_that_may_differ_in_meaning_are_read_apart(one: str, other: str) -> None:
    assert len(group(answers(one, other))) == 2


def test_every_space_counts_in_code() -> None:
    code = ["if x:\n    y = 1\nz = 2", "if x:\n    y = 1\n    z = 2", "if x:  \n    y = 1\nz = 2\n"]
    assert [len(found.answers) for found in group(answers(*code, is_code=True))] == [2, 1]


def test_slips_do_not_add_up_along_a_chain() -> None:
    chain = ["tokenizer", "tokenizer", "tokenizes", "tokenices"]
    assert [len(found.answers) for found in group(answers(*chain))] == [3, 1]


def test_groups_keep_every_answer_and_show_the_commonest_wording_first() -> None:
    found = group(answers("One way.", "Another", "one way", "one way", "Third"))
    assert sorted(answer.student for each in found for answer in each.answers) == ["s0", "s1", "s2", "s3", "s4"]
    assert found[0].wordings == ["one way", "One way."]


def test_answers_made_to_take_long_take_no_long_time() -> None:
    texts = [" ".join(["longword" + "ab"[n % 2]] * 3000) + str(n) for n in range(150)]
    assert sum(len(found.answers) for found in group(answers(*texts))) == 150
