/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_xml.h: where in XML secrets stand.
 */
#ifndef SECRET_XML_H
#define SECRET_XML_H

#include "secret_scan.h"

/* To the end of the text. */
void secret_xml_scan(struct secret_scan *scan);

#endif
