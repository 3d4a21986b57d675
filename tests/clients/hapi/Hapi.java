// HAPI FHIR's client, unmodified, against a FHIR server: java Hapi BASE TOKEN. Prints "ok" if everything is as HAPI's users expect.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import ca.uhn.fhir.rest.api.ValidationModeEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.math.BigDecimal;
import java.util.List;
import org.hl7.fhir.instance.model.api.IBaseBundle;
import org.hl7.fhir.r4.model.*;

public final class Hapi {
    static final String MRN = "https://hospital.example/mrn", LOINC = "http://loinc.org";

    static void check(boolean holds, Object what) {
        if (!holds) throw new AssertionError(String.valueOf(what));
    }

    interface Call {
        void run() throws Exception;
    }

    // The outcome that came with the error, for HAPI's own class of it.
    static OperationOutcome refused(Class<? extends BaseServerResponseException> as, Call call) throws Exception {
        try {
            call.run();
        } catch (BaseServerResponseException error) {
            check(as.isInstance(error), as + " was expected, not " + error);
            check(error.getOperationOutcome() instanceof OperationOutcome, "no OperationOutcome: " + error);
            return (OperationOutcome) error.getOperationOutcome();
        }
        throw new AssertionError("nothing was refused where " + as + " was expected");
    }

    static Patient patient(String number, String family) {
        Patient patient = new Patient();
        patient.addIdentifier().setSystem(MRN).setValue(number);
        patient.addName().setFamily(family).addGiven("Ada").addGiven("王");
        patient.setGender(Enumerations.AdministrativeGender.FEMALE).setBirthDateElement(new DateType("1990-02-28"));
        return patient;
    }

    static Observation weight(IdType of, double kilograms, String when) {
        Observation weight = new Observation();
        weight.setStatus(Observation.ObservationStatus.FINAL).setSubject(new Reference(of.toUnqualifiedVersionless()));
        weight.getCode().addCoding().setSystem(LOINC).setCode("29463-7");
        weight.setEffective(new DateTimeType(when));
        weight.setValue(new Quantity().setValue(BigDecimal.valueOf(kilograms)).setSystem("http://unitsofmeasure.org").setCode("kg"));
        return weight;
    }

    static int countAll(IGenericClient client, Bundle page) {
        int count = 0;
        for (Bundle at = page; at != null; at = at.getLink(IBaseBundle.LINK_NEXT) == null ? null : client.loadPage().next(at).execute())
            count += at.getEntry().size();
        return count;
    }

    static IdType writes(IGenericClient client) throws Exception {
        MethodOutcome made = client.create().resource(patient("1", "Lovelace")).prefer(PreferReturnEnum.REPRESENTATION).execute();
        check(made.getCreated() && made.getResource() instanceof Patient && made.getId().hasVersionIdPart(), made);
        IdType id = (IdType) made.getId();
        check(!Boolean.TRUE.equals(client.create().resource(patient("1", "Lovelace")).conditional()
            .where(Patient.IDENTIFIER.exactly().systemAndIdentifier(MRN, "1")).execute().getCreated()), "If-None-Exist made a twin");

        Patient read = client.read().resource(Patient.class).withId(id.toVersionless()).execute();
        check(read.getNameFirstRep().getGivenAsSingleString().equals("Ada 王") && read.getMeta().getVersionId().equals("1"), read);
        check(client.read().resource(Patient.class).withId(id.getIdPart()).ifVersionMatches("1").returnNull().execute() == null,
            "304 was expected");
        read.setActive(true);
        check(client.update().resource(read).execute().getId().getVersionIdPart().equals("2"), "the second version");
        refused(PreconditionFailedException.class, () -> {
            Patient old = patient("1", "Byron");
            old.setId(id.withVersion("1"));
            client.update().resource(old).withAdditionalHeader("If-Match", "W/\"1\"").execute();
        });
        check(client.vread(Patient.class, id.getIdPart(), "1").getActiveElement().isEmpty(), "version 1 has changed");
        client.patch().withBody("[{\"op\":\"replace\",\"path\":\"/gender\",\"value\":\"other\"}]").withId(id.toVersionless()).execute();
        Parameters change = new Parameters();
        Parameters.ParametersParameterComponent operation = change.addParameter().setName("operation");
        operation.addPart().setName("type").setValue(new CodeType("replace"));
        operation.addPart().setName("path").setValue(new StringType("Patient.birthDate"));
        operation.addPart().setName("value").setValue(new DateType("1991-03-01"));
        client.patch().withFhirPatch(change).withId(id.toVersionless()).execute();
        Patient changed = client.read().resource(Patient.class).withId(id.toVersionless()).execute();
        check(changed.getGender() == Enumerations.AdministrativeGender.OTHER, changed.getGender());
        check(changed.getBirthDateElement().getValueAsString().equals("1991-03-01"), changed.getBirthDateElement());

        Patient own = patient("2", "Somerville");
        own.setId("hapi-own-id");
        check(client.update().resource(own).execute().getId().getIdPart().equals("hapi-own-id"), "update as create");
        client.update().resource(patient("2", "Somerville-Greig")).conditional()
            .where(Patient.IDENTIFIER.exactly().systemAndIdentifier(MRN, "2")).execute();
        check(client.read().resource(Patient.class).withId("hapi-own-id").execute().getNameFirstRep().getFamily()
            .equals("Somerville-Greig"), "the conditional update");
        return id;
    }

