"""`python -m benchmarks.devices`: the same class on the processor and on a GPU; needs one.

Prints Markdown, one row for each assignment, model and device: processor and wall seconds per submission, the most
memory of the card that was in use at one look, and how many scores are the same as on the processor. The larger models
have random weights of real models' shapes. Nothing is asserted, and nothing is written outside of a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.classes import ROOT, make_course
from benchmarks.grading import grade_ours
from grading_utils.course.course import Course
from grading_utils.devices import smi
from grading_utils.devices.choice import choose
from grading_utils.errors import MachineError

SIZES = {"82 M": "distilgpt2", "360 M": "SmolLM2-360M"}
LOOK_EVERY = 0.5


def random_model(size: str, folder: Path) -> Path:
    """A model of a real one's shape with random weights and the shipped tokenizer."""
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    from grading_utils.language_model import SHIPPED

    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    end: dict[str, Any] = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), tokenizer.eos_token_id)
    if size == "82 M":
        model: Any = GPT2LMHeadModel(GPT2Config(n_layer=6, **end))
    else:
        shape = {"hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32}
        heads = {"num_attention_heads": 15, "num_key_value_heads": 5}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=49152, tie_word_embeddings=True, **shape, **heads, **end))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


@contextmanager
def most_in_use() -> Iterator[list[int]]:
    """The most memory in MiB that computing processes held together at one look, in a list of one number."""
    most, stop = [0], threading.Event()

    def look() -> None:
        while not stop.wait(LOOK_EVERY):
            most[0] = max(most[0], sum(smi.used_mib().values()))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        stop.set()
        watcher.join()


def scores(course: Course) -> dict[str, float]:
    """Everybody's score in the class that was just graded."""
    return {result["student"]: result["score"] for result in json.loads((course.root / "grades.json").read_text())}


def measure(assignment: str, count: int, model: str, environment: dict[str, str], devices: list[str]) -> None:
    """The rows of one assignment with one model."""
    reference: dict[str, float] = {}
    for device in devices:
        with tempfile.TemporaryDirectory() as scratch, most_in_use() as memory:
            course = make_course(Path(scratch) / "course", assignment, count)
            graded = grade_ours(course, assignment, environment, "--device", device)
            found = scores(course)
        reference = reference or found
        same = sum(reference[student] == score for student, score in found.items())
        cpu, wall = graded.cost.cpu_seconds / count, graded.cost.wall_seconds / count
        cells = (f"`{assignment}`", model, device, f"{cpu:.2f}", f"{wall:.2f}", str(memory[0]), f"{same} of {count}")
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Run everything that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=24)
    parser.add_argument("--assignments", nargs="*", default=sorted(path.name for path in (ROOT / "source").iterdir()))
    parser.add_argument(
        "--large", nargs="*", default=["04-next-token", "05-generation"], help="with larger models, too"
    )
    parser.add_argument("--devices", nargs="*", default=["cpu", "cuda"], help="the first one is what others agree with")
    options = parser.parse_args()
    try:
        cards = [card for card in map(choose, options.devices) if card is not None]
    except MachineError as error:
        sys.exit(str(error))
    print(f"{', '.join(f'{card.name}, {card.places} places' for card in cards) or 'no card'}\n")
    print("| assignment | model | device | CPU s each | wall s each | MiB of the card | scores as on the first |")
    print("|---|---|---|---|---|---|---|")
    for assignment in options.assignments:
        measure(assignment, options.submissions, "shipped", {}, options.devices)
    for size, name in SIZES.items() if options.large else ():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            environment = {"GRADING_UTILS_MODEL": str(random_model(size, Path(folder)))}
            for assignment in options.large:
                measure(assignment, options.submissions, f"{size}, as {name}", environment, options.devices)


if __name__ == "__main__":
    main()
