"""What makes a bundle tamper-evident: canonical JSON, SHA-256 of every file, and an SSH signature.

``SHA256SUMS`` lists every other file in the form of ``sha256sum``; its signature (SSHSIG, as made by
``ssh-keygen -Y sign``) covers them all. Nothing here is needed to verify: docs/auditing.md names the
stock commands.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from postvakt.errors import PostvaktError
from postvakt.inventory import Operator

NAMESPACE = "postvakt-evidence"
SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"
MANIFEST = "manifest.json"
ARMOR = re.compile(r"-----BEGIN SSH SIGNATURE-----\n(.+)\n-----END SSH SIGNATURE-----\n", re.DOTALL)
ARMOR_WIDTH = 70


class EvidenceError(PostvaktError):
    """A bundle cannot be made or does not hold. One line: what, where, what to do."""


Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a manifest may hold. No floating-point numbers: their spelling is not one."""


def canonical(value: Json) -> bytes:
    """JSON in the one spelling of RFC 8785, for values without floating-point numbers whose keys are
    ASCII: sorted keys, no spaces, UTF-8."""
    _without_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _without_floats(value: object) -> None:
    if isinstance(value, float):
        raise EvidenceError(f"the manifest may not hold the floating-point number {value}")
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise EvidenceError(f"the manifest may not hold the key {key!r}: keys are ASCII")
            _without_floats(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _without_floats(one)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a bundle by its name. Raises EvidenceError for what is no plain file."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file():
            raise EvidenceError(f"{folder.name}: {path.name} is not a plain file: a bundle has no other")
        found[path.name] = path.read_bytes()
    return found


def sums(files: Mapping[str, bytes]) -> bytes:
    """As ``sha256sum`` writes and reads it, in the order of names."""
    return "".join(f"{digest(files[name])}  ./{name}\n" for name in sorted(files)).encode()


def allowed_signers(operators: Sequence[Operator]) -> str:
    """The file by which ``ssh-keygen -Y verify`` knows who may sign (ssh-keygen(1), ALLOWED SIGNERS)."""
    lines = [
        f'{one.name} namespaces="{NAMESPACE}" {" ".join(key.split()[:2])}\n'
        for one in operators
        for key in one.keys
    ]
    return "".join(lines)


def _keygen(*words: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", "-Y", *words], input=stdin, capture_output=True, check=False)
    except OSError as error:
        raise EvidenceError(f"ssh-keygen cannot be run: {error}: install openssh-client") from error


def sign(content: bytes, key: Path) -> bytes:
    """An armoured signature by this private key, or by the agent's that belongs to this public key."""
    if not key.is_file():
        raise EvidenceError(f"there is no key {key}: name yours with --key, or say --unsigned")
    done = _keygen("sign", "-q", "-f", str(key), "-n", NAMESPACE, stdin=content)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise EvidenceError(f"the key {key} does not sign: {said[-1] if said else 'ssh-keygen says nothing'}")
    return done.stdout


def signer(content: bytes, signature: bytes, signers: str) -> str:
    """Whose signature it is. Raises EvidenceError where it is nobody's or does not fit."""
    with TemporaryDirectory() as folder:
        known, given = Path(folder, "allowed_signers"), Path(folder, "signature")
        known.write_text(signers)
        given.write_bytes(signature)
        found = _keygen("find-principals", "-s", str(given), "-f", str(known), stdin=b"")
        names = found.stdout.decode().split()
        if found.returncode or not names:
            raise EvidenceError("the signature is of no operator: ./postvakt audit signers lists them")
        words = ("verify", "-f", str(known), "-I", names[0], "-n", NAMESPACE, "-s", str(given))
        done = _keygen(*words, stdin=content)
        if done.returncode:
            raise EvidenceError(f"{SIGNATURE} does not fit {SUMS}: one of them was changed")
    return names[0]


def who_signs(key: Path, operators: Sequence[Operator], today: date) -> str:
    """Whose key it is, tried on nothing of worth, so that a wrong one is known before hosts are asked."""
    trial = b"postvakt audit: does this key sign?\n"
    signature = sign(trial, key)
    try:
        name = signer(trial, signature, allowed_signers(operators))
    except EvidenceError as error:
        raise EvidenceError(f"the key {key} is of no operator of the inventory: use an operator's") from error
    (operator,) = [one for one in operators if one.name == name]
    if operator.valid_until < today:
        raise EvidenceError(f"the operator {name} was valid until {operator.valid_until}: another must sign")
    return name


def _armoured_once(signature: bytes) -> bool:
    """Whether the armour is spelled as ssh-keygen spells it, which itself reads more than that."""
    found = ARMOR.fullmatch(signature.decode("ascii", errors="replace"))
    if found is None:
        return False
    try:
        text = base64.b64encode(base64.b64decode("".join(found[1].split()), validate=True)).decode()
    except ValueError:
        return False
    lines = [text[at : at + ARMOR_WIDTH] for at in range(0, len(text), ARMOR_WIDTH)]
    return found[1] == "\n".join(lines)


def verify(folder: Path, signers: str) -> str:
    """Who signed a bundle in which nothing was changed, added or removed; empty for one that says itself
    that it is unsigned. Raises EvidenceError with what is wrong."""
    if not folder.is_dir():
        raise EvidenceError(f"there is no bundle {folder}")
    files = files_of(folder)
    for name in (SUMS, MANIFEST):
        if name not in files:
            raise EvidenceError(f"{folder.name}: {name} is missing")
    said_sums, signature = files.pop(SUMS), files.pop(SIGNATURE, None)
    name = ""
    if signature is not None:
        if not _armoured_once(signature):
            raise EvidenceError(f"{folder.name}: {SIGNATURE} is not as ssh-keygen writes it: it was changed")
        name = signer(said_sums, signature, signers)
    _same_files(folder.name, files, said_sums)
    manifest = read_manifest(folder.name, files[MANIFEST])
    listed = {one: digest(content) for one, content in files.items() if one != MANIFEST}
    if {one: entry["sha256"] for one, entry in manifest["files"].items()} != listed:
        raise EvidenceError(f"{folder.name}: {MANIFEST} lists other files than there are")
    if manifest["signed_by"] != name:
        said = manifest["signed_by"] or "nobody"
        raise EvidenceError(f"{folder.name}: {MANIFEST} says it is signed by {said}, and it is not")
    _chained(folder, manifest["previous"])
    return name


def _same_files(where: str, files: Mapping[str, bytes], said_sums: bytes) -> None:
    if sums(files) == said_sums:
        return
    said = {}
    for line in said_sums.decode(errors="replace").splitlines():
        value, _, name = line.partition("  ./")
        said[name] = value
    there = {name: digest(content) for name, content in files.items()}
    for name in sorted({*said, *there}):
        if name not in there:
            raise EvidenceError(f"{where}: {name} is missing")
        if name not in said:
            raise EvidenceError(f"{where}: {name} was added")
        if said[name] != there[name]:
            raise EvidenceError(f"{where}: {name} was changed")
    raise EvidenceError(f"{where}: {SUMS} was changed")


def read_manifest(where: str, content: bytes) -> dict[str, Any]:
    """A manifest whose spelling is the canonical one. Raises EvidenceError."""
    try:
        said = json.loads(content)
        needed = {"files", "signed_by", "previous"} <= set(said)
    except (ValueError, TypeError) as error:
        raise EvidenceError(f"{where}: {MANIFEST} is not JSON: {error}") from error
    if not needed or canonical(said) != content:
        raise EvidenceError(f"{where}: {MANIFEST} is not as this tool writes it")
    manifest: dict[str, Any] = said
    return manifest


def _chained(folder: Path, previous: Mapping[str, str] | None) -> None:
    """The bundle before this one, where it still lies beside it, is the one that this one saw."""
    if previous is None:
        return
    path = folder.resolve().parent / previous["bundle"] / MANIFEST
    if path.is_file() and digest(path.read_bytes()) != previous["manifest_sha256"]:
        raise EvidenceError(
            f"{folder.name}: {previous['bundle']} lies beside it and is not the bundle that it followed"
        )
