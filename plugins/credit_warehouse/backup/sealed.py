"""Secrets under a passphrase: without the pepper every subject gets a new key, so it is in every backup, but never in clear
beside the data it protects (ARCHITECTURE decision 6)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

from credit_warehouse.backup.errors import BackupError

PASSPHRASE = "CREDIT_BACKUP_PASSPHRASE"
_SHORTEST = 12
# scrypt's interactive costs, times eight: a quarter of a second and 128 MB for every guess.
_COST = {"n": 2**17, "r": 8, "p": 1}


def passphrase() -> str:
    """What backups of this system are sealed with.

    Raises:
        BackupError: it is not set, or too short.
    """
    given = os.environ.get(PASSPHRASE, "")
    if len(given) < _SHORTEST:
        raise BackupError(
            f"请设置环境变量 {PASSPHRASE}（至少 {_SHORTEST} 个字符），并与备份分开保管：备份中的密钥（含 CREDIT_PEPPER）"
            f"由它加密，遗失则无法恢复。Set {PASSPHRASE} and keep it apart from the backups."
        )
    return given


def seal(secrets: Mapping[str, str], phrase: str) -> str:
    """The secrets as text that only this passphrase opens."""
    salt = os.urandom(16)
    token = Fernet(_key(phrase, salt)).encrypt(json.dumps(dict(secrets), ensure_ascii=False).encode())
    return json.dumps({"scrypt": _COST, "salt": salt.hex(), "token": token.decode()})


def open_sealed(text: str, phrase: str) -> dict[str, str]:
    """The secrets again.

    Raises:
        BackupError: another passphrase, or damaged.
    """
    found = json.loads(text)
    key = _key(phrase, bytes.fromhex(found["salt"]), found["scrypt"])
    try:
        opened: dict[str, str] = json.loads(Fernet(key).decrypt(found["token"]))
    except InvalidToken:
        raise BackupError(f"{PASSPHRASE} 与制作该备份时的口令不符，或密钥文件已损坏") from None
    return opened


def fingerprint(pepper: str) -> str:
    """Tells one pepper from another without giving it away; a pepper is 32 random bytes."""
    return hmac.new(pepper.encode(), b"credit-warehouse backup", hashlib.sha256).hexdigest()


def _key(phrase: str, salt: bytes, cost: Mapping[str, int] = _COST) -> bytes:
    key = hashlib.scrypt(phrase.encode(), salt=salt, **cost, maxmem=2**28, dklen=32)
    return base64.urlsafe_b64encode(key)
