"""The closed code lists of coded attributes: code, label in English and Spanish, what people write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from salus.kernel.vocabulary import Relation


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes of one attribute; `also` maps other spellings (lower case) to a code."""

    labels: Mapping[str, tuple[str, str]]
    """Code -> label in English, label in Spanish."""
    also: Mapping[str, str] = field(default_factory=dict)

    def code_of(self, text: str) -> str | None:
        """Return the code that `text` means, or None. Case and outer spaces do not count."""
        word = text.strip()
        if word in self.labels:
            return word
        word = word.lower()
        if word in self.labels:
            return word
        return self.also.get(word) or self.also.get(word.replace("_", " ").replace("-", " "))


def _with_labels(labels: Mapping[str, tuple[str, str]], also: Mapping[str, str] | None = None) -> CodeList:
    """Build a list in which the labels themselves are understood too."""
    spoken = {label.lower(): code for code, pair in labels.items() for label in pair}
    return CodeList(labels, {**spoken, **(also or {})})


GENDER = _with_labels(
    {
        "female": ("Female", "Femenino"),
        "male": ("Male", "Masculino"),
        "other": ("Other", "Otro"),
        "unknown": ("Unknown", "Desconocido"),
    },
    {
        "f": "female",
        "m": "male",
        "woman": "female",
        "man": "male",
        "u": "unknown",
        "x": "other",
        "o": "other",
    },
)

RELATION = _with_labels(
    {
        Relation.PATIENT.value: ("Patient", "Paciente"),
        Relation.ENROLLED.value: ("Plan member", "Afiliado"),
        Relation.FORMER.value: ("Former patient", "Paciente anterior"),
        Relation.PROSPECT.value: ("Prospect", "Persona interesada"),
        Relation.TREATING_PROVIDER.value: ("Treating provider", "Profesional tratante"),
    },
    {"member": "enrolled", "active": "patient", "lead": "prospect", "inactive": "former"},
)

MARITAL = _with_labels(
    {
        "single": ("Single", "Soltero"),
        "married": ("Married", "Casado"),
        "partner": ("Domestic partner", "Pareja de hecho"),
        "separated": ("Separated", "Separado"),
        "divorced": ("Divorced", "Divorciado"),
        "widowed": ("Widowed", "Viudo"),
        "unknown": ("Unknown", "Desconocido"),
    },
    {
        "s": "single",
        "u": "single",  # HL7 v3 MaritalStatus U: unmarried
        "never married": "single",
        "unmarried": "single",
        "m": "married",
        "t": "partner",
        "c": "partner",
        "l": "separated",
        "d": "divorced",
        "i": "divorced",
        "a": "single",
        "p": "married",
        "w": "widowed",
        "unk": "unknown",
    },
)

FAMILY = _with_labels(
    {
        "no_children": ("No children", "Sin hijos"),
        "children": ("Children at home", "Con hijos en casa"),
        "single_parent": ("Single parent", "Familia monoparental"),
        "grown_children": ("Grown children", "Hijos adultos"),
        "caregiver": ("Cares for a relative", "Cuida a un familiar"),
        "lives_alone": ("Lives alone", "Vive solo"),
        "unknown": ("Unknown", "Desconocido"),
    }
)

EDUCATION = _with_labels(
    {
        "none": ("No schooling", "Sin estudios"),
        "primary": ("Primary school", "Primaria"),
        "high_school": ("High school", "Secundaria"),
        "some_college": ("Some college", "Estudios universitarios incompletos"),
        "associate": ("Associate degree", "Grado asociado"),
        "bachelor": ("Bachelor's degree", "Licenciatura"),
        "graduate": ("Graduate degree", "Posgrado"),
        "unknown": ("Unknown", "Desconocido"),
    },
    {"ged": "high_school", "college": "some_college", "master": "graduate", "doctorate": "graduate"},
)

EMPLOYMENT = _with_labels(
    {
        "full_time": ("Full-time", "Tiempo completo"),
        "part_time": ("Part-time", "Medio tiempo"),
        "self_employed": ("Self-employed", "Cuenta propia"),
        "unemployed": ("Unemployed", "Desempleado"),
        "not_in_labor_force": ("Not in the labor force", "Fuera de la fuerza laboral"),
        "student": ("Student", "Estudiante"),
        "retired": ("Retired", "Jubilado"),
        "homemaker": ("Homemaker", "Ama de casa"),
        "disabled": ("Unable to work", "Incapacitado para trabajar"),
        "unknown": ("Unknown", "Desconocido"),
    },
    {"employed": "full_time", "full time": "full_time", "part time": "part_time"},
)

INSURANCE = _with_labels(
    {
        "commercial": ("Commercial", "Comercial"),
        "medicare": ("Medicare", "Medicare"),
        "medicare_advantage": ("Medicare Advantage", "Medicare Advantage"),
        "medicaid": ("Medicaid", "Medicaid"),
        "chip": ("CHIP", "CHIP"),
        "marketplace": ("Marketplace", "Mercado de seguros"),
        "military": ("TRICARE or VA", "TRICARE o VA"),
        "other_public": ("Other public program", "Otro programa público"),
        "self_pay": ("Self-pay", "Pago propio"),
        "none": ("No insurance", "Sin seguro"),
        "unknown": ("Unknown", "Desconocido"),
    },
    {
        "private": "commercial",
        "ppo": "commercial",
        "hmo": "commercial",
        "tricare": "military",
        "va": "military",
    },
)

RACE = _with_labels(
    {
        "american_indian": ("American Indian or Alaska Native", "Indígena estadounidense o nativo de Alaska"),
        "asian": ("Asian", "Asiática"),
        "black": ("Black or African American", "Negra o afroamericana"),
        "middle_eastern": ("Middle Eastern or North African", "De Oriente Medio o África del Norte"),
        "pacific_islander": (
            "Native Hawaiian or Other Pacific Islander",
            "Nativa de Hawái o islas del Pacífico",
        ),
        "white": ("White", "Blanca"),
        "other": ("Other", "Otra"),
        "unknown": ("Unknown", "Desconocida"),
    },
    {
        "1002-5": "american_indian",
        "2028-9": "asian",
        "2054-5": "black",
        "2118-8": "middle_eastern",
        "2076-8": "pacific_islander",
        "2106-3": "white",
        "2131-1": "other",
        "unk": "unknown",
        "asku": "unknown",
    },
)

ETHNICITY = _with_labels(
    {
        "hispanic": ("Hispanic or Latino", "Hispana o latina"),
        "not_hispanic": ("Not Hispanic or Latino", "No hispana ni latina"),
        "unknown": ("Unknown", "Desconocida"),
    },
    {"2135-2": "hispanic", "2186-5": "not_hispanic", "unk": "unknown", "latino": "hispanic"},
)

OUTCOME = _with_labels(
    {
        "recovered": ("Recovered", "Recuperado"),
        "improved": ("Improved", "Mejor"),
        "unchanged": ("Unchanged", "Sin cambios"),
        "worse": ("Worse", "Peor"),
        "died": ("Died", "Fallecido"),
        "unknown": ("Unknown", "Desconocido"),
    }
)

CODE_LISTS: Mapping[str, CodeList] = {
    "gender": GENDER,
    "relation": RELATION,
    "marital_status": MARITAL,
    "family_status": FAMILY,
    "education_level": EDUCATION,
    "employment_status": EMPLOYMENT,
    "insurance_type": INSURANCE,
    "race": RACE,
    "ethnicity": ETHNICITY,
    "outcome": OUTCOME,
}
"""Attributes whose codes are closed here; places and languages are in `places.py`."""
