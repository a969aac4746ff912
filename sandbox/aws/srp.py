"""Secure Remote Password, from a user pool's side: a user proves a password that never crosses the wire.

Cognito uses SRP-6a with the 3072-bit group and SHA-256, but derives the password's hash and the proof in its own way, as
its clients do; the libraries for SRP on PyPI have neither, so it is written here with Python's integers.

Source: https://www.rfc-editor.org/rfc/rfc5054 (the protocol), https://www.rfc-editor.org/rfc/rfc3526#section-5 (the group),
        https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2


def number_bytes(number: int) -> bytes:
    """A number as Cognito hashes it: its bytes in two's complement, as few as there can be."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def number_hash(*parts: int | bytes) -> int:
    data = b"".join(part if isinstance(part, bytes) else number_bytes(part) for part in parts)
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


K = number_hash(N, G)


def password_number(pool: str, user: str, password: str, salt: int) -> int:
    """What the verifier is made from; `pool` is the pool's ID after its region."""
    return number_hash(salt, hashlib.sha256(f"{pool}{user}:{password}".encode()).digest())


def proof(key: bytes, pool: str, user: str, secret_block: bytes, timestamp: str) -> bytes:
    """What shows that a side has the key."""
    return hmac.new(key, f"{pool}{user}".encode() + secret_block + timestamp.encode(), hashlib.sha256).digest()


def session_key(shared: int, scrambler: int) -> bytes:
    """HKDF, with the text that Cognito has for it."""
    extracted = hmac.new(number_bytes(scrambler), number_bytes(shared), hashlib.sha256).digest()
    return hmac.new(extracted, b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]


@dataclass(frozen=True)
class Exchange:
    """One exchange: what the server sends, and what it keeps.

    Attributes:
        pool: the pool's ID after its region.
        public: the client's number, A.
        private: the server's own random number, b.
    """

    pool: str
    user: str
    password: str
    public: int
    salt: int
    private: int

    @classmethod
    def begin(cls, pool: str, user: str, password: str, public: str) -> Exchange | None:
        """Begin with the client's number, in hexadecimal; None if it is no number that the protocol allows."""
        if not re.fullmatch("[0-9a-fA-F]{1,1024}", public) or int(public, 16) % N == 0:
            return None
        salt, private = secrets.randbits(128), secrets.randbits(256) + 1
        return cls(pool, user, password, int(public, 16), salt, private)

    @property
    def server_public(self) -> int:
        """The server's number, B."""
        return (K * self._verifier() + pow(G, self.private, N)) % N

    def verifies(self, claimed: bytes, secret_block: bytes, timestamp: str) -> bool:
        """Whether a proof shows that the client has the password."""
        scrambler = number_hash(self.public, self.server_public)
        shared = pow(self.public * pow(self._verifier(), scrambler, N), self.private, N)
        expected = proof(session_key(shared, scrambler), self.pool, self.user, secret_block, timestamp)
        return scrambler != 0 and hmac.compare_digest(expected, claimed)

    def _verifier(self) -> int:
        return pow(G, password_number(self.pool, self.user, self.password, self.salt), N)
