#include "app/serve/sections.h"

#include <strings.h>

#include "app/serve/object_store.h"
#include "app/serve/service_rows.h"
#include "health/gateway/issuer.h"
#include "ledger/chain/chain.h"
#include "ledger/rpc/rpc_callers.h"

// clang-format off
static const struct setting node_rows[] = {
	{.name = "data", .type = SETTING_FOLDER, .value = "DIR", .help = "the node's data folder"},
	HTTP_ROWS("8545", "JSON-RPC and blobs over HTTP; 0: any free port"),
	{.name = "rpc-methods", .type = SETTING_LIST, .value = "NAME,…", .otherwise = "*",
	    .help = "methods of JSON-RPC that are served; eth_*: all that begin so"},
	{.name = "rpc-jwt-keys", .type = SETTING_SECRET, .value = "FILE", .flags = SETTING_RELOADS,
	    .help = "JSON-RPC asks for a bearer token (JWT): a secret of 64 hexadecimal digits, or an issuer's JWK set"},
	{.name = "rpc-jwt-issuer", .type = SETTING_TEXT, .value = "TEXT",
	    .help = "with a JWK set, what a token's claim iss has to be"},
	{.name = "rpc-jwt-audience", .type = SETTING_TEXT, .value = "TEXT",
	    .help = "with a JWK set, what its claim aud has to name"},
	{.name = "rpc-caller-requests", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = 100000000, .otherwise = "0",
	    .help = "requests of JSON-RPC a second that one caller may send (ten times as many at once); 0: any number"},
	{.name = "rpc-caller-gas", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = CALLERS_RATE_MAX, .otherwise = "0",
	    .help = "gas a second that one caller's calls may use (ten times as much at once); 0: without limit"},
	{.name = "rpc-gascap", .type = SETTING_NUMBER, .value = "N", .min = 21000, .max = UINT64_MAX,
	    .otherwise = "50000000", .help = "gas of eth_call and estimates at most"},
	{.name = "rpc-evmtimeout", .type = SETTING_NUMBER, .value = "MS", .min = 1, .max = 3600000,
	    .otherwise = "5000", .help = "time that one call may run"},
	{.name = "ping-ms", .type = SETTING_NUMBER, .value = "MS", .min = 100, .max = 3600000, .otherwise = "30000",
	    .help = "a WebSocket that is silent this long is pinged, and dropped after twice that"},
	{.name = "block-ms", .type = SETTING_NUMBER, .value = "MS", .min = 0, .max = 3600000, .otherwise = "0",
	    .help = "a block every so many milliseconds; 0: as soon as there is something to seal"},
	{.name = "anchor-ms", .type = SETTING_NUMBER, .value = "MS", .min = 100, .max = 3600000, .otherwise = "60000",
	    .help = "reads of blobs are anchored on the chain this often, if there were any"},
	{.name = "comet-home", .type = SETTING_FOLDER, .value = "DIR",
	    .help = "CometBFT's folder, of a member of a consortium; without it somebody else starts CometBFT"},
	{.name = "comet-program", .type = SETTING_TEXT, .value = "FILE", .otherwise = "cometbft",
	    .help = "the CometBFT that the node starts beside itself"},
	{.name = "blob-peers", .type = SETTING_LIST, .flags = SETTING_RELOADS, .value = "NODE@URL,…",
	    .help = "where the other members' blobs are: each node's identifier, and the URL of its HTTP port"},
	{.name = "blob-store", .type = SETTING_CHOICE, .value = "KIND", .choices = "files|s3", .otherwise = "files",
	    .help = "where sealed contents are kept from now on: in files under data, or in a bucket"},
	{.name = "blob-s3-endpoint", .type = SETTING_TEXT, .value = "URL",
	    .help = "with s3, the store: https://HOST, or with http:// one on this machine"},
	{.name = "blob-s3-region", .type = SETTING_TEXT, .value = "NAME", .otherwise = "us-east-1",
	    .help = "the bucket's region"},
	{.name = "blob-s3-bucket", .type = SETTING_TEXT, .value = "NAME",
	    .help = "the bucket, which must never have had versioning"},
	{.name = "blob-s3-prefix", .type = SETTING_TEXT, .value = "TEXT",
	    .help = "of all names in the bucket: each node needs a prefix of its own"},
	{.name = "blob-s3-path-style", .type = SETTING_SWITCH,
	    .help = "the bucket stands in the path and not in the host's name, as most stores but Amazon's want it"},
	{.name = "blob-s3-credentials", .type = SETTING_SECRET, .value = "FILE",
	    .help = "with aws_access_key_id and aws_secret_access_key; without it the environment's AWS_ACCESS_KEY_ID and "
		    "AWS_SECRET_ACCESS_KEY count"},
	{.name = "blob-s3-ca", .type = SETTING_FILE, .value = "FILE",
	    .help = "authorities (PEM) for https to the store, in place of the system's"},
	{.name = "blob-s3-anew", .type = SETTING_SWITCH, .flags = SETTING_FLAG_ONLY,
	    .help = "what was kept in the store is lost: begin anew at this place"},
	{.name = "follow", .type = SETTING_TEXT, .value = "URL",
	    .help = "execute the blocks of this node, and hand on to it what is sent here, instead of ordering anything"},
	{.name = "follow-order", .type = SETTING_SWITCH,
	    .help = "take the order of its transactions alone, since its blocks do not keep the rules (anvil)"},
	{.name = "poll-ms", .type = SETTING_NUMBER, .value = "MS", .min = 1, .max = 60000, .otherwise = "50",
	    .help = "look for new blocks of the node that it follows this often"},
	{.name = "followers", .type = SETTING_LIST, .value = "NODE,…",
	    .help = "nodes that are no members and may follow this one (see: xinglin consortium follower)"},
	{.name = "snapshot-blocks", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = 1000000000, .otherwise = "10000",
	    .help = "in a consortium, a snapshot for who joins every so many blocks; 0: none"},
	{.name = "snapshots-kept", .type = SETTING_NUMBER, .value = "N", .min = 1, .max = 10, .otherwise = "2",
	    .help = "so many of the newest snapshots are kept"},
	{.name = "retain-blocks", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = 1000000000000, .otherwise = "0",
	    .help = "keep the newest so many blocks, at least 1024, and drop what is older; 0: keep everything"},
	{.name = "retain-days", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = 36500, .otherwise = "30",
	    .help = "with retain-blocks, also keep what is younger"},
	{.name = "memory-mb", .type = SETTING_NUMBER, .value = "N", .min = 16, .max = 1048576, .otherwise = "256",
	    .help = "memory for the database"},
	SERVICE_ROWS,
};
// clang-format on

