"""The sandbox: what an estimator does is told in words, and the next one is not disturbed."""

import ctypes
import importlib
import os
import random
import signal
import subprocess
import sys
import threading
import time

import cloudpickle
import numpy as np
import pytest
import torch

from algzoo.estimates import Estimate, sampling
from algzoo.scoring.compute.sandbox import EstimatorFailure, Sandbox, packed

# The sandbox's interpreter cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def call(sandbox, gaussian_rnn):
    """Outcomes of an estimator on a few models."""

    def outcomes(
        estimator, *, operations=None, scrambles=False, n_models=2, time_limit=20, seeds=(0, 1)
    ):
        models = [(gaussian_rnn(i, 2), seeds[i], 3 * i) for i in range(n_models)]
        job = packed((estimator, operations, scrambles))
        return list(sandbox.estimates(job, models, time_limit=time_limit))

    return outcomes


def good(model):
    return Estimate(0.25, 16, "never")


def returning(value=0.5, operations=16, runs_network="never"):
    return lambda model: Estimate(value, operations, runs_network)


def test_a_good_estimator_is_taken_at_its_word(call):
    found = call(lambda model: Estimate(float(model.linear.weight[0, 0] ** 2 % 1), 123, "never"))
    assert [(o.operations, o.runs_network) for o in found] == [(123, "never")] * 2
    assert found[0].value != found[1].value
    assert call(returning(np.float32(0.5), np.int64(7)))[0].value == 0.5
    assert call(lambda model: sampling(model, 50, 3))[0].operations == 50 * 16


def test_a_scramble_is_given_to_who_takes_one(call):
    def scrambled(model, scramble):
        return Estimate(scramble / 10, 16, "never")

    assert [one.value for one in call(scrambled, scrambles=True)] == [0.0, 0.3]
    with pytest.raises(EstimatorFailure, match="missing 1 required positional argument"):
        call(scrambled)


def raise_deep(model):
    raise ValueError("a reason\nof two lines")


def exit_in_python(model):
    sys.exit(0)


def exit_at_once(model):
    os._exit(3)


def exit_as_if_all_were_well(model):
    os._exit(0)


def exit_without_a_word(model):
    sys.exit()


def exit_with_words(model):
    sys.exit("no\nlicence")


def exit_from_a_thread(model):
    threading.Thread(target=os._exit, args=(5,)).start()
    time.sleep(60)


def leave_a_hook(model):
    model.linear.register_forward_hook(lambda module, args, output: 0 * output)
    return good(model)


def leave_a_hook_on_all_modules(model):
    torch.nn.modules.module.register_module_forward_pre_hook(lambda module, args: None)
    return good(model)


def leave_another_forward(model):
    model.forward = lambda x: x
    return good(model)


def hook_for_a_while(model):
    handle = model.register_forward_hook(lambda module, args, output: output)
    model(torch.zeros(1, 2, dtype=model.dtype))
    handle.remove()
    return good(model)


def exit_in_a_thread(model):
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    return good(model)


def exit_in_a_fork(model):
    if os.fork() == 0:
        sys.exit(3)
    os.wait()
    return good(model)


def crash(model):
    ctypes.string_at(0)


def mutate(model):
    with torch.no_grad():
        model.linear.weight[0, 0] += 1e-6
    return good(model)


def turn_to_another_task(model):
    model.task_name = "argmedian"
    return good(model)


def draw_torch(model):
    return Estimate(float(torch.rand(())), 16, "never")


def draw_numpy(model):
    return Estimate(float(np.random.normal() ** 2 % 1), 16, "chosen inputs")  # noqa: NPY002


def draw_python_and_torch(model):
    random.random()
    torch.manual_seed(123)
    return Estimate(0.5, 16, "never")


def kill_parent(model):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


