/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold when all callers have been answered, whatever they did and in whatever order.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "scene.h"

/* Fails the test, and says what was done in which order, when something does not hold. */
void judge(struct scene *scene);

#endif
