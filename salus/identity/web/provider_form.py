"""The form of an identity provider, and the mapping from its groups to roles."""

from __future__ import annotations

from typing import Any

from django import forms

from salus.identity.contracts import Role
from salus.identity.providers import SCOPES, STRONG, Protocol, Provider


class _Lines(forms.CharField):
    """Texts, one a line."""

    def __init__(self, *, rows: int = 2, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "autocapitalize": "none"})
        super().__init__(widget=widget, max_length=10_000, **options)

    def to_python(self, value: Any) -> Any:
        """Return the lines that are not empty."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """Return texts as they are typed."""
        return value if isinstance(value, str) else "\n".join(value or ())

    def validate(self, value: Any) -> None:
        """Ask only whether there must be one."""
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"])

    def run_validators(self, value: Any) -> None:
        """Leave limits to who keeps it."""


class ProviderForm(forms.Form):
    """What every provider has."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="Staff see it on the button: “Sign in with …”."
    )
    domains = _Lines(
        label="E-mail domains it speaks for",
        help_text="One a line. Nobody with another address comes in by it.",
    )
    role_claim = forms.CharField(label="Claim with the groups", max_length=200, initial="groups")
    just_in_time = forms.BooleanField(
        label="Let in people whom nobody invited",
        required=False,
        help_text="Only with a group that gives a role below.",
    )
    strong = _Lines(
        label="Words that mean: a second factor was asked",
        required=False,
        rows=3,
        initial=list(STRONG),
        help_text="Of the claims amr and acr, or the authentication context. Without one of them, ours is asked.",
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for role in Role:
            self.fields[f"role_{role.value}"] = _Lines(label=role.words, required=False)

    def role_fields(self) -> list[Any]:
        """Return the fields of the mapping, in the order of the vocabulary."""
        return [self[f"role_{role.value}"] for role in Role]

    def lines(self) -> dict[Role, list[str]]:
        """Return the groups by role."""
        return {role: self.cleaned_data[f"role_{role.value}"] for role in Role}


class OidcForm(ProviderForm):
    """A provider that speaks OpenID Connect."""

    address = forms.CharField(
        label="Issuer",
        max_length=500,
        help_text="The address that is registered under Vendors. Everything else is discovered there.",
    )
    client_id = forms.CharField(label="Client ID", max_length=200)
    client_secret = forms.CharField(
        label="Client secret",
        max_length=500,
        required=False,
        strip=False,
        help_text="Kept sealed and never shown. Empty: nothing changes.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.CharField(label="Scopes", max_length=300, initial=SCOPES)
    vouches = forms.BooleanField(
        label="It vouches for every e-mail address it tells",
        required=False,
        help_text="For providers that never say “email_verified”. Only where nobody can type in an address of their own.",
    )


class SamlForm(ProviderForm):
    """A provider that speaks SAML 2.0."""

    metadata = forms.CharField(
        label="Its metadata (XML)",
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Paste the whole document. Its address for sign-on is the one that is registered under Vendors.",
    )

    def may_keep(self) -> None:
        """Let the metadata that are known stay."""
        self.fields["metadata"].required = False
        self.fields[
            "metadata"
        ].help_text = "Empty: nothing changes. Paste a new document when its key changes."


FORMS: dict[Protocol, type[ProviderForm]] = {Protocol.OIDC: OidcForm, Protocol.SAML: SamlForm}


def initial_of(provider: Provider) -> dict[str, Any]:
    """Return what the form shows of a provider: all but the secret."""
    shown = {
        name: getattr(provider, name)
        for name in (
            "name", "domains", "role_claim", "just_in_time", "strong", "address", "client_id", "scopes", "vouches"
        )
    }  # fmt: skip
    for role in Role:
        shown[f"role_{role.value}"] = [group for group, given in provider.roles.items() if given is role]
    return shown
