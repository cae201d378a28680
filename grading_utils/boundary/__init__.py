"""What crosses between a student's process P and the tester T, and the code that runs at either end.

Who calls what (the sandbox owns the processes, this package owns what they say)::

    W, the warm process    warm.warmup.warm(payload: bytes) -> bytes
                               payload: msgpack of `messages.WarmRequest(cells=[source, ...])`, the leading
                               instructor cells in order; answer: msgpack of `messages.WarmReply`.
                               Runs them once, keeps shell and shared names for the forks. One call per W.
    P, forked from W       student.endpoint.serve(sock: socket.socket) -> None
                               returns when the other end closes; exit the process then. Never raises.
    T, forked from W       tester.notebook.main(sock: socket.socket, spawn_student: Callable[[], Student]) -> None
                               reads one frame with a `jobs.Job`, sends one frame with a `jobs.CellRun`
                               per cell from number `job.leading` on, in the job's order, then `messages.JobDone`.
                               `run(job, spawn_student) -> Iterator[CellRun]` is the same without a socket.
    the coordinator        `tester.notebook`: send_job(sock, job); read_runs(sock) -> Iterator[CellRun]
                           without_culprit(job, reported) -> Job | None: what to run after a tester died

What T needs of the sandbox is `tester.leash.Student` (a Protocol)::

    sock                      T's end of the stream socket on which P runs `endpoint.serve`
    start(seconds)            a new time budget begins, for all the processes of this student together
    wait_readable(sock)       returns once `sock` can be read (or has hung up); raises TimeoutError when the budget
    wait_writable(sock)       is used up. `sock` is any of T's sockets: a test cell has its own, to a fork of P
    interrupt()               SIGINT to every process of this student (idle ones ignore it)
    kill(), close()           SIGKILL to all of them; close also releases what this object holds
    why()                     why the student's process ended, in words; empty while it runs

P may fork (one process for each test cell, up to `messages.MAX_SNAPSHOTS` alive at once) and receives descriptors by
SCM_RIGHTS; it needs no other privilege. If P exits, T sees end of file. `spawn_student` is called again for a
replacement at most `notebook.MAX_REPLACEMENTS` times per job.

Rooms, in reading order (who may import whom is checked by `make check`):

    wire/      `errors`, `nodes` (what a value looks like as data), `frames` (bytes on a socket), `messages` (who may
               say what), `kinds` (what sort of thing an object is), `references`, `constants`, `generators`, `arrays`,
               `tables`, `libraries`, `codec` (Python objects to data and back), `raised` (exceptions), `operations`,
               `randomness`
    warm/      `outputs`, `shell`, `rehearsal`, `warmup`
    student/   `proxies`, `endpoint`
    tester/    `leash`, `received`; what a student reads of a hidden check: `syntax`, `origins`, `stack`, `wording`;
               `context`, `permits`, `changes`, `standins`, `session`, `held`, `namespace`, `hidden`,
               `sanitizer`, `testcell`, `verdicts`, `notebook`
"""
