import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from algzoo.zoo import TASKS, DistRNN, load_model
from algzoo.zoo.training import Recipe, train

SMALL = {
    "hidden_size": 4,
    "seq_len": 3,
    "batch_size": 32,
    "n_train": 32 * 60,
    "n_val": 100,
    "lr_warmup_steps": 10,
    "checkpoints": 2,
    "progress": False,
}
RECIPE = Recipe(
    task_name="2nd_argmax",
    hidden_size=4,
    seq_len=3,
    n_transformer_layers=2,
    n_transformer_heads=1,
    bias=False,
    discrete_eot=False,
    weight_decay=0.001,
    lr_base=0.04,
    lr_warmup_steps=2**14,
    lr_decay_min_mult=0.01,
    batch_size=1024,
    n_train=2**30,
    n_val=2**24,
    seed=0,
    checkpoints=10,
    device="cpu",
)


class Killed(BaseException):
    """Stands for the end of the process."""


def read(path):
    return torch.load(path, weights_only=True)


def assert_same_weights(state, expected):
    assert state.keys() == expected.keys()
    for key, weight in state.items():
        assert torch.equal(weight, expected[key]), key


def contents(folder):
    return {path.name: read(path) for path in folder.iterdir()}


def assert_same_files(folder, expected):
    found, expected = contents(folder), contents(expected)
    assert found.keys() == expected.keys()
    for name, state in found.items():
        assert_same_weights(state, expected[name])


def small(folder, task_name="2nd_argmax", **arguments):
    return train(task_name, **{**SMALL, "folder": folder, "device": "cpu", **arguments})


@pytest.mark.parametrize(
    ("family", "hidden_size", "seq_len", "seed"),
    [
        ("2nd_argmax", 2, 2, 0),
        ("2nd_argmax", 32, 10, 4),
        ("argmedian", 4, 5, 1),
        ("argmedian", 16, 11, 2),
        ("median", 2, 2, 3),
        ("median", 8, 10, 0),
        ("longest_cycle", 2, 3, 1),
        ("longest_cycle", 8, 6, 2),
    ],
)
def test_training_starts_from_the_first_checkpoint_of_the_zoo(
    family, hidden_size, seq_len, seed, tmp_path
):
    size = {"hidden_size": hidden_size, "seq_len": seq_len}
    small(tmp_path, family, **size, seed=seed, n_train=32, checkpoints=0)
    first = load_model(family, hidden_size, seq_len, n_seqs=0, seed=seed)
    saved = read(tmp_path / f"{family}_{hidden_size}_{seq_len}_0_{seed}.pth")
    assert_same_weights(saved, first.state_dict())


@pytest.mark.parametrize("family", TASKS)
def test_training_is_the_recipe_step_by_step(family, tmp_path):
    steps, batch, d, n, warmup = 40, 64, 4, 5, 8
    model = small(
        tmp_path,
        family,
        hidden_size=d,
        seq_len=n,
        batch_size=batch,
        n_train=batch * steps,
        lr_warmup_steps=warmup,
        seed=3,
    )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        plain = type(model)(d, n, **({"n_layers": 2} if family == "longest_cycle" else {}))
        optimizer = torch.optim.AdamW(plain.parameters(), lr=0.04 / d**0.5, weight_decay=0.001)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda s: min(s / warmup, 1) * max(0.01 ** (2 * s / steps), 0.01)
        )
        for _ in range(steps):
            if family == "longest_cycle":
                x = torch.randint(0, n, (batch, n))
            else:
                x = torch.randn(batch, n)
            output, answer = plain(x), TASKS[family](x)
            if family == "median":
                loss = ((output.squeeze(-1) - answer) ** 2).mean()
            else:
                loss = functional.cross_entropy(output, answer)
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    assert_same_weights(model.state_dict(), plain.state_dict())
    assert model.task_name == family


@pytest.mark.parametrize(
    ("step", "multiple"),
    [
        (0, 0),
        (2**12, 0.25 * 0.01 ** (2 * 2**12 / 2**20)),
        (2**14, 0.01 ** (2 * 2**14 / 2**20)),
        (2**18, 0.1),
        (2**19, 0.01),
        (2**20 - 1, 0.01),
    ],
)
def test_learning_rate_warms_up_and_decays_until_half_way(step, multiple):
    assert RECIPE.learning_rate(step) == pytest.approx(0.02 * multiple, rel=1e-12)