static void check_node(const struct settings *settings, struct problems *problems) {
	const char *issuer = settings_text(settings, "rpc-jwt-issuer");
	if (!issuer != !settings_text(settings, "rpc-jwt-audience"))
		problems_add(problems, settings_place(settings, issuer ? "rpc-jwt-issuer" : "rpc-jwt-audience").text,
		    "rpc-jwt-issuer and rpc-jwt-audience belong together");
	else if (issuer && !settings_text(settings, "rpc-jwt-keys"))
		problems_add(
		    problems, settings_place(settings, "rpc-jwt-issuer").text, "rpc-jwt-issuer needs rpc-jwt-keys");
	object_store_check(settings, problems);
	const uint64_t blocks = settings_number(settings, "retain-blocks");
	if (blocks > 0 && blocks < CHAIN_RETAIN_LEAST)
		problems_add(problems, settings_place(settings, "retain-blocks").text,
		    "%llu is too few: at least %u blocks are kept, or all with 0", (unsigned long long)blocks,
		    CHAIN_RETAIN_LEAST);
}

const struct settings_section node_section = {
    .check = check_node,
    .name = "node",
    .title = "A node: the chain, JSON-RPC and blobs. Started by: xinglin node --config FILE",
    .rows = node_rows,
    .count = sizeof node_rows / sizeof *node_rows,
};

