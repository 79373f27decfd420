/* SPDX-License-Identifier: Apache-2.0
 *
 * admission.h: what must hold before a route's handler sees a request: the user exists, the token is good for the route,
 * the body is not too long. What fails is answered here.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include "exchange.h"

/* Called once the whole request is there; ends in the route's handler or in an error. */
void admission_admit(struct exchange *exchange);

#endif