def test_defaults_save_the_checkpoints_of_the_zoo():
    seen = {1024 * step for step in RECIPE.checkpoint_steps}
    assert seen == {0, *(2**k for k in range(20, 31))}


def test_checkpoints_are_the_weights_at_their_steps(tmp_path, monkeypatch):
    monkeypatch.setenv("RESULTS_DIR", str(tmp_path / "new" / "folder"))
    model = small(None, seed=1)  # 60 steps of 32 sequences
    saved = contents(tmp_path / "new" / "folder")
    assert saved.keys() == {f"2nd_argmax_4_3_{32 * steps}_1.pth" for steps in (0, 15, 30, 60)}
    assert_same_weights(saved["2nd_argmax_4_3_1920_1.pth"], model.state_dict())
    for steps in (15, 30):
        folder = tmp_path / str(steps)
        stopped_after(steps, folder, seed=1)
        state = read(folder / "2nd_argmax_4_3_1920_1.resume.pt")
        assert state["step"] == steps
        assert_same_weights(saved[f"2nd_argmax_4_3_{32 * steps}_1.pth"], state["model"])


def stopped_after(steps, folder, **arguments):
    """Leave the resume file of step ``steps``, as a run that is killed right after it."""

    def replace(self, target, _replace=Path.replace):
        _replace(self, target)
        if str(target).endswith(".resume.pt"):
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(Killed):
            small(folder, save_every=steps, **arguments)


def test_training_improves_the_model(tmp_path):
    model = train(
        "2nd_argmax",
        hidden_size=2,
        seq_len=2,
        n_train=2**8 * 3000,
        batch_size=2**8,
        lr_warmup_steps=2**6,
        n_val=0,
        seed=2,
        folder=tmp_path,
        device="cpu",
        progress=False,
    )
    x = torch.randn(10_000, 2, generator=torch.Generator().manual_seed(0))
    untrained = load_model("2nd_argmax", 2, 2, n_seqs=0, seed=2)
    before, after = (
        (m(x).argmax(-1) == TASKS["2nd_argmax"](x)).double() for m in (untrained, model)
    )
    assert before.mean() < 0.8
    assert after.mean() > 0.95


def test_end_token_biases_and_heads(tmp_path):
    arguments = {"discrete_eot": True, "bias": True, "n_transformer_heads": 2}
    model = small(tmp_path, "longest_cycle", seq_len=4, n_transformer_layers=3, **arguments)
    assert (model.n_layers, model.n_heads, model.bias) == (3, 2, True)
    recipe = Recipe(**{**vars(RECIPE), "task_name": "longest_cycle", "discrete_eot": True})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x = recipe.sequences(1000, torch.device("cpu"))
    assert x.shape == (1000, 3)
    assert (x[:, -1] == 2).all()
    assert set(x[:, :-1].unique().tolist()) == {0, 1}
    assert torch.equal(TASKS["longest_cycle"](x), TASKS["longest_cycle"](x[:, :-1]))


def test_state_of_torch_is_left_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    backend = torch.backends.cudnn
    flags = backend.enabled, backend.benchmark, backend.deterministic, backend.allow_tf32
    with torch.no_grad():
        small(tmp_path)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)
    assert flags == (
        backend.enabled,
        backend.benchmark,
        backend.deterministic,
        backend.allow_tf32,
    )


