"""Choose the engine: the sandbox, or, only when somebody asks for it by name, none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from huggingface_hub.constants import HF_HUB_CACHE

from grading_utils.course.bundle import Bundle, NotebookBundle, refuse_other_languages
from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.course.device import share_mib, wish_for
from grading_utils.course.readable import readable_paths
from grading_utils.devices.choice import CPU, Gpu, choose
from grading_utils.grading.jobs import Engine
from grading_utils.grading.kernel_engine import KernelEngine
from grading_utils.grading.lasting import LastingEngine
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.sandbox_engine import SandboxEngine
from grading_utils.language_model.resolver import ENVIRONMENT_VARIABLE, resolve_model
from grading_utils.sandbox.policy import Policy

_SECRETS = (
    "source",
    "submitted",
    "autograded",
    "feedback",
    "gradebook.db",
    "grades.json",
    "sample_class",
    ".git",
    OWN_FOLDER,
)
"""What student code must not see should the course lie inside something that it may see."""


_CUDA_BYTES = 2 << 30
"""Memory of the machine, not of the card, that CUDA and its libraries take in a process; an estimate."""

_VALIDATING = ("NBGRADER_EXECUTION", "autograde")
"""How notebooks know, by nbgrader's documentation, that they are being graded."""


def engine_factory(course: Course, *, isolate: bool, device: str | None = None) -> EngineFactory:
    """How to start an engine for one notebook of a course.

    Args:
        course: The course that is graded.
        isolate: False runs student code unprotected, as nbgrader does, and on whatever it finds.
        device: What to compute on, whatever the course says; see `devices.choice.choose`.
    """

    def start(bundle: Bundle, notebook: NotebookBundle) -> Engine:
        refuse_other_languages(notebook.metadata, f"{notebook.name}.ipynb")
        if not isolate:
            return KernelEngine(bundle)
        hidden = (course.root / name for name in _SECRETS)
        policy = sandbox_policy(
            hidden=[str(path) for path in hidden if path.exists()],
            readable=[str(path) for path in readable_paths(course)],
            gpu=gpu_for(course, bundle.assignment, notebook, device),
        )
        return LastingEngine(lambda: SandboxEngine.start(bundle, notebook, policy))

    return start


def gpu_for(course: Course, assignment: str, notebook: NotebookBundle, asked: str | None = None) -> Gpu | None:
    """The card that a notebook is graded on; None for the processor.

    Raises:
        MachineError: A card was asked for, and there is none that can be used.
        CourseError: The configuration names no device.
        AuthoringError: A cell's metadata does.
    """
    return choose(wish_for(course, assignment, notebook.cells, asked), share_mib(course))


def devices_of(course: Course, bundle: Bundle, asked: str | None = None) -> str:
    """On what an assignment is graded, `cpu` or names of cards: scores are remembered for each of them apart."""
    gpus = (gpu_for(course, bundle.assignment, notebook, asked) for notebook in bundle.notebooks.values())
    return ", ".join(sorted({gpu.name if gpu is not None else CPU for gpu in gpus})) or CPU


def sandbox_policy(*, hidden: Iterable[str] = (), readable: Iterable[str] = (), gpu: Gpu | None = None) -> Policy:
    """What student code may use on this machine.

    Args:
        hidden: Paths that it must not see.
        readable: Paths that it may read beside the packages and the language models of this machine.
        gpu: A card that it may compute on.
    """
    models, environment = _models()
    policy = Policy(hidden=tuple(hidden), readable=(*models, *readable), environment=(*environment, _VALIDATING))
    if gpu is None:
        return policy
    environment = (*policy.environment, *gpu.environment.items())
    return replace(policy, gpu=gpu, environment=environment, memory_bytes=policy.memory_bytes + _CUDA_BYTES)


def _models() -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Where language models lie beside the shipped one, and the variables that tell a notebook so."""
    folders: list[str] = []
    environment: list[tuple[str, str]] = []
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        path = resolve_model(chosen).path
        folders.append(path)
        environment.append((ENVIRONMENT_VARIABLE, path))
    if Path(HF_HUB_CACHE).is_dir():
        folders.append(HF_HUB_CACHE)
        environment.append(("HF_HUB_CACHE", HF_HUB_CACHE))
    return tuple(folders), tuple(environment)