    static void searches(IGenericClient client, IdType id) {
        for (int day = 1; day <= 5; day++)
            client.create().resource(weight(id, 60 + day, "2025-01-0" + day + "T08:00:00+08:00")).execute();
        Bundle page = client.search().forResource(Observation.class).where(Observation.SUBJECT.hasId(id.toUnqualifiedVersionless()))
            .and(Observation.CODE.exactly().systemAndCode(LOINC, "29463-7")).sort().descending(Observation.DATE).count(2)
            .totalMode(ca.uhn.fhir.rest.api.SearchTotalModeEnum.ACCURATE).returnBundle(Bundle.class).execute();
        check(page.getTotal() == 5 && page.getEntry().size() == 2, page.getTotal());
        check(((Observation) page.getEntryFirstRep().getResource()).getEffectiveDateTimeType().getDay() == 5, "the newest first");
        check(countAll(client, page) == 5, "pages");
        Bundle heavy = client.search().forResource(Observation.class).where(Observation.PATIENT.hasId(id.getIdPart()))
            .and(Observation.VALUE_QUANTITY.greaterThan().number(63500).andUnits("http://unitsofmeasure.org", "g"))
            .and(Observation.DATE.afterOrEquals().day("2025-01-01")).include(Observation.INCLUDE_PATIENT)
            .returnBundle(Bundle.class).execute();
        check(heavy.getEntry().size() == 3, "two weights and their patient, not " + heavy.getEntry().size());
        Bundle around = client.search().forResource(Patient.class).where(Patient.RES_ID.exactly().code(id.getIdPart()))
            .revInclude(Observation.INCLUDE_SUBJECT).returnBundle(Bundle.class).usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
            .execute();
        check(around.getEntry().size() == 6, around.getEntry().size());
        check(client.search().forResource(Observation.class).where(Observation.SUBJECT.hasChainedProperty("Patient",
            Patient.FAMILY.matches().value("lovel"))).returnBundle(Bundle.class).execute().getEntry().size() == 5, "a chain");
        check(client.search().forResource(Patient.class).where(Patient.FAMILY.matchesExactly().value("lovelace"))
            .returnBundle(Bundle.class).execute().getEntry().isEmpty(), ":exact regards case");
        Patient summary = (Patient) client.search().forResource(Patient.class).where(Patient.IDENTIFIER.exactly()
            .systemAndIdentifier(MRN, "1")).summaryMode(SummaryEnum.TRUE).returnBundle(Bundle.class).execute()
            .getEntryFirstRep().getResource();
        check(summary.getMeta().getTag().stream().anyMatch(tag -> tag.getCode().equals("SUBSETTED")), "a summary is marked");
        check(client.search().byUrl("Patient?_has:Observation:patient:code=29463-7&_id=" + id.getIdPart()).returnBundle(Bundle.class)
            .execute().getEntry().size() == 1, "_has");
    }