@pytest.mark.parametrize("family", ["2nd_argmax", "median"])
def test_progress_shows_the_score_of_batches_and_of_the_validation(
    family, tmp_path, capsys, caplog, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    score = "RMSE" if family == "median" else "accuracy"
    small(tmp_path, family, progress=True, log_every=20, n_val=0)
    captured = capsys.readouterr()
    assert not captured.out
    assert f"{family} 4 3, seed 0" in captured.err
    assert "60/60" in captured.err
    assert re.search(rf"loss [0-9.]+, {score} [0-9.]+", captured.err)
    small(tmp_path, family, progress=True)
    assert re.search(rf"validated: {score} [0-9.]+", capsys.readouterr().err)
    with caplog.at_level(logging.INFO, "algzoo"):
        small(tmp_path, family)
    assert not capsys.readouterr().err
    assert re.search(rf"{family} 4 3, seed 0 validated: {score} [0-9.]+", caplog.text)


def test_validation_scores_fresh_sequences(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "algzoo"):
        model = small(tmp_path, n_train=32, n_val=70, checkpoints=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        DistRNN(4, 3)
        torch.randn(32, 3)
        x = torch.cat([torch.randn(n, 3) for n in (32, 32, 6)])
    accuracy = (model(x).argmax(-1) == TASKS["2nd_argmax"](x)).double().mean()
    assert f"accuracy {accuracy:.2%}" in caplog.text


def test_a_run_stopped_at_any_write_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    """Stopped again and again, each time just before a file gets its name."""
    arguments = {"task_name": "longest_cycle", "save_every": 7}
    whole = small(tmp_path / "whole", **arguments)
    folder = tmp_path / "stopped"
    writes = left = 0

    def fsync(number):
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    monkeypatch.setattr(os, "fsync", fsync)
    while True:
        left = writes  # so that each run gets one write further than the last
        try:
            model = small(folder, **arguments)
            break
        except Killed:
            writes = min(writes + 1, 3)
    assert writes == 3
    assert_same_weights(model.state_dict(), whole.state_dict())
    assert_same_files(folder, tmp_path / "whole")


def test_a_killed_process_goes_on_to_the_same_bits(tmp_path):
    arguments = {"batch_size": 64, "n_train": 64 * 2000, "save_every": 20, "seed": 7}
    small(tmp_path / "whole", **arguments)
    script = (
        "import sys; from algzoo.zoo.training import train; print('ready', flush=True); "
        "train('2nd_argmax', **eval(sys.argv[1]))"
    )
    settings = {**SMALL, **arguments, "folder": str(tmp_path / "killed"), "device": "cpu"}
    resume_file = tmp_path / "killed" / f"2nd_argmax_4_3_{64 * 2000}_7.resume.pt"

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", script, repr(settings)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        return process

    moments = random.Random(0)
    with start() as process:  # killed anywhere in the beginning
        time.sleep(moments.uniform(0, 0.5))
        process.kill()
    steps = [0]
    for _ in range(3):
        with start() as process:
            last = resume_file.stat().st_mtime_ns if resume_file.exists() else 0
            while not (resume_file.exists() and resume_file.stat().st_mtime_ns > last):
                assert process.poll() is None
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        steps.append(read(resume_file)["step"])
    assert steps == sorted(set(steps))  # each run got further than the last
    with start() as process:
        assert process.wait() == 0
    assert_same_files(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("lr_base", 0.05),
        ("weight_decay", 0.0),
        ("batch_size", 16),
        ("checkpoints", 3),
        ("bias", True),
        ("n_val", 7),
    ],
)
def test_other_arguments_do_not_go_on_from_the_same_file(argument, value, tmp_path):
    stopped_after(20, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    path = tmp_path / "2nd_argmax_4_3_1920_0.resume.pt"
    with pytest.raises(ValueError, match=f"{argument}=.*, not {value}.*delete") as error:
        small(tmp_path, **{argument: value})
    assert str(path) in str(error.value)
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_stopped_run_repeats_no_step_and_may_save_more_often(tmp_path, monkeypatch):
    small(tmp_path / "whole")
    stopped_after(20, tmp_path / "stopped")
    steps = []

    def learning_rate(self, step, _learning_rate=Recipe.learning_rate):
        steps.append(step)
        return _learning_rate(self, step)

    monkeypatch.setattr(Recipe, "learning_rate", learning_rate)
    small(tmp_path / "stopped", save_every=7, log_every=3)
    assert steps == list(range(20, 60))
    assert_same_files(tmp_path / "stopped", tmp_path / "whole")


def test_damaged_resume_file_is_named(tmp_path):
    stopped_after(20, tmp_path)
    path = tmp_path / "2nd_argmax_4_3_1920_0.resume.pt"
    content = path.read_bytes()
    at = content.index(read(path)["model"]["linear.weight"].numpy().tobytes())
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    for damaged in (b"", content[:1000], content[:-1], flipped, b"<html>"):
        path.write_bytes(damaged)
        before = torch.get_rng_state()
        with pytest.raises(ValueError, match=r"damaged.*delete") as error:
            small(tmp_path)
        assert str(path) in str(error.value)
        assert torch.equal(torch.get_rng_state(), before)
    for other in ({"step": 20}, [1], nn.Linear(1, 1).state_dict()):
        torch.save(other, path)
        with pytest.raises(ValueError, match="no resume file"):
            small(tmp_path)
    path.write_bytes(content)
    torch.save({**read(path), "model": {}}, path)
    with pytest.raises(ValueError, match="no resume file"):
        small(tmp_path)


def test_resume_file_executes_nothing(tmp_path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    path = tmp_path / "2nd_argmax_4_3_1920_0.resume.pt"
    torch.save({"arguments": Bomb()}, path)
    with pytest.raises(ValueError, match="damaged"):
        small(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_a_finished_run_trains_again(tmp_path):
    first = small(tmp_path).state_dict()
    (tmp_path / "2nd_argmax_4_3_1920_0.pth").unlink()
    assert_same_weights(small(tmp_path).state_dict(), first)
    assert len(list(tmp_path.iterdir())) == 4


def test_folder_that_cannot_be_written_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    for folder in (file, file / "below"):
        with pytest.raises(OSError, match="file"):
            small(folder)
    if os.geteuid():  # nothing is forbidden to root
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        with pytest.raises(OSError, match=r"cannot write .*locked"):
            small(locked)


def test_full_disk_is_reported_and_nothing_half_written_stays(tmp_path, monkeypatch):
    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*_0_0\.pth: No space left"):
        small(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task_name": "3rd_argmax"}, "'3rd_argmax'.*2nd_argmax, argmedian, median, longest_cycle"),
        ({"hidden_size": 0}, "hidden_size must be .* at least 1, not 0"),
        ({"hidden_size": 2.0}, r"hidden_size .* not 2\.0"),
        ({"hidden_size": True}, "hidden_size .* not True"),
        ({"seq_len": -1}, "seq_len .* not -1"),
        ({"seq_len": 1}, "seq_len .* at least 2, not 1"),
        ({"batch_size": 0}, "batch_size .* not 0"),
        ({"n_train": 31}, "n_train .* batch_size, 32, not 31"),
        ({"n_val": -1}, "n_val .* not -1"),
        ({"seed": -1}, "seed .* not -1"),
        ({"seed": 2**64}, "seed .* less than"),
        ({"checkpoints": None}, "checkpoints .* not None"),
        ({"log_every": 0}, "log_every .* not 0"),
        ({"save_every": 0}, "save_every .* not 0"),
        ({"lr_base": float("nan")}, "lr_base .* not nan"),
        ({"lr_base": "0.1"}, r"lr_base .* not '0\.1'"),
        ({"weight_decay": -0.1}, r"weight_decay .* not -0\.1"),
        ({"lr_decay_min_mult": 2}, "lr_decay_min_mult .* between 0 and 1, not 2"),
        ({"device": "tpu"}, "'tpu'.*cpu"),
        ({"device": "meta"}, "'meta'.*cpu"),
        ({"task_name": "longest_cycle", "n_transformer_heads": 3}, "n_transformer_heads .* 3"),
        ({"task_name": "longest_cycle", "seq_len": 1, "discrete_eot": True}, "seq_len .* 2"),
    ],
)
def test_impossible_arguments_are_named_before_anything_is_written(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "folder", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_training_on_a_gpu_goes_on(tmp_path):
    arguments = {"device": "cuda", "seed": 2}
    before = torch.cuda.get_rng_state()
    whole = small(tmp_path / "whole", **arguments)
    stopped_after(20, tmp_path / "stopped", **arguments)
    resumed = small(tmp_path / "stopped", **arguments)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    for key, weight in resumed.state_dict().items():
        assert weight.is_cuda
        torch.testing.assert_close(weight, whole.state_dict()[key])
