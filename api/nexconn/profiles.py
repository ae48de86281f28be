"""Nexconn's calls about hosted profiles."""

from api.calls import profiles
from api.nexconn import schemas
from api.tables import Call

CALLS = (
    Call("/v4/user/profile/set", profiles.set_fields, schemas.ProfileSet),
    Call("/v4/user/profile/delete", profiles.clear, schemas.Users),
    Call("/v4/user/profile/batch/get", profiles.of_users, schemas.Users, schemas.HostedProfiles),
    Call("/v4/user/profile/list", profiles.page, schemas.ProfileList, schemas.HostedProfiles),
)
