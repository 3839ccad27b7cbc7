"""The service account that speaks to Google Wallet for a brand. Pure."""

import hashlib
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from app.core.errors import Unavailable
from app.core.i18n import gettext as _

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address


class ServiceAccountUnusable(Unavailable):
    """Google's service account cannot sign; stamps and joining go on."""

    code = "wallet_google_account_unusable"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who signs save links: PyJWT gets the parsed key, since it would parse PEM text for each link."""

    email: str
    key: RSAPrivateKey = field(repr=False)
    issuer_id: str
    token_uri: str = TOKEN_URI

    @classmethod
    def load(cls, text: str | bytes, *, issuer_id: str) -> "ServiceAccount":
        """Parse the JSON file that Google gives for a service account.

        Raises:
            ServiceAccountUnusable: no such file, or no RSA key in it.
        """
        try:
            found = json.loads(text)
            key = load_pem_private_key(found["private_key"].encode(), None)
            email = str(found["client_email"])
            token_uri = found.get("token_uri", TOKEN_URI)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServiceAccountUnusable(_("The Google service account cannot be read.")) from error
        if not isinstance(key, RSAPrivateKey):
            raise ServiceAccountUnusable(_("The key of the Google service account is no RSA key."))
        if token_uri != TOKEN_URI:
            raise ServiceAccountUnusable(_("The Google service account asks for its tokens elsewhere than at Google."))
        return cls(email, key, issuer_id)

    @property
    def fingerprint(self) -> str:
        """Return what tells two keys apart."""
        form = PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self.key.public_key().public_bytes(Encoding.DER, form)).hexdigest()
