"""TLS as a layer of its own, on pyOpenSSL with memory buffers, because of the clients' certificates.

A device proves itself with any certificate, mostly a self-signed one, and the database knows its hash. Python's `ssl` can
only refuse such a certificate in the handshake, or ask for none: it has no say for us in the verification. pyOpenSSL has.
So any certificate passes that is valid today and whose key the client has (decision 0012); who it is, is asked afterwards.
"""

import asyncio

from OpenSSL import SSL, crypto

from thingsboard.transports.mqtt.certificate import Certificate
from thingsboard.transports.mqtt.flow import Flow
from thingsboard.transports.mqtt.layer import Layer

# Bytes that are decrypted or sent at a time: a TLS record. OpenSSL keeps a buffer as large as what was put in at once.
RECORD = 16 * 1024
OVERHEAD = 512


class Tls(Layer):
    """One connection. It answers `get_extra_info("ssl_object")` with itself, as far as `getpeercert` goes."""

    __slots__ = ("_open", "_tls")

    def __init__(self, flow: Flow, above: asyncio.Protocol, certificate: Certificate) -> None:
        super().__init__(flow, above)
        self._tls = SSL.Connection(certificate.context())
        self._tls.set_accept_state()
        self._open = False  # whether the handshake is done and nothing has failed since

    def data_received(self, data: bytes) -> None:
        """Bytes of any cut: decrypt, and hand over what there is in one piece."""
        if self.below.is_closing():
            return
        plain: list[bytes] = []
        ended, reason = False, ""
        for start in range(0, len(data), RECORD):
            self._tls.bio_write(data[start : start + RECORD])
            try:
                self._take(plain)
            except SSL.WantReadError:
                continue
            except SSL.ZeroReturnError:
                ended = True  # the client said goodbye
            except SSL.Error as error:
                reason = _reason(error, self._open)
                self._open = False
            break
        self._flush()
        if plain:
            self.above.data_received(b"".join(plain))
        if ended or reason:
            self.flow.close(reason)

    def _take(self, plain: list[bytes]) -> None:
        """Append what can be decrypted. Ends with SSL.WantReadError, or what ends the connection."""
        if not self._open:
            self._tls.do_handshake()
            self._open = True
        while True:
            plain.append(self._tls.recv(RECORD))

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        """Encrypt and send; nothing, when there is no session (any more)."""
        if self._open and data:
            try:
                self._tls.sendall(data)
            except SSL.Error:  # whoever writes must not suffer
                self._open = False
                self.flow.abort("tls_record")
            else:
                self._flush()

    def _flush(self) -> None:
        """Send what OpenSSL has to say: records, handshakes, alerts."""
        parts: list[bytes] = []
        size = RECORD + OVERHEAD
        while not parts or len(parts[-1]) == size:
            try:
                parts.append(self._tls.bio_read(size))
            except SSL.WantReadError:
                break
        if parts and not self.below.is_closing():
            self.below.write(b"".join(parts))

    def close(self) -> None:
        """Say goodbye as TLS wants it, so that the client can tell the end from a cut, and close."""
        if self._open:
            self._open = False
            try:
                self._tls.shutdown()
            except SSL.Error:
                pass  # there is nobody to tell
            self._flush()
        super().close()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """As the transport below, and "ssl_object"."""
        return self if name == "ssl_object" else super().get_extra_info(name, default)

    def getpeercert(self, binary_form: bool = True) -> bytes | None:
        """The client's certificate as DER, None when it showed none (or the handshake is not over).

        As `ssl.SSLObject.getpeercert`, in its binary form alone. Its key has been proved; nobody vouches for the rest.
        """
        if not binary_form:
            raise ValueError("Only the binary form is known; expected getpeercert(binary_form=True).")
        found = self._tls.get_peer_certificate() if self._open else None
        return None if found is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, found)


def _reason(error: SSL.Error, was_open: bool) -> str:
    """What is counted for a failure."""
    if was_open:
        return "tls_record"
    return "tls_certificate" if "certificate verify failed" in str(error) else "tls_handshake"
