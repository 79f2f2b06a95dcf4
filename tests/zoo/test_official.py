import errno
import io
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from algzoo.zoo import official as module
from algzoo.zoo.official import (
    EXAMPLE,
    EXAMPLE_FILE,
    KNOWN_DIGESTS,
    OfficialFileMissing,
    content_digest,
    fetch_official,
    official_state_dict,
    official_url,
    read_weights,
)

M22 = "2nd_argmax_2_2_1073741824_2"  # known
OTHER = "argmedian_4_5_1073741824_3"  # not known


def some_weights(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"rnn.weight_ih_l0": (2, 1), "rnn.weight_hh_l0": (2, 2), "linear.weight": (3, 2)}
    return {key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def pth(state, **options):
    buffer = io.BytesIO()
    torch.save(state, buffer, **options)
    return buffer.getvalue()


def same(state, other):
    return set(state) == set(other) and all(torch.equal(state[key], other[key]) for key in state)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}  # from path to bytes or to a function of the handler
        self.requests = []
        self.stop = threading.Event()
        self.base = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # clients that leave early are part of the tests


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        elif isinstance(answer, bytes):
            self.send(answer)
        else:
            answer(self)

    def send(self, content, length=None, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(module, "BUCKET", server.base)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server
        server.stop.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache of its own, no folder, and a bucket out of reach unless there is a server."""
    folder = tmp_path / "cache" / "algzoo"
    monkeypatch.setattr(module, "cache_folder", lambda: folder)
    monkeypatch.setattr(module, "BUCKET", "http://127.0.0.1:9")
    monkeypatch.delenv("ALGZOO_OFFICIAL", raising=False)
    return folder


@pytest.fixture
def folder(monkeypatch, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setenv("ALGZOO_OFFICIAL", str(folder))
    return folder


def assert_nothing_cached(cache):
    assert not cache.exists() or not list(cache.iterdir())


# In the folder


@pytest.mark.parametrize("name", KNOWN_DIGESTS)
def test_known_models_are_read_from_the_folder(official, server, name):
    state, path = official_state_dict(name)
    assert path == official / f"{name}.safetensors"
    assert same(state, load_file(path))
    assert not server.requests


@pytest.mark.parametrize("name", KNOWN_DIGESTS)
def test_digests_are_those_of_arcs_files(shared, name):
    state = load_file(shared / "data" / "official" / f"{name}.safetensors")
    assert content_digest(state) == KNOWN_DIGESTS[name]
    assert content_digest(dict(reversed(state.items()))) == KNOWN_DIGESTS[name]


def test_digest_tells_keys_shapes_types_and_numbers_apart():
    weight = torch.tensor([[1.0, 2.0]])
    states = [
        {"a": weight},
        {"b": weight},
        {"a": weight.T},
        {"a": weight.to(torch.float64)},
        {"a": -weight},
        {"a": weight[:, :1], "b": weight[:, 1:]},
    ]
    assert len({content_digest(state) for state in states}) == len(states)
    assert content_digest({"a": weight.T.contiguous().T}) == content_digest({"a": weight})


def test_folder_comes_first_and_safetensors_before_pth(folder, cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights(2))
    assert same(official_state_dict(OTHER)[0], some_weights(2))
    (folder / f"{OTHER}.pth").write_bytes(pth(some_weights(1)))
    assert same(official_state_dict(OTHER)[0], some_weights(1))
    save_file(some_weights(0), folder / f"{OTHER}.safetensors")
    assert same(official_state_dict(OTHER)[0], some_weights(0))
    assert len(server.requests) == 1


def test_a_tilde_in_the_folders_name_is_the_home(tmp_path, monkeypatch):
    save_file(some_weights(0), tmp_path / f"{OTHER}.safetensors")
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    monkeypatch.setenv("ALGZOO_OFFICIAL", f"~/{tmp_path.name}")
    state, path = official_state_dict(OTHER)
    assert path == tmp_path / f"{OTHER}.safetensors"
    assert same(state, some_weights(0))
    monkeypatch.setenv("ALGZOO_OFFICIAL", "~no user is called this/x")
    with pytest.raises(OfficialFileMissing, match="ALGZOO_OFFICIAL=~no user is called this/x"):
        official_state_dict(OTHER)


def test_example_may_have_arcs_file_name(shared, folder):
    state = load_file(shared / "data" / "official" / f"{EXAMPLE}.safetensors")
    path = folder / f"{EXAMPLE_FILE}.pth"
    path.write_bytes(pth(state))
    loaded, found = official_state_dict(EXAMPLE)
    assert found == path
    assert same(loaded, state)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_other_weights_under_a_known_name_are_refused_in_the_folder(folder, ending):
    path = folder / f"{M22}.{ending}"
    state = some_weights()
    path.write_bytes(pth(state)) if ending == "pth" else save_file(state, path)
    with pytest.raises(ValueError, match=KNOWN_DIGESTS[M22]) as error:
        official_state_dict(M22)
    assert str(path) in str(error.value)
    assert content_digest(state) in str(error.value)


def test_file_in_the_folder_that_is_broken_is_not_passed_over(folder, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    (folder / f"{OTHER}.pth").write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        official_state_dict(OTHER)


# Reading


@pytest.mark.parametrize("kind", [dict, OrderedDict])
@pytest.mark.parametrize("zipped", [True, False])
def test_pth_files_old_and_new(tmp_path, kind, zipped):
    path = tmp_path / "weights.pth"
    path.write_bytes(pth(kind(some_weights()), _use_new_zipfile_serialization=zipped))
    assert same(read_weights(path), some_weights())


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.write_text, (self.target, "executed")


def broken(tmp_path):
    good = pth(some_weights())
    middle = good.index(some_weights()["linear.weight"].numpy().tobytes())
    flipped = bytearray(good)
    flipped[middle + 3] ^= 0x10
    swollen = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(good)) as source,
        zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
        target.writestr("archive/data/99", bytes(module.MAX_BYTES))
    marker = tmp_path / "executed"
    repeated = torch.ones(1).expand(10**12)
    return {
        "empty": (b"", "is empty"),
        "cut in half": (good[: len(good) // 2], "damaged"),
        "last byte lost": (good[:-1], "damaged"),
        "flipped bit": (bytes(flipped), "damaged"),
        "noise": (bytes(range(256)) * 8, "damaged"),
        "web page": (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
        "not finite": (pth({"w": torch.tensor([1.0, torch.nan])}), "'w' holds a weight that is n"),
        "list": (pth([torch.ones(2)]), "not hold a dictionary of tensors"),
        "no weights": (pth({}), "not hold a dictionary of tensors"),
        "number": (pth({"w": 1.0}), "other than named tensors"),
        "unnamed": (pth({1: torch.ones(2)}), "other than named tensors"),
        "float64": (pth({"w": torch.ones(2, dtype=torch.float64)}), "float32"),
        "sparse": (pth({"w": torch.eye(2).to_sparse()}), "float32"),
        "meta": (pth({"w": torch.ones(2, device="meta")}), "float32"),
        "huge view": (pth({"w": repeated}), "describes more than"),
        "many views": (pth({str(i): torch.ones(1).expand(10**5) for i in range(20)}), "describes"),
        "zip bomb": (swollen.getvalue(), "damaged"),
        "too large": (bytes(module.MAX_BYTES + 1), "too large"),
        "plain bomb": (pickle.dumps(Bomb(marker)), "holds more than tensors"),
        "old bomb": (
            pth({"w": Bomb(marker)}, _use_new_zipfile_serialization=False),
            "holds more than tensors",
        ),
        "zipped bomb": (pth({"w": Bomb(marker)}), "holds more than tensors"),
    }


BROKEN = list(broken(Path()))


@pytest.mark.parametrize("damage", BROKEN)
def test_broken_pth_files_are_refused_by_path(tmp_path, damage):
    content, message = broken(tmp_path)[damage]
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_weights(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()


def test_bombs_would_go_off(tmp_path):
    pickle.loads(broken(tmp_path)["plain bomb"][0])
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize("seed", range(40))
def test_any_flipped_bit_or_cut_is_refused_or_harmless(tmp_path, seed):
    generator = torch.Generator().manual_seed(seed)
    good = pth(some_weights(), _use_new_zipfile_serialization=bool(seed % 4))
    place = int(torch.randint(len(good), (), generator=generator))
    damaged = bytearray(good)
    damaged[place] ^= 1 << seed % 8
    path = tmp_path / "weights.pth"
    path.write_bytes(damaged)
    try:
        state = read_weights(path)
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017 (it may as well not be raised)
    else:
        assert seed % 4 == 0 or [*map(torch.Tensor.tolist, state.values())] == [
            *map(torch.Tensor.tolist, some_weights().values())
        ]
    path.write_bytes(good[:place])
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_weights(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html></html>", bytes(64), b"\xff" * 64, b"\x00\x00\x00\x00\x00\x00\x00\x7f{}"],
)
def test_broken_safetensors_files_are_refused_by_path(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        read_weights(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "weight",
    [torch.ones(2, dtype=torch.int64), torch.ones(2).to(torch.float8_e4m3fn)],
)
def test_safetensors_of_other_number_types_are_refused(tmp_path, weight):
    path = tmp_path / "weights.safetensors"
    save_file({"w": weight}, path)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_weights(path)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_what_is_no_file_is_refused_by_path(tmp_path, ending):
    path = tmp_path / f"weights.{ending}"
    with pytest.raises(FileNotFoundError, match=re.escape(str(path))):
        read_weights(path)
    os.mkfifo(path)
    with pytest.raises(ValueError, match="not a regular file"):
        read_weights(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=re.escape(str(path))):
        read_weights(path)


def test_other_endings_are_not_read(tmp_path):
    path = tmp_path / "weights.pkl"
    path.write_bytes(pth(some_weights()))
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_weights(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(folder):
    path = folder / f"{OTHER}.pth"
    path.write_bytes(pth(some_weights()))
    path.chmod(0)
    with pytest.raises(PermissionError, match=re.escape(str(path))):
        official_state_dict(OTHER)


# Fetching


def test_fetched_once_then_read_from_the_cache(cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    path = fetch_official(OTHER)
    assert path == cache / f"{OTHER}.pth"
    assert fetch_official(OTHER) == path
    state, found = official_state_dict(OTHER)
    assert found == path
    assert same(state, some_weights())
    assert server.requests == [f"/zoo/{OTHER}.pth"]
    assert {file.name for file in cache.iterdir()} == {f"{OTHER}.pth", f"{OTHER}.sha256"}
    assert (cache / f"{OTHER}.sha256").read_text() == content_digest(some_weights()) + "\n"


def test_example_is_fetched_by_arcs_file_name(shared, cache, server):
    state = load_file(shared / "data" / "official" / f"{EXAMPLE}.safetensors")
    server.answers[f"/{EXAMPLE_FILE}.pth"] = pth(state)
    loaded, path = official_state_dict(EXAMPLE)
    assert path == cache / f"{EXAMPLE}.pth"
    assert same(loaded, state)


def test_addresses_are_arcs(monkeypatch):
    monkeypatch.undo()
    bucket = "https://storage.googleapis.com/arc-ml-public/alg"
    assert official_url(M22) == f"{bucket}/zoo/{M22}.pth"
    assert official_url(EXAMPLE) == f"{bucket}/one_layer_16_hidden_94_acc_2nd_argmax.pth"


def test_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert module.cache_folder() == tmp_path / "algzoo"


def test_progress_bar_is_shown_only_when_asked_for(server, capsys):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    path = fetch_official(OTHER)
    assert capsys.readouterr() == ("", "")
    path.unlink()
    fetch_official(OTHER, progress=True)
    assert "100%" in capsys.readouterr().err


def test_redirects_are_followed(server):
    server.answers["/elsewhere"] = pth(some_weights())
    server.answers[f"/zoo/{OTHER}.pth"] = lambda h: h.send(b"", status=302, Location="/elsewhere")
    fetch_official(OTHER)
    assert same(official_state_dict(OTHER)[0], some_weights())


def test_other_weights_under_a_known_name_are_not_let_into_the_cache(cache, server):
    server.answers[f"/zoo/{M22}.pth"] = pth(some_weights())
    with pytest.raises(ValueError, match=KNOWN_DIGESTS[M22]) as error:
        fetch_official(M22)
    assert content_digest(some_weights()) in str(error.value)
    assert official_url(M22) in str(error.value)
    assert_nothing_cached(cache)


@pytest.mark.parametrize("name", [M22, OTHER])
@pytest.mark.parametrize("damage", ["other weights", "cut off", "empty"])
def test_cached_file_that_changed_is_refused_until_deleted(cache, shared, server, name, damage):
    right = some_weights()
    if name == M22:
        right = load_file(shared / "data" / "official" / f"{M22}.safetensors")
    server.answers[f"/zoo/{name}.pth"] = whole = pth(right)
    path = fetch_official(name)
    changed = {"other weights": pth(some_weights(1)), "cut off": whole[:-40], "empty": b""}
    path.write_bytes(changed[damage])
    for attempt in (official_state_dict, fetch_official):
        with pytest.raises(ValueError, match=f"delete the file.*algzoo fetch {name}") as error:
            attempt(name)
        assert str(path) in str(error.value)
        if damage == "other weights":
            assert content_digest(right) in str(error.value)
            assert content_digest(some_weights(1)) in str(error.value)
    path.unlink()
    assert same(official_state_dict(name)[0], right)


def test_record_that_was_spoilt_is_a_mismatch_and_is_replaced(cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    path = fetch_official(OTHER)
    path.with_suffix(".sha256").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="delete the file"):
        fetch_official(OTHER)
    path.unlink()
    fetch_official(OTHER)
    assert same(official_state_dict(OTHER)[0], some_weights())


def test_file_put_into_the_cache_by_hand_is_recorded(cache, server):
    cache.mkdir(parents=True)
    path = cache / f"{OTHER}.pth"
    path.write_bytes(pth(some_weights()))
    official_state_dict(OTHER)
    path.write_bytes(pth(some_weights(1)))
    with pytest.raises(ValueError, match="delete the file"):
        official_state_dict(OTHER)
    assert not server.requests


def _hang_at_once(handler):
    handler.server.stop.wait()


def _hang_in_the_middle(handler):
    handler.send(pth(some_weights())[:500], length=1500)
    handler.server.stop.wait()


def _trickle(handler):
    handler.send(b"", length=10**6)
    while not handler.server.stop.wait(0.01):
        handler.wfile.write(bytes(20))


def _cut_off(handler):
    content = pth(some_weights())
    handler.send(content[:-200], length=len(content))


def _cut_off_without_length(handler):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(pth(some_weights())[:-200])


def _hang_up(handler):
    handler.close_connection = True


def _redirect_to_web_page(handler):
    handler.server.answers["/login"] = b"<html>Please sign in</html>"
    handler.send(b"", status=302, Location="/login")


def _redirect_in_circles(handler):
    handler.send(b"", status=302, Location=handler.path)


def _too_large(handler):
    handler.send(bytes(module.MAX_BYTES + 1))


def _endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stop.is_set():
        handler.wfile.write(bytes(2**16))


SERVERS = {
    "hangs at once": (_hang_at_once, "timed out"),
    "hangs in the middle": (_hang_in_the_middle, "timed out"),
    "trickles": (_trickle, "did not arrive within"),
    "cuts off": (_cut_off, "IncompleteRead"),
    "cuts off without length": (_cut_off_without_length, "damaged"),
    "hangs up": (_hang_up, "ConnectionError"),
    "redirects to a web page": (_redirect_to_web_page, "the file sent .* holds a web page"),
    "redirects in circles": (_redirect_in_circles, "redirects"),
    "answers a web page": (b"<!DOCTYPE html><html></html>", "the file sent .* holds a web page"),
    "has no such file": (None, "404"),
    "fails": (lambda handler: handler.send_error(503), "503"),
    "sends too much": (_too_large, "larger than"),
    "never ends": (_endless, "larger than"),
    "sends nothing": (b"", "the file sent is empty"),
}


@pytest.mark.parametrize("behaviour", SERVERS)
def test_bad_servers_leave_the_cache_as_it_was(monkeypatch, cache, server, behaviour):
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    monkeypatch.setattr(module, "DEADLINE", 0.5)
    monkeypatch.setattr(module, "MAX_BYTES", 2**16)
    server.answers[f"/zoo/{OTHER}.pth"], reason = SERVERS[behaviour]
    with pytest.raises(OfficialFileMissing, match=reason) as error:
        fetch_official(OTHER)
    assert "\n" not in str(error.value)
    assert_nothing_cached(cache)
    monkeypatch.setattr(module, "TIMEOUT", 30)
    monkeypatch.setattr(module, "DEADLINE", 30)
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    assert same(official_state_dict(OTHER)[0], some_weights())


@pytest.mark.parametrize("damage", BROKEN)
def test_broken_files_do_not_enter_the_cache(tmp_path, cache, server, damage):
    server.answers[f"/zoo/{OTHER}.pth"] = broken(tmp_path)[damage][0]
    with pytest.raises(OfficialFileMissing, match="the file sent"):
        fetch_official(OTHER)
    assert_nothing_cached(cache)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("with_folder", [True, False])
def test_offline_and_absent_says_where_it_was_looked_for_and_how_to_get_it(
    request, cache, with_folder
):
    folder = request.getfixturevalue("folder") if with_folder else None
    with pytest.raises(FileNotFoundError) as error:
        official_state_dict(OTHER)
    assert type(error.value) is OfficialFileMissing
    message = str(error.value)
    for part in (
        f"{OTHER}.safetensors or {OTHER}.pth",
        f"ALGZOO_OFFICIAL={folder}" if with_folder else "ALGZOO_OFFICIAL names no folder",
        str(cache / f"{OTHER}.pth"),
        official_url(OTHER),
        "Connection refused",
        "into a folder",
        f"algzoo fetch {OTHER}",
    ):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name",
    [
        "",
        "2nd_argmax",
        "3rd_argmax_2_2_1073741824_2",
        "2nd_argmax_2_2_1073741824",
        "2nd_argmax_2_2_1073741824_2\n",
        "2nd_argmax_2_2_1073741824_-2",
        "../2nd_argmax_2_2_1073741824_2",
        "2nd_argmax_2_2_1073741824_02",
        "2nd_argmax_2_2_1073741824_²",
        "example",
    ],
)
def test_names_that_are_not_arcs(server, name):
    for attempt in (official_state_dict, fetch_official):
        with pytest.raises(ValueError, match=re.escape(f"no model {name!r}")):
            attempt(name)
    assert not server.requests


# The disk


def test_full_disk(monkeypatch, cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())

    def fsync(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="No space left") as error:
            fetch_official(OTHER)
    assert error.value.errno == errno.ENOSPC
    assert str(cache) in str(error.value)
    assert not isinstance(error.value, OfficialFileMissing)
    assert_nothing_cached(cache)
    fetch_official(OTHER)


def test_cache_that_cannot_be_made(cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(OSError, match=re.escape(str(cache))) as error:
        fetch_official(OTHER)
    assert not isinstance(error.value, OfficialFileMissing)


def test_cache_without_permission(monkeypatch, cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())

    def mkstemp(*args, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(cache))

    monkeypatch.setattr("tempfile.mkstemp", mkstemp)
    with pytest.raises(PermissionError, match=f"{re.escape(str(cache))}: Permission denied"):
        fetch_official(OTHER)


def test_cache_that_may_only_be_read_is_read(monkeypatch, cache):
    cache.mkdir(parents=True)
    (cache / f"{OTHER}.pth").write_bytes(pth(some_weights()))

    def mkstemp(*args, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(cache))

    monkeypatch.setattr("tempfile.mkstemp", mkstemp)
    assert same(official_state_dict(OTHER)[0], some_weights())


def test_interrupted_download_leaves_nothing(monkeypatch, cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())

    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "read_weights", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch_official(OTHER)
    assert_nothing_cached(cache)


# Several at once


def test_many_threads_fetch_the_same_file(cache, server):
    start = threading.Barrier(8)
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    outcomes = []

    def fetch():
        start.wait()
        try:
            for _ in range(5):
                state, path = official_state_dict(OTHER)
                outcomes.append(same(state, some_weights()))
                path.unlink(missing_ok=True)
        except FileNotFoundError:  # another thread took it away between finding and reading
            pass
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes
    assert set(map(repr, outcomes)) == {"True"}
    fetch_official(OTHER)
    assert {file.name for file in cache.iterdir()} == {f"{OTHER}.pth", f"{OTHER}.sha256"}


PROCESS = """
import sys
from pathlib import Path
from algzoo.zoo import official
official.BUCKET = sys.argv[1]
official.cache_folder = lambda: Path(sys.argv[2])
print(official.content_digest(official.official_state_dict(sys.argv[3])[0]))
"""


def test_two_processes_fetch_the_same_file(cache, server):
    both_ask = threading.Barrier(2)

    def answer(handler):
        both_ask.wait(15)
        handler.send(pth(some_weights()))

    server.answers[f"/zoo/{OTHER}.pth"] = answer
    command = [sys.executable, "-c", PROCESS, server.base, str(cache), OTHER]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.communicate()[0].strip() == content_digest(some_weights())
        assert process.returncode == 0
    assert len(server.requests) == 2
    assert {file.name for file in cache.iterdir()} == {f"{OTHER}.pth", f"{OTHER}.sha256"}
    assert same(official_state_dict(OTHER)[0], some_weights())


def test_killed_in_the_middle_of_a_download(cache, server):
    server.answers[f"/zoo/{OTHER}.pth"] = _hang_in_the_middle
    command = [sys.executable, "-c", PROCESS, server.base, str(cache), OTHER]
    with subprocess.Popen(command) as process:
        until = time.monotonic() + 15
        while not server.requests and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    assert server.requests
    server.answers[f"/zoo/{OTHER}.pth"] = pth(some_weights())
    assert same(official_state_dict(OTHER)[0], some_weights())


def test_importing_touches_neither_network_nor_disk_nor_pooch(tmp_path):
    script = (
        "import sys, algzoo.zoo.official; "
        "print([m for m in ('pooch', 'requests') if m in sys.modules])"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "xdg")}
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert process.stdout.strip() == "[]", process.stderr
    assert not (tmp_path / "xdg").exists()
