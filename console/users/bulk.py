"""What staff do with the selected users."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.forms import MAX_AT_ONCE
from console.identities import id_or_count
from console.links import page_url
from console.templatetags.words import sentence
from moderation import stakes
from users import identity, presence


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MODERATE)
def users_kick(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Close the connections of the selected users. A GET shows how many are connected."""
    now, back = timezone.now(), page_url(environment, "users:index")
    user_ids = request.POST.getlist("user_id") or request.GET.getlist("user_id")
    if not 0 < len(user_ids) <= MAX_AT_ONCE:
        reason = gettext("Select 1 to {max_at_once} users to disconnect.").format(
            max_at_once=MAX_AT_ONCE
        )
        return responses.refused(request, reason, back=back)
    try:
        wanted = identity.check_user_ids(user_ids)
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    if request.method != "POST":
        context = {
            "title": gettext("Disconnect {whom}").format(whom=id_or_count(wanted)),
            "user_ids": wanted,
            "reach": stakes.reach(environment=environment, user_ids=wanted, now=now),
            "back": back,
        }
        return responses.dialog(request, "console/users/_kick.html", context)
    count = presence.kick_several(
        environment=environment, user_ids=wanted, by=acting_staff(request), now=now
    )
    message = (
        ngettext(
            "{count} connection will close now", "{count} connections will close now", count
        ).format(count=count)
        if count
        else gettext("None of the selected users has an open connection")
    )
    events = ["users-changed", "connections-changed"]
    return responses.done(request, message, to=back, events=events)
