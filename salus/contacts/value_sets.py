"""Value sets (groups of codes by a plain name) and the question whether one code covers another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from salus.contacts.codes import ICD10_PREFIX, icd10

MARK = "vs:"
"""A code that begins so names a value set."""


@dataclass(frozen=True, slots=True)
class CodePatterns:
    """What a record's code must be: one of `exact`, or begin with one of `prefixes`."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def match(self, code: str) -> bool:
        """Return whether `code` is covered."""
        return code in self.exact or (bool(self.prefixes) and code.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A named group of codes: ICD-10 prefixes, and exact codes of any system."""

    name: str
    field: str
    """The attribute it is meant for."""
    label: str
    label_es: str
    icd10: tuple[str, ...] = ()
    exact: frozenset[str] = frozenset()


def _set(name: str, field: str, label: str, label_es: str, icd: str = "", exact: str = "") -> ValueSet:
    return ValueSet(name, field, label, label_es, tuple(icd.split()), frozenset(exact.split()))


_SETS = (
    _set("diabetes", "conditions", "Diabetes", "Diabetes", "E08 E09 E10 E11 E13",
         "73211009 44054006 46635009 8801005 199223000 11530004 237599002 359642000 127013003 "
         "368581000119106 422034002 90781000119102 97331000119101 1551000119108 1501000119109 "
         "157141000119108 60951000119105"),
    _set("type_2_diabetes", "conditions", "Type 2 diabetes", "Diabetes tipo 2", "E11",
         "44054006 359642000 90781000119102 97331000119101 1551000119108 1501000119109 "
         "157141000119108 60951000119105"),
    _set("prediabetes", "conditions", "Prediabetes", "Prediabetes", "R73.03", "15777000 714628002"),
    _set("hypertension", "conditions", "High blood pressure", "Presión arterial alta",
         "I10 I11 I12 I13 I15 I16 I1A", "38341003 59621000 1201005 78975002 31992008"),
    _set("asthma", "conditions", "Asthma", "Asma", "J45",
         "195967001 233678006 266361008 370218001 370221004 427603009 195977004 424643009"),
    _set("copd", "conditions", "COPD", "EPOC", "J41 J42 J43 J44", "13645005 87433001 185086009 63480004"),
    _set("heart_failure", "conditions", "Heart failure", "Insuficiencia cardíaca", "I50 I11.0 I13.0 I13.2",
         "84114007 88805009 42343007 85232009"),
    _set("coronary_disease", "conditions", "Coronary heart disease", "Enfermedad coronaria",
         "I20 I21 I22 I23 I24 I25", "53741008 414545008 22298006 399211009 394659003 1755008"),
    _set("kidney_disease", "conditions", "Chronic kidney disease", "Enfermedad renal crónica", "N18 I12 I13",
         "709044004 431855005 431856006 433144002 431857002 433146000 46177005 127013003"),
    _set("high_cholesterol", "conditions", "High cholesterol", "Colesterol alto", "E78.0 E78.1 E78.2 E78.4 E78.5",
         "55822004 13644009 302870006 267432004"),
    _set("obesity", "conditions", "Obesity", "Obesidad", "E66 Z68.3 Z68.4",
         "414916001 162864005 408512008 238136002"),
    _set("cancer", "conditions", "Cancer", "Cáncer", "C", "363346000 254637007 254837009 93761005 109838007 424132000"),
    _set("breast_cancer", "conditions", "Breast cancer", "Cáncer de mama", "C50 D05", "254837009"),
    _set("arthritis", "conditions", "Arthritis", "Artritis", "M05 M06 M15 M16 M17 M18 M19",
         "396275006 239873007 239872002 69896004 3723001"),
    _set("osteoporosis", "conditions", "Osteoporosis", "Osteoporosis", "M80 M81", "64859006"),
    _set("depression", "conditions", "Depression", "Depresión", "F32 F33 F34.1",
         "35489007 370143000 36923009 66344007 78667006"),
    _set("anxiety", "conditions", "Anxiety", "Ansiedad", "F40 F41", "48694002 197480006 21897009 371631005"),
    _set("substance_use", "conditions", "Substance use disorder", "Trastorno por consumo de sustancias",
         "F10 F11 F12 F13 F14 F15 F16 F18 F19",
         "66214007 7200002 66590003 15167005 26416006 191816009 75544000 5602001 6525002 361055000"),
    _set("hiv", "conditions", "HIV", "VIH", "B20 Z21 B97.35", "86406008 62479008 165816005 91947003"),
    _set("pregnancy", "conditions", "Pregnancy", "Embarazo", "O Z33.1 Z34 Z3A",
         "77386006 72892002 47200007 237238006 199246003"),
    _set("hba1c", "labs", "Hemoglobin A1c", "Hemoglobina A1c", "", "4548-4 17856-6 4549-2 59261-8 62388-4 71875-9"),
    _set("ldl", "labs", "LDL cholesterol", "Colesterol LDL", "", "13457-7 18262-6 2089-1 18261-8"),
    _set("systolic_pressure", "labs", "Systolic blood pressure", "Presión sistólica", "", "8480-6"),
    _set("egfr", "labs", "eGFR", "eGFR", "", "33914-3 62238-1 98979-8 48642-3 48643-1"),
    _set("mammography", "procedures", "Mammography", "Mamografía", "", "77065 77066 77067 24623002 71651007 241055006"),
    _set("colonoscopy", "procedures", "Colonoscopy", "Colonoscopia", "",
         "44388 44389 44392 44394 45378 45380 45381 45384 45385 45388 45390 45398 G0105 G0121 73761001 446521004"),
    _set("cervical_screening", "procedures", "Cervical screening", "Citología cervical", "",
         "88141 88142 88143 88147 88148 88150 88164 88174 88175 Q0091 G0101 171149006 90226004"),
    _set("flu_vaccine", "vaccinations", "Flu vaccine", "Vacuna contra la gripe", "",
         "15 16 88 135 140 141 144 149 150 151 153 155 158 161 166 168 171 185 186 197 205 231 320 333"),
    _set("covid_vaccine", "vaccinations", "COVID-19 vaccine", "Vacuna contra la COVID-19", "",
         "207 208 210 211 212 213 217 218 219 221 228 229 230 300 301 302 308 309 310 311 312 313"),
    _set("pneumonia_vaccine", "vaccinations", "Pneumococcal vaccine", "Vacuna antineumocócica", "",
         "33 109 133 152 215 216 327"),
    _set("shingles_vaccine", "vaccinations", "Shingles vaccine", "Vacuna contra el herpes zóster", "", "121 187 188"),
    _set("tetanus_vaccine", "vaccinations", "Tetanus vaccine", "Vacuna contra el tétanos", "",
         "09 35 112 113 115 138 139 196"),
    _set("hpv_vaccine", "vaccinations", "HPV vaccine", "Vacuna contra el VPH", "", "62 118 137 165"),
)  # fmt: skip

VALUE_SETS: Mapping[str, ValueSet] = MappingProxyType({one.name: one for one in _SETS})
"""Every value set by its name; ask for one with `vs:<name>`."""


@lru_cache(maxsize=4096)
def patterns(asked: str) -> CodePatterns:
    """Return what `asked` covers: a value set ("vs:diabetes"), an ICD-10 prefix, or one exact code.

    Raises `KeyError` for a value set that does not exist.
    """
    if asked.startswith(MARK):
        found = VALUE_SETS[asked.removeprefix(MARK)]
        return CodePatterns(found.exact, tuple(icd10(code) for code in found.icd10))
    if ICD10_PREFIX.fullmatch(asked):
        # HCPCS codes ("G0105") look alike, so the code as it was given counts too.
        return CodePatterns(frozenset({asked.upper()}), (icd10(asked),))
    return CodePatterns(frozenset({asked}), ())


def covers(asked_code: str, record_code: str) -> bool:
    """Return whether a record with `record_code` answers a question for `asked_code`.

    ICD-10 codes cover what stands below them: `E11` covers `E11.9`, not the other way round.
    """
    return patterns(asked_code).match(record_code)


@lru_cache(maxsize=4096)
def name_of(code: str) -> str:
    """Return a code as people say it: the value set that it names or is in ("Hemoglobin A1c, 4548-4"), or itself.

    Of several sets the one with the fewest codes says most.
    """
    if code.startswith(MARK):
        known = VALUE_SETS.get(code.removeprefix(MARK))
        return known.label if known else code
    fitting = [one for one in _SETS if covers(MARK + one.name, code)]
    if not fitting:
        return code
    return f"{min(fitting, key=lambda one: len(one.exact) + len(one.icd10)).label}, {code}"
