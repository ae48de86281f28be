from django.db import migrations, models

# Setting of a vendor's → (its vendors, what it was by default), as they stood in columns.
COLUMNS = {
    "require_signature_v2": (("nexconn", "rongcloud"), False),
    "open_registration": (("agora",), False),
    "require_password": (("agora",), True),
    "error_dialect": (("agora",), "agora"),
}


def into_documents(apps, schema_editor):
    Environment = apps.get_model("applications", "Environment")
    for environment in Environment.objects.iterator():
        documents = {}
        for setting, (names, default) in COLUMNS.items():
            value = getattr(environment, setting)
            if value != default:
                for name in names:
                    documents.setdefault(name, {})[setting] = value
        for key, rate in environment.rate_limits.items():
            name, _, call = key.partition(" ")
            documents.setdefault(name, {}).setdefault("rate_limits", {})[call] = rate
        if documents:
            Environment.objects.filter(pk=environment.pk).update(vendor_settings=documents)


def into_columns(apps, schema_editor):
    Environment = apps.get_model("applications", "Environment")
    for environment in Environment.objects.exclude(vendor_settings={}).iterator():
        documents = environment.vendor_settings
        for setting, (names, default) in COLUMNS.items():
            chosen = [documents.get(name, {}).get(setting, default) for name in names]
            # One column for two vendors: what is stricter holds for both.
            setattr(environment, setting, next((each for each in chosen if each != default), default))
        environment.rate_limits = {
            f"{name} {call}": rate
            for name, document in documents.items()
            for call, rate in document.get("rate_limits", {}).items()
        }
        environment.save()


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_initial")]

    operations = [
        migrations.RenameField("application", "open_doors", "vendors"),
        migrations.AddField(
            "environment", "vendor_settings", models.JSONField(blank=True, default=dict)
        ),
        migrations.RunPython(into_documents, into_columns),
        *(
            migrations.RemoveField("environment", name)
            for name in (*COLUMNS, "rate_limits")
        ),
        migrations.AlterField(
            "environment",
            "deletion_unlocked_until",
            models.DateTimeField(
                blank=True,
                help_text="Production: until then the API may delete users.",
                null=True,
            ),
        ),
    ]