// clang-format off
static const struct setting gateway_rows[] = {
	{.name = "home", .type = SETTING_FOLDER, .value = "DIR", .help = "the organisation's data folder"},
	{.name = "password-file", .type = SETTING_SECRET, .value = "FILE", .help = "whose first line opens the wallet"},
	{.name = "tokens", .type = SETTING_SECRET, .value = "FILE", .flags = SETTING_RELOADS,
	    .help = "bearer tokens of those who may ask (see: xinglin gateway token new)"},
	{.name = "oauth-issuer", .type = SETTING_TEXT, .value = "URL",
	    .help = "also take tokens (JWT) of this OAuth 2 issuer: their claim iss"},
	{.name = "oauth-audience", .type = SETTING_TEXT, .value = "TEXT",
	    .help = "what the claim aud of its tokens has to name: this gateway"},
	{.name = "oauth-jwks", .type = SETTING_TEXT, .value = "URL|FILE",
	    .help = "its keys; without it the issuer's own description (OpenID discovery) names them"},
	{.name = "oauth-ca", .type = SETTING_FILE, .value = "FILE",
	    .help = "authorities (PEM) for https to the issuer, in place of the system's"},
	{.name = "oauth-authorize", .type = SETTING_TEXT, .value = "URL",
	    .help = "where apps ask for access, if its description does not say"},
	{.name = "oauth-token", .type = SETTING_TEXT, .value = "URL",
	    .help = "where apps get tokens, if its description does not say"},
	{.name = "oauth-purpose", .type = SETTING_CHOICE, .value = "CODE", .otherwise = "TREAT",
	    .choices = "none|TREAT|ETREAT|HPAYMT|HOPERAT|HRESCH|PUBHLTH|PATRQT",
	    .help = "the purpose of use of tokens that name none; none: they are refused"},
	{.name = "oauth-subject-claims", .type = SETTING_TEXT, .value = "NAME,…", .otherwise = ISSUER_SUBJECT_CLAIMS,
	    .help = "claims that name the person; the first that is there counts; /a/b: a member of an object"},
	{.name = "oauth-organisation-claims", .type = SETTING_TEXT, .value = "NAME,…",
	    .otherwise = ISSUER_ORGANISATION_CLAIMS, .help = "claims that name the person's organisation"},
	{.name = "oauth-purpose-claims", .type = SETTING_TEXT, .value = "NAME,…", .otherwise = ISSUER_PURPOSE_CLAIMS,
	    .help = "claims that name the purpose of use"},
	{.name = "oauth-patient-claims", .type = SETTING_TEXT, .value = "NAME,…", .otherwise = ISSUER_PATIENT_CLAIMS,
	    .help = "claims that name the patient of a launch"},
	{.name = "client-organisations", .type = SETTING_FILE, .value = "FILE", .flags = SETTING_RELOADS,
	    .help = "which client certificates are of which organisations"},
	{.name = "tls-client-optional", .type = SETTING_SWITCH, .flags = SETTING_RELOADS,
	    .help = "with tls-client-ca, also serve clients that show no certificate"},
	{.name = "fhir-url", .type = SETTING_TEXT, .value = "URL",
	    .help = "where clients find /fhir if a proxy stands in front (https://fhir.example/r4): links are made of it"},
	{.name = "epcis-url", .type = SETTING_TEXT, .value = "URL",
	    .help = "the same of /epcis"},
	{.name = "profiles", .type = SETTING_LIST, .value = "FILE,…",
	    .help = "packages of FHIR profiles (.tgz, as US Core's): resources that claim one are checked by it"},
	{.name = "anchor-ms", .type = SETTING_NUMBER, .value = "MS", .min = 100, .max = 3600000, .otherwise = "60000",
	    .help = "looks through this gateway are anchored on the chain this often, if there were any"},
	{.name = "hooks", .type = SETTING_CHOICE, .value = "WHERE", .otherwise = "outside",
	    .choices = "off|outside|loopback|any",
	    .help = "where FHIR Subscriptions may have their endpoints: outside (https, no private address), also on this "
		    "machine's loopback, anywhere, or off"},
	{.name = "hooks-attempts", .type = SETTING_NUMBER, .value = "N", .min = 1, .max = 1000, .otherwise = "20",
	    .help = "attempts to send one notification before its Subscription ends with an error"},
	{.name = "hooks-ca", .type = SETTING_FILE, .value = "FILE",
	    .help = "authorities (PEM) for https to endpoints of Subscriptions, in place of the system's"},
	{.name = "node", .type = SETTING_URLS, .value = "URL,…",
	    .help = "the nodes to ask; the next one if one does not answer; without it the deployment's"},
	{.name = "node-token", .type = SETTING_SECRET, .value = "FILE",
	    .help = "the bearer token that the nodes ask for, or the secret that they make it from (see rpc-jwt-keys)"},
	HTTP_ROWS("8600", "HTTP for the organisation's own systems; 0: any free port"),
	{.name = "workers", .type = SETTING_NUMBER, .value = "N", .min = 1, .max = 256, .otherwise = "8",
	    .help = "threads that seal, open and ask the node"},
	{.name = "request-ms", .type = SETTING_NUMBER, .value = "MS", .min = 1000, .max = 600000, .otherwise = "30000",
	    .help = "how long a request waits for its receipt; then the answer is 202"},
	{.name = "trustee", .type = SETTING_SWITCH, .help = "also release this home's shares of keys in emergencies, as a trustee"},
	{.name = "trustee-every-ms", .type = SETTING_NUMBER, .value = "MS", .min = 50, .max = 3600000,
	    .otherwise = "1000", .help = "as a trustee, look for emergencies this often"},
	SERVICE_ROWS,
};
// clang-format on

