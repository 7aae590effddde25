"""Members and their households. Who works where (roles at a hub) is `hub.spaces.Membership`."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.members.enums import Language


class MemberManager(BaseUserManager["Member"]):
    def create_user(self, email: str | None = None, password: str | None = None, **fields: Any) -> "Member":
        """A member; without a password she signs in by code. ``email`` may be None (staff book for her)."""
        member = self.model(email=self.normalize(email), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Member":
        """Somebody who runs the server. Her address counts as verified: she signs in by a code like everybody."""
        from allauth.account.models import EmailAddress  # its models want ours to be there first

        member = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        EmailAddress.objects.create(user=member, email=str(member.email), verified=True, primary=True)
        return member

    @staticmethod
    def normalize(email: str | None) -> str | None:
        return email.strip().lower() if email and email.strip() else None


class Member(AbstractBaseUser, PermissionsMixin):
    """A person who uses or runs a hub. Signs in by e-mail; a member made by staff may have none."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    email = models.EmailField(_("メールアドレス"), unique=True, null=True, blank=True)
    name = models.CharField(_("氏名"), max_length=60, blank=True)
    kana = models.CharField(_("ふりがな"), max_length=80, blank=True)
    phone = models.CharField(_("電話番号"), max_length=16, blank=True)
    language = models.CharField(max_length=5, choices=Language, default=Language.JAPANESE)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)  # may open the Django admin; roles at a hub are Memberships
    is_demo = models.BooleanField(default=False)  # made by load_demo, which refuses to touch anybody else
    date_joined = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True, blank=True)
    #: A new one ends all sessions ("sign out elsewhere").
    session_salt = models.CharField(max_length=16, default=new_code, editable=False)
    #: Not stored: whether the session of this request gave a second factor; None where no session asks (`factors.note`).
    gave_factor: bool | None = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = MemberManager()

    class Meta:
        indexes = [models.Index(fields=["kana"], name="member_kana")]  # name search at the desk and the door

    def __str__(self) -> str:
        return self.name or self.email or self.code

    def get_full_name(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions end when the password or ``session_salt`` changes ("sign out elsewhere")."""
        key_salt = "hub.members.models.Member.session_auth_hash"
        value = self.password + self.session_salt
        return salted_hmac(key_salt, value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def short_name(self) -> str:
        """What a greeting uses: the given name where family and given name are written apart."""
        return (self.name or "").split()[-1] if self.name.strip() else ""


class Household(models.Model):
    """Guardians, children and pick-up-only adults that belong together."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.code


class Guardian(models.Model):
    """A member who sees, books and cancels the places of the household's children."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="guardians")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="guardianships")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["household", "member"], name="guardian_once")]


class PickupAdult(models.Model):
    """Somebody who may only fetch the children: no account, sees no booking and no health data (RULE-11)."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="pickup_adults")
    name = models.CharField(_("氏名"), max_length=60)
    kana = models.CharField(_("ふりがな"), max_length=80)
    relation = models.CharField(_("子どもとの 関係"), max_length=30)
    phone = models.CharField(_("電話番号"), max_length=16)
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)


class HouseholdInvitation(models.Model):
    """A link by which a second guardian joins. Only the token's hash is stored; it works once, for 7 days."""

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class ApiToken(models.Model):
    """A bearer token for the API. Only its hash is stored; the token itself is shown once."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(_("名前"), max_length=60)
    created_at = models.DateTimeField(default=clock.now)
    #: A day, so that a busy client costs one write a day.
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
