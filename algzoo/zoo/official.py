"""ARC's own weight files: read from a folder or the user cache, or downloaded; never distributed.

Every file is read as weights before it enters the cache. Whenever it is read from there, its
content is compared with a recorded digest.

References
----------
The addresses are those of ARC's package ``alg_zoo``, which reads the same files over ``gs://``.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import time
import zipfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import torch
from torch import Tensor

from .families import FAMILIES
from .files import temporary_file, write_whole
from .weight_files import WEIGHT_FILES, is_weight_file, read_state_dict

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OFFICIAL_FOLDER = "ALGZOO_OFFICIAL"  # environment variable: a folder with ARC's own weight files
BUCKET = "https://storage.googleapis.com/arc-ml-public/alg"
EXAMPLE = "example_2nd_argmax"
"""Name of ARC's example, for :func:`official_state_dict` and :func:`fetch_official`."""
EXAMPLE_FILE = "one_layer_16_hidden_94_acc_2nd_argmax"  # ARC's name for the example's file

MAX_BYTES = 4 * 2**20  # ARC's files are under 20 kB
TIMEOUT = 30.0  # seconds without an answer
DEADLINE = 120.0  # seconds for one file, even if bytes keep arriving

KNOWN_DIGESTS = {  # digests of the content, see content_digest
    "2nd_argmax_2_2_1073741824_2": (
        "c108be55b57863d7afb8a0d3acd23cff3ddaf4d4dfca528185557b8396bc1642"
    ),
    "example_2nd_argmax": ("003fd97eff8094d9cc3317349a41f3bafa283681c8062147d73958c2c687ffb7"),
    "longest_cycle_2_3_1073741824_0": (
        "720bfbba0ce85971eecaa71a6d5251c4fabd893facd8692bcec586d8411ead40"
    ),
}


class OfficialFileMissing(FileNotFoundError):  # noqa: N818 (named like its base)
    """ARC's own weights are neither in the folder nor in the cache and cannot be downloaded."""


def official_state_dict(name: str) -> tuple[dict[str, Tensor], Path]:
    """Return the weights of ARC's own model ``name``, and the file that they were read from.

    The function looks for the file in the folder that the environment variable ``ALGZOO_OFFICIAL``
    names, as ``name.safetensors`` or ``name.pth``; then in the user cache; then in ARC's public
    bucket, from which it copies the file into the cache.

    Parameters
    ----------
    name
        ``family_hidden_seq_nseqs_seed``, e.g. ``"2nd_argmax_2_2_1073741824_2"``, or
        ``"example_2nd_argmax"``.

    Raises
    ------
    OfficialFileMissing
        If the file is in none of them; the message says where it was looked for and how to get it.
    ValueError
        If there is no such name, or if the file holds no weights, or other weights than those known
        for that name.
    OSError
        If a file or the cache exists and cannot be read or written.
    """
    _check_name(name)
    folder = official_folder()
    files = [f"{name}.safetensors", f"{name}.pth"]
    if name == EXAMPLE:
        files.append(f"{EXAMPLE_FILE}.pth")
    for path in (folder / file for file in files if folder):
        if path.exists():
            state = read_weights(path)
            if name in KNOWN_DIGESTS:
                _check_digest(str(path), name, state, KNOWN_DIGESTS[name])
            return state, path
    setting = f"{OFFICIAL_FOLDER}={folder}" if folder else f"{OFFICIAL_FOLDER} names no folder"
    return _cached_or_fetched(name, f"{' or '.join(files)} ({setting}), ", progress=False)


def fetch_official(name: str, *, progress: bool = False) -> Path:
    """Return the file of ARC's own model ``name`` in the user cache; download it if it is missing.

    The network is not used if the file is there.

    Parameters
    ----------
    name
        As for :func:`official_state_dict`.
    progress
        Whether to show a progress bar on standard error.

    Raises
    ------
    OfficialFileMissing
        If it is not in the cache and cannot be downloaded.
    ValueError
        If there is no such name, or if the file is not the one recorded or known for that name.
    OSError
        If the cache cannot be read or written.
    """
    _check_name(name)
    return _cached_or_fetched(name, "", progress=progress)[1]


def official_folder() -> Path | None:
    """Return the folder that the environment variable ``ALGZOO_OFFICIAL`` names, if it is set.

    A leading tilde is the user's home, even if no shell has expanded it, as in a settings file.
    """
    folder = os.environ.get(OFFICIAL_FOLDER)
    return Path(os.path.expanduser(folder)) if folder else None  # noqa: PTH111 (never raises)


