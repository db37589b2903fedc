"""Certificates for tests: of the real node's control plane, of users, of servers on loopback."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tycho.toolchain.files import write_private

YEARS = timedelta(days=3650)


def authority(folder: Path, name: str) -> None:
    """Make `NAME.crt` and `NAME.key` of a certificate authority.

    Args:
        folder: Where they go.
        name: Of the files, and of the authority.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tycho-{name}")])
    usage = _usage(signs=True)
    builder = _builder(subject, subject, key.public_key()).add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _keep(folder, name, key, builder.sign(key, hashes.SHA256()))


def certificate(folder: Path, name: str, by: str, subject: str, group: str = "", hosts: tuple[str, ...] = ()) -> None:
    """Make `NAME.crt` and `NAME.key`, good for a client, and for a server of these hosts.

    Args:
        folder: Where they go.
        name: Of the files.
        by: Name of the authority.
        subject: Common name; to Kubernetes, the user.
        group: Organization; to Kubernetes, the user's group.
        hosts: Names and addresses of a server.
    """
    with warnings.catch_warnings(category=CryptographyDeprecationWarning, action="ignore"):
        # The authority that kwokctl makes has the serial number 0.
        issuer = x509.load_pem_x509_certificate((folder / f"{by}.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / f"{by}.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, subject)]
    if group:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(x509.Name(parts), issuer.subject, key.public_key())
    if hosts:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    _keep(folder, name, key, builder.sign(signer, hashes.SHA256()))


def signing_key(folder: Path, name: str) -> None:
    """Make `NAME.key` and `NAME.pub`, to sign and to check tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(folder / f"{name}.key", _pem(key))
    write_private(folder / f"{name}.pub", public)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + YEARS,
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _keep(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, made: x509.Certificate) -> None:
    write_private(folder / f"{name}.key", _pem(key))
    write_private(folder / f"{name}.crt", made.public_bytes(serialization.Encoding.PEM))
