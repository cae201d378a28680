"""Which card a wish means, and what is said where there is none: with a stand-in for the driver's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading_utils.devices import nvidia, smi
from grading_utils.devices.choice import CONTEXT_MIB, Gpu, choose, is_wish
from grading_utils.errors import MachineError

from ..stand_in_card import LIBRARIES, Plugged, address_of, plug_in, uuid_of


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugged:
    return plug_in(tmp_path, monkeypatch)


def card(wish: str, share_mib: int = 4096) -> Gpu:
    gpu = choose(wish, share_mib)
    assert gpu is not None
    return gpu


def test_cards_are_in_the_order_of_their_addresses_whatever_their_nodes_are_called(plugged: Plugged) -> None:
    found = [(card.index, card.address, card.minor, card.uuid) for card in nvidia.cards()]
    assert found == [(0, address_of(0), 1, uuid_of(0)), (1, address_of(1), 0, uuid_of(1))]
    assert nvidia.driver_version() == "570.86.15"


@pytest.mark.parametrize(("wish", "number"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_wish_means_a_card(plugged: Plugged, wish: str, number: int) -> None:
    gpu = card(wish)
    assert (gpu.uuid, gpu.name, gpu.memory_mib) == (uuid_of(number), "Stand-in 16G", 16_000)
    assert [target for _, target in gpu.nodes] == [
        f"/dev/nvidia{1 - number}", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"
    ]  # fmt: skip


def test_a_card_brings_the_libraries_for_computing_and_its_own_place_on_the_bus(plugged: Plugged) -> None:
    shown = [target for _, target in card("cuda:1").files]
    assert shown == [
        f"/{LIBRARIES}/libcuda.so.1",
        f"/{LIBRARIES}/libnvidia-ml.so.1",
        f"/{LIBRARIES}/libnvidia-ptxjitcompiler.so.1",
        "/sys/module/nvidia",
        f"/sys/bus/pci/devices/{address_of(1)}",
    ]
    assert card("cuda").environment["LD_LIBRARY_PATH"] == f"/{LIBRARIES}"


def test_the_processor_is_what_it_is_asked_for_as(plugged: Plugged) -> None:
    assert choose("cpu") is None


@pytest.mark.parametrize("visible", ["1", "1,0", uuid_of(1), "7"])
def test_the_first_card_that_is_visible_is_meant(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpu = choose("auto")
    assert (gpu.uuid if gpu is not None else None) == (None if visible == "7" else uuid_of(1))


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("dev/nvidia-uvm", "/dev/nvidia-uvm is missing (run `nvidia-modprobe -u -c=1` as root)"),
        ("dev/nvidiactl", "/dev/nvidiactl is missing"),
        (f"{LIBRARIES}/libcuda.so.1", "libcuda.so.1 was not found"),
        ("bin/nvidia-smi", "nvidia-smi is not on the path"),
        ("cards.csv", "nvidia-smi can't reach the driver"),
        (f"proc/driver/nvidia/gpus/{address_of(0)}/information", ""),
    ],
)
def test_what_a_card_lacks_is_said_in_one_line_and_auto_goes_without(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch, gone: str, said: str
) -> None:
    plugged.remove(gone)
    monkeypatch.setenv("PATH", f"{plugged.root / 'bin'}:/usr/bin:/bin")
    if not said:  # the other card is the first one now
        assert card("auto").uuid == uuid_of(1)
        return
    assert choose("auto") is None
    with pytest.raises(MachineError) as caught:
        choose("cuda")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_machine_without_a_driver_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "ROOT", tmp_path)
    assert choose("auto") is None
    with pytest.raises(MachineError, match="driver lists none on this machine"):
        choose("cuda:1")


def test_a_pytorch_for_processors_only_is_named(plugged: Plugged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading_utils.devices.choice.torch_knows_cuda", lambda: False)
    with pytest.raises(MachineError, match="built without CUDA"):
        choose("cuda")


def test_a_card_that_is_divided_into_instances_is_refused(plugged: Plugged) -> None:
    (plugged.root / "proc/driver/nvidia/capabilities/gpu1/mig/gi3").mkdir(parents=True)
    with pytest.raises(MachineError, match="divided into MIG instances"):
        choose("cuda:0")
    assert card("cuda:1").uuid == uuid_of(1)


def test_a_share_that_is_more_than_the_card_has_is_refused(plugged: Plugged) -> None:
    with pytest.raises(MachineError, match=r"it has 16000 MiB, and a submission's share is 20000 MiB"):
        choose("cuda", 20_000)


@pytest.mark.parametrize(("share", "places"), [(4096, 3), (16_000, 1), (8000, 2), (500, 32)])
def test_as_many_submissions_share_a_card_as_their_shares_fit(plugged: Plugged, share: int, places: int) -> None:
    gpu = card("cuda", share)
    assert gpu.places == places
    fraction = float(gpu.environment["GRADING_UTILS_GPU_FRACTION"])
    assert 0 < fraction * gpu.memory_mib <= max(share - CONTEXT_MIB, share / 2)


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "CUDA", "", "cpu:0", "cuda:0,1", "auto "])
def test_what_is_no_device_is_none(text: str) -> None:
    assert not is_wish(text)
    with pytest.raises(ValueError, match="no device"):
        choose(text)


def test_memory_that_the_driver_does_not_tell_is_left_out(plugged: Plugged) -> None:
    (plugged.root / "processes.csv").write_text("12, 300\n12, 200\n13, [N/A]\nNo running processes found\n")
    assert smi.used_mib() == {12: 500}


def test_libraries_of_the_loaders_cache_are_found_by_their_paths() -> None:
    listing = "3 libs found in cache `/etc/ld.so.cache'\n\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/nv/libcuda.so.1\n"
    assert nvidia.cached_libraries(listing) == [Path("/usr/lib/nv/libcuda.so.1")]
