"""Nexconn's calls about tags, which select the receivers of push campaigns."""

from api.calls import push
from api.nexconn import schemas
from api.tables import Call

CALLS = (
    Call("/v4/user/tag/batch/set", push.set_tags, schemas.TagSet),
    Call("/v4/user/tag/batch/get", push.tags_of, schemas.TagGet, schemas.TaggedUsers),
)
