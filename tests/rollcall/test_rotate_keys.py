"""`manage.py rotate_keys`: stopped, repeated, beside other writers."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from applications import app_secrets, rotation, vault
from applications.models import AppSecret, Webhook
from tests.factories import NOON, make_account, make_environment, make_user
from users import passwords

pytestmark = pytest.mark.django_db
OLD, NEW = "old-key-" + "0123456789abcdef" * 3, "new-key-" + "fedcba9876543210" * 3


@pytest.fixture(autouse=True)
def _old_key(settings):
    settings.ENCRYPTION_KEYS = [OLD]


def rotate():
    said = StringIO()
    call_command("rotate_keys", stdout=said)
    return said.getvalue()


def test_what_was_encrypted_is_read_without_the_old_key_afterwards(settings):
    secrets = [each.secrets.get() for each in [make_environment(), make_environment()]]
    texts = [app_secrets.text(each) for each in secrets]
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "app secret, ciphertext: 4 read, 4 encrypted anew" in rotate().lower()
    settings.ENCRYPTION_KEYS = [NEW]
    assert [app_secrets.text(AppSecret.objects.get(pk=each.pk)) for each in secrets] == texts
    assert "app secret, ciphertext: 4 read, 0 encrypted anew" in rotate().lower()


def test_every_column_that_holds_ciphertexts_takes_part():
    names = {f"{each.model.__name__}.{each.name}" for each in rotation.columns()}
    assert names >= {
        *("AppSecret.ciphertext", "Webhook.secret", "Webhook.former_secret", "DeletedUser.kept"),
    }


def test_second_factors_move_to_the_new_key(settings):
    owner = Authenticator(user=make_account(), type=Authenticator.Type.TOTP)
    owner.data = {"secret": vault.encrypt("of-the-app"), "other": "stays"}
    owner.save()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "secret: 1 read, 1 encrypted anew" in rotate().lower()
    settings.ENCRYPTION_KEYS = [NEW]
    owner.refresh_from_db()
    assert vault.decrypt(owner.data["secret"]) == "of-the-app"
    assert owner.data["other"] == "stays"


def test_it_goes_on_where_it_was_stopped_and_keeps_what_others_have_written(settings, monkeypatch):
    monkeypatch.setattr(rotation, "AT_ONCE", 1)
    environment = make_environment()
    for number in range(3):
        Webhook.objects.create(
            environment=environment,
            url=f"https://example.com/{number}",
            secret=vault.encrypt(f"whsec_{number}"),
            created_at=NOON,
            next_turn_at=NOON,
        )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    column = rotation.Column(Webhook, "secret")
    steps = rotation.renew(column)
    assert [next(steps).renewed for _ in range(2)] == [1, 2]  # and here it is killed
    last = Webhook.objects.order_by("pk").last()
    between, renewed = vault.encrypt("whsec_written_between"), vault.renewed

    def written_between(ciphertext):
        Webhook.objects.filter(pk=last.pk).update(secret=between)
        return renewed(ciphertext)

    monkeypatch.setattr(vault, "renewed", written_between)
    *_, progress = rotation.renew(column)
    assert (progress.read, progress.renewed) == (3, 0)
    last.refresh_from_db()
    assert last.secret == between


def test_passwords_move_to_the_new_key_as_their_users_sign_in(settings):
    environment = make_environment()
    ann, bob = (
        make_user(environment=environment, user_id=name, password=passwords.encode(name))
        for name in ("ann", "bob")
    )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "2 who have not done so" in rotate()
    assert passwords.is_correct(ann, "ann")
    assert not passwords.is_correct(bob, "ann")
    assert "1 who have not done so" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    ann.refresh_from_db()
    assert passwords.is_correct(ann, "ann")


def test_what_no_key_decrypts_is_an_error_that_says_what_to_do(settings):
    make_environment()
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match="Add the key that does at the end"):
        rotate()