/* Keys that came over plain HTTP would be anybody's. */
static bool is_safe_url(const char *url) {
	static const char *const beginnings[] = {"https://", "http://127.0.0.1:", "http://127.0.0.1/",
	    "http://localhost:", "http://localhost/", "http://[::1]"};
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (strncasecmp(url, beginnings[i], strlen(beginnings[i])) == 0) return true;
	return false;
}

/* One that links can be made of: "https://host:port/path". */
static bool is_base_url(const char *url) {
	const char *const rest = strncmp(url, "https://", 8) == 0  ? url + 8
				 : strncmp(url, "http://", 7) == 0 ? url + 7
								   : "";
	for (const char *at = rest; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("?#\"<>\\@", *at)) return false;
	return *rest && *rest != '/' && rest[strlen(rest) - 1] != '/';
}

static void check_gateway(const struct settings *settings, struct problems *problems) {
	static const char *const urls[] = {"fhir-url", "epcis-url"};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const char *url = settings_text(settings, urls[i]);
		if (url && !is_base_url(url))
			problems_add(problems, settings_place(settings, urls[i]).text,
			    "%s is a URL without a query and without / at its end, as https://gateway.example/r4",
			    urls[i]);
	}
	const char *issuer = settings_text(settings, "oauth-issuer"), *keys = settings_text(settings, "oauth-jwks");
	if (!issuer != !settings_text(settings, "oauth-audience"))
		problems_add(problems, settings_place(settings, issuer ? "oauth-issuer" : "oauth-audience").text,
		    "oauth-issuer and oauth-audience belong together");
	if (keys && !issuer)
		problems_add(problems, settings_place(settings, "oauth-jwks").text, "oauth-jwks needs oauth-issuer");
	if (keys && strncasecmp(keys, "http://", 7) == 0 && !is_safe_url(keys))
		problems_add(problems, settings_place(settings, "oauth-jwks").text, "keys are fetched over https only");
	if (issuer && !keys && !is_safe_url(issuer))
		problems_add(problems, settings_place(settings, "oauth-issuer").text,
		    "an issuer whose description is fetched has an address with https; or oauth-jwks names its keys");
	if (settings_is_on(settings, "tls-client-optional") && !settings_text(settings, "tls-client-ca"))
		problems_add(problems, settings_place(settings, "tls-client-optional").text,
		    "tls-client-optional needs tls-client-ca");
}

const struct settings_section gateway_section = {
    .name = "gateway",
    .title = "A gateway: one organisation's own systems ask it, over HTTP. Started by: xinglin gateway --config FILE",
    .rows = gateway_rows,
    .count = sizeof gateway_rows / sizeof *gateway_rows,
    .check = check_gateway,
};

// clang-format off
static const struct setting witness_rows[] = {
	{.name = "data", .type = SETTING_FOLDER, .value = "DIR", .help = "the witness's data folder; made if it is not there"},
	{.name = "node", .type = SETTING_TEXT, .value = "URL", .otherwise = "http://127.0.0.1:8545",
	    .help = "the node whose blocks it executes"},
	{.name = "genesis", .type = SETTING_FILE, .value = "FILE",
	    .help = "the chain's genesis, geth's format; a new folder keeps a copy"},
	{.name = "poll-ms", .type = SETTING_NUMBER, .value = "MS", .min = 10, .max = 60000, .otherwise = "100",
	    .help = "look for new blocks this often"},
	{.name = "follow-order", .type = SETTING_SWITCH,
	    .help = "take the order of its transactions alone, since its blocks do not keep the rules (anvil)"},
	LISTEN_ROWS("8700", "JSON-RPC over HTTP: xinglin_head and what proves a state; 0: any free port"),
	SERVICE_ROWS,
};
// clang-format on

const struct settings_section witness_section = {
    .name = "witness",
    .title = "A witness: executes a node's blocks and signs heads. Started by: xinglin witness --config FILE",
    .rows = witness_rows,
    .count = sizeof witness_rows / sizeof *witness_rows,
};

const struct settings_section *const service_sections[] = {&node_section, &gateway_section, &witness_section, NULL};