def cache_folder() -> Path:
    """Return the folder of the user's cache; it need not exist."""
    return platformdirs.user_cache_path("algzoo")


def official_url(name: str) -> str:
    """Return the address of ARC's own file of model ``name`` in ARC's public bucket."""
    return f"{BUCKET}/{EXAMPLE_FILE if name == EXAMPLE else f'zoo/{name}'}.pth"


def read_weights(
    path: Path, number_types: Collection[torch.dtype] = (torch.float32,)
) -> dict[str, Tensor]:
    """Read the state dict in the weight file at ``path``; nothing else is unpickled.

    Parameters
    ----------
    path
        Its ending determines the format, one of :data:`~algzoo.zoo.weight_files.WEIGHT_FILES`; case
        is ignored.
    number_types
        Number types that tensors may have; ARC's own files have only float32.

    Raises
    ------
    ValueError
        If the file is too large, is not a readable weight file, or holds anything but a dictionary
        of finite tensors of these types.
    OSError
        If the file does not exist, is not a file, or may not be read.
    """
    path = Path(path)
    content = _content(path)
    if not content:
        raise ValueError(f"{path} is empty")
    if not is_weight_file(path):
        raise ValueError(
            f"{path} is not a weight file: its name must end in one of {', '.join(WEIGHT_FILES)}"
        )
    if path.suffix.lower() != ".safetensors":
        return _checked_weights(path, _unpickled(path, content), number_types)
    try:
        state = read_state_dict(path)
    except Exception as error:
        if isinstance(error, ValueError | OSError) and str(path) in str(error):
            raise
        raise ValueError(f"{path} is not a readable safetensors file: {_line(error)}") from error
    return _checked_weights(path, state, number_types)


def content_digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of keys, number types, shapes and numbers of ``state``.

    It does not depend on the format of the file that held them.
    """
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key].detach().cpu()
        kind = str(tensor.dtype).removeprefix("torch.")
        # NumPy has no bfloat16: its bits are taken as they are.
        numbers = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()
        shape = ",".join(map(str, numbers.shape))
        digest.update(f"{key}\0{kind}\0{shape}\0".encode())
        digest.update(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _check_name(name: str) -> None:
    number = "(0|[1-9][0-9]{0,18})"
    families = "|".join(map(re.escape, FAMILIES))
    if name != EXAMPLE and not re.fullmatch(f"({families})(_{number}){{4}}", name):
        raise ValueError(
            f"ARC has no model {name!r}: its models are called family_hidden_seq_nseqs_seed, with "
            f"family one of {', '.join(FAMILIES)}, or {EXAMPLE}"
        )


def _content(path: Path) -> bytes:
    mode = path.stat().st_mode  # read once, because another process may remove the file
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"{path} is not a regular file")  # reading a pipe would never end
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES} bytes, too large for ARC's weights")
    return content


def _unpickled(path: Path, content: bytes) -> object:
    """Return the content of a ``torch.save`` file, read by PyTorch's restricted unpickler alone."""
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            _check_archive(content)
        state: object = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        # PyTorch's messages are not passed on: they advise unpickling without restriction.
        web_page = content.lstrip().startswith(b"<")
        reason = "it holds a web page" if web_page else "it is damaged or holds more than tensors"
        raise ValueError(f"{path} is not a readable {path.suffix} weight file: {reason}") from error
    return state


