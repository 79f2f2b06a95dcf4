"""The whole zoo, with few steps and few models."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from algzoo.zoo import FAMILIES, SEEDS, load_model
from algzoo.zoo.families import Family
from algzoo.zoo.scores import DATA
from algzoo.zoo.training import rebuild, train, train_all

STEP = 1024  # sequences


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def few_models(monkeypatch):
    """Two families with six models between them."""
    monkeypatch.setattr(rebuild, "SEEDS", (0, 2))
    for name, hidden_sizes, seq_lens in (
        ("median", (2, 32), (3,)),
        ("longest_cycle", (3,), (3, 4)),
    ):
        family = Family(name, FAMILIES[name].build, hidden_sizes, seq_lens)
        monkeypatch.setitem(FAMILIES, name, family)


def small(folder, **arguments):
    settings = {
        "families": ["median", "longest_cycle"],
        "n_train": 8 * STEP,
        "checkpoints": 1,
        "device": "cpu",
        "progress": False,
    }
    train_all(folder, **{**settings, **arguments})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_model_is_written_as_the_bundled_ones_are(tmp_path):
    small(tmp_path, families=["longest_cycle"], n_train=STEP)
    family = FAMILIES["longest_cycle"]
    names = {f"longest_cycle_{d}_{n}.safetensors" for d, n in family.sizes()}
    resume_files = {f"longest_cycle_{n}_{STEP}.resume.pt" for n in family.seq_lens}
    assert {path.name for path in tmp_path.iterdir()} == names | resume_files
    for d, n in family.sizes():
        written = load_file(tmp_path / f"longest_cycle_{d}_{n}.safetensors")
        bundled = load_file(DATA / "weights" / f"longest_cycle_{d}_{n}.safetensors")
        first = {key for key in bundled if key.startswith("0_")}
        assert {key for key in written if key.startswith("0_")} == first
        assert all(torch.equal(written[key], bundled[key]) for key in first)
        assert written.keys() == first | {key.replace("0_", "1024_", 1) for key in first}
        assert len(first) == len(SEEDS) * len(load_model("longest_cycle", d, n).state_dict())


@pytest.mark.usefixtures("few_models")
def test_checkpoints_are_those_of_training_each_model(tmp_path):
    small(tmp_path / "all")
    assert {path.name for path in (tmp_path / "all").glob("*.safetensors")} == {
        "median_2_3.safetensors",
        "median_32_3.safetensors",
        "longest_cycle_3_3.safetensors",
        "longest_cycle_3_4.safetensors",
    }
    for family, hidden_size, seq_len in (("median", 32, 3), ("longest_cycle", 3, 4)):
        tensors = load_file(tmp_path / "all" / f"{family}_{hidden_size}_{seq_len}.safetensors")
        seen = set()
        for seed in (0, 2):
            train(
                family,
                hidden_size=hidden_size,
                seq_len=seq_len,
                n_train=8 * STEP,
                n_val=0,
                seed=seed,
                checkpoints=1,
                folder=tmp_path / "single",
                device="cpu",
                progress=False,
            )
            for n_seqs in (0, 4 * STEP, 8 * STEP):
                name = f"{family}_{hidden_size}_{seq_len}_{n_seqs}_{seed}.pth"
                single = torch.load(tmp_path / "single" / name, weights_only=True)
                for key, weight in single.items():
                    entry = f"{n_seqs}_{seed}/{key}"
                    seen.add(entry)
                    torch.testing.assert_close(tensors[entry], weight, rtol=0, atol=1e-6)
        assert seen == tensors.keys()


@pytest.mark.usefixtures("few_models")
def test_a_run_stopped_at_any_write_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    """Stopped again and again, each time just before a file gets its name."""
    arguments = {"checkpoints": 2, "save_every": 2}
    small(tmp_path / "whole", **arguments)
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
            small(folder, **arguments)
            break
        except Killed:
            writes += 1
    assert writes > 8
    assert contents(folder) == contents(tmp_path / "whole")


def last_written(folder):
    """When a resume file was written last, in nanoseconds; 0 where there is none."""
    return max((path.stat().st_mtime_ns for path in folder.glob("*.resume.pt")), default=0)


def test_a_killed_process_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    arguments = {
        "families": ["median"],
        "n_train": 96 * STEP,
        "checkpoints": 5,
        "save_every": 6,
        "device": "cpu",
        "progress": False,
    }
    script = (
        "import sys; from algzoo.zoo.families import FAMILIES, Family; "
        "from algzoo.zoo.training import train_all; "
        "FAMILIES['median'] = Family('median', FAMILIES['median'].build, (2, 4), (2, 3)); "
        "print('ready', flush=True); train_all(sys.argv[1], **eval(sys.argv[2]))"
    )

    def start():
        command = [sys.executable, "-c", script, str(tmp_path / "killed"), repr(arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        return process

    small_family = Family("median", FAMILIES["median"].build, (2, 4), (2, 3))
    monkeypatch.setitem(FAMILIES, "median", small_family)
    train_all(tmp_path / "whole", **arguments)
    moments = random.Random(0)
    last = 0
    for _ in range(2):
        with start() as process:
            while last >= (written := last_written(tmp_path / "killed")):
                assert process.poll() is None
                time.sleep(0.001)
            last = written
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
        assert process.returncode == -signal.SIGKILL
    with start() as process:
        assert process.wait() == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def stopped(folder, **arguments):
    """Leave the resume file of the first group after its first checkpoint."""
    with pytest.MonkeyPatch.context() as patch:

        def write(state, path, _write=rebuild.write_resume_file):
            _write(state, path)
            raise Killed

        patch.setattr(rebuild, "write_resume_file", write)
        with pytest.raises(Killed):
            small(folder, **arguments)
    return folder / f"median_3_{8 * STEP}.resume.pt"


@pytest.mark.usefixtures("few_models")
def test_finished_groups_are_not_trained_again(tmp_path, monkeypatch):
    small(tmp_path / "whole")
    folder = tmp_path / "stopped"
    trained = []

    def advance(group, _advance=rebuild.Group.advance):
        trained.append((group.recipe.task_name, group.recipe.seq_len))
        if group.recipe.seq_len == 4 and "stopped once" not in trained:
            trained.append("stopped once")
            raise Killed
        _advance(group)

    monkeypatch.setattr(rebuild.Group, "advance", advance)
    with pytest.raises(Killed):
        small(folder)
    assert {path.name for path in folder.glob("*.resume.pt")} == {
        f"{name}_{8 * STEP}.resume.pt" for name in ("median_3", "longest_cycle_3")
    }
    trained = ["stopped once"]
    small(folder)
    assert set(trained[1:]) == {("longest_cycle", 4)}
    assert contents(folder) == contents(tmp_path / "whole")
    trained = ["stopped once"]
    small(folder)
    assert trained == ["stopped once"]
    assert contents(folder) == contents(tmp_path / "whole")


@pytest.mark.usefixtures("few_models")
@pytest.mark.parametrize(("argument", "value"), [("checkpoints", 2), ("seed", [0, 1])])
def test_other_arguments_do_not_go_on_from_the_same_file(argument, value, tmp_path, monkeypatch):
    path = stopped(tmp_path)
    before = contents(tmp_path)
    if argument == "seed":
        monkeypatch.setattr(rebuild, "SEEDS", (0, 1))
        arguments, value = {}, [0, 1, 0, 1]
    else:
        arguments = {argument: value}
    with pytest.raises(ValueError, match="delete") as error:
        small(tmp_path, **arguments)
    assert f"{path} belongs to a training with {argument}=" in str(error.value)
    assert f"not {value}" in str(error.value)
    assert contents(tmp_path) == before


@pytest.mark.usefixtures("few_models")
def test_damaged_resume_file_is_named(tmp_path):
    path = stopped(tmp_path)
    content = path.read_bytes()
    state = torch.load(path, weights_only=True)
    at = content.index(state["stacks"][0][1].numpy().tobytes())
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    for damaged in (b"", content[:1000], flipped):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"damaged.*delete") as error:
            small(tmp_path)
        assert str(path) in str(error.value)
    del state["digest"]
    for part in ("stacks", "generators", "checkpoints"):
        rebuild.write_resume_file({**state, part: None}, path)
        with pytest.raises(ValueError, match=r"damaged.*delete"):
            small(tmp_path)
    short = [[tensor[:1] for tensor in stack] for stack in state["stacks"]]
    rebuild.write_resume_file({**state, "stacks": short}, path)
    with pytest.raises(ValueError, match=r"damaged.*delete"):
        small(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"families": ["modus"]}, "No family with name 'modus'.*2nd_argmax, argmedian"),
        ({"n_train": 1023}, "n_train must be at least batch_size, 1024, not 1023"),
        ({"n_train": 2.0**30}, "n_train must be a whole number"),
        ({"checkpoints": -1}, "checkpoints .* not -1"),
        ({"save_every": 0}, "save_every .* not 0"),
        ({"device": "tpu"}, "'tpu'.*cpu"),
    ],
)
def test_impossible_arguments_are_named_before_anything_is_written(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "folder", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("few_models")
def test_full_disk_is_reported_and_nothing_half_written_stays(tmp_path, monkeypatch):
    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*median_2_3\.safetensors: No space left"):
        small(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("few_models")
def test_state_of_torch_is_left_alone_and_progress_is_on_standard_error(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("RESULTS_DIR", str(tmp_path / "new" / "folder"))
    torch.manual_seed(5)
    before = torch.get_rng_state(), torch.get_float32_matmul_precision()
    with torch.no_grad():
        small(None, families=["median"], progress=True)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_float32_matmul_precision() == before[1]
    assert (tmp_path / "new" / "folder" / "median_32_3.safetensors").exists()
    captured = capsys.readouterr()
    assert not captured.out
    assert "median, length 3" in captured.err
    assert "8/8" in captured.err
    assert "saved at 8,192 sequences" in captured.err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.usefixtures("few_models")
def test_the_zoo_on_a_gpu_goes_on(tmp_path):
    small(tmp_path / "whole", device="cuda")
    stopped(tmp_path / "stopped", device="cuda")
    small(tmp_path / "stopped", device="cuda")
    assert contents(tmp_path / "stopped").keys() == contents(tmp_path / "whole").keys()
    for path in (tmp_path / "whole").glob("*.safetensors"):
        resumed, whole = load_file(tmp_path / "stopped" / path.name), load_file(path)
        for key, weight in whole.items():
            torch.testing.assert_close(resumed[key], weight, rtol=0, atol=1e-6)
