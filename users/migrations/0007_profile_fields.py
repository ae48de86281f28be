from django.db import migrations

# A vendor's word → ours.
NAMES = {"uniqueId": "unique_id", "portraitUri": "avatar_url"}


def rename(names):
    def change(apps, schema_editor):
        Profile = apps.get_model("users", "Profile")
        for profile in Profile.objects.filter(basic__has_any_keys=list(names)).iterator():
            basic = {names.get(key, key): value for key, value in profile.basic.items()}
            Profile.objects.filter(pk=profile.pk).update(basic=basic)

    return change


class Migration(migrations.Migration):
    dependencies = [("users", "0006_kicks_say_why")]

    operations = [
        migrations.RunPython(rename(NAMES), rename({ours: theirs for theirs, ours in NAMES.items()}))
    ]
