/*
 * EPC URNs and Digital Link URIs, the two spellings of one identifier in EPCIS: "urn:epc:id:sgtin:0614141.107346.2017"
 * and "https://id.gs1.org/01/10614141073464/21/2017". Both are read by scan_read; here they are written. A URN says
 * where the company prefix ends, a Digital Link does not: the way back needs that length.
 *
 * Handled: SGTIN, SSCC, SGLN, PGLN, and the class LGTIN. Source: EPC Tag Data Standard 2.0 §6, 7; Digital Link URI
 * Syntax 1.4 §5. Threads: pure.
 */
#ifndef HEALTH_GS1_EPC_H
#define HEALTH_GS1_EPC_H

#include "health/gs1/scan.h"

#define EPC_TEXT_MAX 160u
#define EPC_CODE_MAX EPC_TEXT_MAX

/* The canonical https://id.gs1.org/… of a scan that has one (a unit, a batch, a product, a container, a place); false
 * otherwise. NUL-terminated. */
bool epc_digital_link(char out[EPC_TEXT_MAX], const struct scan *scan);
/* What names a container: the 18 digits of its SSCC; or of a case that has a GTIN and a serial its Digital Link. Both
 * are read back by scan_read. False otherwise. NUL-terminated. */
bool epc_container_code(char out[EPC_CODE_MAX], const struct scan *scan);
/* The URN of a unit, batch, container or place whose company prefix has `prefix_len` digits ([6, 12]); false otherwise.
 */
bool epc_urn(char out[EPC_TEXT_MAX], const struct scan *scan, unsigned prefix_len);

#endif