class Unreadable:
    def __repr__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (raise_deep, r"raised ValueError: a reason of two lines \(test_sandbox.py, line \d+\)"),
        (exit_in_python, r"raised SystemExit, as by sys\.exit\(0\) \(test_sandbox.py, line \d+\)"),
        (exit_without_a_word, r"raised SystemExit, as by sys\.exit\(None\)"),
        (exit_with_words, r"raised SystemExit, as by sys\.exit\('no\\nlicence'\)"),
        (exit_from_a_thread, "ended its process with exit status 5"),
        (exit_at_once, "ended its process with exit status 3"),
        (exit_as_if_all_were_well, "ended its process with exit status 0"),
        (crash, "ended by signal SIGSEGV"),
        (mutate, "changed the model"),
        (turn_to_another_task, "changed the model"),
        (leave_a_hook, "changed the model"),
        (leave_a_hook_on_all_modules, "changed the model"),
        (leave_another_forward, "changed the model"),
        (draw_torch, "torch's global random generator, although its runs_network is 'never'"),
        (
            draw_numpy,
            "NumPy's global random generator, although its runs_network is 'chosen inputs'",
        ),
        (draw_python_and_torch, "torch's and Python's global random generator"),
        (lambda model: 0.5, "returned 0.5, which is not an algzoo.estimates.Estimate"),
        (lambda model: None, "returned None, which is no"),
        (lambda model: Unreadable(), "raised RuntimeError: no words"),
        (lambda: Estimate(0.5, 16, "never"), "raised TypeError"),
        (returning(float("nan")), "raised ValueError: the value of an Estimate is .* not nan"),
        (returning(1.0000001), r"1.0000001 is outside \[0, 1\]"),
        (returning(-1e-9), r"-1e-09 is outside \[0, 1\]"),
        (returning(operations=0), "operations are 0, not a positive number"),
        (returning(operations=-5), "operations of an Estimate are a whole number, not -5"),
        (returning(runs_network="E"), "runs_network of an Estimate is .* not 'E'"),
        (lambda model: [][model.seq_len], "raised IndexError"),
        (lambda model: "x" * 10**6 + 1, "raised TypeError"),
    ],
)
def test_what_an_estimator_does_instead_is_told_in_words(call, estimator, reason):
    with pytest.raises(EstimatorFailure, match=reason):
        call(estimator)
    assert [outcome.value for outcome in call(good)] == [0.25, 0.25]


@pytest.mark.parametrize("estimator", [hook_for_a_while, exit_in_a_thread, exit_in_a_fork])
def test_what_leaves_nothing_behind_is_no_failure(call, estimator):
    assert [outcome.value for outcome in call(estimator)] == [0.25, 0.25]


def loop(model):
    while True:
        pass


def hold_the_lock(model):
    ctypes.PyDLL(None).pause()  # in C, with the interpreter's lock held


@pytest.mark.parametrize("estimator", [loop, hold_the_lock])
def test_one_that_hangs_is_ended_in_time(call, estimator):
    call(good)
    start = time.monotonic()
    with pytest.raises(EstimatorFailure, match=r"took longer than 0\.3 s"):
        call(estimator, time_limit=0.3)
    assert time.monotonic() - start < 5
    assert call(good)


def test_an_interpreter_that_is_killed_is_started_again(call):
    with pytest.raises(EstimatorFailure, match="its process was ended"):
        call(kill_parent)
    assert call(good)


def test_the_limit_is_for_each_call(call):
    def slow(model):
        time.sleep(0.4)
        return good(model)

    assert len(call(slow, time_limit=0.7)) == 2


def test_sampling_may_use_the_global_generators_which_start_alike(call):
    def sampler(model):
        value = (torch.rand(()) + np.random.rand() + random.random()) / 3  # noqa: NPY002
        return Estimate(float(value), 16, "random inputs")

    first, second = call(sampler)
    assert first.value != second.value
    # Of the seed of the call, whatever was called before.
    assert call(sampler, seeds=(1, 0))[::-1] == [first, second]


