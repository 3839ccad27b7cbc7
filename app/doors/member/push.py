"""Push: the phone hands over its subscription, at each start again."""

from typing import Any

from flask import Response, g, request

from app.core import web
from app.core.errors import Invalid, NotFound
from app.core.i18n import gettext as _
from app.core.outbound import OutboundError
from app.delivery import outgoing, subscriptions
from app.delivery.channel import PushKeys
from app.delivery.webpush import KeysBroken, check_keys
from app.doors.member.home import blueprint, me
from app.members import consents


class SubscriptionInvalid(Invalid):
    """The endpoint is no known push service's, or the keys cannot be used."""

    code = "push_subscription_invalid"


@blueprint.post("/push")
def subscribe() -> Response:
    """Keep this browser's subscription after checking endpoint and keys.

    `again` is what the page says of itself at each start: that does not undo what the member withdrew.
    """
    body = request.get_json(silent=True)
    endpoint, keys = _read(body)
    held = consents.current(web.session(), g.member_id).get("push")
    by_itself = isinstance(body, dict) and body.get("again") is True
    if by_itself and held is not None and held.state == "withdrawn":
        return Response(status=204)
    subscriptions.subscribe(web.session(), me(web.session()), endpoint=endpoint, keys=keys, login_id=g.login_id)
    return Response(status=204)


@blueprint.post("/push/simulated")
def simulate() -> Response:
    """Subscribe the demo's simulated phone, where the browser cannot reach its push service."""
    make = web.runtime().shared.get("simulated_phone")
    if make is None:
        raise NotFound(_("Only the demo has a simulated phone."))
    member = me(web.session())
    endpoint, keys = _read(make(member.public_id))
    subscriptions.subscribe(web.session(), member, endpoint=endpoint, keys=keys, login_id=g.login_id, simulated=True)
    return Response(status=201)


def _read(body: Any) -> tuple[str, PushKeys]:
    """Check a subscription as a browser gives it.

    Raises:
        SubscriptionInvalid: with nothing said about the network behind us.
    """
    refused = SubscriptionInvalid(_("Notifications cannot be turned on in this browser."))
    keys = body.get("keys") if isinstance(body, dict) else None
    endpoint = body.get("endpoint") if isinstance(body, dict) else None
    if not isinstance(keys, dict) or not isinstance(endpoint, str) or len(endpoint) > 2000:
        raise refused
    try:
        outgoing.outbound(web.runtime()).check_endpoint(endpoint)
        return endpoint, check_keys(str(keys.get("p256dh", "")), str(keys.get("auth", "")))
    except (OutboundError, KeysBroken):
        raise refused from None
