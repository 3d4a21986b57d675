/* Made by tools/fhir-types.py of FHIR 4.0.1's definitions; do not edit. In the order of names. */
// clang-format off
#define FHIR_TYPES(X) \
	X("Account", false, "subject") \
	X("ActivityDefinition", true, "") \
	X("AdverseEvent", false, "subject") \
	X("AllergyIntolerance", false, "patient recorder asserter") \
	X("Appointment", false, "participant.actor") \
	X("AppointmentResponse", false, "actor") \
	X("AuditEvent", false, "agent.who entity.what") \
	X("Basic", false, "subject author") \
	X("Binary", false, "") \
	X("BiologicallyDerivedProduct", false, "") \
	X("BodyStructure", false, "patient") \
	X("Bundle", false, "") \
	X("CapabilityStatement", true, "") \
	X("CarePlan", false, "subject activity.detail.performer") \
	X("CareTeam", false, "subject participant.member") \
	X("CatalogEntry", true, "") \
	X("ChargeItem", false, "subject") \
	X("ChargeItemDefinition", true, "") \
	X("Claim", false, "patient payee.party") \
	X("ClaimResponse", false, "patient") \
	X("ClinicalImpression", false, "subject") \
	X("CodeSystem", true, "") \
	X("Communication", false, "subject sender recipient") \
	X("CommunicationRequest", false, "subject sender recipient requester") \
	X("CompartmentDefinition", true, "") \
	X("Composition", false, "subject author attester.party") \
	X("ConceptMap", true, "") \
	X("Condition", false, "subject asserter") \
	X("Consent", false, "patient") \
	X("Contract", false, "subject") \
	X("Coverage", false, "beneficiary policyHolder subscriber payor") \
	X("CoverageEligibilityRequest", false, "patient") \
	X("CoverageEligibilityResponse", false, "patient") \
	X("DetectedIssue", false, "patient") \
	X("Device", false, "patient") \
	X("DeviceDefinition", true, "") \
	X("DeviceMetric", false, "") \
	X("DeviceRequest", false, "subject performer") \
	X("DeviceUseStatement", false, "subject") \
	X("DiagnosticReport", false, "subject") \
	X("DocumentManifest", false, "subject author recipient") \
	X("DocumentReference", false, "subject author") \
	X("EffectEvidenceSynthesis", true, "") \
	X("Encounter", false, "subject") \
	X("Endpoint", true, "") \
	X("EnrollmentRequest", false, "candidate") \
	X("EnrollmentResponse", false, "") \
	X("EpisodeOfCare", false, "patient") \
	X("EventDefinition", true, "") \
	X("Evidence", true, "") \
	X("EvidenceVariable", true, "") \
	X("ExampleScenario", true, "") \
	X("ExplanationOfBenefit", false, "patient payee.party") \
	X("FamilyMemberHistory", false, "patient") \
	X("Flag", false, "subject") \
	X("Goal", false, "subject") \
	X("GraphDefinition", true, "") \
	X("Group", false, "member.entity") \
	X("GuidanceResponse", false, "subject") \
	X("HealthcareService", true, "") \
	X("ImagingStudy", false, "subject") \
	X("Immunization", false, "patient") \
	X("ImmunizationEvaluation", false, "patient") \
	X("ImmunizationRecommendation", false, "patient") \
	X("ImplementationGuide", true, "") \
	X("InsurancePlan", true, "") \
	X("Invoice", false, "subject recipient") \
	X("Library", true, "") \
	X("Linkage", false, "") \
	X("List", false, "subject source") \
	X("Location", true, "") \
	X("Measure", true, "") \
	X("MeasureReport", false, "subject") \
	X("Media", false, "subject") \
	X("Medication", true, "") \
	X("MedicationAdministration", false, "subject performer.actor") \
	X("MedicationDispense", false, "subject receiver") \
	X("MedicationKnowledge", true, "") \
	X("MedicationRequest", false, "subject") \
	X("MedicationStatement", false, "subject") \
	X("MedicinalProduct", true, "") \
	X("MedicinalProductAuthorization", true, "") \
	X("MedicinalProductContraindication", true, "") \
	X("MedicinalProductIndication", true, "") \
	X("MedicinalProductIngredient", true, "") \
	X("MedicinalProductInteraction", true, "") \
	X("MedicinalProductManufactured", true, "") \
	X("MedicinalProductPackaged", true, "") \
	X("MedicinalProductPharmaceutical", true, "") \
	X("MedicinalProductUndesirableEffect", true, "") \
	X("MessageDefinition", true, "") \
	X("MessageHeader", false, "") \
	X("MolecularSequence", false, "patient") \
	X("NamingSystem", true, "") \
	X("NutritionOrder", false, "patient") \
	X("Observation", false, "subject performer") \
	X("ObservationDefinition", true, "") \
	X("OperationDefinition", true, "") \
	X("OperationOutcome", false, "") \
	X("Organization", true, "") \
	X("OrganizationAffiliation", true, "") \
	X("Parameters", false, "") \
	X("Patient", false, "") \
	X("PaymentNotice", false, "") \
	X("PaymentReconciliation", false, "") \
	X("Person", false, "link.target") \
	X("PlanDefinition", true, "") \
	X("Practitioner", true, "") \
	X("PractitionerRole", true, "") \
	X("Procedure", false, "subject performer.actor") \
	X("Provenance", false, "target") \
	X("Questionnaire", true, "") \
	X("QuestionnaireResponse", false, "subject author") \
	X("RelatedPerson", false, "patient") \
	X("RequestGroup", false, "subject action.participant") \
	X("ResearchDefinition", true, "") \
	X("ResearchElementDefinition", true, "") \
	X("ResearchStudy", true, "") \
	X("ResearchSubject", false, "individual") \
	X("RiskAssessment", false, "subject") \
	X("RiskEvidenceSynthesis", true, "") \
	X("Schedule", false, "actor") \
	X("SearchParameter", true, "") \
	X("ServiceRequest", false, "subject performer") \
	X("Slot", true, "") \
	X("Specimen", false, "subject") \
	X("SpecimenDefinition", true, "") \
	X("StructureDefinition", true, "") \
	X("StructureMap", true, "") \
	X("Subscription", false, "") \
	X("Substance", true, "") \
	X("SubstanceNucleicAcid", true, "") \
	X("SubstancePolymer", true, "") \
	X("SubstanceProtein", true, "") \
	X("SubstanceReferenceInformation", true, "") \
	X("SubstanceSourceMaterial", true, "") \
	X("SubstanceSpecification", true, "") \
	X("SupplyDelivery", false, "patient") \
	X("SupplyRequest", false, "deliverTo") \
	X("Task", false, "for focus") \
	X("TerminologyCapabilities", true, "") \
	X("TestReport", false, "") \
	X("TestScript", true, "") \
	X("ValueSet", true, "") \
	X("VerificationResult", false, "") \
	X("VisionPrescription", false, "patient")
// clang-format on
