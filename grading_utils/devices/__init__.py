"""GPUs of this machine: which there are, what using one takes, whose memory is in use; nothing here calls CUDA.

`nvidia.py` reads what the driver shows in the file system, `smi.py` asks `nvidia-smi`, `choice.py` picks.
"""
