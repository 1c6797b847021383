import threading

import pytest
from threadpoolctl import threadpool_info

from recommender.parallel import in_parallel


@pytest.mark.parametrize("workers", [1, 2, 5, None])
def test_results_come_in_the_order_of_the_things_whatever_the_number_of_workers(workers):
    assert list(in_parallel(lambda one: one * one, range(20), workers=workers)) == [one * one for one in range(20)]


def test_two_tasks_run_at_the_same_time():
    both = threading.Barrier(2, timeout=60)
    assert sorted(in_parallel(lambda _: both.wait(), range(2), workers=2)) == [0, 1]


def test_one_thing_alone_is_done_in_the_thread_of_the_caller():
    assert list(in_parallel(lambda _: threading.get_ident(), [1], workers=4)) == [threading.get_ident()]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_in_its_place_and_what_waits_is_not_begun(workers):
    begun = []

    def task(one):
        begun.append(one)
        return 1 / (3 - one)

    results = in_parallel(task, range(100), workers=workers)
    assert [next(results) for _ in range(3)] == [1 / 3, 1 / 2, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert max(begun) <= 3 + workers


def test_tasks_that_run_side_by_side_use_one_thread_of_linear_algebra_each():
    def threads(_):
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    found = list(in_parallel(threads, range(3), workers=2))
    assert all(set(one) == {1} for one in found)


def test_nothing_gives_nothing():
    assert list(in_parallel(abs, [])) == []
