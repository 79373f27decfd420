/* SPDX-License-Identifier: Apache-2.0
 *
 * Of the model, what the service is asked for: messages, which have limits, and checks of a code.
 */
#ifndef MODEL_MESSAGES_H
#define MODEL_MESSAGES_H

#include "model.h"

/* Looks at the requests that the service has got since the last time, which are this call's. */
void model_see_requests(struct model *model, uint64_t number);

#endif
