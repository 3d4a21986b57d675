/* Inside app/serve: settings that services share. Rows of a struct setting table (app/settings/settings.h). */
#ifndef APP_SERVE_SERVICE_ROWS_H
#define APP_SERVE_SERVICE_ROWS_H

#include "app/settings/settings.h"

// clang-format off
/* Of a service that listens for HTTP. */
#define LISTEN_ROWS(port_default, port_help)                                                                           \
	{.name = "http-port", .type = SETTING_PORT, .value = "N", .otherwise = (port_default),                         \
	    .help = (port_help)},                                                                                      \
	{.name = "http-addr", .type = SETTING_ADDRESS, .value = "ADDRESS", .otherwise = "127.0.0.1",                   \
	    .help = "numeric address to listen on"},                                                                   \
	{.name = "tls-cert", .type = SETTING_FILE, .value = "FILE", .flags = SETTING_RELOADS,                          \
	    .help = "serve HTTPS with this certificate chain (PEM)"},                                                  \
	{.name = "tls-key", .type = SETTING_SECRET, .value = "FILE", .flags = SETTING_RELOADS,                         \
	    .help = "the certificate's key (PEM)"},                                                                    \
	{.name = "tls-client-ca", .type = SETTING_FILE, .value = "FILE", .flags = SETTING_RELOADS,                     \
	    .help = "serve only clients whose certificates these authorities (PEM) signed"},                           \
	{.name = "http-vhosts", .type = SETTING_LIST, .value = "NAME,…", .otherwise = "localhost",                     \
	    .help = "host names that requests may carry, besides numeric addresses; *: any"}

/* The same, if web pages may ask it. */
#define HTTP_ROWS(port_default, port_help)                                                                             \
	LISTEN_ROWS(port_default, port_help),                                                                          \
	{.name = "http-corsdomain", .type = SETTING_LIST, .value = "ORIGIN,…",                                         \
	    .help = "origins of web pages that may ask; *: any"}

/* Of every service. */
#define SERVICE_ROWS                                                                                                   \
	{.name = "config", .type = SETTING_FILE, .value = "FILE", .flags = SETTING_FLAG_ONLY,                          \
	    .help = "read settings from this file too (see: xinglin config sample)"},                                  \
	{.name = "log-level", .type = SETTING_CHOICE, .value = "WORD", .choices = "debug|info|warn|error",             \
	    .otherwise = "info", .flags = SETTING_RELOADS, .help = "log events of this weight and heavier"},           \
	{.name = "log-format", .type = SETTING_CHOICE, .value = "WORD", .choices = "text|json", .otherwise = "text",   \
	    .help = "lines for a person, or JSON objects for a collector"},                                            \
	{.name = "metrics-port", .type = SETTING_PORT, .value = "N", .otherwise = "0",                                 \
	    .help = "serve /metrics, /livez and /readyz here, to whoever reaches it; 0: nowhere"},                     \
	{.name = "metrics-addr", .type = SETTING_ADDRESS, .value = "ADDRESS", .otherwise = "127.0.0.1",                \
	    .help = "numeric address of metrics-port"},                                                                \
	{.name = "drain-ms", .type = SETTING_NUMBER, .value = "MS", .min = 0, .max = 600000, .otherwise = "5000",      \
	    .help = "after SIGTERM, answer what is in flight for at most this long"},                                  \
	{.name = "min-free-mb", .type = SETTING_NUMBER, .value = "N", .min = 0, .max = 1048576, .otherwise = "64",     \
	    .flags = SETTING_RELOADS, .help = "with less than this on its disk, /readyz says no"}
// clang-format on

#endif
