"""Submit work to an executor, and submit it again if a worker was lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from functools import partial
from typing import Any, TypeVar

from loky import cpu_count, get_reusable_executor

from .sandbox import die_with_parent

Key = TypeVar("Key")
Result = TypeVar("Result")

_LOSSES = 3  # of workers in a row with nothing finished in between, before it is given up
_IDLE = 120  # seconds after which a process without work ends
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def work_off(
    tasks: Mapping[Key, partial[Result]],
    finished: Callable[[Key, Result], Collection[Key]],
    *,
    executor: Executor | None = None,
    workers: int | None = None,
) -> None:
    """Run every task and call ``finished`` with its key and result, in no particular order.

    Parameters
    ----------
    tasks
        Calls of functions that can be imported, so that any executor can run them.
    finished
        Returns the keys of tasks that are not needed any more; they may be finished none the less.
    executor
        Where absent, processes of this machine, ``workers`` of them or one for each core; where
        neither is given and there is a single core, this process. What is lost with a process is
        done again; other executors see to that themselves.

    Raises
    ------
    BrokenExecutor
        Where workers die again and again, or that of the caller is broken.
    """
    if executor is None and workers is None and cpu_count() == 1:
        _work_off_here(tasks, finished)
        return
    remaining = dict(tasks)
    losses = 0
    while remaining:
        pool: Any = executor or _own_pool(workers or cpu_count())
        futures: dict[Future[Result], Key] = {}
        try:
            for key, task in remaining.items():
                futures[pool.submit(task)] = key
            of_key = {key: future for future, key in futures.items()}
            for future in as_completed(futures):
                key = futures[future]
                if key not in remaining:
                    continue
                result = future.result()
                del remaining[key]
                losses = 0
                for other in finished(key, result):
                    if remaining.pop(other, None) is not None:
                        of_key[other].cancel()
        except BrokenExecutor:
            losses += 1
            if executor is not None or losses > _LOSSES:
                raise
        except BaseException:
            for future in futures:
                future.cancel()
            if executor is None:
                pool.shutdown(kill_workers=True)
            raise


def _work_off_here(
    tasks: Mapping[Key, partial[Result]], finished: Callable[[Key, Result], Collection[Key]]
) -> None:
    unneeded: set[Key] = set()
    for key, task in tasks.items():
        if key not in unneeded:
            unneeded.update(finished(key, task()))


def _own_pool(workers: int) -> Any:
    """Processes of this machine; those of the last call, where they are not gone."""
    return get_reusable_executor(
        workers, timeout=_IDLE, env=_ONE_THREAD, initializer=die_with_parent
    )


def nothing_more(*_: Any) -> tuple[()]:
    """Say that every task is needed; for ``finished``."""
    return ()
