"""Options that say where submissions run, and the runner that they stand for."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grading_utils.cli import options as shared

if TYPE_CHECKING:
    from grading_utils.course.course import Course
    from grading_utils.runners.runner import Runner

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _needs(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    needs = {}
    for text in given:
        name, _, amount = text.partition("=")
        try:
            needs[name] = float(amount)
        except ValueError:
            needs[name] = math.nan
        if not name or not 0 < needs[name] < math.inf:
            raise click.BadParameter(f"{text!r} is not of the form NAME=AMOUNT, as in GPU=1")
    return needs


_OPTIONS = (
    click.option(
        "--workers", type=click.IntRange(min=1), help="Submissions to run at the same time. [default: one per core]"
    ),
    shared.device,
    click.option(
        "--runner",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Where submissions run: here, or on the workers of a Dask cluster.",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS", help="Dask's scheduler, as in tls://10.0.0.1:8786. [default: a cluster here]"
    ),
    click.option(
        "--resource",
        "needs",
        multiple=True,
        metavar="NAME=AMOUNT",
        callback=_needs,
        help="What a Dask worker must offer for each submission, as in GPU=1; may be repeated.",
    ),
    click.option("--tls-ca", type=_FILE, help="The authority whose certificates the cluster's members have."),
    click.option("--tls-cert", type=_FILE, help="This machine's certificate for the cluster."),
    click.option("--tls-key", type=_FILE, help="The key of this certificate."),
)


@dataclass(frozen=True)
class Placement:
    """What was asked for."""

    workers: int | None
    device: str | None
    runner: str
    scheduler: str | None
    needs: dict[str, float]
    tls: tuple[Path | None, Path | None, Path | None]

    def __post_init__(self) -> None:
        given = [path for path in self.tls if path is not None]
        if self.runner == "local" and (self.scheduler or self.needs or given):
            raise click.UsageError("--scheduler, --resource and --tls-… are for --runner dask")
        if given and (len(given) < len(self.tls) or self.scheduler is None):
            raise click.UsageError("--tls-ca, --tls-cert and --tls-key belong together, and to a --scheduler")

    @contextmanager
    def open(self, course: Course, *, isolate: bool) -> Iterator[Runner]:
        """The runner, closed at the end.

        Raises:
            MachineError: There is no cluster, or no worker that offers what is needed.
        """
        workers = self.workers or os.cpu_count() or 1
        if not isolate and self.device is not None:
            raise click.UsageError("--device is for the sandbox: without isolation notebooks find what the machine has")
        if self.runner == "local":
            from grading_utils.runners.runner import LocalRunner

            yield LocalRunner(course, places=workers, isolate=isolate, device=self.device)
            return
        if not isolate:
            raise click.UsageError("--no-isolation is for this machine only, not for the workers of a cluster")
        runner = self._cluster(course, workers)
        try:
            yield runner
        finally:
            runner.close()

    def _cluster(self, course: Course, workers: int) -> Any:
        from grading_utils.errors import MachineError

        try:
            from grading_utils.runners.cluster import DaskRunner, Tls
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("grading_utils"):
                raise
            raise MachineError(
                f"--runner dask needs the package {error.name}: `pip install 'slm-course[cluster]'`"
            ) from error
        authority, certificate, key = self.tls
        tls = Tls(str(authority), str(certificate), str(key)) if authority is not None else None
        if self.scheduler is not None and not self.scheduler.startswith("tls://"):
            click.echo(f"warning: {self.scheduler} is not encrypted: whoever reaches it can run code there", err=True)
        return DaskRunner.connect(
            course, self.scheduler, workers=workers, needs=self.needs, tls=tls, device=self.device
        )


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it is called with a `Placement` as `placement`."""

    @functools.wraps(command)  # with the options that it has already
    def placed(
        workers: int | None,
        device: str | None,
        runner: str,
        scheduler: str | None,
        needs: dict[str, float],
        tls_ca: Path | None,
        tls_cert: Path | None,
        tls_key: Path | None,
        **rest: Any,
    ) -> Any:
        if runner == "dask" and device is not None and device.startswith("cuda"):
            needs = {"GPU": 1.0, **needs}  # one card for each submission that runs, unless somebody says otherwise
        placement = Placement(workers, device, runner, scheduler, needs, (tls_ca, tls_cert, tls_key))
        return command(placement=placement, **rest)

    decorated: Callable[..., Any] = placed
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
