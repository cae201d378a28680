"""What travels between the processes, as both ends know it: values as data, frames, messages, exceptions."""
