"""A container is recognized by what it leaves lying about, and what it lacks is named with the option that gives it."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grading_utils.sandbox import probe, refusals
from grading_utils.sandbox.containers import Container, container, is_privileged

FILTERED = "Name:\tpython\nCapEff:\t00000000800405fb\nSeccomp:\t2\n"
FREE = "Name:\tpython\nCapEff:\t00000000800405fb\nSeccomp:\t0\n"
ADMIN = "Name:\tpython\nCapEff:\t00000000a82425fb\nSeccomp:\t2\n"
COVERED = "proc /proc proc rw 0 0\nproc /proc/sys proc ro 0 0\ntmpfs /proc/keys tmpfs rw 0 0\n"
"""As found in containers of Podman, with Docker's filter and with its own."""


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Path]:
    """Makes a `/` with some files."""

    def make(files: dict[str, str]) -> Path:
        for name, text in {"proc/self/status": FREE, "proc/mounts": "proc /proc proc rw 0 0\n", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("files", "environment", "kind"),
    [
        ({"run/.containerenv": ""}, {}, "Podman"),
        ({".dockerenv": ""}, {}, "Docker"),
        ({"proc/self/cgroup": "0::/system.slice/docker-0a1b.scope\n"}, {}, "Docker"),
        ({"proc/self/cgroup": "1:name=systemd:/kubepods/besteffort/pod1\n"}, {}, "Kubernetes"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "Kubernetes"),
        ({"proc/self/cgroup": "0::/lxc.payload.box\n"}, {}, "lxc"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_containers_are_recognized(
    machine: Callable[..., Path], files: dict[str, str], environment: dict[str, str], kind: str
) -> None:
    assert container(machine(files), environment) == Container(kind, ())


def test_an_ordinary_machine_is_no_container(machine: Callable[..., Path]) -> None:
    assert container(machine({"proc/self/cgroup": "0::/user.slice\n", "proc/mounts": COVERED}), {}) is None


@pytest.mark.parametrize(
    ("files", "option"),
    [
        ({"proc/self/status": FILTERED}, "--security-opt seccomp=unconfined"),
        ({"proc/mounts": COVERED}, "--security-opt systempaths=unconfined"),
        ({"proc/self/attr/apparmor/current": "docker-default (enforce)\n"}, "--security-opt apparmor=unconfined"),
    ],
    ids=["filter", "covered", "apparmor"],
)
def test_what_is_missing_is_named_alone(machine: Callable[..., Path], files: dict[str, str], option: str) -> None:
    here = container(machine({".dockerenv": "", **files}), {})
    assert here is not None
    (reason,) = here.lacks
    assert f"({option})" in reason


def test_podman_and_kubernetes_have_words_of_their_own(machine: Callable[..., Path]) -> None:
    root = machine({"run/.containerenv": "", "proc/mounts": COVERED, "proc/self/status": FILTERED})
    here, pod = container(root, {}), container(root, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert here is not None
    assert pod is not None
    assert "--security-opt unmask=ALL" in here.lacks[1]
    assert "procMount: Unmasked" in pod.lacks[1]


def test_nothing_is_wrong_with_a_filter_for_who_may_make_namespaces(machine: Callable[..., Path]) -> None:
    root = machine({".dockerenv": "", "proc/self/status": ADMIN, "proc/self/attr/current": "unconfined\n"})
    assert is_privileged(root)
    assert container(root, {}) == Container("Docker", ())


LACKING = Container("Docker", ("it has a filter (--security-opt seccomp=unconfined)", "its /proc is covered (that)"))


def test_a_refusal_in_a_container_names_what_that_container_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_SETTINGS", ())
    monkeypatch.setattr(refusals, "container", lambda: LACKING)
    message = refusals.explain(PermissionError(errno.EPERM, "unshare: Operation not permitted"))
    assert "this is a container of Docker: it has a filter (--security-opt seccomp=unconfined); its /proc" in message


@pytest.mark.parametrize(("works", "said"), [(True, [True]), (False, [False])])
def test_the_doctor_complains_about_a_container_only_where_the_trial_failed(
    monkeypatch: pytest.MonkeyPatch, works: bool, said: list[bool]
) -> None:
    monkeypatch.setattr(probe, "container", lambda: LACKING)
    monkeypatch.setattr(probe, "_trial", lambda: probe.Finding("isolated student process", works, True, ""))
    found = [finding for finding in probe.probe() if finding.name == "container"]
    assert [finding.available for finding in found] == said
    assert all("Docker" in finding.detail for finding in found)


@pytest.mark.parametrize(("in_container", "where"), [(None, ""), (LACKING, "on this container's host, ")])
def test_apparmors_restriction_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_container: Container | None, where: str
) -> None:
    setting = tmp_path / "apparmor_restrict_unprivileged_userns"
    setting.write_text("1\n")
    (real,) = [entry for entry in refusals._SETTINGS if entry[0] == refusals._APPARMOR]
    assert real[0].endswith("/kernel/apparmor_restrict_unprivileged_userns")
    monkeypatch.setattr(refusals, "_APPARMOR", str(setting))
    monkeypatch.setattr(refusals, "_SETTINGS", ((str(setting), *real[1:]),))
    monkeypatch.setattr(refusals, "container", lambda: in_container)
    monkeypatch.setattr(probe, "is_privileged", lambda: False)
    monkeypatch.setattr(probe, "_trial", lambda: probe.Finding("isolated student process", True, True, ""))
    (finding,) = [finding for finding in probe.probe() if finding.name == "user namespaces"]
    assert (finding.available, finding.required) == (False, True)
    assert re.match("AppArmor keeps ordinary programs from making user namespaces: .* is 1", finding.detail)
    assert finding.fix == f"{where}run `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
