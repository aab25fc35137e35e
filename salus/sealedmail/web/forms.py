"""Forms of mail keys: one to put on file, why one is revoked, our own, whom we trust, when keys are used."""

from __future__ import annotations

from typing import Any

from django import forms

from salus.kernel.errors import SalusError
from salus.sealedmail.contracts import Choices, Revocation, Use

LARGEST, LARGEST_LIST = 256 * 1024, 4 * 1024 * 1024

REVOCATIONS = {
    Revocation.COMPROMISED: "Somebody else may have it",
    Revocation.LOST: "Its holder lost it",
    Revocation.WRONG_PERSON: "It is somebody else's",
    Revocation.WITHDRAWN: "Its holder asked us not to use it",
}
"""What people may say."""
_CODE = {"rows": 6, "autocomplete": "off", "spellcheck": "false", "class": "mono"}


class KeyForm(forms.Form):
    """A key as text or as a file, and the fingerprint that its holder said."""

    key = forms.CharField(
        label="The certificate or public key",
        required=False,
        max_length=LARGEST,
        help_text="Text that begins with -----BEGIN. Or choose a file.",
        widget=forms.Textarea(attrs=_CODE),
    )
    file = forms.FileField(label="Its file", required=False, help_text=".pem, .cer, .crt, .asc, .gpg")
    fingerprint = forms.CharField(
        label="The fingerprint that its holder told you",
        required=False,
        max_length=200,
        help_text="By telephone or in person, never from the same message as the key. Not needed where an authority vouches that you trust.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )

    def data_given(self) -> bytes:
        """Return what was given, as octets."""
        return octets_of(self, "key")

    def clean(self) -> dict[str, Any]:
        """Refuse nothing at all, and a file that is too large."""
        return cleaned(self, "key")


class DomainKeyForm(KeyForm):
    """The same for a partner's domain."""

    domain = forms.CharField(
        label="Domain",
        max_length=253,
        help_text="What stands after the @ of everybody's address there.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    field_order = ("domain", "key", "file", "fingerprint")


class RevokeForm(forms.Form):
    """Why a key is used no more."""

    why = forms.ChoiceField(
        label="Why?",
        choices=[("", "Choose a reason"), *((each.value, words) for each, words in REVOCATIONS.items())],
    )


class RevocationForm(forms.Form):
    """A revocation that the key signed."""

    revocation = forms.CharField(
        label="A revocation certificate of its holder",
        max_length=LARGEST,
        help_text="Text that begins with -----BEGIN PGP.",
        widget=forms.Textarea(attrs=_CODE),
    )


class ListForm(forms.Form):
    """A revocation list of an authority."""

    list = forms.CharField(
        label="The list as text",
        required=False,
        max_length=LARGEST,
        help_text="Text that begins with -----BEGIN X509 CRL. Or choose a file.",
        widget=forms.Textarea(attrs=_CODE),
    )
    file = forms.FileField(label="Its file", required=False, help_text=".crl or .pem")

    def data_given(self) -> bytes:
        """Return what was given, as octets."""
        return octets_of(self, "list")

    def clean(self) -> dict[str, Any]:
        """Refuse nothing at all, and a file that is too large."""
        return cleaned(self, "list", LARGEST_LIST)


class CertificateForm(forms.Form):
    """Our own certificate with its key."""

    certificate = forms.CharField(
        label="Certificate and key as text",
        required=False,
        max_length=LARGEST,
        help_text="Both, each beginning with -----BEGIN. Or choose a file.",
        widget=forms.Textarea(attrs=_CODE),
    )
    file = forms.FileField(label="Their file", required=False, help_text=".p12, .pfx or .pem")
    password = forms.CharField(
        label="Password of the file",
        required=False,
        max_length=200,
        help_text="It opens the file now and is not kept.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def data_given(self) -> bytes:
        """Return what was given, as octets."""
        return octets_of(self, "certificate")

    def clean(self) -> dict[str, Any]:
        """Refuse nothing at all, and a file that is too large."""
        return cleaned(self, "certificate")


class AnchorForm(forms.Form):
    """An authority's certificate."""

    certificate = forms.CharField(
        label="The authority's certificate",
        max_length=LARGEST,
        help_text="Text that begins with -----BEGIN CERTIFICATE.",
        widget=forms.Textarea(attrs=_CODE),
    )


class ChoicesForm(forms.Form):
    """When keys are used, and whether directories are asked."""

    use = forms.ChoiceField(
        label="Encrypt to a key on file",
        choices=[
            (Use.WHEN_NEEDED.value, "When TLS is too little for what a message tells"),
            (Use.ALWAYS.value, "Whenever there is one"),
        ],
        widget=forms.RadioSelect,
    )
    look_up = forms.BooleanField(
        label="Ask the directories of recipients' domains for OpenPGP keys",
        required=False,
        help_text="The domain learns whose key is asked for. Only staff and programs start a look-up.",
    )

    def choices_made(self) -> Choices:
        """Return what was chosen."""
        return Choices(Use(self.cleaned_data["use"]), self.cleaned_data["look_up"])


def octets_of(form: forms.Form, name: str) -> bytes:
    """Return the file that was given, else the text of field `name`."""
    file = form.cleaned_data.get("file")
    return bytes(file.read()) if file else form.cleaned_data[name].encode()


def cleaned(form: forms.Form, name: str, largest: int = LARGEST) -> dict[str, Any]:
    """Return the form's data; field `name` is at fault when nothing was given, or too much."""
    file = form.cleaned_data.get("file")
    if not file and not form.cleaned_data.get(name):
        form.add_error(name, "Paste it here, or choose its file.")
    elif file and file.size > largest:
        form.add_error("file", "That is larger than any that is read here.")
    return form.cleaned_data


def say(form: forms.Form, fault: SalusError) -> None:
    """Show what is wrong at the field that it is about."""
    place = "key" if fault.place == "certificate" and "key" in form.fields else fault.place
    form.add_error(place if place in form.fields else None, f"{fault.what} {fault.next_step}".strip())
