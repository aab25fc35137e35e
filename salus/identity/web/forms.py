"""Forms of identity."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms

from salus.identity.contracts import OwnRole, Permission, Role

ROLE_CHOICES = [(role.value, role.words) for role in Role]


class PasswordStep(forms.Form):
    """E-mail and password."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="Password",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeStep(forms.Form):
    """The code of an authenticator app, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=16,
        widget=forms.TextInput(
            attrs={
                "class": "is-code",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
            }
        ),
    )


class NewPassword(forms.Form):
    """A password of one's own, twice."""

    password = forms.CharField(
        label="Choose a password",
        max_length=256,
        strip=False,
        help_text="At least 12 characters. Three or four words that do not belong together are good.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same again",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        """Both must be the same."""
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError("The two are not the same.")
        return again


class ChangePassword(forms.Form):
    """The present password and a new one."""

    old = forms.CharField(
        label="Present password",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        max_length=256,
        strip=False,
        help_text="At least 12 characters. Your other sessions end.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class NewPerson(forms.Form):
    """Somebody who joins the staff."""

    name = forms.CharField(label="Name", max_length=120)
    email = forms.CharField(label="E-mail", max_length=254, widget=forms.EmailInput)
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=ROLE_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Who edits something never approves it alone, whatever roles they have.",
    )


class Person(forms.Form):
    """What can be changed about somebody."""

    name = forms.CharField(label="Name", max_length=120)
    roles = forms.MultipleChoiceField(
        label="Roles", choices=ROLE_CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )
    own_roles = forms.MultipleChoiceField(
        label="Roles of your own making", required=False, widget=forms.CheckboxSelectMultiple
    )
    active = forms.BooleanField(
        label="May sign in",
        required=False,
        help_text="Without this their sessions end at once, and so do the API keys they made.",
    )

    def offer(self, own: Sequence[OwnRole]) -> None:
        """Offer the organization's own roles."""
        field = self.fields["own_roles"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(role.id), role.name) for role in own]


class NewKey(forms.Form):
    """A key for a program."""

    name = forms.CharField(label="What uses it?", max_length=120)
    days = forms.IntegerField(label="Ends after, days", min_value=1, max_value=730, initial=365)
    scopes = forms.MultipleChoiceField(label="It may", widget=forms.CheckboxSelectMultiple)

    def offer(self, permissions: frozenset[Permission]) -> None:
        """Offer these scopes and no others."""
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(word.value, word.value) for word in sorted(permissions)]
