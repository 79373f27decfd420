/* SPDX-License-Identifier: Apache-2.0 */
#define NAME ""
#include "bad_plugin.h"