    static void historyAndOperations(IGenericClient client, IdType id) {
        Bundle history = client.history().onInstance(id.toVersionless()).returnBundle(Bundle.class).execute();
        check(history.getType() == Bundle.BundleType.HISTORY && history.getEntry().size() == 4, history.getEntry().size());
        check(!client.history().onServer().returnBundle(Bundle.class).count(1).execute().getEntry().isEmpty(), "the server's history");
        Bundle everything = client.operation().onInstance(id.toUnqualifiedVersionless()).named("$everything").withNoParameters(Parameters.class)
            .returnResourceType(Bundle.class).useHttpGet().execute();
        check(countAll(client, everything) == 6, "everything is six resources");
        check(client.meta().get(Meta.class).fromResource(id.toUnqualifiedVersionless()).execute() != null, "$meta");
        MethodOutcome valid = client.validate().resource(patient("9", "Valid")).execute();
        check(((OperationOutcome) valid.getOperationOutcome()).getIssue().stream().noneMatch(issue ->
            issue.getSeverity() == OperationOutcome.IssueSeverity.ERROR), "a valid patient");
    }

    static void transactions(IGenericClient client) throws Exception {
        Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
        Patient patient = patient("3", "Hopper");
        bundle.addEntry().setFullUrl("urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a").setResource(patient)
            .getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Patient");
        Observation weight = weight(new IdType("Patient/x"), 50, "2025-02-01");
        weight.setSubject(new Reference("urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"));
        bundle.addEntry().setResource(weight).getRequest().setMethod(Bundle.HTTPVerb.POST).setUrl("Observation");
        bundle.addEntry().getRequest().setMethod(Bundle.HTTPVerb.GET).setUrl("Patient?identifier=" + MRN + "|1");
        Bundle answer = client.transaction().withBundle(bundle).execute();
        check(answer.getEntry().size() == 3 && answer.getEntry().get(0).getResponse().getStatus().startsWith("201"), "a transaction");
        String at = answer.getEntry().get(1).getResponse().getLocation();
        Observation kept = client.read().resource(Observation.class).withId(new IdType(at).toUnqualifiedVersionless().getIdPart()).execute();
        check(kept.getSubject().getReference().equals(new IdType(answer.getEntry().get(0).getResponse().getLocation())
            .toUnqualifiedVersionless().getValue()), kept.getSubject().getReference());
        check(((Bundle) answer.getEntry().get(2).getResource()).getEntry().size() == 1, "the search inside");
        bundle.getEntry().get(1).setResource(new Observation().setLanguage("en")); // no status, no code
        refused(UnprocessableEntityException.class, () -> client.transaction().withBundle(bundle).execute());
        check(client.search().forResource(Patient.class).where(Patient.FAMILY.matches().value("Hopper")).returnBundle(Bundle.class)
            .execute().getEntry().size() == 1, "all or nothing");
    }

    static void refusals(IGenericClient client, IGenericClient stranger, IdType id) throws Exception {
        refused(AuthenticationException.class, () -> stranger.read().resource(Patient.class).withId(id.getIdPart()).execute());
        refused(ResourceNotFoundException.class, () -> client.read().resource(Patient.class).withId("nobody").execute());
        refused(UnprocessableEntityException.class, () -> client.create().resource(new Observation().setLanguage("en")).execute());
        refused(InvalidRequestException.class, () -> client.search().byUrl("Patient?no-such-parameter=1")
            .withAdditionalHeader("Prefer", "handling=strict").returnBundle(Bundle.class).execute());
        Binary image = new Binary().setContentType("image/png").setData(new byte[] {1, 2, 3, 0, (byte) 255});
        String binary = client.create().resource(image).execute().getId().getIdPart();
        check(client.read().resource(Binary.class).withId(binary).execute().getData().length == 5, "Binary");
        client.delete().resourceById("Patient", "hapi-own-id").execute();
        refused(ResourceGoneException.class, () -> client.read().resource(Patient.class).withId("hapi-own-id").execute());
        client.delete().resourceConditionalByType("Patient").where(Patient.IDENTIFIER.exactly().systemAndIdentifier(MRN, "nobody"))
            .execute();
    }

    public static void main(String[] arguments) throws Exception {
        FhirContext context = FhirContext.forR4();
        context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
        context.getRestfulClientFactory().setSocketTimeout(60_000);
        IGenericClient client = context.newRestfulGenericClient(arguments[0]);
        client.registerInterceptor(new BearerTokenAuthInterceptor(arguments[1]));
        CapabilityStatement capabilities = client.capabilities().ofType(CapabilityStatement.class).execute();
        check(capabilities.getFhirVersion() == Enumerations.FHIRVersion._4_0_1, capabilities.getFhirVersion());
        IdType id = writes(client);
        searches(client, id);
        historyAndOperations(client, id);
        transactions(client);
        refusals(client, context.newRestfulGenericClient(arguments[0]), id);
        System.out.println("ok");
    }
}
