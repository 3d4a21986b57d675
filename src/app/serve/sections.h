/* The sections of a configuration file: one for each kind of service. Static tables. */
#ifndef APP_SERVE_SECTIONS_H
#define APP_SERVE_SECTIONS_H

#include "app/settings/settings.h"

extern const struct settings_section node_section, gateway_section, witness_section;
extern const struct settings_section *const service_sections[]; /* all, NULL-terminated */

#endif
