"""Secrets of a stack's config that Pulumi encrypted with a passphrase.

A key is derived from the passphrase and the salt of the file's `encryptionsalt` by PBKDF2, and each value is encrypted by
AES-256-GCM. The salt's line also holds an encrypted word, by which a wrong passphrase is recognized.

Source: https://www.pulumi.com/docs/iac/concepts/secrets/#available-encryption-providers
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ITERATIONS = 1_000_000
_CHECK_WORD = b"pulumi"


class CannotDecrypt(ValueError):
    """A value cannot be decrypted; the message completes "the value is encrypted, and …"."""


class Decrypter:
    """Decrypts the values of one stack file."""

    def __init__(self, salt: object, environment: Mapping[str, str]) -> None:
        """
        Args:
            salt: the file's `encryptionsalt`; None if it has none.
            environment: holds PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.
        """
        self._salt = salt
        self._environment = environment
        self._cipher: AESGCM | None = None

    def decrypt(self, text: str) -> str:
        """The plain text of `v1:NONCE:CIPHERTEXT`.

        Raises:
            CannotDecrypt: with the reason.
        """
        if self._cipher is None:
            self._cipher = self._derive()
        try:
            return _open(self._cipher, text).decode("utf-8")
        except (ValueError, InvalidTag):
            raise CannotDecrypt("it was not encrypted with this passphrase and salt") from None

    def _derive(self) -> AESGCM:
        if not isinstance(self._salt, str):
            raise CannotDecrypt(
                "the file has no `encryptionsalt`: the sandbox decrypts only what Pulumi encrypted with a passphrase; "
                "copy the stack file and set the value as plain text"
            )
        version, _, rest = self._salt.partition(":")
        salt, _, check = rest.partition(":")
        passphrase = self._passphrase()
        try:
            if version != "v1":
                raise ValueError
            key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), _decode(salt), ITERATIONS, dklen=32)
            cipher = AESGCM(key)
            if _open(cipher, check) != _CHECK_WORD:
                raise InvalidTag
        except ValueError:
            raise CannotDecrypt("`encryptionsalt` is not of the form `v1:SALT:v1:NONCE:CIPHERTEXT`") from None
        except InvalidTag:
            raise CannotDecrypt("PULUMI_CONFIG_PASSPHRASE is not the passphrase that it was encrypted with") from None
        return cipher

    def _passphrase(self) -> str:
        passphrase = self._environment.get("PULUMI_CONFIG_PASSPHRASE")
        if passphrase is not None:
            return passphrase
        file = self._environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        if not file:
            raise CannotDecrypt("no passphrase is set; set PULUMI_CONFIG_PASSPHRASE")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise CannotDecrypt("PULUMI_CONFIG_PASSPHRASE_FILE cannot be read") from None


def _open(cipher: AESGCM, text: str) -> bytes:
    """Raises: ValueError, if the form is wrong; InvalidTag, if the key is."""
    version, nonce, ciphertext = text.split(":")
    if version != "v1":
        raise ValueError
    return cipher.decrypt(_decode(nonce), _decode(ciphertext), None)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error