def _check_archive(content: bytes) -> None:
    """Refuse what PyTorch does not notice: flipped bits, and small files that unpack to much."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError("unpacks to too much")
        if archive.testzip() is not None:
            raise ValueError("wrong checksum")


def _checked_weights(
    path: Path, state: object, number_types: Collection[torch.dtype]
) -> dict[str, Tensor]:
    """Copy ``state`` to plain tensors if it is a dictionary of finite tensors of these types."""
    if not isinstance(state, dict) or not state:
        raise ValueError(f"{path} does not hold a dictionary of tensors")
    for key, tensor in state.items():
        if not isinstance(key, str) or type(tensor) not in (Tensor, torch.nn.Parameter):
            raise ValueError(f"{path} holds something other than named tensors")
        plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_nested or tensor.dtype not in number_types:
            listed = " or ".join(str(kind).removeprefix("torch.") for kind in number_types)
            raise ValueError(f"{path}: tensor {key!r} is not made of plain {listed} numbers")
    # A small file can describe a huge tensor that repeats one number.
    if sum(tensor.numel() * tensor.itemsize for tensor in state.values()) > MAX_BYTES:
        raise ValueError(f"{path} describes more than {MAX_BYTES} bytes of weights")
    weights = {
        key: torch.empty(t.shape, dtype=t.dtype).copy_(t.detach()) for key, t in state.items()
    }
    for key, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise ValueError(f"{path}: tensor {key!r} holds a weight that is not finite")
    return weights


def _check_digest(source: str, name: str, state: Mapping[str, Tensor], expected: str) -> None:
    found = content_digest(state)
    if found != expected:
        raise ValueError(
            f"{source} does not hold ARC's {name}: expected SHA-256 {expected} of its content, "
            f"found {found}"
        )


def _cached_or_fetched(
    name: str, looked_for: str, *, progress: bool
) -> tuple[dict[str, Tensor], Path]:
    path = cache_folder() / f"{name}.pth"
    if path.exists():
        try:
            return _read_cached(name, path), path
        except ValueError as error:
            advice = f"delete the file and fetch it again: algzoo fetch {name}"
            raise ValueError(f"{error}; {advice}") from error
    url = official_url(name)
    looked_for = f"{looked_for}{path}, {url}"
    try:
        content = _downloaded(url, progress)
    except Exception as error:
        raise _missing(name, looked_for, _line(error)) from error
    try:
        with temporary_file(path, content, path.suffix) as temporary:  # read by its ending
            try:
                state = read_weights(temporary)
            except ValueError as error:
                reason = str(error).replace(str(temporary), "the file sent")
                raise _missing(name, looked_for, reason) from error
            if name in KNOWN_DIGESTS:
                _check_digest(url, name, state, KNOWN_DIGESTS[name])
            # The digest is written first: a process that sees the file must find its digest.
            _record(path, content_digest(state))
            temporary.replace(path)
    except OfficialFileMissing:
        raise
    except OSError as error:
        why = f"cannot write ARC's {name} into the cache {path.parent}: {error.strerror or error}"
        raise OSError(error.errno, why) from error
    return state, path


def _read_cached(name: str, path: Path) -> dict[str, Tensor]:
    state = read_weights(path)
    expected = KNOWN_DIGESTS.get(name)
    if expected is None:
        try:
            expected = _digest_file(path).read_text("utf-8", errors="replace").strip()
        except FileNotFoundError:  # put there by hand
            expected = content_digest(state)
            with suppress(OSError):  # a read-only cache can still be read
                _record(path, expected)
    _check_digest(str(path), name, state, expected)
    return state


def _missing(name: str, looked_for: str, reason: str) -> OfficialFileMissing:
    return OfficialFileMissing(
        f"ARC's own weights {name} are not here. Looked for: {looked_for} ({reason}). To get them, "
        f"put the file {name}.safetensors or {name}.pth into a folder and name that folder in the "
        f"environment variable {OFFICIAL_FOLDER}, or run `algzoo fetch {name}` with network."
    )


class _Bounded(io.BytesIO):
    """Buffer for a download; it stops one that is too large or takes too long."""

    def __init__(self) -> None:
        super().__init__()
        self.until = time.monotonic() + DEADLINE

    def write(self, chunk: ReadableBuffer, /) -> int:
        if self.tell() + len(memoryview(chunk)) > MAX_BYTES:
            raise ValueError(f"the file sent is larger than {MAX_BYTES} bytes")
        if time.monotonic() > self.until:
            raise TimeoutError(f"it did not arrive within {DEADLINE:g} s")
        return super().write(chunk)


def _downloaded(url: str, progress: bool) -> bytes:
    import pooch

    received = _Bounded()
    with ExitStack() as connections:

        def close_in_the_end(response: Any, **_: object) -> None:
            connections.callback(response.close)  # pooch leaves it open if a download fails

        download = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=128,  # small, so that the deadline also stops a slow download
            timeout=TIMEOUT,
            hooks={"response": close_in_the_end},
        )
        download(url, received, None)
    return received.getvalue()


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _record(path: Path, digest: str) -> None:
    write_whole(_digest_file(path), f"{digest}\n".encode())


def _line(error: BaseException) -> str:
    """Shorten the message of an error to one line of bounded length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
