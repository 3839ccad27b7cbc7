"""Codes of the wallet as sentences for people, in the language of this moment."""

from app.core.i18n import gettext as _


def fault(code: str) -> str:
    """Return what a counted fault means; an unknown code is shown as it is."""
    return {
        "apns_unreachable": _("Apple's push service could not be reached; phones are woken once it can be"),
        "apns_unregistered": _("A phone has removed the card, or was reset"),
        "apns_bad_device_token": _("A phone's address at Apple is not valid any more"),
        "apns_too_many_requests": _("Apple asked for a pause for one phone"),
        "google_unreachable": _("Google Wallet could not be reached; cards are updated once it can be"),
        "apns_not_sent": _("A wake-up could not be sent to Apple"),
        "google_answer_lost": _("Google's answer got lost on the way"),
        "google_too_many_requests": _("Google asked for a pause"),
        "google_unavailable": _("Google Wallet does not answer now; cards are updated once it does"),
        "google_unauthorized": _("Google did not take our access token"),
        "google_account_refused": _("Google refused the service account"),
        "google_forbidden": _("The service account may not write for this issuer at Google"),
        "google_bad_request": _("Google did not understand what we sent"),
        "phone_authentication": _("A phone says that its card was refused"),
        "phone_not_signed": _("A phone says that a card's signature is not valid"),
        "phone_not_reachable": _("A phone says that it could not reach us"),
        "phone_bad_answer": _("A phone says that it did not understand our answer"),
        "phone_other": _("A phone complains about something else"),
        "wallet_certificate_missing": _("No certificate is set up"),
        "wallet_certificate_expired": _("The certificate has expired"),
        "wallet_certificate_not_yet_valid": _("The certificate is not valid yet"),
        "wallet_certificate_unreadable": _("The certificate cannot be read"),
        "wallet_key_unreadable": _("The private key cannot be read"),
        "wallet_key_of_another_certificate": _("The private key belongs to another certificate"),
        "wallet_certificate_of_another_issuer": _("Apple's intermediate certificate is of another generation"),
        "wallet_wwdr_missing": _("Apple's intermediate certificate is missing"),
        "wallet_passphrase_wrong": _("The passphrase does not open the private key"),
        "wallet_credential_sealed": _("What is kept is sealed with a key that is not here any more"),
    }.get(code, code)
