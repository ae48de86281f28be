"""RongCloud's calls about hosted profiles."""

from api.calls import profiles
from api.rongcloud import schemas
from api.tables import Call

CALLS = (
    Call("/user/profile/set.json", profiles.set_fields, schemas.ProfileSet),
    Call("/user/profile/clean.json", profiles.clear, schemas.FewUsers),
    Call("/user/profile/batch/query.json", profiles.of_users, schemas.ManyUsers, schemas.Profiles),
    Call("/user/profile/query.json", profiles.page, schemas.ProfileQuery, schemas.Profiles),
)
