"""Which model a notebook loads, and what is said when it cannot be the one that was asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading_utils.errors import ModelError
from grading_utils.language_model import SHIPPED
from grading_utils.language_model.resolver import ENVIRONMENT_VARIABLE, find_model, resolve_model

COMPLETE = ("config.json", "model.safetensors", "tokenizer.json")


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    return tmp_path / "hub"


@pytest.fixture
def complete_folder(tmp_path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in COMPLETE:
        (folder / name).write_text("{}")
    return folder


def put_into_hub_cache(hub: Path, name: str, files: tuple[str, ...]) -> Path:
    repository = hub / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    for file in files:
        (snapshot / file).write_text("{}")
    return snapshot


def test_without_any_choice_the_shipped_model_is_taken():
    found = resolve_model()
    assert (found.path, found.source) == (str(SHIPPED), "shipped")


def test_an_explicit_folder_wins_over_the_shipped_model(complete_folder):
    assert resolve_model(str(complete_folder)).source == "explicit"
    assert resolve_model(str(complete_folder)).path == str(complete_folder)


def test_the_environment_wins_over_what_a_notebook_names(complete_folder, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "shipped")
    found = resolve_model(str(complete_folder))
    assert (found.path, found.source) == (str(SHIPPED), "environment")


def test_the_environment_wins_over_the_hub_cache(complete_folder, monkeypatch, hub):
    put_into_hub_cache(hub, "distilgpt2", COMPLETE)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(complete_folder))
    found = resolve_model()
    assert (found.path, found.source) == (str(complete_folder), "environment")
    assert ENVIRONMENT_VARIABLE in found.reason


def test_the_hub_cache_wins_over_the_shipped_model(hub):
    snapshot = put_into_hub_cache(hub, "distilgpt2", COMPLETE)
    found = resolve_model()
    assert (found.path, found.source) == (str(snapshot), "hub cache")


def test_a_hub_name_in_the_cache_is_found(hub):
    snapshot = put_into_hub_cache(hub, "some/model", COMPLETE)
    found = resolve_model("some/model")
    assert (found.path, found.source) == (str(snapshot), "explicit")


def test_a_cached_snapshot_without_weights_does_not_count(hub):
    put_into_hub_cache(hub, "distilgpt2", ("config.json",))
    assert resolve_model().source == "shipped"


def test_a_hub_name_that_is_not_cached_falls_back_and_says_how_to_fetch_it():
    found = resolve_model("HuggingFaceTB/SmolLM2-360M")
    assert found.source == "shipped"
    assert "find_model('HuggingFaceTB/SmolLM2-360M', download=True)" in found.reason
    assert "make real-model" in found.reason


def test_a_download_that_fails_says_so(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="some/model could not be fetched"):
        resolve_model("some/model", download=True)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "nowhere/"])
def test_a_missing_folder_is_called_missing(name):
    with pytest.raises(ModelError, match="there is no folder"):
        resolve_model(name)


def test_a_file_is_called_a_file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_text("x")
    with pytest.raises(ModelError, match="is a file"):
        resolve_model(str(path))


@pytest.mark.parametrize(
    ("file", "said"),
    [("config.json", "config.json"), ("model.safetensors", "weights"), ("tokenizer.json", "a tokenizer")],
)
def test_an_incomplete_folder_is_told_what_it_lacks(complete_folder, file, said):
    (complete_folder / file).unlink()
    with pytest.raises(ModelError, match=f"it lacks {said}"):
        resolve_model(str(complete_folder))


def test_an_empty_weights_file_counts_as_missing(complete_folder):
    (complete_folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="lacks weights"):
        resolve_model(str(complete_folder))


def test_find_model_prints_one_line_and_returns_the_path(capsys):
    assert find_model("shipped") == str(SHIPPED)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "ships with the course" in printed


def test_importing_the_package_imports_neither_torch_nor_transformers():
    code = (
        "import sys, grading_utils.language_model.resolver as r; r.resolve_model('shipped');"
        "assert not {'torch', 'transformers'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_folder_can_be_copied_and_named_explicitly(tmp_path):
    copy = shutil.copytree(SHIPPED, tmp_path / "copy")
    assert resolve_model(str(copy)).path == str(copy)
