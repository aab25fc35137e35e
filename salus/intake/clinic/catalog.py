"""What people of the synthetic clinic have, take and undergo: real codes, invented frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
LOINC = "http://loinc.org"
CPT = "http://www.ama-assn.org/go/cpt"

Coding = tuple[str, str, str]
"""System, code, display."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosis: what share of people of an age and sex has it, and what comes with it."""

    name: str
    codes: Sequence[Coding]
    share: float
    ages: tuple[int, int]
    department: str = "Primary care"
    women_only: bool = False
    medicines: Sequence[Coding] = ()

    def fits(self, age: int, female: bool) -> bool:
        """Return whether somebody of this age and sex may have it."""
        return self.ages[0] <= age <= self.ages[1] and (female or not self.women_only)


CONDITIONS: tuple[Diagnosis, ...] = (
    Diagnosis(
        "diabetes",
        (
            (ICD10, "E11.9", "Type 2 diabetes mellitus without complications"),
            (ICD10, "E11.65", "Type 2 diabetes mellitus with hyperglycemia"),
            (ICD10, "E11.22", "Type 2 diabetes mellitus with diabetic chronic kidney disease"),
            (SNOMED, "44054006", "Diabetes mellitus type 2 (disorder)"),
            (ICD10, "E10.9", "Type 1 diabetes mellitus without complications"),
        ),
        0.145,
        (28, 96),
        "Endocrinology",
        medicines=((RXNORM, "860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"),),
    ),
    Diagnosis(
        "hypertension",
        ((ICD10, "I10", "Essential (primary) hypertension"), (SNOMED, "59621000", "Essential hypertension")),
        0.34,
        (40, 96),
        "Cardiology",
        medicines=((RXNORM, "314076", "lisinopril 10 MG Oral Tablet"),),
    ),
    Diagnosis(
        "high_cholesterol",
        ((ICD10, "E78.5", "Hyperlipidemia, unspecified"),),
        0.26,
        (40, 96),
        medicines=((RXNORM, "314231", "Simvastatin 10 MG Oral Tablet"),),
    ),
    Diagnosis(
        "asthma",
        ((ICD10, "J45.909", "Unspecified asthma, uncomplicated"), (SNOMED, "233678006", "Childhood asthma")),
        0.08,
        (6, 70),
        "Pulmonology",
        medicines=((RXNORM, "351137", "albuterol 0.21 MG/ML Inhalation Solution"),),
    ),
    Diagnosis("obesity", ((ICD10, "E66.9", "Obesity, unspecified"),), 0.2, (18, 80)),
    Diagnosis(
        "arthritis", ((ICD10, "M17.11", "Unilateral primary osteoarthritis, right knee"),), 0.2, (55, 96)
    ),
    Diagnosis("kidney_disease", ((ICD10, "N18.31", "Chronic kidney disease, stage 3a"),), 0.09, (60, 96)),
    Diagnosis(
        "breast_cancer",
        ((ICD10, "C50.911", "Malignant neoplasm of unspecified site of right female breast"),),
        0.03,
        (40, 90),
        "Oncology",
        women_only=True,
    ),
    Diagnosis(
        "depression",
        (
            (ICD10, "F33.1", "Major depressive disorder, recurrent, moderate"),
            (ICD10, "F32.A", "Depression, unspecified"),
        ),
        0.09,
        (14, 90),
        "Behavioral health",
        medicines=((RXNORM, "312941", "Sertraline 50 MG Oral Tablet"),),
    ),
    Diagnosis(
        "anxiety",
        ((ICD10, "F41.1", "Generalized anxiety disorder"),),
        0.06,
        (14, 80),
        "Behavioral health",
    ),
    Diagnosis(
        "substance_use",
        (
            (ICD10, "F11.20", "Opioid dependence, uncomplicated"),
            (ICD10, "F10.20", "Alcohol dependence, uncomplicated"),
        ),
        0.03,
        (19, 70),
        "Addiction medicine",
        medicines=((RXNORM, "351267", "Buprenorphine 8 MG / naloxone 2 MG Sublingual Tablet"),),
    ),
    Diagnosis(
        "hiv",
        ((ICD10, "B20", "Human immunodeficiency virus [HIV] disease"),),
        0.008,
        (20, 75),
        "Infectious disease",
        medicines=((RXNORM, "1999667", "bictegravir / emtricitabine / tenofovir alafenamide Oral Tablet"),),
    ),
    Diagnosis(
        "pregnancy",
        (
            (ICD10, "Z34.82", "Encounter for supervision of other normal pregnancy, second trimester"),
            (SNOMED, "72892002", "Normal pregnancy"),
        ),
        0.06,
        (19, 43),
        "Obstetrics",
        women_only=True,
    ),
)

MAMMOGRAPHY: Coding = (CPT, "77067", "Screening mammography, bilateral")
COLONOSCOPY: Coding = (CPT, "45378", "Colonoscopy, flexible; diagnostic")
KNEE: Coding = (CPT, "27447", "Arthroplasty, knee")
CATARACT: Coding = (CPT, "66984", "Cataract surgery with intraocular lens")

FLU: Coding = (CVX, "150", "Influenza, injectable, quadrivalent, preservative free")
COVID: Coding = (CVX, "309", "COVID-19, mRNA, LNP-S, PF, tris-sucrose, 30 mcg/0.3 mL")
SHINGLES: Coding = (CVX, "187", "zoster recombinant")
PNEUMONIA: Coding = (CVX, "216", "Pneumococcal conjugate PCV20")
HPV: Coding = (CVX, "165", "HPV9")

A1C: Coding = (LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")
LDL: Coding = (LOINC, "13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation")
PRESSURE: Coding = (LOINC, "85354-9", "Blood pressure panel")
SYSTOLIC: Coding = (LOINC, "8480-6", "Systolic blood pressure")
DIASTOLIC: Coding = (LOINC, "8462-4", "Diastolic blood pressure")
SMOKING: Coding = (LOINC, "72166-2", "Tobacco smoking status")
PREGNANCY: Coding = (LOINC, "82810-3", "Pregnancy status")
DUE: Coding = (LOINC, "11778-8", "Delivery date Estimated")

PENICILLIN: Coding = (RXNORM, "70618", "Penicillin")
LATEX: Coding = (SNOMED, "111088007", "Latex (substance)")
PILL: Coding = (RXNORM, "748962", "Camila 28 Day Pack")
ANTIBIOTIC: Coding = (RXNORM, "308192", "Amoxicillin 500 MG Oral Tablet")

VISITS: tuple[Coding, ...] = (
    (CPT, "99213", "Office visit, established patient, low complexity"),
    (CPT, "99214", "Office visit, established patient, moderate complexity"),
    (CPT, "99395", "Periodic preventive visit"),
)
EMERGENCY: Coding = (CPT, "99284", "Emergency department visit")
STAY: Coding = (CPT, "99222", "Initial hospital care")

INSURERS = ("Northbridge Health", "Cascadia Mutual", "Blue Harbor Plan")
PHYSICIANS = (
    "Dr. Orvinestad Pelthavik",
    "Dr. Zeldeholm Skelivale",
    "Dr. Welkathorn Juneberg",
    "Dr. Taneworth Ulvik",
)
