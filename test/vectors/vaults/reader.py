"""Reads the vault files of this folder as src-main/vault/format/FORMAT.md says, and prints index.json anew.

Written from that page alone, and from nothing else of this project: python3 reader.py FOLDER
"""
import base64
import hashlib
import hmac
import json
import struct
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = bytes.fromhex("89544B560D0A1A0A")
HEADER, COPY_AT, FRAMES_AT, PREFIX, TRAILER = 128, 4096, 4224, 64, 20


def hkdf(key, salt, info, length):
    """RFC 5869 with SHA-256, for up to 32 bytes."""
    pseudorandom = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b"\x01", hashlib.sha256).digest()[:length]


def header_of(data):
    if len(data) != HEADER or data[:8] != MAGIC or hashlib.sha256(data[:96]).digest() != data[96:]:
        return None
    version, length = struct.unpack_from("<II", data, 8)
    slot, base = data[40], struct.unpack_from("<I", data, 44)[0]
    if version != 2 or length != HEADER or slot > 1 or any(data[41:44]) or base < 1:
        return None
    return {"bytes": data, "file_id": data[16:32], "base": base, "salt": data[48:80]}


def key_of(data, keychain):
    """The key that a header of any version names, whether it is there, and whether the header was written with it."""
    item = keychain.get(f"{data[16:32].hex()}/{'ab'[min(data[40], 1)]}")
    if item is None:
        return None, False
    key = base64.b64decode(json.loads(item)["key"])
    return key, hkdf(key, data[48:80], b"tokenkeep vault check" + data[:80], 16) == data[80:96]


def is_newer(file, at):
    if file[at : at + 8] != MAGIC or len(file) < at + 16:
        return False
    version, length = struct.unpack_from("<II", file, at + 8)
    data = file[at : at + length]
    if version <= 2 or not 128 <= length <= 4096 or len(data) < length:
        return False
    return hashlib.sha256(data[:-32]).digest() == data[-32:]


def prefix_at(file, at):
    data = file[at : at + PREFIX]
    if len(data) < PREFIX or zlib.crc32(data[:60]) != struct.unpack_from("<I", data, 60)[0]:
        return None
    body, sealed, ordinal = struct.unpack_from("<III", data)
    return {"body": body, "sealed": sealed, "ordinal": ordinal, "previous": data[12:28], "seed": data[28:60],
            "end": at + PREFIX + sealed + body + TRAILER}


def content_key(prefix, header):
    """The key of a frame's content, and whether the prefix is authenticated with it."""
    ordinal, seed = prefix["ordinal"], prefix["seed"]
    if not 0 < ordinal < header["base"]:
        return hkdf(header["frame_key"], seed, b"tokenkeep vault 2 frame", 32), True
    counter = struct.pack(">QQ", 0, 2 * ordinal)
    stream = Cipher(algorithms.AES(header["seed_key"]), modes.CTR(counter)).encryptor().update(seed)
    return hkdf(stream, header["file_id"], b"tokenkeep vault 2 account", 32), False


def frame_at(file, at, header):
    prefix = prefix_at(file, at)
    if prefix is None or prefix["end"] > len(file):
        return None
    body_at, tag_end = at + PREFIX + prefix["sealed"], prefix["end"] - 4
    if zlib.crc32(file[at + PREFIX : tag_end]) != struct.unpack_from("<I", file, tag_end)[0]:
        return None
    key, with_prefix = content_key(prefix, header)
    try:
        body = AESGCM(key).decrypt(bytes(12), file[body_at:tag_end], file[at if with_prefix else at + PREFIX : body_at])
    except InvalidTag:
        return None
    return {**prefix, "plain": body, "secrets": file[at + PREFIX : body_at], "tag": file[tag_end - 16 : tag_end]}


