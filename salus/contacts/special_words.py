"""Words in texts of records, medicines and departments that tell of a specially protected category."""

from __future__ import annotations

from collections.abc import Mapping

from salus.kernel.vocabulary import Special

WORDS: Mapping[Special, tuple[str, ...]] = {
    Special.PART2_SUD: (
        r"substance[- ](?:use|abuse|misuse|dependen)", r"drug[- ](?:abuse|use disorder|dependen|addiction|overdose)",
        r"addict", r"\bmisuses? drugs?", r"opioid (?:use|abuse|dependen|overdose|withdrawal)",
        r"alcohol(?:ism|ic\b| use| abuse| dependen| drinking| withdrawal| intoxication)", r"\balcoholics\b",
        r"detox", r"(?:cocaine|heroin|cannabis|amphetamine|methamphetamine) (?:use|abuse|dependen)",
        r"buprenorphine", r"suboxone", r"subutex", r"sublocade", r"methadone", r"naltrexone", r"vivitrol",
        r"disulfiram", r"antabuse", r"acamprosate", r"recovery program", r"trastorno por consumo",
    ),
    Special.HIV: (
        r"\bHIV\b", r"\bVIH\b", r"human immunodeficiency", r"acquired immun", r"(?<!hearing )\bAIDS\b",
        r"antiretroviral", r"emtricitabine", r"tenofovir", r"truvada", r"descovy", r"biktarvy", r"bictegravir",
        r"dolutegravir", r"efavirenz", r"abacavir", r"zidovudine", r"raltegravir", r"darunavir", r"atazanavir",
        r"rilpivirine", r"cabotegravir", r"cobicistat", r"lamivudine", r"lopinavir", r"maraviroc", r"genvoya",
    ),
    Special.REPRODUCTIVE: (
        r"pregnan", r"embaraz", r"prenatal", r"antenatal", r"postnatal", r"postpartum", r"obstetric", r"maternity",
        r"miscarriage", r"abortion", r"abortus", r"childbirth", r"cesarean", r"\bdelivery of (?:baby|infant|fetus)",
        r"labor and delivery", r"f(?:o)?etal", r"f(?:o)?etus", r"uterine fundal", r"contracept", r"intrauterine",
        r"vasectomy", r"tubal ligation", r"infertil", r"in vitro fertili", r"\bIVF\b", r"family planning",
        r"mifepristone", r"misoprostol", r"clomiphene", r"levonorgestrel", r"ethinyl estradiol", r"norethindrone",
        r"etonogestrel", r"drospirenone", r"norgestimate", r"medroxyprogesterone", r"\b(?:21|28|91) day pack\b",
        r"mirena", r"kyleena", r"liletta", r"skyla", r"nuvaring", r"nexplanon", r"depo-provera", r"seasonique",
        r"eclampsia", r"midwi",
    ),
    Special.GENETIC: (
        r"\bgenetic", r"\bgenom", r"\bBRCA[12]?\b", r"gene (?:mutation|test|detection|analysis)", r"chromosom",
        r"\bkaryotyp", r"lynch syndrome", r"carrier (?:screening|status)", r"hereditary (?:risk|predisposition)",
    ),
    Special.MENTAL_HEALTH: (
        r"depressi(?:on|ve)", r"\banxiety", r"bipolar", r"schizo", r"psychos[ie]s", r"psychotic", r"psychiatr",
        r"psycholog", r"psychotherap", r"mental (?:health|disorder|illness)", r"behavio(?:u)?ral health",
        r"suicid", r"self[- ]harm", r"post[- ]?traumatic stress", r"\bPTSD\b", r"\bADHD\b", r"attention deficit",
        r"eating disorder", r"anorexia nervosa", r"bulimi", r"obsessive", r"panic disorder", r"autis",
        r"salud mental", r"depresi[óo]n", r"ansiedad", r"patient health questionnaire",
        r"sertraline", r"fluoxetine", r"escitalopram", r"citalopram", r"paroxetine", r"venlafaxine", r"duloxetine",
        r"bupropion", r"trazodone", r"mirtazapine", r"\blithium\b", r"quetiapine", r"olanzapine", r"risperidone",
        r"aripiprazole", r"clozapine", r"haloperidol", r"ziprasidone", r"lurasidone", r"buspirone",
        r"methylphenidate", r"atomoxetine", r"lisdexamfetamine", r"amitriptyline",
    ),
}  # fmt: skip
"""Regular expressions, matched anywhere and without case."""
