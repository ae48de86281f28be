"""The Mutes page: who may not write, by kind of conversation."""

from datetime import datetime
from functools import partial
from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.counting import count
from applications.keyset import Keyset
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.identities import get_identities
from console.links import page_url
from moderation import mutes
from moderation.models import Mute, MuteQuerySet
from users import identity
from users.fields import begins_with

NEWEST_FIRST = Keyset("-id")
BY_ID = Keyset("user_id", "channel")
LABELS = {
    Mute.Channel.DIRECT: gettext_lazy("Direct messages"),
    Mute.Channel.GROUP: gettext_lazy("Groups"),
    Mute.Channel.ROOM: gettext_lazy("Chat rooms"),
}


def listed(query: QueryDict, environment: Environment, now: datetime) -> MuteQuerySet:
    """The mutes that the filters of a URL find, for the export: without a channel those of all."""
    found = Mute.objects.in_force(now).filter(environment=environment)
    if (channel := query.get("channel")) in Mute.Channel.values:
        found = found.filter(channel=channel)
    return _beginning_with(query.get("q", "").strip(), found)


@require_safe
@in_environment(Permission.VIEW)
def mute_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`?channel=` is the kind of conversation, `?q=` the beginning of the id."""
    now = timezone.now()
    prefix = request.GET.get("q", "").strip()
    wanted = request.GET.get("channel", "")
    channel = Mute.Channel(wanted if wanted in Mute.Channel.values else Mute.Channel.DIRECT)
    in_force = partial(mutes.in_channel, environment=environment, now=now)
    found = {each: _beginning_with(prefix, in_force(channel=each)) for each in Mute.Channel}
    page = responses.page(request, of=found[channel], order=BY_ID if prefix else NEWEST_FIRST)
    identities = get_identities(
        environment=environment, user_ids=[mute.user_id for mute in page.rows]
    )
    tabs: list[dict[str, Any]] = [
        {
            "word": each.value,
            "label": LABELS[each],
            "count": count(found[each]),
            "current": each == channel,
        }
        for each in Mute.Channel
    ]
    context = {
        "channel": channel.value,
        "channel_label": LABELS[channel],
        "prefix": prefix,
        "tabs": tabs,
        "pages": page,
        "rows": [(mute, identities[mute.user_id]) for mute in page.rows],
        "lift_url": page_url(environment, "mutes:lift", query={"channel": channel.value}),
    }
    return responses.shown(
        request, "console/mutes/index.html", context, fragment="console/mutes/_list.html"
    )


def _beginning_with(prefix: str, mutes: MuteQuerySet) -> MuteQuerySet:
    """A prefix that no id can have finds nothing."""
    if not prefix:
        return mutes
    return mutes.filter(begins_with(prefix)) if identity.is_prefix(prefix) else mutes.none()
