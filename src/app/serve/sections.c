#include "app/serve/sections.h"

#include "app/serve/service_rows.h"

// clang-format off
static const struct setting node_rows[] = {
	{.name = "data", .type = SETTING_FOLDER, .value = "DIR", .help = "the node's data folder"},
	{.name = "http-port", .type = SETTING_PORT, .value = "N", .otherwise = "8545",
	    .help = "JSON-RPC and blobs over HTTP; 0: any free port"},
	{.name = "http-addr", .type = SETTING_ADDRESS, .value = "ADDRESS", .otherwise = "127.0.0.1",
	    .help = "numeric address to listen on"},
	{.name = "http-vhosts", .type = SETTING_LIST, .value = "NAME,…", .otherwise = "localhost",
	    .help = "host names that requests may carry, besides numeric addresses; *: any"},
	{.name = "http-corsdomain", .type = SETTING_LIST, .value = "ORIGIN,…",
	    .help = "origins of web pages that may ask; *: any"},
	{.name = "rpc-gascap", .type = SETTING_NUMBER, .value = "N", .min = 21000, .max = UINT64_MAX,
	    .otherwise = "50000000", .help = "gas of eth_call and estimates at most"},
	{.name = "rpc-evmtimeout", .type = SETTING_NUMBER, .value = "MS", .min = 1, .max = 3600000,
	    .otherwise = "5000", .help = "time that one call may run"},
	{.name = "ping-ms", .type = SETTING_NUMBER, .value = "MS", .min = 100, .max = 3600000, .otherwise = "30000",
	    .help = "a WebSocket that is silent this long is pinged, and dropped after twice that"},
	{.name = "block-ms", .type = SETTING_NUMBER, .value = "MS", .min = 0, .max = 3600000, .otherwise = "0",
	    .help = "a block every so many milliseconds; 0: as soon as there is something to seal"},
	{.name = "memory-mb", .type = SETTING_NUMBER, .value = "N", .min = 16, .max = 1048576, .otherwise = "256",
	    .help = "memory for the database"},
	SERVICE_ROWS,
};
// clang-format on

const struct settings_section node_section = {
    .name = "node",
    .title = "A node: the chain, JSON-RPC and blobs. Started by: xinglin node --config FILE",
    .rows = node_rows,
    .count = sizeof node_rows / sizeof *node_rows,
};

const struct settings_section *const service_sections[] = {&node_section, NULL};
