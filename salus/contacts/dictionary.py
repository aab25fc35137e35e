"""The attribute dictionary: everything that Salus may know of a person, and what it tells of them.

`capabilities.md` section D is the list; a value without an entry here is never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from salus.contacts.contracts import Attribute, AttributeType
from salus.kernel.vocabulary import PhiClass, Special

_T = AttributeType
_C = PhiClass
_SENSITIVE = Special.SENSITIVE_DEMOGRAPHIC
_US_CORE = "Patient.extension(us-core-"

_ATTRIBUTES = (
    # Who it is
    Attribute("given_name", _T.TEXT, _C.CONTACT, "Given name", "Nombre", None, "Patient.name.given"),
    Attribute("family_name", _T.TEXT, _C.CONTACT, "Family name", "Apellido", None, "Patient.name.family"),
    Attribute(
        "relation", _T.CODE, _C.CONTACT, "Relation to us", "Relación con nosotros", None, "Patient.active"
    ),
    Attribute("member_since", _T.DATE, _C.CONTACT, "With us since", "Con nosotros desde"),
    # Demographic attributes (C089 to C101)
    Attribute(
        "birth_date", _T.DATE, _C.DEMOGRAPHIC, "Birth date", "Fecha de nacimiento", None, "Patient.birthDate"
    ),
    Attribute("gender", _T.CODE, _C.DEMOGRAPHIC, "Gender", "Género", None, "Patient.gender"),
    Attribute(
        "postal_code",
        _T.TEXT,
        _C.DEMOGRAPHIC,
        "ZIP code",
        "Código postal",
        None,
        "Patient.address.postalCode",
    ),
    Attribute("city", _T.TEXT, _C.DEMOGRAPHIC, "City", "Ciudad", None, "Patient.address.city"),
    Attribute(
        "state", _T.CODE, _C.DEMOGRAPHIC, "State", "Estado de residencia", None, "Patient.address.state"
    ),
    Attribute("care_state", _T.CODE, _C.DEMOGRAPHIC, "State of care", "Estado de la atención"),
    Attribute("country", _T.CODE, _C.DEMOGRAPHIC, "Country", "País", None, "Patient.address.country"),
    Attribute("time_zone", _T.CODE, _C.DEMOGRAPHIC, "Time zone", "Zona horaria"),
    Attribute(
        "language",
        _T.CODE,
        _C.DEMOGRAPHIC,
        "Preferred language",
        "Idioma preferido",
        None,
        "Patient.communication(preferred).language",
    ),
    Attribute(
        "spoken_languages",
        _T.CODES,
        _C.DEMOGRAPHIC,
        "Spoken languages",
        "Idiomas que habla",
        None,
        "Patient.communication.language",
    ),
    Attribute("race", _T.CODES, _C.DEMOGRAPHIC, "Race", "Raza", _SENSITIVE, f"{_US_CORE}race)"),
    Attribute(
        "ethnicity", _T.CODE, _C.DEMOGRAPHIC, "Ethnicity", "Etnia", _SENSITIVE, f"{_US_CORE}ethnicity)"
    ),
    Attribute(
        "religion",
        _T.TEXT,
        _C.DEMOGRAPHIC,
        "Religious or cultural affiliation",
        "Afiliación religiosa o cultural",
        _SENSITIVE,
        "Patient.extension(patient-religion)",
    ),
    Attribute(
        "income",
        _T.NUMBER,
        _C.DEMOGRAPHIC,
        "Household income a year, USD (socioeconomic status)",
        "Ingreso anual del hogar, USD (nivel socioeconómico)",
        _SENSITIVE,
    ),
    Attribute(
        "marital_status",
        _T.CODE,
        _C.DEMOGRAPHIC,
        "Marital status",
        "Estado civil",
        _SENSITIVE,
        "Patient.maritalStatus",
    ),
    Attribute("family_status", _T.CODE, _C.DEMOGRAPHIC, "Family status", "Situación familiar", _SENSITIVE),
    Attribute(
        "education_level",
        _T.CODE,
        _C.DEMOGRAPHIC,
        "Education level",
        "Nivel de estudios",
        None,
        "Condition.code(social finding)",
    ),
    Attribute(
        "employment_status",
        _T.CODE,
        _C.DEMOGRAPHIC,
        "Employment status",
        "Situación laboral",
        None,
        "Condition.code(social finding)",
    ),
    Attribute(
        "deceased_date",
        _T.DATE,
        _C.DEMOGRAPHIC,
        "Date of death",
        "Fecha de fallecimiento",
        None,
        "Patient.deceasedDateTime",
    ),
    Attribute(
        "deceased", _T.BOOL, _C.DEMOGRAPHIC, "Deceased", "Persona fallecida", None, "Patient.deceasedBoolean"
    ),
    Attribute(
        "insurance_type",
        _T.CODE,
        _C.INSURANCE,
        "Insurance coverage type",
        "Tipo de seguro médico",
        None,
        "Coverage.type",
    ),
    Attribute("insurance_payer", _T.TEXT, _C.INSURANCE, "Insurer", "Aseguradora", None, "Coverage.payor"),
    # Where and by whom the person is cared for
    Attribute(
        "department", _T.TEXT, _C.DEPARTMENT, "Department", "Departamento", None, "Encounter.serviceType"
    ),
    Attribute(
        "physician",
        _T.TEXT,
        _C.PHYSICIAN,
        "Physician",
        "Médico",
        None,
        "Patient.generalPractitioner",
    ),
    Attribute("outcome", _T.CODE, _C.OUTCOME, "Outcome of care", "Resultado de la atención"),
    # Clinical attributes (C102 to C111)
    Attribute("conditions", _T.RECORDS, _C.DIAGNOSIS, "Conditions", "Diagnósticos", None, "Condition"),
    Attribute(
        "medications", _T.RECORDS, _C.MEDICATION, "Medications", "Medicamentos", None, "MedicationRequest"
    ),
    Attribute(
        "treatment_plans",
        _T.CODES,
        _C.DIAGNOSIS,
        "Treatment plans",
        "Planes de tratamiento",
        None,
        "CarePlan.category",
    ),
    Attribute(
        "procedures",
        _T.RECORDS,
        _C.PROCEDURE,
        "Surgeries and procedures",
        "Cirugías y procedimientos",
        None,
        "Procedure",
    ),
    Attribute(
        "labs",
        _T.RECORDS,
        _C.LAB,
        "Lab results",
        "Resultados de laboratorio",
        None,
        "Observation(laboratory)",
    ),
    Attribute(
        "hospitalizations",
        _T.RECORDS,
        _C.HOSPITALIZATION,
        "Hospital stays",
        "Hospitalizaciones",
        None,
        "Encounter(class inpatient)",
    ),
    Attribute("vaccinations", _T.RECORDS, _C.VACCINATION, "Vaccinations", "Vacunas", None, "Immunization"),
    Attribute("allergies", _T.RECORDS, _C.DIAGNOSIS, "Allergies", "Alergias", None, "AllergyIntolerance"),
    Attribute(
        "risk_factors",
        _T.CODES,
        _C.DIAGNOSIS,
        "Risk factors",
        "Factores de riesgo",
        None,
        "Condition.category(health-concern)",
    ),
    Attribute(
        "lifestyle_risks",
        _T.CODES,
        _C.DIAGNOSIS,
        "Lifestyle risk factors",
        "Riesgos del estilo de vida",
        None,
        "Condition.code(social finding), Observation(smoking status)",
    ),
    Attribute(
        "pregnant",
        _T.BOOL,
        _C.DIAGNOSIS,
        "Pregnant",
        "Embarazo",
        Special.REPRODUCTIVE,
        "Observation(82810-3)",
    ),
    Attribute("due_date", _T.DATE, _C.DIAGNOSIS, "Due date", "Fecha probable de parto", Special.REPRODUCTIVE),
    # Use of services and engagement (C120 to C124)
    Attribute(
        "encounters",
        _T.RECORDS,
        _C.DATES_OF_CARE,
        "Visits (use of services)",
        "Visitas (uso de servicios)",
        None,
        "Encounter",
    ),
    Attribute("appointments", _T.RECORDS, _C.DATES_OF_CARE, "Appointments", "Citas", None, "Appointment"),
    Attribute(
        "coverages", _T.RECORDS, _C.INSURANCE, "Insurance coverages", "Coberturas de seguro", None, "Coverage"
    ),
    Attribute("health_interests", _T.CODES, _C.ENGAGEMENT, "Health interests", "Intereses de salud"),
    Attribute("purchases", _T.RECORDS, _C.ENGAGEMENT, "Purchases", "Compras"),
)

DICTIONARY: Mapping[str, Attribute] = MappingProxyType({one.key: one for one in _ATTRIBUTES})
"""Every attribute by its key. Age, journey stage and engagement behavior are derived by `audiences`."""

ADDRESS_FIELDS = MappingProxyType({"email": _C.CONTACT, "phone": _C.CONTACT})
"""Fields that are read like attributes but live in the addresses of a contact."""

RESERVED = frozenset({"addresses", "identifiers"})
"""Keys of the sealed document that are not attributes."""
