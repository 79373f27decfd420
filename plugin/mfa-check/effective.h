/* SPDX-License-Identifier: Apache-2.0
 *
 * effective.h: the configuration as the plugin has understood it: defaults and presets filled in, each thing in one
 * spelling.
 */
#ifndef EFFECTIVE_H
#define EFFECTIVE_H

#include <jansson.h>

#include "subject.h"

/* The section as JSON, in the endpoint language, without what is secret; owned by caller. */
json_t *effective_section(const struct subject *subject);

#endif
