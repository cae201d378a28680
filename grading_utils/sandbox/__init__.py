"""Processes: a jail, a warm process in it, testers and sealed students forked from that; it knows no notebooks.

::

    coordinator ── server.WarmProcess
        │ spawns
    jail (jail.py)        builds namespaces and a read-only root from view.py; watches; runs nobody's code
        │ executes
    warm process (warm.py)  set-up once, then forks; holds no secret
        ├─ tester           seal.seal_tester; asks for students (students.py), measures them (usage.py)
        └─ student          seal.seal_student: namespaces, limits, no capability, seccomp.py

`policy.py` says what is allowed, `channel.py` carries control messages, `kernel.py` has the system calls, `pages.py`
makes forks cheap, `probe.py` and `refusals.py` say what this machine offers.
"""

from grading_utils.sandbox.policy import Policy

__all__ = ["Policy"]
