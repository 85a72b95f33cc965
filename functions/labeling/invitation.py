"""What the user pool calls before it mails: the invitation, with the portal's address."""

from typing import Any

from adapters.addresses import portal_url
from labeling.observed import observed
from truthmill import invitation

INVITES = "CustomMessage_AdminCreateUser"  # the first time, and when it is sent again


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The event with its message; other mails stay as the pool has them."""
    if event["triggerSource"] != INVITES:
        return event
    given = event["request"].get("clientMetadata") or {}
    event["response"]["emailSubject"] = invitation.SUBJECT
    event["response"]["emailMessage"] = invitation.message(
        portal_url(), given.get("about", ""), given.get("name", "")
    )
    return event
