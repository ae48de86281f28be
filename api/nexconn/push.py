"""Nexconn's calls about tags, which push campaigns go by."""

from typing import Any

from ninja import Body, Router

from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import tags

router = Router(tags=["Push notices"])


@router.post("/v4/user/tag/batch/set", response=Done)
def tag_batch_set(request: Request, body: Body[schemas.TagSet]) -> Any:
    """The same tags for each of these users, in place of those there were."""
    tags.set_tags(**request.auth.who_and_when, user_ids=body.userIds, tags=body.tags)
    return Done()


@router.post("/v4/user/tag/batch/get", response=Answer[schemas.TaggedUsers])
def tag_batch_get(request: Request, body: Body[schemas.TagGet]) -> Any:
    """The tags of these users."""
    found = tags.tags_of(environment=request.auth.environment, user_ids=body.userIds)
    users = [schemas.TaggedUser(userId=user_id, tags=each) for user_id, each in found.items()]
    return Answer(result=schemas.TaggedUsers(users=users))
