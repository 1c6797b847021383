"""One task per processor core, results in order: the same whatever the number of cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_parallel(
    task: Callable[[Thing], Result], things: Sequence[Thing], *, workers: int | None = None
) -> Iterator[Result]:
    """The result of the task for each thing, in their order; an error of a task is raised in its place.

    The tasks run in ``workers`` threads, by default one per core this process may use: NumPy, SciPy and the compiled
    models let go of the interpreter while they work, and threads share the data. Meanwhile linear algebra takes one
    thread per task, which is faster than all of them waiting for each other, and gives the same numbers on any
    machine. No more results are held than there are workers. One thing alone is done in the caller's thread.
    """
    if workers is None:
        from joblib import cpu_count

        workers = cpu_count()
    if min(workers, len(things)) < 2:
        yield from map(task, things)
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for thing in things:
                waiting.append(pool.submit(task, thing))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