def has_hole(file, start, end):
    while start < end:
        stop = min((start // 512 + 1) * 512, end)
        if stop - start >= 8 and not any(file[start:stop]):
            return True
        start = stop
    return False


def is_unwritten(file, at, ordinal):
    if len(file) - at < PREFIX or not any(file[at:]):
        return True
    prefix = prefix_at(file, at)
    if prefix is None:
        return has_hole(file, at, min(at + 512, len(file)))
    if prefix["ordinal"] != ordinal:
        return False
    end = prefix["end"]
    return end > len(file) or (not any(file[end:]) and has_hole(file, at, end))


def frames_of(file, header):
    frames, damaged, at, ordinal, previous = [], False, FRAMES_AT, 0, bytes(16)
    while at < len(file):
        found, where = frame_at(file, at, header), at
        if found is None or found["ordinal"] != ordinal or found["previous"] != previous:
            found = None
            for where in range(at, len(file) - PREFIX - TRAILER + 1):
                prefix = prefix_at(file, where)
                if prefix is not None and prefix["ordinal"] >= ordinal:
                    found = frame_at(file, where, header)
                    if found is not None:
                        break
            if found is None:
                return frames, damaged or ordinal < header["base"] or not is_unwritten(file, at, ordinal)
            damaged = True
        frames.append(found)
        at, ordinal, previous = found["end"], found["ordinal"] + 1, found["tag"]
    return frames, damaged or ordinal < header["base"]


def apply_batch(frame, entries):
    key, rows = frame["plain"][:32], json.loads(frame["plain"][32:])["changes"]
    secrets = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(frame["secrets"])
    at = 0
    for section, name, *rest in rows:
        place = section if name is None else f"{section} {name}"
        if not rest:
            entries.pop(place, None)
            continue
        value, secret = rest[0], None
        if len(rest) == 2:
            secret = secrets[at : at + rest[1]].decode()
            at += rest[1]
        elif name is not None and isinstance(value, dict) and isinstance(value.get("secret"), str):
            secret = value["secret"]
        entries[place] = secret
    assert at == len(frame["secrets"])


def index_of(frames, header):
    """The accounts that the index lists, with the user names; None where the index is not what it has to be."""
    if not frames or frames[0]["ordinal"] != 0 or frames[0]["secrets"]:
        return None
    rows = json.loads(frames[0]["plain"][32:])["index"]
    if len(rows) != header["base"] - 1:
        return None
    by_ordinal = {frame["ordinal"]: frame for frame in frames}
    for ordinal, row in enumerate(rows, 1):
        if row is None or ordinal not in by_ordinal:
            continue
        changes = json.loads(by_ordinal[ordinal]["plain"][32:])["changes"]
        sections = ("AccessToken", "RefreshToken", "IdToken", "Account")
        waits = all(
            section == "TokenkeepGrant" or (section in sections and key.lower().startswith(row[0] + "-"))
            for section, key, *_ in changes
        )
        assert len(changes) == row[1] and (len(row) == 6) == waits
        assert row[3] == [key for section, key, *_ in changes if section == "TokenkeepGrant"]
        if row[5] is not None:
            counted = [sum(section == each for section, *_ in changes) for each in sections[:3]]
            tokens = json.loads(row[5])[4]
            assert [sum(token[0] == each for token in tokens) for each in range(3)] == counted
    return [[row[0], [user["username"] for user in row[4]]] for row in rows if row is not None]


def read(file, keychain):
    copies = [file[:HEADER], file[COPY_AT:FRAMES_AT]]
    header = header_of(copies[0]) or header_of(copies[1])
    if header is None:
        newer = [file[at : at + HEADER] for at in (0, COPY_AT) if is_newer(file, at)]
        if not newer:
            return "damaged", {}, None
        key, fits = key_of(newer[0], keychain)
        return ("key-missing" if key is None else "newer" if fits else "damaged"), {}, None
    damaged = copies[0] != copies[1] or any(file[HEADER:COPY_AT])
    key, fits = key_of(header["bytes"], keychain)
    if key is None:
        return "key-missing", {}, None
    if not fits:
        return "wrong-key", {}, None
    for purpose in ("frame", "seed"):
        info = f"tokenkeep vault 2 {purpose}s".encode() + header["bytes"]
        header[f"{purpose}_key"] = hkdf(key, header["salt"], info, 32)
    frames, found_damage = frames_of(file, header)
    entries = {}
    for frame in frames:
        if frame["ordinal"] > 0:
            apply_batch(frame, entries)
    index = index_of(frames, header)
    return ("damaged" if damaged or found_damage or index is None else "ready"), entries, index


folder = Path(sys.argv[1])
vectors = json.loads((folder / "index.json").read_text(encoding="utf-8"))
for vector in vectors:
    state, entries, index = read((folder / f"{vector['name']}.vault").read_bytes(), vector["keychain"])
    vector["state"] = state
    vector["index"] = index
    vector["entries"] = [[place, entries[place]] for place in sorted(entries)]
print(json.dumps(vectors))