def test_declared_operations_are_compared(call):
    assert call(good, operations=lambda model: 4 * model.seq_len * model.hidden_size)
    with pytest.raises(EstimatorFailure, match=r"declares 17 operations .* its estimate says 16"):
        call(good, operations=lambda model: 17)
    with pytest.raises(EstimatorFailure, match="raised ZeroDivisionError"):
        call(good, operations=lambda model: 1 // 0)


def test_what_it_prints_and_reads_is_not_in_the_way(call):
    def noisy(model):
        print("x" * 100_000)
        os.write(1, b"y" * 1000)
        os.write(2, b"z")
        return Estimate(0.5 if sys.stdin.read() == "" else 0.0, 16, "never")

    assert [outcome.value for outcome in call(noisy)] == [0.5, 0.5]


def test_what_it_starts_ends_with_it(call, tmp_path):
    def start(model):
        process = subprocess.Popen(["sleep", "600"])
        (tmp_path / "process").write_text(str(process.pid))
        return good(model)

    call(start, n_models=1)
    state = f"/proc/{(tmp_path / 'process').read_text()}/stat"
    for _ in range(100):  # whoever inherits it may take its time to notice
        try:
            with open(state) as file:  # noqa: PTH123
                if file.read().split(")")[-1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    pytest.fail("still running")


def test_nothing_stays_from_one_job_to_the_next(call):
    def spoil(model):
        Estimate.__init__ = None
        torch.set_default_dtype(torch.float64)
        return 0.5

    with pytest.raises(EstimatorFailure, match="not an algzoo"):
        call(spoil)
    assert call(lambda model: Estimate(float(torch.zeros(()).dtype == torch.float32), 1, "never"))


def test_one_that_cannot_be_sent_or_loaded(sandbox):
    lock = threading.Lock()
    with pytest.raises(EstimatorFailure, match="cannot be sent to another process: TypeError"):
        packed(lambda model: lock)

    class Unloadable:
        def __reduce__(self):
            return (int, ("no number",))

    with pytest.raises(EstimatorFailure, match=r"cannot be loaded .* ValueError: invalid literal"):
        list(sandbox.estimates(packed((Unloadable(), None, False)), [], time_limit=1))


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        ("sys.exit(2)", r"cannot be loaded in a fresh interpreter: .* as by sys\.exit\(2\)"),
        ("os._exit(2)", "ended its process with exit status 2"),
    ],
)
def test_a_module_that_exits_where_it_is_imported_anew(
    sandbox, tmp_path, monkeypatch, leave, reason
):
    name = f"leaves_by_{leave[:2]}"
    (tmp_path / f"{name}.py").write_text(
        f"import os, sys\nif os.getpid() != {os.getpid()}:\n    {leave}\n"
        "def estimate(model):\n    return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module(name)
    with pytest.raises(EstimatorFailure, match=reason):
        list(
            sandbox.estimates(
                packed((module.estimate, None, False)),
                [],
                time_limit=9,
                import_path=[str(tmp_path)],
            )
        )


def test_one_that_exits_where_it_is_packed():
    class Leaving:
        def __reduce__(self):
            sys.exit(3)

    with pytest.raises(EstimatorFailure, match=r"cannot be sent .* as by sys\.exit\(3\)"):
        packed(Leaving())


def test_models_that_hold_what_only_cloudpickle_can_send(sandbox, gaussian_rnn):
    model = gaussian_rnn(0, 2)
    model.note = lambda: "of the user"
    model.register_full_backward_hook(lambda *_: None)  # changes no output
    [outcome] = sandbox.estimates(packed((good, None, False)), [(model, 0, 0)], time_limit=20)
    assert outcome.value == 0.25
    model.note = threading.Lock()
    with pytest.raises(EstimatorFailure, match="cannot be sent to another process"):
        list(sandbox.estimates(packed((good, None, False)), [(model, 0, 0)], time_limit=20))


def test_modules_are_found_where_the_caller_finds_them(sandbox, tmp_path, monkeypatch, make_rnn):
    (tmp_path / "found_only_here.py").write_text(
        "from algzoo.estimates import Estimate\n"
        "def estimate(model):\n    return Estimate(0.75, 16, 'never')\n"
    )
    models = [(make_rnn([1], [[1]], [[1], [0]]), 0, 0)]
    # A process knows the folders of its caller from when it starts, which is now at the latest.
    list(sandbox.estimates(packed((good, None, False)), models, time_limit=20))
    monkeypatch.syspath_prepend(tmp_path)
    import found_only_here

    job = packed((found_only_here.estimate, None, False))
    with pytest.raises(EstimatorFailure, match="ModuleNotFoundError"):
        list(sandbox.estimates(job, models, time_limit=9))
    [outcome] = sandbox.estimates(job, models, time_limit=9, import_path=[str(tmp_path)])
    assert outcome.value == 0.75


def test_a_fit_gives_an_estimator(sandbox, gaussian_rnn):
    def fit(models, truths):
        mean = sum(truths) / len(models)
        return lambda model: Estimate(mean, 3, "never")

    models = [gaussian_rnn(seed, 2) for seed in range(4)]
    job = sandbox.fitted(packed((fit, None, False)), models, [0.1, 0.2, 0.3, 0.8], time_limit=20)
    [outcome] = sandbox.estimates(job, [(models[0], 0, 0)], time_limit=20)
    assert outcome.value == pytest.approx(0.35)


@pytest.mark.parametrize(
    ("fit", "reason"),
    [
        (lambda models, truths: 1 / 0, "raised ZeroDivisionError"),
        (lambda models, truths: threading.Lock(), "cannot be sent to another process"),
        (lambda models, truths: time.sleep(60), r"its fit took longer than 0\.5 s"),
    ],
)
def test_a_fit_that_fails_is_told_in_words(sandbox, gaussian_rnn, fit, reason):
    with pytest.raises(EstimatorFailure, match=reason):
        sandbox.fitted(packed((fit, None, False)), [gaussian_rnn(0, 2)], [0.5], time_limit=0.5)


def test_a_closed_sandbox_leaves_no_process(gaussian_rnn):
    sandbox = Sandbox()
    job = packed((lambda model: Estimate(0.5, os.getppid(), "never"), None, False))
    outcomes = sandbox.estimates(job, [(gaussian_rnn(0, 2), 0, 0)] * 3, time_limit=20)
    interpreter = next(outcomes).operations
    outcomes.close()  # in the middle of a job
    sandbox.close()
    with pytest.raises(ProcessLookupError):
        os.kill(interpreter, 0)
